"""Intervals that hold together: against Tukey's studentized range, against simulation, and beside the single ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, studentized_range, t

from fastexec.analysis.cautions import uneven_days
from fastexec.statistics.few_days import calibrated_value, single_value
from fastexec.statistics.paired import Paired, compare_pair
from fastexec.statistics.simultaneous import FEW_DAYS, FEW_EPISODES, MAX_T_DAYS, critical_value, simultaneous


def contrasts(count):
    pairs = [(b, k) for b in range(count) for k in range(b + 1, count)]
    return np.stack([np.eye(count)[b] - np.eye(count)[k] for b, k in pairs], axis=1)


def material(costs, timings=None, days=None):
    """What a summary would say of costs[e, k] (and timings[e, k], of mean zero)."""
    count, k = costs.shape
    both = np.hstack((costs, np.zeros_like(costs) if timings is None else timings))
    centred = both - both.mean(axis=0)
    return Paired(
        strategies=[f"s{j}" for j in range(k)],
        count=count,
        mean=costs.mean(axis=0),
        timing_mean=both[:, k:].mean(axis=0),
        products=centred.T @ centred,
        wins=np.zeros((k, k)),
        completion=np.ones(k),
        control_variate=[timings is not None] * k,
        day_counts=None if days is None else np.bincount(days).astype(float),
        day_sums=None if days is None else np.stack([costs[days == d].sum(axis=0) for d in np.unique(days)]),
        models=["twap"] * k,
    )


@pytest.mark.parametrize("freedom", [4.0, 20.0, np.inf])
@pytest.mark.parametrize("count", [2, 4, 8])
def test_independent_costs_give_the_studentized_range(count, freedom):
    """Tukey: for independent costs of one variance the largest of all pairs is q / sqrt 2."""
    wanted = studentized_range.ppf(0.95, count, min(freedom, 1e5)) / np.sqrt(2.0)
    assert critical_value(contrasts(count), min(freedom, 1e5)) == pytest.approx(wanted, rel=0.01)


def test_one_pair_is_the_single_interval_and_more_pairs_are_wider_but_not_than_bonferroni():
    assert critical_value(contrasts(2), 1e5) == pytest.approx(norm.ppf(0.975), abs=0.02)
    for count in (3, 5, 9):
        found, pairs = critical_value(contrasts(count), 1e5), count * (count - 1) / 2
        assert norm.ppf(0.975) < found < norm.ppf(1.0 - 0.025 / pairs)


@pytest.mark.parametrize("controlled", [False, True])
def test_all_pairs_are_covered_together_in_95_of_100_studies(controlled):
    """400 studies of four correlated strategies: the share in which every true difference lies in its interval."""
    generator, covered, studies = np.random.default_rng(1), 0, 400
    true = np.array([0.0, 0.1, 0.1, 0.3])
    mixing = np.array([[1.0, 0.8, 0.6, 0.0], [0.0, 0.3, 0.2, 0.5], [0.1, 0.0, 0.4, 0.2], [0.2, 0.1, 0.0, 0.6]])
    for _ in range(studies):
        timings = generator.standard_normal((60, 4)) * np.array([3.0, 2.0, 1.0, 0.0])
        own = true + generator.standard_normal((60, 4)) @ mixing
        found = simultaneous(material(own + timings, timings) if controlled else material(own), 10_000)
        covered += all(
            found.against(f"s{b}", f"s{k}").low <= true[b] - true[k] <= found.against(f"s{b}", f"s{k}").high
            for b in range(4)
            for k in range(b + 1, 4)
        )
    error = np.sqrt(0.95 * 0.05 / studies)
    assert abs(covered / studies - 0.95) < 3.0 * error


def test_estimates_and_errors_are_those_of_the_comparison():
    generator = np.random.default_rng(2)
    timings = generator.standard_normal((500, 3))
    given = material(timings + 0.1 * generator.standard_normal((500, 3)), timings)
    found, row = simultaneous(given).against("s0", "s2"), compare_pair(given, 2, 0)
    assert (found.saving, found.error) == (row["saving_cv_bps"], row["standard_error_cv_bps"])
    assert found.controlled
    assert found.low < row["ci_low_cv_bps"]
    back = simultaneous(given).against("s2", "s0")
    assert (back.saving, back.low, back.high) == pytest.approx((-found.saving, -found.high, -found.low), rel=1e-9)


def test_days_are_clusters_and_few_of_them_tell_nothing():
    generator = np.random.default_rng(3)
    days = np.repeat(np.arange(6), 20)
    costs = generator.standard_normal((120, 3)) + generator.standard_normal((6, 3))[days]
    found = simultaneous(material(costs, days=days))
    assert found.against("s0", "s1").error == compare_pair(material(costs, days=days), 1, 0)["standard_error_bps"]
    assert found.critical > 2.571  # the single interval's Student t of 5 degrees of freedom
    few = simultaneous(material(costs[:80], days=days[:80]))
    assert np.isnan(few.critical)
    assert not few.against("s0", "s1").known


def test_equal_strategies_differ_by_nothing():
    costs = np.random.default_rng(4).standard_normal((50, 1)) @ np.ones((1, 3))
    found = simultaneous(material(costs))
    assert found.critical == 0.0
    assert not found.against("s0", "s1").shown
    assert (found.against("s0", "s1").low, found.against("s0", "s1").high) == (0.0, 0.0)


def some_days(generator, sizes, strategies):
    """Costs[e, k] whose truth is 0 and the day of each, with effects of the days in common to its episodes."""
    days = np.repeat(np.arange(len(sizes)), sizes)
    spread = np.linspace(1.0, 3.0, strategies)
    return (generator.standard_normal((len(sizes), strategies)) * spread)[days], days


@pytest.mark.parametrize("sizes", [[8] * 5, [2, 5, 8, 11, 14]], ids=["alike", "uneven"])
@pytest.mark.parametrize("strategies", [3, 10])
def test_on_few_days_all_pairs_are_covered_together(strategies, sizes):
    """Max-t with correlations of five days covered .70 of ten strategies; ``scripts/verify_intervals.py`` measures more."""
    generator, sets, covered = np.random.default_rng(5), 400, 0
    for _ in range(sets):
        costs, days = some_days(generator, sizes, strategies)
        found = simultaneous(material(costs, days=days))
        covered += all(d.low <= 0.0 <= d.high for d in found.differences.values())
    assert 0.915 < covered / sets < 0.99
    assert found.method == FEW_DAYS


@pytest.mark.parametrize("controlled", [False, True])
def test_on_few_episodes_all_pairs_are_covered_together(controlled):
    generator, sets, covered = np.random.default_rng(7), 400, 0
    for _ in range(sets):
        timings = generator.standard_normal((12, 6)) * 3.0
        own = generator.standard_normal((12, 6))
        found = simultaneous(material(own + timings, timings) if controlled else material(own))
        covered += all(d.low <= 0.0 <= d.high for d in found.differences.values())
    assert 0.915 < covered / sets < 0.985
    assert found.method == FEW_EPISODES


def test_many_days_have_their_correlations_estimated():
    generator = np.random.default_rng(6)
    costs, days = some_days(generator, [1] * 40, 3)
    many, few = (simultaneous(material(costs[:n], days=days[:n])) for n in (40, 20))
    assert (many.method, few.method) == (MAX_T_DAYS, FEW_DAYS)
    assert many.critical < few.critical < norm.ppf(1.0 - 0.05 / 6) * 1.2


def test_uneven_days_need_a_wider_interval_and_their_order_does_not_matter():
    even, uneven = (calibrated_value(np.array(sizes), 4, 0.95) for sizes in ([10.0] * 6, [2.0, 4, 9, 11, 16, 18]))
    assert even * 1.05 < uneven
    assert calibrated_value(np.array([18.0, 2, 9, 16, 4, 11]), 4, 0.95) == uneven
    assert calibrated_value(np.array([20.0] * 6), 4, 0.95) == even


def test_two_strategies_on_days_alike_have_students_t():
    assert calibrated_value(np.full(7, 3.0), 2, 0.95) == pytest.approx(t.ppf(0.975, 6), rel=0.01)


@pytest.mark.parametrize(
    ("counts", "covered"),
    [([10, 25, 40, 55, 70], 0.917), ([1, 1, 1, 1, 10], 0.70), ([5, 5, 5, 40, 40], 0.82), ([1] * 9 + [20], 0.50)],
)
def test_one_interval_on_few_uneven_days_says_how_wide_it_should_be(counts: list[int], covered: float) -> None:
    """Means of days of one variance, drawn here: what Student's t covers, and what the calibrated multiplier does."""
    shares = np.array(counts) / sum(counts)
    means = np.random.default_rng(6).standard_normal((40_000, len(counts)))
    saving = means @ shares
    scores = (means - saving[:, None]) * shares
    error = np.sqrt(len(counts) / (len(counts) - 1) * (scores * scores).sum(axis=1))
    found = single_value(np.array(counts, float))
    assert found is not None
    plain, right = found
    assert (np.abs(saving) <= plain * error).mean() == pytest.approx(covered, abs=0.01)
    assert (np.abs(saving) <= right * error).mean() == pytest.approx(0.95, abs=0.005)


def test_even_days_and_many_say_nothing() -> None:
    assert single_value(np.full(5, 12.0)) is None
    assert single_value(np.array([30.0] * 9 + [29.0])) is None
    assert single_value(np.linspace(10.0, 70.0, 60)) is None


def test_tables_say_that_single_intervals_on_uneven_days_are_too_narrow() -> None:
    rng, days = np.random.default_rng(8), np.repeat(np.arange(5), [10, 25, 40, 55, 70])
    own = material(rng.standard_normal((200, 2)) + rng.standard_normal((5, 2))[days], days=days)
    assert "to cover 95 % they must reach 3.3" in uneven_days([own])
    assert "not 2.78" in uneven_days([own])
    even = np.repeat(np.arange(5), 40)
    assert uneven_days([material(rng.standard_normal((200, 2)), days=even)]) == ""
