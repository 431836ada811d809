"""Models of the quoted spread: a stage makes the first one, another, behind each step but the last, the next."""

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


@bound
@stage
def random_walk_spread(clock, normals, p, m):
    """The next spread: a reflected random walk. After the last step the quote stays, for what is marked there."""
    if clock.t == clock.steps - 1:
        return
    for i in range(LANES):
        walked = m[f.SPREAD + i] + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
        m[f.SPREAD + i] = abs(walked)


@bound
@stage
def begin_mean_reverting_spread(curves, p, m):
    """The first spread, of its stationary law."""
    level_spread(curves[f.SPREAD_CURVE, 0], p, m)


@bound
@stage
def mean_reverting_spread(clock, curves, normals, p, m):
    """The next spread; its logarithm reverts to its mean. After the last step the quote stays."""
    if clock.t == clock.steps - 1:
        return
    for i in range(LANES):
        kept = (1.0 - p[f.SPREAD_REVERSION + i]) * m[f.SPREAD_STATE + i]
        m[f.SPREAD_STATE + i] = kept + p[f.SPREAD_VOLATILITY + i] * normals[f.Z_SPREAD + i]
    level_spread(curves[f.SPREAD_CURVE, clock.t + 1], p, m)


@chained
def level_spread(curve, p, m):
    """The mean-reverting spread from its state: mean * curve * exp(x - sd^2 / 2), not below the floor."""
    for i in range(LANES):
        drawn = p[f.SPREAD_SCALE + i] * curve * exp(m[f.SPREAD_STATE + i])
        m[f.SPREAD + i] = max(drawn, p[f.SPREAD_FLOOR + i])


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
def spread_chain(clock, switches, chains, normals, m):
    """The next spread: the next level of a Markov chain. After the last step the quote stays."""
    if clock.t == clock.steps - 1:
        return
    levels = switches[f.SPREAD_LEVELS]
    step_chain(chains, f.SPREAD_CHAIN, levels, (f.SPREAD_STATE, f.SPREAD), normals[f.Z_SPREAD :], m)


@bound
@stage
def quote_arrival(m):
    """The spread at arrival."""
    for i in range(LANES):
        m[f.ARRIVAL_SPREAD + i] = m[f.SPREAD + i]


#: By the number of the model: the first spread, and what makes the next ones.
SPREADS = {
    f.SPREAD_CONSTANT: (constant_spread, ()),
    f.SPREAD_RANDOM_WALK: (constant_spread, (random_walk_spread,)),
    f.SPREAD_MEAN_REVERTING: (begin_mean_reverting_spread, (mean_reverting_spread,)),
    f.SPREAD_MARKOV: (begin_spread_chain, (spread_chain,)),
}
