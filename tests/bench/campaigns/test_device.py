"""`--device cuda`: refused where there is none, and what it changes in jobs, workers and rows."""

from __future__ import annotations

import msgspec
import pytest
from conftest import Bench
from synthetic import make

from bench.campaigns import selection
from bench.campaigns.request import Selection
from bench.errors import UsageError
from bench.machine import disturbance, threads
from bench.records.codec import key_of
from bench.reporting import leaderboard


@pytest.mark.skipif(threads.has_cuda(), reason="this machine has a device")
def test_cuda_without_a_device_is_one_line(inside: Bench) -> None:
    done = inside("run", "--device", "cuda", "--method", "gru")
    assert done.returncode == 2 and not done.stdout
    assert done.stderr == ("bench: --device cuda: NVIDIA's driver shows no device on this machine; cpu is allowed\n")


@pytest.mark.skipif(threads.has_cuda(), reason="this machine has a device")
def test_gpu_is_understood_as_cuda(inside: Bench) -> None:
    done = inside("run", "--device", "gpu", "--method", "gru")
    assert done.returncode == 2 and done.stderr.startswith("bench: --device cuda: NVIDIA's driver shows no device")


def test_an_unknown_device_names_the_known_ones(inside: Bench) -> None:
    done = inside("run", "--device", "cudo")
    assert done.returncode == 2 and "unknown device 'cudo': did you mean cuda?" in done.stderr


def test_backends_that_compute_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "has_cuda", lambda: True)
    found = selection.specs(Selection(methods=["gru", "last_value"], tasks=["ten-step"], device="cuda"))
    assert [(spec.backend, spec.cuda) for spec in found] == [("numpy", False), ("keras-jax", True), ("torch", True)]
    with pytest.raises(UsageError, match="backend 'keras' computes on cpu alone; with --device cuda: keras-jax, torch"):
        selection.specs(Selection(backends=["keras"], device="cuda"))


def test_a_gpu_is_hidden_from_every_other_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.HIDING:
        monkeypatch.delenv(name, raising=False)
    assert set(threads.HIDING) <= set(threads.environment_variables())
    assert not set(threads.HIDING) & set(threads.environment_variables(cuda=True))


def test_a_run_on_cuda_is_another_run_in_a_row_of_its_own() -> None:
    run = make(error=0.01)
    spec = msgspec.structs.replace(run.spec, device="cuda")
    assert key_of(spec) != key_of(run.spec)
    on_cuda = msgspec.structs.replace(run, spec=spec, key=key_of(spec))
    assert "gru (on cuda)" in leaderboard.render([run, on_cuda])


def test_a_core_that_waits_for_the_device_is_no_disturbance() -> None:
    seen = {"fit_seconds": 9.0, "fit_cores": 0.3, "steal": 0.0, "throttled": 0, "load": 0.5}
    assert disturbance.explain_disturbance(seen, threads=1, affinity=1, cuda=True) is None
    assert disturbance.explain_disturbance(seen, threads=1, affinity=1) == "only 30% of a core during fit"
