"""The process of a job, `python -m bench.execution.worker GIVEN LEFT MARKS CALLS`, and the keeper it runs under.

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
        from bench.execution.measure import Channels, serve

        return serve(Channels(*handles), entered, closed)

    keeper.run(do, sys.argv[1:5], sys.argv[5:])


if __name__ == "__main__":
    main()
