"""`import bench`: what it offers, that it loads nothing, and a session as a notebook's."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, make_run, make_spec

import bench
from bench.api import user_classes
from bench.api.run import several
from bench.errors import UsageError
from bench.records import repository

SESSION = '''
import numpy as np
import pandas as pd

import bench

SHARE = 0.5  # a class of a session may use what the session has


class Shrinking:
    def __init__(self, factor: float = SHARE):
        self.factor = factor

    def fit(self, history, future):
        return self

    def predict_ahead(self, history, steps):
        return np.repeat(history[:, -1:] * self.factor, steps, axis=1).astype(np.float32)


if __name__ == "__main__":
    days = pd.date_range("2024-01-01", periods=120, name="date")
    sales = pd.DataFrame({"units": 10.0 + np.arange(120) % 7}, index=days)
    results = bench.run(
        [Shrinking, "last_value"], sales, target="units", history=14, ahead=7, progress=False,
        settings={"session.Shrinking": {"factor": 0.25}},
    )
    table = results.to_pandas()
    print(*table["status"], *table["method"], *table["changed"], sep="|")
    results.plot().savefig("figure.png")
    assert "session.Shrinking" in results._repr_html_()
    ahead = bench.forecast(sales, "seasonal_naive", target="units", ahead=7, season=7)
    print(*ahead["forecast"].round(3), sep="|")
    own = [bench.forecast(sales, kind, target="units", ahead=2) for kind in (Shrinking, type("Sub", (Shrinking,), {}))]
    print(Shrinking.__module__, *map(len, own), sep="|")
'''  # fmt: skip


DATED = pd.DataFrame({"units": np.arange(40.0) % 7}, index=pd.date_range("2024-01-01", periods=40, name="date"))


def test_the_public_names_are_these_and_exist() -> None:
    assert bench.__all__ == sorted(bench.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert set(bench.__all__) == {
        "METRICS", "TASKS", "Limits", "Results", "Run", "Spec", "Task", "UsageError", "compare", "forecast",
        "leaderboard", "load_results", "published", "rank", "recommend", "run",
    }  # fmt: skip
    assert all(getattr(bench, name) is not None and name in dir(bench) for name in bench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = bench.nonsense


def test_importing_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import bench; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "pandas", "msgspec", "typer", "implementations"} & set(loaded)


def test_a_session_runs_its_own_class_on_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cell.py").write_text(SESSION)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = subprocess.run([sys.executable, "cell.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    runs, ahead, own = done.stdout.splitlines()
    assert sorted(runs.split("|")) == sorted(["ok", "ok", "last_value", "session.Shrinking", "", "factor=0.25"])
    assert [float(value) for value in ahead.split("|")] == [11, 12, 13, 14, 15, 16, 10]
    assert own == "__main__|2|2"  # a forecast in the session itself leaves its class as it is
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cell.py", "figure.png"]


@pytest.mark.parametrize(
    ("seeds", "message"),
    [([], "got none, needed one"), ([1.5], "needed whole numbers"), ("42-x", "'42-x' is not a whole number")],
)
def test_seeds_that_are_none_are_refused(seeds: Any, message: str) -> None:
    with pytest.raises(bench.UsageError, match=message):
        bench.run("last_value", seeds=seeds, quick=True)


def test_what_annotations_name_goes_with_a_class_of_a_session(monkeypatch):
    session = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", session)
    typed = "class Mine:\n    def fit(self, a: Path | None): ..."
    exec(f"from __future__ import annotations\nfrom pathlib import Path\n{typed}", vars(session))
    assert user_classes.named_in_annotations(session.Mine) == {"Path": Path}


def test_one_may_be_given_alone():
    class Mine: ...

    assert [several(given) for given in ("gru", Mine, ["gru", Mine])] == [("gru",), (Mine,), ("gru", Mine)]


@pytest.mark.parametrize("data", [DATED, DATED.reset_index()])
def test_a_forecast_of_dates_has_dates(data):
    ahead = bench.forecast(data, "last_value", target="units", time="date", ahead=2)
    assert list(ahead["date"]) == [pd.Timestamp("2024-02-10"), pd.Timestamp("2024-02-11")]


def test_results_of_a_folder(tmp_path: Path) -> None:
    for run in (make_run(), make_run(make_spec(method="lstm"))):
        repository.write(tmp_path / "mine", run)
    found = bench.load_results(tmp_path / "mine")
    assert len(found) == 2 and list(found.to_pandas()["method"]) == ["gru", "lstm"] and found[0].spec.method == "gru"
    ranked = bench.rank(found)
    assert set(ranked["place"]) == {1} and set(ranked["method"]) == {"gru", "lstm"}
    assert found.plot()._repr_png_().startswith(b"\x89PNG")
    assert "gru" in bench.leaderboard(found)
    assert repr(found) == "Results(2 runs on ten-step)" and "<table" in found._repr_html_()
    with pytest.raises(UsageError, match="no results folder"):
        bench.load_results(tmp_path / "none")


def test_what_is_published_is_compared() -> None:
    rows = bench.compare("gru:torch", "lstm:torch", task="ten-step")
    assert set(rows["task"]) == {"ten-step"} and {"measure", "first", "second", "verdict"} <= set(rows)
    assert len(bench.published()) > 500


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"methods": ["gruu"]}, "unknown method 'gruu': did you mean gru"),
        ({"methods": [3]}, "methods: got 3, needed names or classes"),
        ({"horizon": 3, "data": pd.DataFrame({"a": np.arange(9.0)})}, "unknown option 'horizon'"),
        ({"target": "units"}, "target: needed together with data"),
        ({"seeds": [1, 1]}, "1 is given twice"),
    ],
)
def test_bad_input_is_a_usage_error(given: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bench.run(**{"methods": ["last_value"], "quick": True, **given})
