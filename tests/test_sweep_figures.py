"""Pictures of a sweep show the numbers of the files; and the command line of sweeps."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import SMALL
from fastexec.analysis.comparison import compare
from fastexec.analysis.picture import draw_overview
from fastexec.analysis.sweep_figures import draw_sweep, frontier_figure, savings_figure
from fastexec.analysis.sweep_tables import axes_of, frontier, savings_by_scenario
from fastexec.errors import InputError
from fastexec.studies.study import Study
from test_cli import STUDY, fastexec, tree

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


def tables(folder):
    return compare(folder), *(pq.read_table(folder / f"{name}.parquet") for name in ("scenarios", "summary"))


def test_savings_are_those_of_the_comparison_the_sharper_where_there_are_two(folder):
    comparison, scenarios, _ = tables(folder)
    data = savings_by_scenario(comparison.table, scenarios)
    assert data.column_names[:4] == ["scenario", *SWEEP]
    for row, own in zip(comparison.table.to_pylist(), data.to_pylist(), strict=True):
        kind = "" if row["saving_cv_bps"] is None else "_cv"
        assert own["control_variate"] == (kind != "")
        names = ("saving", "ci_low", "ci_high")
        assert [own[f"{name}_bps"] for name in names] == [row[f"{name}{kind}_bps"] for name in names]
        assert f"shares_{own['order.shares']:g}" in own["scenario"]


def test_heat_maps_hold_each_scenarios_saving_in_its_cell(folder):
    comparison, scenarios, _ = tables(folder)
    data = savings_by_scenario(comparison.table, scenarios)
    figure = savings_figure(data, axes_of(scenarios))
    maps = [axes for axes in figure.axes if axes.images and axes.get_title()]
    assert len(maps) == 5 * 2
    assert maps[3].get_title() == "pov10\norder.shares = 2,400"
    cells = maps[3].images[0].get_array()
    for row in data.to_pylist():
        if row["strategy"] == "pov10" and row["order.shares"] == 2400.0:
            i = SWEEP["market.price.volatility"].index(row["market.price.volatility"])
            j = SWEEP["strategies.almgren_chriss.risk_aversion"].index(row["strategies.almgren_chriss.risk_aversion"])
            assert cells[i, j] == row["saving_bps"]


def test_axes_leave_out_what_is_tied_or_the_same_everywhere():
    columns = {"a": [1, 1, 2, 2], "b": [10, 10, 20, 20], "c": ["x", "y", "x", "y"], "d": [5, 5, 5, 5]}
    assert axes_of(pa.table({"scenario": list("pqrs"), **columns})) == ["a", "c"]


def test_one_key_makes_lines_with_their_intervals(folder):
    comparison, scenarios, _ = tables(folder)
    data = savings_by_scenario(comparison.table, scenarios)
    mask = pa.compute.and_(
        pa.compute.equal(data["order.shares"], 600.0),
        pa.compute.equal(data["strategies.almgren_chriss.risk_aversion"], 1e-6),
    )
    (axes,) = savings_figure(data.filter(mask), ["market.price.volatility"]).axes
    line = next(line for line in axes.get_lines() if line.get_label() == "pov10")
    assert line.get_xdata().tolist() == SWEEP["market.price.volatility"]
    rows = [row for row in data.filter(mask).to_pylist() if row["strategy"] == "pov10"]
    assert line.get_ydata().tolist() == [row["saving_bps"] for row in rows]


def test_the_frontier_has_a_panel_for_each_other_combination(folder):
    _, scenarios, summary = tables(folder)
    data = frontier(summary, scenarios)
    rows = data.to_pylist()
    assert len({row["panel"] for row in rows}) == 6
    assert len(rows) == 6 * (5 + 2)
    assert all((row["risk_aversion"] is None) == (row["strategy"] != "almgren_chriss") for row in rows)
    panels = [axes for axes in frontier_figure(data).axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == list(dict.fromkeys(row["panel"] for row in rows))
    line = next(line for line in panels[0].get_lines() if line.get_label() == "almgren_chriss")
    own = [row for row in rows if row["strategy"] == "almgren_chriss"][:2]
    assert line.get_xydata().tolist() == [[row["risk_bps"], row["mean_bps"]] for row in own]


def test_pictures_are_files(folder, tmp_path):
    drawn = draw_sweep(folder, tmp_path / "f")
    drawn.append(
        draw_overview(folder, tmp_path / "f" / "overview.png", scenario=compare(folder).table["scenario"][0].as_py())
    )
    assert [path.name for path in drawn] == ["savings.png", "frontier.png", "overview.png"]
    assert all(path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for path in drawn)
    with pytest.raises(InputError, match="the study has a sweep; name one"):
        draw_overview(folder, tmp_path / "o.png")


def test_one_strategy_has_a_frontier_and_no_savings(tmp_path):
    one = {**SMALL, "episodes": 50, "strategies": [{"model": "almgren_chriss"}]}
    fx.run(
        Study.from_dict({**one, "sweep": {"strategies.almgren_chriss.risk_aversion": [1e-5, 1e-3]}}), out=tmp_path / "r"
    )
    assert [path.name for path in draw_sweep(tmp_path / "r", tmp_path / "f")] == ["frontier.png"]
    fx.run(Study.from_dict({**one, "sweep": {"order.shares": [600, 1200]}}), out=tmp_path / "s")
    with pytest.raises(InputError, match="one strategy and no swept risk aversion: nothing to draw"):
        draw_sweep(tmp_path / "s", tmp_path / "f")


def test_a_sweep_from_the_command_line(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    sweep = ("--set", "sweep.order.shares=[300, 600]")
    status, out, error = fastexec("run", "tiny.toml", *sweep, cwd=tmp_path, COLUMNS="80")
    assert (status, error) == (0, "")
    assert "shares_300: 300 episodes, saving against twap" in out
    assert max(map(len, out.splitlines()[:-1])) <= 80  # the last is the folder's path
    status, out, _ = fastexec("replay", "results/tiny", "--episode", "3", "--scenario", "shares_600", cwd=tmp_path)
    assert (status, out.count("twap"), out.count("pov10")) == (0, 6, 6)
    status, out, _ = fastexec("report", "results/tiny", "--figures", "f", cwd=tmp_path)
    assert (status, out) == (0, "drawn: f/savings.png\n")
    status, out, _ = fastexec("check", "tiny.toml", *sweep, cwd=tmp_path)
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
    ended, out, error = fastexec(*words, cwd=tmp_path)
    assert (ended, out) == (status, "")
    assert message in error
    assert error.count("\n") == 1
    assert tree(tmp_path) == ["tiny.toml"]
