"""Close the books of a block: from the ledger's sums to the columns of the results, in basis points of Q S_0."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, bound_to, stage
from fastexec.kernels.buffers import example_output
from fastexec.kernels.ledger import costs_so_far


@stage
def derive_costs(plan, p, m, b, row):
    """The seven parts in currency, in the order of the columns; what a share left costs lies in field VALUE (``rest``)."""
    side, horizon = plan.numbers[f.SIDE], plan.switches[f.HORIZON]
    for i in range(LANES):
        left = b[f.REMAINING + i]
        spread, temporary, permanent, transient, fees = costs_so_far(i, p, b)
        row[f.PART_SPREAD + i] = spread
        row[f.PART_TEMPORARY + i] = temporary
        row[f.PART_PERMANENT + i] = permanent
        row[f.PART_TRANSIENT + i] = transient
        row[f.PART_FEES + i] = fees
        marked = 0.0 if horizon == f.LEAVE else left
        move = m[f.MID + i] - m[f.ARRIVAL + i]  # after the last roll MID is S_N
        row[f.PART_TIMING + i] = side * (b[f.SUM_TIMING + i] + marked * move)
        row[f.PART_RESIDUAL + i] = marked * b[f.VALUE + i]


@stage
def derive_columns(plan, p, m, b, row):
    """The columns of the results, behind the parts."""
    side = plan.numbers[f.SIDE]
    for i in range(LANES):
        ordered, arrival = p[f.SHARES + i], m[f.ARRIVAL + i]
        filled = ordered - b[f.REMAINING + i]
        costs = row[f.PART_SPREAD + i] + row[f.PART_TEMPORARY + i]
        costs = costs + row[f.PART_PERMANENT + i] + row[f.PART_TRANSIENT + i] + b[f.SUM_CHARGED + i]
        average = arrival + (b[f.SUM_TIMING + i] + side * costs) / filled if filled > 0.0 else np.nan
        market = m[f.SUM_VOLUME_PRICE + i] / m[f.CUMULATIVE_VOLUME + i]
        seen = b[f.VOLUME_AT_LAST + i]
        row[f.ROW_FILLED + i] = filled
        row[f.ROW_COMPLETION + i] = 1.0 - b[f.OWN_REMAINING + i] / ordered
        row[f.ROW_AVERAGE + i] = average
        row[f.ROW_ARRIVAL + i] = arrival
        row[f.ROW_SLIPPAGE + i] = side * (average - market) / market * 1e4
        # Of quotes alone, in empty bars, one may buy where the market traded nothing: no share of it.
        row[f.ROW_PARTICIPATION + i] = filled / seen if seen > 0.0 else 0.0 if filled == 0.0 else np.nan
        row[f.ROW_LARGEST_RATE + i] = b[f.LARGEST_RATE + i]
        row[f.ROW_PROGRAM_COST + i] = b[f.PROGRAM_COST + i]
        to_bps = 1e4 / (ordered * arrival)
        total = 0.0
        for j in range(f.PARTS):
            row[f.ROW_SPREAD + j * LANES + i] = row[f.PART_SPREAD + j * LANES + i] * to_bps
            total += row[f.PART_SPREAD + j * LANES + i] * to_bps
        row[f.ROW_SHORTFALL + i] = total


@bound
@stage
def account(plan, p, m, ledgers, rows):
    """Close the books of every strategy for all lanes of a block."""
    for k in range(ledgers.shape[0]):
        derive_costs(plan, p, m, ledgers[k], rows[k])
        derive_columns(plan, p, m, ledgers[k], rows[k])


@bound_to(output=example_output)
@stage
def write_rows(span, ledgers, rows, output):
    """Write the closed books, column by column, each row of memory from its start to its end."""
    low, high, offset = span
    strategies, first, count = ledgers.shape[0], offset + low, high - low
    for c in range(output.episodes.shape[0]):
        column = output.episodes[c, first * strategies : (first + count) * strategies]
        at = f.ROW_FILLED + c * LANES + low
        for k in range(strategies):
            row, places = rows[k, at : at + count], column[k::strategies]
            for i in range(count):
                places[i] = row[i]
    for c in range(output.counts.shape[0]):
        counts, at = output.counts[c], (f.ORDERS, f.LAST_STEP, f.MET, f.UNSEEN)[c] + low
        for k in range(strategies):
            row, places = ledgers[k, at : at + count], counts[first * strategies + k :: strategies]
            for i in range(count):
                places[i] = np.int32(row[i])


@bound_to(output=example_output)
@stage
def describe_market(span, plan, p, m, output):
    """Write the market's own row of each episode, and the parameters drawn for it."""
    low, high, offset = span
    steps = plan.switches[f.STEPS]
    markets = output.markets
    for i in range(low, high):
        r = offset + i
        markets[f.ORDER_SHARES, r] = p[f.SHARES + i]
        markets[f.ARRIVAL_PRICE, r] = m[f.ARRIVAL + i]
        markets[f.LAST_PRICE, r] = m[f.MID + i]
        markets[f.MARKET_VWAP, r] = m[f.SUM_VOLUME_PRICE + i] / m[f.CUMULATIVE_VOLUME + i]
        markets[f.MARKET_TWAP, r] = m[f.SUM_PRICE + i] / steps
        markets[f.MARKET_VOLUME, r] = m[f.CUMULATIVE_VOLUME + i]
        markets[f.ARRIVAL_SPREAD_BPS, r] = m[f.ARRIVAL_SPREAD + i] * 1e4
        markets[f.MEAN_SPREAD_BPS, r] = m[f.SUM_SPREAD + i] / steps * 1e4
        markets[f.REALISED_VOLATILITY, r] = np.sqrt(m[f.SUM_SQUARED_MOVES + i] / steps)
    for d in range(plan.drawn.shape[0]):
        for i in range(low, high):
            output.parameters[d, offset + i] = p[plan.drawn[d, f.DRAWN_SLOT] * LANES + i]
