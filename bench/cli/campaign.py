"""A campaign from plan to board, as a person or a program reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.campaigns import run as campaigns
from bench.campaigns.run import Plan
from bench.cli import closing, listing, render
from bench.cli.progress import Progress
from bench.cli.shared import board_of, outliving_reader, print_rows, say, warn, warn_of
from bench.execution.limits import Limits
from bench.records import files, repository
from bench.records.stores import Place
from bench.schema.record import Run


def show(plans: Iterable[Plan], limits: Limits, as_json: bool = False, as_csv: bool = False) -> None:
    """Print the jobs with predicted minutes, and run nothing."""
    if as_json or as_csv:
        print_rows([row for plan in plans for row in render.job_rows(plan.jobs)], as_json, as_csv)
        return
    for plan in plans:
        warn_of(plan.problems)
        announce(plan)
        if plan.jobs:
            print(render.job_table(render.job_rows(plan.jobs)))
        print(render.total(plan.jobs, None if limits.cluster else limits.workers, limits.reuse))


def announce(plan: Plan) -> None:
    """Print how files were understood, and what is about to happen."""
    for line in plan.data:
        say(line)
    print(render.describe(plan), flush=True)


def carry_out(
    plans: Iterable[Plan], limits: Limits, results: Place, as_json: bool = False, as_csv: bool = False
) -> int:
    """Run plan after plan, then write the board; return the exit status.

    A person gets a line for each run and the board, a program the rows of all runs of the plans.
    """
    status, names, quiet = 0, set[str](), as_json or as_csv
    with outliving_reader():
        for plan in plans:
            warn_of(plan.problems)
            if not quiet:
                announce(plan)
            with Progress(plan.jobs, quiet, limits.workers) as display:
                outcome = campaigns.run(plan, limits, results, display.show, display.activities)
            if outcome.signal:
                warn(render.stopped(outcome))
                return outcome.status
            names |= plan.names
            status = outcome.status  # of a search's runs that diverge nothing is said: that is a finding
        kept = write_board(results, names)
        if quiet:
            print_rows(listing.run_rows(kept.values()), as_json, as_csv)
        else:
            print(f"\n{closing.text(list(kept.values()), results)}\n")
            print(f"{board_of(results)} is rendered from the records in {results}")
    return status


def write_board(results: Place, names: Iterable[str]) -> Mapping[str, Run]:
    """Write the board, and return the records of these names."""
    from bench.reporting import leaderboard  # loads pandas, which a plan that is only shown does not need

    board = board_of(results)
    files.sweep(board.parent, files.TEMPORARY)
    leaderboard.write(results, board)
    return repository.look_up(results, sorted(names))[0]
