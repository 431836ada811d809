"""Sweeps: what [sweep] means, how scenarios are named, what is refused, what --set does to them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

import fastexec as fx
from conftest import SMALL
from fastexec.errors import InputError
from fastexec.runs.swept import scenario_named, scenarios_table
from fastexec.simulation import simulate
from fastexec.studies.study import Study
from fastexec.studies.study_schema import schema_text
from fastexec.studies.sweep import labels_of, require_few

GRID = {
    "market.price.volatility": [0.0003, 0.001],
    "order.shares": [600, 1200, 2400],
    "strategies.pov10.rate": [0.05, 0.1],
}
LIST = [
    {"name": "calm", "market.price.volatility": 0.0003, "market.spread.mean": 0.0002},
    {"name": "wild", "market.spread.mean": 0.0008, "market.price.volatility": 0.002},
]


def swept(**sweep):
    return Study.from_dict({**SMALL, "sweep": sweep})


def names(study):
    return [scenario.name for scenario in study.scenarios()]


def test_a_grid_is_the_product_in_the_order_written_the_last_key_fastest():
    scenarios = swept(**GRID).scenarios()
    points = [tuple(scenario.values.values()) for scenario in scenarios]
    assert points == [(v, s, r) for v in (0.0003, 0.001) for s in (600, 1200, 2400) for r in (0.05, 0.1)]
    assert scenarios[0].name == "volatility_0.0003__shares_600__rate_0.05"
    assert len({scenario.study.identity() for scenario in scenarios}) == 12


def test_a_scenario_is_the_study_with_the_values_written_in():
    for scenario in swept(**GRID).scenarios():
        alone = Study.from_dict(SMALL).with_overrides([f"{key}={value}" for key, value in scenario.values.items()])
        assert scenario.study == alone
        assert scenario.study.identity() == alone.identity()
        assert scenario.study.seed == SMALL["seed"]


def test_a_list_ties_values_and_meets_the_whole_grid():
    study = swept(list=LIST, **{"order.shares": [600, 1200]})
    assert names(study) == ["calm__shares_600", "calm__shares_1200", "wild__shares_600", "wild__shares_1200"]
    assert study.scenarios()[2].values == {
        "market.price.volatility": 0.002,
        "market.spread.mean": 0.0008,
        "order.shares": 600.0,
    }
    unnamed = swept(list=[{key: value for key, value in item.items() if key != "name"} for item in LIST])
    assert names(unnamed) == ["volatility_0.0003__mean_0.0002", "volatility_0.002__mean_0.0008"]


def test_names_are_the_same_when_values_are_added_and_safe_everywhere():
    more = swept(**{**GRID, "order.shares": [300, 600, 1200, 2400]})
    assert set(names(swept(**GRID))) < set(names(more))
    keys = {"strategies.almgren_chriss.risk_aversion": [1e-7, 1e20], "strategies.static_optimum.risk_aversion": [0.0]}
    assert names(swept(**keys)) == [
        "almgren_chriss.risk_aversion_1e-07__static_optimum.risk_aversion_0",
        "almgren_chriss.risk_aversion_1e20__static_optimum.risk_aversion_0",
    ]
    assert labels_of(["order.shares", "strategies.order.shares"])["order.shares"] == "order.shares"
    assert names(swept(**{"market.volume.curve": [[1, 2], [1, 3]]})) == ["curve_1", "curve_2"]
    long = {
        f"market.correlation.{key}": [0.012345678901234] for key in ("price_spread", "price_volume", "spread_volume")
    }
    assert names(swept(**long, **GRID))[:2] == ["s0000", "s0001"]


def test_strategies_with_dots_in_their_names_are_found():
    strategies = [
        *SMALL["strategies"],
        {"model": "pov", "name": "pov1.5", "rate": 0.2},
        {"model": "pov", "name": "pov1"},
    ]
    study = Study.from_dict({**SMALL, "strategies": strategies, "sweep": {"strategies.pov1.5.rate": [0.3, 0.4]}})
    assert [scenario.study.strategies[6].rate for scenario in study.scenarios()] == [0.3, 0.4]
    assert study.scenarios()[0].values == {"strategies.pov1.5.rate": 0.3}


values = st.floats(1e-4, 0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(values, min_size=1, max_size=3, unique=True), st.booleans(), st.permutations(["price", "volume"]))
def test_round_trip_keeps_the_order_of_keys_and_the_identity(volatility, tied, order):
    sweep = {"market.price": [{"volatility": v} for v in volatility]} if order[0] == "price" else {}
    sweep |= {"order.shares": [1200, 600]} | ({"list": [{"market.spread.mean": 1e-4}]} if tied else {})
    sweep |= {"market.volume": [{"mean": 1e3 * v} for v in volatility]}
    study = swept(**sweep)
    again = Study.from_toml(study.to_toml())
    assert again == study
    assert again.identity() == study.identity()
    assert names(again) == names(study)


def test_identity_covers_the_sweep_and_the_order_of_its_keys():
    study = swept(**GRID)
    other = [dict(reversed(GRID.items())), {**GRID, "order.shares": [600, 1200]}, {"order.shares": [600]}]
    identities = {s.identity() for s in (study, Study.from_dict(SMALL), *(swept(**sweep) for sweep in other))}
    assert len(identities) == 5


WRONG = [
    ({"order.shares": 5000}, r"sweep.order.shares: must be a list of values such as \[1, 2\], not 5000"),
    ({"order.shares": []}, r"sweep.order.shares: the list is empty"),
    ({"order.shares": [600, 600.0]}, r"sweep.order.shares: 600.0 stands there twice"),
    ({"market.volume.curve": [[1, 2], [1, 2]]}, r"\[1, 2\] stands there twice"),
    ({"order.shares": [600, "many"]}, r"scenario shares_many: order.shares: must be a number, not 'many'"),
    ({"order.steps": [1.5]}, r"scenario steps_1.5: order.steps: must be a whole number"),
    ({"order.share": [600]}, r"scenario share_600: order.share: unknown key; did you mean 'shares'"),
    ({"market.prise.volatility": [0.1]}, r"market.prise: unknown key; did you mean 'price'"),
    ({"order.shares.low": [1]}, r"order.shares.low: 'low' lies in no section"),
    ({"ordr.shares": [1]}, r"sweep.ordr.shares: unknown key; did you mean 'order'"),
    ({"mode": "zip"}, r"sweep.mode: unknown key; a swept key lies in order, market"),
    ({"order": {"shares": [1, 2]}}, r'write the key to sweep in full and in quotes: "order.shares" = ...'),
    ({"strategies.pov.rate": [0.1]}, r"strategies.pov.rate: no strategy of that name; did you mean 'pov10'"),
    ({"strategies.pov10": [{}]}, r"sweep.strategies.pov10: is a whole strategy"),
    ({"strategies.pov10.model": ["twap"]}, r"every scenario has the same strategies"),
    ({"strategies.pov10.name": ["a"]}, r"every scenario has the same strategies"),
    ({"train.x.rounds": [1]}, r"train.x.rounds: no key 'x' of train; there are none"),
    ({"seed": [1, 2]}, r"sweep.seed: cannot be swept: every scenario meets the same random numbers"),
    ({"episodes": [1, 2]}, r"sweep.episodes: cannot be swept"),
    ({"name": ["a"]}, r"sweep.name: cannot be swept"),
    ({"output.rows": ["all"]}, r"sweep.output.rows: cannot be swept"),
    ({"sweep.order.shares": [1]}, r"a sweep holds no sweep"),
    ({"costs.rule": ["by_fill"]}, r"sweep.costs.rule: cannot be swept"),
    ({"market.price": [{}], "market.price.drift": [0.0]}, r"drift: lies within market.price, which is swept as a whole"),
    ({"order.shares": list(range(1, 400)), "order.steps": list(range(1, 400))}, r"159,201 scenarios; at most 100,000"),
    ({"market.price.volatility": [0.001, {"low": 0.1, "high": 0.2}]}, r"give it a range in all of them, or in none"),
    ({"list": []}, r"sweep.list: the list is empty"),
    ({"list": {"order.shares": 5}}, r"write \[\[sweep.list\]\] for each scenario"),
    ({"list": [{"name": "a"}]}, r"sweep.list\[1\]: sets no key"),
    ({"list": [{"order.shares": 600}, {"order.lot": 1}]}, r"sweep.list\[2\]: does not set order.shares"),
    ({"list": [{"order.shares": 600}, {"order.shares": 600.0}]}, r"has the values of an earlier scenario"),
    ({"list": LIST, "market.spread.mean": [0.1]}, r"is swept by the grid and by the list"),
    ({"list": [LIST[0], {**LIST[1], "name": "CALM"}]}, r"two scenarios are named 'CALM'"),
    *(({"list": [{**LIST[0], "name": bad}]}, r"sweep.list\[1\].name: ")
      for bad in ("2008", "../up", "a=b", "a/b", "null", "", "a b", 65 * "a", "é", 5, "Infinity")),
]  # fmt: skip


@pytest.mark.parametrize(("sweep", "message"), WRONG)
def test_wrong_sweeps_are_one_line_that_names_the_key(sweep, message):
    with pytest.raises(InputError, match=message) as caught:
        swept(**sweep)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("study: ")


def test_more_than_a_thousand_scenarios_are_refused_until_meant():
    study = swept(**{"order.shares": list(range(1, 1002))})
    with pytest.raises(InputError, match=r"asks for 1,001 scenarios, more than 1,000; sweep fewer values, or yes=True"):
        require_few(study, asked=False)
    require_few(study, asked=True)


@pytest.mark.parametrize(("settings_", "expected"), [
    (["order.shares=300"], ["volatility_0.0003__rate_0.05", "volatility_0.0003__rate_0.1", "volatility_0.001__rate_0.05",
                            "volatility_0.001__rate_0.1"]),
    (["strategies.pov.rate=0.2", "order.shares=300"], ["volatility_0.0003", "volatility_0.001"]),
    (["sweep.order.shares=[300]", "market.price.volatility=0.1", "strategies.pov10.rate=0.1"], ["shares_300"]),
    (["sweep={}"], [None]),
    (['sweep={"order.lot" = [1, 2]}'], ["lot_1", "lot_2"]),
    (["order.shares=300", "strategies.pov10.rate=0.3", "market.price.volatility=0.1"], [None]),
])  # fmt: skip
def test_a_value_that_is_set_wins_over_the_sweep(settings_, expected):
    assert names(swept(**GRID).with_overrides(settings_)) == expected


def test_setting_a_tied_key_fixes_it_in_the_whole_list():
    study = swept(list=LIST).with_overrides(["market.spread.mean=0.0005"])
    assert [s.study.market.spread.mean for s in study.scenarios()] == [0.0005, 0.0005]
    assert names(study) == ["calm", "wild"]
    none = swept(list=LIST).with_overrides(["market.spread.mean=0.0005", "market.price.volatility=0.001"])
    assert none.sweep is None
    with pytest.raises(InputError, match=r"the sweep sets market.price as a whole"):
        swept(**{"market.price": [{"drift": 0.0}]}).with_overrides(["market.price.drift=0.1"])


def test_the_scenarios_table_has_natural_types():
    study = swept(**{
        "order.steps": [12, 24],
        "order.shares": [600, 1200],
        "order.side": ["buy", "sell"],
        "market.volume.curve": [[1, 2.5, 3]],
        "market.price": [{"volatility": 0.001}],
        "costs.fees.per_share": [{"low": 0.001, "high": 0.002}],
    })  # fmt: skip
    table = scenarios_table(study.scenarios())
    text = pa.dictionary(pa.int32(), pa.string())
    assert table.column_names == ["scenario", *study.sweep.grid]
    assert table.schema.types == [text, pa.int64(), pa.float64(), text, pa.list_(pa.float64()), text, text]
    row = table.to_pylist()[1]
    assert (row["order.steps"], row["order.side"], row["market.volume.curve"]) == (12, "sell", [1.0, 2.5, 3.0])
    assert row["costs.fees.per_share"] == '{ "low" = 0.001, "high" = 0.002, "scale" = "linear" }'


def test_a_swept_study_is_simulated_by_scenario():
    study = swept(**GRID)
    with pytest.raises(InputError, match=r"a \[sweep\] of 12 scenarios: fastexec.run\(study\) simulates all") as caught:
        fx.simulate(study)
    assert "\n" not in str(caught.value)
    one = scenario_named(study, "volatility_0.001__shares_600__rate_0.1")
    assert simulate(one.study, episodes=5).markets["order_shares"].tolist() == [600.0] * 5
    with pytest.raises(
        InputError, match=r"no scenario of that name; did you mean volatility_0.001__shares_600__rate_0.1"
    ):
        scenario_named(study, "volatility_0.001__shares_601__rate_0.1")
    with pytest.raises(InputError, match="the study has a sweep; name one"):
        scenario_named(study, None)
    with pytest.raises(InputError, match="the study has no sweep; leave scenario out"):
        scenario_named(one.study, "a")


def test_the_schema_shows_a_sweep_that_works():
    text = schema_text()
    section = text[text.index("[sweep]") : text.index("# Every scenario has the study's seed")]
    study = Study.from_toml(f'{section}\n[[strategies]]\nmodel = "twap"')
    assert len(study.scenarios()) == 6


keys = st.sampled_from(
    "order.shares order.steps order.lot market.price market.price.volatility market.volume.curve strategies.pov10.rate list "
    "name strategies.. train.x.y costs order. . strategies.pov10.rate.x é".split()
    + [""]
)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from([600, 0.1])
)
anything = st.recursive(
    leaves, lambda x: st.one_of(st.lists(x, max_size=3), st.dictionaries(keys, x, max_size=3)), max_leaves=8
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(anything, st.dictionaries(keys, st.lists(anything, max_size=3), max_size=3)))
def test_whatever_stands_in_a_sweep_it_is_a_study_or_one_line(sweep):
    try:
        study = Study.from_dict({**SMALL, "sweep": sweep})
    except InputError as error:
        text = str(error)
    else:
        assert len(study.scenarios()) == (1 if study.sweep is None else study.sweep.count)
        assert Study.from_toml(study.to_toml()).identity() == study.identity()
        text = ""
    assert "\n" not in text
