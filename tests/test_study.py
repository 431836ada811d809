"""Study files: defaults, round trip, identity, overrides, presets, expectations of ranges, `check`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from conftest import SMALL, data_file
from fastexec.errors import InputError
from fastexec.models.scalar import Range, bounds, expected
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from fastexec.studies.catalogue import presets
from fastexec.studies.study import Study
from fastexec.studies.study_schema import schema_text

MINIMAL = '[[strategies]]\nmodel = "twap"\n'


def test_a_strategy_is_enough_for_a_study():
    study = Study.from_toml(MINIMAL)
    assert study.episodes == 10_000
    assert study.strategies[0].name == "twap"
    assert simulate(study, episodes=10).episodes["filled_shares"].tolist() == [10_000.0] * 10


@pytest.mark.parametrize("name", [name for name, _ in presets()])
def test_presets_load_run_and_round_trip(name):
    study = Study.preset(name)
    again = Study.from_toml(study.to_toml())
    assert again == study
    assert again.identity() == study.identity()
    assert study.name == name
    brief = study.with_overrides([f"train.{one}.{key}" for one in study.train for key in ("rounds=1", "batch=4096")])
    results = simulate(brief if name != "mini_project" else study, episodes=200)
    cost = "program_cost" if study.costs.rule == "per_step" else "shortfall_bps"
    assert np.isfinite(results.episodes[cost]).all()


def test_large_cap_costs_what_the_square_root_law_says():
    """14 bp at 2 % of daily volume and the square-root law: near 9 bp for 5 % of an hour, within a third."""
    results = simulate(Study.preset("large_cap"), episodes=20_000)
    c = results.episodes["shortfall_bps"] - results.episodes["timing_bps"]
    assert 6.0 < c.reshape(-1, 6)[:, 0].mean() < 12.0
    share = results.markets["order_shares"].mean() / results.markets["market_volume"].mean()
    assert share == pytest.approx(0.05, rel=0.02)


def test_identity_ignores_episodes_and_output_and_nothing_else():
    study = Study.from_dict(SMALL)
    same = study.with_overrides(["episodes=7", "output.steps=3", 'output.rows="none"'])
    assert same.identity() == study.identity()
    for change in (
        "seed=6",
        "order.shares=1201",
        "costs.fees.per_share=0.003",
        'name="other"',
        "strategies.pov10.rate=0.11",
    ):
        assert study.with_overrides([change]).identity() != study.identity()


numbers = st.floats(1e-4, 0.5)
ranged = st.one_of(numbers, st.tuples(numbers, numbers, st.sampled_from(["linear", "log"])).filter(lambda t: t[0] < t[1]).map(
    lambda t: {"low": t[0], "high": t[1], "scale": t[2]}))  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(ranged, ranged, st.integers(0, 2**64 - 1), st.lists(numbers, max_size=4))
def test_round_trip_through_toml(volatility, coefficient, seed, curve):
    market = {**SMALL["market"], "price": {"volatility": volatility, "diurnal": curve}}
    study = Study.from_dict(
        {**SMALL, "seed": seed, "market": market, "costs": {"temporary": {"coefficient": coefficient}}}
    )
    assert Study.from_toml(study.to_toml()) == study


def test_expected_value_of_a_range():
    assert expected(3.0) == 3.0
    assert expected(Range(low=1.0, high=3.0)) == 2.0
    assert expected(Range(low=1.0, high=np.e, scale="log")) == pytest.approx(np.e - 1)
    assert bounds(Range(low=1.0, high=3.0)) == (1.0, 3.0)


def test_schedules_use_the_law_of_the_parameters_not_drawn_ones():
    ranged_ = Study.from_dict({**SMALL, "order": {"shares": {"low": 600, "high": 1800}, "steps": 12, "lot": 0}})
    fixed = Study.from_dict({**SMALL, "order": {"shares": 1200, "steps": 12, "lot": 0}})
    a, b = (prepare(s).arrays[1].fractions for s in (ranged_, fixed))
    names = [strategy.model for strategy in fixed.strategies]
    for k, model in enumerate(names):
        if model == "static_optimum":  # the mean of a cost is not the cost of the mean: a mixture
            assert 1e-5 < np.abs(a[k] - b[k]).max() < 1e-2
        else:
            np.testing.assert_array_equal(a[k], b[k])


def test_schema_lists_every_key_of_every_model():
    text = schema_text()
    for key in ("volatility", "reversion", "persistence", "day_volatility", "curve_days", "mark_penalty_slope", "weights",
                "risk_aversion", "resilience", "per_share", "levels", "at_horizon", "rows"):  # fmt: skip
        assert f"\n{key} = " in text
    for model in ("geometric", "random_walk", "cosine", "replay", "linear", "obizhaeva_wang", "random"):
        assert f'model = "{model}"' in text


def test_check_names_a_round_trip_that_pays_and_what_flatters():
    costs = {"temporary": {"coefficient": 0.0}, "transient": {"coefficient": 0.01, "exponent": 0.5, "resilience": 0.1}}
    order = {"shares": 1200, "steps": 12, "at_horizon": "leave"}
    found = examine(Study.from_dict({**SMALL, "order": order, "costs": costs, "strategies": [{"model": "twap"}]}))
    text = " ".join(found.warnings)
    assert "the impact model pays for a round trip" in text
    assert "at_horizon = leave" in text
    assert dict(found.costs)["episodes"].startswith("600 of 12 steps")


def test_check_says_which_linear_cost_stands_in_for_a_power_law():
    facts = dict(examine(Study.from_dict(SMALL)).known)
    assert "equals the study's power law at the TWAP rate" in facts["almgren_chriss"]
    assert "twap" in facts["control variate"]
    assert examine(Study.preset("almgren_chriss_2000")).warnings == []


def test_check_warns_where_curve_and_replayed_days_overlap():
    bars = str(data_file("us_bars_1min.parquet"))
    base = {"order": {"shares": 1000, "steps": 60}, "strategies": [{"model": "vwap"}]}
    market = {"model": "replay", "bars": bars, "symbol": "IBM"}
    apart = Study.from_dict({**base, "market": {**market, "days": [20131004], "curve_days": [20131007, 20131008]}})
    assert not any("overlap" in w for w in examine(apart).warnings)
    overlapping = Study.from_dict(
        {**base, "market": {**market, "days": [20131004], "curve_days": [20131004, 20131008]}}
    )
    assert any("overlap" in w for w in examine(overlapping).warnings)


def test_steps_of_another_length_than_the_bars_are_refused():
    bars = str(data_file("us_bars_1min.parquet"))
    study = Study.from_dict({"order": {"steps": 60, "step_seconds": 30.0}, "strategies": [{"model": "twap"}],
                             "market": {"model": "replay", "bars": bars, "symbol": "IBM"}})  # fmt: skip
    with pytest.raises(InputError, match="a bar of .* lasts 60 s"):
        prepare(study)


def test_bars_are_looked_for_beside_the_study_file(tmp_path):
    bars = data_file("us_bars_1min.parquet")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bars.parquet").symlink_to(bars)
    text = '[market]\nmodel = "replay"\nbars = "data/bars.parquet"\nsymbol = "IBM"\n' + MINIMAL
    (tmp_path / "study.toml").write_text(text)
    assert prepare(Study.load(tmp_path / "study.toml")).episodes == 30
    with pytest.raises(InputError, match=r"data/bars.parquet"):
        prepare(Study.from_toml(text))
