"""What the worked studies share: options, savings of a study for several values of a key, lines with their intervals."""

import argparse
from pathlib import Path
from typing import NamedTuple


class Saving(NamedTuple):
    """bps, with its 95 % interval; positive is cheaper than the baseline."""

    mean: float
    low: float
    high: float

    def __str__(self):
        return f"{self.mean:+.2f} bps [{self.low:+.2f}, {self.high:+.2f}]"


def count(text):
    """Read a number of episodes, at least 2."""
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 2, not {text!r}")
    return int(text)


def options(story, episodes, words=None):
    """Episodes for each point, and the folder for results and picture."""
    parser = argparse.ArgumentParser(description=story.splitlines()[0])
    parser.add_argument("--episodes", type=count, default=episodes, help=f"episodes for each point ({episodes:,})")
    root = Path(__file__).resolve().parent.parent
    parser.add_argument("--out", type=Path, default=root / "results" / "stories", help="folder of results and picture")
    return parser.parse_args(words)


def savings(study, out, baseline):
    """Run a study into ``out`` (summaries alone) and compare: {strategy: Saving}, by the control variate where it is valid."""
    import fastexec as fx

    fx.run(study, out=out, overwrite=True)
    found = {}
    for row in fx.compare(out, baseline=baseline).table.to_pylist():
        kind = "" if row["saving_cv_bps"] is None else "_cv"
        found[row["strategy"]] = Saving(*(row[f"{name}{kind}_bps"] for name in ("saving", "ci_low", "ci_high")))
    return found


def draw(path, lines, title, xlabel, ylabel, logarithmic=False):
    """{label: [(x, Saving), ...]} as lines with bars for their intervals, to a PNG."""
    from matplotlib.figure import Figure

    from fastexec.analysis.report.styles import COLOURS

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    for (label, points), colour in zip(lines.items(), COLOURS, strict=False):
        x, y = [point[0] for point in points], [point[1] for point in points]
        bars = [[s.mean - s.low for s in y], [s.high - s.mean for s in y]]
        axes.errorbar(x, [s.mean for s in y], bars, label=label, color=colour, marker="o", ms=4, capsize=3, lw=1.5)
    axes.axhline(0.0, color="black", lw=0.8)
    if logarithmic:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path
