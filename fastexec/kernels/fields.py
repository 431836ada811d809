"""Where things lie: offsets of the fields in the flat lane buffers, switches, and the columns that the engine writes.

A kernel writes ``from fastexec.kernels import fields as f`` and ``b[f.REMAINING + i]``: field REMAINING of lane i. A field's
name is its *offset*, its place in the buffer times the lane width, a compile-time constant, and names of fields are for
kernels only. Names of switches, numbers, kinds, columns and levels are plain *numbers*, for kernels and for those who fill
their arrays; a parameter's number (its row of ``Plan.ranges``) is ``PARAMETERS.index(name)``.

One flat buffer, because with two dozen separate arrays LLVM gives up on proving that they do not overlap and nothing is
vectorised (4.5 ns a fill against 1.4).
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES
from fastexec.kernels.own_rows import MOST_SIGNALS as MOST_SIGNALS
from fastexec.kernels.tables import (
    MOST_LAYERS as MOST_LAYERS,
    MOST_OBSERVED as MOST_OBSERVED,
    MOST_UNITS as MOST_UNITS,
    NETWORK_FIELDS as NETWORK_FIELDS,
    DecidedOutput as DecidedOutput,
    Output as Output,
    Paths as Paths,
    Plan as Plan,
    Strategies as Strategies,
    no_paths as no_paths,
)


def _offsets(first: int, count: int) -> range:
    """Where ``count`` fields of a lane buffer begin, from its field number ``first`` on."""
    return range(first * LANES, (first + count) * LANES, LANES)


#: Parameters that may have a value of their own in each episode: of each role the slots that have a name here, and how many
#: more its models may use, which share all of them. A slot is a row of ``Plan.ranges`` and a field of the lane buffer.
_ROLES = {
    "order": (("shares",), 1),
    "price": (("initial_price", "volatility", "drift"), 5),
    "spread": (("spread_level", "spread_reversion", "spread_volatility", "spread_floor", "spread_volatility_exponent"), 2),
    "volume": (
        ("volume_mean", "volume_amplitude", "volume_noise", "volume_floor", "volume_persistence", "day_volatility"), 2,
    ),
    "correlation": (
        ("price_spread", "price_volume", "spread_volume", "volume_absolute_return", "spread_absolute_return"), 1,
    ),
    "temporary": (("temporary_coefficient", "temporary_exponent", "temporary_fixed", "temporary_volatility_exponent"), 1),
    "permanent": (("permanent_coefficient", "permanent_own"), 0),
    "transient": (("transient_coefficient", "transient_exponent", "resilience"), 1),
    "fees": (("fee",), 1),
    "parts": ((), 4),
    "variance": (("variance_persistence", "variance_volatility"), 0),
    "jumps": (("jump_rate", "jump_mean", "jump_volatility"), 0),
    "halts": (("halt_rate", "halt_length"), 0),
    "noise": (("noise_sd",), 0),
    "signals": (
        (*(f"signal_persistence_{n}" for n in range(4)), *(f"signal_correlation_{n}" for n in range(4))), 0,
    ),
}  # fmt: skip
#: The name of each slot; a kernel file gives those that go on numbered one of its own, which then is the parameter's:
#: ``(SKEW,) = f.further_slots("price", 1)``.
PARAMETERS = tuple(
    name for role, (names, further) in _ROLES.items() for name in (*names, *(f"{role}_{n}" for n in range(further)))
)


def _start(role: str) -> int:
    """The first slot of a role."""
    sizes = [len(names) + further for names, further in _ROLES.values()]
    return sum(sizes[: list(_ROLES).index(role)])


def further_slots(role: str, count: int) -> range:
    """Offsets of a role's first ``count`` slots behind those that have a name here, for a model of that role."""
    names, further = _ROLES[role]
    assert count <= further, f"{role} has {further} further slots; raise their number"
    return _offsets(_start(role) + len(names), count)


(SHARES,) = _offsets(_start("order"), 1)
(INITIAL_PRICE, VOLATILITY, DRIFT) = _offsets(_start("price"), 3)
(SPREAD_LEVEL, SPREAD_REVERSION, SPREAD_VOLATILITY, SPREAD_FLOOR, SPREAD_VOLATILITY_EXPONENT) = _offsets(
    _start("spread"), 5
)
(VOLUME_MEAN, VOLUME_AMPLITUDE, VOLUME_NOISE, VOLUME_FLOOR, VOLUME_PERSISTENCE, DAY_VOLATILITY) = _offsets(
    _start("volume"), 6
)
(PRICE_SPREAD, PRICE_VOLUME, SPREAD_VOLUME, VOLUME_ABSOLUTE_RETURN, SPREAD_ABSOLUTE_RETURN) = _offsets(
    _start("correlation"), 5
)
(TEMPORARY_COEFFICIENT, TEMPORARY_EXPONENT, TEMPORARY_FIXED, TEMPORARY_VOLATILITY_EXPONENT) = _offsets(
    _start("temporary"), 4
)
(PERMANENT_COEFFICIENT, PERMANENT_OWN) = _offsets(_start("permanent"), 2)
(TRANSIENT_COEFFICIENT, TRANSIENT_EXPONENT, RESILIENCE) = _offsets(_start("transient"), 3)
(FEE,) = _offsets(_start("fees"), 1)
(VARIANCE_PERSISTENCE, VARIANCE_VOLATILITY) = _offsets(_start("variance"), 2)
(JUMP_RATE, JUMP_MEAN, JUMP_VOLATILITY) = _offsets(_start("jumps"), 3)
(HALT_RATE, HALT_LENGTH) = _offsets(_start("halts"), 2)
(NOISE_SD,) = _offsets(_start("noise"), 1)
(SIGNAL_PERSISTENCE_0, SIGNAL_PERSISTENCE_1, SIGNAL_PERSISTENCE_2, SIGNAL_PERSISTENCE_3,
 SIGNAL_CORRELATION_0, SIGNAL_CORRELATION_1, SIGNAL_CORRELATION_2, SIGNAL_CORRELATION_3) = _offsets(
    _start("signals"), 8
)  # fmt: skip
# A signal's fields lie side by side: of the one numbered j, j * LANES behind those of the first.

# Derived once for each episode, behind the parameters in the same buffer.
(LOTS, L20, L21, L22, L30, L31, L32, L33, DECAY, SPREAD_SD, SPREAD_SCALE, VOLUME_SCALE, VOLUME_FRESH,
 TEMPORARY_SLOPE, NO_JUMP, JUMP_LOG_MEAN, L11, SPREAD_TRIM, VOLUME_TRIM,
 SIGNAL_STRENGTH_0, SIGNAL_STRENGTH_1, SIGNAL_STRENGTH_2, SIGNAL_STRENGTH_3,
 SIGNAL_FRESH_0, SIGNAL_FRESH_1, SIGNAL_FRESH_2, SIGNAL_FRESH_3, VARIANCE_FRESH) = _offsets(
    len(PARAMETERS), 28
)  # fmt: skip
PARAMETER_FIELDS = VARIANCE_FRESH // LANES + 1

# Draws of a step: words, and raw normals (each pair of words makes a pair of them).
(FIRST, SECOND, THIRD, FOURTH) = _offsets(0, 4)
DRAW_FIELDS = FOURTH // LANES + 1
# The step's normals, correlated: of price, spread and volume.
(Z_PRICE, Z_SPREAD, Z_VOLUME) = _offsets(0, 3)
NORMAL_FIELDS = Z_VOLUME // LANES + 1

# The market of a block: one for all strategies.
(MID, NEXT, SPREAD, VOLUME, LAST_VOLUME, SPREAD_STATE, VOLUME_STATE, DAY_STATE, ARRIVAL,
 CUMULATIVE_VOLUME, SUM_VOLUME_PRICE, SUM_PRICE, SUM_SPREAD, SUM_SQUARED_MOVES, ARRIVAL_SPREAD, WINDOW, TRADED,
 NEXT_SPREAD, LOWERED_VOLUME, VOLATILITY_FACTOR, VARIANCE_STATE, JUMPED, CHANCE_OF_JUMPS, NEXT_CHANCE,
 SPREAD_FACTOR, VOLUME_FACTOR, IMPACT_FACTOR, NEXT_IMPACT, REGIME, NEXT_REGIME, REGIME_STATE,
 HALTED, UNDERLYING, SHOWN, SQUARES_BEFORE,
 NEXT_BOUNCE, OBSERVED, SEEN_MOVE, SEEN_SQUARES, SEEN_PRODUCTS, EXPECTED_MOVE, PREDICTED,
 SIGNAL_0, SIGNAL_1, SIGNAL_2, SIGNAL_3, NEXT_SIGNAL_0, NEXT_SIGNAL_1, NEXT_SIGNAL_2, NEXT_SIGNAL_3,
 SIGNAL_STATE_0, SIGNAL_STATE_1, SIGNAL_STATE_2, SIGNAL_STATE_3, SIGNAL_LEAN_0, SIGNAL_LEAN_1, SIGNAL_LEAN_2,
 SIGNAL_LEAN_3, ROOT_OF_JUMPS, VARIANCE_NORMALS) = _offsets(0, 60)  # fmt: skip
# Normals of four steps, drawn at once: those for the volatility, and behind them those of each signal.
SIGNAL_NORMALS_0 = VARIANCE_NORMALS + 4 * LANES
MIDS = SIGNAL_NORMALS_0 + MOST_SIGNALS * 4 * LANES
# VOLUME while strategies decide and fill: what a slice's rate is taken against, 0 where nobody trades. It is what traded in the
# step but in an empty bar of given paths, where that stands in TRADED (see ``Paths``); sums and LAST_VOLUME hold what traded.
# What conditions multiply, in the step to come once a step is made: VOLATILITY_FACTOR (1 without any), SPREAD_FACTOR,
# VOLUME_FACTOR, NEXT_IMPACT; IMPACT_FACTOR and REGIME are those of the step at hand while strategies decide and fill.
# UNDERLYING: the mid that the price model goes on from, where what is seen of it (MID, NEXT) may be another.
# EXPECTED_MOVE: E[NEXT - MID], where timing is split.
# PREDICTED: what signals tell of the move's normal; SIGNAL_0 on: their values in the step at hand and in the next, the states
# of their chains, and their means under the price's own measure.
# OBSERVED: what strategies see of MID where it bounces; SEEN_MOVE: its last relative move, and sums of squares and products.
# From MIDS on the mids of the last steps, for the feature momentum; step t's in the field t mod HISTORY.
HISTORY = 32
MARKET_FIELDS = MIDS // LANES + HISTORY

# Of a strategy: decision and ledger; observation (VALUE: of one feature, then an action's number); outcome of the decision
# (its share of the volume, that to the exponent, its own transient impact); what a learner keeps of the step before; the
# step's price as linear factors; whether what it observes lies outside what its training saw, how many steps began with
# something left to trade, and in how many of those it did. What can be derived at any time (fees, filled shares, permanent
# cost) is not accumulated.
(SLICE, LEVEL, VENUE, REMAINING, SUM_TIMING, SUM_HALF_SPREAD, SUM_TEMPORARY, SUM_SQUARES, SUM_TRANSIENT, IMPACT,
 ORDERS, LAST_STEP, LARGEST_RATE, VOLUME_AT_LAST, OWN_REMAINING, PROGRAM_COST,
 VALUE, STATE, RATE, RAISED_RATE, PUSHED, PAST_STATE, PAST_TRADED,
 FACTOR_SPREAD, FACTOR_TEMPORARY, FACTOR_END, FACTOR_END_TEMPORARY, OUTSIDE, MET, UNSEEN,
 CHARGED, SUM_CHARGED, SUM_EXPECTED, FACTOR_MOVE, SUM_FURTHER) = _offsets(0, 35)  # fmt: skip
# What the further parts charge for the slice, in currency a share, and have charged so far; from SUM_FURTHER on each of them.
MOST_FURTHER = 4
LEDGER_FIELDS = SUM_FURTHER // LANES + MOST_FURTHER

# Switches: which model a stage runs, chosen outside the lane loop.
(STEPS, SOURCE, PRICE_MODEL, START_MOVED, SPREAD_MODEL, VOLUME_MODEL, CORRELATED, TEMPORARY_KIND, TRANSIENT_KIND,
 HORIZON, PHASE, SPREAD_LEVELS, VOLUME_LEVELS, COST_RULE, SQUARES, FURTHER, VARIANCE, JUMPS,
 REGIMES, VOLATILITY_EXPONENT, IMPACT_SCALED, HALTS, NOISE, SPLIT,
 SIGNALS, SIGNALS_VARY, SIGNAL_LEVELS_0, SIGNAL_LEVELS_1, SIGNAL_LEVELS_2, SIGNAL_LEVELS_3,
 SIGNAL_PREDICTS_0, SIGNAL_PREDICTS_1, SIGNAL_PREDICTS_2, SIGNAL_PREDICTS_3,
 SIGNAL_OWNER_0, SIGNAL_OWNER_1, SIGNAL_OWNER_2, SIGNAL_OWNER_3) = range(38)  # fmt: skip
SWITCHES = SIGNAL_OWNER_3 + 1  # FURTHER: a bit for each further part of the cost
SYNTHETIC, GIVEN, JOINED = 0, 1, 2
GEOMETRIC, ARITHMETIC = 0, 1
SPREAD_CONSTANT, SPREAD_RANDOM_WALK, SPREAD_MEAN_REVERTING, SPREAD_MARKOV = 0, 1, 2, 3
VOLUME_CONSTANT, VOLUME_COSINE, VOLUME_LOGNORMAL, VOLUME_MARKOV = 0, 1, 2, 3
TEMPORARY_LINEAR, TEMPORARY_PROPORTIONAL, TEMPORARY_SQRT, TEMPORARY_POWER = 0, 1, 2, 3
TRANSIENT_OFF, TRANSIENT_LINEAR, TRANSIENT_POWER = 0, 1, 2
# What is left at the end: joins the last slice; is valued at the last quote; costs nothing; is valued as if it were traded.
COMPLETE, MARK, LEAVE, MARK_AS_TRADE = 0, 1, 2, 3
BY_FILL, PER_STEP = 0, 1
NOISE_OFF, NOISE_SEEN, NOISE_TRADABLE = 0, 1, 2
PREDICTS_MOVE, PREDICTS_SPREAD, PREDICTS_VOLUME, PREDICTS_VOLATILITY = 0, 1, 2, 3

(LOT, SIDE, MARK_PENALTY, MARK_SLOPE, RESTART) = range(5)  # numbers
NUMBERS = RESTART + 1
(RANGE_LOW, RANGE_HIGH, RANGE_IS_LOG) = range(3)
(PRICE_CURVE, SPREAD_CURVE, VOLUME_CURVE, COSINE_CURVE) = range(4)
# What is known of a strategy: kind, whether it fills at the end of the step, its stream, action set, levels, slot (of a plugin,
# of decisions made elsewhere, a rule, a network); what it sees: bits SEES_STEP (the step's own volume), OF_PATHS (what traded
# stands in TRADED), SEES_NOISE (its mid is OBSERVED); whether what no training saw is counted; of OWN_ORDERS a bit a row.
(KIND, FILLS_AT_NEXT, OWNER, ACTION_SET, LEVELS, SLOT, SEES_VOLUME, FEATURES, STATES, POLICY_AT,
 COUNTS_UNSEEN, ROWS) = range(12)  # fmt: skip
KIND_FIELDS = ROWS + 1
SCHEDULE, POV, OWN_SCHEDULE, RANDOM, PLUGIN, TABLE, DECIDED, OWN_ORDERS, FOLLOW_SIGNAL, NETWORK = range(10)
FRACTIONS, MULTIPLES, LOT_COUNTS, ANY_LOTS = 0, 1, 2, 3
SEES_STEP, OF_PATHS, SEES_NOISE = 1, 2, 4
# A rule that is linear in what is left and in the signals: of each step the share of the rest, shares, and shares a signal.
(RULE_OF_REST, RULE_FIXED, RULE_OF_SIGNAL) = range(3)
RULE_FIELDS = RULE_OF_SIGNAL + MOST_SIGNALS
# A feature: what it is (a number of ``observe``), its bins, its stride in the code, the steps of a momentum.
(FEATURE, BINS, STRIDE, LOOK_BACK) = range(4)
MOST_FEATURES = 6
MOST_LEVELS = 32
# Behind a feature's edges: the lowest and the highest value that a training saw.
LOWEST, HIGHEST = MOST_LEVELS, MOST_LEVELS + 1
EDGES = HIGHEST + 1
UNSEEN_STATE = 1 << 15  # of a policy's entry: set where its training never met the state
# A Markov chain: for each state the standard normals beyond which the next state lies, the same for the first step's law
# (as if it came from a state 32), and the levels; each a row of 32. The spread's chain, the volume's, the regimes'; behind
# them a row of each of what regimes multiply.
FIRST_ROW, LEVEL_ROW = MOST_LEVELS, MOST_LEVELS + 1
CHAIN_SIZE = (MOST_LEVELS + 2) * MOST_LEVELS
SPREAD_CHAIN, VOLUME_CHAIN, REGIME_CHAIN = 0, CHAIN_SIZE, 2 * CHAIN_SIZE
TIMES_VOLATILITY, TIMES_SPREAD, TIMES_VOLUME, TIMES_IMPACT = range(
    3 * CHAIN_SIZE, 3 * CHAIN_SIZE + 4 * MOST_LEVELS, MOST_LEVELS
)
# Behind these the chain of each signal, and for each a row of what its levels make of the volatility.
SIGNAL_CHAIN_0, SIGNAL_CHAIN_1, SIGNAL_CHAIN_2, SIGNAL_CHAIN_3 = range(
    TIMES_IMPACT + MOST_LEVELS, TIMES_IMPACT + MOST_LEVELS + MOST_SIGNALS * CHAIN_SIZE, CHAIN_SIZE
)
SIGNAL_EFFECT_0, SIGNAL_EFFECT_1, SIGNAL_EFFECT_2, SIGNAL_EFFECT_3 = range(
    SIGNAL_CHAIN_3 + CHAIN_SIZE, SIGNAL_CHAIN_3 + CHAIN_SIZE + MOST_SIGNALS * MOST_LEVELS, MOST_LEVELS
)
CHAINS_SIZE = SIGNAL_EFFECT_3 + MOST_LEVELS

MARKET_COLUMNS = (
    "order_shares", "arrival_price", "last_price", "market_vwap", "market_twap", "market_volume",
    "arrival_spread_bps", "mean_spread_bps", "realised_volatility",
)  # fmt: skip
EPISODE_COLUMNS = (
    "filled_shares", "completion", "average_price", "arrival_price", "shortfall_bps",
    "spread_bps", "temporary_bps", "permanent_bps", "transient_bps", "timing_bps", "fees_bps", "residual_bps",
    "vwap_slippage_bps", "participation", "max_participation", "program_cost",
)  # fmt: skip
# The last two of studies with an agent only.
COUNT_COLUMNS = ("child_orders", "last_step", "states_met", "states_unseen")
STEP_COLUMNS = ("mid", "spread", "volume", "shares", "price", "remaining", "own_impact")
(ORDER_SHARES, ARRIVAL_PRICE, LAST_PRICE, MARKET_VWAP, MARKET_TWAP, MARKET_VOLUME,
 ARRIVAL_SPREAD_BPS, MEAN_SPREAD_BPS, REALISED_VOLATILITY) = range(len(MARKET_COLUMNS))  # fmt: skip
(STEP_MID, STEP_SPREAD, STEP_VOLUME, STEP_SHARES, STEP_PRICE, STEP_REMAINING, STEP_IMPACT) = range(len(STEP_COLUMNS))

# Closed books: the parts of the cost in currency, and behind them in the same buffer the columns of an episode.
(PART_SPREAD, PART_TEMPORARY, PART_PERMANENT, PART_TRANSIENT, PART_TIMING, PART_FEES, PART_RESIDUAL) = _offsets(0, 7)
PARTS = PART_RESIDUAL // LANES + 1
(ROW_FILLED, ROW_COMPLETION, ROW_AVERAGE, ROW_ARRIVAL, ROW_SHORTFALL,
 ROW_SPREAD, ROW_TEMPORARY, ROW_PERMANENT, ROW_TRANSIENT, ROW_TIMING, ROW_FEES, ROW_RESIDUAL,
 ROW_SLIPPAGE, ROW_PARTICIPATION, ROW_LARGEST_RATE, ROW_PROGRAM_COST) = _offsets(PARTS, len(EPISODE_COLUMNS))  # fmt: skip
# Behind them the further parts that a study has, and behind these both parts of timing, where it is split.
ROW_FURTHER = ROW_PROGRAM_COST + LANES
CLOSED_FIELDS = ROW_FURTHER // LANES + MOST_FURTHER + 2


def further_parts(switches: np.ndarray) -> list[int]:
    """The further parts of the cost that a study has, in the order of the sum."""
    return [part for part in range(MOST_FURTHER) if int(switches[FURTHER]) >> part & 1]


def count_rows(strategies: Strategies) -> int:
    """Counts of an episode that a study has."""
    return len(COUNT_COLUMNS) - (0 if strategies.kinds[:, COUNTS_UNSEEN].any() else 2)


def episode_rows(switches: np.ndarray) -> int:
    """Columns of an episode that a study has: ``EPISODE_COLUMNS``, and behind them its further parts and a split timing's."""
    return len(EPISODE_COLUMNS) + len(further_parts(switches)) + (2 if switches[SPLIT] else 0)


def step_rows(switches: np.ndarray) -> int:
    """Columns of a step that a study has: ``STEP_COLUMNS``, and behind them each signal."""
    return len(STEP_COLUMNS) + int(switches[SIGNALS])


#: Of a parameter that each episode draws: its slot, and the step of the counter that it is drawn by.
(DRAWN_SLOT, DRAWN_NUMBER) = range(2)
DRAWN_FIELDS = DRAWN_NUMBER + 1
