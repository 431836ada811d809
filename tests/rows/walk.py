"""Stages that choose between others by the study's models: a market's beginning and its steps, decisions, a block's ends."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.philox import MOVES, START
from naive import steps as twin
from naive.normals import normals
from naive.philox import philox4x32
from rows import books, decide, market
from rows.parameters import BLOCK
from rows.plans import plan_of, strategies_of
from trials import LAYOUT, Lanes, W, real

STEPS = 4
MODELS = {"price_model": st.integers(0, 1), "spread_model": st.integers(0, 3), "volume_model": st.integers(0, 3)}
STEP = {"t": st.integers(0, STEPS - 2)}
DRAW = {"w0": 0, "w1": 0, "w2": 0, "w3": 0, "e0": 0, "e1": 0, "e2": 0, "e3": 0}
CURVES = np.array([[1.0, 0.5, 2.0, 1.5], [0.7, 1.0, 1.3, 1.0], [2.0, 1.0, 0.5, 0.5], [1.0, -0.5, -0.5, 1.0]])
SPREAD = {"mean": real(1e-5, 0.01), "spread_reversion": real(0.01, 1.0), "spread_volatility": real(0.0, 0.5),
          "spread_floor": real(0.0, 1e-3)}  # fmt: skip
PRICE = {"initial_price": real(1.0, 1e4), "volatility": real(0.0, 0.05), "drift": real(-1e-3, 1e-3)}


def plan(x, **further):
    names = ("price_model", "spread_model", "volume_model", "phase", "jumps")
    asked = {name: getattr(x, name) for name in names if hasattr(x, name)} | {"spread_levels": 3, "volume_levels": 3}
    return plan_of(STEPS, **asked, **further)._replace(curves=CURVES.copy(), chains=market.tables())


def constants(v):
    sd = np.sqrt(v.spread_volatility**2 / (1.0 - (1.0 - v.spread_reversion) ** 2))
    return {"spread_sd": sd, "sd": sd, "spread_scale": v.mean * np.exp(-0.5 * sd**2), "spread_level": v.mean}


def draws(v, purpose, t):
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    words = philox4x32((episode & 0xFFFFFFFF, episode >> 32, t, v.phase << 30 | purpose << 24), key)
    return [float(z) for z in normals(np.array(words, np.uint32))]


def clock_of(x):
    return Clock(np.uint64(0), 0, x.t, STEPS)


def begin(v):
    """States of spread and volume, and a normal for the move before step 0, from what was drawn."""
    found = dict.fromkeys(BEFORE, 0.0) | {"arrival": v.initial_price, "mid": v.initial_price, "z_price": v.e0}
    found["volatility_factor"] = 1.0
    return found | {"spread_state": v.spread_sd * v.e1, "volume_state": v.e2, "day_state": v.e3}


def begins_at_arrival(v, found, again):
    """A wider law, wider states; the price begins where it arrives."""
    np.testing.assert_array_equal(found.mid, v.initial_price)
    np.testing.assert_allclose(again(spread_sd=2.0 * v.spread_sd).spread_state, 2.0 * found.spread_state, rtol=1e-15)


def quoted(v, found, again):
    np.testing.assert_array_equal(found.arrival_spread, v.spread)
    np.testing.assert_array_equal(again(spread=0.0).arrival_spread, 0.0)


def one_move_on(v, found, again):
    np.testing.assert_array_equal(found.mid, v.next)
    assert not found.sum_squared_moves.any()


def draw(v):
    """Step -1: what a block begins with. Two are enough in a step where the volume is constant and nothing jumps."""
    z = draws(v, START if v.t < 0 else MOVES, max(v.t, 0))
    few = v.volume_model == f.VOLUME_CONSTANT and not v.jumps and v.t >= 0
    return {f"e{j}": z[j] for j in range(2 if few else 4)}


def normals_of_the_step(v, found, again):
    """Neither a constant volume nor jumps change the first two; of other steps, and of the beginning, all are others."""
    np.testing.assert_array_equal(again(jumps=1 - v.jumps).e1, found.e1)
    np.testing.assert_array_equal(again(volume_model=f.VOLUME_CONSTANT).e1, found.e1)
    assert (again(t=v.t + 1).e0 != found.e0).mean() > 0.9
    assert np.abs(found.e0).max() < 6.7


def keep_independent(v):
    return {"z_price": v.e0, "z_spread": v.e1, "z_volume": v.e2}


def each_its_own(v, found, again):
    other = again(e1=-v.e1)
    np.testing.assert_array_equal(other.z_spread, -found.z_spread)
    np.testing.assert_array_equal(other.z_volume, found.z_volume)


def roll(v):
    return {"mid": v.next, "last_volume": v.volume}


def constant_spread(v):
    return {"spread": v.mean, "next_spread": v.mean, "spread_state": v.mean}


def next_spread(v):
    """Behind the last step the curve is the last step's."""
    if v.spread_model == f.SPREAD_RANDOM_WALK:
        walked = twin.walked_spread(v.spread_state, v.spread_volatility, v.z_spread)
        return {"spread_state": walked, "next_spread": walked}
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        state = twin.reverted(v.spread_state, v.spread_reversion, v.spread_volatility, v.z_spread)
        spread = twin.level_of_spread(state, v.mean, v.sd, CURVES[1, min(v.t + 1, STEPS - 1)], v.spread_floor)
        return {"spread_state": state, "next_spread": spread}
    level = twin.next_level(market.LAWS[int(v.spread_state)], v.z_spread)
    return {"spread_state": float(level), "next_spread": market.CHAIN.levels[level]}


def spread_stays_a_spread(v, found, again):
    """Never negative; with no normal the log-spread comes nearer to its mean; a larger normal, no lower level of a chain."""
    assert (found.next_spread >= 0).all()
    np.testing.assert_array_equal(found.spread, v.spread)
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        assert (np.abs(again(z_spread=0.0).spread_state) <= np.abs(v.spread_state)).all()
    if v.spread_model == f.SPREAD_MARKOV:
        assert (again(z_spread=v.z_spread + 1.0).next_spread >= found.next_spread).all()


def roll_spread(v):
    return {"spread": v.spread if v.t == STEPS - 1 else v.next_spread}


def the_last_quote_stays(v, found, again):
    np.testing.assert_array_equal(again(t=STEPS - 1).spread, v.spread)
    np.testing.assert_array_equal(again(t=0).spread, v.next_spread)


def first_spread(v):
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        return {"spread": twin.level_of_spread(v.spread_state, v.mean, v.sd, CURVES[1, 0], v.spread_floor)}
    level = twin.next_level(market.FIRST, v.e1)
    return {"spread": market.CHAIN.levels[level], "spread_state": float(level)}


def higher_for_a_higher_state(v, found, again):
    name = "spread_state" if v.spread_model == f.SPREAD_MEAN_REVERTING else "e1"
    assert (again(**{name: getattr(v, name) + 1.0}).spread >= found.spread).all()


def state_of(v):
    return constants(v) | {"spread_state": float(v.level) if v.spread_model == f.SPREAD_MARKOV else v.state}


def volume_chain(v):
    return market.step_chain(v)


def never_falls_with_the_normal(v, found, again):
    assert (again(z_volume=v.z_volume + 1.0).volume >= found.volume).all()
    assert np.isin(found.volume, market.CHAIN.levels).all()


def before_the_first(v, found, again):
    np.testing.assert_array_equal(found.volume_state, f.FIRST_ROW)


def decide_by_kind(v):
    if v.kind == f.RANDOM:
        v.w0 = decide.draw_choices(v)["w0"]
        return decide.act_randomly(v)
    return {f.SCHEDULE: decide.follow, f.POV: decide.participate, f.OWN_SCHEDULE: decide.follow_own}[v.kind](v)


def allowed(v, found, again):
    decide.allowed(v, found)
    assert (again(volume=0.0).slice == 0).all()


def deciders(x):
    """The second strategy follows, takes part or acts; its schedule by groups where there is no fraction for all."""
    own, acts = decide.own_schedules(x), decide.actors(x)
    acts.levels[1, 0] = x.rate if x.kind == f.POV else acts.levels[1, 0]
    acts.kinds[1, f.SEES_VOLUME] = f.OF_PATHS if x.of_paths else f.SEES_STEP
    if x.kind == f.SCHEDULE:
        own.fractions[1, 0, x.t + 1] = x.fraction
    strategies, plan = own._replace(kinds=acts.kinds, levels=acts.levels), plan_of(STEPS, lot=x.lot, phase=x.phase)
    clock = Clock(np.uint64(x.seed), x.block, x.t, STEPS)
    return {
        f.SCHEDULE: (x.t, strategies.fractions[1], plan.numbers), f.OWN_SCHEDULE: (x.t, 1, strategies, plan.numbers),
        f.POV: (1, strategies, plan.numbers), f.RANDOM: (clock, 1, plan, strategies, x.words),
    }[x.kind]  # fmt: skip


def calling(x):
    functions, strategies = np.array([-1, decide.asking().address]), strategies_of(2, STEPS, slot=1)
    strategies.levels[1, :2] = x.part, x.more
    return Clock(np.uint64(0), 0, x.t, STEPS), 1, strategies, functions, plan_of(STEPS, lot=x.lot).numbers, x.m, x.b


def checking(x):
    output = books.output_of(1)._replace(fault=x.fault)
    return Clock(np.uint64(0), x.block, x.t, STEPS), Span(x.low, x.high, 0), 1, x.m, x.b, output


BEFORE = [name for name, (buffer, start) in LAYOUT.items() if buffer == "m" and start < f.MIDS]
WHOLE = st.integers(0, 2)
MARKET = {"mid": real(1.0, 1e4), "next": real(1.0, 1e4), "volume": real(0.0, 1e5), "spread": real(0.0, 0.01)}
QUOTE = {**SPREAD, "spread": MARKET["spread"], "z_spread": market.NORMAL, "level": WHOLE, "state": market.NORMAL}
EVERY_STEP = {"t": st.integers(0, STEPS - 1)}
KINDS = {"schedule": f.SCHEDULE, "schedule_of_group": f.OWN_SCHEDULE, "pov": f.POV, "random": f.RANDOM}


def of_spread(model, **further):
    return {"spread_model": st.just(model), **further}


ROWS = (
    Lanes("market.begin", lambda x: (x.raw, x.normals, x.p, x.m), begin,
          {**SPREAD, **PRICE, **dict.fromkeys(("e0", "e1", "e2", "e3"), market.FLOAT32)}, begins_at_arrival,
          derived=constants, atol=1e-14),
    Lanes("price.begin_moved", lambda x: (x.m,), lambda v: {"mid": v.next, "sum_squared_moves": 0.0},
          {"next": MARKET["next"], "sum_squared_moves": real(0.0, 1.0)}, one_move_on, rtol=0.0),
    Lanes("spread.quote_arrival", lambda x: (x.m,), lambda v: {"arrival_spread": v.spread}, {"spread": MARKET["spread"]},
          quoted, rtol=0.0),
    Lanes("market.draw", lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), plan(x).switches, x.words, x.raw), draw,
          {}, normals_of_the_step, scratch="w0 w1 w2 w3", rtol=0.0, each=True, tries=10,
          others={**BLOCK, "t": st.integers(-1, STEPS), "volume_model": MODELS["volume_model"],
                  "jumps": st.integers(0, 1)}),
    Lanes("market.keep_independent", lambda x: (x.raw, x.normals), keep_independent,
          dict.fromkeys(("e0", "e1", "e2"), market.FLOAT32), each_its_own, rtol=0.0),
    Lanes("market.roll", lambda x: (x.m,), roll, MARKET,
          lambda v, found, again: np.testing.assert_array_equal(again(next=v.mid).mid, v.mid), rtol=0.0),
    Lanes("spread.constant_spread", lambda x: (x.p, x.m), constant_spread, SPREAD,
          lambda v, found, again: np.testing.assert_array_equal(again(mean=2.0 * v.mean).spread, 2.0 * found.spread),
          derived=constants, rtol=0.0),
    Lanes("spread.begin_mean_reverting_spread", lambda x: (CURVES.copy(), x.p, x.m), first_spread, QUOTE,
          higher_for_a_higher_state, derived=state_of, others=of_spread(f.SPREAD_MEAN_REVERTING)),
    Lanes("spread.begin_spread_chain", lambda x: (plan(x).switches, market.tables(), x.raw, x.m), first_spread,
          {"e1": market.FLOAT32}, higher_for_a_higher_state, rtol=0.0, others=of_spread(f.SPREAD_MARKOV)),
    Lanes("spread.random_walk_spread", lambda x: (x.normals, x.p, x.m), next_spread, QUOTE,
          spread_stays_a_spread, derived=state_of, atol=1e-15, others=of_spread(f.SPREAD_RANDOM_WALK, **EVERY_STEP)),
    Lanes("spread.mean_reverting_spread", lambda x: (clock_of(x), CURVES.copy(), x.normals, x.p, x.m), next_spread, QUOTE,
          spread_stays_a_spread, derived=state_of, atol=1e-15, others=of_spread(f.SPREAD_MEAN_REVERTING, **EVERY_STEP)),
    Lanes("spread.spread_chain", lambda x: (plan(x).switches, market.tables(), x.normals, x.m), next_spread,
          QUOTE, spread_stays_a_spread, derived=state_of, rtol=0.0, others=of_spread(f.SPREAD_MARKOV, **EVERY_STEP)),
    Lanes("spread.roll_spread", lambda x: (clock_of(x), x.m), roll_spread,
          {"spread": MARKET["spread"], "next_spread": MARKET["spread"]}, the_last_quote_stays, rtol=0.0, others=EVERY_STEP),
    Lanes("volume.begin_volume_chain", lambda x: (x.m,), lambda v: {"volume_state": float(f.FIRST_ROW)}, {},
          before_the_first, rtol=0.0),
    Lanes("volume.volume_chain", lambda x: (plan(x).switches, market.tables(), x.normals, x.m), volume_chain,
          {"volume_state": market.STATE, "z_volume": market.NORMAL}, never_falls_with_the_normal, rtol=0.0),
    *(
        Lanes(f"strategy.{name}", lambda x: (*deciders(x), x.p, x.m, x.b), decide_by_kind,
              {**decide.ORDER, **decide.SEEN}, allowed, atol=1e-9, each=True, tries=15,
              derived=lambda v: decide.order_of(v) | {"window": float(v.i)}, scratch="w0 w1 w2 w3 value",
              others={**BLOCK, **decide.STEP, **decide.ACTS, "kind": st.just(kind), "fraction": decide.SHARE,
                      "rate": real(0.001, 0.5), "of_paths": st.booleans()})
        for name, kind in KINDS.items()
    ),
    Lanes("strategy.own", calling, decide.ask, decide.ASKING, decide.whole_lots_below_what_is_asked,
          others={"lot": decide.LOTS, **decide.STEP, **decide.ASKED}, derived=decide.order_of, atol=1e-9),
    decide.Checked("episode.check_own", checking, decide.check_slices, decide.SLICES, decide.faults_trade_nothing, rtol=0.0,
                   others=decide.CHECKS),
    Lanes("watch.draw_own_choices",
          lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), plan_of(STEPS, phase=x.phase),
                     strategies_of(1, STEPS, owner=x.owner), x.words),
          decide.draw_choices, {}, decide.nobody_shares_choices, rtol=0.0, tries=10, each=True,
          others={**BLOCK, **decide.STEP, "owner": decide.ACTS["owner"]}),
)  # fmt: skip
