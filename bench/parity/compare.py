"""How far two engines' arrays are apart, by what and by layer, and the first layer where they are too far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

#: what is compared, in this order, and the largest difference allowed: relative, over the layer, in the maximum norm
BARS = {"start": 1e-6, "float32": 1e-5, "float64": 1e-10, "loss": 1e-5, "gradient": 1e-4, "steps": 1e-4}
BACKWARD = ("gradient",)  # computed from the last layer to the first

Found = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Verdict:
    """One method in two engines: the largest difference by what, and where the first that is too large is."""

    method: str
    engine: str
    reference: str
    differences: dict[str, float]
    problem: str | None = None

    def row(self) -> dict[str, str | float | None]:
        """Return the row for programs: null for what is infinite or could not be compared."""
        finite = {what: value if np.isfinite(value) else None for what, value in self.differences.items()}
        return {
            "method": self.method,
            "engine": self.engine,
            "reference": self.reference,
            **finite,
            "problem": self.problem,
        }


def compare(method: str, engine: str, reference: str, got: Found, expected: Found) -> Verdict:
    """Return whether an engine's arrays are the reference's."""
    for name, found in ((engine, got), (reference, expected)):
        if "error" in found:
            return Verdict(method, engine, reference, {}, f"{name} failed: {found['error']}")
    layers = [str(name) for name in got["layers"]]
    if len(layers) != len(expected["layers"]):
        there = ", ".join(expected["layers"])
        return Verdict(
            method, engine, reference, {}, f"layers: {', '.join(layers)} in {engine}, {there} in {reference}"
        )
    worst: dict[str, float] = {}
    problem = None
    for what, bar in BARS.items():
        by_layer = differences(what, got, expected)
        worst[what] = max(by_layer.values())
        wrong = [place for place, difference in by_layer.items() if not difference <= bar]
        if wrong and problem is None:
            place = wrong[-1 if what in BACKWARD else 0]
            where = f" of layer {place}, {layers[place - 1]}" if place else ""
            problem = f"{what}{where}: {by_layer[place]:.1e}, allowed {bar:.0e}"
    return Verdict(method, engine, reference, worst, problem)


def differences(what: str, got: Found, expected: Found) -> dict[int, float]:
    """Return the difference by layer, the first is 1, those without arrays left out.

    What belongs to no layer has place 0.
    """
    parts: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for name in sorted({name for found in (got, expected) for name in found if name.split("/")[0] == what}):
        place = int(name.split("/")[1]) if "/" in name else 0
        parts.setdefault(place, []).append((got.get(name, np.empty(0)), expected.get(name, np.empty(0))))
    return {place: difference(pairs) for place, pairs in sorted(parts.items())}


def difference(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the largest difference in a layer's arrays over the largest value in them.

    Infinite for other shapes or a NaN.
    """
    if any(got.shape != expected.shape for got, expected in pairs):
        return float("inf")
    furthest = np.max([np.abs(got.astype(np.float64) - expected).max() for got, expected in pairs])
    largest = np.max([np.abs(expected.astype(np.float64)).max() for _, expected in pairs])
    ratio = furthest / largest if largest else furthest
    return float(ratio) if np.isfinite(ratio) else float("inf")
