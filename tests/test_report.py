"""The report's numbers and words: they are the Parquet's, hostile names stay text, bad input writes nothing."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from markupsafe import escape

from conftest import data_file, small_study
from fastexec.analysis.comparison import compare
from fastexec.analysis.report import material as material_module
from fastexec.analysis.report.charts import style_of, thinned
from fastexec.analysis.report.figures import draw, write_figures
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.page import MARK
from fastexec.analysis.report.plotly_view import view
from fastexec.analysis.report.rows import read_rows
from fastexec.analysis.report.sections import sections_of
from fastexec.analysis.report.sentence import answer
from fastexec.analysis.report.write import write_report
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.simulation import simulate
from fastexec.studies.place import Place
from fastexec.studies.run import run
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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"episodes": 1, "strategies": [{"model": "twap"}, {"model": "vwap"}]}, "one episode tells no interval"),
        ({"strategies": [{"model": "twap"}]}, "nothing to compare"),
        ({"strategies": [{"model": "twap"}, {"model": "schedule", "weights": [1.0] * 12}]}, "no difference is shown"),
        (
            {"order": {"at_horizon": "leave"}, "strategies": [{"model": "pov", "rate": 0.01}, {"model": "twap"}]},
            "flatters",
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


def csv_of(text, name):
    link = re.search(rf'download="{re.escape(name)}" href="data:text/csv;base64,([^"]*)"', text).group(1)
    return pd.read_csv(io.BytesIO(base64.b64decode(link)))


def test_the_page_holds_its_tables_as_csv_and_nothing_from_elsewhere(folder, material, tmp_path):
    place, pictures = write_report(folder, out=tmp_path / "r.html")
    text = place.read_text()
    assert text.startswith(MARK)
    assert pictures == []
    assert escape(answer(material)) in text
    found = csv_of(text, "comparison.csv")["saving_bps"].to_numpy()
    np.testing.assert_allclose(found, material.comparison.table["saving_bps"].to_numpy(), rtol=1e-5)
    assert csv_of(text, "parts.csv")["shortfall_bps"].to_numpy() == pytest.approx(
        np.sort(material.mean_costs())[::-1], rel=1e-5
    )
    assert not re.search(r'(src|href)="(?!data:|#)', text.split("<script")[0])
    assert list(tmp_path.iterdir()) == [tmp_path / "r.html"]
    write_report(folder, out=tmp_path / "r.html")
    assert place.read_text() == text, "the same files, another page"


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
    assert curve["episodes"].to_pylist() == [512.0, 1024.0, 1536.0]
    assert all(0.0 < x <= 1.0 for x in curve["completion"].to_pylist())
    assert list(charts["policy_0"].views) == ["spread and step", "inventory and step", "inventory and spread"]
    cells = charts["policy_0"].table.to_pandas()
    visits = cells[(cells["x"] == "step") & (cells["y"] == "spread")]["visits"]
    assert visits.sum() == cells[(cells["x"] == "spread") & (cells["y"] == "inventory")]["visits"].sum()
    assert cells["mean_action"].between(0.0, 2.0).all()


def test_a_sweep_says_who_was_cheapest_where(tmp_path):
    sweep = {
        "order.shares": [600, 1200],
        "market.price.volatility": [0.0005, 0.001],
        "strategies.pov10.rate": [0.05, 0.1],
    }
    run(Study.from_dict({**small_study().model_dump(), "sweep": sweep, "episodes": 200}), out=tmp_path / "r")
    place, pictures = write_report(tmp_path / "r", figures=tmp_path / "f")
    text = place.read_text()
    assert re.search(r"Cheapest: \w+ in \d of 4", text)
    table = csv_of(text, "sweep_savings.csv")
    assert len(table) == 4 * 5
    assert table[table["strategy"] == "pov10"]["low_bps"].lt(table["saving_bps"]).any()
    assert table["low_bps"].le(table["saving_bps"]).all()
    assert len(pictures) == len(list((tmp_path / "f").iterdir())) > 2
    one = write_report(tmp_path / "r", scenario=compare(tmp_path / "r").table["scenario"][0].as_py())[0]
    assert one.name.startswith("report-")
    with pytest.raises(InputError, match="no scenario of that name"):
        write_report(tmp_path / "r", scenario="nowhere")


def test_hostile_names_stay_text(folder, material, charts, tmp_path, monkeypatch):
    """Studies refuse such names; files that were tampered with must not run anything either."""
    evil = '</script><script>alert(1)</script><b>$x^2$ & "q"'
    strategies = [s.model_copy(update={"name": evil} if s.name == "pov10" else {}) for s in material.study.strategies]
    study = material.study.model_copy(update={"strategies": tuple(strategies)})
    monkeypatch.setattr(material_module.Material, "study", property(lambda self: study))
    monkeypatch.setattr(material_module.Material, "win_rate", lambda self, name: 0.5)
    summary = material.summary.to_pandas()
    summary["strategy"] = [evil if name == "pov10" else name for name in summary["strategy"]]
    monkeypatch.setattr(material_module.Material, "summary", property(lambda self: pa.Table.from_pandas(summary)))
    text = write_report(folder, out=tmp_path / "r.html")[0].read_text()
    assert "<script>alert" not in text
    assert escape(evil) in text
    data = json.loads(re.search(r'id="charts">(.*?)</script>', text, re.DOTALL).group(1))
    assert html.escape(evil, quote=False) in {t["name"] for t in data["distribution"][0]["data"]}


def test_both_renderers_draw_every_view(charts, tmp_path):
    import plotly.graph_objects as go

    for chart in charts.values():
        for name, panels in list(chart.views.items())[:2]:
            found = view(panels, chart.height)
            go.Figure(data=found["data"], layout=found["layout"])  # refuses what plotly does not know
            assert all(axes.has_data() for axes in draw(chart, name, panels).axes)


def test_pictures_are_png_and_svg_and_the_same_twice(material, tmp_path):
    sections = [s for s in sections_of(material) if s.key == "savings"]
    for name in ("a", "b"):
        write_figures(tmp_path / name, sections)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "parts.png",
        "parts.svg",
        "savings.png",
        "savings.svg",
    ]
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_styles_tell_32_strategies_apart_and_thinning_keeps_the_mean():
    assert len({(s.colour, s.dash) for s in map(style_of, range(32))}) == 32
    values = np.arange(1000.0).reshape(2, 500)
    assert thinned(values, 100).shape == (2, 100)
    assert thinned(values, 100).mean() == pytest.approx(values.mean())


@pytest.mark.parametrize("module", ["plotly.offline", "itables", "jinja2", "matplotlib.figure"])
def test_without_a_library_one_line_says_what_to_install(folder, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r'pip install "fastexec\[report\]"'):
        write_report(folder, out=tmp_path / "r.html", figures=tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_bad_places_write_nothing(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.html").write_text("mine")
    for given, options, kind, said in (
        (tmp_path / "absent", {}, InputError, "holds no results"),
        (tmp_path / "empty", {}, InputError, "holds no results"),
        (tmp_path / "notes.html", {}, FastexecError, "notes.html"),
        (folder, {"out": tmp_path / "empty"}, InputError, "is a folder"),
        (folder, {"out": tmp_path / "no" / "r.html"}, InputError, "is not there"),
        (folder, {"out": tmp_path / "notes.html"}, RefusedError, "is no report"),
        (folder, {"figures": tmp_path / "notes.html"}, InputError, "is a file"),
        (folder, {"baseline": "twpa"}, InputError, "did you mean 'twap'"),
    ):
        with pytest.raises(kind, match=re.escape(said)):
            write_report(given, **options)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "notes.html"]
    assert (tmp_path / "notes.html").read_text() == "mine"
    assert not (folder / "report.html").exists()


def test_incomplete_or_altered_results_are_refused(tmp_path):
    run(study_of(), out=tmp_path / "r", chunk=256)
    part = tmp_path / "r" / "episodes" / "part-000000000256.parquet"
    held = part.read_bytes()
    part.unlink()
    with pytest.raises(InputError, match=r"part-000000000256.parquet: is missing"):
        write_report(tmp_path / "r")
    part.write_bytes(held[:-200])
    with pytest.raises(InputError, match="cannot be read"):
        write_report(tmp_path / "r")
    part.write_bytes(held)
    toml = tmp_path / "r" / "study.toml"
    toml.write_text(toml.read_text().replace("seed = 5", "seed = 6"))
    with pytest.raises(InputError, match="is not the study"):
        write_report(tmp_path / "r")
    (tmp_path / "r" / "summary.parquet").unlink()
    with pytest.raises(InputError, match="not complete"):
        write_report(tmp_path / "r")
    assert not (tmp_path / "r" / "report.html").exists()
