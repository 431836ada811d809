"""The same charts as PNG and SVG files, drawn by matplotlib."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.report.charts import Area, Bars, Chart, Heat, Line, Mark, Panel, Points, needs_no_legend
from fastexec.analysis.report.frame import Range, limits
from fastexec.analysis.report.sections import Section
from fastexec.analysis.report.styles import DASHES, NEUTRAL, SYMBOLS
from fastexec.errors import InputError
from fastexec.place import Place

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 9.0  # inches
_LETTERS = 150  # of a line of the note
_MOST_LABELS = 12


def require_figures(folder: Path) -> None:
    """InputError, one line, where matplotlib is not installed or the folder cannot be one."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise InputError('pictures need matplotlib; install it: pip install "fastexec[report]"') from None
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--figures {folder}: is a file; name a folder")


def write_figures(folder: Path, sections: Sequence[Section]) -> list[Path]:
    """A PNG and an SVG of each view of each chart; names from the chart's key and the view."""
    import matplotlib

    written: list[Path] = []
    stems: set[str] = set()
    # The same bytes each time: no date, and names of elements from a fixed salt.
    with matplotlib.rc_context({"svg.hashsalt": "fastexec", "svg.fonttype": "path", "font.size": 9.0}):
        for chart in (chart for section in sections for chart in section.charts):
            for view, panels in chart.views.items():
                stem = _stem(chart.key, view, stems)
                figure = draw(chart, view, panels)
                for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
                    data = io.BytesIO()
                    figure.savefig(data, format=kind, dpi=120, metadata=metadata)
                    figure.set_layout_engine("none")  # it is laid out: the second time would take as long
                    written.append(folder / f"{stem}.{kind}")
                    Place.of(written[-1]).write(data.getvalue())
    return written


def _stem(key: str, view: str, taken: set[str]) -> str:
    """A file's name without its ending: letters, digits, dots and hyphens only, and not one of ``taken``."""
    name = f"{key}-{view.partition(',')[0]}" if view else key
    plain_name = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-")
    stem, number = plain_name, 2
    while stem.lower() in taken:
        stem, number = f"{plain_name}-{number}", number + 1
    taken.add(stem.lower())
    return stem


def draw(chart: Chart, view: str, panels: Sequence[Panel]) -> Figure:
    """One view of a chart."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, chart.height / 85.0 + 0.4), layout="constrained")
    shares = [panel.share for panel in panels]
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=shares)[:, 0]
    for panel, here, ends in zip(panels, axes, limits(panels), strict=True):
        draw_panel(here, panel, ends)
    axes[0].set_title(plain(chart.title + (f": {view}" if view else "")), fontsize=11, loc="left", weight="bold")
    _legend(figure, list(axes), all(needs_no_legend(panel) for panel in panels))
    said = " ".join(filter(None, [*(panel.note for panel in panels), chart.note]))
    figure.supxlabel(plain("\n".join(textwrap.wrap(said, _LETTERS))), x=0.01, ha="left", fontsize=7.5, color="0.35")
    return figure


def _legend(figure: Figure, axes: Sequence[Axes], named: bool) -> None:
    """One entry a name, below the title; none where an axis names them."""
    entries: dict[str, Any] = {}
    for here in axes:
        for handle, label in zip(*here.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    if len(entries) > 1 and not named:
        figure.legend(entries.values(), entries.keys(), loc="outside upper left", ncols=6, frameon=False, fontsize=8)


def plain(name: str) -> str:
    """A text of which matplotlib makes no formula."""
    return name.replace("$", r"\$")


def draw_panel(axes: Axes, panel: Panel, ends: dict[str, Range]) -> None:
    """Marks, axes and reference lines of one panel."""
    base: dict[float, tuple[np.ndarray, np.ndarray]] = {}
    for mark in panel.marks:
        _draw_mark(axes, mark, base)
    axes.set_xlabel(plain(panel.x_label))
    axes.set_ylabel(plain(panel.y_label))
    if panel.x_names:
        axes.set_xticks(range(len(panel.x_names)), [plain(name) for name in panel.x_names])
    if panel.y_names:
        axes.set_yticks(range(len(panel.y_names)), [plain(name) for name in panel.y_names])
    if panel.log_y:
        axes.set_yscale("log")
    if "x" in ends:
        axes.set_xlim(*ends["x"])
    if "y" in ends:
        axes.set_ylim(*ends["y"])
    for axis, line in (("x", axes.axvline), ("y", axes.axhline)):
        if axis in panel.zero:
            line(0.0, color=NEUTRAL, lw=0.9, zorder=0)
    for value, said in panel.levels:
        axes.axhline(value, color=NEUTRAL, ls=":", lw=1.2)
        axes.annotate(
            plain(said), (1.0, value), (0, 2), ("axes fraction", "data"), "offset points", ha="right", fontsize=8
        )
    if not any(isinstance(mark, Heat) for mark in panel.marks):
        axes.grid(color="0.9", lw=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)


def _draw_mark(axes: Axes, mark: Mark, base: dict[float, tuple[np.ndarray, np.ndarray]]) -> None:
    if isinstance(mark, Line):
        line: dict[str, Any] = {"color": mark.style.colour, "ls": _dashes(mark.style.dash), "label": plain(mark.name)}
        line |= {"marker": SYMBOLS[mark.style.symbol][0], "ms": 4} if mark.marked else {}
        axes.plot(mark.x, mark.y, lw=1.4, drawstyle="steps-mid" if mark.steps else "default", **line)
        if mark.band is not None:
            axes.fill_between(mark.x, *mark.band, color=mark.style.colour, alpha=0.14, lw=0)
    elif isinstance(mark, Area):
        axes.fill_between(mark.x, mark.y, step="mid", color="0.85", lw=0, label=plain(mark.name))
    elif isinstance(mark, Bars):
        _bars(axes, mark, base)
    elif isinstance(mark, Points):
        _points(axes, mark)
    else:
        _heat(axes, mark)


def _bars(axes: Axes, mark: Bars, base: dict[float, tuple[np.ndarray, np.ndarray]]) -> None:
    """``base``: what is stacked so far, upwards and downwards."""
    up, down = base.get(0.0, (np.zeros_like(mark.lengths), np.zeros_like(mark.lengths)))
    start = np.where(mark.lengths >= 0.0, up, down)
    paint: dict[str, Any] = {"color": mark.colour, "label": plain(mark.name)}
    if mark.along == "y":
        axes.bar(mark.places, mark.lengths, 0.8, bottom=start, **paint)
    else:
        axes.barh(mark.places, mark.lengths, 0.8, left=start, **paint)
    base[0.0] = (up + np.maximum(mark.lengths, 0.0), down + np.minimum(mark.lengths, 0.0))


def _points(axes: Axes, mark: Points) -> None:
    colour, label = mark.style.colour, plain(mark.name)
    sizes = 30.0 if mark.sizes is None else 6.0 + 30.0 * mark.sizes / max(float(mark.sizes.max(initial=0.0)), 1e-300)
    axes.scatter(
        mark.x, mark.y, sizes, colour, marker=SYMBOLS[mark.style.symbol][0], label=label, zorder=3, clip_on=False
    )
    if mark.joined:
        axes.plot(mark.x, mark.y, color=colour, ls=_dashes(mark.style.dash), lw=1.4)
    if mark.intervals:
        ends = {f"{axis}err": np.nan_to_num(np.stack(pair)) for axis, pair in mark.intervals.items()}
        axes.errorbar(mark.x, mark.y, fmt="none", ecolor=colour, elinewidth=1.6, capsize=3, **ends)
    for x, y, said in zip(mark.x, mark.y, mark.texts, strict=False):
        offset, ha, va = _BESIDE.get(mark.edge, ((0, 5), "center", "bottom"))
        axes.annotate(plain(said), (x, y), offset, textcoords="offset points", ha=ha, va=va, fontsize=8)


#: Where the text of a mark on an edge stands: offset, alignment.
_BESIDE = {
    "left": ((7, 0), "left", "center"),
    "right": ((-7, 0), "right", "center"),
    "top": ((0, -6), "center", "top"),
    "bottom": ((0, 6), "center", "bottom"),
}


def _dashes(name: str) -> Any:
    return (0, DASHES[name]) if DASHES[name] else "-"


def _heat(axes: Axes, mark: Heat) -> None:
    colours: dict[str, Any] = {"cmap": "cividis"}
    if mark.both:
        limit = float(np.nanmax(np.abs(mark.z), initial=1e-9))
        colours = {"cmap": "RdBu", "vmin": -limit, "vmax": limit}
    picture = axes.imshow(mark.z, origin="lower", aspect="auto", interpolation="nearest", **colours)
    for y, row in enumerate(mark.texts):
        for x, said in enumerate(row):
            dark = mark.both and abs(mark.z[y, x]) > 0.65 * colours["vmax"]
            axes.text(x, y, plain(said), ha="center", va="center", fontsize=8, color="white" if dark else "black")
    axes.figure.colorbar(picture, ax=axes, label=plain(mark.name), pad=0.01)
    for names, ticks in ((mark.x, axes.set_xticks), (mark.y, axes.set_yticks)):
        every = -(-len(names) // _MOST_LABELS)
        ticks(range(0, len(names), every), [plain(name) for name in names[::every]])
