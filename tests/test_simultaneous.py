"""Intervals that hold together: against Tukey's studentized range, against simulation, and beside the single ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, studentized_range

from fastexec.analysis.simultaneous import critical_value, simultaneous
from fastexec.studies.paired import Paired, compare_pair


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
