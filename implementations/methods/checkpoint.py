"""Zero-shot: a pretrained model in a folder of yours forecasts as it is; nothing is trained.

    z_t = (x_t - mean) / deviation                              of each series, over the steps that the model reads
    z -> patches and their mask -> encoder -> a decoder step -> quantiles 0.1 .. 0.9 of the next P steps at once
    x_{T+h} = mean + deviation * q_{h, 0.5}                     h = 1 .. P; beyond, the quantiles are fed back

Chronos: Ansari et al. 2024, arXiv:2403.07815; of its models, those in Chronos-Bolt's format, by Amazon's package
chronos-forecasting. Not in the reference. The folder has config.json and model.safetensors: nothing is downloaded, and
no pickle is read. sha256: the first digits of the digest of both files; a run states them. A model may have been
trained on public series: then their test part is not new to it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np

from implementations.forecaster import Setting, check_steps, check_windows
from implementations.statistical import RowForecaster, RowForecasts, numerical_warnings_off, without_bounds

FILES = ("config.json", "model.safetensors")
PIPELINE = "ChronosBoltPipeline"
STATED = ("context_length", "prediction_length", "input_patch_size", "input_patch_stride", "quantiles")
TIED = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"}  # copies of shared.weight
LARGEST = 2**20  # bytes of a config.json
DIGITS = 12  # of the digest
ROWS = 256  # that the model reads at once


class Checkpoint(RowForecaster):
    backends = ("torch",)

    folder: str = ""
    sha256: str = ""

    model: Any = field(init=False, default=None)

    @classmethod
    def identified(cls, settings: Mapping[str, Setting]) -> dict[str, Setting]:
        """Return the settings with the digest of the model's files. Raises ValueError for what is no such model."""
        found = check_folder(str(settings["folder"]))
        if find_spec("chronos") is None:
            raise ValueError("checkpoint: chronos-forecasting is not installed: pip install 'aheadbench[chronos]'")
        digest, stated = digest_of(found), settings["sha256"]
        if stated and stated != digest:
            raise ValueError(f"checkpoint.sha256: got {stated}, but the files in {settings['folder']!r} have {digest}")
        return {**settings, "sha256": digest}

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Load the model; there is nothing to train. Raises ValueError for bad input, and for what is no such model."""
        check_windows(history, future)
        self.loaded()
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32, each channel of history [N, T, D] alone. Raises ValueError for bad input."""
        check_windows(history)
        check_steps(steps)
        rows = list(history.swapaxes(1, 2).reshape(-1, history.shape[1]))
        made = self.forecast_rows(rows, steps).mean.reshape(len(history), -1, steps)
        return np.ascontiguousarray(made.swapaxes(1, 2), dtype=np.float32)

    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Forecast the median after each row. No bounds: the model's quantiles end at 80 %."""
        model = self.loaded()
        blocks = [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
        with numerical_warnings_off():  # a horizon beyond the model's own
            return without_bounds(np.concatenate([medians(model, block, steps) for block in blocks]))

    def loaded(self) -> Any:
        """Return the model, loaded once. Raises ValueError for what is no such model, or for another than stated."""
        if self.model is None:
            stated = self.identified(self.settings())
            self.folder, self.sha256 = str(stated["folder"]), str(stated["sha256"])
            self.model = load(Path(self.folder))
        return self.model

    def parameters(self) -> int:
        return sum(weights.numel() for weights in self.loaded().model.parameters())

    def weights(self) -> list[np.ndarray]:
        return [np.frombuffer(self.sha256.encode(), dtype=np.uint8)]

    def save(self, folder: Path) -> None:
        """Write the forecaster to a folder, with a copy of the model."""
        self.loaded()
        super().save(folder)
        for name in FILES:
            shutil.copyfile(Path(self.folder) / name, folder / name)

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        self.folder = str(folder)
        self.loaded()


def check_folder(name: str) -> Path:
    """Return the folder. Raises ValueError unless it holds a model in Chronos-Bolt's format, as far as a look tells."""
    folder, needed = Path(name), f"needed a folder with {' and '.join(FILES)} of a model in Chronos-Bolt's format"
    if not name:
        raise ValueError(f"checkpoint.folder: got none, {needed}: --set checkpoint.folder=FOLDER")
    missing = [] if not folder.is_dir() else [one for one in FILES if not (folder / one).is_file()]
    if missing or not folder.is_dir():
        wrong = f"it has no {missing[0]}" if missing else "there is no such folder"
        raise ValueError(f"checkpoint.folder: got {name!r}, {wrong}: {needed}")
    config = read_config(folder / FILES[0])
    if wrong := fault_of(config) or fault_of_weights(folder / FILES[1]):
        raise ValueError(f"checkpoint.folder: got {name!r}, {wrong}: {needed}")
    return folder


def read_config(path: Path) -> Any:
    """Return what config.json holds; None where it is no JSON."""
    try:
        with path.open("rb") as file:
            return json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return None


def fault_of(config: Any) -> str:
    """Return what is wrong with a configuration, in words; empty for one of Chronos-Bolt."""
    if not isinstance(config, dict):
        return "whose config.json is no JSON object"
    stated = config.get("chronos_config")
    pipeline = config.get("chronos_pipeline_class", "none")
    if pipeline != PIPELINE or not isinstance(stated, dict):
        return f"whose config.json has chronos_pipeline_class {str(pipeline)[:40]!r}, not {PIPELINE!r}"
    if absent := [one for one in STATED if one not in stated]:
        return f"whose config.json has no chronos_config.{absent[0]}"
    quantiles = stated["quantiles"]
    return "" if isinstance(quantiles, list) and 0.5 in quantiles else "whose config.json has no quantile 0.5"


def fault_of_weights(path: Path) -> str:
    """Return what is wrong with a file of weights, in words, as far as its first bytes tell."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        begins = file.read(1)
    fits = begins == b"{" and length + 8 <= path.stat().st_size
    return "" if fits else "whose model.safetensors is of another format, or damaged"


def digest_of(folder: Path) -> str:
    """Return the first digits of the sha256 over both files."""
    sha256 = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as file:
            sha256.update(hashlib.file_digest(file, "sha256").digest())
    return sha256.hexdigest()[:DIGITS]


def load(folder: Path) -> Any:
    """Return the pipeline of a folder, in float32. Raises ValueError where the weights are not those of its network."""
    import torch
    import transformers
    from chronos import ChronosBoltPipeline
    from safetensors import safe_open

    transformers.logging.disable_progress_bar()
    try:
        with safe_open(folder / FILES[1], "pt") as file:
            given = set(file.keys())
        made = ChronosBoltPipeline.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    except Exception as error:  # the libraries raise whatever they like for a damaged file
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"checkpoint.folder: got {str(folder)!r}, which cannot be loaded: {reason}") from None
    if absent := sorted(set(made.model.state_dict()) - given - TIED):  # they would be drawn at random
        raise ValueError(f"checkpoint.folder: got {str(folder)!r}, whose model.safetensors has no {absent[0]}")
    return made


def medians(model: Any, rows: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """Forecast [R, steps] float64 after rows; centred in float64 first, as the model computes in float32."""
    import torch

    centre = np.array([row.mean() for row in rows])[:, None]
    spread = np.array([row.std() for row in rows])[:, None]
    seen = [(row - row.mean()) / (row.std() or 1.0) for row in rows]
    context = [torch.from_numpy(row.astype(np.float32)) for row in seen]
    found = model.predict_quantiles(context, prediction_length=steps, quantile_levels=[0.5])[0]
    forecasts: np.ndarray = centre + spread * found[:, :, 0].numpy().astype(np.float64)
    return forecasts
