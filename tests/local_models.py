"""Folders with a model in Chronos-Bolt's format, as far as a look at the files tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

CONFIG: dict[str, Any] = {
    "chronos_pipeline_class": "ChronosBoltPipeline",
    "chronos_config": {"context_length": 64, "prediction_length": 8, "input_patch_size": 4, "input_patch_stride": 4,
                       "quantiles": [0.1, 0.5, 0.9]},
}  # fmt: skip


def written(folder: Path, config: Any = CONFIG, weights: tuple[str, ...] = ("shared.weight", "shared.bias")) -> Path:
    """Write a folder with a configuration and weights."""
    from safetensors.numpy import save_file

    folder.mkdir()
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    save_file(dict.fromkeys(weights, np.zeros((2, 2), np.float32)), folder / "model.safetensors")
    return folder
