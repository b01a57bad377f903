"""`python -m bench new-method`: a file to start from, which already keeps the contract."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from bench.errors import UsageError
from bench.records import files

PLAIN = '''\
"""{title}: the last value, going on by the mean step of the training series.

    d = mean (y_t - y_(t-1))          over all training series, one d for each channel
    y_(T+h) = y_T + strength h d

Put your equations and their source here.

    python -m bench check ./{file}:{name}
    python -m bench run --method ./{file}:{name} --method last_value --task ten-step
"""

import numpy as np


class {name}:
    def __init__(self, strength: float = 1.0):  # settings: --set {module}.{name}.strength=0.5
        self.strength = strength

    def fit(self, history, future):  # [N, T, D] and [N, H, D]: N series, T steps, H ahead, D channels, float32
        self.drift = np.diff(history, axis=1).mean(axis=(0, 1))  # [D]; numbers and arrays in self are saved
        return self

    def predict_ahead(self, history, steps):  # [N, T, D] -> [N, steps, D] float32, for any number of steps
        ahead = np.arange(1, steps + 1, dtype=np.float32)[:, None]
        return (history[:, -1:] + self.strength * ahead * self.drift).astype(np.float32)
'''

NETWORK = '''\
"""{title}: one recurrent layer that forecasts the next H values at every step.

Put your equations and their source here.

    python -m bench check ./{file}:{name} --backend torch
    python -m bench run --method ./{file}:{name} --backend torch --task ten-step --quick
"""

from implementations import NetworkForecaster
from implementations.strategies import SequenceToSequence


class {name}(NetworkForecaster):
    backends = ("keras", "keras-jax", "torch")  # leave out those that you do not write
    strategy = SequenceToSequence()  # or MultiOutput(), Recursive()
    units: int = 20  # a setting: --set {module}.{name}.units=32

    def keras_network(self, channels, outputs):  # [N, T, channels] -> [N, T, outputs]
        import keras

        return keras.Sequential([keras.layers.GRU(self.units, return_sequences=True), keras.layers.Dense(outputs)])

    def torch_network(self, channels, outputs):
        from torch import nn

        from implementations.layers.torch import GRU, Dense

        return nn.Sequential(GRU(channels, self.units), Dense(self.units, outputs))
'''


def write(name: str, network: bool) -> Path:
    """Write the file and return its path. Raises UsageError for a name that is none, and where a file is in the way."""
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise UsageError(f"{name!r} cannot be the name of a method: letters, digits and '_' can, as in my_forecaster")
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    if not words:
        raise UsageError(f"{name!r} cannot be the name of a method: a letter is needed")
    module = "_".join(word.lower() for word in words)
    path = Path(f"{module}.py")
    if path.exists():
        raise UsageError(f"{path.name!r} is there already: choose another name, or move it away")
    made = {"module": module, "file": path.name, "name": "".join(word[0].upper() + word[1:] for word in words)}
    text = (NETWORK if network else PLAIN).format(title=" ".join(words).capitalize(), **made)
    files.replace(path, text.encode())
    print(f"{path}: now python -m bench check ./{path}:{made['name']}")
    return path
