"""Colours that stay apart, axes that no strategy decides alone, and the same axes and marks in the page and in pictures."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from conftest import small_study
from fastexec.analysis.report.charts import Bars, Chart, Line, Panel, Points
from fastexec.analysis.report.figures import draw
from fastexec.analysis.report.frame import _told, framed, limits, reach
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.plotly_view import view
from fastexec.analysis.report.sections import sections_of
from fastexec.analysis.report.styles import COLOURS, PART_COLOURS, Style, style_of
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.studies.study import Study

# Machado, Oliveira and Fernandes (2009), of full deuteranopia and protanopia.
DEFICIENT = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = XYZ @ np.clip(rgb, 0.0, 1.0) / [0.95047, 1.0, 1.08883]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def lightness(colour):
    return lab(linear(colour))[0]


def contrast(colour, paper):
    light, dark = sorted((float(XYZ[1] @ linear(c)) + 0.05 for c in (colour, paper)), reverse=True)
    return light / dark


def apart(colours, matrix=None):
    matrix = np.eye(3) if matrix is None else np.array(matrix)
    places = [lab(matrix @ linear(colour)) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(places, 2))


def test_sixteen_colours_stay_apart_to_everybody_on_white_and_on_black():
    assert len(set(COLOURS)) == 16
    assert apart(COLOURS) > 25.0
    assert all(apart(COLOURS, matrix) > 15.0 for matrix in DEFICIENT.values())
    assert min(contrast(colour, paper) for colour in COLOURS for paper in ("#ffffff", "#14171b")) > 2.0


def test_in_grey_24_strategies_differ_in_lightness_or_dash_and_in_lightness_or_symbol():
    for a, b in combinations(map(style_of, range(24)), 2):
        steps = abs(lightness(a.colour) - lightness(b.colour))
        assert steps > 8.0 or a.dash != b.dash
        assert steps > 8.0 or a.symbol != b.symbol


def test_where_a_colour_comes_again_dash_and_symbol_differ():
    styles = [style_of(number) for number in range(48)]
    assert len({(s.colour, s.dash) for s in styles}) == len({(s.colour, s.symbol) for s in styles}) == 48
    for a, b in combinations(styles, 2):
        assert a.colour != b.colour or (a.dash != b.dash and a.symbol != b.symbol)


def test_parts_that_are_stacked_on_one_another_differ_in_lightness():
    assert apart(PART_COLOURS) > 12.0
    assert all(abs(lightness(a) - lightness(b)) > 15.0 for a, b in zip(PART_COLOURS, PART_COLOURS[1:], strict=False))


def points(values, half=0.1):
    return [
        Points(f"s{k}", np.array([v]), np.array([float(k)]), style_of(k), np.array([v - half]), np.array([v + half]))
        for k, v in enumerate(values)
    ]


@pytest.mark.parametrize(("values", "beyond"), [
    ([0.0, 0.5, -1.0, -60.0], {"s3"}),
    ([0.0, 0.01, -60.0], {"s2"}),
    ([0.0, 0.5, -1.0, 0.7, -60.0, 55.0], {"s4", "s5"}),
    ([0.0, -60.0], set()),  # of two neither is the odd one
    ([0.0, -10.0, -20.0, -30.0], set()),
    ([0.0, 0.1, -60.0, -61.0], set()),  # half of them are no outliers
    ([1.0, 1.0, 1.0, 5.0], {"s3"}),
])  # fmt: skip
def test_the_worst_does_not_decide_the_axis_and_stands_at_its_edge_with_its_value(values, beyond):
    marks, ranges, told = framed(points(values), "x")
    low, high = ranges["x"]
    at_edge = {mark.name: mark for mark in marks if mark.edge}
    assert set(at_edge) == beyond
    assert all(name in told for name in beyond)
    assert bool(told) == bool(beyond)
    for name, mark in at_edge.items():
        value = values[int(name[1:])]
        assert f"{value:,.4g}" in mark.texts[0]
        assert mark.edge == ("right" if value > high else "left")
        assert low < mark.x[0] < high
    for k, value in enumerate(values):
        assert (low < value < high) == (f"s{k}" not in beyond)


def test_nothing_is_lost_where_all_lie_together():
    assert reach(np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.5, 3.5])) == (1.0, 3.5)
    assert reach(np.array([np.nan]), np.array([np.nan]), [0.0]) == (0.0, 0.0)
    assert reach(np.array([1.0, 2.0]), np.array([1.5, 2.5]), [0.0]) == (0.0, 2.5)


def test_limits_hold_all_that_is_drawn():
    line = Line("a", np.array([0.0, 10.0]), np.array([-3.0, 4.0]), Style("#000000"))
    bars = [
        Bars(name, np.array([0.0, 1.0]), np.array(lengths), "#000000")
        for name, lengths in (("p", [2, -1]), ("q", [3, -4]))
    ]
    for panel, x, y in (
        (Panel([line], "", ""), (0.0, 10.0), (-3.0, 4.0)),
        (Panel(bars, "", ""), (-0.5, 1.5), (-5.0, 5.0)),
    ):
        (ends,) = limits([panel])
        for (low, high), (least, most) in ((ends["x"], x), (ends["y"], y)):
            assert low <= least < most <= high
            assert high - low < 1.2 * (most - least)


WIDE = [{"model": m} for m in ("twap", "vwap", "almgren_chriss", "static_optimum", "obizhaeva_wang", "immediate")]


@pytest.fixture(scope="module")
def charts(tmp_path_factory):
    place = tmp_path_factory.mktemp("frame") / "r"
    study = small_study(strategies=WIDE, order={"shares": 6000}, costs={"temporary": {"coefficient": 0.02}})
    run(Study.model_validate(study.model_dump()), out=place)
    return {c.key: c for s in sections_of(open_results(Place.of(place), None, None)) for c in s.charts}


def test_pictures_have_the_axes_and_marks_of_the_page(charts):
    """The same ends of every axis, the same texts at the marks, the same notes."""
    edges = 0
    for chart in charts.values():
        for name, panels in list(chart.views.items())[:3]:
            page, picture = view(panels, chart.height), draw(chart, name, panels)
            shown = [text.replace("<br>", "\n") for trace in page["data"] for text in trace.get("text", []) if text]
            drawn = [text.get_text() for axes in picture.axes for text in axes.texts]
            assert sorted(t for t in shown if t) == sorted(t for t in drawn if t and t not in levels_of(panels)), (
                chart.key,
                name,
            )
            edges += sum(any(arrow in text for arrow in "←→↑↓") for text in shown)
            for number, axes in enumerate(picture.axes[: len(panels)]):
                layout = page["layout"]
                for axis, ends in (("x", axes.get_xlim()), ("y", axes.get_ylim())):
                    there = layout[f"{axis}axis{number + 1 if number else ''}"]
                    wanted = np.log10(ends) if there.get("type") == "log" else ends
                    assert there["range"] == pytest.approx(wanted, rel=1e-4, abs=1e-9), (chart.key, name, axis)
            said = picture.get_supxlabel() if hasattr(picture, "get_supxlabel") else picture._supxlabel.get_text()
            assert " ".join(said.split()).startswith(" ".join(page["note"].split()))
    assert edges > 3


def levels_of(panels):
    return {said for panel in panels for _, said in panel.levels}


def test_what_is_rounding_beside_the_frame_is_said_to_be_nothing():
    assert [_told(value, (21.0, 24.0)) for value in (1.7e-13, -1.7e-13, 12.5501, 0.0)] == ["0", "0", "12.55", "0"]


def test_the_dearest_strategy_is_marked_at_the_edge_of_savings_and_risk(charts):
    assert isinstance(charts["savings"], Chart)
    for key in ("savings", "risk", "parts"):
        marks = next(iter(charts[key].views.values()))[0].marks
        assert any(isinstance(mark, Points) and mark.edge for mark in marks), key
    assert "immediate" in next(iter(charts["savings"].views.values()))[0].note
