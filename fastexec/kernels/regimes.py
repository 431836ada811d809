"""Regimes of the market, a Markov chain, and what they and a changing volatility multiply.

All that is multiplied is kept apart as a factor, and the models of spread and volume go on from states of their own.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.chain import step_chain
from fastexec.kernels.elementary import power
from fastexec.kernels.philox import OF_REGIMES, draw_words, gaussian_pair


@bound
@stage
def plain_factors(m):
    """Nothing is multiplied yet."""
    for i in range(LANES):
        m[f.VOLATILITY_FACTOR + i] = 1.0
        m[f.SPREAD_FACTOR + i] = 1.0
        m[f.VOLUME_FACTOR + i] = 1.0
        m[f.NEXT_IMPACT + i] = 1.0


@bound
@stage
def draw_for_regimes(clock, switches, words, raw):
    """A normal for the regime of step t + 1."""
    draw_words(clock.seed, clock.block, clock.t + 1, np.uint32(switches[f.PHASE] << 30 | OF_REGIMES << 24), words)
    gaussian_pair(words, raw)


@bound
@stage
def begin_regimes(m):
    """Before the first one."""
    for i in range(LANES):
        m[f.REGIME_STATE + i] = f.FIRST_ROW


@bound
@stage
def change_regime(switches, chains, raw, m):
    """The regime of step t + 1, and what it multiplies."""
    regimes = switches[f.REGIMES]
    step_chain(chains, f.REGIME_CHAIN, regimes, (f.REGIME_STATE, f.NEXT_REGIME), raw, m)
    multiply_by_regime(chains, regimes, m)


@stage
def multiply_by_regime(chains, regimes, m):
    """Each factor by that of the lane's regime: over the few regimes, each for all lanes."""
    for j in range(regimes):
        volatility, spread = chains[f.TIMES_VOLATILITY + j], chains[f.TIMES_SPREAD + j]
        volume, impact = chains[f.TIMES_VOLUME + j], chains[f.TIMES_IMPACT + j]
        for i in range(LANES):
            here = m[f.NEXT_REGIME + i] == j
            m[f.VOLATILITY_FACTOR + i] *= volatility if here else 1.0
            m[f.SPREAD_FACTOR + i] *= spread if here else 1.0
            m[f.VOLUME_FACTOR + i] *= volume if here else 1.0
            m[f.NEXT_IMPACT + i] *= impact if here else 1.0


@bound
@chained
def follow_volatility(p, m):
    """Spread and temporary cost by a power of the volatility, where the study has an exponent."""
    for i in range(LANES):
        factor = m[f.VOLATILITY_FACTOR + i]
        m[f.SPREAD_FACTOR + i] *= power(factor, p[f.SPREAD_VOLATILITY_EXPONENT + i])
        m[f.NEXT_IMPACT + i] *= power(factor, p[f.TEMPORARY_VOLATILITY_EXPONENT + i])


@bound
@stage
def hold_factors(m):
    """A step begins: what its fills meet, while the factors become those of the next."""
    for i in range(LANES):
        m[f.IMPACT_FACTOR + i] = m[f.NEXT_IMPACT + i]
        m[f.REGIME + i] = m[f.NEXT_REGIME + i]


@bound
@stage
def scale_volume(m):
    """Of step t, once the model has made it."""
    for i in range(LANES):
        m[f.VOLUME + i] *= m[f.VOLUME_FACTOR + i]


@bound
@stage
def scale_first_spread(m):
    """Of step 0."""
    for i in range(LANES):
        m[f.SPREAD + i] *= m[f.SPREAD_FACTOR + i]


@bound
@stage
def scale_spread(m):
    """Of step t + 1."""
    for i in range(LANES):
        m[f.NEXT_SPREAD + i] *= m[f.SPREAD_FACTOR + i]


def are_scaled(switches):
    """Whether spreads, volumes or temporary costs are multiplied."""
    return bool(switches[f.REGIMES] or switches[f.VOLATILITY_EXPONENT])


def regimes_of(switches, variance):
    """What a walk calls for its factors before the first step, and in each; ``variance``: its stages for them."""
    first, following = variance
    if not are_scaled(switches):
        return first, following
    change = (draw_for_regimes, change_regime) if switches[f.REGIMES] else ()
    begin = (begin_regimes,) if switches[f.REGIMES] else ()
    follow = (follow_volatility,) if switches[f.VOLATILITY_EXPONENT] else ()
    return (
        (plain_factors, *first, *begin, *change, *follow, scale_first_spread),
        (plain_factors, *following, *change, *follow),
    )
