"""The digest of arrays: other data, forecasts or weights are another digest."""

from __future__ import annotations

import hashlib

import numpy as np

CHUNK = 256  # windows that are copied at a time


def digest(*arrays: np.ndarray) -> str:
    """Return the sha256 over shapes, types and values, in hexadecimal."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(f"{array.dtype.str}{array.shape}".encode())
        for start in range(0, len(array), CHUNK) if array.ndim else ():
            sha256.update(np.ascontiguousarray(array[start : start + CHUNK]).tobytes())
        if not array.ndim:
            sha256.update(array.tobytes())
    return sha256.hexdigest()
