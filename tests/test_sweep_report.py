"""The report of a sweep shows the numbers of the files; and the command line of sweeps."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from commands import typed
from conftest import SMALL
from fastexec.analysis.comparison import compare
from fastexec.analysis.report.sweep_material import open_sweep
from fastexec.analysis.report.sweeps import sweep_sections
from fastexec.analysis.report.write import write_report
from fastexec.analysis.sweep_tables import axes_of, frontier
from fastexec.errors import RefusedError
from fastexec.place import Place
from fastexec.runs.store import read_study
from fastexec.studies.study import Study
from test_cli import STUDY, tree

SWEEP = {
    "market.price.volatility": [0.0005, 0.001, 0.002],
    "strategies.almgren_chriss.risk_aversion": [1e-6, 1e-3],
    "order.shares": [600, 2400],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("figures") / "r"
    fx.run(Study.from_dict({**SMALL, "episodes": 400, "sweep": SWEEP}), out=place)
    return place


@pytest.fixture(scope="module")
def charts(folder):
    swept = open_sweep(Place.of(folder), read_study(Place.of(folder)), None)
    return {chart.key: chart for section in sweep_sections(swept) for chart in section.charts}


def test_savings_are_those_of_the_comparison_the_sharper_where_there_are_two(folder, charts):
    rows = compare(folder).table.to_pylist()
    found = charts["sweep_savings"].table.to_pylist()
    for row, own in zip(rows, found, strict=True):
        kind = "" if row["saving_cv_bps"] is None else "_cv"
        assert (own["scenario"], own["strategy"]) == (row["scenario"], row["strategy"])
        assert own["saving_bps"] == row[f"saving{kind}_bps"]
        assert own["low_bps"] <= row[f"ci_low{kind}_bps"]
        assert f"shares_{own['order.shares']:g}" in own["scenario"]


def test_heat_maps_hold_each_scenarios_saving_in_its_cell(charts):
    """Over the keys that concern the strategy: a risk aversion is another's."""
    chart = charts["sweep_savings"]
    assert "pov10" in chart.views
    (heat,) = chart.views["pov10"][0].marks
    assert (heat.y, heat.x) == (["0.0005", "0.001", "0.002"], ["600", "2,400"])
    for row in chart.table.to_pylist():
        if row["strategy"] == "pov10" and row["strategies.almgren_chriss.risk_aversion"] == 1e-6:
            i = SWEEP["market.price.volatility"].index(row["market.price.volatility"])
            assert heat.z[i, SWEEP["order.shares"].index(row["order.shares"])] == row["saving_bps"]
    further = [name for name in chart.views if name.startswith("almgren_chriss")]
    assert further == ["almgren_chriss, order.shares = 600", "almgren_chriss, order.shares = 2,400"]


def test_axes_leave_out_what_is_tied_or_the_same_everywhere():
    columns = {"a": [1, 1, 2, 2], "b": [10, 10, 20, 20], "c": ["x", "y", "x", "y"], "d": [5, 5, 5, 5]}
    assert axes_of(pa.table({"scenario": list("pqrs"), **columns})) == ["a", "c"]


def test_one_key_makes_points_with_their_intervals(tmp_path):
    sweep = {"market.price.volatility": [0.0005, 0.001, 0.002]}
    fx.run(Study.from_dict({**SMALL, "episodes": 200, "sweep": sweep}), out=tmp_path / "r")
    swept = open_sweep(Place.of(tmp_path / "r"), read_study(Place.of(tmp_path / "r")), None)
    chart = sweep_sections(swept)[0].charts[0]
    (panel,) = chart.views[""]
    assert panel.x_names == ["0.0005", "0.001", "0.002"]
    points = next(mark for mark in panel.marks if mark.name == "pov10")
    rows = [row for row in chart.table.to_pylist() if row["strategy"] == "pov10"]
    assert points.y.tolist() == [row["saving_bps"] for row in rows]
    assert (points.low < points.y).all()


def test_the_frontier_has_a_view_for_each_other_combination_and_risk(folder, charts):
    scenarios, summary = (pq.read_table(folder / f"{name}.parquet") for name in ("scenarios", "summary"))
    rows = frontier(summary, scenarios).to_pylist()
    assert len({row["panel"] for row in rows}) == 6
    assert len(rows) == 6 * (5 + 2)
    assert all((row["risk_aversion"] is None) == (row["strategy"] != "almgren_chriss") for row in rows)
    views = charts["frontier"].views
    assert len(views) == 2 * 6
    (line,) = (m for m in next(iter(views.values()))[0].marks if m.name == "almgren_chriss" and not m.edge)
    own = [row for row in rows if row["strategy"] == "almgren_chriss"][:2]
    assert list(zip(line.x, line.y, strict=True)) == [(row["risk_bps"], row["mean_bps"]) for row in own]
    for axis, middle in (("x", line.x), ("y", line.y)):
        down, up = line.intervals[axis]
        assert (down > 0.0).all()
        assert (up > 0.0).all()
        assert (up < middle).all()
    table = charts["frontier"].table.to_pylist()
    assert all(row["risk_low_bps"] < row["risk_bps"] < row["risk_high_bps"] for row in table)
    assert all(row["mean_low_bps"] < row["mean_bps"] < row["mean_high_bps"] for row in table)


def charts_of(place):
    swept = open_sweep(Place.of(place), read_study(Place.of(place)), None)
    return {chart.key: chart for section in sweep_sections(swept) for chart in section.charts}


def test_one_strategy_has_a_frontier_and_no_savings(tmp_path):
    one = {**SMALL, "episodes": 50, "strategies": [{"model": "almgren_chriss"}]}
    sweep = {"strategies.almgren_chriss.risk_aversion": [1e-5, 1e-3]}
    fx.run(Study.from_dict({**one, "sweep": sweep}), out=tmp_path / "r")
    charts = charts_of(tmp_path / "r")
    assert charts["frontier"].views
    assert "no second strategy" in charts["sweep_savings"].missing
    write_report(tmp_path / "r")


def test_a_sweep_under_per_step_claims_no_saving(tmp_path):
    costs = {"rule": "per_step", "temporary": {"model": "power", "coefficient": 10.0, "exponent": 1.0}}
    strategies = [{"model": "twap"}, {"model": "pov"}]
    sweep = {"order.shares": [600, 1200]}
    fx.run(
        Study.from_dict({"episodes": 50, "costs": costs, "strategies": strategies, "sweep": sweep}), out=tmp_path / "r"
    )
    assert charts_of(tmp_path / "r")["sweep_savings"].missing
    assert "No saving is claimed" in write_report(tmp_path / "r")[0].read_text()


@pytest.mark.slow
def test_a_sweep_from_the_command_line(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    sweep = ("--set", "sweep.order.shares=[300, 600]")
    status, out, error = typed("run", "tiny.toml", *sweep, cwd=tmp_path, COLUMNS="80")
    assert (status, error) == (0, "")
    assert "shares_300: 300 episodes, saving against twap" in out
    tables = [line for line in out.splitlines() if line.startswith(("strategy", "twap", "pov10", "shares_"))]
    assert len(tables) == 8
    assert max(map(len, tables)) <= 80
    status, out, _ = typed("replay", "results/tiny", "--episode", "3", "--scenario", "shares_600", cwd=tmp_path)
    assert status == 0
    assert [line for line in out.splitlines() if line.startswith("episode")] == ["episode 3, twap", "episode 3, pov10"]
    status, out, _ = typed("report", "results/tiny", "--figures", "f", cwd=tmp_path)
    assert (status, out.splitlines()[:2]) == (0, ["report: results/tiny/report.html", "scenarios: 2 pages beside it"])
    status, out, _ = typed("check", "tiny.toml", *sweep, cwd=tmp_path)
    assert "scenarios        2; prepared and timed here: 2" in out


@pytest.mark.parametrize(("words", "status", "message"), [
    (["run", "tiny.toml", "--set", "sweep.order.share=[1]"], 2, "order.share: unknown key; did you mean 'shares'?"),
    (["run", "tiny.toml", "--set", "sweep.seed=[1, 2]"], 2, "sweep.seed: cannot be swept"),
    (["run", "tiny.toml", "--set", f"sweep.order.shares={list(range(1, 1002))}"], 2, "more than 1,000; sweep fewer"),
    (["check", "tiny.toml", "--set", "sweep.order.shares=[]"], 2, "sweep.order.shares: the list is empty"),
    (["train", "tiny.toml", "--out", "a.parquet", "--set", "sweep.order.shares=[600]"], 2, "--set sweep={} trains"),
])  # fmt: skip
def test_bad_sweeps_are_one_line_and_write_nothing(tmp_path, words, status, message):
    (tmp_path / "tiny.toml").write_text(STUDY)
    ended, out, error = typed(*words, cwd=tmp_path)
    assert (ended, out) == (status, "")
    assert message in error
    assert error.count("\n") == 1
    assert tree(tmp_path) == ["tiny.toml"]


def test_mean_and_risk_stand_over_the_keys_for_every_strategy(folder, charts):
    """The mean cost of the table, and both risks of the summary, in the cell of their scenario."""
    chart = charts["sweep_costs"]
    rows = {(row["scenario"], row["strategy"]): row for row in pq.read_table(folder / "summary.parquet").to_pylist()}
    for row in chart.table.to_pylist():
        own = rows[row["scenario"], row["strategy"]]
        assert [row[n] for n in ("shortfall_sd_bps", "shortfall_cvar95_bps")] == [
            own[n] for n in ("shortfall_sd_bps", "shortfall_cvar95_bps")
        ]
    views = chart.views
    assert {name.rpartition(": ")[2] for name in views} == {"mean cost", "standard deviation", "mean of the worst 5 %"}
    assert "twap: standard deviation" in views, "the baseline too"
    (heat,) = views["twap: standard deviation"][0].marks
    for i, volatility in enumerate(SWEEP["market.price.volatility"]):
        for j, shares in enumerate(SWEEP["order.shares"]):
            (own,) = {
                row["shortfall_sd_bps"] for row in chart.table.to_pylist()
                if (row["strategy"], row["market.price.volatility"], row["order.shares"]) == ("twap", volatility, shares)
            }  # fmt: skip
            assert heat.z[i, j] == own


def test_without_a_swept_risk_aversion_there_is_a_frontier_of_the_strategies(tmp_path):
    """Each scenario has one, its line joins those that no other beats in both, found by looking at every pair."""
    fx.run(Study.from_dict({**SMALL, "episodes": 300, "sweep": {"order.shares": [600, 2400]}}), out=tmp_path / "r")
    chart = charts_of(tmp_path / "r")["frontier"]
    assert len(chart.views) == 4
    first = next(iter(chart.views.values()))[0]
    line, rows = first.marks[0], [row for row in chart.table.to_pylist() if row["scenario"] == "shares_600"]
    places = {row["strategy"]: (row["risk_bps"], row["mean_bps"]) for row in rows}
    best = {
        place for place in places.values()
        if not any(other[0] <= place[0] and other[1] <= place[1] and other != place for other in places.values())
    }  # fmt: skip
    assert set(zip(line.x.tolist(), line.y.tolist(), strict=True)) == best
    assert line.x.tolist() == sorted(line.x.tolist())


def test_strategies_alike_in_risk_have_no_frontier(tmp_path):
    alike = {**SMALL, "episodes": 50, "strategies": [{"model": "twap"}, {"model": "twap", "name": "again"}]}
    fx.run(Study.from_dict({**alike, "sweep": {"costs.fees.per_share": [0.0, 0.001]}}), out=tmp_path / "r")
    assert "do not differ in risk" in charts_of(tmp_path / "r")["frontier"].missing


def test_the_overview_links_to_a_page_of_each_scenario(tmp_path):
    fx.run(Study.from_dict({**SMALL, "episodes": 60, "sweep": {"order.shares": [600, 2400]}}), out=tmp_path / "r")
    told = []
    page, _ = write_report(tmp_path / "r", progress=lambda *word: told.append(word))
    names = ["shares_600", "shares_2400"]
    assert told == [("page of scenario", 1, 2), ("page of scenario", 2, 2)]
    text = page.read_text()
    for name in names:
        assert text.count(f'href="report-{name}.html"') == 1 + 6, "in the list, and at each of its rows"
        own = (tmp_path / "r" / f"report-{name}.html").read_text()
        assert f"scenario {name}" in own
        assert 'href="report.html"' in own
    write_report(tmp_path / "r", out=tmp_path / "other.html", pages=False)
    assert not list(tmp_path.glob("other-*.html"))
    assert 'href="report-' not in (tmp_path / "other.html").read_text()
    (tmp_path / "mine-shares_600.html").write_text("mine")
    with pytest.raises(RefusedError, match=r"mine-shares_600.html': is there already and is no report"):
        write_report(tmp_path / "r", out=tmp_path / "mine.html")
    assert not (tmp_path / "mine.html").exists()
    assert (tmp_path / "mine-shares_600.html").read_text() == "mine"
