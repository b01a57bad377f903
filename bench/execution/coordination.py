"""How a campaign waits: signals and finished runs come in one queue, jobs are shared with other campaigns."""

from __future__ import annotations

import contextlib
import queue
import signal
from collections.abc import Callable, Iterator
from typing import TypeVar

from bench.machine.system.processes import STOPPING, WAKE

Event = TypeVar("Event")


class Stopped(Exception):
    """A signal ended the campaign: its number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Busy(Exception):
    """Another campaign is at the job."""


@contextlib.contextmanager
def signals(send: Callable[[int], None]) -> Iterator[None]:
    """Send on the numbers of signals that stop within the block, instead of stopping; those of nohup stay ignored."""
    heard = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, _frame: send(number)) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def next_event(events: queue.SimpleQueue[Event]) -> Event:
    """Return the next event; signals are heard in the meantime, also on systems where waiting keeps them off."""
    while True:
        with contextlib.suppress(queue.Empty):
            return events.get(timeout=WAKE)
