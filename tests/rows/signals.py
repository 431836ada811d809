"""Signals: what is drawn for them, what they predict, what is left of what they predict."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock
from naive import parameters as known, signals as twin, steps
from rows import market
from rows.parameters import BLOCK
from rows.plans import plan_of
from rows.variance import ahead
from trials import Lanes, W, real

STEPS, T = 5, 2
OWN = 0xABCDEF
TARGET = {"predicts_0": st.integers(0, 3), "predicts_1": st.integers(0, 3)}
KEYS = {f"signal_persistence_{j}": real(0.0, 0.9) for j in range(2)} | {
    f"signal_correlation_{j}": real(-0.35, 0.35) for j in range(2)
}
VALUES = {f"signal_{j}": real(-3.0, 3.0) for j in range(2)}
NEXT = {f"next_signal_{j}": real(-3.0, 3.0) for j in range(2)}
LEANS = {f"signal_lean_{j}": real(-0.1, 0.1) for j in range(2)}
CORRELATION = real(-0.2, 0.2)
MATRIX = dict.fromkeys(
    ("price_spread", "price_volume", "spread_volume", "volume_absolute_return", "spread_absolute_return"), CORRELATION
)
KEEPS = {"spread_reversion": real(0.05, 1.0), "volume_persistence": real(0.0, 0.9)}


def plan(x, **more):
    return plan_of(
        STEPS,
        signals=2,
        signal_predicts_0=x.predicts_0,
        signal_predicts_1=x.predicts_1,
        volume_model=f.VOLUME_LOGNORMAL,
        **more,
    )


def pairs_of(v, target):
    """Correlation, persistence and number of the signals that predict it."""
    numbers = [j for j in range(2) if getattr(v, f"predicts_{j}") == target]
    return [(getattr(v, f"signal_correlation_{j}"), getattr(v, f"signal_persistence_{j}")) for j in numbers], numbers


def derive(v):
    shares = [sum(rho**2 for rho, _ in pairs_of(v, target)[0]) for target in range(3)]
    matrix = known.correlation_matrix(
        v.price_spread, v.price_volume, v.spread_volume, v.volume_absolute_return, v.spread_absolute_return
    )
    lower = twin.rest_factor(np.array(matrix, float), tuple(shares))
    found = {f"l{i}{j}": lower[i, j] for i, j in ((0, 0), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3))}
    found["l11"] = found.pop("l00")
    found["spread_trim"] = twin.trim(pairs_of(v, 1)[0], 1.0 - v.spread_reversion)
    found["volume_trim"] = twin.trim(pairs_of(v, 2)[0], v.volume_persistence)
    found |= {f"signal_fresh_{j}": np.sqrt(1.0 - getattr(v, f"signal_persistence_{j}") ** 2) for j in range(2)}
    return found


def as_strong_as_is_said(given, found, again):
    """Of the volatility: the strength gives the correlation with the size of a move back; unpredicted normals keep all."""
    varied = again(predicts_0=f.PREDICTS_VOLATILITY)
    for i in range(0, W, 50):
        told = twin.correlation_with_size(varied.signal_strength_0[i])
        np.testing.assert_allclose(told, given.signal_correlation_0[i], atol=1e-6)
    alone = again(predicts_0=f.PREDICTS_VOLATILITY, predicts_1=f.PREDICTS_VOLATILITY)
    np.testing.assert_array_equal(alone.l11, 1.0)
    np.testing.assert_array_equal(alone.spread_trim, 1.0)


def draw(v):
    """The second signal is a chain of three levels; the words left are those of the last."""
    found = {}
    for j, own in enumerate((OWN, OWN + 1)):
        drawn = ahead(twin.PURPOSE, own, "signal_normals", 4 * j)(v)
        z = drawn["e0"]
        if j == 0:
            found["next_signal_0"] = z if v.t < 0 else v.signal_persistence_0 * v.next_signal_0 + v.signal_fresh_0 * z
        else:
            law = market.FIRST if v.t < 0 else market.LAWS[int(v.signal_state_1)]
            level = steps.next_level(law, z)
            found |= {"signal_state_1": float(level), "next_signal_1": CHAIN_LEVELS[level]}
        found |= drawn
    return found


CHAIN_LEVELS = (-1.5, 0.0, 1.5)


def tables():
    """Rows of a chain of three levels as that of the second signal, and what its levels make of the volatility."""
    found = np.full(f.CHAINS_SIZE, np.inf)
    old = market.tables()[f.SPREAD_CHAIN : f.SPREAD_CHAIN + f.CHAIN_SIZE].copy()
    old[f.LEVEL_ROW * f.MOST_LEVELS : f.LEVEL_ROW * f.MOST_LEVELS + 3] = CHAIN_LEVELS
    found[f.SIGNAL_CHAIN_1 : f.SIGNAL_CHAIN_1 + f.CHAIN_SIZE] = old
    found[f.SIGNAL_EFFECT_1 : f.SIGNAL_EFFECT_1 + 3] = EFFECTS
    return found


EFFECTS = (0.7, 1.0, 1.6)


def drawing(x):
    switches = plan_of(
        STEPS, phase=x.phase, signals=2, signal_owner_0=OWN, signal_owner_1=OWN + 1, signal_levels_1=3
    ).switches
    return Clock(np.uint64(x.seed), x.block, x.t, STEPS), switches, tables(), x.words, x.raw, x.p, x.m


def others_elsewhere(given, found, again):
    for changed in ({"block": given.block + 1}, {"phase": given.phase ^ 1}, {"seed": given.seed ^ 1}):
        assert (again(**changed).next_signal_0 != found.next_signal_0).mean() > 0.9


def predict(v):
    move = spread = volume = 0.0
    for j in range(2):
        told = getattr(v, f"signal_correlation_{j}") * getattr(v, f"signal_{j}")
        target = getattr(v, f"predicts_{j}")
        move += told - getattr(v, f"signal_correlation_{j}") * getattr(v, f"signal_lean_{j}") if target == 0 else 0.0
        spread += told if target == 1 else 0.0
        volume += told if target == 2 else 0.0
    return {
        "predicted": move, "z_price": v.l11 * v.z_price + move,
        "z_spread": (v.z_spread + spread) * (1.0 if only_moves(v) else v.spread_trim),
        "z_volume": (v.z_volume + volume) * (1.0 if only_moves(v) else v.volume_trim),
    }  # fmt: skip


def only_moves(v):
    """Then there is nothing to trim, and trims are 1."""
    return v.predicts_0 == v.predicts_1 == f.PREDICTS_MOVE


def nothing_told_by_no_correlation(given, found, again):
    none = again(signal_correlation_0=0.0, signal_correlation_1=0.0)
    np.testing.assert_array_equal(none.predicted, 0.0)
    np.testing.assert_allclose(none.z_spread, given.z_spread * (1.0 if only_moves(given) else given.spread_trim))


def lean(v):
    pushed = v.volatility * v.volatility_factor
    return {
        f"signal_lean_{j}": getattr(v, f"signal_persistence_{j}")
        * (getattr(v, f"signal_lean_{j}") + pushed * getattr(v, f"signal_correlation_{j}"))
        for j in range(2)
        if getattr(v, f"predicts_{j}") == f.PREDICTS_MOVE
    } or {"signal_lean_0": v.signal_lean_0}


def still_without_moves(given, found, again):
    if given.predicts_0 == f.PREDICTS_MOVE:
        still = again(volatility=0.0)
        np.testing.assert_allclose(still.signal_lean_0, given.signal_persistence_0 * given.signal_lean_0)


def scale(v):
    found = v.volatility_factor
    if v.predicts_0 == f.PREDICTS_VOLATILITY:
        found *= np.exp(v.signal_strength_0 * v.next_signal_0 - v.signal_strength_0**2)
    if v.predicts_1 == f.PREDICTS_VOLATILITY:
        found *= EFFECTS[int(v.signal_state_1)]
    return {"volatility_factor": found}


def in_proportion(given, found, again):
    twice = again(volatility_factor=2.0 * given.volatility_factor)
    np.testing.assert_allclose(twice.volatility_factor, 2.0 * found.volatility_factor)


def tie(v):
    found = {}
    states = (1, "spread_state", 1.0 - v.spread_reversion, v.spread_sd), (2, "volume_state", v.volume_persistence, 1.0)
    for target, state, keep, sd in states:
        pairs, numbers = pairs_of(v, target)
        xs = [getattr(v, f"next_signal_{j}") for j in numbers]
        found[state] = sd * twin.tied(pairs, keep, xs, getattr(v, state) / sd) if pairs else getattr(v, state)
    return found


def tied_derived(v):
    return {name: value for name, value in derive(v).items() if name.endswith("trim")}


def untied_without_memory(given, found, again):
    free = again(signal_persistence_0=0.0, signal_persistence_1=0.0)
    np.testing.assert_array_equal(free.spread_state, given.spread_state)
    np.testing.assert_array_equal(free.volume_state, given.volume_state)


def held(v):
    return {f"signal_{j}": getattr(v, f"next_signal_{j}") for j in range(2)}


ROWS = (
    Lanes("signals.derive_signals", lambda x: (plan(x).switches, x.p), derive, {**KEYS, **MATRIX, **KEEPS},
          as_strong_as_is_said, others=TARGET, through="signals.factor_rest signals.strength_of",
          scratch="signal_strength_0 signal_strength_1", rtol=1e-9, atol=1e-12, tries=8),
    Lanes("signals.draw_signals", drawing, draw,
          {"next_signal_0": real(-3.0, 3.0), "signal_persistence_0": real(0.0, 0.99),
           "signal_fresh_0": real(0.1, 1.0), "signal_state_1": st.integers(0, 2).map(float)}, others_elsewhere,
          others={**BLOCK, "t": st.sampled_from([-1, 3])}, rtol=1e-12, atol=1e-13,
          through="philox.draw_ahead signals.go_on signals.change_level", tries=10, each=True),
    Lanes("signals.hold_signals", lambda x: (plan(x).switches, x.m), held,
          {f"next_signal_{j}": real(-3.0, 3.0) for j in range(2)}, others=TARGET, rtol=0.0,
          holds=lambda given, found, again: np.testing.assert_array_equal(found.signal_1, given.next_signal_1)),
    Lanes("signals.predict", lambda x: (plan(x).switches, x.normals, x.p, x.m), predict,
          {**KEYS, **VALUES, **LEANS, "l11": real(0.1, 1.0), "spread_trim": real(0.5, 1.0), "volume_trim": real(0.5, 1.0),
           **dict.fromkeys(("z_price", "z_spread", "z_volume"), real(-4.0, 4.0))}, nothing_told_by_no_correlation,
          others=TARGET, through="signals.foretell signals.add_prediction", rtol=1e-11, atol=1e-13),
    Lanes("signals.lean_on_moves", lambda x: (T, plan(x).switches, np.ones((4, STEPS)), x.p, x.m), lean,
          {**KEYS, **LEANS, "volatility": real(0.0, 0.1), "volatility_factor": real(0.1, 5.0)}, still_without_moves,
          others=TARGET, atol=1e-15),
    Lanes("signals.plain_volatility", lambda x: (x.m,), lambda v: {"volatility_factor": 1.0},
          {"volatility_factor": real(0.1, 5.0)},
          lambda given, found, again: np.testing.assert_array_equal(found.volatility_factor, 1.0), rtol=0.0),
    Lanes("signals.scale_by_signals", lambda x: (plan(x, signal_levels_1=3).switches, tables(), x.p, x.m), scale,
          {**NEXT, "signal_strength_0": real(-0.8, 0.8), "signal_state_1": st.integers(0, 2).map(float),
           "volatility_factor": real(0.1, 5.0)}, in_proportion, others=TARGET,
          through="signals.scale_by_value signals.scale_by_level"),
    Lanes("signals.tie_states", lambda x: (plan(x).switches, x.p, x.m), tie,
          {**KEYS, **NEXT, **KEEPS, "spread_sd": real(0.1, 1.0), "spread_state": real(-3.0, 3.0),
           "volume_state": real(-3.0, 3.0), **MATRIX}, untied_without_memory, others=TARGET, derived=tied_derived,
          rtol=1e-9, atol=1e-12, tries=8),
)  # fmt: skip
