"""Parameters of a block's episodes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock
from fastexec.kernels.philox import PARAMETERS
from naive import parameters as twin
from naive.philox import philox4x32
from rows.plans import plan_of
from trials import Lanes, W, real

LOTS = st.sampled_from([0.0, 1.0, 7.0, 100.0])
CORRELATION = real(-0.4, 0.4)  # five of them: the matrix is positive definite whatever they are
NAMES = [name.lower() for name in f.PARAMETERS]


def round_order(v):
    shares, lots = twin.lots_of(v.shares, v.lot)
    return {"shares": shares, "lots": lots}


def whole_lots_nearby(given, found, again):
    if given.lot:
        np.testing.assert_array_equal(found.lots, np.floor(found.lots))
        assert (np.abs(found.shares - given.shares) <= 0.5 * given.lot * (1 + 1e-12)).sum() >= (
            given.shares >= given.lot
        ).sum()
        assert (found.lots >= 1).all()
        np.testing.assert_array_equal(again(shares=found.shares).shares, found.shares)
    else:
        np.testing.assert_array_equal(found.shares, given.shares)


FACTOR = ("l20", "l21", "l22", "l30", "l31", "l32", "l33")


def derive(v):
    matrix = twin.correlation_matrix(
        v.price_spread, v.price_volume, v.spread_volume, v.volume_absolute_return, v.spread_absolute_return
    )
    lower = twin.factor(matrix)
    wanted = {name: lower[int(name[1]), int(name[2])] for name in FACTOR} | {"decay": twin.decay(v.resilience)}
    wanted["temporary_slope"] = v.temporary_coefficient if v.temporary_kind == f.TEMPORARY_LINEAR else 0.0
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        wanted["spread_sd"] = sd = twin.stationary_sd(v.spread_reversion, v.spread_volatility)
        wanted["spread_scale"] = twin.lognormal_scale(v.spread_level, sd)
    if v.volume_model == f.VOLUME_LOGNORMAL:
        wanted["volume_scale"] = twin.lognormal_scale(v.volume_mean, v.volume_noise, v.day_volatility)
        wanted["volume_fresh"] = twin.stationary_sd(1.0, (1.0 - v.volume_persistence**2) ** 0.5)
    return wanted


def factor_gives_the_matrix_back(given, found, again):
    for i in range(0, W, 7):
        lower = np.eye(4)
        for name in FACTOR:
            lower[int(name[1]), int(name[2])] = getattr(found, name)[i]
        wanted = twin.correlation_matrix(
            given.price_spread[i], given.price_volume[i], given.spread_volume[i],
            given.volume_absolute_return[i], given.spread_absolute_return[i],
        )  # fmt: skip
        np.testing.assert_allclose(lower @ lower.T, wanted, atol=1e-14)
    twice = again(resilience=2.0 * given.resilience)
    np.testing.assert_allclose(twice.decay, found.decay**2, rtol=1e-14)


DERIVED_FROM = {
    "price_spread": CORRELATION, "price_volume": CORRELATION, "spread_volume": CORRELATION,
    "volume_absolute_return": CORRELATION, "spread_absolute_return": CORRELATION, "resilience": real(0.0, 5.0),
    "spread_reversion": real(0.01, 1.0), "spread_volatility": real(0.0, 1.0), "spread_level": real(1e-5, 0.01),
    "volume_mean": real(1.0, 1e6), "volume_noise": real(0.0, 1.0), "day_volatility": real(0.0, 1.0),
    "volume_persistence": real(-0.95, 0.95), "temporary_coefficient": real(0.0, 1.0),
}  # fmt: skip
MODELS = {name: st.integers(0, 3) for name in ("spread_model", "volume_model", "temporary_kind")}

#: Of each parameter, a range whose whole is allowed; of the correlations a fifth of it each.
RANGE = {name: (0.2, 0.9) for name in NAMES} | {
    "shares": (50.0, 900.0), "volume_amplitude": (-0.9, 0.9),
    **{name: (-0.3, 0.3) for name in DERIVED_FROM if DERIVED_FROM[name] is CORRELATION},
}  # fmt: skip


def models_of(x):
    return {name: getattr(x, name) for name in MODELS}


NUMBER = 0xFFFF_FF00  # of the first parameter's draws, the others' behind it


def planned(x, drawn=()):
    """A plan with each parameter at ``RANGE``'s low end, or drawn; negative ends are never logarithmic."""
    plan = plan_of(1, lot=x.lot, phase=x.phase, **models_of(x))
    for j, name in enumerate(NAMES):
        plan.ranges[j] = *RANGE[name], x.log and RANGE[name][0] > 0
    return plan._replace(drawn=np.array([(j, NUMBER + j) for j in drawn], np.int64).reshape(-1, f.DRAWN_FIELDS))


def with_derived(v, values):
    """All that depends on the parameters."""
    shares, lots = twin.lots_of(values["shares"], v.lot)
    values |= {"shares": shares, "lots": lots}
    return values | derive(type(v)(**(vars(v) | values)))


def fix_parameters(v):
    return with_derived(v, {name: RANGE[name][0] for name in NAMES})


def all_lanes_alike(given, found, again):
    for name in NAMES:
        assert len(set(getattr(found, name).tolist())) == 1
    assert (again(log=not given.log).buffers["p"][: f.LOTS] == found.buffers["p"][: f.LOTS]).all()


DRAWN = [
    NAMES.index(name) for name in ("shares", "volatility", "volume_amplitude", "price_volume", "spread_level", "fee")
]


def draw_parameters(v):
    values = {name: getattr(v, name) for name in DERIVED_FROM}
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    for j in DRAWN:
        low, high = RANGE[NAMES[j]]
        counter = (episode & 0xFFFFFFFF, episode >> 32, NUMBER + j, v.phase << 30 | PARAMETERS << 24)
        values[NAMES[j]] = twin.drawn(philox4x32(counter, key)[0], low, high, v.log and low > 0)
    found = with_derived(v, values)
    return {name: found[name] for name in found if name not in DERIVED_FROM or name in (NAMES[j] for j in DRAWN)}


def spread_over_its_range(given, found, again):
    for name in ("volatility", "fee", "price_volume"):
        values, (low, high) = getattr(found, name), RANGE[name]
        assert low <= values.min() < values.max() <= high
        middle = (low * high) ** 0.5 if given.log and low > 0 else 0.5 * (low + high)
        assert abs((values < middle).mean() - 0.5) < 5 * 0.5 / W**0.5
    assert (again(phase=(given.phase + 1) % 4).fee != found.fee).mean() > 0.9


BLOCK = {"seed": st.integers(0, 2**64 - 1), "block": st.integers(0, 2**40), "phase": st.integers(0, 3)}
ROWS = (
    Lanes("parameters.round_order", lambda x: (x.lot, x.p), round_order, {"shares": real(1.0, 1e6)}, whole_lots_nearby,
          others={"lot": LOTS}, rtol=0.0),
    Lanes(
        "parameters.derive",
        lambda x: (plan_of(1, **models_of(x)).switches, x.p),
        derive, DERIVED_FROM, factor_gives_the_matrix_back, others=MODELS, atol=1e-14,
    ),
    Lanes("parameters.fix_parameters", lambda x: (planned(x), x.p), fix_parameters, {}, all_lanes_alike,
          others={**MODELS, "lot": LOTS, "phase": st.just(0), "log": st.booleans()}, atol=1e-14),
    Lanes(
        "parameters.draw_parameters",
        lambda x: (Clock(np.uint64(x.seed), x.block, 0, 1), planned(x, DRAWN), x.words, x.p),
        draw_parameters, DERIVED_FROM | {"shares": real(1.0, 1e6)}, spread_over_its_range,
        others={**MODELS, **BLOCK, "lot": LOTS, "log": st.booleans()}, scratch="w0 w1 w2 w3", atol=1e-14, tries=10, each=True,
    ),
)  # fmt: skip
