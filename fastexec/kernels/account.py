"""Close the books of a block: from the ledger's sums to the columns of the results, in basis points of Q S_0."""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.fields import (
    ARRIVAL,
    ARRIVAL_SPREAD,
    CUMULATIVE_VOLUME,
    EPISODE_COLUMNS,
    FEE,
    HORIZON,
    IMPACT,
    LARGEST_RATE,
    LAST_STEP,
    LEAVE,
    MARK_PENALTY,
    MARK_SLOPE,
    MID,
    ORDERS,
    OWN_REMAINING,
    PERMANENT_COEFFICIENT,
    PERMANENT_OWN,
    PROGRAM_COST,
    REMAINING,
    SHARES,
    SIDE,
    SPREAD,
    STEPS,
    SUM_HALF_SPREAD,
    SUM_PRICE,
    SUM_SPREAD,
    SUM_SQUARED_MOVES,
    SUM_SQUARES,
    SUM_TEMPORARY,
    SUM_TIMING,
    SUM_TRANSIENT,
    SUM_VOLUME_PRICE,
    TEMPORARY_COEFFICIENT,
    TEMPORARY_FIXED,
    TEMPORARY_KIND,
    TEMPORARY_LINEAR,
    VOLUME_AT_LAST,
)

_W = LANES
ROWS = 7 + len(EPISODE_COLUMNS)  # fields of the buffer that the accounts are closed in


@stage
def derive_costs(plan, p, m, b, parts):
    """The seven parts in currency, ``parts[j * W + i]``, in the order of the columns."""
    side, horizon = plan.numbers[SIDE], plan.switches[HORIZON]
    linear = plan.switches[TEMPORARY_KIND] == TEMPORARY_LINEAR
    for i in range(_W):
        left, squares = b[REMAINING * _W + i], b[SUM_SQUARES * _W + i]
        filled = p[SHARES * _W + i] - left
        gamma = p[PERMANENT_COEFFICIENT * _W + i]
        fixed, slope = p[TEMPORARY_FIXED * _W + i], p[TEMPORARY_COEFFICIENT * _W + i]
        parts[i] = b[SUM_HALF_SPREAD * _W + i]
        parts[_W + i] = fixed * filled + slope * squares if linear else b[SUM_TEMPORARY * _W + i]
        # sum of q (shares before) = (X^2 - sum q^2) / 2, so the permanent part needs no sum of its own.
        parts[2 * _W + i] = gamma * (0.5 * filled * filled + (p[PERMANENT_OWN * _W + i] - 0.5) * squares)
        parts[3 * _W + i] = b[SUM_TRANSIENT * _W + i]
        marked = 0.0 if horizon == LEAVE else left
        move = m[MID * _W + i] - m[ARRIVAL * _W + i]  # after the last roll MID is S_N
        parts[4 * _W + i] = side * (b[SUM_TIMING * _W + i] + marked * move)
        parts[5 * _W + i] = p[FEE * _W + i] * filled
        half = 0.5 * m[MID * _W + i] * m[SPREAD * _W + i]
        impact = gamma * filled + b[IMPACT * _W + i]
        penalty = plan.numbers[MARK_PENALTY] + plan.numbers[MARK_SLOPE] * marked
        parts[6 * _W + i] = marked * (half + impact + penalty)


@stage
def derive_rows(plan, p, m, b, parts, rows):
    """The columns of the results, ``rows[column * W + i]``."""
    side = plan.numbers[SIDE]
    for i in range(_W):
        ordered, arrival = p[SHARES * _W + i], m[ARRIVAL * _W + i]
        filled = ordered - b[REMAINING * _W + i]
        costs = parts[i] + parts[_W + i] + parts[2 * _W + i] + parts[3 * _W + i]
        average = arrival + (b[SUM_TIMING * _W + i] + side * costs) / filled if filled > 0.0 else np.nan
        market = m[SUM_VOLUME_PRICE * _W + i] / m[CUMULATIVE_VOLUME * _W + i]
        seen = b[VOLUME_AT_LAST * _W + i]
        rows[i] = filled
        rows[_W + i] = 1.0 - b[OWN_REMAINING * _W + i] / ordered
        rows[2 * _W + i] = average
        rows[3 * _W + i] = arrival
        rows[12 * _W + i] = side * (average - market) / market * 1e4
        rows[13 * _W + i] = filled / seen if seen > 0.0 else 0.0
        rows[14 * _W + i] = b[LARGEST_RATE * _W + i]
        rows[15 * _W + i] = b[PROGRAM_COST * _W + i]
        to_bps = 1e4 / (ordered * arrival)
        total = 0.0
        for j in range(7):
            rows[(5 + j) * _W + i] = parts[j * _W + i] * to_bps
            total += parts[j * _W + i] * to_bps
        rows[4 * _W + i] = total


@stage
def account(k, plan, p, m, b, rows):
    """Close the books of strategy k for all lanes of a block."""
    parts, columns = rows[k, : 7 * _W], rows[k, 7 * _W :]
    derive_costs(plan, p, m, b, parts)
    derive_rows(plan, p, m, b, parts, columns)


@stage
def write_rows(span, ledgers, rows, output):
    """Write the closed books; ``span`` is (first episode of the output, first and end of the block's).

    Column by column, each row of memory from its start to its end.
    """
    first, low, high = span
    strategies, lane, count = ledgers.shape[0], low % _W, high - low
    for c in range(output.episodes.shape[0]):
        column = output.episodes[c, (low - first) * strategies : (high - first) * strategies]
        at = (7 + c) * _W + lane
        if strategies == 1:
            row = rows[0, at : at + count]
            for i in range(count):
                column[i] = row[i]
        else:
            for i in range(count):
                for k in range(strategies):
                    column[i * strategies + k] = rows[k, at + i]
    for field, counts in ((ORDERS, output.counts[0]), (LAST_STEP, output.counts[1])):
        at = field * _W + lane
        for i in range(count):
            for k in range(strategies):
                counts[(low - first + i) * strategies + k] = np.int32(ledgers[k, at + i])


@stage
def describe_market(span, plan, p, m, output):
    """Write the market's own row of each episode, and the parameters drawn for it."""
    first, low, high = span
    steps = plan.switches[STEPS]
    markets = output.markets
    for e in range(low, high):
        i, r = e % _W, e - first
        markets[0, r] = p[SHARES * _W + i]
        markets[1, r] = m[ARRIVAL * _W + i]
        markets[2, r] = m[MID * _W + i]
        markets[3, r] = m[SUM_VOLUME_PRICE * _W + i] / m[CUMULATIVE_VOLUME * _W + i]
        markets[4, r] = m[SUM_PRICE * _W + i] / steps
        markets[5, r] = m[CUMULATIVE_VOLUME * _W + i]
        markets[6, r] = m[ARRIVAL_SPREAD * _W + i] * 1e4
        markets[7, r] = m[SUM_SPREAD * _W + i] / steps * 1e4
        markets[8, r] = np.sqrt(m[SUM_SQUARED_MOVES * _W + i] / steps)
    for d in range(plan.drawn.shape[0]):
        for e in range(low, high):
            output.parameters[d, e - first] = p[plan.drawn[d] * _W + e % _W]
