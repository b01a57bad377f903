"""Lines below those of finished runs in a terminal: how far the campaign is, and what each running job is at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bench.execution.jobs import Job, makespan_of

if TYPE_CHECKING:
    from rich.console import Console

    from bench.execution.activity import Activities, Activity

BAR = 24  # columns
REFRESHES = 2  # per second: drawing takes time from the runs


class Live:
    """The time left and the running jobs, drawn again and again until it is stopped."""

    def __init__(
        self, jobs: Sequence[Job], activities: Activities, name_of: Callable[[Any], str], workers: int = 1
    ) -> None:
        from rich.console import Console
        from rich.live import Live as Display

        self.left = {job.key: job.predicted for job in jobs}
        self.done, self.total, self.workers = 0, len(jobs), workers
        self.activities, self.name_of = activities, name_of
        self.began = time.monotonic()
        self.console: Console = Console()
        self.display = Display(
            get_renderable=self.text, console=self.console, refresh_per_second=REFRESHES, transient=True
        )

    def finish(self, key: str) -> None:
        """Note that a run is over."""
        self.done += 1
        self.left.pop(key, None)

    def text(self) -> Any:
        """Return the lines as they are now."""
        from rich.text import Text

        running = sorted(self.activities.copy().values(), key=lambda activity: activity.since)
        lines = [self.head(), *(self.line(activity) for activity in running)]
        return Text("\n".join(line[: self.console.width] for line in lines), no_wrap=True)

    def head(self) -> str:
        """Return how many runs are over, the time since the start, and about how long the others take."""
        full = BAR * self.done // (self.total or 1)
        seconds = self.seconds_left()
        left = "time left: not known yet" if seconds is None else f"about {clock(seconds)} left"
        bar, passed = "━" * full + "╌" * (BAR - full), clock(time.monotonic() - self.began)
        return f"{self.done}/{self.total}  {bar}  {passed}, {left}"

    def line(self, activity: Activity) -> str:
        """Return what a run is, what it is at, and for how long."""
        return f"  {self.name_of(activity.spec)}  {activity.stage:<16}{activity.seconds:6.0f} s"

    def seconds_left(self) -> float | None:
        """Return the seconds until all runs are over; None where neither earlier runs nor epochs tell."""
        running = self.activities.copy()
        going = [activity.remaining(self.left.get(key)) for key, activity in running.items()]
        return makespan_of(
            [*going, *(seconds for key, seconds in self.left.items() if key not in running)], self.workers
        )


def clock(seconds: float) -> str:
    """Return seconds as 0:07 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
