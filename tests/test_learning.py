"""Agents: learning against the optimum, states, files, refusals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from conftest import small_study
from fastexec.analysis.agents import by_time_and_inventory, in_words
from fastexec.analysis.comparison import compare
from fastexec.errors import InputError
from fastexec.kernels.philox import EVALUATION
from fastexec.learning.agent import agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.rollout import play
from fastexec.learning.training import train
from fastexec.models.chains import stationary_law
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from markets import FEATURES, NO_MEMORY, SPREAD, VOLUME, markov


def test_the_learner_captures_99_percent_of_the_attainable_saving():
    study = markov()
    agent, optimum = train(study, "a"), solve_optimum(study)
    learned, best = (play(study, policy, EVALUATION, 40_000).cost for policy in (agent.policy, optimum.policy))
    rows = prepare(markov(strategies=[{"model": "static_optimum"}])).run(0, 40_000).episodes
    static = (rows["shortfall_bps"] - rows["timing_bps"]).mean()
    assert (static - learned) / (static - best) > 0.99


def test_the_table_does_not_depend_on_threads():
    one, two = train(markov(), "a", threads=1), train(markov(), "a", threads=2)
    np.testing.assert_array_equal(one.q, two.q)
    np.testing.assert_array_equal(one.visits, two.visits)


def test_visits_add_up_to_the_sampled_steps():
    agent = train(markov(), "a")
    assert agent.visits.reshape(20, 21, 9)[:, 0].sum() == 4 * 32_768 * 20


def test_quantile_bins_and_every_feature_run():
    features = [{"name": "inventory", "bins": 11}, {"name": "spread", "bins": 3}, {"name": "volume", "bins": 3},
                {"name": "momentum", "bins": 3, "steps": 4}, {"name": "volatility", "bins": 2},
                {"name": "relative_volume", "bins": 2}]  # fmt: skip
    study = small_study(
        costs={"transient": {"coefficient": 0.0}},
        strategies=[
            {"model": "twap"},
            {"name": "l", "model": "qtable", "train": "a"},
            {"name": "b", "model": "blind_twin", "of": "l"},
        ],
        train={"a": {"features": features, "batch": 20_000, "rounds": 2}},
    )
    agent = train(study, "a")
    shares = [agent.visits.reshape(12, 11, -1)[6, 0].sum()]
    assert shares == [agent.kept * 20_000]
    assert [cut.bins for cut in agent.cuts] == [3, 3, 3, 2, 2, 11]
    results = simulate(study)
    assert np.isfinite(results.episodes["shortfall_bps"]).all()
    assert [len(row) for row in by_time_and_inventory(agent)] == [6] * 6
    assert any("when spread is wide" in line for line in in_words(agent))


def test_encode_is_the_mixed_radix_of_the_bins():
    """A policy that trades by its code alone gives the code back through its slices."""
    study = markov(strategies=[{"model": "optimum"}])
    solved = solve_optimum(study)
    steps = prepare(study).steps(0, 500)
    shape = (500, 20)
    spread, volume, remaining, shares = (steps[n].reshape(shape) for n in ("spread", "volume", "remaining", "shares"))
    before = remaining + shares
    last = np.concatenate((np.zeros((500, 1)), volume[:, :-1]), axis=1)
    s = np.digitize(spread, [0.0004, 0.0013], right=True)
    v = np.digitize(last, [600.0, 2500.0], right=True)
    code = s + 3 * v + 9 * np.rint(before / 100).astype(int)
    wanted = (
        np.take_along_axis(solved.policy.table.T, code, axis=0) if False else solved.policy.table[np.arange(20), code]
    )
    np.testing.assert_array_equal(np.minimum(wanted * 100.0, before)[:, :-1], shares[:, :-1])


def test_bins_of_one_width():
    features = [{"name": "inventory", "bins": 5}, {"name": "spread", "bins": 4, "between": [0.0, 0.002]}]
    agent = train(markov(train={"a": {"features": features, "rounds": 1, "batch": 1_000}}), "a")
    np.testing.assert_allclose(agent.cuts[0].edges, [0.0005, 0.001, 0.0015])
    assert agent.outside == {"spread": 0}


def test_values_beyond_the_given_ends_are_counted():
    features = [{"name": "inventory", "bins": 5}, {"name": "spread", "bins": 2, "between": [0.0004, 0.001]}]
    agent = train(markov(train={"a": {"features": features, "rounds": 1, "batch": 1_000}}), "a")
    middle = stationary_law(tuple(map(tuple, SPREAD["transition"])))[1]  # the lowest and the highest level lie beyond
    assert agent.outside["spread"] / 400_000 == pytest.approx(1.0 - middle, abs=0.01)
    assert any("values of spread in the pilot run lay beyond its bins" in line for line in in_words(agent))


def test_no_phase_meets_another():
    study = markov()
    play(study, solve_optimum(study).policy, EVALUATION, 10)
    phases = [prepare(study, phase=phase).run(0, 50).markets["market_vwap"] for phase in range(4)]
    for a, b in product(range(4), range(4)):
        assert a == b or not np.intersect1d(phases[a], phases[b]).size


# ---- files


def test_an_agent_survives_its_file(tmp_path):
    agent = train(markov(), "a")
    pq.write_table(agent_table(agent), tmp_path / "a.parquet")
    again = read_agent(tmp_path / "a.parquet")
    np.testing.assert_array_equal(again.q, agent.q)
    np.testing.assert_array_equal(again.policy.table, agent.policy.table)
    assert again.training == agent.training
    study = markov(strategies=[{"name": "filed", "model": "qtable", "agent": str(tmp_path / "a.parquet")}], train={})
    trained = markov(strategies=[{"name": "filed", "model": "qtable", "train": "a"}])
    a, b = (simulate(s).episodes["shortfall_bps"] for s in (study, trained))
    np.testing.assert_array_equal(a, b)
    assert list(prepare(study).inputs) == [str(tmp_path / "a.parquet")]


def test_a_file_that_is_no_agent_is_one_line(tmp_path):
    study = lambda name: markov(strategies=[{"model": "qtable", "agent": str(tmp_path / name)}], train={})  # noqa: E731
    with pytest.raises(InputError, match="there is no such file"):
        prepare(study("none.parquet"))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="is no agent of fastexec"):
        prepare(study("bad.parquet"))
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="it carries no agent"):
        prepare(study("other.parquet"))
    agent = train(markov(), "a")
    pq.write_table(agent_table(agent), tmp_path / "a.parquet")
    shorter = markov(order={"shares": 2000, "lot": 100, "steps": 10},
                     strategies=[{"model": "qtable", "agent": str(tmp_path / "a.parquet")}], train={})  # fmt: skip
    with pytest.raises(InputError, match="made for 20 steps, order.steps is 10"):
        prepare(shorter)
    finer = markov(order={"shares": 2000, "lot": 50, "steps": 20},
                   strategies=[{"model": "qtable", "agent": str(tmp_path / "a.parquet")}], train={})  # fmt: skip
    with pytest.raises(InputError, match="counts lots of 100 of 2000.* lots of 50"):
        prepare(finer)


def test_a_run_trains_keeps_the_agent_and_says_what_was_captured(tmp_path):
    model = markov(episodes=4_000).model_dump()
    rounds = []
    run(Study.model_validate(model), out=tmp_path / "r", training=lambda *a: rounds.append(a))
    assert len(rounds) == 4
    assert (tmp_path / "r" / "agents" / "a.parquet").exists()
    rows = {row["strategy"]: row for row in compare(tmp_path / "r").table.to_pylist()}
    assert rows["optimum"]["captured"] == pytest.approx(1.0, abs=1e-12)
    assert rows["learned"]["captured_low"] <= rows["learned"]["captured"] <= rows["learned"]["captured_high"]
    assert rows["learned"]["captured"] > 0.97
    solved = solve_optimum(Study.model_validate(model))
    assert rows["learned"]["optimum_bps"] == pytest.approx(solved.expected_bps, rel=0.02)
    rounds.clear()
    run(
        Study.model_validate(model | {"episodes": 5_000}),
        out=tmp_path / "r",
        resume=True,
        training=lambda *a: rounds.append(a),
    )
    assert rounds == []  # the kept agent was of the same training


# ---- refusals


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": [{"name": "spread"}]}, "inventory is missing"),
        ({"features": [{"name": "inventory", "bins": 1}]}, "greater than or equal to 2"),
        ({"features": [{"name": "inventory"}, {"name": "spread", "edges": [2.0, 1.0]}]}, "edges must rise"),
        ({"features": [{"name": "inventory"}, {"name": "spread", "bins": 99}]}, "at most 32"),
        ({"features": [{"name": "inventory"}, {"name": "inventory"}]}, "named inventory"),
        ({"features": [{"name": "inventory"}, {"name": "impact"}]}, "only rule batched knows impact"),
        (
            {"features": [{"name": "inventory"}, {"name": "spread", "between": [2.0, 1.0]}]},
            "a lower and a higher number",
        ),
        ({"rounds": 0}, "greater than or equal to 1"),
        ({"discount": 1.5}, "less than or equal to 1"),
    ],
)
def test_a_bad_training_is_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        markov(train={"a": {"features": FEATURES, **changes}})


def test_what_cannot_be_trained_is_one_line():
    with pytest.raises(InputError, match="only rule batched knows transient impact"):
        train(markov(costs={**NO_MEMORY, "transient": {"coefficient": 1e-5}}), "a")
    with pytest.raises(InputError, match="no such section; there are a"):
        train(markov(), "b")
    constant = {"model": "constant", "initial": 0.001}
    with pytest.raises(InputError, match="spread: it does not vary"):
        train(markov(market={"spread": constant, "volume": VOLUME},
                     train={"a": {"features": [{"name": "inventory"}, {"name": "spread"}]}}), "a")  # fmt: skip
    huge = [{"name": "inventory", "bins": 1024}, {"name": "spread", "bins": 3}, {"name": "momentum", "bins": 32},
            {"name": "volatility", "bins": 32}]  # fmt: skip
    with pytest.raises(InputError, match=r"a table of .* cells .*give inventory fewer than 1024 bins"):
        train(markov(train={"a": {"features": huge}}), "a")
    with pytest.raises(ValidationError, match="no key 'b' of train; there are a"):
        markov(strategies=[{"model": "qtable", "train": "b"}])
    with pytest.raises(ValidationError, match="is no qtable strategy"):
        markov(strategies=[{"model": "blind_twin", "of": "twap"}, {"model": "twap"}])
    with pytest.raises(ValidationError, match="give either agent"):
        markov(strategies=[{"model": "qtable"}])


def test_the_worth_of_adapting_is_that_of_the_pairs(tmp_path):
    strategies = [{"model": "twap"}, {"model": "static_optimum"}, {"name": "learned", "model": "qtable", "train": "a"},
                  {"name": "blind", "model": "blind_twin", "of": "learned"}]  # fmt: skip
    run(Study.model_validate(markov(episodes=3_000, strategies=strategies).model_dump()), out=tmp_path / "r")
    (line,) = [note for note in compare(tmp_path / "r").notes if "what adapting is worth" in note]
    for baseline in ("static_optimum", "blind"):
        rows = {row["strategy"]: row for row in compare(tmp_path / "r", baseline=baseline).table.to_pylist()}
        learned = rows["learned"]
        saved = (
            f"{learned['saving_cv_bps']:+.3f} [{learned['ci_low_cv_bps']:+.3f}, {learned['ci_high_cv_bps']:+.3f}] bps"
        )
        assert f"{saved} against {baseline}" in line
        assert learned["ci_low_cv_bps"] > 0.0
