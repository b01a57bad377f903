"""Methods from outside the repository: a class in a file, an entry point of a package, the starting files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, Bench, stored

from bench.contract.promises import PROMISES
from implementations import user_methods

RUN = ("run", "--quick", "--task", "ten-step", "--jobs", "1")
LAST = """
import numpy as np
from helper import repeat

class Last:
    def __init__(self, weight: float = 1.0, seed: int = 0):
        self.weight, self.seed = weight, seed
    def fit(self, history, future, validation):
        self.seen = np.array(validation[0].shape)
        return self
    def predict_ahead(self, history, steps):
        return repeat(history, steps) * np.float32(self.weight)

class Unfinished:
    def fit(self, history, future): ...

class Greedy:
    def __init__(self, size): ...
    def fit(self, history, future): ...
    def predict_ahead(self, history, steps): ...
"""

DRIFT = """
from dataclasses import dataclass
import numpy as np
from implementations import Forecaster

class Drift(Forecaster):
    strength: float = 1.0
    drift: np.ndarray
    def fit(self, history, future, validation=None):
        self.drift = self.strength * np.diff(history, axis=1).mean(axis=(0, 1))
        return self
    def predict_ahead(self, history, steps):
        return (history[:, -1:] + np.arange(1, steps + 1)[:, None] * self.drift).astype(np.float32)
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """mine.py, and a module beside it that it imports."""
    (tmp_path / "helper.py").write_text(
        "import numpy as np\ndef repeat(history, steps): return np.repeat(history[:, -1:], steps, axis=1)\n"
    )
    (tmp_path / "mine.py").write_text(LAST)
    return tmp_path / "mine.py"


def test_a_class_in_a_file_is_measured_like_any_other(inside: Bench, mine: Path, tmp_path: Path) -> None:
    ended = inside(*RUN, "--method", "./mine.py:Last", "--method", "last_value")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    own, ours = sorted(stored(tmp_path / "results"), key=lambda run: run.spec.method, reverse=True)
    assert own.metrics == ours.metrics and own.spec.source and not ours.spec.source
    assert own.spec.source.reference == "mine.py:Last" and len(own.spec.source.version) == 64
    assert str(tmp_path) not in next((tmp_path / "results").glob("*/mine*")).read_text()
    board = (tmp_path / "leaderboard.md").read_text()
    assert "mine.Last†" in board and f"mine.py:Last, {own.spec.source.version[:12]}" in board
    assert "--method ./mine.py:Last --seeds 42" in board
    mine.write_text(LAST + "# changed\n")
    assert "1 run to do" in inside(*RUN, "--method", "./mine.py:Last", "--dry-run").stdout


def test_keyword_arguments_are_settings(inside: Bench, mine: Path, tmp_path: Path) -> None:
    changed = (*RUN, "--method", "./mine.py:Last", "--set", "mine.Last.weight=0.5")
    assert inside(*changed).returncode == 0
    (run,) = stored(tmp_path / "results")
    assert run.spec.settings == {"weight": 0.5} and run.spec.changed == ("weight",) and run.status == "ok"
    refused = inside(*RUN, "--method", "./mine.py:Last", "--set", "mine.Last.weight=half")
    assert refused.returncode == 2 and "'half' is not a number (default: 1.0)" in refused.stderr
    checked = inside("check", "./mine.py:Last")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("decorator", ["", "@dataclass(kw_only=True)\n"])
def test_a_forecaster_s_fields_with_defaults_are_its_settings(inside: Bench, tmp_path: Path, decorator: str) -> None:
    (tmp_path / "own.py").write_text(DRIFT.replace("class Drift", f"{decorator}class Drift"))
    assert inside(*RUN, "--method", "./own.py:Drift", "--set", "own.Drift.strength=0.5").returncode == 0
    (run,) = stored(tmp_path / "results")
    assert run.spec.settings == {"strength": 0.5} and run.status == "ok"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("./none.py:Last", "'./none.py' cannot be read: No such file"),
        ("./mine.py", "name a class; classes with fit and predict_ahead: Last, Greedy"),
        ("./mine.py:Lst", "name a class; classes with fit and predict_ahead: Last, Greedy"),
        ("./mine.py:Unfinished", "'Unfinished' has no predict_ahead; classes with fit and predict_ahead: Last"),
        ("./mine.py:Greedy", "Greedy.__init__: size needs a number"),
        ("./bad name.py:X", "'bad name.py': needed a file name of letters, digits, '_' and '-'"),
        ("./torn.py:X", "torn.py, line 2: "),
        ("./lost.py:X", "lost.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("lstmm", "unknown method 'lstmm': did you mean lstm"),
    ],
)
@pytest.mark.parametrize("verb", [("check",), (*RUN, "--method")], ids=["check", "run"])
def test_what_cannot_be_used_is_named(inside: Bench, mine: Path, tmp_path: Path, verb, reference, message) -> None:
    (tmp_path / "bad name.py").write_text("")
    (tmp_path / "torn.py").write_text("x = 1\ndef (:\n")
    (tmp_path / "lost.py").write_text("import no_such_module\n")
    ended = inside(*verb, reference)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and message in ended.stderr
    assert not (tmp_path / "results").exists()


def test_a_method_of_a_package(inside: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "site" / "forecasts-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: forecasts\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[aheadbench.methods]\nlast = forecasts_of:Last\nbad = forecasts_of:LAST\n")
    (tmp_path / "site" / "forecasts_of.py").write_text(LAST.replace("from helper import repeat", "LAST = 1") + HELPER)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path / 'site'}")
    refused = inside(*RUN, "--method", "forecasts.bad")
    assert refused.returncode == 2 and "forecasts_of:LAST is not a class with fit" in refused.stderr
    (info / "entry_points.txt").write_text("[aheadbench.methods]\nlast = forecasts_of:Last\n")
    names = [row["name"] for row in json.loads(inside("list", "methods", "--json").stdout)]
    assert names[-1] == "forecasts.last"
    assert inside(*RUN, "--method", "forecasts.last").returncode == 0
    (run,) = stored(tmp_path / "results")
    assert run.status == "ok" and run.spec.source and run.spec.source.version == "1.2"


HELPER = "\ndef repeat(history, steps): return np.repeat(history[:, -1:], steps, axis=1)\n"


@pytest.mark.parametrize(
    ("body", "promise", "got"),
    [
        ("return repeat(history, steps).astype(float)", "any_number_of_steps", "got float64, expected float32"),
        ("return repeat(history, steps) + np.random.rand()", "same_seed_same_forecasts", "two fits of one seed"),
        ("return repeat(history, steps) + history.mean()", "alone_as_in_company", "a series alone and in a batch"),
        ("history[:, 0] = 0; return repeat(history, steps)", "inputs_untouched", "read-only"),
    ],
)
def test_check_says_what_to_mend(inside: Bench, tmp_path: Path, body: str, promise: str, got: str) -> None:
    source = LAST.replace("from helper import repeat", HELPER).replace(
        "return repeat(history, steps) * np.float32(self.weight)", body
    )
    (tmp_path / "mine.py").write_text(source)
    checked = inside("check", "./mine.py:Last")
    assert checked.returncode == 1 and "broken" in checked.stdout
    lines = checked.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(f"FAIL  {promise}: "))
    assert got in lines[place + 1]


def test_check_of_what_does_not_fit_or_save(inside: Bench, mine: Path) -> None:
    mine.write_text(LAST.replace("self.seen = np.array(validation[0].shape)", "raise OSError('no disk')"))
    assert (
        "FAIL  fits: OSError: no disk\n      nothing else could be checked" in inside("check", "./mine.py:Last").stdout
    )
    mine.write_text(LAST.replace("np.array(validation[0].shape)", "[object()]"))
    assert "ValueError: Last.seen is a list: numbers, texts and NumPy" in inside("check", "./mine.py:Last").stdout


def test_the_starting_file_keeps_the_contract(inside: Bench, tmp_path: Path) -> None:
    written = inside("new", "my_forecaster")
    assert written.returncode == 0 and "python -m bench check ./my_forecaster.py:MyForecaster" in written.stdout
    checked = inside("check", "./my_forecaster.py:MyForecaster")
    assert checked.returncode == 0 and checked.stdout.count("ok  ") == len(PROMISES)
    again = inside("new", "MyForecaster")
    assert again.returncode == 2 and "'my_forecaster.py' is there already" in again.stderr
    refused = inside("new", "my-forecaster")
    assert refused.returncode == 2 and "letters, digits and '_' can" in refused.stderr


def test_the_starting_network_is_one(tmp_path: Path, inside: Bench) -> None:
    """Its layers are those that the methods' own tests go through; trained in docs/adding-a-method.md's commands."""
    assert inside("new", "--network", "HTTPNet2").returncode == 0
    found = user_methods.from_file(str(tmp_path / "http_net2.py") + ":HTTPNet2")
    assert found.maker.backends == ("keras", "keras-jax", "torch") and found.maker.defaults()["units"] == 20
