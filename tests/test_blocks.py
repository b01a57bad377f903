"""Every layer, ours and the frameworks' own as we use them, against plain NumPy loops: tests/checks/blocks_*.py."""

from __future__ import annotations

import pytest
from children import FRAMEWORKS, cases, checks_of, failure

FILES = {"keras": "blocks_keras.py", "keras-jax": "blocks_keras.py", "torch": "blocks_torch.py"}


@pytest.mark.parametrize(("backend", "check"), cases(FILES))
def test_block(backend: str, check: str) -> None:
    problem = failure(FILES[backend], backend, check)
    assert problem is None, problem


@pytest.mark.parametrize(("backend", "check"), cases(dict.fromkeys(FRAMEWORKS, "blocks_beyond.py")))
def test_block_beyond_the_notes(backend: str, check: str) -> None:
    problem = failure("blocks_beyond.py", backend, check)
    assert problem is None, problem


def test_both_frameworks_have_the_same_checks() -> None:
    """But for what only one of them has."""
    keras = {"conv1d_equals_keras_own", "recurrent_layers_equal_keras_own"}
    keras |= {"masks_are_drawn_evenly_and_independently", "masks_are_those_of_plain_arithmetic"}
    torch = {"repeat_vector", "one_bias_learns_where_keras_has_one", "initial_biases", "stacked_lstm_is_two_layers"}
    assert set(checks_of("blocks_keras.py")) ^ set(checks_of("blocks_torch.py")) == keras | torch
