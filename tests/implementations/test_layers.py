"""Every layer, ours and the frameworks' own as we use them, against plain NumPy loops: tests/frameworks/layers_*.py."""

from __future__ import annotations

import pytest
from children import FRAMEWORKS, cases, checks_of, failure
from conftest import ROOT

from implementations.backends import BACKENDS

FILES = {name: "layers_keras.py" if BACKENDS[name].engine else "layers_torch.py" for name in FRAMEWORKS}
#: modules of layers that one framework alone needs
KERAS_ALONE = {"base.py"}
TORCH_ALONE = {"native_defaults.py", "normalization.py"}


@pytest.mark.parametrize(("backend", "check"), cases(FILES))
def test_layer(backend: str, check: str) -> None:
    problem = failure(FILES[backend], backend, check)
    assert problem is None, problem


@pytest.mark.parametrize(("backend", "check"), cases(dict.fromkeys(FRAMEWORKS, "layers_both.py")))
def test_layer_of_both_frameworks(backend: str, check: str) -> None:
    problem = failure("layers_both.py", backend, check)
    assert problem is None, problem


def test_both_frameworks_have_the_same_checks() -> None:
    """But for what only one of them has."""
    keras = {"conv1d_equals_keras_own", "recurrent_layers_equal_keras_own"}
    keras |= {"masks_are_drawn_evenly_and_independently", "masks_are_those_of_plain_arithmetic"}
    keras |= {"a_large_lstm_takes_keras_loop_in_training_on_jax"}
    torch = {"repeat_vector", "one_bias_learns_where_keras_has_one", "initial_biases", "stacked_lstm_is_two_layers"}
    assert set(checks_of("layers_keras.py")) ^ set(checks_of("layers_torch.py")) == keras | torch


@pytest.mark.parametrize(("backend", "check"), cases({"torch": "gradients_torch.py"}))
def test_gradient_by_hand(backend: str, check: str) -> None:
    problem = failure("gradients_torch.py", backend, check)
    assert problem is None, problem


def test_both_frameworks_have_the_same_modules() -> None:
    layers = ROOT / "implementations" / "layers"
    keras, torch = ({path.name for path in (layers / name).glob("*.py")} for name in ("keras", "torch"))
    assert (keras - torch, torch - keras) == (KERAS_ALONE, TORCH_ALONE)
