"""Networks as strategies: what they decide is what numpy says, whoever computes it, on any market."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
import real_days
from conftest import small_study
from fastexec.errors import FastexecError, InputError
from fastexec.kernels import fields
from fastexec.models.study import StudyModel
from fastexec.simulation import prepare, simulate
from naive.networks import drawn, forward, share
from networks import ACTIONS, SEEN, network, playing

STEPS = 12
PLACE = {name: j for j, name in enumerate(fields.STEP_COLUMNS)}


@pytest.fixture(scope="module")
def study():
    return small_study(episodes=900)


def observations(study, made, first=0, count=900):
    """What the network of strategy 1 met and traded, by numpy from the recorded steps: float64[e, t, feature], [e, t]."""
    rows = prepare(study).steps(first, count)
    mine = rows["strategy_index"] == 1
    mid, spread, volume, shares, remaining = (
        rows[name][mine].reshape(count, STEPS) for name in ("mid", "spread", "volume", "shares", "remaining")
    )
    before = np.column_stack((np.full(count, study.order.shares), remaining[:, :-1]))
    last = np.column_stack((np.zeros(count), volume[:, :-1]))
    time = np.broadcast_to(np.arange(STEPS) / STEPS, spread.shape)
    seen = dict(zip(SEEN, (before / study.order.shares, time, spread, last), strict=True))
    scaled = [(seen[one.name] - one.mean) / one.sd for one in made.learned.policy.observation]
    return np.stack(scaled, axis=2), shares, before


@pytest.mark.parametrize(("activation", "seed"), [("tanh", 3), ("relu", 4)])
def test_ten_thousand_decisions_are_those_of_numpy(study, tmp_path, activation, seed):
    """But for ties: observations whose two greatest outputs differ by less than rounding."""
    made = network(study, activation=activation, seed=seed)
    made.save(tmp_path / "net.parquet")
    x, shares, before = observations(playing(study, tmp_path / "net.parquet"), made)
    y = forward(made.learned.policy.layers, activation, x.reshape(-1, len(SEEN)).T)[-1]
    best = np.sort(y, axis=0)
    clear = (best[-1] - best[-2] > 1e-4).reshape(shares.shape)
    level = np.array(ACTIONS["levels"])[y.argmax(axis=0)].reshape(shares.shape)
    level[:, -1] = 1.0  # the horizon rule takes the rest
    wanted = np.floor(level * before + 1e-9)
    assert clear.sum() > 10_000
    assert np.unique(level[:, :-1]).size > 3
    np.testing.assert_allclose(shares[clear], wanted[clear], atol=1e-9)


def test_sampled_actions_come_as_often_as_their_chances(study, tmp_path):
    made = network(study, mode="sampled", hidden=(8,))
    made.save(tmp_path / "net.parquet")
    played = playing(study, tmp_path / "net.parquet")
    x, shares, before = observations(played, made)
    y = forward(made.learned.policy.layers, "tanh", x.reshape(-1, len(SEEN)).T)[-1]
    chances = np.exp(y - y.max(axis=0)) / np.exp(y - y.max(axis=0)).sum(axis=0)
    wanted = np.floor(np.array(ACTIONS["levels"])[:, None] * before.ravel() + 1e-9)
    inner = np.broadcast_to(np.arange(STEPS) < STEPS - 1, shares.shape).ravel() & (before.ravel() > 200)
    for a in range(len(ACTIONS["levels"])):
        took = (shares.ravel() == wanted[a])[inner]
        mean = chances[a][inner]
        error = np.sqrt((mean * (1 - mean)).sum()) / mean.size
        assert abs(took.mean() - mean.mean()) < 4 * error + 1e-9, a


def test_a_sampled_network_draws_from_its_own_part_of_the_stream(study, tmp_path):
    """Another name, other draws; the market and the others are untouched."""
    network(study, mode="sampled").save(tmp_path / "net.parquet")
    one = simulate(playing(study, tmp_path / "net.parquet"), threads=1)
    other = simulate(playing(study, tmp_path / "net.parquet", name="another"), threads=1)
    np.testing.assert_array_equal(one.markets["last_price"], other.markets["last_price"])
    cost = [found.episodes["shortfall_bps"].reshape(-1, 2) for found in (one, other)]
    np.testing.assert_array_equal(cost[0][:, 0], cost[1][:, 0])
    assert (cost[0][:, 1] != cost[1][:, 1]).mean() > 0.9


@pytest.mark.parametrize("mode", ["clip", "tanh"])
def test_a_share_of_what_is_left(study, tmp_path, mode):
    made = network(study, actions="share", mode=mode, hidden=(8, 8, 8))
    made.save(tmp_path / "net.parquet")
    whole = playing(study, tmp_path / "net.parquet").changed({"order.lot": 0.0})
    x, shares, before = observations(whole, made)
    y = forward(made.learned.policy.layers, "tanh", x.reshape(-1, len(SEEN)).T)[-1][0]
    wanted = np.array([share(value, mode) for value in y]).reshape(shares.shape) * before
    wanted[:, -1] = before[:, -1]
    np.testing.assert_allclose(shares, wanted, rtol=1e-5, atol=2e-3)
    assert np.ptp(wanted[:, 0] / study.order.shares) > 0.01


def test_chunks_and_threads_change_nothing(study, tmp_path):
    network(study, mode="sampled").save(tmp_path / "net.parquet")
    played = playing(study, tmp_path / "net.parquet").changed({"episodes": 2000})
    prepared = prepare(played)
    whole = prepared.run(0, 2000)
    several = simulate(played, threads=2)
    cuts = [0, 1, 130, 1111, 2000]
    parts = [prepared.run(first, end - first) for first, end in zip(cuts, cuts[1:], strict=False)]
    for name, column in whole.episodes.items():
        np.testing.assert_array_equal(column, several.episodes[name], err_msg=name)
        np.testing.assert_array_equal(column, np.concatenate([part.episodes[name] for part in parts]), err_msg=name)


def test_several_networks_play_side_by_side(study, tmp_path):
    """Each as it does alone, though their layers share the lanes' buffer."""
    for number, hidden in enumerate([(), (5,), (32, 16, 8)]):
        network(study, hidden=hidden, seed=number).save(tmp_path / f"{number}.parquet")
    nets = [{"name": f"n{j}", "model": "network", "agent": str(tmp_path / f"{j}.parquet")} for j in range(3)]
    together = simulate(study.changed({"strategies": nets, "train": {}}), threads=1).episodes["shortfall_bps"]
    for j, net in enumerate(nets):
        alone = simulate(study.changed({"strategies": [net], "train": {}}), threads=1).episodes["shortfall_bps"]
        np.testing.assert_array_equal(alone, together[j::3])


def test_weights_that_overflow_end_the_run_in_one_line(study, tmp_path):
    from fastexec.analysis.networks import Network

    layers = [(np.full((4, 1), 3e38), np.zeros(4)), (np.array([[3e38, -3e38, 0, 0]] * 2), np.zeros(2))]
    made = Network.from_layers(
        layers, observation=[{"name": "inventory", "mean": 0.0, "sd": 0.001}], activation="relu",
        actions={"set": "fractions", "levels": [0.5, 1.0]},
    )  # fmt: skip
    made.save(tmp_path / "net.parquet")
    with pytest.raises(FastexecError, match=r"strategy 'net', episode 0, step 0: the slice is no number"):
        simulate(playing(study, tmp_path / "net.parquet"), threads=1)


def test_a_network_for_another_clock_is_refused(study, tmp_path):
    network(study).save(tmp_path / "net.parquet")
    other = playing(study, tmp_path / "net.parquet").changed({"order.steps": 9})
    with pytest.raises(InputError, match=r"strategies.net: the network was made for 12 steps, order.steps is 9"):
        simulate(other)


def test_a_network_that_sees_what_nobody_sees_is_refused(study, tmp_path):
    signals = {"market.signals": [{"name": "flow", "predicts": "move", "correlation": 0.2, "persistence": 0.5}]}
    network(study.changed(signals), seen=["inventory", "flow"]).save(tmp_path / "net.parquet")
    with pytest.raises(InputError, match=r"strategies.net: its agent sees the feature flow: no feature and no signal"):
        simulate(playing(study, tmp_path / "net.parquet"))
    assert len(simulate(playing(study.changed(signals), tmp_path / "net.parquet"), threads=1).episodes) > 1


def test_outputs_that_are_not_the_actions_of_the_order_are_refused(study, tmp_path):
    """In lots of an order of 1,200 no level takes all: there is one action more."""
    made = network(study, actions={"set": "lots", "levels": [0.0, 10.0, 100.0]})
    made.save(tmp_path / "net.parquet")
    with pytest.raises(InputError, match='3 outputs for 4 actions of this order, "all that is left" among them'):
        simulate(playing(study, tmp_path / "net.parquet"))


def test_time_is_no_feature_of_a_table():
    features = [{"name": "inventory", "bins": 5}, {"name": "time", "edges": [0.5]}]
    with pytest.raises(InputError, match="time: a table has each step of time as a slice of its own already"):
        small_study().changed({"train": {"a": {"features": features}}})


# ---- markets of every kind, folders of results


@pytest.mark.parametrize("market", [{"model": "replay", "stride": 12}, {"model": "bootstrap", "block": 4.0}])
def test_it_plays_on_real_days(study, tmp_path, market):
    """What it does there follows what was seen there, and the bars' own clock."""
    network(study).save(tmp_path / "net.parquet")
    real_days.write(real_days.some_days(2, [60] * 5), tmp_path / "bars.parquet")
    days = {**market, "bars": str(tmp_path / "bars.parquet"), "symbol": "S"}
    data = study.model_dump() | {"market": days, "strategies": playing(study, tmp_path / "net.parquet").strategies}
    data.pop("episodes")
    rows = simulate(StudyModel.model_validate(data), threads=1).episodes
    shares = rows["child_orders"].reshape(-1, 2)
    assert np.isfinite(rows["shortfall_bps"]).all()
    assert np.unique(shares[:, 1]).size > 1


def test_given_paths_are_played_as_the_market_that_they_were(study, tmp_path):
    network(study).save(tmp_path / "net.parquet")
    played = fx.Study.from_dict(playing(study, tmp_path / "net.parquet").model_dump(exclude_none=True))
    paths = fx.market(played, episodes=200, phase="evaluation")
    here, there = fx.simulate(played, episodes=200), fx.simulate(played, paths=paths)
    np.testing.assert_allclose(here.episodes["shortfall_bps"], there.episodes["shortfall_bps"], rtol=1e-9, atol=1e-9)


def test_a_folder_of_results_is_verified_replayed_and_swept(study, tmp_path):
    """The file of the network is among the inputs; another in its place is refused."""
    network(study, mode="sampled").save(tmp_path / "net.parquet")
    data = playing(study, tmp_path / "net.parquet").model_dump(exclude_none=True) | {"episodes": 300}
    swept = fx.Study.from_dict(data | {"sweep": {"order.side": ["sell", "buy"]}})
    fx.run(swept, out=tmp_path / "results", chunk=128)
    assert fx.verify(tmp_path / "results", sample=2).faults == []
    episode = fx.replay(tmp_path / "results", episode=5, scenario="side_sell").to_arrow().to_pydict()
    net = [j for j, name in enumerate(episode["strategy"]) if name == "net"]
    assert sum(episode["shares"][j] for j in net) == pytest.approx(1200.0)
    network(study, mode="sampled", seed=9).save(tmp_path / "net.parquet", overwrite=True)
    with pytest.raises(FastexecError, match=r"net.parquet"):
        fx.replay(tmp_path / "results", episode=5, scenario="side_sell")


def test_drawn_is_the_words_place_in_the_sums():
    assert [drawn([0.0, 0.0], word) for word in (0, 2**31 - 1, 2**31, 2**32 - 1)] == [0, 0, 1, 1]
