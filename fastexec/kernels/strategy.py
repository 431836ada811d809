"""Decide a block of lanes: each function writes the slice of step t, 0 <= slice <= remaining, into the ledger.

A schedule is a trajectory: what a step without volume missed is caught up in the next one. Nobody trades in a step
without volume.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._bind import call_decide
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.bins import encode
from fastexec.kernels.follow_signal import follow_signal
from fastexec.kernels.philox import ACTIONS, draw_words

# V * rate / lot is often a whole number that binary fractions miss by a hair; without this a lot would wait a step. Sums of
# fractions miss a whole order by a hair too: of its shares, where they come from elsewhere.
_HAIR = 1e-9


@bound
@stage
def schedule(t, trajectories, numbers, p, m, b):
    """The trajectory that is the same in every episode."""
    follow(trajectories[0, t + 1], numbers[f.LOT], p, m, b)


@bound
@stage
def schedule_of_group(t, k, strategies, numbers, p, m, b):
    """The trajectory of the group of the path at hand."""
    follow_own(strategies, k, t, numbers[f.LOT], p, m, b)


@bound
@stage
def pov(k, strategies, numbers, p, m, b):
    """A share of the volume."""
    of_paths = strategies.kinds[k, f.SEES_VOLUME] & f.OF_PATHS
    participate(strategies.levels[k, 0], numbers[f.LOT], f.TRADED if of_paths else f.VOLUME, p, m, b)


@bound
@stage
def random(clock, k, plan, strategies, words, p, m, b):
    """Any action."""
    draw_choices(clock, k, plan, strategies, words)
    act_randomly(strategies, k, plan.numbers[f.LOT], clock.steps, words, p, m, b)


@bound
@stage
def table(clock, k, strategies, numbers, p, m, b):
    """The action that an agent's policy has for the state."""
    encode(strategies, k, clock, p, m, b)
    find_actions(strategies, k, clock.t, b)
    if strategies.kinds[k, f.COUNTS_UNSEEN]:
        count_unseen(strategies, k, clock.t, b)
    take_actions(strategies, k, numbers[f.LOT], clock.steps, p, m, b)


@bound
@stage
def own(clock, k, strategies, functions, numbers, m, b):
    """What the user's function says."""
    kind = strategies.kinds[k]
    seen = f.OBSERVED if kind[f.SEES_VOLUME] & f.SEES_NOISE else f.MID
    ask(functions[kind[f.SLOT]], strategies.levels[k], clock, numbers[f.LOT], seen, m, b)


@stage
def draw_choices(clock, k, plan, strategies, words):
    """The words from which strategy k chooses in a step."""
    stream = np.uint32(plan.switches[f.PHASE] << 30 | ACTIONS << 24 | strategies.kinds[k, f.OWNER])
    draw_words(clock.seed, clock.block, clock.t, stream, words)


@stage
def follow(fraction, lot, p, m, b):
    """Trade down to the trajectory: ``fraction`` of the order is to be done by the end of the step."""
    for i in range(LANES):
        if lot > 0.0:
            done = lot * np.floor(fraction * p[f.LOTS + i] + 0.5)
        else:
            done = fraction * p[f.LOTS + i]
        behind = max(b[f.REMAINING + i] - (p[f.SHARES + i] - done), 0.0)
        b[f.SLICE + i] = behind if m[f.VOLUME + i] > 0.0 else 0.0


@stage
def follow_own(strategies, k, t, lot, p, m, b):
    """As ``follow``, with a trajectory for each group of given paths (another time of day, other days)."""
    for i in range(LANES):
        g = strategies.groups[np.int64(m[f.WINDOW + i])]
        fraction = strategies.fractions[k, g, t + 1]
        if lot > 0.0:
            done = lot * np.floor(fraction * p[f.LOTS + i] + 0.5)
        else:
            done = fraction * p[f.LOTS + i]
        behind = max(b[f.REMAINING + i] - (p[f.SHARES + i] - done), 0.0)
        b[f.SLICE + i] = behind if m[f.VOLUME + i] > 0.0 else 0.0


@stage
def participate(rate, lot, volume, p, m, b):
    """POV: so many shares that all traded so far are ``rate`` times the market's volume so far, this step's included, which
    stands in the field ``volume``; none in an empty bar, where others may trade.
    """
    rate_in_lots = rate / lot if lot > 0.0 else rate
    traded = m[volume : volume + LANES]  # a view: see ``ledger.book``
    for i in range(LANES):
        wanted = m[f.CUMULATIVE_VOLUME + i] * rate_in_lots
        if lot > 0.0:
            wanted = lot * np.floor(wanted + _HAIR)
        left = b[f.REMAINING + i]
        behind = min(max(wanted - (p[f.SHARES + i] - left), 0.0), left)
        b[f.SLICE + i] = behind if min(traded[i], m[f.VOLUME + i]) > 0.0 else 0.0


@stage
def act_randomly(strategies, k, lot, steps, words, p, m, b):
    """One of the action set's levels, each as likely."""
    levels = np.uint64(strategies.kinds[k, f.LEVELS])
    for i in range(LANES):
        b[f.VALUE + i] = np.float64((np.uint64(words[f.FIRST + i]) * levels) >> np.uint64(32))
    take_actions(strategies, k, lot, steps, p, m, b)


@stage
def find_actions(strategies, k, t, b):
    """The policy's action for the state of each lane, into field VALUE."""
    policy, start = strategies.policy, strategies.kinds[k, f.POLICY_AT] + t * strategies.kinds[k, f.STATES]
    for i in range(LANES):
        b[f.VALUE + i] = policy[start + np.int64(b[f.STATE + i])] & (f.UNSEEN_STATE - 1)


@stage
def count_unseen(strategies, k, t, b):
    """Count the step where there is something left to trade, and where its training saw no such state or no such value."""
    policy, start = strategies.policy, strategies.kinds[k, f.POLICY_AT] + t * strategies.kinds[k, f.STATES]
    for i in range(LANES):
        strange = b[f.OUTSIDE + i] > 0.0 or policy[start + np.int64(b[f.STATE + i])] >= f.UNSEEN_STATE
        left = 1.0 if b[f.REMAINING + i] > 0.0 else 0.0
        b[f.MET + i] += left
        b[f.UNSEEN + i] += left if strange else 0.0


@stage
def take_actions(strategies, k, lot, steps, p, m, b):
    """The actions in field VALUE as slices: whole lots, at most what remains. Loops short enough to be vectorised each."""
    actions, levels = strategies.kinds[k, f.ACTION_SET], strategies.levels[k]
    if actions != f.ANY_LOTS:
        for i in range(LANES):
            b[f.VALUE + i] = levels[np.int64(b[f.VALUE + i])]
    take_amounts(actions, lot, steps, p, m, b)


@stage
def take_amounts(actions, lot, steps, p, m, b):
    """What a set of actions counts, in field VALUE, as slices."""
    if actions == f.FRACTIONS:
        for i in range(LANES):
            b[f.SLICE + i] = b[f.VALUE + i] * b[f.REMAINING + i]
    elif actions == f.MULTIPLES:
        for i in range(LANES):
            b[f.SLICE + i] = b[f.VALUE + i] * (p[f.SHARES + i] / steps)
    else:
        for i in range(LANES):
            b[f.SLICE + i] = b[f.VALUE + i] * (lot if lot > 0.0 else 1.0)
    if lot > 0.0 and actions != f.ANY_LOTS:
        for i in range(LANES):
            b[f.SLICE + i] = lot * np.floor(b[f.SLICE + i] / lot + _HAIR)
    for i in range(LANES):
        wanted = min(b[f.SLICE + i], b[f.REMAINING + i])
        b[f.SLICE + i] = wanted if m[f.VOLUME + i] > 0.0 else 0.0


@stage
def ask(address, params, clock, lot, seen, m, b):
    """A user's strategy: views of the block, no copies, its mid the field ``seen``. Asked for are whole lots, rounded down."""
    for i in range(LANES):
        b[f.SLICE + i] = 0.0
    views = (
        b[f.SLICE : f.SLICE + LANES],
        b[f.REMAINING : f.REMAINING + LANES],
        m[seen : seen + LANES],
        m[f.SPREAD : f.SPREAD + LANES],
        m[f.LAST_VOLUME : f.LAST_VOLUME + LANES],
        params,
    )
    if call_decide(address, views, clock.t, clock.steps):
        no_numbers(b)
    round_down(lot, b)


@inlined
def no_numbers(b):
    """The slices of a user's strategy that failed: ``check_slices`` says where."""
    for i in range(LANES):
        b[f.SLICE + i] = np.nan


@stage
def round_down(lot, b):
    """What a user's strategy asks for in whole lots; all that is left, and what is not allowed, stay as they are."""
    if lot > 0.0:
        for i in range(LANES):
            q, left = b[f.SLICE + i], b[f.REMAINING + i]
            b[f.SLICE + i] = min(lot * np.floor(q / lot + _HAIR), left) if q < left else q


@inlined
def all_or(q, i, p, b):
    """Shares decided on elsewhere: all that is left, where they miss it by a hair."""
    left = b[f.REMAINING + i]
    return left if abs(q - left) <= _HAIR * p[f.SHARES + i] else q


@inlined
def as_said(q, i, lot, p, b):
    """The same, at most what is left, of whole lots as many as fit into them; what is whole lots to a hair stays as it is."""
    left, wanted = b[f.REMAINING + i], all_or(q, i, p, b)
    lots = wanted / lot if lot > 0.0 else 0.0
    broken = abs(lots - np.floor(lots + 0.5)) > _HAIR and wanted < left
    return min(lot * np.floor(lots) if broken else wanted, left)


@stage
def check_slices(clock, span, k, m, b, fault):
    """Note the first slice of the span's episodes that is no number, negative or more than remains; none without volume."""
    for i in range(LANES):
        q = b[f.SLICE + i]
        if not (q >= 0.0 and q <= b[f.REMAINING + i]):
            note_fault(i, (0 if q != q else 1 if q < 0.0 else 2, q), clock, span, k, fault)
            q = 0.0
        b[f.SLICE + i] = q if m[f.VOLUME + i] > 0.0 else 0.0


@inlined
def note_fault(i, what, clock, span, k, fault):
    """Of lane i, if it is the first and its episode is asked for; ``what``: its number, and the value that is wrong."""
    if fault[0] < 0 and span.low <= i and i < span.high:
        fault[0], fault[1], fault[2] = clock.block * LANES + i, k, clock.t
        fault[3], fault[4] = what[0], np.float64(what[1]).view(np.int64)


#: By the number of a strategy's kind.
DECISIONS = {
    f.SCHEDULE: schedule,
    f.OWN_SCHEDULE: schedule_of_group,
    f.POV: pov,
    f.RANDOM: random,
    f.TABLE: table,
    f.PLUGIN: own,
    f.FOLLOW_SIGNAL: follow_signal,
}
