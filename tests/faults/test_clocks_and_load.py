"""Clocks that jump, and load. Rows 9 of the matrix in docs/reliability.md."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import stored
from fault_injection import QUICK, pids, start, wait_for

from bench.machine import threads

JUMPING_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    static long calls;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(id, at);
    if (id == CLOCK_REALTIME) at->tv_sec += (calls++ % 2 ? 1 : -1) * 86400;
    return status;
}
"""


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler for a clock that jumps")
def test_the_clock_jumps_a_day_at_every_look(bench: Callable, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "clock.c").write_text(JUMPING_CLOCK)
    library = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "clock.c", "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    looks = subprocess.run([sys.executable, "-c", "import time; print(time.time() - time.time())"], capture_output=True)
    assert abs(float(looks.stdout)) > 86_000, "the clock does jump"
    assert bench(*QUICK, "--method", "last_value").returncode == 0
    (run,) = stored(tmp_path / "results")
    assert run.seconds and all(0 <= value < 600 for value in run.seconds.values())


def test_a_load_spike_is_named(faulty: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "works")
    wait_for(lambda: pids(faulty))
    burn = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
    burners = [subprocess.Popen([sys.executable, "-S", "-c", burn, str(core)]) for core in threads.cores()]
    wait_for(lambda: stored(tmp_path / "results"))
    for burner in burners:
        burner.kill()
        burner.wait()
    assert process.wait(60) == 0
    (run,) = stored(tmp_path / "results")
    assert run.status == "ok" and not run.timing_valid
    assert re.search(r"only \d+% of a core during fit", run.timing_reason or "")
