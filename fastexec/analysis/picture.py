"""One picture of finished results, from their Parquet files: costs, their parts, schedules, savings. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.analysis.comparison import Comparison, compare
from fastexec.columns import PARTS
from fastexec.errors import FastexecError, InputError
from fastexec.simulation import prepare
from fastexec.studies import store
from fastexec.studies.place import Place
from fastexec.studies.study import Study
from fastexec.studies.sweep import Swept, scenario_named

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008): told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999", "#000000")
_REGENERATED = 512
_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # behind figures that cross a line
_CELLS = 70
_PART_COLOURS = ("#35618F", "#8FB3D9", "#7A9E7E", "#C9B458", "#B97A7A", "#9A8FB5", "#8C8C8C")  # no strategy's


def draw_overview(
    folder: str | Path, path: str | Path, baseline: str | None = None, scenario: str | None = None
) -> Path:
    """Four panels as PNG at ``path``: shortfall by strategy, parts of the mean cost, schedules against the volume,
    savings with intervals; of a study with a sweep, those of one scenario.

    Raises InputError where the folder holds no complete results or matplotlib is not installed, FastexecError where the
    file cannot be written.
    """
    place, path = Place.of(folder), Path(path)
    figure = new_figure(13, 9)
    swept = scenario_named(store.read_study(place), scenario)
    comparison = compare(folder, baseline=baseline, scenario=scenario)
    summary, study = comparison.summaries[""], swept.study
    if study.costs.rule == "per_step":
        raise InputError(f"{folder}: under the cost rule per_step there are no basis points to draw")
    colours = {s.name: COLOURS[k % len(COLOURS)] for k, s in enumerate(study.strategies)}
    axes = figure.subplots(2, 2)
    _distributions(axes[0, 0], place, swept, summary, colours)
    _parts(axes[0, 1], summary)
    _schedules(axes[1, 0], place, swept, colours)
    _savings(axes[1, 1], comparison, colours)
    episodes = summary["episodes"][0].as_py()
    name = study.name if scenario is None else f"{study.name}, {scenario}"
    figure.suptitle(f"{name}: {episodes:,} episodes, {study.order.side} {_order(study)} in {study.order.steps} steps")
    save(figure, path)
    return path


def new_figure(width: float, height: float) -> Figure:
    """An empty figure (inches); InputError where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError('pictures need matplotlib; install it: pip install "fastexec[report]"') from None
    return Figure(figsize=(width, height), layout="constrained")


def _order(study: Study) -> str:
    shares = study.order.shares
    if isinstance(shares, (int, float)):
        return f"{shares:,.6g} shares"
    return f"{shares.low:,.6g} to {shares.high:,.6g} shares"


def save(figure: Figure, path: Path) -> None:
    """Write a PNG as a whole; FastexecError where it cannot be written."""
    partial = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(partial, format="png", dpi=120)
        partial.replace(path)
    except OSError as error:
        raise FastexecError(f"{path}: cannot be written ({error.strerror})") from None


def _distributions(axes: Axes, folder: Place, swept: Swept, summary: pa.Table, colours: dict[str, str]) -> None:
    """Densities from a histogram of every row; from the summary's quantiles where there are no rows."""
    low, high = min(summary["shortfall_p01_bps"].to_pylist()), max(summary["shortfall_p99_bps"].to_pylist())
    edges = np.linspace(low, high if high > low else low + 1.0, _CELLS + 1)
    counts = _histograms(store.home_of(folder, "episodes", swept.name), len(colours), edges)
    for k, (name, colour) in enumerate(colours.items()):
        if counts is not None:
            density = counts[k] / max(counts[k].sum(), 1) / (edges[1] - edges[0])
            axes.plot(0.5 * (edges[1:] + edges[:-1]), density, color=colour, label=name, lw=1.4)
        else:
            row = summary.slice(k, 1).to_pylist()[0]
            cut = [row[f"shortfall_p{q:02d}_bps"] for q in (5, 25, 50, 75, 95)]
            axes.plot([cut[0], cut[4]], [k, k], color=colour, lw=1.4)
            axes.plot([cut[1], cut[3]], [k, k], color=colour, lw=6, label=name)
            axes.plot(cut[2], k, "o", color="white", ms=4)
    if counts is None:
        axes.set_yticks([])
    axes.set(
        title="Shortfall by strategy, 1 % to 99 %", xlabel="implementation shortfall (bps)", ylabel="density (1/bps)"
    )
    axes.legend(frameon=False, fontsize=9)


def _histograms(episodes: Place, strategies: int, edges: np.ndarray) -> np.ndarray | None:
    """Counts [k, cell] over all part files, one in memory at a time."""
    parts = store.parts(episodes)
    counts = np.zeros((strategies, edges.size - 1), np.int64)
    for part in parts:
        shortfall = store.read_columns(part, ["shortfall_bps"])["shortfall_bps"].reshape(-1, strategies)
        counts += np.stack([np.histogram(shortfall[:, k], edges)[0] for k in range(strategies)])
    return counts if parts else None


def _parts(axes: Axes, summary: pa.Table) -> None:
    """Mean cost parts, positive ones stacked upwards and negative ones downwards, the sum as a mark."""
    rows = summary.to_pylist()
    x = np.arange(len(rows))
    up, down = np.zeros(len(rows)), np.zeros(len(rows))
    for j, part in enumerate(PARTS):
        means = np.array([row[f"{part}_mean_bps"] for row in rows])
        if np.abs(means).max() < 5e-4:
            continue
        base = np.where(means >= 0.0, up, down)
        axes.bar(x, means, 0.65, bottom=base, color=_PART_COLOURS[j], label=part)
        up, down = up + np.maximum(means, 0.0), down + np.minimum(means, 0.0)
    axes.plot(x, [row["shortfall_mean_bps"] for row in rows], "D", color="black", ms=5, label="shortfall")
    axes.set_xticks(x, [row["strategy"] for row in rows], rotation=20, ha="right")
    axes.axhline(0.0, color="black", lw=0.6)
    axes.set_ylim(top=1.25 * max(float(up.max()), 1e-9))
    axes.set(title="Parts of the mean cost", ylabel="bps of the order's value")
    axes.legend(frameon=False, fontsize=9, ncols=4, loc="upper center")


def _schedules(axes: Axes, folder: Place, swept: Swept, colours: dict[str, str]) -> None:
    """Mean share of the order traded in each step, and the market's mean volume in the same unit."""
    steps, count = _steps(folder, swept)
    n = swept.study.order.steps
    shares = steps["shares"].reshape(count, len(colours), n)
    volume = steps["volume"].reshape(count, len(colours), n)[:, 0].mean(axis=0)
    order = (steps["remaining"] + steps["shares"]).reshape(count, len(colours), n)[:, 0, 0]
    t = np.arange(n)
    axes.fill_between(t, 100 * volume / volume.sum(), step="mid", color="0.88", label="market volume")
    most = 100 * float((volume / volume.sum()).max())
    for k, (name, colour) in enumerate(colours.items()):
        mean = 100 * (shares[:, k] / order[:, None]).mean(axis=0)
        axes.plot(t, mean, color=colour, lw=1.4, label=name, drawstyle="steps-mid")
        most = max(most, float(np.quantile(mean, 0.98)))
    axes.set_ylim(0.0, 1.25 * most)
    axes.set(title=f"Mean schedule ({count:,} episodes)", xlabel="step", ylabel="share of the order (%)")
    axes.legend(frameon=False, fontsize=9)


def _steps(folder: Place, swept: Swept) -> tuple[dict[str, np.ndarray], int]:
    """Stored steps, or the same regenerated where none were asked for."""
    stored = store.parts(store.home_of(folder, "steps", swept.name))
    if stored:
        columns = store.read_columns(stored[0], ["episode", "shares", "volume", "remaining"])
        return columns, int(columns["episode"][-1] - columns["episode"][0]) + 1
    prepared = prepare(swept.study)
    count = min(_REGENERATED, prepared.episodes)
    return prepared.steps(0, count), count


def _savings(axes: Axes, comparison: Comparison, colours: dict[str, str]) -> None:
    """Savings with their 95 % intervals, the sharper ones where the control variate is valid."""
    rows: list[dict[str, Any]] = comparison.table.to_pylist()
    for y, row in enumerate(reversed(rows)):
        kind = "" if row["saving_cv_bps"] is None else "_cv"
        saving, low, high = (row[f"{name}{kind}_bps"] for name in ("saving", "ci_low", "ci_high"))
        colour = colours[row["strategy"]]
        axes.plot(saving, y, "o", color=colour, ms=6)
        if low is not None:
            axes.plot([low, high], [y, y], color=colour, lw=2.5, marker="|", ms=11)
        shown = f"{saving:+.3f}" if low is None else f"{saving:+.3f}  [{low:+.3f}, {high:+.3f}]"
        axes.annotate(shown, (saving, y), (0, 9), textcoords="offset points", ha="center", fontsize=9, bbox=_WHITE)
    axes.axvline(0.0, color="black", lw=0.8)
    axes.set_yticks(range(len(rows)), [row["strategy"] for row in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.margins(x=0.3)
    known = any(row["ci_low_bps"] is not None for row in rows)
    axes.set(
        title=f"Saving against {comparison.baseline}" + (" with 95 % interval" if known else ": no interval is known"),
        xlabel="saving (bps); right of 0 is cheaper",
    )
