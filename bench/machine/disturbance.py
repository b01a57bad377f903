"""Whether seconds of a fit can be trusted: what happened on the machine in the meantime."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import psutil

from bench.machine.resources import throttled
from bench.machine.system.cores import CAN_PIN

#: from when on a time says more about the machine than about the method
LEAST_CPU = 0.9  # CPU seconds per second of fit: less, and something else had the core
MOST_CPU = 1.1  # more, and threads were at work that the run should not have
MOST_STEAL = 0.02  # share of time that the hypervisor gave to others
MOST_WAITING = 1.0  # load average beyond the machine's cores
SHORTEST = 0.05  # seconds of fit: below, the clocks' steps are a tenth of what they measure


def cpu_times() -> Mapping[str, float]:
    """Return seconds of all cores since boot, by use."""
    return dict(psutil.cpu_times()._asdict())


@dataclass
class Watch:
    """Watches this process and the machine from here on, to tell whether seconds measured meanwhile can be trusted."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)
    times: Mapping[str, float] = field(default_factory=cpu_times)
    throttled: int = field(default_factory=throttled)
    switches: int = field(default_factory=lambda: psutil.Process().num_ctx_switches().involuntary)

    def observe(self) -> dict[str, float]:
        """Return what happened since: shares of time, counts, and the load average of the last minute."""
        wall, times = time.perf_counter() - self.wall, cpu_times()
        passed = sum(times.values()) - sum(self.times.values())
        return {
            "fit_seconds": wall,
            "fit_cores": (time.process_time() - self.cpu) / wall,
            "steal": (times.get("steal", 0.0) - self.times.get("steal", 0.0)) / passed if passed > 0 else 0.0,
            "load": psutil.getloadavg()[0],
            "throttled": throttled() - self.throttled,
            "involuntary_switches": psutil.Process().num_ctx_switches().involuntary - self.switches,
        }


def explain_disturbance(seen: Mapping[str, float], threads: int, affinity: int, cuda: bool = False) -> str | None:
    """Return why the seconds cannot be trusted, in words; None when they can.

    With cuda, a core may wait for the device.
    """
    long, cores = seen["fit_seconds"] >= SHORTEST, os.cpu_count() or 1
    causes = {
        f"{threads} threads instead of 1": threads != 1,
        f"not pinned: {affinity} cores to run on": CAN_PIN and affinity != 1,
        f"only {seen['fit_cores']:.0%} of a core during fit": long and seen["fit_cores"] < LEAST_CPU and not cuda,
        f"{seen['fit_cores']:.1f} cores in use during fit": long and seen["fit_cores"] > MOST_CPU,
        f"{seen['steal']:.0%} of the time stolen by the hypervisor": seen["steal"] > MOST_STEAL,
        f"throttled {seen['throttled']:.0f} times": seen["throttled"] > 0,
        f"load average {seen['load']:.1f} on {cores} cores": seen["load"] > cores + MOST_WAITING,
    }
    return "; ".join(cause for cause, holds in causes.items() if holds) or None
