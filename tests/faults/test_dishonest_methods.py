"""Methods that want to look better than they are, in error or in time: each is caught, or gains nothing.

Rows 13 to 15 of docs/reliability.md; what cannot be caught is on docs/what-a-result-is-worth.md.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from conftest import ROOT, Bench, stored
from fault_injection import QUICK, alive, mounted, mounts, wait_for

from bench.analysis import ranking
from bench.data.datasets import GeneratedData
from bench.records.codec import path_of
from bench.schema.record import Run
from bench.tasks import TASKS

ONE = (*QUICK, "--jobs", "1")

#: each a class Mine in mine.py: it repeats the last value unless its trick works
HONEST = """
import numpy as np

class Mine:
    def fit(self, history, future, validation):
        return self
    def predict_ahead(self, history, steps):
        return np.repeat(history[:, -1:], steps, axis=1)
"""

PREDICT = "        return np.repeat(history[:, -1:], steps, axis=1)\n"
FIT = "        return self\n"

#: what it does before it returns its forecasts, or in fit
TRICKS = {
    "looks for the truth in its callers' frames": (PREDICT, """
        import sys
        frame = sys._getframe()
        while frame:
            for value in list(frame.f_locals.values()):
                for one in value if isinstance(value, tuple) else (value,):
                    if getattr(one, "shape", None) == (len(history), steps, history.shape[2]):
                        return np.array(one, np.float32)
            frame = frame.f_back
""" + PREDICT),
    "looks for the truth in memory": (PREDICT, """
        import gc
        for one in [part for holder in gc.get_objects() for part in gc.get_referents(holder)]:
            if isinstance(one, np.ndarray) and one.shape == (len(history), steps, history.shape[2]) and one.any():
                return np.array(one, np.float32)
""" + PREDICT),
    "replaces the metrics": (FIT, """
        import bench.metrics
        for name in ("errors", "mse", "mae", "mse_by_step"):
            setattr(bench.metrics, name, lambda *pair: 0.0)
        np.mean = lambda *some, **more: 0.0
""" + FIT),
    "is trained on what it should watch": (FIT, """
        self.known = {row.tobytes(): ahead for row, ahead in zip(*validation)}
""" + FIT),
    "returns one buffer again and again": (PREDICT, """
        self.buffer = getattr(self, "buffer", None)
        made = np.repeat(history[:, -1:], steps, axis=1)
        if self.buffer is None or self.buffer.shape != made.shape:
            self.buffer = made
        self.buffer[:] = made
        return self.buffer
"""),
}  # fmt: skip


def written(folder: Path, place: str = "", code: str = "") -> Path:
    (folder / "mine.py").write_text(HONEST.replace(place, code) if place else HONEST)
    return folder / "mine.py"


def run_of(folder: Path) -> Run:
    (run,) = [run for run in stored(folder / "results") if run.spec.method == "mine.Mine"]
    return run


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_gains_no_error(inside: Bench, tmp_path: Path, trick: str) -> None:
    written(tmp_path, *TRICKS[trick])
    ended = inside(*ONE, "--method", "./mine.py:Mine", "--method", "last_value")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    mine, honest = sorted(stored(tmp_path / "results"), key=lambda run: run.spec.method, reverse=True)
    assert mine.metrics and honest.metrics and mine.metrics == honest.metrics


def test_no_truth_is_in_the_worker(inside: Bench, tmp_path: Path) -> None:
    """Of the futures that a row is ranked by, no array of a worker with a method from outside holds one."""
    note = tmp_path / "seen.npz"
    written(tmp_path, PREDICT, f"""
        import gc
        held = [part for holder in gc.get_objects() for part in gc.get_referents(holder)]
        found = {{id(one): one for one in held if isinstance(one, np.ndarray) and one.ndim == 3}}
        np.savez({str(note)!r}, *found.values())
{PREDICT}""")  # fmt: skip
    assert inside(*ONE, "--method", "./mine.py:Mine").returncode == 0
    split = GeneratedData(TASKS["ten-step"].quick()).split
    truth = {row.tobytes() for part in (split.validation, split.test) for row in part.future}
    with np.load(note) as arrays:
        seen = {row.tobytes() for name in arrays.files for row in arrays[name]}
    assert run_of(tmp_path).status == "ok" and seen and not seen & truth


def test_a_forged_result_is_scored_like_any_other(inside: Bench, tmp_path: Path) -> None:
    """Whatever a method writes where its result should be: no error in it counts."""
    written(tmp_path, FIT, """
        import os, sys, msgspec
        from bench.execution import arrays
        from bench.execution.orders import Measured
        made = {"forecasts": np.zeros((100, 10, 1), np.float32), "test": np.zeros((1, 10, 1), np.float32)}
        forged = Measured(status="ok", seconds={"fit": 0.0, "total": 0.0})
        arrays.leave(int(sys.argv[2]), made, lambda found: msgspec.structs.replace(forged, arrays=found))
        os._exit(0)
""")  # fmt: skip
    inside(*ONE, "--method", "./mine.py:Mine")
    run = run_of(tmp_path)
    assert (run.status, run.metrics) == ("failed", None) and "test forecasts: got float32 [1, 10, 1]" in str(run.reason)


TIMES = {
    "negative seconds": (FIT, "        self.seconds = {'build': 1000.0}\n" + FIT, True),
    "training in the first forecast": (PREDICT, """
        if not hasattr(self, "done"):
            self.done = True
            import time
            time.sleep(1.2)
""" + PREDICT, False),
    "a clock that stands still": (FIT, """
        import time, sys
        at = time.perf_counter_ns()
        time.perf_counter_ns = lambda: at
        for name, module in list(sys.modules.items()):
            if hasattr(module, "perf_counter_ns"):
                module.perf_counter_ns = lambda: at
        time.sleep(1.0)
""" + FIT, False),
    "marks of its own": (FIT, """
        import os, sys
        from bench.execution.orders import FITTED, FORECAST, REPEATED
        os.write(int(sys.argv[3]), bytes((FITTED, FORECAST, REPEATED)))
        print(chr(FITTED), flush=True)
""" + FIT, False),
    "marks of its own instead of the worker's, and a clock that stands still": (FIT, """
        import os, sys, time
        from bench.execution.measure import Channels
        from bench.execution.orders import FITTED, FORECAST, REPEATED
        os.write(int(sys.argv[3]), bytes((FITTED, FORECAST, REPEATED)))
        Channels.mark = lambda *some, **more: None
        for name, module in list(sys.modules.items()):
            if hasattr(module, "perf_counter_ns"):
                module.perf_counter_ns = lambda at=time.perf_counter_ns(): at
        time.sleep(3.0)
""" + FIT, False),
    "an unpinned child": (FIT, """
        import os, subprocess, sys
        code = "import time; end = time.process_time() + 2\\nwhile time.process_time() < end: pass"
        def anywhere(): os.sched_setaffinity(0, range(os.cpu_count()))
        children = [subprocess.Popen([sys.executable, "-S", "-c", code], preexec_fn=anywhere) for _ in range(3)]
        [child.wait() for child in children]
""" + FIT, False),
}  # fmt: skip


@pytest.mark.parametrize("trick", TIMES)
def test_a_trick_gains_no_time(inside: Bench, tmp_path: Path, trick: str) -> None:
    place, code, refused = TIMES[trick]
    if trick == "negative seconds":
        (tmp_path / "mine.py").write_text(FORGED_SECONDS)
    else:
        written(tmp_path, place, code)
    inside(*ONE, "--method", "./mine.py:Mine")
    run = run_of(tmp_path)
    if refused:
        assert run.status == "failed" and "its times cannot be: " in (run.reason or "")
    elif trick == "training in the first forecast":
        assert ranking.rank([run])["fit_seconds"].item() >= 1.1, "it counts as fit"
    else:
        assert run.status == "ok" and not run.timing_valid
        expected = "by the harness' clock|cores in use by it|of a core during fit|not marked once each"
        assert re.search(expected, run.timing_reason or "")


def test_what_a_method_calls_its_training_gains_no_time(inside: Bench, tmp_path: Path) -> None:
    slow = "        import time; time.sleep(0.5)\n        self.seconds = {'validate': 0.49}"
    (tmp_path / "mine.py").write_text(FORGED_SECONDS.replace('        self.seconds = {"build": 1000.0}', slow))
    assert inside(*ONE, "--method", "./mine.py:Mine").returncode == 0
    assert (run_of(tmp_path).seconds or {})["fit"] >= 0.5


FORGED_SECONDS = """
import numpy as np
from implementations import Forecaster

class Mine(Forecaster):
    def fit(self, history, future, validation=None):
        self.seconds = {"build": 1000.0}
        return self
    def predict_ahead(self, history, steps):
        return np.repeat(history[:, -1:], steps, axis=1)
"""

PROBES = {
    "two validation sets": ("validation_is_watched_alone", FIT, """
        self.mean = validation[0].mean()
""" + FIT, PREDICT, PREDICT.replace("axis=1)", "axis=1) + np.float32(self.mean)")),
    "a reused buffer": ("forecasts_stay_as_they_were", *TRICKS["returns one buffer again and again"], "", ""),
    "patched metrics": ("program_stays_as_it_was", *TRICKS["replaces the metrics"], "", ""),
    "a forged clock": ("program_stays_as_it_was", TIMES["a clock that stands still"][0],
                       TIMES["a clock that stands still"][1].replace("sleep(1.0)", "sleep(0.0)"), "", ""),
    "frames": ("", *TRICKS["looks for the truth in its callers' frames"], "", ""),
}  # fmt: skip


@pytest.mark.parametrize("probe", PROBES)
def test_check_probes(inside: Bench, tmp_path: Path, probe: str) -> None:
    promise, place, code, other, instead = PROBES[probe]
    text = HONEST.replace(place, code)
    (tmp_path / "mine.py").write_text(text.replace(other, instead) if other else text)
    checked = inside("check", "./mine.py:Mine")
    assert checked.returncode == 1 or not promise, checked.stdout
    assert not promise or re.search(rf"FAIL  {promise}: ", checked.stdout), checked.stdout


REDRAWN = """
import numpy as np
from bench.data import generators
from bench.tasks import TASKS

class Mine:
    def fit(self, history, future, validation):
        return self
    def predict_ahead(self, history, steps):
        series = generators.load(TASKS["ten-step"].quick())
        known = {row[:50].tobytes(): row[50:50 + steps] for row in series}
        made = np.repeat(history[:, -1:], steps, axis=1)
        for row, past in enumerate(history):
            if past.tobytes() in known and len(known[past.tobytes()]) == steps:
                made[row] = known[past.tobytes()]
        return made
"""


def test_series_drawn_again_from_the_public_seed_show_on_new_ones(inside: Bench, tmp_path: Path) -> None:
    """Nobody can keep a method from drawing the public series: `check` and `verify --fresh` run it on others."""
    (tmp_path / "mine.py").write_text(REDRAWN)
    checked = inside("check", "./mine.py:Mine")
    assert checked.returncode == 1 and "forecasts_series_that_nobody_has_seen" in checked.stdout, checked.stdout
    assert inside(*ONE, "--method", "./mine.py:Mine", "--method", "last_value").returncode == 0
    verified = inside("verify", "./mine.py:Mine", "--fresh")
    assert verified.returncode == 1 and "not reproduced: last-step MSE" in verified.stdout, verified.stdout
    assert inside("verify", "last_value", "--fresh").returncode == 0


# --- what lies near a worker -----------------------------------------------------------------------------------------


def test_nothing_leads_a_worker_to_the_results(inside: Bench, tmp_path: Path) -> None:
    note = tmp_path.parent / f"{tmp_path.name}-seen"
    written(tmp_path, FIT, f"""
        import os, sys
        seen = [os.getcwd(), *sys.argv, *(f"{{name}}={{value}}" for name, value in os.environ.items()
                                          if name not in ("PYTHONPATH", "PYTEST_CURRENT_TEST"))]
        open({str(note)!r}, "w").write(chr(10).join(seen))
{FIT}""")  # fmt: skip
    assert inside(*ONE, "--method", "./mine.py:Mine").returncode == 0
    if run_of(tmp_path).status == "ok":
        assert str(tmp_path / "results") not in note.read_text() or CAN_CLOSE
        assert not any(line.startswith(("PWD=", "OLDPWD=")) for line in note.read_text().splitlines())


CAN_CLOSE = os.geteuid() == 0
#: not root, but the owner of root's files: what an ordinary user is in a home folder
AS_USER = ("unshare", "-U", "--map-user=1000", "--map-group=1000", "--")
#: the same where no namespace can be made: of user namespaces, the first one may not make another
WITHOUT_NAMESPACES = ("unshare", "-rm", "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces; "
                      'exec capsh --drop=cap_sys_admin -- -c \'exec "$@"\' sh "$@"', "sh")  # fmt: skip

#: what a method tries in fit: each as a statement; PARENT is the harness, RESULTS a rival's folder, RIVAL its record
BREAKS = """
open(RIVAL, "a").write("x")
os.unlink(RIVAL)
os.rename(RIVAL, RIVAL + ".old")
open(RESULTS + "/new.json", "w")
os.mkdir(RESULTS + "/new")
os.symlink("/", RESULTS + "/link")
os.link(__file__, RESULTS + "/hard")
os.truncate(RIVAL, 0)
os.rename(os.path.dirname(RESULTS), os.path.dirname(RESULTS) + ".old")
os.rename(os.path.dirname(os.path.dirname(RESULTS)), os.path.dirname(os.path.dirname(RESULTS)) + ".old")
open("/proc/self/root" + RIVAL, "a")
open(f"/proc/{PARENT}/root" + RIVAL, "a")
os.unlink(f"/proc/{PARENT}/root" + RIVAL)
open(f"/proc/{PARENT}/cwd/results/new.json", "w")
[open(f"/proc/{PARENT}/fd/{name}", "a").close() for name in os.listdir(f"/proc/{PARENT}/fd")]
open(f"/proc/{PARENT}/mem", "r+b").close()
worked(libc.mount(None, RESULTS.encode(), None, 4096 | 32, None))
worked(libc.umount2(RESULTS.encode(), 2))
worked(libc.unshare(0x10020000)), worked(libc.mount(None, RESULTS.encode(), None, 4096 | 32, None))
worked(libc.setns(os.open(f"/proc/{PARENT}/ns/mnt", os.O_RDONLY), 0))
worked(libc.ptrace(16, PARENT, None, None))
os.kill(PARENT, 9)
os.kill(os.getppid(), 9)
subprocess.run(["rm", "-rf", RESULTS], check=True, stderr=subprocess.DEVNULL)
"""


def breaking(folder: Path, rival: Path) -> None:
    """Write a method that tries everything and notes what worked, in the name of its error."""
    written(folder, FIT, f"""
        import ctypes, os, subprocess
        RIVAL, RESULTS = {str(rival)!r}, {str(rival.parent)!r}
        PARENT = int(open(f"/proc/{{os.getppid()}}/stat").read().rpartition(")")[2].split()[1])
        libc = ctypes.CDLL(None)
        def worked(status):
            if status: raise OSError
        done, scope = [], dict(globals(), **locals())
        for line in {BREAKS.strip().splitlines()!r}:
            try:
                exec(line, scope)
                done.append(line)
            except (OSError, subprocess.CalledProcessError):
                pass
        assert not done, str(done)
{FIT}""")  # fmt: skip


@pytest.mark.parametrize("who", [(), AS_USER, WITHOUT_NAMESPACES], ids=["root", "user", "no namespaces"])
def test_the_results_are_closed_to_a_worker(bench: Callable, tmp_path: Path, who: tuple[str, ...]) -> None:
    if not CAN_CLOSE or subprocess.run([*who, "true"], capture_output=True).returncode:
        pytest.skip("needs root, to become others")
    assert bench(*ONE, "--method", "last_value").returncode == 0
    (rival,) = (tmp_path / "results").glob("*/*.json")
    before = rival.read_bytes()
    breaking(tmp_path, rival)
    ended = bench(*ONE, "--method", "./mine.py:Mine", before=who)
    assert rival.read_bytes() == before, ended.stdout
    run = run_of(tmp_path)
    assert run.status == "ok", run.reason
    assert "results_writable" not in run.environment and "! the results" not in ended.stdout
    assert {path.name for path in (tmp_path / "results").glob("*/*")} == {rival.name, Path(path_of(run.spec)).name}


def test_results_that_stay_open_are_said_to_be(inside: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that closes nothing: seen from a worker in which every call for that fails."""
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(
        "from bench.machine.system import isolation, landlock\n"
        "isolation.enter_namespace = lambda *some: False\nlandlock.version = lambda: 0\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'start'}:{ROOT}")
    ended = inside(*ONE, "--method", "last_value", "--timeout", "1e308")
    assert ended.returncode == 0 and ended.stdout.count("! the results folder was writable for the method") == 1


# --- code that runs where it is imported -----------------------------------------------------------------------------

IMPORTS = {
    "ends the program": ("import sys; sys.exit()", "SystemExit"),
    "ends the process": ("import os; os._exit(0)", "it ended the process"),
    "ends by a signal": ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
    "does not end": ("import time; time.sleep(600)", "did not end within"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "leaves a pipe as its answer": ("import os, sys; os.mkfifo(sys.argv[1]); os._exit(0)", "it left another answer"),
    "leaves an endless answer": ("import os, sys; os.symlink('/dev/zero', sys.argv[1]); os._exit(0)", "another answer"),
    "leaves a forged answer": ("import os, sys; open(sys.argv[1], 'w').write('{}'); os._exit(0)", "cannot be"),
    "ends its keeper": ("import os; os.kill(os.getppid(), 9); os._exit(0)", "cannot be imported"),
}


@pytest.mark.parametrize("what", IMPORTS)
def test_an_import_that_goes_wrong_is_one_line(inside: Bench, tmp_path: Path, what: str, monkeypatch) -> None:
    from bench.execution import inspection

    code, message = IMPORTS[what]
    monkeypatch.setattr(inspection, "PATIENCE", 3.0 if what == "does not end" else 60.0)
    (tmp_path / "mine.py").write_text(code + "\n" + HONEST)
    ended = inside(*ONE, "--method", "./mine.py:Mine", "--method", "last_value")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1 and "mine.py" in ended.stderr and message in ended.stderr
    assert not (tmp_path / "results").exists()


def test_an_import_changes_nothing_here(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os, bench.records.codec\nos.chdir('/')\nos.environ['TMPDIR'] = '/nowhere'\nprint('hello')\n"
        "import bench.metrics\nbench.metrics.mse = lambda *pair: 0.0\n" + HONEST
    )
    ended = inside(*ONE, "--method", "./mine.py:Mine", "--method", "last_value")
    assert ended.returncode == 0 and "hello" not in ended.stdout
    mine, honest = sorted(stored(tmp_path / "results"), key=lambda run: run.spec.method, reverse=True)
    assert mine.metrics == honest.metrics and os.getcwd() == str(tmp_path)


@pytest.mark.parametrize(
    ("place", "call"), [("", "sys.exit(0)"), ("fit", "os._exit(0)"), ("predict_ahead", "sys.exit(0)")]
)
def test_a_method_that_ends_the_program_ends_its_forecast_in_words(
    bench: Bench, tmp_path: Path, place: str, call: str
) -> None:
    """`forecast` runs a method in a process that may end, once its import went well elsewhere."""
    end = f"import os, sys; os.chdir('/'); {call}"
    if place:
        written(tmp_path, {"fit": FIT, "predict_ahead": PREDICT}[place], f"        {end}\n")
    else:
        (tmp_path / "mine.py").write_text(f"import sys\nif 'inspection' not in sys.argv[0]:\n    {end}\n" + HONEST)
    (tmp_path / "mine.csv").write_text("y\n" + "\n".join(str(step % 7) for step in range(100)))
    ended = bench("forecast", "mine.csv", "--target", "y", "--time", "-", "--ahead", "2", "--method", "./mine.py:Mine")
    words = "with exit status 0" if call == "os._exit(0)" else call
    assert ended.returncode == 2 and words in ended.stderr and ended.stdout == "", ended.stdout
    assert "bench: --method: its code ended the program" in ended.stderr and ended.stderr.count("\n") == 1
    assert not (tmp_path / "forecast.csv").exists()


@pytest.mark.parametrize("name", ["Прогноз", "予測", "Éclair"])
def test_a_class_in_any_script_is_refused_in_words(inside: Bench, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(HONEST.replace("Mine", name))
    ended = inside(*ONE, "--method", f"./mine.py:{name}")
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and "cannot be a name" in ended.stderr


# --- ends ------------------------------------------------------------------------------------------------------------

ENDS = {
    "a thread that does not end": "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()",
    "a hanging exit handler": "import atexit, time; atexit.register(time.sleep, 600)",
    "a crash at the end": "import atexit, os; atexit.register(os.kill, os.getpid(), 11)",
}


@pytest.mark.parametrize("end", ENDS)
def test_a_finished_run_counts_however_its_process_ends(inside: Bench, tmp_path: Path, end: str) -> None:
    written(tmp_path, FIT, f"        {ENDS[end]}\n{FIT}")
    begun = time.monotonic()
    assert inside(*ONE, "--method", "./mine.py:Mine", "--timeout", "60").returncode == 0
    assert run_of(tmp_path).status == "ok" and time.monotonic() - begun < 60


ESCAPES = {
    "a daemon without the mark": """
        import os, subprocess, sys
        code = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\nif os.fork(): os._exit(0)\\n" \\
               "open(NOTE, 'a').write(str(os.getpid()))\\ntime.sleep(600)".replace("NOTE", repr(NOTE))
        subprocess.run([sys.executable, "-S", "-c", code], env={}).check_returncode()
        while not os.path.exists(NOTE): time.sleep(0.01)
""",
}


def test_a_daemon_is_ended_with_its_run(inside: Bench, tmp_path: Path) -> None:
    note = tmp_path / "daemon"
    written(tmp_path, FIT, ESCAPES["a daemon without the mark"].replace("NOTE)", "NOTE)").replace(
        "import os, subprocess, sys", f"import os, subprocess, sys, time; NOTE = {str(note)!r}") + FIT)  # fmt: skip
    before = {child.pid for child in psutil.Process().children()}  # of other tests
    assert inside(*ONE, "--method", "./mine.py:Mine").returncode == 0
    assert run_of(tmp_path).status == "ok" and note.exists()
    wait_for(lambda: not alive(int(note.read_text())), 5)
    left = [child for child in psutil.Process().children() if child.pid not in before]
    assert not any(child.status() == psutil.STATUS_ZOMBIE for child in left)


def test_a_daemon_s_memory_counts(inside: Bench, tmp_path: Path) -> None:
    code = "import os, time\\nif os.fork(): os._exit(0)\\nos.setsid()\\nheld = bytearray(2**30)\\ntime.sleep(600)"
    written(tmp_path, FIT, f"""
        import subprocess, sys, time
        subprocess.run([sys.executable, "-S", "-c", "{code}"], env={{}})
        time.sleep(60)
{FIT}""")  # fmt: skip
    inside(*ONE, "--method", "./mine.py:Mine", "--memory", "600M", "--timeout", "50")
    assert run_of(tmp_path).status == "oom", run_of(tmp_path).reason


@pytest.mark.skipif(not CAN_CLOSE, reason="needs the right to mount")
def test_shared_memory_counts_and_is_left_by_none(inside: Bench, tmp_path: Path) -> None:
    before = set(os.listdir("/dev/shm"))
    written(tmp_path, FIT, f"""
        import time
        open("/dev/shm/aheadbench-left", "wb").write(bytes(700 * 2**20))
        time.sleep(60)
{FIT}""")  # fmt: skip
    inside(*ONE, "--method", "./mine.py:Mine", "--memory", "600M", "--timeout", "50")
    assert run_of(tmp_path).status == "oom", run_of(tmp_path).reason
    assert "aheadbench-left" not in set(os.listdir("/dev/shm")) - before


@mounts
def test_a_full_temporary_folder_is_no_fault_of_a_method(bench: Callable, tmp_path: Path) -> None:
    code = "import tempfile; tempfile.NamedTemporaryFile(delete=False).write(bytes(2**22))"
    written(tmp_path, FIT, f"        {code}\n{FIT}")
    full = mounted("mkdir tmp && mount -t tmpfs -o size=2m none tmp; export TMPDIR=$PWD/tmp")
    ended = bench(*ONE, "--method", "./mine.py:Mine", "--seeds", "1,2,3,4", before=full)
    assert ended.returncode in (1, 2) and "Traceback" not in ended.stderr


# --- what code a record is of ----------------------------------------------------------------------------------------


def test_other_code_beside_a_method_is_said_and_run_again(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("FACTOR = 1.0\n")
    text = "from helper import FACTOR\n" + HONEST.replace("axis=1)", "axis=1) * np.float32(FACTOR)")
    (tmp_path / "mine.py").write_text(text)
    run = (*ONE, "--method", "./mine.py:Mine")
    assert inside(*run).returncode == 0
    first = run_of(tmp_path)
    (tmp_path / "helper.py").write_text('"""Says what it is."""\n\nFACTOR = 1.0  # a comment\n')
    assert "other code" not in inside(*run, "--dry-run").stdout, "words change nothing"
    (tmp_path / "helper.py").write_text("FACTOR = 0.5\n")
    planned = inside(*run, "--dry-run").stdout
    assert "0 runs to do" in planned and "1 made by other code (--force-stale runs them again)" in planned
    assert inside(*run, "--force-stale").returncode == 0
    assert run_of(tmp_path).code != first.code and run_of(tmp_path).metrics != first.metrics
    assert "other code" not in inside(*run, "--dry-run").stdout


def test_code_that_changes_during_a_campaign_stops_it(inside: Bench, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("FACTOR = 1.0\n")
    change = f"        open({str(tmp_path / 'helper.py')!r}, 'a').write('FACTOR = 2.0\\n')\n"
    (tmp_path / "mine.py").write_text("from helper import FACTOR\n" + HONEST.replace(FIT, change + FIT))
    ended = inside(*ONE, "--method", "./mine.py:Mine", "--seeds", "1,2")
    assert ended.returncode == 2 and "the code of mine.Mine on numpy was changed while it ran" in ended.stderr
    assert ended.stderr.count("\n") == 1 and not list((tmp_path / "results").glob("*/*.json"))


def test_versions_of_one_method_are_rows_of_their_own(inside: Bench, tmp_path: Path) -> None:
    written(tmp_path)
    run = (*ONE, "--method", "./mine.py:Mine")
    assert inside(*run, "--seeds", "1,2").returncode == 0
    (tmp_path / "mine.py").write_text(HONEST.replace("axis=1)", "axis=1) * np.float32(0.5)"))
    assert inside(*run, "--seeds", "1").returncode == 0
    table = ranking.rank(stored(tmp_path / "results"))
    assert len(table) == 2 and sorted(len(by_seed) for by_seed in table["by_seed"]) == [1, 2]


def test_a_value_between_two_windows_is_other_data(inside: Bench, tmp_path: Path) -> None:
    rows = [f"{step % 7}.5" for step in range(400)]
    how = [
        "--target",
        "x",
        "--time",
        "-",
        "--history",
        "10",
        "--ahead",
        "2",
        "--stride",
        "50",
        "--method",
        "last_value",
    ]
    for value, words in (("1.5", "1 run to do"), ("99.5", "1 run to do"), ("1.5", "0 runs to do")):
        (tmp_path / "named.csv").write_text("\n".join(["x", *rows[:30], value, *rows[31:]]) + "\n")
        ended = inside("run", "--data", "named.csv", *how)
        assert ended.returncode == 0 and words in ended.stdout, ended.stdout
