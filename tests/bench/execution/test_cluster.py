"""Campaigns on a Dask cluster: a real scheduler and real nodes on loopback, some of which are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from conftest import FAULTY, ROOT, Bench, stored
from fault_injection import alive, heard, wait_for

from bench.execution.cluster import client

pytest.importorskip("distributed")
pytestmark = pytest.mark.xdist_group("cluster")

QUICK = ("run", "--quick", "--task", "ten-step", "--results", "kept")
PATIENCE = "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"
PACKAGES = [path for path in sys.path if path.endswith("site-packages")]
#: without site, an editable installation of this package is not found
WITHOUT_PACKAGE = ("-S", "-c", f"import sys; sys.path += {PACKAGES}; import distributed.cli.dask_worker as d; d.main()")

#: notes its own process and its node's, and takes its time
SLOW = """\
import os, time
import numpy as np
import psutil

class Slow:
    def fit(self, history, future, validation=None):
        with open(os.environ["FAULTY_PIDS"], "a") as file:
            keeper = psutil.Process(os.getppid())
            file.write(f"{os.getpid()} {keeper.ppid()}\\n")
        time.sleep(1.5)
        return self

    def predict_ahead(self, history, steps):
        return np.repeat(history[:, -1:], steps, axis=1)
"""


class Cluster:
    """A scheduler and its nodes, each a process."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.note = folder, folder / "pids"
        self.environment = {
            **os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{FAULTY}", "FAULTY_PIDS": str(self.note), **variables,
        }  # fmt: skip
        self.started: list[subprocess.Popen[bytes]] = []
        self.nodes: list[subprocess.Popen[bytes]] = []
        said = folder / "scheduler.json"
        self.scheduler = self.start(
            "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(said),
        )  # fmt: skip
        wait_for(said.exists)
        wait_for(lambda: said.read_text().endswith("}"))
        self.address = json.loads(said.read_text())["address"]

    def start(self, *arguments: str, path: str = "") -> subprocess.Popen[bytes]:
        environment = {**self.environment, **({"PYTHONPATH": path} if path else {})}
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen([sys.executable, *arguments], env=environment, cwd=self.folder,
                                       stdout=log, stderr=log)  # fmt: skip
        self.started.append(process)
        return process

    def node(self, *program: str, path: str = "") -> subprocess.Popen[bytes]:
        return self.start(
            *(program or ("-m", "distributed.cli.dask_worker")), self.address, "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--local-directory", str(self.folder), path=path,
        )  # fmt: skip

    def pids(self) -> list[tuple[int, ...]]:
        """What the methods have noted, a tuple for each run."""
        lines = self.note.read_text().splitlines() if self.note.exists() else []
        return [tuple(map(int, line.split())) for line in lines]

    def runs_are_gone(self) -> bool:
        return not any(alive(numbers[0]) for numbers in self.pids())

    def forget(self) -> None:
        self.note.unlink(missing_ok=True)

    def client(self, folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench", *QUICK, *arguments, "--cluster", self.address]
        return subprocess.Popen(command, cwd=folder, env={**self.environment, **variables}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip

    def close(self) -> None:
        for process in reversed(self.started):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster to which each test brings its nodes."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.fixture
def nodes(cluster: Cluster) -> list[subprocess.Popen[bytes]]:
    """Two nodes: those of the test before, and new ones for those that it killed."""
    cluster.forget()
    cluster.nodes = [node for node in cluster.nodes if node.poll() is None]
    cluster.nodes += [cluster.node() for _ in range(2 - len(cluster.nodes))]
    return cluster.nodes


def test_a_node_is_killed_in_mid_campaign(cluster: Cluster, nodes: list[subprocess.Popen[bytes]], tmp_path: Path):
    (tmp_path / "mine.py").write_text(SLOW)
    seeds = ("--seeds", "1,2")
    client = cluster.client(tmp_path, "--method", "last_value", "--method", "./mine.py:Slow", *seeds)
    wait_for(cluster.pids)
    killed, victim = cluster.pids()[-1]  # it has just begun
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: not alive(killed), 5)
    printed, errors = client.communicate(timeout=60)
    assert client.returncode == 0, errors
    jobs = Counter((run.spec.method, run.spec.seed, run.status) for run in stored(tmp_path / "kept"))
    assert jobs == {(name, seed, "ok"): 1 for name in ("last_value", "mine.Slow") for seed in (1, 2)}
    assert printed.count("MSE 0.") == 4 and len(cluster.pids()) == 3, "the lost run was run again"
    assert victim in [process.pid for process in nodes]


def test_limits_and_files_on_the_nodes(cluster: Cluster, nodes: list[subprocess.Popen[bytes]], tmp_path: Path):
    limited = {("hangs_silently",): ("--timeout", "3"), ("hoards", "last_value"): ("--memory", "300M")}
    for methods, options in limited.items():
        client = cluster.client(tmp_path, *(word for name in methods for word in ("--method", name)), *options)
        client.communicate(timeout=60)
        assert client.returncode == 1
    runs = {run.spec.method: run for run in stored(tmp_path / "kept")}
    assert (runs["hangs_silently"].status, runs["hangs_silently"].reason) == ("timeout", "killed after 3 s")
    assert runs["hoards"].status == "oom" and "the limit is 300 MiB" in (runs["hoards"].reason or "")
    assert runs["last_value"].status == "ok" and runs["last_value"].environment["affinity"] == 1
    assert cluster.runs_are_gone()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_client_that_goes_leaves_nothing_running(cluster: Cluster, nodes: list, tmp_path: Path, number: int):
    with heard(signal.SIGINT):
        client = cluster.client(tmp_path, "--method", "hangs", "--seeds", "1,2")
    wait_for(lambda: len(cluster.pids()) >= 4)  # each has a child
    client.send_signal(number)
    _, errors = client.communicate(timeout=20)
    wait_for(cluster.runs_are_gone, 10)
    if number != signal.SIGKILL:
        name = signal.Signals(number).name
        assert client.returncode == 128 + number
        assert errors == f"stopped by {name}: 0 of 2 runs are kept; the same command goes on from here\n"
    assert all(process.poll() is None for process in nodes)


def test_what_goes_wrong_with_a_cluster(tmp_path: Path):
    cluster = Cluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")

    def says(message: str, status: int = 2, method: str = "last_value", then: Callable[[], None] = lambda: None,
             **variables: str) -> None:  # fmt: skip
        client = cluster.client(tmp_path, "--method", method, "--force", **variables)
        if method != "last_value":
            wait_for(cluster.pids)
        then()
        printed, errors = client.communicate(timeout=60)
        assert client.returncode == status and message in errors, printed + errors
        assert errors.count("\n") == (status == 2), errors

    try:
        says("no node has been there for 1 s", **{PATIENCE: "1s"})
        for package in ("bench", "implementations"):
            shutil.copytree(ROOT / package, tmp_path / "other" / package, ignore=shutil.ignore_patterns("__pycache__"))
        with (tmp_path / "other/bench/metrics.py").open("a") as file:
            file.write("# changed\n")
        for program, path, message in (
            ((), str(tmp_path / "other"), "has other code of aheadbench"),
            (WITHOUT_PACKAGE, str(tmp_path), "a node has no bench: install there what is installed here"),
        ):
            node = cluster.node(*program, path=path)
            says(message)
            node.kill()
            node.wait()
        node = cluster.node()
        says("", 1, "hangs_silently", then=node.kill)
        (run,) = [run for run in stored(tmp_path / "kept") if run.spec.method == "hangs_silently"]
        assert (run.status, run.reason) == ("lost", "its node was lost, at attempt 1 of 1")
        cluster.forget()
        cluster.node()
        says("the scheduler is gone", 2, "hangs_silently", then=cluster.scheduler.kill)
        wait_for(cluster.runs_are_gone, 10)
    finally:
        cluster.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cluster", "scheduler:8786"), "--cluster 'scheduler:8786': needed tcp://HOST:PORT of a scheduler"),
        (("--cluster", "local:0"), "--cluster 'local:0': needed tcp://HOST:PORT of a scheduler, or local:4"),
        (("--cluster", "local:2", "--jobs", "2"), "--jobs 2: a cluster's nodes say how many run at once"),
        (("--cluster", "tcp://127.0.0.1:1"), "--cluster tcp://127.0.0.1:1: no scheduler answers there"),
    ],
)
def test_a_cluster_that_is_none(inside: Bench, monkeypatch, arguments: tuple[str, ...], message: str):
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        ended = inside(*QUICK, "--method", "last_value", *arguments)
    assert ended.returncode == 2 and message in ended.stderr and ended.stderr.count("\n") == 1, ended.stderr


def test_a_cluster_of_this_machine(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OF_THIS_TEST", str(tmp_path))
    (tmp_path / "sales.csv").write_text("day,units\n" + "".join(f"{day},{day % 7}.5\n" for day in range(200)))
    series = ("--data", "sales.csv", "--target", "units", "--time", "-", "--history", "14", "--ahead", "7")
    methods = ("--method", "last_value", "--method", "seasonal_naive", "--seeds", "1,2")
    command = ("run", "--quick", *methods, *series, "--results", "kept", "--cluster", "local:2")
    ended = bench(*command)
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    assert Counter(run.status for run in stored(tmp_path / "kept")) == {"ok": 4}
    wait_for(lambda: not [one for one in psutil.process_iter() if variables(one).get("OF_THIS_TEST") == str(tmp_path)])
    again = bench(*command)
    assert again.returncode == 0 and "0 runs to do, 4 skipped, already recorded" in again.stdout


def variables(process: psutil.Process) -> dict[str, str]:
    """The environment variables of a process; none where it is gone or not ours."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def test_packages_of_other_versions_are_named() -> None:
    here = {"numpy": "2.1.0", "pandas": "2.3.0"}
    assert list(client.differences_of({"numpy": "2.1.0", "pandas": "2.2.0", "scipy": "1.15"}, here)) == [
        "a node has pandas 2.2.0, this machine 2.3.0",
        "a node has scipy 1.15, this machine none",
    ]
    assert list(client.differences_of(None, here)) == []
