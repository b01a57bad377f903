"""asv's environment: a virtual environment that sees the packages installed with asv, and one commit of the code.

asv's own kinds install every requirement again, by one call of pip each: minutes of TensorFlow and PyTorch for each
environment, with another pick of versions than constraints.txt makes. This one takes a second, works offline and
measures with the versions that are there. Nothing is built: asv checks a commit out, and the path leads there.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

from asv.environment import Environment


class Installed(Environment):
    """`"environment_type": "installed"` in asv.conf.json, which names this file as a plugin."""

    tool_name = "installed"

    def __init__(self, conf: Any, python: str, requirements: dict[str, str], variables: dict[Any, str]) -> None:
        self._requirements = requirements
        super().__init__(conf, python, requirements, variables)

    @classmethod
    def matches(cls, python: str) -> bool:
        """Return whether this is the version of Python that asv itself runs on."""
        return python == sysconfig.get_python_version()

    def check_presence(self) -> bool:
        """Never: making it again is faster than checking it, and it follows when the packages' folder moves."""
        return False

    def _setup(self) -> None:
        venv.create(self._path, symlinks=True, with_pip=False)
        paths = dict.fromkeys([self._build_root, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        target = Path(self._path, "lib", version, "site-packages", "installed.pth")
        # the commit first; an editable install's own .pth is not read from there, so it cannot get in the way
        target.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")

    def run(self, args: list[str], **options: Any) -> Any:
        """Run the environment's Python."""
        return self.run_executable("python", args, **options)
