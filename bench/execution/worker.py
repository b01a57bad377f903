"""The process of one job, `python -m bench.execution.worker GIVEN LEFT MARKS`, and the keeper that it runs under.

    harness -> keeper -> worker -> whatever the method starts

What comes in and out goes by handles, see `bench.execution.orders`; what the method prints goes elsewhere and cannot
spoil it. Nothing heavy is imported before the clock runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence


def main() -> None:
    """Do the order that comes by the handles named on the command line, with the folders named there read-only."""
    entered = time.perf_counter_ns()
    from bench.machine.system import keeper

    def do(handles: Sequence[int], closed: bool) -> int:
        from bench.execution.measure import Channels, work

        return work(Channels(*handles), entered, closed)

    keeper.run(do, sys.argv[1:4], sys.argv[4:])


if __name__ == "__main__":
    main()
