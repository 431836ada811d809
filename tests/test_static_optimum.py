"""``static_optimum`` is the best static schedule: against closed forms, enumeration, and all that others would play."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from conftest import StudyModel, small_study
from fastexec.analysis.adapting import worth_of_adapting
from fastexec.analysis.comparison import compare
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import cheaper_than_optimum, minimum_is_proven
from fastexec.runs.check import examine
from fastexec.runs.run import run
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from naive.schedule_cost import costs_bps
from static_schedules import MARKETS, SCHEDULES, bps, concave, objective, study_of, table


@pytest.mark.parametrize("name", list(MARKETS))
def test_no_schedule_near_it_and_no_other_is_cheaper(name):
    study = study_of(**MARKETS[name])
    found, rng = table(study), np.random.default_rng(2)
    slices = np.diff(found["static_optimum"])
    nearby = np.maximum(slices + rng.normal(0, 1, (300, slices.size)) * np.geomspace(1e-4, 0.3, 300)[:, None], 0.0)
    nearby[:, np.nonzero(expect(study)[0].traded)[0][-1] + 1 :] = 0.0  # would be left untraded
    nearby = nearby[nearby.sum(axis=1) > 0]
    trials = np.concatenate((np.zeros((nearby.shape[0], 1)), np.cumsum(nearby, axis=1)), axis=1)
    best = objective(study, found["static_optimum"])[0]
    assert (objective(study, trials / trials[:, -1:]) >= best - 1e-6 * abs(best)).all()
    assert cheaper_than_optimum(study, expect(study)[0]) == []


def test_concave_transient_impact_is_traded_in_lumps():
    """Several minima: 57.449 was found, 45.753 is what weights 3, 0, ..., 0, 2 cost."""
    study = concave()
    found = table(study)["static_optimum"]
    assert bps(study, found) < 45.753
    assert not minimum_is_proven(study)


@pytest.mark.parametrize(
    "changes",
    [
        {"costs": {"transient": {"coefficient": 0.003, "exponent": 0.4, "resilience": 0.3}}},
        {"costs": {"transient": {"coefficient": 0.02, "exponent": 0.3, "resilience": 0.02}},
         "market": {"volume": {"curve": [3, 1, 3]}}},
        {"costs": {"permanent": {"coefficient": 2e-5, "own": 0.0}, "temporary": {"coefficient": 0.01}}},
    ],
)  # fmt: skip
def test_it_is_no_dearer_than_any_few_lumps(changes):
    """Every schedule of tenths of the order in at most three of ten steps."""
    study = concave(**({"order": {"shares": 50_000, "steps": 10, "lot": 1}} | changes))
    lumps = []
    for at in combinations(range(10), 3):
        for a, b in product(range(11), range(11)):
            if a + b <= 10:
                slices = np.zeros(10)
                slices[list(at)] = a / 10, b / 10, (10 - a - b) / 10
                lumps.append(np.concatenate(([0.0], np.cumsum(slices))))
    best = objective(study, table(study)["static_optimum"])[0]
    assert best <= objective(study, np.array(lumps)).min() + 1e-9


@pytest.mark.parametrize(("amplitude", "steps"), [(1.0, 61), (1.0, 7), (-1.0, 12), (-1.0, 3)])
def test_nobody_plans_to_trade_in_a_step_without_volume(amplitude, steps):
    """Seen: static_optimum 3.718 bps, VWAP 2.438, and a RuntimeWarning (which is an error here)."""
    study = study_of(
        order={"shares": 10_000, "steps": steps},
        market={"volume": {"model": "cosine", "amplitude": amplitude}},
        strategies=SCHEDULES[:4],
    )
    found, volume = table(study), expect(study)[0].volume
    assert (np.diff(found["static_optimum"])[volume < 1e-6] == 0.0).all()
    assert bps(study, found["static_optimum"]) <= bps(study, found["vwap"]) + 1e-9
    assert (np.diff(found["vwap"])[volume < 1e-6] < 1e-9).all()


def test_floors_count():
    """A floor of 80 % of the mean volume: 19.376 was played where 17.926 is right."""
    volume = {"mean": 10_000.0, "volatility": 0.2, "persistence": 0.0, "day_volatility": 0.0, "floor": 8_000.0,
              "curve": [0.1, 0.4, 1.0, 2.5]}  # fmt: skip
    study = study_of(
        order={"shares": 100_000, "steps": 30, "lot": 1},
        market={"spread": {"model": "constant", "initial": 0.0004}, "volume": volume},
        costs={"temporary": {"coefficient": 0.0035, "exponent": 0.6}},
        strategies=[{"model": "static_optimum"}],
    )
    cost = costs_bps(study.model_dump(), table(study)["static_optimum"], 20_000, 3)
    assert abs(cost.mean() - 17.926) < 4 * cost.std() / np.sqrt(20_000) + 0.001
    assert minimum_is_proven(study)


@pytest.mark.parametrize(
    "changes",
    [
        {"order": {"shares": 60_000, "steps": 8, "side": "buy"},
         "market": {"volume": {"volatility": 0.8, "floor": 9000.0, "curve": [3.0, 0.3]}}},
        {"order": {"shares": 40_000, "steps": 12},
         "market": {"volume": {"model": "cosine", "amplitude": -0.9, "noise": 2000.0, "floor": 7000.0}}},
        {"order": {"shares": {"low": 20_000, "high": 80_000}, "steps": 10, "lot": 1},
         "market": {"volume": {"floor": {"low": 4000.0, "high": 12_000.0}, "curve": [0.1, 1.0, 2.0]}}},
    ],
)  # fmt: skip
def test_floors_count_elsewhere_too(changes):
    """By the naive program, on the same draws: what the floor's knowledge saves against the same study without one."""
    base = {
        "costs": {"temporary": {"coefficient": 0.004, "exponent": 0.6}},
        "strategies": [{"model": "static_optimum"}],
    }
    study = study_of(**base, **changes)
    volume = changes["market"]["volume"]
    blind = study_of(**base, **changes | {"market": {"volume": {**volume, "floor": 1.0}}})
    cost, other = (costs_bps(study.model_dump(), table(s)["static_optimum"], 20_000, 3) for s in (study, blind))
    saved = other - cost
    assert saved.mean() > 5.0 * saved.std() / np.sqrt(20_000)
    assert saved.mean() > 0.02


@pytest.mark.parametrize(("lot", "shares", "steps"), [(100, 700, 10), (100, 300, 5), (1000, 9000, 4)])
@pytest.mark.parametrize("risk_aversion", [0.0, 1e-4])
def test_coarse_lots_are_settled_exactly(lot, shares, steps, risk_aversion):
    """Against every way to spread the lots over the steps."""
    study = study_of(
        order={"shares": shares, "steps": steps, "lot": lot},
        market={"volume": {"mean": 500, "curve": [1, 4, 2]}, "price": {"volatility": 0.002}},
        strategies=[{"model": "static_optimum", "risk_aversion": risk_aversion}],
    )
    lots = shares // lot
    ways = [np.array(w) for w in combinations(range(lots + steps - 1), steps - 1)]
    bars = np.array([np.concatenate((w - np.arange(steps - 1), [lots])) for w in ways])
    every = np.concatenate((np.zeros((len(ways), 1)), bars), axis=1) / lots
    best = objective(study, table(study)["static_optimum"], risk_aversion)[0]
    assert best == pytest.approx(objective(study, every, risk_aversion).min(), rel=1e-9)


DRIFTS = [0.0, 1e-4, {"low": -1e-4, "high": 3e-4}]
RANGE = st.sampled_from([0.5, {"low": 0.2, "high": 0.9}])


@st.composite
def random_studies(draw) -> StudyModel:
    steps = draw(st.integers(1, 12))
    volume = draw(
        st.sampled_from(
            [
                {"model": "lognormal", "mean": 1000.0, "curve": [1, 3], "floor": 400.0,
                 "volatility": {"low": 0.2, "high": 0.9}},
                {"model": "cosine", "mean": 900.0, "amplitude": 1.0, "noise": 0.0},
                {"model": "cosine", "mean": 900.0, "amplitude": -0.7, "noise": 500.0},
                {"model": "markov", "levels": [0, 900], "transition": [[0.5, 0.5], [0.2, 0.8]]},
                {"model": "constant", "mean": {"low": 300, "high": 3000, "scale": "log"}},
            ]
        )
    )  # fmt: skip
    spread = draw(
        st.sampled_from(
            [
                {"model": "mean_reverting", "mean": 0.0005, "floor": 0.0006, "diurnal": [2, 1]},
                {"model": "random_walk", "initial": 0.0003, "volatility": 0.0003},
                {"model": "constant", "initial": {"low": 0.0, "high": 0.001}},
            ]
        )
    )
    temporary = draw(
        st.sampled_from(
            [
                {"model": "power", "coefficient": 0.004, "exponent": 0.6},
                {"model": "power", "coefficient": 0.004, "exponent": {"low": 0.3, "high": 1.0}},
                {"model": "linear", "fixed": 0.01, "coefficient": 1e-5},
                {"model": "power", "coefficient": 0.0},
            ]
        )
    )  # fmt: skip
    lot, lots = draw(st.sampled_from([0, 1, 100])), draw(st.integers(1, 40))
    risk = draw(st.sampled_from([0.0, 1e-5, 1e-3]))
    return StudyModel.model_validate(
        {
            "order": {"shares": max(lot, 1) * lots * (1 if lot == 100 else 50), "steps": max(steps, 2), "lot": lot,
                      "side": draw(st.sampled_from(["buy", "sell"]))},
            "market": {"price": {"volatility": 0.001, "drift": draw(st.sampled_from(DRIFTS))},
                       "spread": spread, "volume": volume},
            "costs": {"temporary": temporary,
                      "permanent": {"coefficient": draw(st.sampled_from([0.0, 1e-5])), "own": draw(RANGE)},
                      "transient": {"coefficient": draw(st.sampled_from([0.0, 1e-4])),
                                    "exponent": draw(st.sampled_from([0.5, 1.0, 1.3])), "resilience": draw(RANGE)}},
            "strategies": [{"model": "twap"}, {"model": "vwap"}, {"model": "immediate"}, {"model": "obizhaeva_wang"},
                           {"model": "schedule", "weights": [3] + [0] * (max(steps, 2) - 2) + [2]},
                           {"model": "static_optimum", "risk_aversion": risk}],
        }
    )  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(random_studies())
def test_in_its_own_objective_it_is_never_dearer_than_a_schedule_of_the_study(study):
    assert cheaper_than_optimum(study, expect(study)[0]) == []


def test_other_strategies_of_the_study_change_nothing():
    lonely = concave(strategies=[{"model": "static_optimum"}])
    np.testing.assert_array_equal(table(lonely)["static_optimum"], table(concave())["static_optimum"])


def test_check_says_which_it_is():
    found = {True: dict(examine(Study.model_validate(small_study().model_dump() | {"strategies": [
        {"model": "twap"}, {"model": "static_optimum"}]})).known), False: dict(
        examine(Study.model_validate(concave().model_dump())).known)}  # fmt: skip
    assert found[True]["static optimum"] == "the best static schedule"
    assert found[False]["static optimum"].startswith("the best static schedule found (costs not convex")


def test_negative_risk_aversion_is_refused_in_words():
    for model in ("static_optimum", "almgren_chriss"):
        with pytest.raises(ValueError, match="greater than or equal to 0"):
            study_of(strategies=[{"model": model, "risk_aversion": -1e-6}])


def test_all_are_prepared_without_a_warning():
    for changes in MARKETS.values():
        prepare(study_of(**changes))


def test_an_agent_that_sees_only_what_is_left_is_worth_nothing_by_adapting(tmp_path):
    """It was credited with 1.345 bps against a schedule that knew nothing of the volume's floor."""
    volume = {"mean": 10_000.0, "volatility": 0.2, "persistence": 0.0, "day_volatility": 0.0, "floor": 8_000.0,
              "curve": [0.1, 0.4, 1.0, 2.5]}  # fmt: skip
    learned = {"rounds": 2, "batch": 4096, "features": [{"name": "inventory", "bins": 31}],
               "actions": {"set": "multiples", "levels": [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]}}  # fmt: skip
    study = {
        "episodes": 8_000,
        "order": {"shares": 40_000, "steps": 12},
        "market": {"price": {"volatility": 0.0004}, "spread": {"model": "constant", "initial": 0.0004}, "volume": volume},
        "costs": {"temporary": {"coefficient": 0.0035, "exponent": 0.6}},
        "strategies": [{"model": "twap"}, {"model": "static_optimum"}, {"name": "agent", "model": "qtable", "train": "a"},
                       {"name": "blind", "model": "blind_twin", "of": "agent"}],
        "train": {"a": learned},
    }  # fmt: skip
    run(Study.from_dict(study), out=tmp_path / "r")
    found = compare(tmp_path / "r", baseline="static_optimum")
    (agent,) = [row for row in found.table.to_pylist() if row["strategy"] == "agent"]
    assert agent["ci_low_cv_bps"] <= 0.0
    (line,) = [note for note in found.notes if "what adapting is worth" in note]
    assert line.startswith("agent, what adapting is worth: -")
    assert "against static_optimum, the best static schedule; a control, its own mean schedule played blind: " in line


def test_what_adapting_is_worth_is_not_measured_against_the_blind_twin_alone():
    strategies = [{"model": "static_optimum", "risk_aversion": 1e-6}, {"model": "static_optimum", "name": "best"},
                  {"name": "a", "model": "qtable", "train": "t"}, {"name": "b", "model": "blind_twin", "of": "a"}]  # fmt: skip
    study = concave(strategies=strategies, train={"t": {}})
    words = worth_of_adapting(study, "a", lambda other: f"[{other}]")
    assert (
        words
        == "[best] against best, the best static schedule found; a control, its own mean schedule played blind: [b] against b"
    )
    alone = study.changed({"strategies": [s.model_dump() for s in study.strategies if s.name != "best"]})
    assert worth_of_adapting(alone, "a", lambda other: f"[{other}]").startswith(
        "not measured, for want of a static_optimum"
    )
