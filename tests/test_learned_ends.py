"""What the learners are charged for a rest that is valued at the end: what the walk charges, and the exact programme."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.learning.features import cuts_of
from fastexec.learning.online import expected_table
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.training import train
from markets import LOTS, markov

MULTIPLES = {"set": "multiples", "levels": [0.0, 0.5, 1.0, 2.0]}
STILL = {"spread": {"model": "constant", "initial": 0.0006}, "volume": {"model": "constant", "mean": 1000.0}}


def marked(price, **changes):
    return markov(**changes).changed(
        {"order": {"shares": 2000, "lot": 100, "steps": 6, "at_horizon": "mark", "mark_price": price}}
    )


@pytest.mark.parametrize("price", ["trade", "quote"])
@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_where_nothing_moves_the_start_is_the_exact_programme(price, exponent):
    """Constant spread and volume: rules online and double begin with the costs to go of the optimum, the end's included."""
    study = marked(price, market=STILL, costs={"temporary": {"coefficient": 0.002, "exponent": exponent}})
    study = study.changed(
        {"train": {"a": {"rule": "online", "features": [{"name": "inventory", "bins": 21}], "actions": LOTS}}}
    )
    training = study.train["a"]
    found = expected_table(study, training, cuts_of(study, training, "a"))
    exact = solve_optimum(study, training.actions).q
    np.testing.assert_allclose(found, exact[:, :, 0], rtol=1e-9, atol=1e-9)
    beginning, least = found[0, -1], exact[0, -1, 0].min()
    assert 0.0 < beginning.min() == pytest.approx(least)


@pytest.mark.parametrize("price", ["trade", "quote"])
@pytest.mark.parametrize("rule", ["backward", "online", "double"])
def test_a_table_promises_what_fresh_episodes_cost(price, rule):
    """With the rest valued at the end: by factors in training, by the walk in the episodes."""
    training = {"rule": rule, "features": [{"name": "inventory", "bins": 21}, {"name": "spread", "edges": [0.0004, 0.001]},
                {"name": "volume", "edges": [600.0, 2500.0]}], "actions": MULTIPLES, "batch": 32_768, "rounds": 4}  # fmt: skip
    agent = train(marked(price, train={"a": training}), "a")
    row, (cost, error) = agent.curve[agent.kept], agent.fresh
    assert row["completion"] < 0.9  # something is left
    assert row["training_bps"] == pytest.approx(cost, abs=5.0 * error + 0.03 * cost * (rule != "backward"))
    known = agent.learned.tries > 100
    assert (agent.learned.second - agent.learned.q**2)[known].min() > -1e-6
