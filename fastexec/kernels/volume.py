"""Models of the market's volume, each a stage that makes v_t."""

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.chain import step_chain
from fastexec.kernels.elementary import exp


@bound
@stage
def constant_volume(p, m):
    """v_t, the same in every step."""
    for i in range(LANES):
        m[f.VOLUME + i] = p[f.VOLUME_MEAN + i]


@bound
@chained
def cosine_volume(t, curves, normals, p, m):
    """v_t: one turn of a cosine over the order, and noise."""
    cosine = curves[f.COSINE_CURVE, t]
    for i in range(LANES):
        level = p[f.VOLUME_MEAN + i] * (1.0 + p[f.VOLUME_AMPLITUDE + i] * cosine)
        drawn = level + p[f.VOLUME_NOISE + i] * normals[f.Z_VOLUME + i]
        m[f.VOLUME + i] = max(drawn, p[f.VOLUME_FLOOR + i])


@bound
@chained
def lognormal_volume(t, curves, normals, p, m):
    """v_t: a curve times the exponential of an AR(1) and of the day's own level."""
    curve = curves[f.VOLUME_CURVE, t]
    for i in range(LANES):
        fresh = p[f.VOLUME_FRESH + i] * normals[f.Z_VOLUME + i]
        x = p[f.VOLUME_PERSISTENCE + i] * m[f.VOLUME_STATE + i] + fresh
        m[f.VOLUME_STATE + i] = x
        spread_of_logs = p[f.VOLUME_NOISE + i] * x + p[f.DAY_VOLATILITY + i] * m[f.DAY_STATE + i]
        drawn = p[f.VOLUME_SCALE + i] * curve * exp(spread_of_logs)
        m[f.VOLUME + i] = max(drawn, p[f.VOLUME_FLOOR + i])


@bound
@stage
def begin_volume_chain(m):
    """Before its first level."""
    for i in range(LANES):
        m[f.VOLUME_STATE + i] = f.FIRST_ROW


@bound
@stage
def volume_chain(switches, chains, normals, m):
    """v_t: the next level of a Markov chain."""
    levels = switches[f.VOLUME_LEVELS]
    step_chain(chains, f.VOLUME_CHAIN, levels, (f.VOLUME_STATE, f.VOLUME), normals[f.Z_VOLUME :], m)


#: By the number of the model: what is called before the first step, and in each.
VOLUMES = {
    f.VOLUME_CONSTANT: ((), constant_volume),
    f.VOLUME_COSINE: ((), cosine_volume),
    f.VOLUME_LOGNORMAL: ((), lognormal_volume),
    f.VOLUME_MARKOV: ((begin_volume_chain,), volume_chain),
}
