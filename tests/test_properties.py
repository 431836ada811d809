"""What must hold for every study: shares conserved, costs add up, no look-ahead, schedules keep their promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from conftest import StudyModel, small_study
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.simulation import prepare, simulate

PARTS = [f"{p}_bps" for p in ("spread", "temporary", "permanent", "transient", "timing", "fees", "residual")]


def columns(results):
    """Every episodes column as float64[e, k]."""
    k = len(results.strategies)
    return {name: values.reshape(-1, k) for name, values in results.episodes.items()}


def steps_of(study):
    prepared = prepare(study)
    steps = prepared.steps(0, prepared.episodes)
    shape = (prepared.episodes, len(prepared.strategies), study.order.steps)
    return {name: values.reshape(shape) for name, values in steps.items()}


def paths_of(study):
    """The market that a study's strategies meet, as given paths; the spread at the end is that of one step more."""
    longer = study.changed({"order": study.order.model_dump() | {"steps": study.order.steps + 1}})
    prepared = prepare(study)
    steps = steps_of(study)
    markets = prepared.run(0, prepared.episodes).markets
    return MarketPaths(
        steps["mid"][:, 0],
        steps["spread"][:, 0],
        steps["volume"][:, 0],
        markets["arrival_price"],
        markets["last_price"],
        steps_of(longer)["spread"][:, 0, -1],
    )


any_study = st.builds(
    small_study,
    seed=st.integers(0, 2**64 - 1),
    episodes=st.just(40),
    order=st.fixed_dictionaries(
        {
            "side": st.sampled_from(["buy", "sell"]),
            "shares": st.integers(1, 500).map(lambda n: n * 20),
            "steps": st.integers(1, 25),
            "lot": st.sampled_from([0, 1, 10, 20]),
            "at_horizon": st.sampled_from(["complete", "mark", "leave"]),
            "mark_penalty": st.sampled_from([0.0, 0.05]),
        }
    ),
    market=st.fixed_dictionaries(
        {
            "price": st.sampled_from(
                [
                    {"model": "geometric", "volatility": 0.01},
                    {"model": "arithmetic", "volatility": 0.5, "start": "moved"},
                ]
            ),
            "volume": st.sampled_from(
                [
                    {"model": "lognormal", "mean": 500.0},
                    {"model": "constant", "mean": 300.0},
                ]
            ),
        }
    ),
    costs=st.fixed_dictionaries(
        {
            "temporary": st.sampled_from(
                [{"model": "power", "exponent": e} for e in (0.0, 0.5, 0.6, 1.0, 1.5)]
                + [{"model": "linear", "fixed": 0.01, "coefficient": 1e-4}]
            ),
            "permanent": st.fixed_dictionaries(
                {"coefficient": st.sampled_from([0.0, 1e-5]), "own": st.sampled_from([0.25, 0.5])}
            ),
            "transient": st.fixed_dictionaries(
                {"coefficient": st.sampled_from([0.0, 1e-5]), "exponent": st.sampled_from([0.5, 1.0])}
            ),
        }
    ),
)
cheap = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cheap
@given(any_study)
def test_shares_are_conserved_and_costs_add_up(study):
    results = simulate(study)
    c = columns(results)
    q, s0 = results.markets["order_shares"][:, None], c["arrival_price"]
    steps = steps_of(study)
    traded = steps["shares"].sum(axis=2)
    np.testing.assert_allclose(traded, c["filled_shares"], rtol=1e-12)
    assert (steps["shares"] >= 0).all()
    assert (c["filled_shares"] <= q * (1 + 1e-15)).all()
    if study.order.at_horizon == "complete":
        np.testing.assert_array_equal(c["filled_shares"], np.broadcast_to(q, c["filled_shares"].shape))
    if study.order.lot > 0:
        np.testing.assert_array_equal(steps["shares"] % study.order.lot, 0.0)
    # Promise 3: the left-to-right sum of the parts, bit for bit ...
    total = np.zeros_like(c["shortfall_bps"])
    for part in PARTS:
        total = total + c[part]
    np.testing.assert_array_equal(total, c["shortfall_bps"])
    # ... and the money: average price, filled shares, fees, residual, and the timing of what is left.
    sign = 1.0 if study.order.side == "buy" else -1.0
    left = q - c["filled_shares"]
    move = 0.0 if study.order.at_horizon == "leave" else left * (results.markets["last_price"][:, None] - s0)
    paid = np.where(c["filled_shares"] > 0, c["filled_shares"] * (np.nan_to_num(c["average_price"]) - s0), 0.0)
    money = sign * (paid + move)
    again = money / (q * s0) * 1e4 + c["fees_bps"] + c["residual_bps"]
    np.testing.assert_allclose(again, c["shortfall_bps"], rtol=0, atol=1e-8)


@cheap
@given(any_study)
def test_buy_and_sell_have_equal_parts_and_opposite_timing(study):
    other = "sell" if study.order.side == "buy" else "buy"
    twin = study.changed({"order": study.order.model_dump() | {"side": other}})
    a, b = columns(simulate(study)), columns(simulate(twin))
    for part in PARTS:
        np.testing.assert_array_equal(a[part], -b[part] if part == "timing_bps" else b[part], err_msg=part)
    np.testing.assert_array_equal(a["filled_shares"], b["filled_shares"])


@cheap
@given(any_study)
def test_recorded_prices_are_the_money_that_was_paid(study):
    c, steps = columns(simulate(study)), steps_of(study)
    value = np.where(steps["shares"] > 0, steps["shares"] * np.nan_to_num(steps["price"]), 0.0).sum(axis=2)
    filled = c["filled_shares"] > 0
    np.testing.assert_allclose(value[filled], (c["filled_shares"] * c["average_price"])[filled], rtol=1e-12)
    np.testing.assert_allclose(
        steps["shares"].sum(axis=2) + steps["remaining"][:, :, -1], study.order.shares, rtol=1e-12
    )


def test_given_paths_reproduce_the_synthetic_market_they_came_from():
    study = small_study(episodes=200)
    a, b = simulate(study), simulate(study, paths=paths_of(study))
    for name, values in a.episodes.items():
        np.testing.assert_allclose(values, b.episodes[name], rtol=1e-12, atol=1e-12, err_msg=name)


def test_permuting_the_future_changes_no_decision():
    study = small_study(episodes=100)
    paths, cut = paths_of(study), 6
    rng = np.random.default_rng(1)
    arrays = {name: getattr(paths, name).copy() for name in ("mid", "spread", "volume")}
    for name in arrays:
        arrays[name][:, cut:] = rng.permuted(arrays[name][:, cut:], axis=1)
    other = MarketPaths(**arrays, arrival=paths.arrival, last_mid=paths.last_mid)
    before = prepare(study, paths=paths).steps(0, 100)["shares"].reshape(100, -1, 12)[:, :, :cut]
    after = prepare(study, paths=other).steps(0, 100)["shares"].reshape(100, -1, 12)[:, :, :cut]
    np.testing.assert_array_equal(before, after)


def test_pov_sees_a_steps_volume_but_fills_at_its_end():
    """At the mid of the step's start it would trade on a volume that knows the coming move (0.4 to 1 bp)."""
    free = {part: {"coefficient": 0.0} for part in ("temporary", "permanent", "transient")}
    study = small_study(episodes=1, order={"lot": 0}, costs=free, strategies=[{"model": "pov", "rate": 0.1}])
    mid = np.linspace(100, 111, 12)[None, :]
    volume = np.full((1, 12), 1000.0)
    paths = MarketPaths(mid, np.zeros((1, 12)), volume, last_mid=np.array([112.0]))
    steps = prepare(study, paths=paths).steps(0, 1)
    np.testing.assert_allclose(steps["price"], [*mid[0, 1:], 112.0])
    np.testing.assert_allclose(steps["shares"], 100.0)


def test_a_step_without_volume_trades_nothing_and_is_caught_up():
    study = small_study(episodes=50)
    paths = paths_of(study)
    volume = paths.volume.copy()
    volume[:, 4] = 0.0
    volume[::2, 11] = 0.0
    halted = MarketPaths(paths.mid, paths.spread, volume, paths.arrival, paths.last_mid)
    prepared = prepare(study, paths=halted)
    shares = prepared.steps(0, 50)["shares"].reshape(50, -1, 12)
    assert (shares[:, :, 4] == 0).all()
    assert (shares[::2, :, 11] == 0).all()
    np.testing.assert_array_equal(shares[1::2].sum(axis=2), 1200)
    twap = shares[:, prepared.strategies.index("twap")]
    np.testing.assert_array_equal(twap[:, 5], 200)
    results = columns(prepared.run(0, 50))
    open_ = results["filled_shares"][::2] < 1200
    assert open_[:, 0].all()  # nothing is lost: what stayed is valued at the end
    assert (results["residual_bps"][::2][open_] > 0).all()
    assert (results["residual_bps"][1::2] == 0).all()


def test_twap_with_more_shares_costs_more_timing_aside():
    costs = []
    for shares in (600, 1200, 2400, 4800):
        c = columns(simulate(small_study(order={"shares": shares}, strategies=[{"model": "twap"}])))
        costs.append((c["shortfall_bps"] - c["timing_bps"])[:, 0])
    assert all((b >= a - 1e-9).all() for a, b in zip(costs, costs[1:], strict=False))


def test_pov_trades_its_rate_until_done():
    study = small_study(order={"shares": 100_000}, strategies=[{"model": "pov", "rate": 0.15}])
    steps = steps_of(study)
    sent, seen = steps["shares"][:, 0, :-1].cumsum(axis=1), steps["volume"][:, 0, :-1].cumsum(axis=1)
    assert (np.abs(sent - 0.15 * seen) <= 1.0).all()
    assert (sent <= 0.15 * seen + 1e-6).all()


def test_lambda_to_zero_is_twap_on_a_flat_volume_curve():
    names = ["almgren_chriss", "static_optimum"]
    study = small_study(
        costs={"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0}},
        strategies=[{"model": "twap"}, {"model": "vwap"}, *({"model": name, "risk_aversion": 0.0} for name in names)],
    )
    shares = steps_of(study)["shares"]
    for k in range(1, 4):
        np.testing.assert_array_equal(shares[:, k], shares[:, 0])


def test_whole_lots_have_exact_totals_when_steps_do_not_divide_the_order():
    study = small_study(order={"shares": 1000, "steps": 7, "lot": 1}, strategies=[{"model": "twap"}])
    shares = steps_of(study)["shares"][0, 0]
    assert shares.sum() == 1000
    assert set(shares) == {142.0, 143.0}


def test_early_completion_is_seen_in_child_orders_and_last_step():
    c = columns(simulate(small_study(strategies=[{"model": "immediate"}, {"model": "twap"}])))
    assert (c["child_orders"][:, 0] == 1).all()
    assert (c["last_step"][:, 0] == 0).all()
    assert (c["child_orders"][:, 1] == 12).all()
    assert (c["last_step"][:, 1] == 11).all()


def test_leave_makes_half_an_order_look_cheap_and_completion_says_so():
    strategies = [{"model": "twap"}, {"model": "pov", "rate": 0.05}]
    left = columns(simulate(small_study(order={"at_horizon": "leave"}, strategies=strategies)))
    done = columns(simulate(small_study(order={"at_horizon": "complete"}, strategies=strategies)))
    assert left["completion"][:, 1].mean() < 0.7
    assert (left["completion"] == done["completion"]).all()
    cost = {name: (c["shortfall_bps"] - c["timing_bps"]).mean(axis=0) for name, c in (("left", left), ("done", done))}
    assert cost["left"][1] < cost["left"][0] < cost["done"][1]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_power_law_of_a_sell_is_no_nan(side):
    c = columns(simulate(small_study(order={"side": side})))
    for name in ("shortfall_bps", "temporary_bps", "average_price"):
        assert np.isfinite(c[name]).all()
    assert (c["temporary_bps"] > 0).all()


def test_paths_of_other_length_are_refused():
    study = small_study()
    paths = MarketPaths(np.full((3, 5), 100.0), np.zeros((3, 5)), np.ones((3, 5)))
    with pytest.raises(InputError, match="paths have 5 steps, order.steps is 12"):
        simulate(study, paths=paths)


def test_one_value_of_a_range_equals_the_fixed_parameter():
    """All parameters live in lane buffers: a range so narrow that it is a point gives the point's results."""
    fixed = simulate(small_study(strategies=[{"model": "twap"}]))
    low = 0.001
    narrow = simulate(
        small_study(
            market={"price": {"volatility": {"low": low, "high": float(np.nextafter(low, 1))}}},
            strategies=[{"model": "twap"}],
        )
    )
    np.testing.assert_allclose(fixed.episodes["shortfall_bps"], narrow.episodes["shortfall_bps"], rtol=1e-9)


def test_drawn_parameters_stand_in_the_markets_table_within_their_ranges():
    study = small_study(
        order={"shares": {"low": 100, "high": 900}},
        costs={"temporary": {"coefficient": {"low": 0.001, "high": 0.01, "scale": "log"}}},
    )
    markets = simulate(study, episodes=4000).markets
    shares, coefficient = markets["order.shares"], markets["costs.temporary.coefficient"]
    assert shares.min() >= 100
    assert shares.max() <= 900
    assert (shares == np.round(shares)).all()
    assert abs(shares.mean() - 500) < 4 * 800 / np.sqrt(12 * 4000)
    logs = np.log(coefficient / 0.001) / np.log(10)
    assert 0 <= logs.min() < logs.max() <= 1
    assert abs(logs.mean() - 0.5) < 4 / np.sqrt(12 * 4000)
    assert abs(np.corrcoef(shares, coefficient)[0, 1]) < 4 / np.sqrt(4000)
    np.testing.assert_array_equal(shares, markets["order_shares"])


def test_study_model_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        StudyModel.model_validate({"strategies": [{"model": "twap"}]}).seed = 3
