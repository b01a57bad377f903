"""Campaigns as files: what they select, and what is wrong with them, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Bench, stored

from bench.campaigns import config
from bench.campaigns.selection import specs
from bench.errors import UsageError

CAMPAIGN = """\
tasks = ["ten-step"]
methods = ["last_value", "mov*"]
backends = ["torch"]
seeds = [1, 2]

[settings.gru]  # a grid
units = [16, 32]
learning_rate = [0.001, 0.01]
epochs = 3
"""


def test_every_point_of_a_grid_is_a_run(tmp_path: Path) -> None:
    (tmp_path / "campaign.toml").write_text(CAMPAIGN)
    found = [spec for one in config.selections(tmp_path / "campaign.toml") for spec in specs(one)]
    baselines = {(spec.method, spec.seed) for spec in found if spec.backend == "numpy"}
    assert baselines == {(name, seed) for name in ("last_value", "moving_average") for seed in (1, 2)}
    points = [(s.settings["units"], s.settings["learning_rate"], s.seed) for s in found if s.method == "gru"]
    assert sorted(points) == [(u, r, s) for u in (16, 32) for r in (0.001, 0.01) for s in (1, 2)]
    assert {spec.settings["epochs"] for spec in found if spec.method == "gru"} == {3}


def test_each_backend_may_have_its_seeds(tmp_path: Path) -> None:
    text = (
        'tasks = ["nile"]\nmethods = ["gru", "last_value"]\n[seeds]\ntorch = "1-3"\nkeras-jax = [7]\nnumpy = [4, 5]\n'
    )
    (tmp_path / "c.toml").write_text(text)
    (file,) = config.files_of(tmp_path)
    with pytest.raises(UsageError, match="got a folder without a .toml file"):
        config.files_of(Path(__file__).parent)
    found = [(spec.backend, spec.seed) for one in config.selections(file) for spec in specs(one)]
    assert sorted(found) == [("keras-jax", 7), ("numpy", 4), ("numpy", 5), ("torch", 1), ("torch", 2), ("torch", 3)]


def test_a_campaign_with_the_frameworks_own_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("tasks = ['nile']\nmethods = ['gru']\nbackends = ['torch']\ndefaults = 'native'\n")
    assert [spec.native for one in config.selections(tmp_path / "c.toml") for spec in specs(one)] == [True]


def test_a_campaign_on_files_beside_it(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "sales.csv").write_text("units\n" + "".join(f"{value}\n" for value in range(60)))
    (tmp_path / "there" / "c.toml").write_text(
        'methods = ["last_value", "./drift.py:Drift"]\n[settings."drift.Drift"]\nstrength = [0.5, 1.0]\n'
        '[data]\nfile = "sales.csv"\ntarget = "units"\nhistory = 10\nahead = 2\n'
    )
    assert inside("new", "drift").returncode == 0
    (tmp_path / "drift.py").rename(tmp_path / "there" / "drift.py")
    ended = inside("run", "--config", "there/c.toml")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    runs = stored(tmp_path / "results")
    assert sorted((run.spec.method, run.spec.settings.get("strength")) for run in runs) == [
        ("drift.Drift", 0.5),
        ("drift.Drift", 1.0),
        ("last_value", None),
    ]
    assert "0 runs to do, 3 skipped, already recorded" in inside("run", "--config", "there/c.toml", "--dry-run").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tasks = 'ten-step'", "c.toml, line 1: tasks: got 'ten-step', expected a list"),
        ("\nseed = [42]", "c.toml, line 2: unknown key 'seed': did you mean seeds or select?"),
        ("seeds = [1.5]", "c.toml, line 1: seeds: got 1.5, expected a whole number"),
        ("seeds = [1, 1]", "c.toml, line 1: --seeds: 1 is given twice"),
        ("\nseeds = '3-1'", "c.toml, line 2: --seeds '3-1': 3-1 must go upwards"),
        ("[seeds]\njax = [1]", "c.toml, line 1: unknown backend 'jax': did you mean keras-jax?"),
        ("backends = ['torch']\n[seeds]\nkeras = '1'", "c.toml, line 2: seeds.keras: keras is not among the backends"),
        ("epochs = 0", "c.toml, line 1: --epochs 0: needed 1 or more"),
        ("\ntasks = ['ten']", "c.toml, line 2: unknown task 'ten': did you mean ten-step?"),
        ("\nbackends = ['pytorch']", "c.toml, line 2: unknown backend 'pytorch': did you mean torch?"),
        ("quick = true\ndefaults = 'own'", "c.toml, line 2: unknown value of --defaults 'own': choose from"),
        ("device = 'tpu'", "c.toml, line 1: unknown device 'tpu': "),
        ("# a comment\nmethods = ['gruu']", "c.toml, line 2: unknown method 'gruu': did you mean gru"),
        ("methods = ['./no.py:X']", "c.toml, line 1: --method"),
        ("[settings.gru]\n\nunit = 3", "c.toml, line 3: unknown setting of gru 'unit': did you mean units?"),
        ("[settings]\ngru.units = [16, 'many']", "c.toml, line 2: gru.units=many: 'many' is not a whole number"),
        ("[settings.gruu]\nunits = 3", "c.toml, line 2: unknown method 'gruu': did you mean gru"),
        ("[settings.gru]\nunits = {a = 1}", "c.toml, line 1: settings: got a table, expected"),
        ("[data]\ntarget = 'x'", "c.toml, line 1: data.file is missing"),
        ("[data]\nfile = 'x.csv'\nhorizont = 3", "c.toml, line 3: unknown key 'horizont': choose from"),
        ("[data]\nfile = 'x.csv'\nahead = 'far'", "c.toml, line 3: data.ahead: got 'far', expected a whole number"),
        ("[data]\nfile = 'x.csv'\ntarget = 'x'", "x.csv' cannot be read: No such file"),
        ("tasks = [", "c.toml, at its end: no valid TOML: "),
        ("\xe9 = 1".encode("latin-1"), "c.toml, line 1: byte 0xe9 is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(inside: Bench, tmp_path: Path, text: str | bytes, message: str) -> None:
    (tmp_path / "c.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    ended = inside("run", "--config", "c.toml")
    assert (ended.returncode, ended.stdout) == (2, "") and ended.stderr.count("\n") == 1
    assert message in ended.stderr, ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["c.toml"]


def test_options_that_the_file_decides_are_refused(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(CAMPAIGN)
    for arguments, named in {("--method", "gru"): "--method gru", ("--seeds", "42"): "--seeds 42"}.items():
        ended = inside("run", "--config", "c.toml", *arguments)
        assert ended.returncode == 2 and f"{named}: c.toml says what runs" in ended.stderr
    assert "'none.toml' cannot be read" in inside("run", "--config", "none.toml").stderr
