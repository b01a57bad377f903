"""Seeds that are trained side by side come out as each would from a run of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from implementations import make, packing

SEEDS = (7, 8)


def _waves() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    steps = np.arange(16) * random.uniform(0.1, 0.4, (40, 1)) + random.uniform(0, 6, (40, 1))
    series = np.sin(steps)[:, :, None].astype("float32")
    return series[:, :12], series[:, 12:]


def _compare(method: str, **settings: Any) -> None:
    history, future = _waves()

    def made(seed: int) -> Any:
        return make(method, packing.BACKEND, seed, epochs=2, batch_size=16, **settings)

    pack, found = packing.Pack(made(SEEDS[1]), SEEDS), []
    pack.fit(history, future, (history, future))
    for seed in SEEDS:
        single, packed = made(seed).fit(history, future, validation=(history, future)), pack.fitted(seed)
        found.append(packed.predict_ahead(history, 4))
        np.testing.assert_allclose(found[-1], single.predict_ahead(history, 4), rtol=1e-4, atol=1e-5)
        for name in ("loss", "val_loss", "val_last_step_mse"):
            np.testing.assert_allclose(packed.curve[name], single.curve[name], rtol=1e-4)
        assert packed.seed == seed and len(packed.curve["seconds"]) == 2
    assert not np.allclose(*found)


def other_windows_in_each_epoch() -> None:
    _compare("linear", noise=0.1, normalise="last")


def averaged_weights_of_recurrent_layers() -> None:
    _compare("rnn_sequence", units=4, averaging="ema", schedule="cosine")


def a_seed_that_diverges_leaves_the_others() -> None:
    pack = packing.Pack(make("linear", packing.BACKEND, 7, epochs=1), SEEDS)
    pack._note(1, loss=np.array([0.1, np.nan]))
    pack._note(2, loss=np.array([0.1, 0.1]))
    assert pack.curves == {7: {"loss": [0.1, 0.1]}, 8: {}}
    try:
        pack.fitted(8)
    except FloatingPointError as error:
        assert str(error) == "loss became nan in epoch 1 of 1"
    else:
        raise AssertionError("a seed that diverged has a result")
