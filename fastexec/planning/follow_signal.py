"""The rule that follows signals of the move: in each step a slice that is linear in what is left and in the signals.

Least expected cost of an order that ends, with R_t left when step t begins and n_t traded in it:

    sum of  h_t n_t + k_t n_t^2 + (m_t + sum of g_jt x_jt) R_{t+1} + r_t R_{t+1}^2,    R_{t+1} = R_t - n_t,  R_N = 0

h half spread; k slope of the temporary cost; m + g x the move that is expected given the signals, to the order's side; r risk
aversion * variance of the rest of the move. Signals return, E[x_{j,t+1} | x_jt] = phi_j x_jt, so the least cost from step t on
is quadratic, A_t R^2 + (C_t + sum of B_jt x_j) R + what no trade changes: Lehalle and Neuman (2019) in steps, the backward
recursion below. Where all costs are these and a slice never meets 0 or the rest, no strategy that sees the signals is cheaper.

Plain arithmetic in a fixed order, so that the rule has the same bits on every machine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import plain_sum, power_of
from fastexec.kernels import fields
from fastexec.models.follow_signal import FollowSignal
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import Expectation


class Problem(NamedTuple):
    """h, k, m, r float64[t], in currency as above; g float64[j, t], phi of each signal; open bool[t]: who may trade at all."""

    half_spread: np.ndarray
    slope: np.ndarray
    drift: np.ndarray
    risk: np.ndarray
    told: np.ndarray
    memory: list[float]
    open: np.ndarray


def signal_rule(strategy: FollowSignal, study: StudyModel, market: Expectation) -> np.ndarray:
    """What it trades, float64[t, RULE_FIELDS]: a share of the rest, shares, and shares for each unit of each signal."""
    assert study.synthetic is not None
    followed, rule = strategy.followed(study.synthetic), np.zeros((study.order.steps, fields.RULE_FIELDS))
    own = solve(_problem(strategy, study, market))
    rule[:, fields.RULE_OF_REST], rule[:, fields.RULE_FIXED] = own[:, 0], own[:, 1]
    for j, signal in enumerate(followed):
        rule[:, fields.RULE_OF_SIGNAL + signal.number] = own[:, 2 + j]
    return rule


def solve(problem: Problem) -> np.ndarray:
    """The optimum, float64[t, 2 + j]: share of the rest, shares, shares for a unit of signal j. All is done in the last step in
    which somebody may trade.
    """
    count = len(problem.memory)
    rule, trading = np.zeros((problem.open.size, 2 + count)), np.nonzero(problem.open)[0].tolist()
    end = trading[-1] if trading else problem.open.size - 1
    rule[end, 0] = 1.0
    square, line, told = float(problem.slope[end]), 0.0, [0.0] * count  # line: C_t - h_t
    for t in range(end - 1, -1, -1):
        k, rise = float(problem.slope[t]), float(problem.half_spread[t + 1] - problem.half_spread[t])
        square, line = square + float(problem.risk[t]), line + rise + float(problem.drift[t])
        told = [phi * b + float(g) for phi, b, g in zip(problem.memory, told, problem.told[:, t], strict=True)]
        if problem.open[t]:
            both = k + square
            rule[t] = [square / both, *(gain / (2.0 * both) for gain in (line, *told))]
            square, line, told = k * square / both, k * line / both, [k * b / both for b in told]
    return rule


def slopes(study: StudyModel, market: Expectation) -> np.ndarray:
    """k of each step, float64[t], currency a share and share: of a power law the linear cost that equals it at the slices along
    the expected volume, at one lot where they are smaller; and permanent impact as it differs from what every schedule pays.
    """
    terms, permanent = study.costs.temporary.terms(), study.costs.permanent
    own = (expected(permanent.own) - 0.5) * expected(permanent.coefficient)
    volume = plain_sum(market.volume)
    even = market.shares * (
        market.volume / volume if volume > 0.0 else np.full(study.order.steps, 1.0 / study.order.steps)
    )
    slices = np.maximum(even, max(float(study.order.lot), 1e-9 * market.shares))
    rate_cost = power_of(slices, terms.exponent) * market.inverse_volume
    return np.asarray(terms.linear + market.price * terms.power * rate_cost / slices + own)


def _problem(strategy: FollowSignal, study: StudyModel, market: Expectation) -> Problem:
    assert study.synthetic is not None
    side = 1.0 if study.order.side == "buy" else -1.0
    followed, slope, open_ = strategy.followed(study.synthetic), slopes(study, market), market.traded > 0.0
    if not (slope[open_] > 0.0).all():
        raise InputError(
            f"strategies.{strategy.name}: follow_signal needs a temporary cost that rises with the slice, above half of the "
            "permanent one; raise costs.temporary.coefficient"
        )
    scale = study.synthetic.mean_volatility(study.setting)
    told = np.array([expected(signal.correlation) * scale for signal in followed])
    rest = market.volatility * market.volatility
    for one in told:
        rest = np.maximum(rest - one * one, 0.0)
    return Problem(
        half_spread=market.half_spread,
        slope=slope,
        drift=side * np.append(np.diff(market.drift), 0.0),
        risk=strategy.risk_aversion * rest,
        told=side * told,
        memory=[expected(signal.memory) for signal in followed],
        open=open_,
    )


def told_of_rule(strategy: FollowSignal, study: StudyModel, market: Expectation) -> str:
    """What it looks at, which costs it counts, and whether it is the optimum of them, for ``check``."""
    assert study.synthetic is not None
    names = ", ".join(signal.name for signal in strategy.followed(study.synthetic))
    slope, power = slopes(study, market), study.costs.temporary.terms().power > 0.0
    low, high = (f"{end:.3g}" for end in (slope.min(), slope.max()))
    cost = f"a linear temporary cost of {low if low == high else f'{low} to {high}'} currency a share and share"
    if power:
        cost += ", which equals the study's power law at slices along the expected volume, of a lot at least"
    off = [] if study.costs.transient.is_off else ["transient impact is not counted"]
    exact = "no cheaper rule without these bounds" if not power and not off else "a heuristic"
    return "; ".join([f"follows {names}, slices between 0 and what is left ({exact}): {cost}", *off])
