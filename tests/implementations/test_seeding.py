"""What is trained on and what is held out."""

from __future__ import annotations

import numpy as np
import pytest

from implementations.training.seeding import split_in_time


def test_what_is_held_out_of_a_series_is_apart_in_time() -> None:
    """Windows overlap: neighbours of those held out would tell what they forecast."""
    places = np.array([(series, start) for series, count in ((0, 60), (1, 40), (2, 5)) for start in range(count)])
    places = places[::-1]
    train, out = split_in_time(places, 0.2, 10)
    for series in (0, 1):
        kept, held = (places[part][places[part][:, 0] == series, 1] for part in (train, out))
        assert kept.max() + 10 == held.min() and held.max() == (59, 39)[series]
    assert not (places[np.concatenate([train, out])][:, 0] == 2).any()
    with pytest.raises(ValueError, match="needed a gap of 100 steps"):
        split_in_time(places, 0.2, 100)
