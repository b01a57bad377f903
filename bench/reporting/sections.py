"""The parts of the leaderboard, each as Markdown: summary, full table, failures, commands, machines."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.analysis import anytime
from bench.records.repository import Run
from bench.reporting.markdown import NOTHING, clean, decimals, digits, escape, folded, table
from bench.tasks import ALL, BEYOND, CLASSICAL

#: their order in a table; stated here, so that a board of old records renders whatever became of the methods
BACKENDS = ("numpy", "keras", "keras-jax", "torch")
OUTSIDE = "†"  # behind a method that is not of this repository: its name has a dot
DISTURBED = "?"  # behind a time that was taken on a busy machine
GAIN = 1.1  # from which ratio of errors on a learning rate counts as better in words
WIDTH = 120  # characters of a line of text
SHOWN = 20  # records left out, and files that are none, that are named one by one
SEEDS_SHOWN = 20  # with a column each: more are no table that a page has room for

FULL_HEADERS = [
    "rank", "method", "backend", "last-step MSE", "val MSE", "test MSE", "skill (%)", "fit s", "predict ms",
    "parameters", "notes' figure", "ratio", "seeds",
]  # fmt: skip

LIMIT = "× limit"  # a row's error over the reference method's

LEGEND = """\
Left to right: last-step MSE in each backend (mean over seeds), fit seconds in each backend, and the notes' last-step
MSE where they have one. Rows are ranked by the mean over backends. *Italic* figures are NumPy's, for methods without a
network; `?` marks times taken on a disturbed machine."""

TIES = """\
Rows that share a rank cannot be told apart by their seeds: differences paired by seed, Student's t, Holm's correction
over all pairs of the table, 5 % for the whole table. A rank is one more than the number of rows that are better beyond
chance. Rows that share fewer than two seeds are ranked by their means alone."""

NATIVE = """\
Last-step MSE over common seeds: with Keras' defaults in every framework, as all other rows have them, and with each
framework's own starting values, epsilons, momenta and biases (`--defaults native`)."""

TUNED = """\
Each network at the learning rate that is best for it among {rates}: one run at each, on the training series alone, a
fifth of them split off to score on. Then trained on all training series and scored on the **test** series, which served
no choice. Nothing else is changed, and every method gets the same: `python -m bench tune` does it. `*`: the rate is at
the end of those tried. Methods without a learning rate are there to compare."""

OVER_TASKS = """\
**skill**: percent of the naive forecast's error that a method saves, from the geometric mean over tasks of the ratio of
the two. **win rate**: share of comparisons with the table's other methods, over its tasks, that it wins; a tie is half
a win. In brackets 95 % intervals by bootstrap over tasks. A table has the methods with results on each of its tasks."""

ANYTIME = """\
Each method in the backend that is best at that time, mean over seeds, undisturbed runs alone. Seconds are those of
`fit s`; a blank is a first epoch that was not over yet. A run is looked at on its way, at the last epoch within the
time: one that was planned to end there, with a learning rate that falls by then, may be better."""

HOW_TO_READ = """\
- **last-step MSE**: mean squared error of the H values forecast from the last history step, on the validation series;
  it means the same for every method, so it ranks them. Mean over seeds ± half of its 95 % interval (Student's t). With
  one seed there is no interval: close neighbours may have changed places by chance.
- **Rank in a summary**: by the mean over the backends that have a result, each weighing the same, so that a method
  gains nothing from having been run in more of them. The full table ranks each method × backend by its own mean.
- **val MSE**: over all that a method is trained to output. Sequence methods forecast at every step, also early ones
  with little to go by, so it is larger there. **test MSE**: as last-step MSE, on series that serve no choice.
- **skill**: the share of the naive forecast's error that a method saves; 0 % is no better than repeating the last
  season (`seasonal_naive`, where it has a result), or, where there is none, the last value (`last_value`).
- **fit s**: training on one core, one thread; median over seeds. Start, imports, building, compilation (the first step)
  and validation are not in it. `?`: every run was disturbed by other work, so the time stays out of the Pareto front.
- **predict ms**: forecasting all validation series once; median of at least 5 times.
- **notes' figure**: last-step MSE as the notes print it, and **ratio**: ours to theirs. Their ten-step `last_value`
  (0.2119) is left out: it repeats the last target value, which a forecaster cannot know.
- **seeds**: results that count; `2 of 3` when a seed failed. `_as_printed` methods repeat the notes' code where it
  departs from its own formula. `rnn_sequence` trains at learning rate 0.01, most others at 0.001, as in the notes."""


def order(backends: Iterable[str]) -> list[str]:
    """Backends in the board's order, unknown ones after the known."""
    present = set(backends)
    return [name for name in BACKENDS if name in present] + sorted(present - set(BACKENDS))


def label(method: str, changed: str = "") -> str:
    """A row's name: the method, marked where it is not of this repository, with its changed settings in brackets."""
    marked = f"{method}{OUTSIDE}" if "." in method else method
    return f"{marked} ({changed})" if changed else marked


def seconds(value: float, valid: bool = True) -> str:
    """Seconds or milliseconds with about three digits, marked where only disturbed runs were timed."""
    text = decimals(value, 0 if value >= 100 else 1 if value >= 10 else 2)
    return text if valid or text == NOTHING else text + DISTURBED


def spread(mean: float, interval: float) -> str:
    """A mean and half its interval to the same decimal place; the mean alone where there is no interval."""
    text = digits(mean)
    if not math.isfinite(interval):
        return text
    half = digits(interval, 2) if "e" in text else decimals(interval, len(text.partition(".")[2]))
    return f"{text} ± {half}"


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """The rows one by one, columns as attributes."""
    yield from rows.itertuples()


def summary(methods: pd.DataFrame, rows: pd.DataFrame, failed: pd.DataFrame) -> str:
    """One row per method: its error in each backend side by side, its fit seconds likewise, the notes' figure.

    Methods without a network run in NumPy alone: their figures share the first column, in italics, as a column of
    their own would be empty but for them and make the table too wide for a screen.
    """
    cells = {(row.method, row.backend): row for row in each(rows)}
    alike = failed[(failed["changed"] == "") & failed["method"].isin(rows["method"])]
    lost = {(row.method, row.backend): escape(row.status) for row in each(alike)}
    backends = order({backend for _, backend in [*cells, *lost]})
    shared = _shares_column(rows, backends)
    columns = backends[1:] if shared else backends

    def pair(method: str, backend: str) -> tuple[str, str]:
        row: Any = cells.get((method, backend))
        if row is not None:
            return digits(row.last_step_mse), seconds(row.fit_seconds, row.timing_valid)
        if shared and backend == columns[0] and (method, "numpy") in cells:
            error, fit = pair(method, "numpy")
            return f"*{error}*", f"*{fit}*"
        return lost.get((method, backend), ""), ""

    lines, noted = [], bool(methods["notes"].notna().any())
    for row in each(methods):
        pairs = [pair(row.method, backend) for backend in columns]
        errors, times = [error for error, _ in pairs], [fit for _, fit in pairs]
        lines.append([str(row.rank), escape(label(row.method)), *errors, *times, *[digits(row.notes)] * noted])
    names = [escape(name) + (", *numpy*" if shared and name == columns[0] else "") for name in columns]
    times_of = [f"{escape(name.removeprefix('keras-'))} s" for name in columns]
    return table(["#", "method", *names, *times_of, *["notes"] * noted], lines, left=[1])


def _shares_column(rows: pd.DataFrame, backends: Sequence[str]) -> bool:
    if len(backends) < 2 or backends[0] != "numpy":
        return False
    own = set(rows.loc[rows["backend"] == "numpy", "method"])
    return own.isdisjoint(rows.loc[rows["backend"] == backends[1], "method"])


def full_table(rows: pd.DataFrame) -> str:
    """One row per method, backend and changed settings, with every measure; how far from the limit, where one is."""
    headers, lines = FULL_HEADERS, [_full_row(row) for row in each(rows)]
    if rows["to_limit"].notna().any():
        headers = [*headers, LIMIT]
        lines = [[*line, decimals(row.to_limit)] for line, row in zip(lines, each(rows), strict=True)]
    return table(headers, lines, left=[1, 2])


def _full_row(row: Any) -> list[str]:
    seeds = str(row.seeds) if row.seeds == row.seeds_tried else f"{row.seeds} of {row.seeds_tried}"
    return [
        str(row.rank), escape(label(row.method, row.changed)), escape(row.backend),
        spread(row.last_step_mse, row.interval), digits(row.val_mse), digits(row.test_mse), decimals(row.skill),
        seconds(row.fit_seconds, row.timing_valid), seconds(row.predict_ms, row.timing_valid),
        f"{row.parameters:,.0f}" if row.parameters == row.parameters else NOTHING,
        digits(row.notes), decimals(row.ratio, 2), seeds,
    ]  # fmt: skip


def every_seed(rows: pd.DataFrame) -> str:
    """The errors of the rows with several seeds, each of the first seeds a column; empty where no row has several."""
    several = rows[rows["seeds"] > 1]
    if several.empty:
        return ""
    known = sorted(set().union(*several["by_seed"]))
    seeds = known[:SEEDS_SHOWN]
    which = "every seed" if seeds == known else f"the first {len(seeds)} of {len(known):,} seeds"
    lines = [
        [escape(label(row.method, row.changed)), escape(row.backend)]
        + [digits(row.by_seed.get(seed, math.nan)) for seed in seeds]
        for row in each(several)
    ]
    headers = ["method", "backend", *(f"seed {seed}" for seed in seeds)]
    return f"**Last-step MSE of {which}**\n\n{table(headers, lines, left=[0, 1])}\n\n{TIES}"


def cost_of_native(rows: pd.DataFrame) -> str:
    """What the frameworks' own defaults do to the error; empty where none ran with them."""
    if rows.empty:
        return ""
    lines = [
        [
            escape(row.method),
            escape(row.backend),
            digits(row.equal),
            digits(row.native),
            decimals(row.ratio, 2),
            str(row.seeds),
        ]
        for row in each(rows)
    ]
    headers = ["method", "backend", "equal defaults", "native defaults", "ratio", "seeds"]
    return f"**What the frameworks' own defaults do**\n\n{table(headers, lines, left=[0, 1])}\n\n{NATIVE}"


def tuned(rows: pd.DataFrame) -> list[str]:
    """The tuned section: what a learning rate of its own does for each network; empty where none was searched."""
    if rows.empty:
        return []
    rates = sorted(set().union(*rows["errors"]))
    explained = textwrap.fill(TUNED.format(rates=_listed([f"{rate:g}" for rate in rates])), WIDTH)
    tried = rows[rows["errors"].astype(bool)]
    searched = table(
        ["method", "backend", *(f"{rate:g}" for rate in rates)],
        [[escape(row.method), escape(row.backend), *_searched(row.errors)] for row in each(tried)],
        left=[0, 1],
    )
    headers = ["rank", "method", "backend", "rate", "test MSE", "notes' rate", "test MSE then", "rank then", "seeds"]
    found = folded("The search: last-step MSE on the series split off, by learning rate (smallest in bold)", searched)
    lines = [_tuned_row(row, rates) for row in each(rows)]
    return [
        "### At a learning rate of its own",
        explained,
        what_changes(rows),
        table(headers, lines, left=[1, 2]),
        found,
    ]


def _tuned_row(row: Any, rates: Sequence[float]) -> list[str]:
    if not row.errors:  # no learning rate
        rate = own_rate = NOTHING
    else:
        rate = f"{row.rate:g}" + ("*" if row.rate in (rates[0], rates[-1]) else "")
        own_rate = f"{row.own_rate:g}"
    return [
        str(row.rank), escape(row.method), escape(row.backend), rate, spread(row.tuned, row.interval),
        own_rate, digits(row.own), str(row.own_rank), str(row.seeds),
    ]  # fmt: skip


def _searched(errors: Mapping[float, float]) -> list[str]:
    """A row of the search: its smallest error in bold."""
    least = min(error for error in errors.values() if math.isfinite(error))
    shown = [digits(errors[rate]) if math.isfinite(errors[rate]) else "diverged" for rate in sorted(errors)]
    return [f"**{text}**" if errors[rate] == least else text for rate, text in zip(sorted(errors), shown, strict=True)]


def what_changes(rows: pd.DataFrame) -> str:
    """In words, what the searched rates do to the errors and the ranking."""
    networks = rows[rows["errors"].astype(bool)]
    gains = networks.assign(gain=networks["own"] / networks["tuned"])
    better, worse = gains[gains["gain"] > GAIN], gains[gains["gain"] < 1 / GAIN]
    (first, *_), (before, *_) = each(networks), each(networks.sort_values("own", kind="stable"))
    lines = [
        f"{len(better)} of {len(networks)} rows get better by more than a tenth, {len(worse)} worse.",
        f"Best among the networks: {_named(first)} with {digits(first.tuned)}, rank {first.rank};",
        f"at the notes' rates {_named(before)} with {digits(before.own)}, now rank {before.rank}.",
    ]
    most = gains.sort_values("gain", ascending=False, kind="stable").head(3)
    moved = [
        f"{_named(row)} from {digits(row.own)} to {digits(row.tuned)}, rank {row.own_rank} to {row.rank}"
        for row in each(most[most["gain"] > GAIN])
    ]
    return textwrap.fill(" ".join([*lines, *([f"Most gained: {'; '.join(moved)}."] if moved else [])]), WIDTH)


def _named(row: Any) -> str:
    return f"`{row.method}` in {row.backend}"


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def over_tasks(rows: pd.DataFrame) -> str:
    """How methods do over several tasks, with intervals."""

    def percent(value: float, low: float, high: float) -> str:
        return f"{decimals(value)} ({decimals(low)} to {decimals(high)})"

    lines = [
        [
            escape(row.method),
            percent(row.skill, row.skill_low, row.skill_high),
            percent(100 * row.win_rate, 100 * row.win_rate_low, 100 * row.win_rate_high),
        ]
        for row in each(rows)
    ]
    return table(["method", "skill (%)", "win rate (%)"], lines, left=[0])


def beyond(methods: Iterable[str]) -> str:
    """Which rows go beyond the notes; empty where none does."""
    found = [f"`{name}`" for name in BEYOND if name in set(methods)]
    words = "Networks that the notes do not have, or training that they do not do"
    return f"{words}:\n{', '.join(found)}." if found else ""


def beside_classical(rows: pd.DataFrame) -> str:
    """Which networks beat the best classical method, on validation and on test series; empty without either kind."""
    classical = rows[rows["method"].isin(CLASSICAL)]
    networks = rows[rows["backend"] != "numpy"]
    if classical.empty or networks.empty:
        return ""
    names = ", ".join(f"`{name}`" for name in CLASSICAL if name in set(classical["method"]))
    lines = [f"Networks beside the best of the classical methods ({names}):", ""]
    for where, measure in (("validation", "last_step_mse"), ("test", "test_mse")):
        best = classical.sort_values([measure, "method"]).iloc[0]
        errors = networks.groupby("method")[measure].mean().sort_values()
        better, worse = (
            ", ".join(f"`{escape(name)}`" for name in errors.index[chosen]) or "none"
            for chosen in (errors < best[measure], errors >= best[measure])
        )
        reached = f"`{best['method']}` has {digits(best[measure])}"
        lines.append(f"- on the {where} series {reached}. Better: {better}. Worse: {worse}.")
    return "\n".join(lines)


def best_at(found: pd.DataFrame) -> str:
    """The best row after each of the anytime budgets; empty where there is none."""
    lines = []
    for budget in anytime.BUDGETS:
        rows = found[found[f"error_{budget}"].notna()]
        if len(rows):
            best = rows.sort_values([f"error_{budget}", "method", "changed"], kind="stable").iloc[0]
            name, backend = escape(label(best["method"], best["changed"])), escape(best[f"backend_{budget}"])
            lines.append(f"- {budget} s: {name} in {backend}, {digits(best[f'error_{budget}'])}")
    return (
        "\n".join(["Which row is the best after so much training, whatever becomes of it later:", "", *lines])
        if lines
        else ""
    )


def at_each_time(found: pd.DataFrame) -> str:
    """The error of every row after each of the anytime budgets; empty where there is none."""
    lines = []
    for row in found.to_dict("records"):
        pairs = [(row[f"error_{budget}"], row[f"backend_{budget}"]) for budget in anytime.BUDGETS]
        cells = ["" if math.isnan(error) else f"{digits(error)} {escape(backend)}" for error, backend in pairs]
        lines.append([escape(label(row["method"], row["changed"])), *cells])
    headers = ["method", *(f"after {budget} s" for budget in anytime.BUDGETS)]
    return f"{table(headers, lines, left=[0])}\n\n{ANYTIME}" if lines else ""


def failures(failed: pd.DataFrame) -> str:
    """One row per method, backend and reason, with the seeds that ended so; empty when none did."""
    if failed.empty:
        return ""
    names = ["method", "changed", "backend", "status", "reason"]
    lines = []
    for row in each(failed.groupby(names, as_index=False).agg(seeds=("seed", sorted))):
        seeds = ", ".join(map(str, row.seeds))
        method = escape(label(row.method, row.changed))
        lines.append([method, escape(row.backend), escape(row.status), seeds, escape(row.reason)])
    headers = ["method", "backend", "status", "seeds", "reason"]
    return f"**Failed, not ranked**\n\n{table(headers, lines, left=range(5))}"


def commands(
    task: str, quick: bool, rows: pd.DataFrame, seeds: Sequence[int], *,
    data: Sequence[str] = (), references: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """What to type to make the task's default rows again: methods outside the task's default set are named.

    data: the options that name series from a file; then every method is named. references: how to name methods from
    outside.
    """
    known = ALL.get(task)
    outsiders = references or {}
    own = {name for name in set(rows["method"]) if known is not None and known.runs(name) and name not in outsiders}
    extra = sorted(set(rows["method"]) - own) if known or data else []
    backends = [word for name in order(rows["backend"]) for word in ("--backend", name)]
    named = [word for name in extra for word in ("--method", outsiders.get(name, name))]
    start = ["python", "-m", "bench", "run", *(data or ["--task", task])]
    end = ["--seeds", ",".join(map(str, seeds)), *backends, *(["--quick"] if quick else [])]
    lines = ([[*start, *end]] if own or not extra else []) + ([[*start, *named, *end]] if extra else [])
    text = "\n".join(clean(shlex.join(words), 10_000) for words in [*lines, ["python", "-m", "bench", "leaderboard"]])
    return f"```sh\n{text}\n```"


def machines(runs: Iterable[Run]) -> str:
    """The machines, package versions and commits of these runs, each once, with how many runs they made."""
    computers: Counter[str] = Counter()
    versions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    commits: Counter[str] = Counter()
    for run in runs:
        environment = run.environment
        computers[_computer(environment)] += 1
        commits[_commit(environment)] += 1
        packages = environment.get("packages")
        for name, version in packages.items() if isinstance(packages, dict) else ():
            versions[name][version] += 1
    lines = [f"- {escape(name)}: {count} runs" for name, count in sorted(computers.items())]
    lines += [f"- packages: {', '.join(f'{escape(name)} {_all(found)}' for name, found in sorted(versions.items()))}"]
    return "\n".join([*lines, f"- commit: {_all(commits)}"])


def _computer(environment: dict[str, Any]) -> str:
    known = {name: value for name, value in environment.items() if value is not None}
    memory = f"{known['memory_gib']} GiB" if "memory_gib" in known else None
    cores = f"{known['cores']} cores" if "cores" in known else None
    threads = f"{known['threads']} thread per run" if "threads" in known else None
    system = " ".join(str(known[name]) for name in ("os", "architecture") if name in known)
    python = f"Python {known['python']}" if "python" in known else None
    parts = [known.get("cpu"), cores, memory, known.get("gpu"), system, python, threads]
    return ", ".join(str(part) for part in parts if part) or "unknown machine"


def _commit(environment: dict[str, Any]) -> str:
    commit = environment.get("commit")
    return f"{str(commit)[:12]}{' with changes' if environment.get('dirty') else ''}" if commit else "not in a checkout"


def _all(found: Counter[str]) -> str:
    if len(found) == 1:
        return escape(next(iter(found)))
    return " / ".join(f"{escape(name)} ({count} runs)" for name, count in sorted(found.items()))


def left_out(records: pd.DataFrame, problems: Sequence[str]) -> str:
    """Records that do not count and files that are none, with the reasons; empty when there are none."""
    lines = [
        f"{row.task}, {row.method}, {row.backend}, seed {row.seed}, key {row.key}: {row.why}"
        for row in each(records.head(SHOWN))
    ]
    lines += list(problems)[:SHOWN]
    more = len(records) + len(problems) - len(lines)
    listed = [f"- {escape(line, 300)}" for line in lines] + ([f"- and {more} more"] if more else [])
    return "\n".join(["## Left out", "", *listed]) if listed else ""
