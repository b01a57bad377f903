"""The documents are tested like code: every verb is documented, and every command in them is one that works."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from conftest import ROOT, Bench
from local_models import written

from bench.cli import app as cli
from bench.cli.app import app
from bench.contract import template
from bench.contract.promises import PROMISES

PAGES = [*sorted(ROOT.glob("README*.md")), ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]
ELSEWHERE = ("parity", "verify", "repeat", "data get")  # tested on their own: they train, or need records or data
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
VERBS = {name: command for name, command in COMMANDS.items() if not command.hidden}
ADDING = ROOT / "docs" / "adding-a-method.md"
CAMPAIGNS = ROOT / "docs" / "campaigns.md"
COMMAND = re.compile(r"(?:^    |`)(python -m bench(?: [^`#\n|]*)?)", re.MULTILINE)


def commands() -> list[str]:
    """The commands in the documents, written-out ones alone: not those with a placeholder in capitals."""
    found = {match.strip() for page in PAGES for match in COMMAND.findall(page.read_text())}
    return sorted(command for command in found if not re.search(r"\b(?<!-)[A-Z]{3,}\b|[\[<]|\.\.\.|…", command))


def test_every_verb_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for verb in VERBS:
        assert re.search(rf"`{verb}\b|bench {verb}\b", readme), f"README.md does not mention `{verb}`"


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the documents assume it: with the files in it that they name."""
    made = tmp_path_factory.mktemp("reader")
    months = [f"{year}-{month:02}" for year in range(2010, 2024) for month in range(1, 13)]
    rows = "".join(f"{month},north,{100 + place % 12},{place}\n" for place, month in enumerate(months))
    (made / "sales.csv").write_text(f"date,store,units,price_a\n{rows}")
    (made / "mine.py").write_text(re.findall(r"```python\n(.*?)```", ADDING.read_text(), re.DOTALL)[0])
    (made / "campaign.toml").write_text(re.findall(r"```toml\n(.*?)```", CAMPAIGNS.read_text(), re.DOTALL)[0])
    shutil.copytree(CAMPAIGNS.with_suffix(""), made / "docs" / "campaigns")
    written(made / "chronos-bolt-tiny")
    (made / "chronos.py").touch()  # in place of the library: a plan only looks whether there is one
    with contextlib.chdir(made):
        template.write("my_forecaster", network=False)
    return made


@pytest.mark.parametrize("command", commands())
def test_commands_in_the_documents_are_understood(
    command: str, folder: Path, inside: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(command)[3:]
    no_gpu_needed = "cuda" not in words
    harmless = ["--dry-run"] if words[:1] == ["run"] and no_gpu_needed else ["--help"]
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)  # as `python -m` does
    done = inside(*words, *harmless)
    assert done.returncode == 0, done.stderr


def test_the_findings_in_chinese_have_the_figures_of_the_english_ones() -> None:
    def figures(name: str) -> set[str]:
        bold = re.findall(r"\*\*([\d<][^*\n]*)\*\*", (ROOT / "docs" / name / "findings.md").read_text())
        return {figure for text in bold for figure in re.findall(r"\d[\d.]*", text)}

    english, chinese = figures(""), figures("zh")
    assert chinese and chinese <= english, f"docs/zh/findings.md: {sorted(chinese - english)}"


def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", ".mkdocs/mkdocs.yml", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for page in (
        "start",
        "zh/findings",
        "reference/api",
        "reference/commands",
        "methods/gru",
        "repository/leaderboard",
    ):
        assert (tmp_path / f"{page}.html").is_file(), page
    chinese = (tmp_path / "zh" / "start.html").read_text()
    assert '<html lang="zh"' in chinese and "目录" in chinese and "Table of contents" not in chinese
    assert '<html lang="en"' in (tmp_path / "start.html").read_text()
    assert "--budget" in (tmp_path / "reference" / "commands.html").read_text()
    assert "bench.api.run.run" in (tmp_path / "reference" / "api.html").read_text()


def test_the_readme_shows_rows_of_the_board() -> None:
    excerpt = (ROOT / "README.md").read_text().split("<!-- board -->")[1].split("<!-- /board -->")[0]
    rows = [line for line in excerpt.splitlines() if line.startswith("|")]
    board = (ROOT / "leaderboard.md").read_text().splitlines()
    assert len(rows) > 3 and all(row in board for row in rows)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 5 and not any(cell["outputs"] or cell["execution_count"] for cell in cells)


def test_there_are_commands_to_test() -> None:
    assert len(commands()) >= 5


def test_the_class_in_the_documents_keeps_the_contract(folder: Path, inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text((folder / "mine.py").read_text())
    checked = inside("check", "./mine.py:MyForecaster")
    assert checked.returncode == 0 and "keeps the contract" in checked.stdout
    assert all(f"{promise}" in ADDING.read_text() for promise in PROMISES)


def test_the_example_in_the_help_of_each_verb_works(folder: Path, inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text((folder / "sales.csv").read_text())
    (tmp_path / "results" / "ten-step").mkdir(parents=True)
    record = next((ROOT / "results" / "ten-step").glob("arima--numpy--seed42--c3270f74*.json"))
    (tmp_path / "results" / "ten-step" / record.name).write_bytes(record.read_bytes())
    shutil.copytree(tmp_path / "results", tmp_path / "theirs")
    for record in (ROOT / "results" / "ten-step").glob("*--numpy--*.json"):
        shutil.copy(record, tmp_path / "results" / "ten-step")
    assert inside("pages").returncode == 0
    for verb in sorted(VERBS, key=lambda verb: verb == "run"):  # last: it changes the board
        command = re.search(r"Example: python -m (bench .*)", VERBS[verb].epilog or "")
        assert command, f"the help of {verb} has no example"
        arguments = shlex.split(command[1])[1:]
        ended = inside(*arguments, *(["--help"] if verb in ELSEWHERE else []))
        assert arguments[: len(verb.split())] == verb.split() and ended.returncode == 0, f"{command[1]}: {ended.stderr}"


def findings() -> list[tuple[str, list[str]]]:
    """Each paragraph of docs/findings.md with figures in bold, and the commands below it that show them."""
    blocks = (ROOT / "docs" / "findings.md").read_text().split("\n\n")
    found: list[tuple[str, list[str]]] = []
    for block in blocks:
        if block.startswith("    "):
            found[-1][1].extend(line.strip() for line in block.splitlines())
        elif "**" in block:
            found.append((block, []))
    return found


@pytest.mark.parametrize(("text", "commands"), findings(), ids=lambda value: str(value)[:40])
def test_every_figure_of_a_finding_is_what_its_command_prints(
    text: str, commands: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    printed = ""
    for command in commands:
        words = shlex.split(command)
        if words[:3] == ["python", "-m", "bench"]:
            monkeypatch.setattr(sys, "argv", ["bench", *words[3:]])
            assert cli.main() in (0, 1)  # 1: what is compared differs
            printed += capsys.readouterr().out
        else:
            printed += subprocess.run(words, capture_output=True, text=True, check=True).stdout
    figures = re.findall(r"\*\*([^*]+)\*\*", text)
    assert figures and commands, "a finding without a figure, or without a command"
    assert [figure for figure in figures if figure not in printed] == [], printed


def skeleton(page: str) -> dict[str, list[str]]:
    """What a translation leaves as it is: headings' levels, commands, links, the first cell of every row, the board."""
    text = (ROOT / page).read_text()
    cells = [re.split(r"(?<!\\)\|", line)[1].strip() for line in text.splitlines() if line.startswith("| `")]
    return {
        "headings": re.findall(r"^#+ ", text, re.MULTILINE),
        "commands": re.findall(r"^    (?:\S.*)$", text, re.MULTILINE),
        "links": [
            link.replace("docs/zh/", "docs/") for link in re.findall(r"\]\(([^)]+)\)", text) if "README" not in link
        ],
        "rows": cells,
        "board": [line for line in text.split("<!-- /board -->")[0].splitlines() if line.startswith("|")],
        "uses and limits": re.findall(r"^(?:\*\*|- )", text, re.MULTILINE),
    }


def test_the_chinese_readme_keeps_step() -> None:
    english, chinese = skeleton("README.md"), skeleton("README.zh-CN.md")
    for part, found in english.items():
        assert chinese[part] == found, part
