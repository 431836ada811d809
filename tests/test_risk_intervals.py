"""The report's mean against risk: its intervals along the risk cover known truths, by episodes and by days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from fastexec.analysis.report.costs import risk_chart
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.risk import RiskIntervals
from fastexec.analysis.report.rows import read_rows
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.studies.study import Study

EPISODES, SETS = 2000, 600
TAIL = norm.pdf(norm.ppf(0.95)) / 0.05  # mean of a standard normal's worst 5 %


def normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return 3.0 + 7.0 * rng.standard_normal(shape)


def skewed(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return np.exp(0.5 * rng.standard_normal(shape))


SKEWED_SD = np.sqrt(np.exp(0.25) * (np.exp(0.25) - 1.0))
SKEWED_TAIL = np.exp(0.125) * norm.cdf(0.5 - norm.ppf(0.95)) / 0.05
LAWS: dict[str, tuple[Callable[..., np.ndarray], float, float]] = {
    "normal": (normal, 7.0, 3.0 + 7.0 * TAIL),
    "skewed": (skewed, SKEWED_SD, SKEWED_TAIL),
}


def gathered(costs: np.ndarray, days: np.ndarray | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Intervals of columns of costs, float64[e, k], taken in two blocks."""
    q = np.quantile(costs, 0.95, axis=0)
    tail = q + np.maximum(costs - q, 0.0).mean(axis=0) / 0.05
    found = RiskIntervals(costs.mean(axis=0), costs.std(axis=0, ddof=1), q, tail)
    for part in (slice(0, 700), slice(700, None)):
        found.add(costs[part], None if days is None else days[part])
    return found.intervals()


def coverage(found: tuple[np.ndarray, np.ndarray], truth: float) -> float:
    return float(((found[0] <= truth) & (truth <= found[1])).mean())


@pytest.mark.parametrize("law", list(LAWS))
def test_intervals_of_independent_episodes_cover(law: str) -> None:
    draw, sd, tail = LAWS[law]
    found = gathered(draw(np.random.default_rng(11), (EPISODES, SETS)))
    assert 0.92 <= coverage(found["sd"], sd) <= 0.98
    assert 0.92 <= coverage(found["cvar95"], tail) <= 0.98


def test_intervals_of_days_cover_where_those_of_episodes_do_not() -> None:
    """Each of 20 days has a scale of its own."""
    rng, days = np.random.default_rng(12), np.repeat(np.arange(20), EPISODES // 20)
    scales = np.exp(0.4 * rng.standard_normal((20, SETS)))
    costs = scales[days] * rng.standard_normal((EPISODES, SETS))
    truth = float(np.exp(0.16))  # sd: the root of E[scale^2]
    assert coverage(gathered(costs, days)["sd"], truth) > 0.85
    assert coverage(gathered(costs)["sd"], truth) < 0.5


def test_there_is_none_of_few_days_or_of_one_episode() -> None:
    costs = np.random.default_rng(1).standard_normal((1000, 2))
    assert np.isnan(gathered(costs, np.repeat(np.arange(4), 250))["sd"]).all()
    assert np.isfinite(gathered(costs, np.repeat(np.arange(5), 200))["cvar95"]).all()


def test_the_chart_has_them_along_both_axes(tmp_path: Path) -> None:
    study = Study.from_dict(
        {
            "episodes": 3000,
            "order": {"shares": 1000, "steps": 10},
            "strategies": [{"model": "twap"}, {"model": "immediate"}],
        }
    )
    run(study, out=tmp_path / "r", chunk=1000)
    material = open_results(Place.of(tmp_path / "r"), None, None)
    rows = read_rows(material)
    chart = risk_chart(material, rows)
    marks = {mark.name: mark for mark in chart.views["standard deviation"][0].marks}
    twap, immediate = marks["twap"], marks["immediate"]
    assert set(immediate.intervals) == {"x", "y"}
    down, up = immediate.intervals["x"]
    assert 0.0 < down[0] < up[0]
    assert np.isfinite(immediate.intervals["y"][0]).all()
    assert np.isnan(twap.intervals["y"][0]).all()  # the baseline
    table = chart.table.to_pydict()
    assert table["sd_low_bps"][1] < table["shortfall_sd_bps"][1] < table["sd_high_bps"][1]
    assert table["cvar95_low_bps"][0] < table["shortfall_cvar95_bps"][0] < table["cvar95_high_bps"][0]
    assert "needs the episodes' rows" in risk_chart(material, None).note
