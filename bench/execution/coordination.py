"""How a campaign waits: signals and finished runs come in one queue, jobs are shared with other campaigns."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator


class Stopped(Exception):
    """A signal ended the campaign: its number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Busy(Exception):
    """Another campaign is at the job."""


@contextlib.contextmanager
def signals(send: Callable[[int], None], *numbers: int) -> Iterator[None]:
    """Send these signals' numbers on, within the block, instead of what they usually do; nohup's stay ignored."""
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, _frame: send(number)) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
