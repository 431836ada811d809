"""Decisions made elsewhere, as arrays: priced as any strategy's, beside the study's own, no more than what is given."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
from conftest import SMALL, merged

EPISODES, STEPS = 40, 12
SCHEDULES = [
    {"model": "twap"}, {"model": "vwap"}, {"model": "almgren_chriss", "risk_aversion": 1e-4},
    {"model": "schedule", "name": "late", "weights": [0, 0, 1, 0, 3, 1, 1, 7, 0, 0, 2, 0.5]}, {"model": "immediate"},
]  # fmt: skip


def study_of(**changes):
    return fx.Study.from_dict(
        merged(SMALL, {"episodes": EPISODES, "order": {"steps": STEPS}, "strategies": SCHEDULES, **changes})
    )


def shares_of(study, paths=None):
    """What each strategy of a study trades by its own decision, float64[e, t] by name: under ``leave`` nothing joins it."""
    from fastexec.simulation import prepare

    prepared = prepare(study, paths=paths)
    found = prepared.steps(0, prepared.episodes)["shares"].reshape(prepared.episodes, len(prepared.strategies), -1)
    return {name: found[:, k] for k, name in enumerate(prepared.strategies)}


def rows_of(results, name):
    """Every column of a strategy's episodes."""
    k = results.strategies.index(name)
    return {column: values[k :: len(results.strategies)] for column, values in results.episodes.items()}


def assert_same_rows(one, other, but=()):
    assert one.keys() == other.keys()
    for name in one.keys() - set(but):
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


MARKETS = {
    "small": {},
    "a purchase in hundreds": {"order": {"side": "buy", "shares": 2400, "lot": 100}},
    "fractions": {"order": {"lot": 0, "shares": 1000.7}},
    "lots of fractions": {"order": {"lot": 0.1, "shares": 120.3}},
    "an order drawn": {"order": {"shares": {"low": 300, "high": 3000, "scale": "log"}}},
    "drawn, in fractions": {"order": {"lot": 0, "shares": {"low": 300, "high": 3000}, "side": "buy"}},
    "marked": {"order": {"at_horizon": "mark", "mark_penalty": 0.01}},
    "left": {"order": {"at_horizon": "leave"}},
    "a linear cost": {"costs": {"temporary": {"model": "linear", "fixed": 0.001, "coefficient": 1e-5}}},
    "a root": {"costs": {"temporary": {"exponent": 0.5}}, "order": {"side": "buy"}},
    "an exponent drawn": {"costs": {"temporary": {"exponent": {"low": 0.4, "high": 0.8}}}},
    "steps without volume": {
        "market": {"volume": {"model": "markov", "levels": [0.0, 800.0], "transition": [[0.5, 0.5], [0.3, 0.7]]}},
    },
    "by step": {"costs": {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0},
                          "fees": {"per_share": 0.0}, "rule": "per_step"}},
}  # fmt: skip


@pytest.mark.parametrize("market", MARKETS)
def test_a_schedule_handed_in_is_that_schedule(market):
    """Every column, to the bit; of what a schedule decides on, the rest is left to the rule of the horizon."""
    study = study_of(**MARKETS[market])
    slices = {f"my_{name}": array for name, array in shares_of(study).items()}
    results = fx.simulate(study, slices=slices, threads=1)
    for name in [strategy.name for strategy in study.strategies]:
        # Under `complete` the last slice holds what joined it, which then is decided on.
        decided = ("completion",) if study.order.at_horizon == "complete" else ()
        assert_same_rows(rows_of(results, f"my_{name}"), rows_of(results, name), but=decided)
    assert results.strategies == [*(s.name for s in study.strategies), *slices]


@pytest.mark.parametrize("given", [False, True])
def test_nobody_else_notices(given):
    study = study_of(strategies=[*SCHEDULES, {"model": "pov"}, {"model": "random"}])
    rng = np.random.default_rng(1)
    mid = 100.0 * np.exp(0.001 * rng.standard_normal((EPISODES, STEPS)).cumsum(axis=1))
    paths = fx.MarketPaths(mid, np.full_like(mid, 3e-4), rng.uniform(50.0, 2e3, mid.shape)) if given else None
    slices = {"even": np.full((EPISODES, STEPS), 100.0), "none": np.zeros((EPISODES, STEPS))}
    alone, beside = fx.simulate(study, paths=paths), fx.simulate(study, paths=paths, slices=slices, threads=2)
    for name in alone.strategies:
        assert_same_rows(rows_of(alone, name), rows_of(beside, name))
    for name, column in alone.markets.items():
        np.testing.assert_array_equal(column, beside.markets[name])
    assert_same_rows(rows_of(beside, "even"), rows_of(beside, "twap"))
    assert (rows_of(beside, "none")["completion"] == 0.0).all()
    assert (rows_of(beside, "none")["child_orders"] == 1).all()  # all of it in the last step


def test_given_paths_price_them_as_they_price_schedules():
    study = study_of(order={"side": "buy"})
    rng = np.random.default_rng(2)
    mid, volume = rng.uniform(90.0, 110.0, (EPISODES, STEPS)), rng.uniform(0.0, 2e3, (EPISODES, STEPS))
    volume[rng.random(volume.shape) < 0.2] = 0.0
    volume[:, -1] = 500.0
    paths = fx.MarketPaths(mid, np.full_like(mid, 4e-4), volume)
    results = fx.simulate(study, paths=paths, slices={"mine": shares_of(study, paths)["late"]})
    assert_same_rows(rows_of(results, "mine"), rows_of(results, "late"))


@pytest.mark.parametrize("threads", [1, 2])
def test_many_episodes_on_threads_each_its_own_row(threads):
    """Episode e trades all of it in step e mod 12, in more episodes than a block of lanes has."""
    study = study_of(episodes=3000, order={"at_horizon": "leave"})
    slices = np.zeros((3000, STEPS))
    slices[np.arange(3000), np.arange(3000) % STEPS] = 1200.0
    rows = rows_of(fx.simulate(study, slices={"one": slices}, threads=threads), "one")
    np.testing.assert_array_equal(rows["last_step"], np.arange(3000) % STEPS)
    np.testing.assert_array_equal(rows["filled_shares"], 1200.0)


@pytest.mark.parametrize(("lot", "given", "traded"), [
    (1, [0.4, 0.4, 0.4, 0.4, 0.4], [0, 0, 1, 0, 1]),
    (1, [0.1] * 10, [0] * 9 + [1]),  # a sum of tenths misses 1 by a hair
    (1, [1.5, 1.5, 0, 2.25, 0.75], [1, 2, 0, 2, 1]),
    (100, [150, 150, 99, 0, 1], [100, 200, 0, 0, 100]),
    (0, [0.4, 0.25, 0.0, 0.1], [0.4, 0.25, 0.0, 0.1]),
    (0.5, [0.3, 0.3, 0.3, 0.3], [0, 0.5, 0, 0.5]),
])  # fmt: skip
def test_fractions_of_lots_are_carried(lot, given, traded):
    order = {"steps": len(given), "lot": lot, "shares": 1000, "at_horizon": "leave"}
    study = fx.Study.from_dict({"order": order, "strategies": [{"model": "twap"}], "episodes": 2})
    from fastexec.simulation import prepare

    prepared = prepare(study, slices={"mine": [given, given]})
    shares = prepared.steps(0, 2)["shares"].reshape(2, 2, -1)[:, 1]
    np.testing.assert_allclose(shares, [traded, traded], rtol=1e-12)
    assert shares.sum() <= 2 * sum(given) + 1e-9


def test_fractions_that_miss_the_order_by_a_hair_finish_it():
    order = {"shares": 1000.7, "lot": 0, "steps": 7, "at_horizon": "mark"}
    study = fx.Study.from_dict({"order": order, "strategies": [{"model": "twap"}], "episodes": 3})
    rows = rows_of(fx.simulate(study, slices={"mine": np.full((3, 7), 1000.7 / 7)}), "mine")
    np.testing.assert_array_equal(rows["filled_shares"], 1000.7)
    np.testing.assert_array_equal(rows["residual_bps"], 0.0)


FINE = np.full((EPISODES, STEPS), 100.0)


def changed(e, t, value):
    array = FINE.copy()
    array[e, t] = value
    return {"mine": array}


REFUSED = {
    "more than all": (changed(3, 11, 101.0), "slices['mine']: episode 3, step 11: 101 shares are more than what is left"),
    "below 0": (changed(7, 5, -0.5), "slices['mine']: episode 7, step 5: is -0.5; it must be 0 shares or more"),
    "no number": (changed(0, 11, np.nan), "slices['mine']: episode 0, step 11: is nan; it must be a finite number"),
    "no end": (changed(39, 0, np.inf), "slices['mine']: episode 39, step 0: is inf; it must be a finite number"),
    "one step less": ({"mine": FINE[:, 1:]}, "slices['mine']: has shape (40, 11); it must be [episodes, steps] = (40, 12)"),
    "an episode less": ({"mine": FINE[1:]}, "has shape (39, 12); it must be [episodes, steps] = (40, 12)"),
    "a row": ({"mine": FINE[0]}, "has shape (12,); it must be [episodes, steps] = (40, 12)"),
    "rows of any length": ({"mine": [[1.0], [1.0, 2.0]]}, "slices['mine']: has rows of different lengths"),
    "texts": ({"mine": FINE.astype(str)}, "slices['mine']: holds values of type"),
    "a name that is taken": ({"twap": FINE}, "slices['twap']: the study has a strategy of that name; give another"),
    "no name": ({"a/b": FINE}, "slices: 'a/b' is no name; a name is letters"),
    "a number for a name": ({1: FINE}, "slices: 1 is no name"),
    "an array alone": (FINE, "slices: must be a dict of arrays by name"),
    "nothing": ({}, "slices: must be a dict of arrays by name"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_nobody_can_trade_is_refused(what):
    slices, said = REFUSED[what]
    with pytest.raises(fx.InputError) as caught:
        fx.simulate(study_of(), slices=slices)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "--" not in str(caught.value)


def test_more_than_an_order_that_is_drawn_is_refused():
    with pytest.raises(fx.InputError, match=r"slices\['mine'\]: episode \d+, step \d+: 100 shares are more than"):
        fx.simulate(study_of(order={"shares": {"low": 900, "high": 1300}}), slices={"mine": FINE})


def test_what_a_step_without_volume_left_is_the_horizons():
    study = study_of(**MARKETS["steps without volume"], order={"at_horizon": "leave"})
    rows = rows_of(fx.simulate(study, slices={"mine": FINE}), "mine")
    assert set(np.unique(rows["filled_shares"])) <= set(100.0 * np.arange(13))
    assert (rows["filled_shares"] < 1200.0).any()
    np.testing.assert_array_equal(rows["filled_shares"], 100.0 * rows["child_orders"])


def test_the_engine_is_not_entered_with_slices_that_do_not_fit():
    from fastexec.simulation import prepare

    prepared = prepare(study_of(), slices={"mine": FINE})
    rows = prepared.rows(4)
    for wrong in (FINE[None, :3], FINE[None, :, :5], FINE[None].astype(np.float32), np.zeros((0, EPISODES, STEPS))):
        bad = prepared.decisions._replace(slices=wrong)
        with pytest.raises(ValueError, match="^simulate_blocks: "):
            type(prepared)(**{**vars(prepared), "decisions": bad}).run(0, 4, rows)
