"""What pictures show is kept short, however odd it is."""

from __future__ import annotations

import msgspec
from conftest import make_run

from bench.records.bounds import EXAMPLES, bounded
from bench.schema.record import Truth


def test_examples_without_a_step_stay_as_they_are() -> None:
    truth = Truth(history=[[]], future=[[]], imputed=0, description="")
    run = msgspec.structs.replace(make_run(), examples=[[], []], truth=truth)
    assert bounded(run) == run


def test_one_whole_example_of_a_long_horizon_is_cut() -> None:
    run = msgspec.structs.replace(make_run(), examples=[[1.0] * (EXAMPLES + 1)] * 2)
    assert bounded(run).examples == [[1.0] * EXAMPLES]
