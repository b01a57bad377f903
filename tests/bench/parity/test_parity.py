"""`bench parity`: every network is the same in every framework, and a difference is found and its layer named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Bench

from bench.parity.compare import BARS, compare
from implementations import METHODS, backends_of

NETWORKS = [name for name in METHODS if len(backends_of(name)) > 1]
ALTERED = ROOT / "tests" / "altered_layers"


def parity(*arguments: str, path: str = str(ROOT)) -> Any:
    command = [sys.executable, "-m", "bench", "parity", "--json", *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=590)
    assert done.stdout, done.stderr
    found = {(row["method"], row["engine"]): row for row in json.loads(done.stdout)}
    assert done.returncode == any(row["problem"] for row in found.values())
    return found


@cache
def of_all() -> dict[tuple[str, str], dict[str, Any]]:
    """One command for all tests: importing and compiling are what takes the time."""
    return dict(parity())


@pytest.mark.xdist_group("parity")
@pytest.mark.parametrize("method", NETWORKS)
@pytest.mark.parametrize("engine", ["keras", "keras-jax"])
def test_a_network_is_the_same_in_every_framework(engine: str, method: str) -> None:
    found = of_all()[method, engine]
    assert found["problem"] is None
    assert found["reference"] == "torch"
    assert all(found[what] <= bar for what, bar in BARS.items())


@pytest.mark.xdist_group("parity")
def test_every_method_was_compared() -> None:
    assert of_all().keys() == {(method, engine) for method in NETWORKS for engine in ("keras", "keras-jax")}


#: method -> how the difference that tests/altered_layers puts into its PyTorch layers is named
ALTERATIONS = {
    "gru": "float32 of layer 1, GRU: ",
    "layer_norm_rnn": "float32 of layer 1, RNN: ",
    "rnn_sequence": "gradient of layer 2, SimpleRNN: ",
    "rtrl_rnn": "float32 of layer 2, Dense: ",
    "relu_rnn": "start of layer 1, SimpleRNN: ",
    "linear": None,
}


@cache
def of_altered_layers() -> dict[tuple[str, str], dict[str, Any]]:
    path = os.pathsep.join([str(ROOT), str(ALTERED)])
    return dict(parity(*ALTERATIONS, "--backend", "keras-jax", "--backend", "torch", path=path))


@pytest.mark.xdist_group("altered")
@pytest.mark.parametrize("method", ALTERATIONS)
def test_an_altered_layer_is_found_and_named(method: str) -> None:
    problem, expected = of_altered_layers()[method, "keras-jax"]["problem"], ALTERATIONS[method]
    assert problem is None if expected is None else problem.startswith(expected)


def test_bad_names_are_one_line(inside: Bench) -> None:
    for arguments, message in (
        (["gruu"], "bench: unknown method with a network 'gruu': did you mean gru"),
        (["arima"], "bench: unknown method with a network 'arima': choose from linear, "),
        (["--backend", "torch"], "bench: parity: got torch, needed two or more backends with networks"),
        (["--backend", "trch"], "bench: unknown backend 'trch': did you mean torch?"),
    ):
        done = inside("parity", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(message) and done.stderr.count("\n") == 1


def arrays(**changed: np.ndarray) -> dict[str, np.ndarray]:
    """A network of two layers, the first without weights."""
    ones = dict.fromkeys(("float32/1", "float32/2", "float64/1", "float64/2", "loss"), np.ones(3))
    weights = {f"{what}/2/{number}": np.ones(2) for what in ("start", "gradient", "steps") for number in (0, 1)}
    return {"layers": np.array(["Flatten", "Dense"]), **ones, **weights, **changed}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, None),
        ({"float64/1": np.ones(3) + 1e-9}, "float64 of layer 1, Flatten: 1.0e-09, allowed 1e-10"),
        ({"loss": np.array([1, 2, 1])}, "loss: 1.0e+00, allowed 1e-05"),
        ({"steps/2/1": np.ones(3)}, "steps of layer 2, Dense: inf, allowed 1e-04"),
        ({"gradient/2/1": np.array([1, np.nan])}, "gradient of layer 2, Dense: inf, allowed 1e-04"),
        ({"start/2/2": np.ones(1)}, "start of layer 2, Dense: inf, allowed 1e-06"),
        ({"layers": np.array(["Dense"])}, "layers: Dense in keras, Flatten, Dense in torch"),
        ({"error": np.array("ValueError: no")}, "keras failed: ValueError: no"),
    ],
)
def test_what_is_too_large_is_named(changed: dict[str, np.ndarray], problem: str | None) -> None:
    assert compare("linear", "keras", "torch", arrays(**changed), arrays()).problem == problem


def test_a_missing_array_is_a_difference() -> None:
    got = arrays()
    del got["steps/2/1"]
    assert compare("linear", "keras", "torch", got, arrays()).problem == "steps of layer 2, Dense: inf, allowed 1e-04"
