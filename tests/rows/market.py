"""A step of the market, each stage that makes one thing: normals, price, volume, spread, chains, sums."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.models.chains import Chain, markov_law, stationary_law
from fastexec.planning import chains
from naive import steps as twin
from rows.parameters import CORRELATION, DERIVED_FROM, FACTOR
from trials import Lanes, W, real

PRICES = ("geometric", "arithmetic")
CORRELATIONS = {name: values for name, values in DERIVED_FROM.items() if values is CORRELATION}
NORMAL, CURVE = real(-6.0, 6.0), real(0.2, 3.0)
FLOAT32 = st.floats(-6.0, 6.0, width=32, allow_subnormal=False)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(min(60, W))
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def expectation(values):
    """Of what was made from a standard normal that took the values ``NODES``."""
    return float(np.dot(values[: NODES.size], WEIGHTS))


def factor_of(v):
    lower = twin.factor(twin.correlation_matrix(
        v.price_spread, v.price_volume, v.spread_volume, v.volume_absolute_return, v.spread_absolute_return))  # fmt: skip
    return {name: lower[int(name[1]), int(name[2])] for name in FACTOR}


def correlate(v):
    z_s, z_v = twin.correlated(
        v.e0, v.e1, v.e2, v.price_spread, v.price_volume, v.spread_volume, v.volume_absolute_return,
        v.spread_absolute_return,
    )  # fmt: skip
    return {"z_price": v.e0, "z_spread": z_s, "z_volume": z_v}


def variances_are_one(given, found, again):
    """Over all eight signs of the normals, sizes such that |z| varies too: means 0, the matrix's second moments."""
    signs = np.array([(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], float)
    size = np.resize([0.5, 2.0], 8)
    one = {name: getattr(given, name)[0] for name in CORRELATIONS}
    some = again(e0=signs[:, 0] * size, e1=signs[:, 1], e2=signs[:, 2], **one)
    z_p, z_s, z_v = (getattr(some, name)[:8] for name in ("z_price", "z_spread", "z_volume"))
    np.testing.assert_allclose(np.mean(z_p * z_s), one["price_spread"] * np.mean(z_p**2), atol=1e-12)
    np.testing.assert_allclose(np.mean(z_p * z_v), one["price_volume"] * np.mean(z_p**2), atol=1e-12)
    opposite = again(e0=-given.e0, e1=-given.e1, e2=-given.e2)
    size = (np.abs(given.e0.astype(float)) - twin.MEAN_OF_SIZE) / twin.SD_OF_SIZE
    np.testing.assert_allclose(
        0.5 * (found.z_spread + opposite.z_spread), given.spread_absolute_return * size, atol=1e-13
    )


def at_step(x):
    """Step 1 and curves that are known there only."""
    curves = np.full((4, 3), np.nan)
    curves[:, 1] = x.curve
    curves[f.COSINE_CURVE, 1] = getattr(x, "cosine", np.nan)
    return 1, curves


PRICE_FIELDS = {"mid": real(1.0, 1e4), "volatility": real(0.0, 0.05), "drift": real(-1e-3, 1e-3), "z_price": NORMAL,
                "volatility_factor": real(0.2, 3.0), "sum_squared_moves": real(0.0, 1.0)}  # fmt: skip


def move_price(v):
    after = twin.next_mid(PRICES[v.model], v.mid, v.volatility * v.volatility_factor, v.drift, v.curve, v.z_price)
    return {"next": after, "sum_squared_moves": v.sum_squared_moves + twin.squared_move(v.mid, after)}


def drift_is_the_mean(given, found, again):
    """E[S'] = S exp(drift), or S + drift: drift 0 is a martingale."""
    lane = {name: getattr(given, name)[0] for name in ("mid", "volatility", "volatility_factor", "drift")}
    mean = expectation(again(z_price=np.resize(NODES, W), **lane).next)
    wanted = lane["mid"] * np.exp(lane["drift"]) if given.model == f.GEOMETRIC else lane["mid"] + lane["drift"]
    np.testing.assert_allclose(mean, wanted, rtol=1e-10)
    assert (found.sum_squared_moves >= given.sum_squared_moves).all()


VOLUME_FIELDS = {
    "volume_mean": real(1.0, 1e6), "volume_amplitude": real(-0.9, 2.0), "volume_noise": real(0.0, 1.0),
    "volume_floor": real(0.0, 500.0), "volume_persistence": real(-0.95, 0.95), "day_volatility": real(0.0, 1.0),
    "volume_state": NORMAL, "day_state": NORMAL, "z_volume": NORMAL,
}  # fmt: skip


def constants_of_volume(v):
    scale = v.volume_mean * np.exp(-0.5 * (v.volume_noise**2 + v.day_volatility**2))
    return {"volume_scale": scale, "volume_fresh": np.sqrt(1.0 - v.volume_persistence**2)}


def draw_volume(v):
    if v.model == f.VOLUME_CONSTANT:
        return {"volume": v.volume_mean}
    if v.model == f.VOLUME_COSINE:
        return {"volume": twin.cosine_volume(v.volume_mean, v.volume_amplitude, v.cosine, v.volume_noise, v.volume_floor,
                                             v.z_volume)}  # fmt: skip
    state = twin.next_state(v.volume_state, v.volume_persistence, v.z_volume)
    volume = twin.lognormal_volume(state, v.day_state, v.volume_mean, v.volume_noise, v.day_volatility, v.curve,
                                   v.volume_floor)  # fmt: skip
    return {"volume_state": state, "volume": volume}


def volume_has_its_mean(given, found, again):
    """Never below the floor; without one, the mean over the normal is the curve's."""
    if given.model == f.VOLUME_CONSTANT:
        np.testing.assert_array_equal(again(volume_mean=2.0 * given.volume_mean).volume, 2.0 * found.volume)
        return
    assert (found.volume >= given.volume_floor).all()
    lane = {name: getattr(given, name)[0] for name in VOLUME_FIELDS} | {"volume_floor": -np.inf, "z_volume": NODES}
    if given.model == f.VOLUME_COSINE:
        mean = expectation(again(**lane).volume)
        wanted = lane["volume_mean"] * (1.0 + lane["volume_amplitude"] * given.cosine)
        np.testing.assert_allclose(mean, wanted, rtol=1e-9, atol=1e-9 * lane["volume_mean"])
    else:
        lane |= {"volume_persistence": 0.0, "day_volatility": 0.0}
        np.testing.assert_allclose(expectation(again(**lane).volume), lane["volume_mean"] * given.curve, rtol=1e-9)


SUMS = ("cumulative_volume", "sum_volume_price", "sum_price", "sum_spread")


def observe(v):
    sums = twin.add_to_sums({name: getattr(v, name) for name in SUMS}, v.mid, v.next, v.spread, v.volume)
    return sums | {f"mids{v.t % f.HISTORY}": v.mid}


def vwap_lies_between_the_mids(given, found, again):
    fresh = again(**dict.fromkeys(SUMS, 0.0))
    low, high = np.minimum(given.mid, given.next), np.maximum(given.mid, given.next)
    traded = given.volume > 0
    vwap = fresh.sum_volume_price[traded] / fresh.cumulative_volume[traded]
    assert ((vwap >= low[traded] * (1 - 1e-15)) & (vwap <= high[traded] * (1 + 1e-15))).all()


def level_spread(v):
    return {"spread": twin.level_of_spread(v.spread_state, v.mean, v.sd, v.curve, v.spread_floor)}


def constants_of_spread(v):
    return {"spread_scale": v.mean * np.exp(-0.5 * v.sd**2)}


def spread_has_its_mean(given, found, again):
    """With the stationary law of its logarithm; and never below the floor."""
    assert (found.spread >= given.spread_floor).all()
    free = again(spread_state=np.resize(given.sd[0] * NODES, W), spread_floor=0.0, mean=given.mean[0], sd=given.sd[0])
    np.testing.assert_allclose(expectation(free.spread), given.mean[0] * given.curve, rtol=1e-9)


EIGHTHS = [(4, 3, 1), (0, 6, 2), (2, 2, 4)]  # of 8: the chance of each next level
LAWS = [[n / 8 for n in row] for row in EIGHTHS]
CHAIN = Chain(levels=(0.5, 2.0, 3.0), transition=LAWS)
FIRST = stationary_law(CHAIN.transition)
STATE = st.sampled_from([0.0, 1.0, 2.0, float(f.FIRST_ROW)])


def tables():
    """The chain's table at the places of the spread, the volume and the regimes, and what these multiply."""
    times = np.array([[0.5, 2.0, 3.0], [1.0, 1.5, 4.0], [1.25, 1.0, 0.3], [0.8, 1.0, 2.5]])
    numbered = chains.table(markov_law(CHAIN))
    numbered[f.LEVEL_ROW * f.MOST_LEVELS :][:3] = range(3)
    return np.concatenate(
        [*[chains.table(markov_law(CHAIN))] * 2, numbered, np.pad(times, ((0, 0), (0, f.MOST_LEVELS - 3))).ravel()]
    )


def step_chain(v):
    law = FIRST if v.volume_state == f.FIRST_ROW else LAWS[int(v.volume_state)]
    level = twin.next_level(law, v.z_volume)
    return {"volume_state": float(level), "volume": CHAIN.levels[level]}


def law_of_the_chain(given, found, again):
    """Normals at the middles of equal shares: from each state just the chances of the chain; its stationary law stays."""
    quantiles = np.array([twin.NormalDist().inv_cdf((j + 0.5) / 16) for j in range(16)])
    stationary = np.array(FIRST) @ np.array(LAWS)
    np.testing.assert_allclose(stationary, FIRST, rtol=1e-14)
    for state, row in enumerate(EIGHTHS):
        some = again(volume_state=float(state), z_volume=np.resize(quantiles, W))
        shares = [(some.volume_state[:16] == level).sum() for level in range(3)]
        assert shares == [2 * n for n in row]
    assert (np.diff(again(volume_state=given.volume_state[0], z_volume=np.sort(given.z_volume)).volume) >= 0).all()


ROWS = (
    Lanes("market.correlate", lambda x: (x.raw, x.normals, x.p), correlate,
          {"e0": FLOAT32, "e1": FLOAT32, "e2": FLOAT32, **CORRELATIONS}, variances_are_one,
          derived=factor_of, atol=1e-14),
    *(
        Lanes(f"price.{name}", lambda x: (*at_step(x), x.normals, x.p, x.m), move_price, PRICE_FIELDS, drift_is_the_mean,
              others={"model": st.just(model), "curve": CURVE}, atol=1e-15)
        for model, name in enumerate(PRICES)
    ),
    Lanes("volume.constant_volume", lambda x: (x.p, x.m), draw_volume, {"volume_mean": VOLUME_FIELDS["volume_mean"]},
          volume_has_its_mean, others={"model": st.just(f.VOLUME_CONSTANT)}),
    *(
        Lanes(f"volume.{name}_volume", lambda x: (*at_step(x), x.normals, x.p, x.m), draw_volume, VOLUME_FIELDS,
              volume_has_its_mean, derived=constants_of_volume, atol=1e-9,
              others={"model": st.just(model), "curve": CURVE, "cosine": real(-1.0, 1.0)})
        for model, name in ((f.VOLUME_COSINE, "cosine"), (f.VOLUME_LOGNORMAL, "lognormal"))
    ),
    Lanes(
        "market.add_to_sums", lambda x: (x.t, x.m), observe,
        {"mid": real(1.0, 1e4), "next": real(1.0, 1e4), "spread": real(0.0, 0.01), "volume": real(0.0, 1e6),
         **dict.fromkeys(SUMS, real(0.0, 1e9))},
        vwap_lies_between_the_mids, others={"t": st.integers(0, 100)},
    ),
    Lanes("spread.level_spread", lambda x: (x.curve, x.p, x.m, x.m[f.SPREAD :]), level_spread,
          {"mean": real(1e-5, 0.01), "sd": real(0.0, 1.0), "spread_state": NORMAL, "spread_floor": real(0.0, 1e-3)},
          spread_has_its_mean, derived=constants_of_spread, others={"curve": CURVE}),
    Lanes(
        "chain.step_chain",
        lambda x: (tables(), f.VOLUME_CHAIN, 3, (f.VOLUME_STATE, f.VOLUME), x.normals[f.Z_VOLUME :], x.m),
        step_chain, {"volume_state": STATE, "z_volume": NORMAL}, law_of_the_chain, rtol=0.0,
    ),
)  # fmt: skip
