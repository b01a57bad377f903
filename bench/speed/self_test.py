"""Check in a scratch clone that `asv continuous main HEAD` finds an artificial slowdown and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.errors import UsageError
from bench.machine import environment

METHOD = Path("implementations", "methods", "gru.py")
#: added to the method's file: in PyTorch, a training step and a forecast take one and a half times as long
SLOWDOWN = """

def _slowed(torch_network, share=0.45):  # of a training step that its forward pass takes
    def built(self, channels, outputs):
        import time

        network = torch_network(self, channels, outputs)
        network.register_forward_pre_hook(lambda module, inputs: setattr(module, "began", time.process_time()))

        def wait(module, inputs, outputs):
            end = time.process_time() + (0.5 / share if module.training else 0.5) * (time.process_time() - module.began)
            while time.process_time() < end:
                pass

        network.register_forward_hook(wait)
        return network

    return built


GRU.torch_network = _slowed(GRU.torch_network)
"""


def compared(benchmarks: str) -> str:
    """Return what asv says of a commit that changes nothing, and of one that slows a method down."""
    same, slower = continuous(benchmarks, ""), continuous(benchmarks, SLOWDOWN)
    return f"Nothing changed:\n\n{block(same)}\n\n`gru` in PyTorch slowed down by half:\n\n{block(slower)}"


def continuous(benchmarks: str, added: str) -> str:
    """Return the end of `asv continuous main HEAD`, where HEAD adds this text to the method's file."""
    with tempfile.TemporaryDirectory(prefix="aheadbench-") as name:
        clone = Path(name, "clone")
        run(Path.cwd(), "git", "clone", "--quiet", "--no-hardlinks", str(environment.ROOT), str(clone))
        run(clone, "git", "checkout", "--quiet", "-B", "main")
        run(clone, "git", "checkout", "--quiet", "-b", "work")
        with (clone / METHOD).open("a", encoding="utf-8") as opened:
            opened.write(added)
        author = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
        run(clone, "git", *author, "commit", "--quiet", "--all", "--allow-empty", "--message", "HEAD")
        asv = (sys.executable, "-m", "asv")
        run(clone, *asv, "machine", "--machine", "here", "--yes")
        asked = ("continuous", "main", "HEAD", "--machine", "here", "--bench", benchmarks)
        said = run(clone, *asv, *asked, allowed=(0, 1))
    if not (found := verdict(said)):
        raise UsageError(f"asv {' '.join(asked)}: it compared nothing: {said[-1000:]}")
    return found


def verdict(said: str) -> str:
    """Return the table of what changed, and asv's last words, of all that it prints."""
    lines = [line.rstrip() for line in said.splitlines()]
    return "\n".join(
        line for line in lines if line.startswith("|") or re.match(r"(SOME )?BENCHMARKS|PERFORMANCE", line)
    )


def run(folder: Path, *command: str, allowed: tuple[int, ...] = (0,)) -> str:
    """Run a command there, and return what it prints. Raises RuntimeError when it fails."""
    ended = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}: {ended.stdout[-1000:]}")
    return ended.stdout


def block(text: str) -> str:
    """Return the text as a code block."""
    return f"```\n{text}\n```"
