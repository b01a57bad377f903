"""Numbers from the command line against the machine's memory: refused, with the estimate, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

import psutil

from bench.campaigns.request import Setting
from bench.errors import UsageError
from implementations import METHODS

#: settings whose memory grows with their square: a layer of n units has n x n weights, kept with three moments
SQUARE = {"units", "second_units", "hidden", "filters", "windows"}
BYTES_SQUARED = 16
#: bytes for each of them, at least: a network of the smallest size, a layer, a block, a head, ...
EACH = {"members": 2**18, "layers": 2**16, "blocks": 2**16}
LEAST_EACH = 2**10
#: methods whose layers have zeros before them, twice as many as the layer before
DOUBLING = ("tcn", "wavenet", "wavenet_as_printed")
MOST_DOUBLED = 64  # layers: more of them have no number of bytes that is worth printing
FREE = {"epochs", "batch_size", "season_length", "shift", "stride"}  # they take no memory, or what the data bound
#: settings that count steps of a window, and how many of these have to be left
WITHIN = {"shift": 1, "patch": 0, "stride": 0, "window": 1, "rank": 1}
BYTES_AHEAD = 8 * 40  # of each step that a series is forecast: paths, origins, bounds and copies, in float64


def check_settings(method: str, settings: Mapping[str, Setting]) -> None:
    """Raise UsageError for a setting that needs more memory than the machine has."""
    for name, value in settings.items():
        if isinstance(value, int) and not isinstance(value, bool) and name not in FREE:
            each = EACH.get(name, LEAST_EACH)
            check(f"{method}.{name}={value}", BYTES_SQUARED * value**2 if name in SQUARE else each * value)
    if method in DOUBLING:
        layers, filters, batch = (int(settings[name] or 0) for name in ("layers", "filters", "batch_size"))
        check(f"{method}.layers={layers}", 4 * batch * filters * 2 ** (min(layers, MOST_DOUBLED) - 1))


def check_steps(method: str, settings: Mapping[str, Setting], history: int) -> None:
    """Raise UsageError for a setting of one of our methods that counts more steps than a window of `history` has."""
    for name, left in WITHIN.items() if method in METHODS and "." not in method else ():
        value = settings.get(name)
        if isinstance(value, int) and value > history - left:
            raise UsageError(
                f"{method}.{name}={value}: needed at most {history - left}, as a window has {history} steps"
            )


def check_ahead(steps: int | None) -> None:
    """Raise UsageError for more steps than the machine can forecast of one series."""
    if steps is not None:
        check(f"--ahead {steps}", BYTES_AHEAD * steps)


def check(what: str, estimate: int) -> None:
    """Raise UsageError for an estimate, in bytes, above the machine's memory."""
    there = psutil.virtual_memory().total
    if estimate > there:
        needed, has = estimate // 2**20, there // 2**20
        raise UsageError(f"{what}: needs at least {needed:,} MiB of memory, this machine has {has:,} MiB")
