"""Pictures of a sweep: savings over the swept keys, and frontiers of mean cost against risk. Needs matplotlib."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.comparison import compare
from fastexec.analysis.picture import COLOURS, new_figure, save
from fastexec.analysis.sweep_tables import axes_of, frontier, savings_by_scenario, shown
from fastexec.errors import InputError
from fastexec.studies import store
from fastexec.studies.place import Place

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS, _MOST_STRATEGIES, _MOST_CELLS = 6, 8, 200
_LEAST_COLOURED = 0.01  # bps: less is no colour
_LONGEST_LABEL, _LONGEST_TITLE = 24, 70
_RISK_LABELS = {"sd": "sd of the shortfall (bps)", "cvar95": "mean of the dearest 5 % of shortfalls (bps)"}

Rows = list[dict[str, Any]]


def draw_sweep(folder: str | Path | Place, figures: Path, baseline: str | None = None, risk: str = "sd") -> list[Path]:
    """``savings.png``, and ``frontier.png`` where a risk aversion is swept, in the folder ``figures``; their paths.

    Raises InputError where the folder holds no complete results of a sweep, FastexecError where a file cannot be written.
    """
    comparison = compare(folder, baseline=baseline)
    if comparison.table["saving_bps"].null_count:
        raise InputError(f"{folder}: under the cost rule per_step there are no basis points to draw")
    scenarios, summary = (store.read_table(Place.of(folder) / f"{name}.parquet") for name in ("scenarios", "summary"))
    axes = axes_of(scenarios)
    savings, drawn = savings_by_scenario(comparison.table, scenarios), {}
    if savings.num_rows:  # none where the baseline is the only strategy
        drawn["savings.png"] = savings_figure(savings, axes)
    if any(key.endswith(".risk_aversion") for key in axes):
        drawn["frontier.png"] = frontier_figure(frontier(summary, scenarios, risk), risk)
    if not drawn:
        raise InputError(
            f"{folder}: one strategy and no swept risk aversion: nothing to draw; --scenario draws one scenario"
        )
    for name, figure in drawn.items():
        save(figure, figures / name)
    return [figures / name for name in drawn]


def savings_figure(data: pa.Table, axes: list[str]) -> Figure:
    """Heat maps of the saving over the first two of the swept keys ``axes``, a row for each strategy; a third key makes
    columns of them (further keys: their first value, which the title states). Over one key: lines with 95 % intervals.

    data: from ``sweep_tables.savings_by_scenario``; axes: from ``sweep_tables.axes_of``.
    """
    rows: Rows = data.to_pylist()
    tied = _tied_to(rows, axes)
    rows, sliced = _slice(rows, axes[3:])
    if len(axes) < 2:
        return _lines(rows, axes[0] if axes else "scenario", tied)
    strategies, left = _first(_values(rows, "strategy"), _MOST_STRATEGIES, "strategies")
    panels, more = _first(_values(rows, axes[2]), _MOST_PANELS, axes[2]) if len(axes) > 2 else ([None], "")
    titles = [""] * len(panels) if panels == [None] else [f"\n{_short(axes[2])} = {text}" for text in _labels(panels)]
    figure = new_figure(1.5 + 3.4 * len(panels), 0.9 + (2.6 if len(axes) < 3 else 2.8) * len(strategies))
    grid = figure.subplots(len(strategies), len(panels), squeeze=False)
    for (i, strategy), (j, panel) in product(enumerate(strategies), enumerate(panels)):
        own = [row for row in rows if row["strategy"] == strategy]
        limit = max([_LEAST_COLOURED, *(abs(row["saving_bps"]) for row in own)])
        image = _heat_map(grid[i, j], [r for r in own if panel is None or r[axes[2]] == panel], axes[:2], limit)
        grid[i, j].set_title(f"{strategy}{titles[j]}", fontsize=9)
        if j == len(panels) - 1:
            figure.colorbar(image, ax=list(grid[i]), label="saving (bps)", shrink=0.9)
    note = (f" at {', '.join(sliced)}" if sliced else "") + left + more + tied
    figure.suptitle(
        f"Saving against {rows[0]['baseline']}{note}\n(bps; blue is cheaper; in brackets: no difference shown)",
        fontsize=10,
    )
    return figure


def frontier_figure(data: pa.Table, risk: str = "sd") -> Figure:
    """Mean cost against risk, a line for each strategy whose risk aversion is swept, a mark for each other one.

    data: from ``sweep_tables.frontier`` with the same ``risk``; a panel for each combination of other swept values (six at
    most).
    """
    rows: Rows = data.to_pylist()
    panels, more = _first(_values(rows, "panel"), _MOST_PANELS, "panels")
    strategies = _values(rows, "strategy")
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure = new_figure(1.0 + 4.6 * columns, 0.6 + 4.0 * lines)
    grid = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        for k, strategy in enumerate(strategies):
            own = [row for row in rows if row["panel"] == panel and row["strategy"] == strategy]
            _frontier_of(axes, own, COLOURS[k % len(COLOURS)], strategy)
        axes.set(xlabel=_RISK_LABELS[risk], ylabel="mean cost (bps)")
        axes.set_title(panel if len(panel) <= _LONGEST_TITLE else f"{panel[:_LONGEST_TITLE]}...", fontsize=9)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    grid[0].legend(frameon=False, fontsize=8)
    figure.suptitle(f"Mean cost against risk; along a line, risk aversion (1/currency){more}", fontsize=10)
    return figure


def _first(values: list[Any], most: int, what: str) -> tuple[list[Any], str]:
    """As many as fit, and words that say so."""
    return values[:most], f", the first {most} of {len(values)} {what}" if len(values) > most else ""


def _tied_to(rows: Rows, axes: list[str]) -> str:
    """Words that name the keys which vary with those of the axes."""
    keys = list(rows[0])[1 : list(rows[0]).index("strategy")]
    tied = [_short(key) for key in keys if key not in axes and any(row[key] != rows[0][key] for row in rows)]
    return f"; tied to these: {', '.join(tied)}" if tied else ""


def _slice(rows: Rows, keys: list[str]) -> tuple[Rows, list[str]]:
    """The rows at the first value of each key, and these values in words."""
    words = []
    for key in keys:
        first = rows[0][key]
        rows = [row for row in rows if row[key] == first]
        words.append(f"{_short(key)} = {_labels([first])[0]}")
    return rows, words


def _values(rows: Rows, key: str) -> list[Any]:
    """The different values, in the order in which they come; numbers sorted."""
    values: list[Any] = []
    for row in rows:
        if row[key] not in values:
            values.append(row[key])
    return sorted(values) if all(isinstance(v, (int, float)) for v in values) else values


def _labels(values: list[Any]) -> list[str]:
    """Values in words; sections and lists, which are long, by their places, as in the scenarios' names."""
    words = [shown(value) for value in values]
    return words if max(map(len, words)) <= _LONGEST_LABEL else [str(j) for j in range(1, len(words) + 1)]


def _heat_map(axes: Axes, rows: Rows, keys: list[str], limit: float) -> Any:
    """``keys``: of the vertical and the horizontal axis; cells without a scenario stay blank."""
    down, across = (_values(rows, key) for key in keys)
    cells = np.full((len(down), len(across)), np.nan)
    for row in rows:
        i, j = down.index(row[keys[0]]), across.index(row[keys[1]])
        cells[i, j] = row["saving_bps"]
        sure = row["ci_low_bps"] is None or not row["ci_low_bps"] <= 0.0 <= row["ci_high_bps"]
        if len(down) * len(across) <= _MOST_CELLS:
            text = format(row["saving_bps"], "+.3f" if limit < 10.0 else "+.2f")
            dark = abs(row["saving_bps"]) > 0.65 * limit
            axes.text(
                j, i, text if sure else f"({text})", ha="center", va="center", fontsize=8, color="w" if dark else "k"
            )
    image = axes.imshow(cells, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto", origin="lower")
    axes.set_yticks(range(len(down)), _labels(down), fontsize=8)
    axes.set_xticks(range(len(across)), _labels(across), fontsize=8)
    axes.set_xlabel(_short(keys[1]), fontsize=8)
    axes.set_ylabel(_short(keys[0]), fontsize=8)
    return image


def _lines(rows: Rows, key: str, tied: str) -> Figure:
    """Savings over one key, with their intervals."""
    figure = new_figure(8.0, 5.0)
    axes = figure.subplots()
    values = _values(rows, key)
    numeric = all(isinstance(v, (int, float)) for v in values)
    for k, strategy in enumerate(_values(rows, "strategy")):
        own = sorted((row for row in rows if row["strategy"] == strategy), key=lambda r: values.index(r[key]))
        x = [row[key] if numeric else values.index(row[key]) for row in own]
        saving, low, high = (
            np.array([row[name] for row in own], float) for name in ("saving_bps", "ci_low_bps", "ci_high_bps")
        )
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(x, saving, "o-", color=colour, ms=4, lw=1.2, label=strategy)
        axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0.0)
    if not numeric:
        axes.set_xticks(range(len(values)), _labels(values), rotation=20, ha="right", fontsize=8)
    elif min(values) > 0 and max(values) > 20 * min(values):
        axes.set_xscale("log")
    axes.axhline(0.0, color="black", lw=0.8)
    axes.set(xlabel=key, ylabel="saving (bps); above 0 is cheaper")
    axes.set_title(f"Saving against {rows[0]['baseline']} with 95 % intervals{tied}", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _frontier_of(axes: Axes, rows: Rows, colour: str, name: str) -> None:
    x, y = ([row[column] for row in rows] for column in ("risk_bps", "mean_bps"))
    alone = rows and rows[0]["risk_aversion"] is None
    axes.margins(0.12)
    axes.plot(x, y, "D" if alone else "o-", color=colour, ms=6 if alone else 4, lw=1.2, label=name)
    for row in [] if alone else [rows[0], rows[-1]]:
        place = (row["risk_bps"], row["mean_bps"])
        axes.annotate(shown(row["risk_aversion"]), place, (4, 4), textcoords="offset points", fontsize=7, color=colour)


def _short(key: str) -> str:
    """The key without its outer sections: ``price.volatility``, ``pov10.rate``."""
    return ".".join(key.split(".")[-2:])
