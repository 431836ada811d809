"""Learners learn with their defaults, keep the best of their tables, and say where they do not know."""

from __future__ import annotations

import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from fastexec.analysis.agents import in_words
from fastexec.analysis.cautions import cautions
from fastexec.errors import InputError
from fastexec.kernels.philox import VALIDATION
from fastexec.learning.agent import agent_table
from fastexec.learning.rollout import play
from fastexec.learning.tables import start_policy
from fastexec.learning.training import train
from fastexec.models.actions import Actions
from fastexec.models.order import Order
from fastexec.planning.expectation import expect
from fastexec.planning.policies import slices_of
from fastexec.planning.static_cost import schedule_cost
from fastexec.runs.check import examine
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.statistics.unseen import unseen_notes
from fastexec.studies.study import Study

MULTIPLES = {"set": "multiples", "levels": [0.0, 0.5, 1.0, 2.0, 3.0]}
TRANSIENT = {"temporary": {"coefficient": 0.0005}, "transient": {"coefficient": 2e-5, "resilience": 0.3}}


def study(rule="backward", steps=8, features=("spread",), order=None, market=None, costs=None, **training):
    features = [{"name": "inventory", "bins": steps + 1}, *({"name": name, "bins": 4} for name in features)]
    return Study.from_dict(
        {
            "name": "learners",
            "seed": 5,
            "episodes": 4_000,
            "order": {"shares": 8_000, "steps": steps, **(order or {})},
            "market": {"spread": {"mean": 0.001, "volatility": 0.8}, "volume": {"mean": 10_000.0}, **(market or {})},
            "costs": costs or {"temporary": {"coefficient": 0.001}},
            "strategies": [
                {"model": "twap"},
                {"model": "static_optimum"},
                {"name": "agent", "model": "qtable", "train": "m"},
            ],
            "train": {"m": {"rule": rule, "actions": MULTIPLES, "features": features, **training}},
        }
    )


def saved(agent):
    """By how much the kept table costs less than the start in validation."""
    return agent.curve[0]["validation_bps"] - agent.curve[agent.kept]["validation_bps"]


@pytest.mark.parametrize(
    "changes",
    [{}, {"steps": 5, "order": {"side": "buy"}}, {"order": {"at_horizon": "mark", "mark_penalty": 0.02}},
     {"market": {"spread": {"model": "markov", "levels": [0.0003, 0.002], "transition": [[0.7, 0.3], [0.5, 0.5]]}}}],
    ids=["def", "buys in 5 steps", "marked", "Markov spread"],
)  # fmt: skip
def test_every_rule_learns_by_its_defaults(changes):
    """An eighth of the default's episodes, on a problem an eighth as large: each saves most of what rule backward does."""
    features = {
        "features": [{"name": "inventory", "bins": changes.get("steps", 8) + 1}, {"name": "spread", "edges": [0.001]}]
    }
    best = saved(
        train(study(**changes).changed({"train": {"m": {"rule": "backward", "actions": MULTIPLES, **features}}}), "m")
    )
    assert best > 0.05
    for rule in ("batched", "online", "double"):
        section = {"rule": rule, "actions": MULTIPLES, "batch": 8_192, **features}
        assert saved(train(study(**changes).changed({"train": {"m": section}}), "m")) > 0.8 * best, rule


def test_defaults_are_the_rules_own():
    rounds = {rule: study(rule).train["m"].rounds for rule in ("backward", "online", "double", "batched")}
    assert rounds == {"backward": 8, "online": 8, "double": 16, "batched": 64}
    assert study("batched", rounds=3, epsilon=0.9).train["m"].rounds == 3
    assert study("batched", epsilon=0.9).train["m"].epsilon_last == 0.2


@pytest.mark.parametrize("rule", ["backward", "batched", "online", "double"])
def test_the_best_validated_table_is_kept(rule):
    model = study(rule, rounds=5, batch=512, rate="constant", learning_rate=1.0, epsilon=1.0, epsilon_last=1.0)
    agent = train(model, "m")
    costs = [row["validation_bps"] for row in agent.curve]
    assert agent.kept == int(np.argmin(costs))
    assert play(model, agent.policy, VALIDATION, 8_192).cost == costs[agent.kept]
    again = play(model, agent.policy, VALIDATION, 8_192, 8_192)
    assert (again.cost, again.error) == agent.fresh


def test_a_start_that_nothing_beats_is_kept_and_said():
    agent = train(study("online", rounds=2, batch=1, rate="constant", learning_rate=1.0, epsilon=1.0), "m")
    agent = (
        agent
        if agent.kept == 0
        else train(study("online", rounds=1, batch=40, rate="constant", learning_rate=1.0), "m")
    )
    assert agent.kept == 0
    assert agent.visits.sum() > 0  # what the rounds saw is known
    assert any("none of its" in line and "start" in line for line in in_words(agent))


def test_show_says_where_training_and_validation_differ():
    hopeful = train(study("batched", rounds=2, batch=4_096, features=("spread", "volume")), "m")
    row = hopeful.curve[hopeful.kept]
    promised = hopeful.curve[-1]["training_bps"] if row["training_bps"] is None else row["training_bps"]
    said = [line for line in in_words(hopeful) if line.startswith("training and validation differ")]
    differs = row["training_bps"] is not None and abs(hopeful.fresh[0] - promised) > 3.0 * hopeful.fresh[1]
    assert bool(said) == differs
    told = [line for line in in_words(hopeful) if line.startswith("cost without the moves")]
    assert f"{hopeful.fresh[0]:.3f} on fresh episodes" in told[0]


def test_risk_counts_where_tables_are_chosen():
    """Of two tables the one that trades early is dearer without the moves and is kept all the same."""
    agent = train(study("backward", risk_aversion=1e-4, rounds=2, batch=4_096), "m")
    done = agent.schedule[1]
    assert done > 1.3 / 8
    row = agent.curve[agent.kept]
    assert row["validation_bps"] == min(r["validation_bps"] for r in agent.curve)
    without = play(study("backward", risk_aversion=1e-4), agent.policy, VALIDATION, 8_192).cost
    assert row["validation_bps"] > without + 0.1


# ---- patience


@pytest.mark.parametrize(
    ("rule", "changes"),
    [("online", {}), ("online", {"learning_rate": 1e-6, "rate": "constant"}), ("double", {"batch": 4}),
     ("batched", {"batch": 8})],
)  # fmt: skip
def test_a_tie_of_untrained_rounds_stops_nothing(rule, changes):
    """Rounds that play exactly as the start does have learned nothing yet."""
    tried = {"rounds": 12, "batch": 2, "patience": 3, "epsilon": 1.0, "epsilon_last": 1.0, **changes}
    agent = train(study(rule, **tried), "m")
    costs = [row["validation_bps"] for row in agent.curve]
    untrained = next((n for n, cost in enumerate(costs[1:]) if cost != costs[0]), len(costs) - 1)
    assert len(agent.curve) == 13 or len(agent.curve) - 1 > untrained + 3


# ---- starting from the best static schedule


@pytest.mark.parametrize(
    "changes",
    [{}, {"order": {"side": "buy", "lot": 100}}, {"costs": {**TRANSIENT, "transient": {"coefficient": 1e-4, "exponent": 0.5}}},
     {"steps": 5, "order": {"at_horizon": "mark", "mark_penalty": 0.05}}],
)  # fmt: skip
def test_under_transient_impact_it_loses_to_no_schedule_that_it_could_play(changes):
    actions = {"set": "fractions", "levels": [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0]}
    model = study(
        "batched", **({"costs": TRANSIENT} | changes), features=("impact",), actions=actions, rounds=6, batch=4_096
    )
    agent = train(model, "m")
    assert saved(agent) >= 0.0
    episodes = simulate(model).episodes
    costs = (episodes["shortfall_bps"] - episodes["timing_bps"]).reshape(-1, 3).mean(axis=0)
    assert costs[2] < costs[1] + 0.2  # the fractions cannot quite play the best one


def test_the_start_plays_the_static_optimum_where_it_can():
    model = study("batched", costs=TRANSIENT, actions={"set": "lots", "levels": list(range(31))}, order={"lot": 100})
    cuts = train(model.changed({"train": {"m": {**model.train["m"].model_dump(), "rounds": 1, "batch": 64}}}), "m").cuts
    table, left, done = start_policy(model, model.train["m"], cuts), 1.0, [0.0]
    slices = slices_of(model, model.train["m"].actions, 81, 8_000.0)
    for t in range(8):
        action = table[t].reshape(9, -1)[int(np.floor(left * 8 + 0.5)), 0]
        left -= min(slices[80, action], left) if t < 7 else left
        done.append(1.0 - left)
    cost = schedule_cost(model, expect(model)[0], 0.0)
    runs = prepare(model).arrays[1].fractions
    assert cost.of(np.array([done]))[0] <= cost.of(runs[1])[0] * (1.0 + 2e-3)


# ---- all that is left


@pytest.mark.parametrize(
    ("actions", "more"),
    [({"set": "fractions", "levels": (0.1, 0.5)}, 1.0), ({"set": "fractions", "levels": (0.0, 1.0)}, None),
     ({"set": "multiples", "levels": (0.0, 1.0)}, np.inf), ({"set": "multiples", "levels": (0.0, 8.0)}, None),
     ({"set": "lots", "levels": (0.0, 79.0)}, np.inf), ({"set": "lots", "levels": (0.0, 80.0)}, None)],
)  # fmt: skip
def test_action_sets_end_with_all_that_is_left(actions, more):
    found, order = Actions(**actions), Order(shares=8_000.0, steps=8, lot=100.0)
    assert found.levels_for(order) == (*found.levels, *(() if more is None else (more,)))


@pytest.mark.parametrize("name", ["fractions", "multiples", "lots"])
def test_an_agent_that_can_only_wait_takes_all_at_once_and_random_does_not(name):
    """At the horizon the rest is marked at a penalty, so an agent finishes by itself, with the action it was not given."""
    actions = {"set": name, "levels": [0.0, 0.01 if name == "fractions" else 0.1 if name == "multiples" else 1.0]}
    model = study(
        actions=actions, rounds=1, batch=4_096, steps=4, order={"at_horizon": "mark", "mark_penalty": 5.0, "lot": 100}
    )
    agent = train(model, "m")
    assert agent.q.shape[2] == len(agent.levels) == 3
    strategies = [
        {"name": "agent", "model": "qtable", "train": "m"},
        {"name": "r", "model": "random", "actions": actions},
    ]
    done = simulate(model.changed({"strategies": strategies})).episodes["completion"].reshape(-1, 2).mean(axis=0)
    assert done[0] > 0.999
    assert done[1] < 0.2


def test_all_that_is_left_counts_among_the_32():
    with pytest.raises(InputError, match="more than 32; give 31"):
        study(actions={"set": "multiples", "levels": [0.01 * j for j in range(32)]})
    assert study(actions={"set": "multiples", "levels": [8.0, *(0.01 * j for j in range(31))]})


# ---- what training did not see


@pytest.mark.parametrize(
    ("market", "low", "high"),
    [({}, 0.0, 0.01), ({"spread": {"mean": 0.01, "volatility": 0.8}}, 0.05, 1.0), ({"volume": {"mean": 500.0}}, 0.1, 1.0),
     ({"spread": {"mean": 0.00001, "volatility": 0.1}}, 0.02, 1.0)],
    ids=["as trained", "wide", "thin", "tight"],
)  # fmt: skip
def test_what_lies_outside_is_counted_and_said(market, low, high, tmp_path):
    trained = study(features=("spread", "volume"), rounds=2, batch=16_384)
    pq.write_table(agent_table(train(trained, "m")), tmp_path / "a.parquet")
    model = study(market={**{"spread": {"mean": 0.001, "volatility": 0.8}, "volume": {"mean": 10_000.0}}, **market})
    agent = {"name": "agent", "model": "qtable", "agent": str(tmp_path / "a.parquet")}
    model = model.changed({"strategies": [{"model": "twap"}, agent], "train": {}})
    result = run(model, out=tmp_path / "r", chunk=1_024)
    share = result.summary["unseen"].to_pylist()
    assert share[0] is None
    assert low <= share[1] <= high
    rows = simulate(model).episodes
    met, unseen = (rows[f"states_{name}"].reshape(-1, 2)[:, 1].sum() for name in ("met", "unseen"))
    assert share[1] == unseen / met
    said = f"agent: {100 * share[1]:.1f} % of the states that it met lie outside"
    for notes in (cautions([model], [result.summary]), unseen_notes([("agent", share[1])])):
        assert [note for note in notes if said in note] == (notes[:0] if share[1] <= 0.01 else
               [note for note in notes if "outside what its training saw" in note])  # fmt: skip
    warned = any("outside what its training saw" in line for line in examine(model).warnings)
    assert warned == (share[1] > 0.01)


def test_a_study_without_agents_has_no_such_columns():
    model = study().changed({"strategies": [{"model": "twap"}], "train": {}})
    assert not [name for name in simulate(model).episodes if re.match("states_", name)]
