"""Files that nobody vouches for. Rows 11 of the matrix in docs/reliability.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

import implementations

UNSAFE = {
    "eval", "exec", "compile", "pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve", "yaml",
    "read_pickle", "allow_pickle", "weights_only", "unsafe_load", "enable_unsafe_deserialization",
}  # fmt: skip
SAFE_USES = {
    ("implementations/backends/keras/engine.py", "compile"),
    ("implementations/network.py", "compile"),
    ("bench/api/user_classes.py", "cloudpickle"),  # writes alone; what it wrote, a worker of the user's reads
    ("bench/campaigns/fev_tasks.py", "yaml"),  # safe_load alone, see below
}


def names_in(path: Path) -> Iterator[str]:
    """The modules, functions and keyword arguments that a file uses."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [(node.module or "").partition(".")[0], *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Call):
            switched_off = [keyword for keyword in node.keywords if getattr(keyword.value, "value", None) is False]
            yield from (keyword.arg or "" for keyword in node.keywords if keyword not in switched_off)
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                yield node.func.value.id


def test_nothing_that_runs_what_a_file_says_is_used() -> None:
    for path in [*(ROOT / "bench").rglob("*.py"), *(ROOT / "implementations").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        unsafe = {used for used in names_in(path) if used in UNSAFE and (name, used) not in SAFE_USES}
        assert not unsafe, f"{name} uses {unsafe}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04N.",
        b" " * 2**21,
        b"[" * 10**5,
        b"[]",
        b"{}",
        b'{"method": "../x", "backend": "numpy", "seed": 1, "settings": {}}',
    ],
)
def test_a_saved_forecaster_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "forecaster.json").write_bytes(content)
    with pytest.raises(ValueError, match="forecaster.json"):
        implementations.load(tmp_path)


def test_yaml_is_read_by_its_safe_loader_alone() -> None:
    used = re.findall(r"yaml\.(\w+)", (ROOT / "bench/campaigns/fev_tasks.py").read_text(encoding="utf-8"))
    assert set(used) == {"safe_load", "YAMLError"}
