"""The report's numbers and words: they are the Parquet's, hostile names stay text, bad input writes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import data_file, small_study
from fastexec.analysis.comparison import compare
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.rows import read_rows
from fastexec.analysis.report.sections import sections_of
from fastexec.analysis.report.sentence import answer
from fastexec.analysis.report.write import write_report
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.simulation import simulate
from fastexec.studies.study import Study


def study_of(**changes):
    return Study.model_validate(small_study(**changes).model_dump())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("report") / "r"
    run(study_of(), out=place, chunk=256)
    return place


@pytest.fixture(scope="module")
def material(folder):
    return open_results(Place.of(folder), None, None)


@pytest.fixture(scope="module")
def charts(material):
    return {chart.key: chart for section in sections_of(material) for chart in section.charts}


@pytest.fixture(scope="module")
def results():
    return simulate(small_study())


def shortfalls(results):
    return results.episodes["shortfall_bps"].reshape(-1, len(results.strategies))


def test_every_chart_is_there_with_its_numbers_as_a_table(charts):
    drawn = {
        "savings",
        "parts",
        "distribution",
        "tail",
        "risk",
        "completion",
        "schedules",
        "conditions",
        "single_episodes",
    }
    assert {key for key, chart in charts.items() if chart.views} == drawn
    assert all(len(charts[key].table) > 0 for key in drawn)


def test_the_pass_counts_every_episode_and_finds_best_and_worst(material, results, monkeypatch):
    monkeypatch.setattr("fastexec.analysis.report.rows._BLOCK", 250)  # cuts episodes in two, and parts into blocks
    rows, costs = read_rows(material), shortfalls(results)
    assert (rows.body.counts.sum(axis=1) == 600).all()
    wanted = np.stack([np.histogram(costs[:, k], rows.body.edges)[0] for k in range(costs.shape[1])])
    np.testing.assert_array_equal(rows.body.counts[:, 1:-1], wanted)
    np.testing.assert_array_equal(rows.extremes.episode["best"], costs.argmin(axis=0))
    np.testing.assert_array_equal(rows.extremes.episode["worst"], costs.argmax(axis=0))
    np.testing.assert_array_equal(rows.extremes.cost["worst"], costs.max(axis=0))
    middle = np.array([row["shortfall_p50_bps"] for row in material.rows])
    np.testing.assert_array_equal(rows.extremes.episode["median"], np.abs(costs - middle).argmin(axis=0))


def test_a_shard_shows_its_own_episodes(tmp_path, results):
    run(study_of(), out=tmp_path / "r", chunk=256, first_episode=256, episodes=200)
    material = open_results(Place.of(tmp_path / "r"), None, None)
    own = shortfalls(results)[256:456]
    np.testing.assert_array_equal(read_rows(material).extremes.episode["worst"], 256 + own.argmax(axis=0))
    chart = next(c for s in sections_of(material) for c in s.charts if c.key == "single_episodes")
    assert set(chart.table["episode"].to_pylist()) <= set(range(256, 456))


@pytest.mark.parametrize("column", ["mean_spread_bps", "market_volume", "realised_volatility"])
def test_savings_by_condition_are_those_of_compare(folder, material, column):
    condition = next(c for c in read_rows(material).conditions if c.column == column)
    rows = compare(folder, by=f"{column}:5").table.to_pylist()
    others = [k for k, name in enumerate(material.strategies) if name != material.baseline]
    for name, found in (("saving_bps", condition.saving), ("standard_error_bps", condition.error)):
        np.testing.assert_allclose(found[:, others].ravel(), [row[name] for row in rows], rtol=1e-9, atol=1e-12)
    assert condition.counts.sum() == 600


def test_condition_intervals_over_days_are_those_of_compare(tmp_path):
    data_file("us_bars_1min.parquet")
    market = {"model": "replay", "bars": str(data_file("us_bars_1min.parquet")), "symbol": "IBM"}
    order = {"shares": 1200, "steps": 12, "step_seconds": 60.0}
    run(
        Study.from_dict({"order": order, "market": market, "strategies": [{"model": "twap"}, {"model": "vwap"}]}),
        out=tmp_path / "r",
    )
    material = open_results(Place.of(tmp_path / "r"), None, None)
    condition = next(c for c in read_rows(material).conditions if c.column == "market_volume")
    rows = compare(tmp_path / "r", by="market_volume:5").table.to_pylist()
    np.testing.assert_allclose(condition.saving[:, 1], [row["saving_bps"] for row in rows], rtol=1e-9)
    wanted = [np.nan if row["standard_error_bps"] is None else row["standard_error_bps"] for row in rows]
    np.testing.assert_allclose(condition.error[:, 1], wanted, rtol=1e-9)
    chart = next(c for s in sections_of(material) for c in s.charts if c.key == "conditions")
    table = chart.table.to_pandas()
    assert (table["saving_bps"].isna() == table["low_bps"].isna()).all(), "a saving without its interval"


def test_schedules_are_the_regenerated_episodes(charts, results):
    table = charts["schedules"].table.to_pandas()
    assert table.groupby("strategy")["slice_percent"].sum().to_numpy() == pytest.approx(100.0, abs=1e-9)
    twap = table[table["strategy"] == "twap"]
    assert twap["slice_percent"].to_numpy() == pytest.approx(100.0 / 12.0)
    assert (table["traded_p10_percent"] <= table["traded_p90_percent"]).all()


def test_single_episodes_cost_what_the_rows_say(charts, material, results):
    table = charts["single_episodes"].table.to_pandas()
    costs = shortfalls(results)
    worst = table[(table["strategy"] == "pov10") & (table["rank"] == "worst")]
    assert worst["episode"].iloc[0] == costs[:, material.strategies.index("pov10")].argmax()
    paid = (worst["shares"] * worst["price"]).sum() / worst["shares"].sum()
    cost = -1e4 * (paid / worst["mid"].iloc[0] - 1.0) + 1e4 * 0.002 / worst["mid"].iloc[0]  # and the fee
    assert cost == pytest.approx(costs[:, material.strategies.index("pov10")].max(), abs=1e-6)


def test_the_sentence_names_the_cheapest_with_its_simultaneous_interval(folder):
    material = open_results(Place.of(folder), "random", None)
    text, pairs = answer(material), material.pairs
    best = max(material.strategies[:-1], key=lambda s: pairs.against("random", s).saving)
    found = pairs.against("random", best)
    assert found.shown
    assert text.startswith(f"{best} came out cheapest: ")
    assert f"{found.saving:+.3f} bps [{found.low:+.3f}, {found.high:+.3f}]" in text
    row = next(r for r in material.comparison.table.to_pylist() if r["strategy"] == best)
    assert found.saving == row["saving_cv_bps"]
    assert found.low < row["ci_low_cv_bps"] < row["ci_high_cv_bps"] < found.high


MARKOV = {
    "order": {"lot": 100},
    "market": {"spread": {"model": "constant", "initial": 0.001}, "volume": {"model": "constant", "mean": 1000.0}},
    "costs": {"permanent": {"coefficient": 0.0}, "transient": {"coefficient": 0.0}},
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"episodes": 1, "strategies": [{"model": "twap"}, {"model": "vwap"}]}, "one episode tells no interval"),
        ({"strategies": [{"model": "twap"}]}, "nothing to compare"),
        (MARKOV | {"strategies": [{"model": "twap"}, {"model": "optimum"}]}, "the optimum alone"),
        ({"strategies": [{"model": "twap"}, {"model": "schedule", "weights": [1.0] * 12}]}, "no difference is shown"),
        (
            {"order": {"at_horizon": "leave"}, "strategies": [{"model": "pov", "rate": 0.01}, {"model": "twap"}]},
            "Not counted: pov",
        ),
    ],
)
def test_the_sentence_claims_no_more_than_there_is(tmp_path, changes, said):
    run(study_of(**changes), out=tmp_path / "r")
    material = open_results(Place.of(tmp_path / "r"), None, None)
    assert said in answer(material)
    assert all(chart.views or chart.missing for s in sections_of(material) for chart in s.charts)


def test_no_difference_shown_is_said_against_the_baseline(tmp_path):
    """Two random strategies alike in law differ by chance alone."""
    twins = [{"model": "random", "name": "one"}, {"model": "random", "name": "two"}]
    run(study_of(strategies=twins, episodes=200), out=tmp_path / "r")
    assert "o difference" in answer(open_results(Place.of(tmp_path / "r"), None, None))


def test_without_rows_charts_are_named_with_the_reason(tmp_path):
    run(study_of(output={"rows": "none"}), out=tmp_path / "r")
    material = open_results(Place.of(tmp_path / "r"), None, None)
    charts = {chart.key: chart for section in sections_of(material) for chart in section.charts}
    assert {key for key, chart in charts.items() if chart.missing} == {"conditions", "single_episodes"}
    assert "wrote no rows" in charts["conditions"].missing
    assert charts["tail"].views, "from the quantiles"


def test_under_per_step_nothing_is_in_basis_points(tmp_path):
    costs = {"rule": "per_step", "temporary": {"model": "power", "coefficient": 10.0, "exponent": 1.0}}
    study = Study.from_dict({"episodes": 50, "costs": costs, "strategies": [{"model": "twap"}, {"model": "pov"}]})
    run(study, out=tmp_path / "r")
    material = open_results(Place.of(tmp_path / "r"), None, None)
    assert answer(material).startswith("No saving is claimed")
    text = write_report(tmp_path / "r")[0].read_text()
    assert (
        "bps"
        not in text.split("<script")[0].split("How it was made")[0].split('<p class="answer"')[1].split("</table>")[0]
    )


def test_an_agent_has_its_curve_and_its_heat_maps(tmp_path):
    section = {"rounds": 3, "batch": 512, "actions": {"set": "multiples", "levels": [0.0, 1.0, 2.0]},
               "features": [{"name": "inventory", "bins": 6}, {"name": "spread", "bins": 3}]}  # fmt: skip
    learned = [
        {"model": "twap"},
        {"model": "qtable", "name": "learned", "train": "a"},
        {"model": "blind_twin", "of": "learned"},
    ]
    study = study_of(strategies=learned, train={"a": section}, costs={"transient": {"coefficient": 0.0}})
    run(study, out=tmp_path / "r")
    charts = {c.key: c for s in sections_of(open_results(Place.of(tmp_path / "r"), None, None)) for c in s.charts}
    curve = charts["learning_curve_0"].table
    assert curve["episodes"].to_pylist() == [0.0, 512.0, 1024.0, 1536.0]
    assert all(0.0 < x <= 1.0 for x in curve["completion"].to_pylist())
    assert list(charts["policy_0"].views) == ["spread and step", "inventory and step", "inventory and spread"]
    cells = charts["policy_0"].table.to_pandas()
    visits = cells[(cells["x"] == "step") & (cells["y"] == "spread")]["visits"]
    assert visits.sum() == cells[(cells["x"] == "spread") & (cells["y"] == "inventory")]["visits"].sum()
    assert cells["mean_action"].between(0.0, study.order.steps).all()
