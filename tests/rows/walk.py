"""Stages that choose between others by the study's models: a market's beginning and its steps, decisions, a block's ends."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f
from fastexec.kernels.philox import MOVES, START
from fastexec.kernels.walk import Clock, Span
from naive import steps as twin
from naive.normals import normals
from naive.philox import philox4x32
from rows import books, decide, given, market
from rows.ledger import LEDGER, open_ledger
from rows.parameters import BLOCK
from rows.plans import plan_of
from trials import LAYOUT, Lanes, W, arrays, real

STEPS = 4
MODELS = {"price_model": st.integers(0, 1), "spread_model": st.integers(0, 3), "volume_model": st.integers(0, 3)}
STEP = {"t": st.integers(0, STEPS - 2)}
DRAW = {"w0": 0, "w1": 0, "w2": 0, "w3": 0, "e0": 0, "e1": 0, "e2": 0, "e3": 0}
CURVES = np.array([[1.0, 0.5, 2.0, 1.5], [0.7, 1.0, 1.3, 1.0], [2.0, 1.0, 0.5, 0.5], [1.0, -0.5, -0.5, 1.0]])
SPREAD = {"mean": real(1e-5, 0.01), "spread_reversion": real(0.01, 1.0), "spread_volatility": real(0.0, 0.5),
          "spread_floor": real(0.0, 1e-3)}  # fmt: skip
PRICE = {"initial_price": real(1.0, 1e4), "volatility": real(0.0, 0.05), "drift": real(-1e-3, 1e-3)}


def plan(x, **further):
    names = ("price_model", "spread_model", "volume_model", "phase")
    asked = {name: getattr(x, name) for name in names if hasattr(x, name)} | {"spread_levels": 3, "volume_levels": 3}
    return plan_of(STEPS, **asked, **further)._replace(curves=CURVES.copy(), chains=market.tables())


def constants(v):
    sd = np.sqrt(v.spread_volatility**2 / (1.0 - (1.0 - v.spread_reversion) ** 2))
    return {"spread_sd": sd, "sd": sd, "spread_scale": v.mean * np.exp(-0.5 * sd**2), "spread_level": v.mean}


def draws(v, purpose, t):
    episode, key = v.block * W + v.i, (v.seed & 0xFFFFFFFF, v.seed >> 32)
    words = philox4x32((episode & 0xFFFFFFFF, episode >> 32, t, v.phase << 30 | purpose << 24), key)
    return [float(z) for z in normals(np.array(words, np.uint32))]


def begin(v):
    z = draws(v, START, 0)
    mid = v.initial_price
    found = dict.fromkeys([name for name, (buffer, start) in LAYOUT.items() if buffer == "m" and start < f.MIDS], 0.0)
    if v.start_moved:
        mid = twin.next_mid(market.PRICES[v.price_model], mid, v.volatility, v.drift, CURVES[0, 0], z[0])
        found["next"] = mid
    found |= {"arrival": v.initial_price, "mid": mid, "day_state": z[3]}
    found["volume_state"] = float(f.FIRST_ROW) if v.volume_model == f.VOLUME_MARKOV else z[2]
    found |= {"spread": v.mean, "spread_state": v.spread_sd * z[1]}
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        found["spread"] = twin.level_of_spread(v.spread_sd * z[1], v.mean, v.sd, CURVES[1, 0], v.spread_floor)
    elif v.spread_model == f.SPREAD_MARKOV:
        level = twin.next_level(market.FIRST, z[1])
        found |= {"spread": market.CHAIN.levels[level], "spread_state": float(level)}
    return found | {"arrival_spread": found["spread"]}


def begins_at_arrival(v, found, again):
    """Another phase draws others; the price begins where it arrives, or one move from there; the arrival's spread is met."""
    np.testing.assert_array_equal(found.arrival, v.initial_price)
    np.testing.assert_array_equal(found.arrival_spread, found.spread)
    assert (again(phase=v.phase ^ 1).day_state != found.day_state).mean() > 0.9
    if not v.start_moved:
        np.testing.assert_array_equal(found.mid, v.initial_price)
    np.testing.assert_array_equal(again(volatility=0.0, drift=0.0).mid, v.initial_price)


def draw(v):
    """The third is nobody's where the volume is constant."""
    z = draws(v, MOVES, v.t)
    v.e0, v.e1, v.e2 = z[:3]
    found = market.correlate(v) if v.correlated else {"z_price": z[0], "z_spread": z[1], "z_volume": z[2]}
    return {name: found[name] for name in found if name != "z_volume" or v.volume_model != f.VOLUME_CONSTANT}


def normals_of_the_step(v, found, again):
    """A constant volume changes neither of the other two; of other steps all are others."""
    if v.correlated:
        np.testing.assert_array_equal(again(**dict.fromkeys(market.CORRELATIONS, 0.0)).z_price, found.z_price)
    else:
        np.testing.assert_array_equal(again(volume_model=f.VOLUME_CONSTANT).z_spread, found.z_spread)
    assert (again(t=v.t + 1).z_price != found.z_price).mean() > 0.9
    assert np.abs(found.z_price).max() < 6.7


def advance(v):
    after = twin.next_mid(market.PRICES[v.price_model], v.mid, v.volatility, v.drift, CURVES[0, v.t], v.z_price)
    found = {"next": after, "sum_squared_moves": v.sum_squared_moves + twin.squared_move(v.mid, after)}
    if v.volume_model == f.VOLUME_MARKOV:
        v.volume_state = float(v.level)
        return found | market.step_chain(v)
    v.model, v.curve, v.cosine = v.volume_model, CURVES[2, v.t], CURVES[3, v.t]
    return found | market.draw_volume(v)


def price_and_volume_go_their_ways(v, found, again):
    np.testing.assert_array_equal(again(z_volume=-v.z_volume).next, found.next)
    np.testing.assert_array_equal(again(z_price=-v.z_price).volume, found.volume)


def roll(v):
    found = {"mid": v.next, "last_volume": v.volume}
    if v.spread_model == f.SPREAD_RANDOM_WALK:
        return found | {"spread": twin.walked_spread(v.spread, v.spread_volatility, v.z_spread)}
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        state = twin.reverted(v.spread_state, v.spread_reversion, v.spread_volatility, v.z_spread)
        spread = twin.level_of_spread(state, v.mean, v.sd, CURVES[1, v.t + 1], v.spread_floor)
        return found | {"spread_state": state, "spread": spread}
    if v.spread_model == f.SPREAD_MARKOV:
        level = twin.next_level(market.LAWS[int(v.spread_state)], v.z_spread)
        return found | {"spread_state": float(level), "spread": market.CHAIN.levels[level]}
    return found


def spread_stays_a_spread(v, found, again):
    """Never negative; a constant one stays; with no normal the log-spread comes nearer to its mean."""
    assert (found.spread >= 0).all()
    if v.spread_model == f.SPREAD_CONSTANT:
        np.testing.assert_array_equal(found.spread, v.spread)
    if v.spread_model == f.SPREAD_MEAN_REVERTING:
        assert (np.abs(again(z_spread=0.0).spread_state) <= np.abs(v.spread_state)).all()
    np.testing.assert_array_equal(found.mid, v.next)


def states_of(v):
    """A chain's state is a level."""
    chain = v.spread_model == f.SPREAD_MARKOV if hasattr(v, "z_spread") else v.volume_model == f.VOLUME_MARKOV
    state = float(v.level) if chain else v.state
    return {"spread_state": state} if hasattr(v, "z_spread") else {"volume_state": state}


def decide_simple(v):
    if v.kind == f.SCHEDULE:
        return decide.follow(v)
    return decide.participate(v)


def allowed(v, found, again):
    decide.allowed(v, found)
    assert (again(volume=0.0).slice == 0).all()


def decide_otherwise(v):
    if v.kind == f.RANDOM:
        v.w0 = decide.draw_choices(v)["w0"]
        return decide.act_randomly(v)
    return decide.follow_own(v)


def deciders(x):
    own, acts = decide.own_schedules(x), decide.actors(x)
    kinds = acts.kinds
    kinds[:, f.KIND] = x.kind
    strategies = own._replace(kinds=kinds, levels=acts.levels)
    return Clock(np.uint64(x.seed), x.block, x.t, STEPS), 1, plan_of(STEPS, lot=x.lot, phase=x.phase), strategies


def opened(v):
    """A block's beginning: its market by its source, and an empty ledger."""
    source = {f.GIVEN: given.begin_given, f.JOINED: given.begin_joined, f.SYNTHETIC: begin}[v.source]
    v.first = v.block * W
    return source(v) | open_ledger(v)


def nothing_is_left_of_before(v, found, again):
    """Ledgers are empty; the arrival is of the source asked for; no field but the history of the mid is unknown."""
    np.testing.assert_array_equal(found.remaining, v.shares)
    assert not any(np.isnan(getattr(found, name)).any() for name in LEDGER)
    known = found.buffers["m"][: f.MIDS]
    assert not np.isnan(known).any()
    if v.source != f.GIVEN:
        np.testing.assert_array_equal(found.arrival, v.initial_price)


def opening(x):
    return (
        Clock(np.uint64(x.seed), x.block, 0, STEPS),
        plan(x, source=x.source, start_moved=x.start_moved),
        x.paths,
        x.lanes,
    )


def closing(x):
    x.output, x.count = books.output_of(1), 1
    asked = books.plan(x)
    return Span(books.LOW, books.HIGH, books.OFFSET), asked, x.lanes, x.output


def closed_outputs(x):
    x.output = x.output._replace(parameters=np.zeros((0, 1)))
    markets = dict(zip(f.MARKET_COLUMNS, x.output.markets, strict=True))
    return books.outputs_of_episodes(x) | {f"market {name}": books.written(row) for name, row in markets.items()}


def close_block(v):
    found = books.account(v)
    rows = {name: found[name] for name in books.COLUMN_FIELDS} | {"orders": v.orders, "last_step": v.last_step}

    market_row = books.describe_market(v)
    inside = {f"column {name}": value for name, value in rows.items()}
    return found | books.only_inside(v, inside) | {
        f"market {name}": market_row[f"column {name}"] for name in f.MARKET_COLUMNS}  # fmt: skip


def rows_agree(v, found, again):
    """The episode's arrival is the market's, and a row is what stands in the books."""
    inside = slice(books.LOW, books.HIGH)
    np.testing.assert_array_equal(found.outputs["column row_arrival"], found.outputs["market arrival_price"])
    np.testing.assert_array_equal(found.outputs["column row_shortfall"][inside], found.row_shortfall[inside])


WHOLE = st.integers(0, 2)
MARKET = {"mid": real(1.0, 1e4), "next": real(1.0, 1e4), "volume": real(0.0, 1e5), "spread": real(0.0, 0.01)}
ROWS = (
    Lanes("market.begin",
          lambda x: (Clock(np.uint64(x.seed), x.block, 0, STEPS), plan(x, start_moved=x.start_moved), x.words, x.raw, x.p, x.m),
          begin, {**SPREAD, **PRICE}, begins_at_arrival, others={**BLOCK, **MODELS, "start_moved": st.integers(0, 1)},
          derived=constants, scratch=" ".join(DRAW), tries=40, atol=1e-14, each=True),
    Lanes("market.draw", lambda x: (Clock(np.uint64(x.seed), x.block, x.t, STEPS), plan(x, correlated=x.correlated).switches,
                                    x.words, x.raw, x.normals, x.p),
          draw, market.CORRELATIONS, normals_of_the_step, derived=market.factor_of, atol=1e-14,
          scratch=" ".join([*DRAW, "z_volume"]), others={**BLOCK, **MODELS, **STEP, "correlated": st.integers(0, 1)},
          each=True),
    Lanes("market.advance",
          lambda x: (x.t, plan(x).switches, CURVES.copy(), market.tables(), x.normals, x.p, x.m), advance,
          {**market.VOLUME_FIELDS, **PRICE, "mid": MARKET["mid"], "z_price": market.NORMAL, "level": WHOLE,
           "state": market.NORMAL, "sum_squared_moves": real(0.0, 1.0)},
          price_and_volume_go_their_ways, others={**MODELS, **STEP}, atol=1e-9,
          derived=lambda v: market.constants_of_volume(v) | states_of(v)),
    Lanes("market.roll", lambda x: (x.t, plan(x).switches, CURVES.copy(), market.tables(), x.normals, x.p, x.m), roll,
          {**SPREAD, **MARKET, "z_spread": market.NORMAL, "level": WHOLE, "state": market.NORMAL},
          spread_stays_a_spread, others={**MODELS, **STEP}, derived=lambda v: constants(v) | states_of(v), atol=1e-15),
    Lanes("strategy.decide", lambda x: (x.kind, x.fraction, x.rate, x.lot, x.p, x.m, x.b), decide_simple,
          {**decide.ORDER, "cumulative_volume": real(0.0, 1e6)}, allowed, derived=decide.order_of, atol=1e-9,
          others={"kind": st.sampled_from([f.SCHEDULE, f.POV]), "fraction": decide.SHARE, "rate": real(0.001, 0.5),
                  "lot": decide.LOTS}),
    Lanes("strategy.decide_otherwise", lambda x: (*deciders(x), x.words, x.p, x.m, x.b), decide_otherwise, decide.ORDER,
          allowed, derived=lambda v: decide.order_of(v) | {"window": float(v.i)}, scratch="w0 w1 w2 w3 value", atol=1e-9,
          others={**BLOCK, **decide.STEP, **decide.ACTS, "kind": st.sampled_from([f.OWN_SCHEDULE, f.RANDOM])}, each=True),
    Lanes("walk.open_block", opening, opened, {**SPREAD, **PRICE, "shares": real(1.0, 1e5)}, nothing_is_left_of_before,
          derived=constants, scratch=" ".join(DRAW), atol=1e-14,
          others={**BLOCK, **MODELS, "block": st.integers(0, 3), "start_moved": st.integers(0, 1),
                  "source": st.integers(0, 2), "paths": arrays(given.some_paths)}, each=True),
    Lanes("walk.close_block", closing, close_block,
          {**books.CLOSE, **books.OPEN, **dict.fromkeys(books.MARKET_SUMS, real(1.0, 1e6)), "arrival_spread": real(0.0, 0.01),
           "orders": st.integers(0, 9).map(float), "last_step": st.integers(-1, 9).map(float)},
          rows_agree, others=books.RULE, derived=books.closing, outputs=closed_outputs, rtol=1e-11, atol=1e-6, tries=15,
          each=True),
)  # fmt: skip
