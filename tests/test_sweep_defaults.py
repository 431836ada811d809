"""Defaults that depend on another key, where that key is swept or set later: each scenario has its own, as if it were alone."""

from __future__ import annotations

import pytest

from conftest import SMALL
from fastexec.studies.study import Study
from real_days import some_days, write

AGENT = {"name": "agent", "model": "qtable", "train": "m"}
RULES = ["backward", "batched", "online", "double"]
ROUNDS = {"backward": (8, 0.3, 0.05), "batched": (64, 0.5, 0.2), "online": (8, 0.3, 0.05), "double": (16, 0.6, 0.2)}


def trained(rule="backward", **more):
    return {**SMALL, "strategies": [{"model": "twap"}, AGENT], "train": {"m": {"rule": rule, **more}}}


def told(study):
    training = study.train["m"]
    return training.rounds, training.epsilon, training.epsilon_last


@pytest.mark.parametrize("base", RULES)
def test_each_scenario_takes_its_own_rules_rounds(base):
    """Seen: every rule took those of the study that is swept."""
    study = Study.from_dict(trained(base) | {"sweep": {"train.m.rule": RULES}})
    again = Study.from_toml(study.to_toml())
    assert again == study
    assert again.identity() == study.identity()
    for each in (study, again):  # a run that is resumed reads what was written
        for scenario in each.scenarios():
            rule = scenario.values["train.m.rule"]
            assert told(scenario.study) == ROUNDS[rule]
            assert scenario.study == Study.from_dict(trained(rule))
            assert scenario.study.identity() == Study.from_dict(trained(rule)).identity()


def test_what_was_set_or_swept_beside_it_stands():
    study = Study.from_dict(
        trained("batched", rounds=3) | {"sweep": {"train.m.rule": RULES, "train.m.epsilon": [0.1, 0.7]}}
    )
    for each in (study, Study.from_toml(study.to_toml())):
        for scenario in each.scenarios():
            last = ROUNDS[scenario.values["train.m.rule"]][2]
            assert told(scenario.study) == (3, scenario.values["train.m.epsilon"], last)
    tied = [{"name": f"r{rounds}", "train.m.rule": "double", "train.m.rounds": rounds} for rounds in (2, 5)]
    study = Study.from_dict(trained() | {"sweep": {"list": tied}})
    assert [told(scenario.study)[0] for scenario in study.scenarios()] == [2, 5]


def test_a_rule_that_is_set_later_brings_its_own_rounds():
    study = Study.from_dict(trained()).with_overrides(["train.m.rule=batched"])
    assert told(study) == ROUNDS["batched"]
    kept = Study.from_dict(trained(rounds=5)).with_overrides(["train.m.rule=batched"])
    assert told(kept) == (5, *ROUNDS["batched"][1:])
    assert told(Study.from_dict(trained("double")).with_overrides(["order.steps=12"])) == ROUNDS["double"]


def test_a_model_that_is_swept_brings_its_own_keys():
    """Seen: the other models' keys, which nobody had written, were refused by name."""
    models = ["constant", "random_walk", "mean_reverting"]
    study = Study.from_dict({**SMALL, "market": {}, "sweep": {"market.spread.model": models}})
    for each in (study, Study.from_toml(study.to_toml())):
        for scenario in each.scenarios():
            alone = Study.from_dict({**SMALL, "market": {"spread": {"model": scenario.values["market.spread.model"]}}})
            assert scenario.study == alone


def test_a_market_that_is_set_later_brings_its_own_number_of_episodes(tmp_path):
    """Seen: a replay took the 10,000 of a bootstrap, though nobody had asked for any."""
    bars = {"bars": str(write(some_days(1, [25] * 3), tmp_path / "b.parquet")), "symbol": "S"}
    base = {"order": {"shares": 600, "steps": 6}, "strategies": [{"model": "twap"}]}
    for first in ("replay", "bootstrap"):
        study = Study.from_dict(base | {"market": {"model": first, **bars}})
        for model, episodes in (("replay", None), ("bootstrap", 10_000)):
            assert study.with_overrides([f"market.model={model}"]).episodes == episodes
            assert study.with_overrides([f"market.model={model}", "episodes=3"]).episodes == 3
            assert study.changed({"market": {"model": model, **bars}}).episodes == episodes
    asked = Study.from_dict(base | {"episodes": 3})
    assert asked.changed({"market": {"model": "replay", **bars}}).episodes == 3
