"""Panels as a plotly figure: plain dictionaries, so that nothing but the library in the page is needed to draw them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastexec.analysis.report.charts import Area, Bars, Heat, Line, Mark, Panel, Points, needs_no_legend
from fastexec.analysis.report.frame import Range, limits
from fastexec.analysis.report.styles import DASHES, NEUTRAL

_GRID = "rgba(128,128,128,0.22)"
_GAP = 0.05
_LONGEST = 16
_WIDTH = 2.0  # of a line
#: Where the text of a mark on an edge stands.
_BESIDE = {"left": "middle right", "right": "middle left", "top": "bottom center", "bottom": "top center"}
# Red to blue, as matplotlib's RdBu (ColorBrewer): told apart by colour-blind readers.
_BOTH = [[0.0, "#B2182B"], [0.25, "#F4A582"], [0.5, "#F7F7F7"], [0.75, "#92C5DE"], [1.0, "#2166AC"]]


def view(panels: Sequence[Panel], height: int) -> dict[str, Any]:
    """``data``, ``layout`` and ``height`` of a view; colours of texts and lines are left to the page's style sheet."""
    layout: dict[str, Any] = {
        "margin": {"l": 64, "r": 16, "t": 8, "b": 48},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "itemsizing": "constant"},
        "hovermode": "closest",
        "barmode": "relative",
        "shapes": [],
        "annotations": [],
    }
    data: list[dict[str, Any]] = []
    named: set[str] = set()
    for number, (panel, domain, ends) in enumerate(zip(panels, _domains(panels), limits(panels), strict=True)):
        axes = "" if number == 0 else str(number + 1)
        layout[f"xaxis{axes}"] = _x_axis(panel, number, last=number == len(panels) - 1) | _range(ends, "x", False)
        layout[f"yaxis{axes}"] = _y_axis(panel, domain) | {"anchor": f"x{axes}"} | _range(ends, "y", panel.log_y)
        for mark in panel.marks:
            for trace in _traces(mark, domain):
                trace |= {"xaxis": f"x{axes}", "yaxis": f"y{axes}"}
                if "legendgroup" in trace:
                    trace["showlegend"] = trace.get("showlegend", True) and trace["legendgroup"] not in named
                    named |= {trace["legendgroup"]} if trace["showlegend"] else set()
                data.append(trace)
        _levels(panel, axes, layout)
    if all(needs_no_legend(panel) for panel in panels):
        layout["showlegend"] = False
    note = " ".join(panel.note for panel in panels if panel.note)
    return {"data": data, "layout": layout, "height": height, "named": sorted(named), "note": note}


def _range(ends: dict[str, Range], axis: str, logarithmic: bool) -> dict[str, Any]:
    if axis not in ends:
        return {}
    return {"range": [number_of(float(np.log10(end)) if logarithmic else end) for end in ends[axis]]}


def _domains(panels: Sequence[Panel]) -> list[tuple[float, float]]:
    """(low, high) of each panel on the page's y axis, the first on top."""
    room = 1.0 - _GAP * (len(panels) - 1)
    total, top, found = sum(panel.share for panel in panels), 1.0, []
    for panel in panels:
        height = room * panel.share / total
        found.append((max(top - height, 0.0), top))
        top -= height + _GAP
    return found


def _x_axis(panel: Panel, number: int, last: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "title": {"text": text(panel.x_label), "standoff": 8},
        "automargin": True,
        "gridcolor": _GRID,
    }
    axis |= {"zeroline": "x" in panel.zero, "zerolinecolor": NEUTRAL, "anchor": f"y{number + 1 if number else ''}"}
    if panel.x_names:
        axis |= _names(panel.x_names) | {"autotickangles": [0, -35, -90]}
    if number:
        axis["matches"] = "x"
    if not last:
        axis["showticklabels"] = False
    if any(isinstance(mark, Heat) for mark in panel.marks):
        axis |= {"type": "category", "nticks": 12, "showgrid": False}
    return axis


def _y_axis(panel: Panel, domain: tuple[float, float]) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "title": {"text": text(panel.y_label), "standoff": 6},
        "automargin": True,
        "gridcolor": _GRID,
    }
    axis |= {"domain": list(domain), "zeroline": "y" in panel.zero, "zerolinecolor": NEUTRAL}
    if panel.y_names:
        axis |= _names(panel.y_names)
    if panel.log_y:
        shown = np.concatenate([mark.y for mark in panel.marks if isinstance(mark, Line)])
        short_axis = shown.max() < 100.0 * shown.min()
        axis |= {"type": "log", "dtick": "D2" if short_axis else 1, "exponentformat": "none"}
    if any(isinstance(mark, Heat) for mark in panel.marks):
        axis |= {"type": "category", "nticks": 8, "showgrid": False}
    return axis


def _names(names: Sequence[str]) -> dict[str, Any]:
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [text(in_lines(name)).replace("\n", "<br>") for name in names],
    }


def in_lines(name: str) -> str:
    """A name in lines that leave room for the chart on a phone, broken behind dots, hyphens and underscores only."""
    lines = [""]
    for part in re.split(r"(?<=[._-])(?=[^._-])", name):
        if lines[-1] and len(lines[-1]) + len(part) > _LONGEST:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def text(name: str) -> str:
    """A text of which plotly makes no markup."""
    return html.escape(name, quote=False)


def number_of(value: float) -> float | None:
    """Six digits, which no chart shows more of; None for what is no number."""
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _list(values: np.ndarray) -> list[Any]:
    if values.ndim == 2:
        return [_list(row) for row in values]
    return [number_of(value) for value in values.tolist()]


def _levels(panel: Panel, axes: str, layout: dict[str, Any]) -> None:
    for value, said in panel.levels:
        place = {"xref": "paper", "yref": f"y{axes}"}
        line = {"color": NEUTRAL, "dash": "dot", "width": 1.5}
        layout["shapes"].append({**place, "type": "line", "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line})
        if said:
            words = {
                "text": text(said),
                "showarrow": False,
                "x": 1,
                "y": value,
                "xanchor": "right",
                "yanchor": "bottom",
            }
            layout["annotations"].append({**place, **words})


def _traces(mark: Mark, domain: tuple[float, float]) -> list[dict[str, Any]]:
    if isinstance(mark, Line):
        return _line(mark)
    if isinstance(mark, Area):
        filled = {"fill": "tozeroy", "fillcolor": "rgba(128,128,128,0.3)", "line": {"width": 0, "shape": "hvh"}}
        return [_scatter(mark.name, mark.x, mark.y) | filled | {"mode": "lines"}]
    if isinstance(mark, Bars):
        other, orientation = ("x", "v") if mark.along == "y" else ("y", "h")
        bars = {"type": "bar", "orientation": orientation, "marker": {"color": mark.colour}}
        bars |= {mark.along: _list(mark.lengths), other: _list(mark.places)}
        return [bars | {"name": text(mark.name), "legendgroup": text(mark.name)}]
    return [_points(mark)] if isinstance(mark, Points) else [_heat(mark, domain)]


def _scatter(name: str, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    return {"type": "scatter", "name": text(name), "legendgroup": text(name), "x": _list(x), "y": _list(y)}


def _line(mark: Line) -> list[dict[str, Any]]:
    style = mark.style
    line = {
        "color": style.colour,
        "dash": dashes(style.dash),
        "width": _WIDTH,
        "shape": "hvh" if mark.steps else "linear",
    }
    own = _scatter(mark.name, mark.x, mark.y) | {"line": line, "mode": "lines+markers" if mark.marked else "lines"}
    own |= {"marker": {"symbol": style.symbol, "size": 6, "color": style.colour}}
    if mark.band is None:
        return [own]
    low, high = mark.band
    outline = _scatter(mark.name, np.concatenate((mark.x, mark.x[::-1])), np.concatenate((high, low[::-1])))
    filled = {"fill": "toself", "fillcolor": translucent(style.colour), "line": {"width": 0}, "mode": "lines"}
    return [outline | filled | {"hoverinfo": "skip", "showlegend": False}, own]


def dashes(name: str) -> str:
    """Lengths in pixels, which plotly takes as well as its own names."""
    return ",".join(f"{length * _WIDTH:g}px" for length in DASHES[name]) or "solid"


def translucent(colour: str, alpha: float = 0.14) -> str:
    """``#RRGGBB`` as rgba()."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def _points(mark: Points) -> dict[str, Any]:
    mode = "markers" + ("+text" if mark.texts else "") + ("+lines" if mark.joined else "")
    found = _scatter(mark.name, mark.x, mark.y) | {"mode": mode}
    if mark.joined:
        found["line"] = {"color": mark.style.colour, "dash": dashes(mark.style.dash), "width": _WIDTH}
    size: Any = 10
    if mark.sizes is not None:
        size = _list(3.0 + 8.0 * np.sqrt(mark.sizes / max(float(mark.sizes.max(initial=0.0)), 1e-300)))
    found["marker"] = {"color": mark.style.colour, "symbol": mark.style.symbol, "size": size}
    found["cliponaxis"] = False
    if mark.texts:
        shown = [text(t).replace("\n", "<br>") for t in mark.texts]
        found |= {"text": shown, "textposition": _BESIDE.get(mark.edge, "top center")}
    if mark.told:
        found |= {"hovertext": [text(t) for t in mark.told]}
    for axis, (down, up) in mark.intervals.items():
        ends = {"type": "data", "symmetric": False, "thickness": 2, "width": 5, "color": mark.style.colour}
        found[f"error_{axis}"] = ends | {"array": _list(up), "arrayminus": _list(down)}
    return found


def _heat(mark: Heat, domain: tuple[float, float]) -> dict[str, Any]:
    bar = {"title": {"text": text(mark.name), "side": "right"}, "thickness": 12, "y": sum(domain) / 2.0}
    found = {
        "type": "heatmap", "x": [text(x) for x in mark.x], "y": [text(y) for y in mark.y], "z": _list(mark.z),
        "colorscale": "Cividis", "colorbar": bar | {"len": domain[1] - domain[0]}, "name": text(mark.name),
        "hoverongaps": False,
    }  # fmt: skip
    if mark.both:
        limit = number_of(float(np.nanmax(np.abs(mark.z), initial=1e-9)))
        assert limit is not None
        found |= {"colorscale": _BOTH, "zmin": -limit, "zmax": limit}
    if mark.texts:
        found |= {"text": [[text(t) for t in row] for row in mark.texts], "texttemplate": "%{text}"}
    hover = f"%{{x}}, %{{y}}<br>{text(mark.name)}: %{{z:.4g}}"
    if mark.told is not None:
        found["customdata"] = _list(mark.told)
        hover += f"<br>{text(mark.told_name)}: %{{customdata:,.0f}}"
    return found | {"hovertemplate": f"{hover}<extra></extra>"}
