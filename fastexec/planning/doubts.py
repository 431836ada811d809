"""What is doubtful about a study: one list, whoever asks (``check``, a run, its result, its report)."""

from __future__ import annotations

import numpy as np

from fastexec.exact import plain_sum
from fastexec.models.study import StudyModel
from fastexec.models.tree import sections_of
from fastexec.planning.expectation import Expectation
from fastexec.planning.round_trip import find_round_trip
from fastexec.planning.schedules import cheaper_than_optimum
from fastexec.wording import counted

_YEAR = 252 * 6.5 * 3600.0  # seconds
_MOST_OF_VOLUME = 0.25
_LEAST_A_YEAR, _MOST_A_YEAR = 0.02, 3.0


def doubts_of(study: StudyModel, market: Expectation, trajectories: np.ndarray | None = None) -> list[str]:
    """A line for each doubt. ``market``: that of the first group of episodes; ``trajectories``: of the strategies that have
    one, float64[k, t + 1], computed here where not given. Depends on the study and its input files only.
    """
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # costs beyond float64 are said where the first episode meets them
        found = [*_round_trip(study, market), *_missed(study, market, trajectories)]
    own = [doubt for _, section in sections_of(study) for doubt in section.doubts(study.setting)]
    return [*found, *_size(market), *_volatility(study, market), *own]


def volatility_a_year(study: StudyModel, market: Expectation) -> float:
    """sd of the price over a year (252 days of 6.5 hours) of steps like the order's, as a share of the arrival price."""
    variance = plain_sum(market.volatility * market.volatility) / market.volatility.size
    return float(np.sqrt(variance * _YEAR / study.order.step_seconds)) / market.price


def _round_trip(study: StudyModel, market: Expectation) -> list[str]:
    trip = find_round_trip(study, market)
    if trip is None:
        return []
    net = "also after spread and fees" if trip.net > 0 else "but not after spread and fees"
    return [
        f"the impact model pays for a round trip: buying {trip.shares:,.6g} shares in {counted(trip.buys, 'slice')} and, after "
        f"{counted(trip.pause, 'step')}, selling them in {trip.sells} gains {trip.gain:,.4g} currency, {net}"
    ]


def _missed(study: StudyModel, market: Expectation, trajectories: np.ndarray | None) -> list[str]:
    return [
        f"{name} is expected to cost {less:.3g} bps less than {best}, which is the best schedule that was found, not the best"
        for name, best, less in cheaper_than_optimum(study, market, trajectories)
    ]


def _size(market: Expectation) -> list[str]:
    volume = plain_sum(market.volume)
    if not market.shares > _MOST_OF_VOLUME * volume > 0.0:
        return []
    share = market.shares / volume
    return [f"the order is {share:.0%} of the market's expected volume; cost models are fitted far below that"]


def _volatility(study: StudyModel, market: Expectation) -> list[str]:
    yearly = volatility_a_year(study, market)
    if yearly == 0.0 or _LEAST_A_YEAR <= yearly <= _MOST_A_YEAR:
        return []
    usual = f"{100.0 * _LEAST_A_YEAR:.0f} to {100.0 * _MOST_A_YEAR:.0f} %"
    seconds = study.order.step_seconds
    return [f"the price's volatility is {told_a_year(yearly)}, outside {usual}: is it that of a step of {seconds:g} s?"]


def told_a_year(volatility: float) -> str:
    """A volatility a year in words."""
    percent = 100.0 * volatility
    return f"{percent:{',.0f' if percent >= 100.0 else '.3g'}} % a year (252 days of 6.5 hours)"
