"""One seed means the same in every framework: untrained networks of one seed give the same forecasts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from implementations import METHODS, backends_of

CHECK = Path(__file__).parent / "checks" / "untrained.py"
NETWORKS = [name for name in METHODS if "torch" in backends_of(name)]


@cache
def untrained(backend: str) -> dict[str, list[float]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, str(CHECK), backend]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.xdist_group("same start")
@pytest.mark.parametrize("method", NETWORKS)
@pytest.mark.parametrize("backend", ["keras", "keras-jax"])
def test_untrained_networks_of_one_seed_are_the_same(backend: str, method: str) -> None:
    expected = untrained("torch")[method]
    np.testing.assert_allclose(untrained(backend)[method], expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(expected) > 0
