"""Timing split: of the price moves that shares are held through, what was expected when the step began, and what was not.

Timing is the sum of R dS over the steps, R what is left while the mid moves: after the step's fill; before it for who fills at
the step's end. Its expected part is the sum of R E[dS | what is known when the step begins, and the mid underneath], the
rest has mean zero for everybody whose slices do not look into the move. On given paths nothing is expected.
"""

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.elementary import exp


@bound
@chained
def expect_growth(p, m):
    """E[dS] of a geometric price, before its move."""
    for i in range(LANES):
        m[f.EXPECTED_MOVE + i] = m[f.MID + i] * (exp(p[f.DRIFT + i]) - 1.0)


@bound
@stage
def expect_drift(p, m):
    """The same of an arithmetic one."""
    for i in range(LANES):
        m[f.EXPECTED_MOVE + i] = p[f.DRIFT + i]


@bound
@chained
def expect_predicted_growth(t, curves, p, m):
    """The same where signals tell of it: its normal has mean PREDICTED and variance L11^2."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        told = v * m[f.PREDICTED + i] - 0.5 * v * v * (1.0 - p[f.L11 + i] * p[f.L11 + i])
        m[f.EXPECTED_MOVE + i] = m[f.MID + i] * (exp(p[f.DRIFT + i] + told) - 1.0)


@bound
@stage
def expect_predicted_drift(t, curves, p, m):
    """The same of an arithmetic one."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        m[f.EXPECTED_MOVE + i] = p[f.DRIFT + i] + v * m[f.PREDICTED + i]


@bound
@stage
def expect_seen(p, m):
    """Of the mid that is seen, where another goes on underneath: it comes up to that, in a halt only if the halt ends."""
    for i in range(LANES):
        steps = p[f.HALT_LENGTH + i] if m[f.HALTED + i] > 0.0 else 1.0
        m[f.EXPECTED_MOVE + i] = (m[f.EXPECTED_MOVE + i] + (m[f.MID + i] - m[f.SHOWN + i])) / steps


@bound
@stage
def open_split(p, m, ledgers):
    """The whole order is held through a first move before step 0, if there is one."""
    for k in range(ledgers.shape[0]):
        b = ledgers[k]
        for i in range(LANES):
            b[f.SUM_EXPECTED + i] = p[f.SHARES + i] * m[f.EXPECTED_MOVE + i]


@bound
@stage
def book_expected(kind, m, b):
    """Behind ``ledger.book``: what is held through the step's move."""
    later = 1.0 if kind[f.FILLS_AT_NEXT] else 0.0
    for i in range(LANES):
        held = b[f.REMAINING + i] + later * b[f.SLICE + i]
        b[f.SUM_EXPECTED + i] += held * m[f.EXPECTED_MOVE + i]


@bound
@stage
def close_split(plan, lanes):
    """Both parts of timing, in bps, behind the further parts of the cost."""
    p, m, side = lanes.parameters, lanes.market, plan.numbers[f.SIDE]
    at = f.ROW_FURTHER
    for part in range(f.MOST_FURTHER):
        at += LANES if plan.switches[f.FURTHER] >> part & 1 else 0
    for k in range(lanes.ledgers.shape[0]):
        b, row = lanes.ledgers[k], lanes.rows[k]
        for i in range(LANES):
            expected = side * b[f.SUM_EXPECTED + i] * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))
            row[at + i] = expected
            row[at + LANES + i] = row[f.ROW_TIMING + i] - expected


def expecting(switches, underneath):
    """What a walk calls before each move of the price, and before a first one; ``underneath``: another mid than is seen."""
    if not switches[f.SPLIT]:
        return (), ()
    arithmetic = switches[f.PRICE_MODEL] == f.ARITHMETIC
    first, told = (expect_drift, expect_predicted_drift) if arithmetic else (expect_growth, expect_predicted_growth)
    move = told if switches[f.SIGNALS] else first
    return (move, *((expect_seen,) if underneath else ())), (first,)
