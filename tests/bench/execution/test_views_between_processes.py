"""Windows that are views cross to a worker as views."""

from __future__ import annotations

import os

import numpy as np
import pytest

from bench.data.windows import rolling
from bench.execution import arrays
from bench.machine.system.files import new_unnamed


def test_windows_are_written_once_and_read_as_they_were() -> None:
    series = np.arange(200, dtype=np.float32).reshape(100, 2)
    given = {"every": rolling(series, 30), "third": rolling(series, 30)[4::3, :20], "plain": series[::-1]}
    handle = new_unnamed()
    try:
        layouts = arrays.write(handle, given, views=True)
        assert os.fstat(handle).st_size < 3 * series.nbytes
        found = arrays.read(handle, layouts, views=True)
        for name, array in given.items():
            np.testing.assert_array_equal(found[name], array)
        with pytest.raises(ValueError, match="got a view"):  # a few bytes could stand for more than the memory holds
            arrays.read(handle, layouts)
    finally:
        os.close(handle)
