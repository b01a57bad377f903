"""checkpoint: a local model in Chronos-Bolt's format, by the library where it is there, else by a stand-in for it."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Bench
from local_models import CONFIG, written

from bench.contract import conformance
from implementations import identified, make

#: what chronos-forecasting offers of what the adapter calls: here the median is the last value
STAND_IN = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = torch.nn.Linear(2, 2)

class ChronosBoltPipeline:
    model = Model()

    @classmethod
    def from_pretrained(cls, folder, local_files_only, use_safetensors, dtype):
        assert local_files_only and use_safetensors and dtype == torch.float32
        return cls()

    def predict_quantiles(self, rows, prediction_length, quantile_levels):
        assert quantile_levels == [0.5] and all(row.dtype == torch.float32 for row in rows)
        last = torch.stack([row[-1] for row in rows])[:, None, None]
        return last.repeat(1, prediction_length, 1), last
"""


def changed(**changes: Any) -> dict[str, Any]:
    """Return the configuration with changes of its part for Chronos."""
    return {**CONFIG, "chronos_config": {**CONFIG["chronos_config"], **changes}}


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let child processes and `find_spec` find the stand-in before the library."""
    for name, source in (("chronos", STAND_IN), ("transformers", "class logging:\n    disable_progress_bar = print\n")):
        (tmp_path / "stand_in" / name).mkdir(parents=True)
        (tmp_path / "stand_in" / name / "__init__.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path / "stand_in"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "stand_in"), str(ROOT)]))


def test_a_run_names_its_model_and_forecasts_with_it(bench: Bench, stand_in: None, tmp_path: Path) -> None:
    """The folder is named from where the command runs; the worker runs elsewhere."""
    written(tmp_path / "bolt")
    lines = ["units", *(str(100 + step % 7) for step in range(90))]
    (tmp_path / "sales.csv").write_text("\n".join(lines))
    options = ["--data", "sales.csv", "--target", "units", "--time", "-", "--history", "20", "--ahead", "5"]
    done = bench("run", *options, "--method", "checkpoint", "--method", "last_value", "--set",
                 "checkpoint.folder=./bolt", "--results", "mine", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in json.loads(done.stdout)}
    (ours,) = (json.loads(path.read_text()) for path in (tmp_path / "mine").glob("*/checkpoint*.json"))
    assert ours["spec"]["settings"] == identified("checkpoint", {"folder": str(tmp_path / "bolt"), "sha256": ""}) | {
        "folder": "./bolt"
    }
    assert len(rows) == 2
    last = json.loads(next((tmp_path / "mine").glob("*/last_value*.json")).read_text())
    assert ours["metrics"]["test_mse"] == pytest.approx(last["metrics"]["test_mse"], rel=1e-5)


NO_MODEL = {
    "nothing": (None, "there is no such folder"),
    "no object": ("[1]", "whose config.json is no JSON object"),
    "no JSON": ("{", "whose config.json is no JSON object"),
    "deep": ("[" * 100_000, "whose config.json is no JSON object"),
    "another": ({**CONFIG, "chronos_pipeline_class": "Chronos2Pipeline"}, "'Chronos2Pipeline', not 'ChronosBoltPip"),
    "none": ({"model_type": "t5"}, "has chronos_pipeline_class 'none', not 'ChronosBoltPipeline'"),
    "part": ({**CONFIG, "chronos_config": {}}, "has no chronos_config.context_length"),
    "median": (changed(quantiles=[0.1, 0.9]), "has no quantile 0.5"),
    "quantiles": (changed(quantiles=0.5), "has no quantile 0.5"),
}


@pytest.mark.parametrize("case", NO_MODEL)
def test_what_is_no_such_model_is_named_before_anything_runs(inside: Bench, tmp_path: Path, case: str) -> None:
    config, words = NO_MODEL[case]
    if config is not None:
        written(tmp_path / "bolt", config)
    done = inside("run", "--method", "checkpoint", "--set", "checkpoint.folder=bolt", "--results", "mine")
    assert (done.returncode, done.stdout) == (2, "") and not (tmp_path / "mine").exists()
    assert "checkpoint.folder: got 'bolt', " in done.stderr and words in done.stderr
    assert done.stderr.count("\n") == 1 and "needed a folder with config.json and model.safetensors" in done.stderr


def test_files_that_are_missing_or_damaged_are_named(inside: Bench, tmp_path: Path) -> None:
    folder = written(tmp_path / "bolt")
    command = ("run", "--method", "checkpoint", "--set", "checkpoint.folder=bolt")
    content = (folder / "model.safetensors").read_bytes()
    for damaged in (content[:60], b"PK\3\4" + content, b""):
        (folder / "model.safetensors").write_bytes(damaged)
        assert "model.safetensors is of another format, or damaged" in inside(*command).stderr
    (folder / "model.safetensors").unlink()
    assert "it has no model.safetensors" in inside(*command).stderr
    assert "checkpoint.folder: got none" in inside("run", "--method", "checkpoint").stderr
    assert "choose from folder, sha256" in inside(*command, "--set", "checkpoint.epochs=3").stderr
    assert inside("check", "checkpoint").returncode == 2
    (tmp_path / "sales.csv").write_text("units\n1\n2\n")
    raced = inside(
        "recommend", "sales.csv", "--target", "units", "--time", "-", "--ahead", "1", "--method", "checkpoint"
    )
    assert raced.returncode == 2 and "a race cannot name its model" in raced.stderr


def test_the_extra_and_other_weights_than_stated_are_named(
    monkeypatch: pytest.MonkeyPatch, stand_in: None, tmp_path: Path
) -> None:
    settings = {"folder": str(written(tmp_path / "bolt")), "sha256": ""}
    stated = identified("checkpoint", settings)
    assert identified("checkpoint", stated) == stated
    with pytest.raises(ValueError, match="checkpoint.sha256: got abc, but the files in .* have "):
        identified("checkpoint", {**settings, "sha256": "abc"})
    (tmp_path / "bolt" / "config.json").write_text(json.dumps(changed(context_length=128)))
    with pytest.raises(ValueError, match=f"checkpoint.sha256: got {stated['sha256']}, but"):
        make("checkpoint", "torch", 1, **stated).fit(np.zeros((1, 5, 1), np.float32), np.zeros((1, 2, 1), np.float32))
    monkeypatch.setattr("implementations.methods.checkpoint.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="not installed: pip install 'aheadbench\\[chronos\\]'"):
        identified("checkpoint", settings)


def test_a_gpu_is_refused(inside: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.machine.threads.has_cuda", lambda: True)
    asked = inside("run", "--method", "checkpoint", "--set", "checkpoint.folder=bolt", "--device", "cuda")
    assert asked.returncode == 2 and "--device cuda: checkpoint computes on cpu alone" in asked.stderr


def test_patterns_leave_it_out_without_a_folder(inside: Bench) -> None:
    planned = inside("run", "--task", "ten-step", "--method", "*", "--backend", "torch", "--dry-run")
    assert planned.returncode == 0 and "checkpoint" not in planned.stdout and "gru" in planned.stdout


def tiny(folder: Path) -> Path:
    """Write a model with random weights, of the library's own making."""
    import torch
    from chronos.chronos_bolt import ChronosBoltModelForForecasting
    from transformers import T5Config

    torch.manual_seed(0)
    stated = {**CONFIG["chronos_config"], "quantiles": [tenth / 10 for tenth in range(1, 10)], "use_reg_token": True}
    sizes = {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_heads": 2, "num_layers": 1, "vocab_size": 2}
    config = T5Config(
        **sizes, pad_token_id=0, decoder_start_token_id=0, eos_token_id=1, **{**CONFIG, "chronos_config": stated},
        architectures=["ChronosBoltModelForForecasting"],
    )  # fmt: skip
    ChronosBoltModelForForecasting(config).eval().save_pretrained(folder)
    return folder


@pytest.mark.skipif(find_spec("chronos") is None, reason="needs chronos-forecasting: make zero-shot-test")
def test_a_model_of_the_library_keeps_the_contract_and_forecasts_as_the_library(tmp_path: Path) -> None:
    import torch
    from chronos import ChronosBoltPipeline
    from safetensors.torch import load_file, save_file

    folder = tiny(tmp_path / "tiny")
    assert conformance.check(lambda seed: make("checkpoint", "torch", seed, folder=str(folder))) == {}
    rows = [np.sin(np.arange(length) / 3) * 5 + 20 for length in (30, 17, 200)]
    got = make("checkpoint", "torch", 1, folder=str(folder)).forecast_rows(rows, 20).mean  # type: ignore[attr-defined]
    library = ChronosBoltPipeline.from_pretrained(str(folder))
    for row, one in zip(rows, got, strict=True):
        expected = library.predict_quantiles(torch.from_numpy(row.astype(np.float32)), 20, [0.5])[0][0, :, 0]
        np.testing.assert_allclose(one, expected.numpy(), rtol=1e-4)
    high = make("checkpoint", "torch", 1, folder=str(folder)).forecast_rows([rows[0] + 1e9], 8).mean  # type: ignore[attr-defined]
    np.testing.assert_allclose(high - 1e9, got[:1, :8], atol=1e-3)  # the library alone loses these digits
    weights = load_file(folder / "model.safetensors")
    del weights["input_patch_embedding.hidden_layer.weight"]  # the library would draw them at random
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="model.safetensors has no input_patch_embedding.hidden_layer.weight"):
        make("checkpoint", "torch", 1, folder=str(folder)).predict_ahead(np.zeros((1, 5, 1), np.float32), 2)
