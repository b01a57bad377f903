"""What Darts and neuralforecast share: both train by PyTorch Lightning, here with all that costs time turned off."""

from __future__ import annotations

import time
from typing import Any

QUIET = {
    "accelerator": "cpu",
    "devices": 1,
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
}


def clock() -> tuple[Any, list[float]]:
    """Return a callback, and the epochs' seconds that it notes outside itself: neuralforecast trains a copy."""
    import pytorch_lightning
    import torch

    torch.set_num_threads(1)
    seconds: list[float] = []

    class Clock(pytorch_lightning.Callback):
        def on_train_epoch_start(self, *_: Any) -> None:
            self.start = time.perf_counter()

        def on_train_epoch_end(self, *_: Any) -> None:
            seconds.append(time.perf_counter() - self.start)

    return Clock(), seconds
