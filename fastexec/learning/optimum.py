"""The exact optimum of a Markov market: a backward programme with the agent's information, lots and clock.

State: time, inventory in whole lots, spread level, and the volume level as far as it is known (of the last step, or of the
step itself under known = "during"). Exact where the mid is a martingale independent of spread and volume and either all
costs scale with the mid or none does: then its level multiplies the cost to go, or does not enter it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels.programme import Problem, solve
from fastexec.models.chains import Chain
from fastexec.models.market import ConstantVolume, Spread, SyntheticMarket, Volume
from fastexec.models.scalar import expected
from fastexec.models.strategies import Actions
from fastexec.models.study import StudyModel
from fastexec.planning import chains
from fastexec.planning.expectation import expect, plain_sum, power_of, temporary_exponent
from fastexec.planning.parameters import ranges
from fastexec.planning.plan import HORIZONS, is_zero, known_after
from fastexec.planning.policies import Cut, TablePolicy, powers_of, slices_of

MOST_LOTS = 400


class Solved(NamedTuple):
    """The policy, what it is expected to cost (bps), and the values: ``q`` float64[t, i, x, a]."""

    policy: TablePolicy
    expected_bps: float
    q: np.ndarray


def why_unknown(study: StudyModel) -> str | None:
    """The first reason why no optimum is known, None where one is."""
    market, costs, order = study.market, study.costs, study.order
    if not isinstance(market, SyntheticMarket):
        return "real days have no known law"
    for section in ("spread", "volume"):
        if getattr(market, section).model not in ("constant", "markov"):
            return f"market.{section} is {getattr(market, section).model}, and it must be markov or constant"
    if ranges(study)[2]:
        return f"{ranges(study)[2][0]} is drawn for each episode"
    correlated = any(not is_zero(getattr(market.correlation, name)) for name in type(market.correlation).model_fields)
    if not is_zero(market.price.drift) or correlated:
        return "the price must be a martingale independent of spread and volume"
    if not is_zero(costs.transient.coefficient):
        return "transient impact has a memory"
    if costs.rule == "per_step" or order.at_horizon == "leave":
        return "what is not traded must be paid for"
    none_scales = costs.temporary.model == "linear" and _spreadless(market)
    all_scale = costs.temporary.model == "power" and is_zero(costs.permanent.coefficient) and (
        order.at_horizon == "complete" or (is_zero(costs.fees.per_share) and not order.mark_penalty + order.mark_penalty_slope)
    )  # fmt: skip
    if not none_scales and not all_scale:
        return "either all costs must scale with the mid (power law, no permanent impact) or none (linear, no spread)"
    lots = expected(order.shares) / order.lot if order.lot > 0 else np.inf
    if lots > MOST_LOTS:
        return f"the order has more than {MOST_LOTS} lots; raise order.lot"
    return None


def _spreadless(market: SyntheticMarket) -> bool:
    spread = market.spread
    return spread.model == "constant" and is_zero(spread.initial)


def solve_optimum(study: StudyModel, actions: Actions | None = None, risk_aversion: float = 0.0) -> Solved:
    """The optimum over any number of lots, or over an action set; ``why_unknown`` must be None.

    risk_aversion: 1/currency, adds risk_aversion * variance of the move out of a step * remaining^2 (exact where no cost
    scales with the mid).
    """
    market, shares = study.market, expected(study.order.shares)
    assert isinstance(market, SyntheticMarket)
    lots = round(shares / study.order.lot)
    spreads, volumes = _levels(market.spread), _levels(market.volume)
    go, stay, factor, sure = _laws(study, spreads, volumes)
    half = 0.5e4 * np.tile(spreads, volumes.size)
    every = np.broadcast_to(half, sure.shape)
    slices = slices_of(study, actions, lots + 1, shares)
    problem = Problem(
        go, stay, sure, np.ascontiguousarray(every * sure), 1e4 * _coefficient(study) * factor, np.ascontiguousarray(every),
        risk_of(study, risk_aversion), np.ascontiguousarray(slices), powers_of(slices, temporary_exponent(study)),
        numbers_of(study), HORIZONS[study.order.at_horizon],
    )  # fmt: skip
    q = np.empty((study.order.steps, lots + 1, spreads.size * volumes.size, slices.shape[1]))
    v = np.empty((study.order.steps + 1, lots + 1, spreads.size * volumes.size))
    solve(problem, q, v)
    cuts = (_cut("spread", spreads), _cut("volume", volumes), Cut("inventory", lots + 1, np.zeros(0), 0))
    table = np.argmin(q, axis=3).reshape(study.order.steps, -1).astype(np.uint16)
    policy = TablePolicy(cuts, actions, table, np.linspace(0.0, 1.0, study.order.steps + 1))
    return Solved(policy, plain_sum(_first(study, spreads, volumes) * v[0, lots]), q)


def numbers_of(study: StudyModel) -> np.ndarray:
    """What costs without the market: see ``Problem.numbers``; bps of the order's value for shares of the order."""
    costs, order = study.costs, study.order
    (market, *_) = expect(study)
    to_bps = 1e4 / market.price
    temporary = costs.temporary
    fixed = expected(temporary.fixed) if temporary.model == "linear" else 0.0
    slope = expected(temporary.coefficient) if temporary.model == "linear" else 0.0
    return np.array(
        [
            expected(costs.permanent.coefficient) * market.shares * to_bps,
            expected(costs.permanent.own),
            (fixed + expected(costs.fees.per_share)) * to_bps,
            slope * market.shares * to_bps,
            order.mark_penalty * to_bps,
            order.mark_penalty_slope * market.shares * to_bps,
            1.0,
        ]
    )


def risk_of(study: StudyModel, risk_aversion: float) -> np.ndarray:
    """bps for each squared share of the order left in a step, float64[t]."""
    (market, *_) = expect(study)
    return np.asarray(risk_aversion * market.volatility * market.volatility * market.shares / market.price * 1e4)


def _coefficient(study: StudyModel) -> float:
    temporary = study.costs.temporary
    return expected(temporary.coefficient) if temporary.model == "power" else 0.0


def _levels(section: Spread | Volume) -> np.ndarray:
    if isinstance(section, Chain):
        return np.array(section.levels)
    assert section.model == "constant"
    return np.array([expected(section.mean if isinstance(section, ConstantVolume) else section.initial)])


def _matrix(section: object) -> np.ndarray:
    return np.array(section.transition) if isinstance(section, Chain) else np.ones((1, 1))


def _law(section: object) -> np.ndarray:
    return chains.first_law(section) if isinstance(section, Chain) else np.ones(1)


def _cut(name: str, levels: np.ndarray) -> Cut:
    return Cut(name, levels.size, 0.5 * (levels[1:] + levels[:-1]), 0)


def _first(study: StudyModel, spreads: np.ndarray, volumes: np.ndarray) -> np.ndarray:
    """The law of the state in step 0, x = spread + S * volume; before the first step the volume counts as its lowest."""
    market = study.market
    assert isinstance(market, SyntheticMarket)
    known = np.zeros(volumes.size)
    known[0] = 1.0
    return np.kron(known if known_after(study) else _law(market.volume), _law(market.spread))


def _laws(
    study: StudyModel, spreads: np.ndarray, volumes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """go, stay float64[t, x, x']; E[(shares / volume)^exponent; volume] and P(volume), float64[t, x]."""
    market, steps = study.market, study.order.steps
    assert isinstance(market, SyntheticMarket)
    moves, traded = _matrix(market.spread), volumes > 0.0
    rate = power_of(expected(study.order.shares) / np.where(traded, volumes, 1.0), temporary_exponent(study)) * traded
    chances = np.repeat(_matrix(market.volume)[None], steps, axis=0)  # [t, known level, level of the step or the next]
    if known_after(study):
        chances[0] = _law(market.volume)
        go = np.stack([np.kron(c * traded, moves) for c in chances])
        stay = np.stack([np.kron(c * ~traded, moves) for c in chances])
        factor, sure = _weighted(chances, rate), _weighted(chances, 1.0 * traded)
    else:
        go = np.stack([np.kron(c * traded[:, None], moves) for c in chances])
        stay = np.stack([np.kron(c * ~traded[:, None], moves) for c in chances])
        factor, sure = np.repeat(rate[None], steps, axis=0), np.repeat(1.0 * traded[None], steps, axis=0)
    return go, stay, np.repeat(factor, spreads.size, axis=1), np.repeat(sure, spreads.size, axis=1)


def _weighted(chances: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums over the last axis, left to right."""
    return np.asarray(np.add.accumulate(chances * values, axis=2)[:, :, -1])
