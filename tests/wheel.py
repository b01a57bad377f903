"""The wheel as a user installs it, in fresh environments and an empty folder: python tests/wheel.py [EXTRA ...]

Builds the wheel, installs it bare and with each extra that is named, and runs what a newcomer runs first. Downloads
packages, so it is no part of the suite: `make wheel-test`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LARGEST = 1_500_000  # bytes of the wheel


def call(*command: str, folder: Path, status: int = 0) -> str:
    """Run a command in the folder and return what it printed; its exit status has to be this one."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900)
    assert done.returncode == status, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def listed(*command: str, folder: Path) -> list[dict[str, Any]]:
    """Return the rows that a command prints as JSON."""
    rows: list[dict[str, Any]] = json.loads(call(*command, "--json", folder=folder))
    return rows


def build(folder: Path) -> Path:
    """Build the wheel, without what an earlier build left behind."""
    shutil.rmtree(ROOT / "build" / "lib", ignore_errors=True)
    call(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
        folder=folder,
    )
    (wheel,) = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size <= LARGEST, f"{wheel.stat().st_size:,} bytes, at most {LARGEST:,}"
    assert "bench/records/published.parquet" in names and not [name for name in names if "bench/speed" in name]
    return wheel


def install(wheel: Path, extra: str, folder: Path) -> Path:
    """Install the wheel, with an extra or bare, in a new environment; returns where its scripts are."""
    call(sys.executable, "-m", "venv", "env", folder=folder)
    scripts = folder / "env" / "bin"
    wanted = f"aheadbench[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
    call(
        str(scripts / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        wanted,
        "-c",
        str(ROOT / "constraints.txt"),
        folder=folder,
    )
    return scripts


def check(scripts: Path, extra: str, folder: Path) -> None:
    """Run what a newcomer runs, in an empty folder: it answers from the published records and writes nothing."""
    bench = str(scripts / "bench")
    assert "Use:" in call(bench, folder=folder, status=2)
    assert call(bench, "--version", folder=folder) == call(str(scripts / "aheadbench"), "--version", folder=folder)
    rows = listed(bench, "leaderboard", folder=folder)
    assert len(rows) > 100 and {row["from"] for row in rows} == {"published"}
    assert "PUBLISHED with aheadbench" in call(bench, "leaderboard", folder=folder)
    assert "| ten-step " in call(bench, "show", "gru", folder=folder)
    assert "compared: gru:" in call(bench, "compare", "gru", "lstm", folder=folder)
    assert not list(folder.iterdir()), list(folder.iterdir())
    if extra == "report":
        call(bench, "report", folder=folder)
        assert (folder / "report.html").stat().st_size > 1_000_000
    backends = {
        row["name"]: row["installed"] for row in json.loads(call(bench, "list", "backends", "--json", folder=folder))
    }
    planned = call(bench, "run", "--dry-run", "--quick", folder=folder)
    missing = [name for name, there in backends.items() if not there]
    assert all(name in planned for name in missing) and ("pip install" in planned) == bool(missing)
    call(bench, "run", "--quick", "--method", "last_value", "--method", "linear", folder=folder)
    assert "No full run" in call(bench, "leaderboard", folder=folder), "a quick run is not ranked"
    call(bench, "run", "--method", "last_value", "--task", "ten-step", folder=folder)
    assert {row["from"] for row in json.loads(call(bench, "leaderboard", "--json", folder=folder))} == {
        "mine",
        "published",
    }


def main(extras: list[str]) -> None:
    """Test the bare wheel, and with each extra."""
    with tempfile.TemporaryDirectory() as built:
        wheel = build(Path(built))
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
        for extra in ["", *extras]:
            with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as empty:
                check(install(wheel, extra, Path(here)), extra, Path(empty))
                print(f"{extra or 'bare'}: ok")


if __name__ == "__main__":
    main(sys.argv[1:])
