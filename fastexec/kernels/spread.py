"""Models of the quoted spread: a stage makes the first one, another in each step the next, with the move that it follows.

Who fills at the step's end meets the next one, NEXT_SPREAD; for all others it is quoted when the next step begins.
"""

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.chain import step_chain
from fastexec.kernels.elementary import exp


@bound
@stage
def constant_spread(p, m):
    """The first spread, and every later one where it is constant."""
    for i in range(LANES):
        m[f.SPREAD + i] = p[f.SPREAD_LEVEL + i]
        m[f.NEXT_SPREAD + i] = p[f.SPREAD_LEVEL + i]
        m[f.SPREAD_STATE + i] = p[f.SPREAD_LEVEL + i]


@bound
@stage
def repeat_spread(p, m):
    """The next spread, the same: of a constant one that something multiplies."""
    for i in range(LANES):
        m[f.NEXT_SPREAD + i] = p[f.SPREAD_LEVEL + i]


@bound
@stage
def random_walk_spread(normals, p, m):
    """The next spread: a reflected random walk."""
    for i in range(LANES):
        walked = abs(m[f.SPREAD_STATE + i] + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i])
        m[f.SPREAD_STATE + i] = walked
        m[f.NEXT_SPREAD + i] = walked


@bound
@stage
def begin_mean_reverting_spread(curves, p, m):
    """The first spread, of its stationary law."""
    level_spread(curves[f.SPREAD_CURVE, 0], p, m, m[f.SPREAD :])


@bound
@stage
def mean_reverting_spread(clock, curves, normals, p, m):
    """The next spread; its logarithm reverts to its mean. Behind the last step the curve is the last step's."""
    for i in range(LANES):
        kept = (1.0 - p[f.SPREAD_REVERSION + i]) * m[f.SPREAD_STATE + i]
        m[f.SPREAD_STATE + i] = kept + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
    level_spread(curves[f.SPREAD_CURVE, min(clock.t + 1, clock.steps - 1)], p, m, m[f.NEXT_SPREAD :])


@chained
def level_spread(curve, p, m, spreads):
    """The mean-reverting spread from its state: mean * curve * exp(x - sd^2 / 2), not below the floor, into ``spreads``."""
    for i in range(LANES):
        drawn = p[f.SPREAD_SCALE + i] * curve * exp(m[f.SPREAD_STATE + i])
        spreads[i] = max(drawn, p[f.SPREAD_FLOOR + i])


@bound
@stage
def begin_spread_chain(switches, chains, raw, m):
    """The first spread, of its stationary law."""
    for i in range(LANES):
        m[f.SPREAD_STATE + i] = f.FIRST_ROW
    levels = switches[f.SPREAD_LEVELS]
    step_chain(chains, f.SPREAD_CHAIN, levels, (f.SPREAD_STATE, f.SPREAD), raw[f.SECOND :], m)


@bound
@stage
def spread_chain(switches, chains, normals, m):
    """The next spread: the next level of a Markov chain."""
    levels = switches[f.SPREAD_LEVELS]
    step_chain(chains, f.SPREAD_CHAIN, levels, (f.SPREAD_STATE, f.NEXT_SPREAD), normals[f.Z_SPREAD :], m)


@bound
@stage
def roll_spread(clock, m):
    """To step t + 1: its spread is quoted. After the last step the last one stays beside the one of the end."""
    if clock.t < clock.steps - 1:
        for i in range(LANES):
            m[f.SPREAD + i] = m[f.NEXT_SPREAD + i]


@bound
@stage
def quote_arrival(m):
    """The spread at arrival."""
    for i in range(LANES):
        m[f.ARRIVAL_SPREAD + i] = m[f.SPREAD + i]


#: By the number of the model: the first spread, what makes the next ones, and what leaves a step for them.
SPREADS = {
    f.SPREAD_CONSTANT: (constant_spread, (), ()),
    f.SPREAD_RANDOM_WALK: (constant_spread, (random_walk_spread,), (roll_spread,)),
    f.SPREAD_MEAN_REVERTING: (begin_mean_reverting_spread, (mean_reverting_spread,), (roll_spread,)),
    f.SPREAD_MARKOV: (begin_spread_chain, (spread_chain,), (roll_spread,)),
}
