"""Regimes, and what they and a changing volatility multiply."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from naive import regimes as twin, steps
from rows import market
from rows.plans import plan_of
from rows.variance import drawing
from trials import Lanes, real

TIMES = market.tables()[f.TIMES_VOLATILITY : f.SIGNAL_CHAIN_0].reshape(4, -1)[:, :3]
FACTORS = ("volatility_factor", "spread_factor", "volume_factor", "next_impact")
FACTOR = real(0.1, 5.0)
BEFORE = dict.fromkeys(FACTORS, FACTOR)
EXPONENTS = {"spread_volatility_exponent": real(0.0, 2.0), "temporary_volatility_exponent": real(0.0, 2.0)}


def plan(x):
    return plan_of(2, regimes=3)._replace(chains=market.tables())


def multiplied(v, regime):
    return {name: getattr(v, name) * TIMES[j, regime] for j, name in enumerate(FACTORS)}


def change(v):
    law = market.FIRST if v.regime_state == f.FIRST_ROW else market.LAWS[int(v.regime_state)]
    regime = steps.next_level(law, v.e0)
    return {"regime_state": float(regime), "next_regime": float(regime)} | multiplied(v, regime)


def follow(v):
    spread = v.spread_factor * v.volatility_factor**v.spread_volatility_exponent
    return {
        "spread_factor": spread,
        "next_impact": v.next_impact * v.volatility_factor**v.temporary_volatility_exponent,
    }


def in_proportion(*names):
    """Twice the factor, twice what it multiplies."""

    def holds(given, found, again):
        for factor, name in zip(names[::2], names[1::2], strict=True):
            other = again(**{factor: 2.0 * getattr(given, factor)})
            np.testing.assert_allclose(getattr(other, name), 2.0 * getattr(found, name), rtol=1e-14)

    return holds


def nothing_by_exponent_zero(given, found, again):
    none = again(spread_volatility_exponent=0.0, temporary_volatility_exponent=0.0)
    np.testing.assert_array_equal(none.spread_factor, given.spread_factor)
    np.testing.assert_array_equal(again(volatility_factor=1.0).next_impact, given.next_impact)


def all_ones(given, found, again):
    for name in FACTORS:
        np.testing.assert_array_equal(getattr(found, name), 1.0)


def copied(given, found, again):
    np.testing.assert_array_equal(found.impact_factor, given.next_impact)


def before_the_first(given, found, again):
    assert (found.regime_state == f.FIRST_ROW).all()


ROWS = (
    Lanes("regimes.plain_factors", lambda x: (x.m,), lambda v: dict.fromkeys(FACTORS, 1.0), {}, all_ones),
    drawing("regimes.draw_for_regimes", twin.PURPOSE),
    Lanes("regimes.begin_regimes", lambda x: (x.m,), lambda v: {"regime_state": float(f.FIRST_ROW)}, {}, before_the_first),
    Lanes("regimes.change_regime", lambda x: (plan(x).switches, plan(x).chains, x.raw, x.m), change,
          {"regime_state": market.STATE, "e0": market.FLOAT32, **BEFORE},
          in_proportion("volatility_factor", "volatility_factor", "next_impact", "next_impact")),
    Lanes("regimes.multiply_by_regime", lambda x: (market.tables(), 3, x.m), lambda v: multiplied(v, int(v.next_regime)),
          {"next_regime": st.sampled_from([0.0, 1.0, 2.0]), **BEFORE},
          in_proportion("spread_factor", "spread_factor", "volume_factor", "volume_factor")),
    Lanes("regimes.follow_volatility", lambda x: (x.p, x.m), follow,
          {name: FACTOR for name in FACTORS if name != "volume_factor"} | EXPONENTS, nothing_by_exponent_zero),
    Lanes("regimes.hold_factors", lambda x: (x.m,), lambda v: {"impact_factor": v.next_impact, "regime": v.next_regime},
          {"next_impact": FACTOR, "next_regime": FACTOR}, copied),
    Lanes("regimes.scale_volume", lambda x: (x.m,), lambda v: {"volume": v.volume * v.volume_factor},
          {"volume": real(0.0, 1e6), "volume_factor": FACTOR}, in_proportion("volume_factor", "volume")),
    Lanes("regimes.scale_first_spread", lambda x: (x.m,), lambda v: {"spread": v.spread * v.spread_factor},
          {"spread": real(0.0, 0.01), "spread_factor": FACTOR}, in_proportion("spread_factor", "spread")),
    Lanes("regimes.scale_spread", lambda x: (x.m,), lambda v: {"next_spread": v.next_spread * v.spread_factor},
          {"next_spread": real(0.0, 0.01), "spread_factor": FACTOR}, in_proportion("spread_factor", "next_spread")),
    Lanes("spread.repeat_spread", lambda x: (x.p, x.m), lambda v: {"next_spread": v.spread_level},
          {"spread_level": real(0.0, 0.01)}, in_proportion("spread_level", "next_spread")),
    Lanes("execute.scale_rates", lambda x: (x.m, x.b), lambda v: {"raised_rate": v.raised_rate * v.impact_factor},
          {"raised_rate": real(0.0, 1.0), "impact_factor": FACTOR}, in_proportion("impact_factor", "raised_rate")),
    Lanes("execute.scale_factors", lambda x: (x.m, x.b),
          lambda v: {"factor_temporary": v.factor_temporary * v.impact_factor},
          {"factor_temporary": real(0.0, 100.0), "impact_factor": FACTOR}, in_proportion("impact_factor", "factor_temporary")),
)  # fmt: skip
