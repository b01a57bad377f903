"""How a run gets one core: the cores that may be used, and the variables that keep every library on one thread."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bench.machine.environment import ROOT
from bench.machine.system.cores import available

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "NPROC": "1",  # the size of JAX's thread pool
}
FIXED = {
    "PYTHONHASHSEED": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # on, the order of sums depends on the CPU's model
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # JAX would take most of a GPU's memory, and fail beside another run
}


#: not passed on: the worker chooses its backend itself, and what Dask's nodes set for themselves costs time
OTHERS = ("KERAS_BACKEND", "MALLOC_TRIM_THRESHOLD_")

HIDING = ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS")  # of those, what hides a GPU


def environment_variables(cuda: bool = False) -> dict[str, str]:
    """This process's variables, with those set that give a child one thread and, unless cuda, no GPU."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    inherited = {name: value for name, value in os.environ.items() if name not in OTHERS}
    fixed = {name: value for name, value in FIXED.items() if not (cuda and name in HIDING)}
    return {**inherited, **ONE_THREAD, **fixed, "PYTHONPATH": path}


def has_cuda() -> bool:
    """Return whether NVIDIA's driver shows a device; no framework is asked, which would have to be imported."""
    return Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi") is not None


def cores() -> list[int]:
    """Return the cores that this process may use, by number."""
    return available()
