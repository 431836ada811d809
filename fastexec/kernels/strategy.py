"""Decide a block of lanes: each function writes the slice of step t, 0 <= slice <= remaining, into the ledger.

A schedule is a trajectory: what a step without volume missed is caught up in the next one. Nobody trades in a step
without volume.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.fields import (
    ACTION_SET,
    ANY_LOTS,
    CUMULATIVE_VOLUME,
    FRACTIONS,
    KIND,
    LAST_VOLUME,
    LEVELS,
    LOT,
    LOTS,
    MID,
    MULTIPLES,
    OWN_SCHEDULE,
    OWNER,
    PHASE,
    POLICY_AT,
    POV,
    RANDOM,
    REMAINING,
    SCHEDULE,
    SHARES,
    SLICE,
    SPREAD,
    STATE,
    STATES,
    STEPS,
    TABLE,
    VALUE,
    VOLUME,
    WINDOW,
)
from fastexec.kernels.philox import ACTIONS, draw_words
from fastexec.kernels.state import encode

_W = LANES
# V * rate / lot is often a whole number that binary fractions miss by a hair; without this a lot would wait a step.
_HAIR = 1e-9


@stage
def decide(kind, fraction, rate, lot, p, m, b):
    """The two that most studies are made of. Scalars and three arrays only: each NamedTuple passed in the inner loop is
    a dozen atomic reference counts, 345 ns a step and strategy.
    """
    if kind == SCHEDULE:
        follow(fraction, lot, p, m, b)
    elif kind == POV:
        participate(rate, lot, p, m, b)


@stage
def decide_otherwise(at, plan, strategies, words, p, m, b):
    """The rarer kinds; ``at`` is (seed, block, step, strategy)."""
    seed, block, t, k = at
    kind, lot, steps = strategies.kinds[k, KIND], plan.numbers[LOT], plan.switches[STEPS]
    if kind == OWN_SCHEDULE:
        follow_own(strategies, k, t, lot, p, m, b)
    elif kind == RANDOM:
        stream = np.uint32(plan.switches[PHASE] << 30 | ACTIONS << 24 | strategies.kinds[k, OWNER])
        draw_words(seed, block, t, stream, words)
        act_randomly(strategies, k, lot, steps, words, p, m, b)
    elif kind == TABLE:
        look_up(strategies, k, t, lot, steps, p, m, b)


@stage
def follow(fraction, lot, p, m, b):
    """Trade down to the trajectory: ``fraction`` of the order is to be done by the end of the step."""
    for i in range(_W):
        if lot > 0.0:
            done = lot * np.floor(fraction * p[LOTS * _W + i] + 0.5)
        else:
            done = fraction * p[LOTS * _W + i]
        behind = max(b[REMAINING * _W + i] - (p[SHARES * _W + i] - done), 0.0)
        b[SLICE * _W + i] = behind if m[VOLUME * _W + i] > 0.0 else 0.0


@stage
def follow_own(strategies, k, t, lot, p, m, b):
    """As ``follow``, with a trajectory for each group of given paths (another time of day, other days)."""
    for i in range(_W):
        g = strategies.groups[np.int64(m[WINDOW * _W + i])]
        fraction = strategies.fractions[k, g, t + 1]
        if lot > 0.0:
            done = lot * np.floor(fraction * p[LOTS * _W + i] + 0.5)
        else:
            done = fraction * p[LOTS * _W + i]
        behind = max(b[REMAINING * _W + i] - (p[SHARES * _W + i] - done), 0.0)
        b[SLICE * _W + i] = behind if m[VOLUME * _W + i] > 0.0 else 0.0


@stage
def participate(rate, lot, p, m, b):
    """POV: so many shares that all traded so far are ``rate`` times the market's volume so far, this step's included."""
    rate_in_lots = rate / lot if lot > 0.0 else rate
    for i in range(_W):
        wanted = m[CUMULATIVE_VOLUME * _W + i] * rate_in_lots
        if lot > 0.0:
            wanted = lot * np.floor(wanted + _HAIR)
        left = b[REMAINING * _W + i]
        behind = min(max(wanted - (p[SHARES * _W + i] - left), 0.0), left)
        b[SLICE * _W + i] = behind if m[VOLUME * _W + i] > 0.0 else 0.0


@stage
def act_randomly(strategies, k, lot, steps, words, p, m, b):
    """One of the action set's levels, each as likely."""
    levels = np.uint64(strategies.kinds[k, LEVELS])
    for i in range(_W):
        b[VALUE * _W + i] = np.float64((np.uint64(words[i]) * levels) >> np.uint64(32))
    take_actions(strategies, k, lot, steps, p, m, b)


@stage
def look_up(strategies, k, t, lot, steps, p, m, b):
    """An agent: the action that its policy has for the state."""
    encode(strategies, k, t, p, m, b)
    find_actions(strategies, k, t, b)
    take_actions(strategies, k, lot, steps, p, m, b)


@stage
def find_actions(strategies, k, t, b):
    """The policy's action for the state of each lane, into field VALUE."""
    policy, start = strategies.policy, strategies.kinds[k, POLICY_AT] + t * strategies.kinds[k, STATES]
    for i in range(_W):
        b[VALUE * _W + i] = policy[start + np.int64(b[STATE * _W + i])]


@stage
def take_actions(strategies, k, lot, steps, p, m, b):
    """The actions in field VALUE as slices: whole lots, at most what remains. Loops short enough to be vectorised each."""
    actions, levels = strategies.kinds[k, ACTION_SET], strategies.levels[k]
    if actions != ANY_LOTS:
        for i in range(_W):
            b[VALUE * _W + i] = levels[np.int64(b[VALUE * _W + i])]
    if actions == FRACTIONS:
        for i in range(_W):
            b[SLICE * _W + i] = b[VALUE * _W + i] * b[REMAINING * _W + i]
    elif actions == MULTIPLES:
        for i in range(_W):
            b[SLICE * _W + i] = b[VALUE * _W + i] * (p[SHARES * _W + i] / steps)
    else:
        for i in range(_W):
            b[SLICE * _W + i] = b[VALUE * _W + i] * (lot if lot > 0.0 else 1.0)
    if lot > 0.0 and actions != ANY_LOTS:
        for i in range(_W):
            b[SLICE * _W + i] = lot * np.floor(b[SLICE * _W + i] / lot + _HAIR)
    for i in range(_W):
        wanted = min(b[SLICE * _W + i], b[REMAINING * _W + i])
        b[SLICE * _W + i] = wanted if m[VOLUME * _W + i] > 0.0 else 0.0


@stage
def ask(function, params, clock, span, m, b, fault):
    """A user's strategy: views of the block, no copies; ``clock`` is (step, steps, lot, strategy), ``span`` as in ``record``.
    What it asks for is rounded down to whole lots.
    """
    t, steps, lot, k = clock
    for i in range(_W):
        b[SLICE * _W + i] = 0.0
    function(
        b[SLICE * _W : (SLICE + 1) * _W],
        b[REMAINING * _W : (REMAINING + 1) * _W],
        m[MID * _W : (MID + 1) * _W],
        m[SPREAD * _W : (SPREAD + 1) * _W],
        m[LAST_VOLUME * _W : (LAST_VOLUME + 1) * _W],
        params,
        t,
        steps,
    )
    if lot > 0.0:
        for i in range(_W):
            q, left = b[SLICE * _W + i], b[REMAINING * _W + i]
            b[SLICE * _W + i] = min(lot * np.floor(q / lot + _HAIR), left) if q < left else q
    check_slices(span, t, k, m, b, fault)


@stage
def check_slices(span, t, k, m, b, fault):
    """Note the first slice of the span's episodes that is no number, negative or more than remains; none without volume."""
    _, low, high = span
    first = low - low % _W
    for i in range(_W):
        q = b[SLICE * _W + i]
        if not (q >= 0.0 and q <= b[REMAINING * _W + i]):
            if fault[0] < 0 and low <= first + i and first + i < high:
                fault[0], fault[1], fault[2] = first + i, k, t
                fault[3] = 0 if q != q else 1 if q < 0.0 else 2
            q = 0.0
        b[SLICE * _W + i] = q if m[VOLUME * _W + i] > 0.0 else 0.0
