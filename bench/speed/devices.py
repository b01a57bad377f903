"""Compare training on an accelerator with one core: python -m bench.speed.devices [BACKEND or METHOD ...].

Each backend, device and method gets a separate process, which prints one line: milliseconds per training step (median
of the epochs; an epoch ends by reading its loss, so the device has finished), and the first epoch's loss, which both
devices should agree on: they start from the same weights and see the same batches. The two devices of a row compute
at once, on separate cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Any

from bench.machine import threads
from bench.machine.system.cores import pinned

BACKENDS = ("keras-jax", "torch")
METHODS = ("rnn_sequence", "lstm", "gru", "wavenet")
BATCHES = (32, 512)
STEPS, EPOCHS = 20, 3
HISTORY, AHEAD, SERIES = 50, 10, 2000


def main(chosen: list[str]) -> None:
    """Print a Markdown table of every chosen backend and method, and of all batch sizes, on both devices."""
    backends = [name for name in BACKENDS if name in chosen] or BACKENDS
    methods = [name for name in METHODS if name in chosen] or METHODS
    print(f"| backend | method | batch | one core, ms/step | {name()}, ms/step | ratio | losses differ by |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for backend in backends:
        for method in methods:
            for batch in BATCHES:
                with ThreadPoolExecutor() as pool:  # at once, on separate cores
                    cpu, cuda = pool.map(partial(measured, backend, method, batch), ("cpu", "cuda"), (0, 1))
                away = abs(cpu["loss"] - cuda["loss"]) / cpu["loss"]
                ratio = cpu["step"] / cuda["step"]
                cells = [backend, method, str(batch), f"{cpu['step']:.2f}", f"{cuda['step']:.2f}", f"{ratio:.2f}"]
                print("| " + " | ".join([*cells, f"{away:.1e}"]) + " |", flush=True)


def name() -> str:
    """Return the accelerator's, as PyTorch calls it."""
    asked = [sys.executable, "-c", "import torch; print(torch.cuda.get_device_name())"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def measured(backend: str, method: str, batch: int, device: str, core: int = 0) -> dict[str, float]:
    """Return what a process on this core says that trains the method on the device."""
    command = [sys.executable, "-m", "bench.speed.devices", backend, method, str(batch), device]
    with pinned(threads.cores()[core]):
        variables = threads.environment_variables(cuda=device == "cuda")
        if device == "cuda":  # the process that asks may hide the GPU from itself
            variables = {name: value for name, value in variables.items() if threads.FIXED.get(name) != value}
        done = subprocess.run(command, capture_output=True, text=True, env=variables)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(backend: str, method: str, batch: int, device: str) -> dict[str, float]:
    """Train the method in this process, compilation left out: milliseconds per step, the first epoch's loss."""
    import numpy as np

    from implementations import backends, make

    engine = backends.load(backend, threads=1, device=device)
    random = np.random.default_rng(0)
    waves = np.sin(
        np.arange(HISTORY + AHEAD) * random.uniform(0.1, 0.4, (SERIES, 1)) + random.uniform(0, 6, (SERIES, 1))
    )
    series = (waves[:, :, None] / 2).astype("float32")
    history, future = series[:, :HISTORY], series[:, HISTORY:]
    forecaster: Any = make(method, backend, 42, batch_size=batch)
    forecaster.build(engine, HISTORY, 1, AHEAD)
    trainer = engine.Trainer(forecaster.network, forecaster, history, forecaster.strategy.targets(history, future))
    trainer.compile()
    loss, seconds = trainer.epoch(np.resize(np.arange(SERIES), batch * STEPS)), []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        trainer.epoch(np.resize(random.permutation(SERIES), batch * STEPS))
        seconds.append(time.perf_counter() - start)
    return {"step": median(seconds) / STEPS * 1000, "loss": loss}


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[3].isdecimal():
        print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])))
    else:
        main(sys.argv[1:])
