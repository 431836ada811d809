"""The exact optimum of a Markov market: a backward programme with the agent's information, lots and clock.

State: time, inventory in whole lots, spread level, and the volume level as far as it is known (of the last step, or of the
step itself under known = "during"). Exact where the mid is a martingale independent of spread and volume, stays above 0, and
either all costs scale with the mid or none does: then its level multiplies the cost to go, or does not enter it. A penalty on
what is marked at the end is currency, and so is a fee that it saves; a fee on the whole order is one number, and what is
marked as a trade pays it too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.exact import plain_sum, power_of
from fastexec.kernels.programme import Problem, solve
from fastexec.models.actions import Actions
from fastexec.models.declarations import MarkovLaw
from fastexec.models.market import SyntheticMarket
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect, temporary_exponent
from fastexec.planning.parameters import ranges
from fastexec.planning.plan import horizon_rule, known_after
from fastexec.planning.policies import Cut, TablePolicy, powers_of, slices_of

MOST_LOTS = 400


class Solved(NamedTuple):
    """The policy, what it is expected to cost (bps), and the values: ``q`` float64[t, i, x, a]."""

    policy: TablePolicy
    expected_bps: float
    q: np.ndarray


def why_unknown(study: StudyModel) -> str | None:
    """The first reason why no optimum is known, None where one is."""
    market, costs, order = study.synthetic, study.costs, study.order
    if market is None:
        return "real days have no known law"
    for key, section in (("spread", market.spread), ("volume", market.volume)):
        if section.law() is None:
            return f"market.{key} is {section.model}, and it must be markov or constant"
    if ranges(study)[2]:
        return f"{ranges(study)[2][0]} is drawn for each episode"
    if not market.declares().martingale or not market.correlation.independent:
        return "the price must be a martingale independent of spread and volume"
    if (changing := market.changing(costs.temporary)) is not None:
        return f"{changing} changes what trading costs from step to step"
    if costs.transient.declares().remembers:
        return "transient impact has a memory"
    if costs.rule == "per_step" or order.at_horizon == "leave":
        return "what is not traded must be paid for"
    temporary_scales = costs.temporary.declares().scales
    none_scales = not temporary_scales and _spreadless(market)
    if not none_scales:
        if not temporary_scales or not costs.permanent.is_off:
            return (
                "either all costs must scale with the mid (power law, no permanent impact) or none (linear, no spread)"
            )
        saves_fees = not (order.rest == "trade" or costs.fees.is_off)
        in_currency = order.mark_penalty + order.mark_penalty_slope > 0.0 or saves_fees
        if in_currency and _may_mark(study):
            return (
                "what the last step may leave pays order.mark_penalty or saves fees, in currency, while all other costs scale "
                "with the mid"
            )
        if market.may_fall_below_zero(study.setting):
            return "the price may fall below 0, where a spread is income"
    lots = expected(order.shares) / order.lot if order.lot > 0 else np.inf
    if lots > MOST_LOTS:
        return f"the order has more than {MOST_LOTS} lots; raise order.lot"
    return None


def _may_mark(study: StudyModel) -> bool:
    """Whether part of the order may be valued at the end instead of traded: by the horizon rule, or for want of volume."""
    return study.order.at_horizon != "complete" or study.market.declares().idle


def _spreadless(market: SyntheticMarket) -> bool:
    law = market.spread.law()
    return law is not None and not law.levels.any()


def solve_optimum(study: StudyModel, actions: Actions | None = None, risk_aversion: float = 0.0) -> Solved:
    """The optimum over any number of lots, or over an action set; ``why_unknown`` must be None.

    risk_aversion: 1/currency, adds risk_aversion * variance of the move out of a step * remaining^2 (exact where no cost
    scales with the mid).
    """
    shares = expected(study.order.shares)
    lots = round(shares / study.order.lot)
    spreads, volumes = (law.levels for law in _laws_of_market(study))
    go, stay, factor, sure = _laws(study, spreads, volumes)
    half = 0.5e4 * np.tile(spreads, volumes.size)
    every = np.broadcast_to(half, sure.shape)
    slices = slices_of(study, actions, lots + 1, shares)
    coefficient = 1e4 * study.costs.temporary.terms().power
    problem = Problem(
        go, stay, sure, np.ascontiguousarray(every * sure), coefficient * factor, _end(study, spreads, volumes.size),
        np.zeros((*sure.shape, 2)), risk_of(study, risk_aversion), np.ascontiguousarray(slices),
        powers_of(slices, temporary_exponent(study)), numbers_of(study), horizon_rule(study),
    )  # fmt: skip
    q = np.empty((study.order.steps, lots + 1, spreads.size * volumes.size, slices.shape[1]))
    v = np.empty((study.order.steps + 1, lots + 1, spreads.size * volumes.size))
    solve(problem, q, v)
    cuts = (_cut("spread", spreads), _cut("volume", volumes), Cut("inventory", lots + 1, np.zeros(0), 0))
    table = np.argmin(q, axis=3).reshape(study.order.steps, -1).astype(np.uint16)
    policy = TablePolicy(cuts, actions, table, np.linspace(0.0, 1.0, study.order.steps + 1))
    return Solved(policy, plain_sum(_first(study) * v[0, lots]), q)


def _end(study: StudyModel, spreads: np.ndarray, volumes: int) -> np.ndarray:
    """Of what is left at a step's end, float64[t, x, 2]: half the spread that is quoted there, in bps of the mid (or the step's
    own, which stands in at the last quote), and the temporary factor as a trade.
    """
    end, half = np.empty((study.order.steps, spreads.size * volumes, 2)), 0.5e4 * spreads
    if study.order.rest == "trade":
        half = np.add.accumulate(_laws_of_market(study)[0].transition * half, axis=1)[:, -1]
    end[:, :, 0], end[:, :, 1] = np.tile(half, volumes), end_temporary(study)
    return end


def end_temporary(study: StudyModel) -> float:
    """The temporary factor of what is left at the end, bps, the mid where it was at arrival: as a trade in a volume as large as
    the last step's is expected to be, else 0.
    """
    if study.order.rest != "trade":
        return 0.0
    (market, *_), temporary = expect(study), study.costs.temporary.terms()
    rate = power_of(np.array([market.shares / market.last_volume]), temporary.exponent)[0]
    return float(1e4 * temporary.power * rate * market.last_impact[0])


def numbers_of(study: StudyModel) -> np.ndarray:
    """What costs without the market: see ``Problem.numbers``; bps of the order's value for shares of the order."""
    costs, order = study.costs, study.order
    (market, *_) = expect(study)
    to_bps = 1e4 / market.price
    temporary = costs.temporary.terms()
    return np.array(
        [
            expected(costs.permanent.coefficient) * market.shares * to_bps,
            expected(costs.permanent.own),
            (temporary.fixed + expected(costs.fees.per_share)) * to_bps,
            temporary.linear * market.shares * to_bps,
            order.mark_penalty * to_bps,
            order.mark_penalty_slope * market.shares * to_bps,
            1.0,
            temporary_exponent(study),
        ]
    )


def risk_of(study: StudyModel, risk_aversion: float) -> np.ndarray:
    """bps for each squared share of the order left in a step, float64[t]."""
    (market, *_) = expect(study)
    return np.asarray(risk_aversion * market.volatility * market.volatility * market.shares / market.price * 1e4)


def _laws_of_market(study: StudyModel) -> tuple[MarkovLaw, MarkovLaw]:
    """The laws of spread and volume."""
    assert study.synthetic is not None
    spread, volume = study.synthetic.spread.law(), study.synthetic.volume.law()
    assert spread is not None
    assert volume is not None
    return spread, volume


def _cut(name: str, levels: np.ndarray) -> Cut:
    return Cut(name, levels.size, 0.5 * (levels[1:] + levels[:-1]), 0)


def _first(study: StudyModel) -> np.ndarray:
    """The law of the state in step 0, x = spread + S * volume; before the first step the volume counts as its lowest."""
    spread, volume = _laws_of_market(study)
    known = np.zeros(volume.levels.size)
    known[0] = 1.0
    return np.kron(known if known_after(study) else volume.first, spread.first)


def _laws(
    study: StudyModel, spreads: np.ndarray, volumes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """go, stay float64[t, x, x']; E[(shares / volume)^exponent; volume] and P(volume), float64[t, x]."""
    (spread, volume), steps = _laws_of_market(study), study.order.steps
    moves, traded = spread.transition, volumes > 0.0
    rate = power_of(expected(study.order.shares) / np.where(traded, volumes, 1.0), temporary_exponent(study)) * traded
    chances = np.repeat(volume.transition[None], steps, axis=0)  # [t, known level, level of the step or the next]
    if known_after(study):
        chances[0] = volume.first
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
