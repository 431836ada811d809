"""Results in memory are compared as those of a folder: every figure and every note, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
import real_days
from conftest import SMALL, merged
from test_given_decisions import rows_of

MORE = [*SMALL["strategies"], {"model": "pov", "name": "pov2", "rate": 0.02}]
STUDIES = {
    "small": {},
    "many chunks": {"episodes": 9000, "strategies": [{"model": "vwap"}, {"model": "twap"}]},
    "drawn": {"order": {"shares": {"low": 300, "high": 3000}},
              "market": {"price": {"volatility": {"low": 1e-4, "high": 0.01}}}},
    "a purchase, marked": {"order": {"side": "buy", "at_horizon": "mark"}, "strategies": MORE},
    "an exact optimum": {
        "order": {"shares": 1200, "lot": 100}, "strategies": [{"model": "twap"}, {"model": "optimum"}, {"model": "pov"}],
        "market": {"spread": {"model": "markov", "levels": [1e-4, 2e-3], "transition": [[0.8, 0.2], [0.3, 0.7]]},
                   "volume": {"model": "constant", "mean": 900}},
        "costs": {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0}, "fees": {"per_share": 0.0}},
    },
    "by step": {"costs": {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0},
                          "fees": {"per_share": 0.0}, "rule": "per_step"}},
    "one strategy": {"strategies": [{"model": "pov"}]},
}  # fmt: skip
ASKED = [
    {}, {"baseline": "vwap"}, {"by": "realised_volatility:3"}, {"by": "side"}, {"metric": "risk:1e-5"},
    {"metric": "cvar95", "by": "market_volume:2"}, {"metric": "vwap"},
]  # fmt: skip


def study_of(**changes):
    return fx.Study.from_dict(merged(SMALL, changes))


def assert_same(one, other):
    assert one.table.equals(other.table)
    assert one.table.schema.equals(other.table.schema)
    assert (one.notes, one.warnings, one.baseline) == (other.notes, other.warnings, other.baseline)
    assert one.summaries.keys() == other.summaries.keys()
    for title, summary in one.summaries.items():
        assert repr(summary.to_pylist()) == repr(other.summaries[title].to_pylist())  # NaN stands in lists


@pytest.mark.parametrize("name", STUDIES)
def test_as_from_a_folder(tmp_path, name):
    study = study_of(**STUDIES[name])
    result = fx.run(study, out=tmp_path / "r", chunk=700)
    held = fx.simulate(study, threads=2)
    assert_same(fx.compare(held), fx.compare(tmp_path / "r"))
    assert_same(fx.compare(held), fx.compare(result))
    assert fx.compare(held).table.equals(result.comparison.replace_schema_metadata(None)) or name == "by step"


@pytest.mark.parametrize("asked", ASKED)
def test_whatever_is_asked_for(tmp_path, asked):
    """Also by conditions and other metrics, however the folder's rows are cut into parts."""
    study = study_of(episodes=2500)
    fx.run(study, out=tmp_path / "r", chunk=333)
    assert_same(fx.compare(fx.simulate(study), **asked), fx.compare(tmp_path / "r", **asked))


def test_of_real_days(tmp_path):
    bars = real_days.write(real_days.some_days(3, [60] * 7), tmp_path / "bars.parquet")
    for market in ({"model": "replay"}, {"model": "bootstrap", "block": 4}):
        study = fx.Study.from_dict({**SMALL, "market": {**market, "bars": str(bars), "symbol": "S"}, "episodes": 20})
        fx.run(study, out=tmp_path / market["model"], chunk=7)
        assert_same(fx.compare(fx.simulate(study)), fx.compare(tmp_path / market["model"]))


def test_given_decisions_are_compared_without_control_variate_and_tables_say_so():
    study = study_of(episodes=2000, market={"price": {"volatility": 0.005}})
    paths = fx.market(study)
    ahead = np.zeros(paths.mid.shape)  # sells all where the price is highest: it looks ahead
    ahead[np.arange(2000), paths.mid.argmax(axis=1)] = 1200.0
    results = fx.simulate(study, slices={"ahead": ahead, "even": np.full(ahead.shape, 100.0)})
    found = fx.compare(results)
    rows = {row["strategy"]: row for row in found.table.to_pylist()}
    assert rows["ahead"]["saving_bps"] > 5.0
    assert rows["ahead"]["saving_cv_bps"] is None
    assert rows["even"]["saving_bps"] == 0.0
    assert rows["even"]["saving_cv_bps"] is None
    assert rows["vwap"]["saving_cv_bps"] is not None
    assert found.notes[0] == "ahead, even: given decisions: look-ahead not excluded"
    other = fx.compare(fx.simulate(study))
    same = {row["strategy"]: row for row in other.table.to_pylist()}
    assert {name: rows[name] for name in same} == same
    assert not any("look-ahead" in note for note in other.notes)
    # The saving, computed from the rows alone.
    cost = {name: rows_of(results, name)["shortfall_bps"] for name in ("twap", "ahead")}
    np.testing.assert_allclose(rows["ahead"]["saving_bps"], (cost["twap"] - cost["ahead"]).mean(), rtol=1e-12)
    error = (cost["twap"] - cost["ahead"]).std(ddof=1) / 2000**0.5
    np.testing.assert_allclose(rows["ahead"]["standard_error_bps"], error, rtol=1e-9)


@pytest.mark.parametrize(("call", "said"), [
    (lambda r: fx.compare(r, baseline="twop"), "baseline='twop': no strategy of that name; did you mean 'twap'?"),
    (lambda r: fx.compare(r, by="volume"), "by='volume': markets has no column 'volume'"),
    (lambda r: fx.compare(r, scenario="a"), "scenario='a': the study has no sweep"),
    (lambda r: fx.compare(r, metric="mean"), "metric='mean': is none of"),
    (lambda r: fx.compare(3), "results: must be a path, not 3"),
    (lambda r: fx.compare(fx.Results(["a"], {}, {})), "results: nothing is known of the study behind them"),
])  # fmt: skip
def test_what_cannot_be_compared(call, said):
    with pytest.raises(fx.InputError) as caught:
        call(fx.simulate(study_of(episodes=50)))
    assert said in str(caught.value)
    assert "--" not in str(caught.value)
