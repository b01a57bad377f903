"""What the ranking claims, on boards whose truth is known; and its arithmetic, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bench.analysis import simulation, statistics
from bench.analysis.statistics import better, copies, half_widths, holm, means_over_seeds, places


def noisy(spread: float, mean: float = 0.0, seeds: int = 5, seed: int = 0) -> np.ndarray:
    """Log errors of one row."""
    return mean + np.random.default_rng(seed).normal(0, spread, seeds)


@pytest.mark.parametrize("series", [0, 1_000, 20_000])
def test_equal_methods_are_told_apart_on_few_boards(series: int) -> None:
    """A/A: of 300 boards of 38 equal methods, at most 6 % hold any claim; 5 % are promised."""
    assert simulation.false_boards(300, 5, series) <= 0.06


def test_power_is_as_measured() -> None:
    """Five seeds, a spread of 5 %: docs/protocol.md has the table; a rate of 200 boards has an error of 4 points."""
    found = [simulation.power(200, 5, ratio) for ratio in (1.1, 1.2, 1.5)]
    assert found == pytest.approx([0.05, 0.56, 1.0], abs=0.1)
    assert simulation.power(100, 15, 1.1) > 0.7


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    assert simulation.coverage(100, 5) == pytest.approx(0.95, abs=0.02)
    assert simulation.coverage(100, 10, series=1_000) == pytest.approx(0.95, abs=0.02)


def test_rank_intervals_hold_all_true_ranks() -> None:
    assert simulation.false_ranks(100, 5) <= 0.06


def test_without_moderation_one_row_alone_has_students_interval() -> None:
    errors = np.array([0.010, 0.013, 0.011, 0.018])
    rows = means_over_seeds(np.log(errors)[None])
    half = half_widths(rows)[0]
    low, high = stats.t.interval(0.95, 3, loc=np.log(errors).mean(), scale=stats.sem(np.log(errors)))
    assert rows.mean[0] - half == pytest.approx(low) and rows.mean[0] + half == pytest.approx(high)


def test_the_prior_is_found_again() -> None:
    """Variances drawn from a scaled inverse chi-square distribution: Smyth's estimates come near to its parameters."""
    random = np.random.default_rng(1)
    freedom, value = 6.0, 0.04
    variances = freedom * value / random.chisquare(freedom, 4000) * random.chisquare(4, 4000) / 4
    found_freedom, found = statistics.prior_of(variances, np.full(4000, 4.0))
    assert found_freedom == pytest.approx(freedom, rel=0.15) and found == pytest.approx(value, rel=0.05)


def test_moderation_draws_variances_to_their_common_size() -> None:
    logs = np.array([noisy(0.1, seed=seed) for seed in range(20)])
    plain, moderated = (means_over_seeds(logs, moderate=one).variance for one in (False, True))
    assert moderated.std() < plain.std() / 2
    assert np.all((moderated - plain) * (np.median(plain) - plain) >= -1e-4)


def test_a_row_with_one_seed_has_the_common_spread_or_none() -> None:
    logs = np.full((7, 5), np.nan)
    logs[:6] = [noisy(0.1, seed=seed) for seed in range(6)]
    logs[6, 0] = 0.0
    assert means_over_seeds(logs).variance[6] == pytest.approx(0.01, rel=0.5)
    assert np.isnan(means_over_seeds(logs[4:]).variance[2]) and not better(logs[4:]).any()


def test_two_rows_of_a_board_are_welchs_test() -> None:
    """Few rows, so no moderation: t, degrees of freedom and p are scipy's, after the margin is taken off."""
    first, second = noisy(0.02, seed=1), noisy(0.06, 0.3, seed=2)
    p_value = stats.ttest_ind(first, second - np.log(1.01), equal_var=False).pvalue
    logs = np.array([first, second])
    assert better(logs, level=p_value * 1.001)[0, 1] and not better(logs, level=p_value * 0.999).any()


def test_differences_within_the_margin_are_none() -> None:
    logs = np.log([[0.01] * 5, [0.010099] * 5, [0.0103] * 5])
    assert better(logs).tolist() == [[False, False, True], [False, False, True], [False] * 3]


def test_methods_without_chance_are_told_apart_unless_series_add_some() -> None:
    logs = np.log([[0.01] * 5, [0.0102] * 5])
    assert better(logs)[0, 1]
    random = np.random.default_rng(0)
    blocks = np.abs(1 + random.normal(0, 0.5, (2, 50)))
    assert not better(logs, blocks)[0, 1]
    alike = np.tile(blocks[:1], (2, 1)) * np.exp(logs[:, :1])
    assert better(logs, alike)[0, 1], "what both share does not blur their difference"


def test_p_values_weigh_the_seeds_and_the_series_by_their_shares_of_the_noise() -> None:
    noise = statistics.Noise(np.array([3.0, 0.0, 4.0, np.nan]), np.array([1.0, 4.0, 0.0, 1.0]), np.full(4, 2.5), 49)
    by_seeds, by_series = 2 * stats.t.sf(2.0, 2.5), 2 * stats.t.sf(2.0, 49)
    expected = [0.75 * by_seeds + 0.25 * by_series, by_series, by_seeds, 1.0]
    assert statistics.tail(np.full(4, 4.0), noise) == pytest.approx(expected)
    assert statistics.tail(np.full(4, -1.0), noise).tolist() == [1.0] * 4


def test_few_seeds_that_agree_do_not_hide_a_difference_beyond_the_noise_of_the_series() -> None:
    random = np.random.default_rng(0)
    spreads = 0.05 * np.exp(random.normal(0, 1.4, (30, 1)))
    logs = np.linspace(0, 4, 30)[:, None] + random.normal(0, 1, (30, 3)) * spreads
    logs[:2] = np.log([[1.0], [1.1]]) + random.normal(0, 0.001, (2, 3))
    blocks = np.exp(logs.mean(axis=1, keepdims=True)) * np.abs(1 + random.normal(0, 0.05, (30, 50)))
    assert better(logs, blocks)[0, 1]


def test_series_give_an_interval_to_a_method_without_chance() -> None:
    logs = np.log([[0.01] * 5])
    blocks = np.abs(1 + np.random.default_rng(0).normal(0, 0.2, (1, 50)))
    half = half_widths(means_over_seeds(logs), blocks)[0]
    expected = stats.t.ppf(0.975, 49) * blocks.std(ddof=1) / blocks.mean() / np.sqrt(50)
    assert half == pytest.approx(expected) and np.isnan(half_widths(means_over_seeds(logs))[0])


@pytest.mark.parametrize("start", range(5))
def test_rows_equal_to_a_ten_thousandth_always_tie(start: int) -> None:
    """lstm and lstm_cell: one competitor, whatever the others are."""
    random = np.random.default_rng(start)
    logs = random.normal(0, 1, (12, 1)) + random.normal(0, 0.1, (12, 5))
    logs[7] = logs[3] + random.uniform(-9e-5, 9e-5, 5)
    found = places(logs)
    assert all(column[3] == column[7] for column in found)
    assert copies(logs)[3] == copies(logs)[7] and len(set(copies(logs))) == 11


def test_places_and_their_intervals_by_hand() -> None:
    logs = np.log([[0.01] * 5, [0.02] * 5, [0.0201] * 5, [0.05] * 5])
    found = places(logs)
    assert found.place.tolist() == [1, 2, 3, 4]
    assert list(zip(found.low, found.high, strict=True)) == [(1, 1), (2, 3), (2, 3), (4, 4)]


def test_rows_without_common_seeds_are_compared_by_their_means() -> None:
    logs = np.full((2, 6), np.nan)
    logs[0, :3], logs[1, 3:] = noisy(0.02, seeds=3), noisy(0.02, 1.0, seeds=3)
    assert places(logs).place.tolist() == [1, 2] and better(logs)[0, 1]


def test_p_values_are_scipys() -> None:
    random = np.random.default_rng(1)
    errors = random.normal(1, 0.1, (8, 5))
    errors[2, 1] = errors[5, :3] = np.nan
    found = statistics.paired_t(errors[:-1] - errors[1:])
    expected = [stats.ttest_rel(*pair, nan_policy="omit").pvalue for pair in zip(errors[:-1], errors[1:], strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_holms_correction_is_that_of_statsmodels() -> None:
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])
    random = np.random.default_rng(0).uniform(0, 0.2, 50)
    np.testing.assert_allclose(holm(random), multipletests(random, method="holm")[1])
    assert len(holm(np.array([]))) == 0
