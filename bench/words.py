"""Figures in words: the same in the terminal's table and in the README's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SHORT = {
    "numpy twin": "numpy",
    "Gymnasium vector environment": "Gymnasium",
    "plain Python learner": "plain Python",
    "pyarrow, its defaults": "pyarrow",
    "three normals, numpy SFC64 float32": "numpy",
}
_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def by_group(rows: list[dict[str, Any]], without: tuple[str, ...]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The rows of each group, in the order of the file."""
    for group in dict.fromkeys(row["group"] for row in rows if row["group"] not in without):
        yield group, [row for row in rows if row["group"] == group]


def plural(unit: str) -> str:
    """What a figure of that unit counts: path-steps; seconds and megabytes stand for themselves."""
    return {"s": "seconds", "MB": "megabytes"}.get(unit, f"{unit}s")


def amount(value: float) -> str:
    """Three digits: 0.0123, 1.23, 12.3, 123."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def rate(figure: dict[str, float], unit: str) -> str:
    """What a second does: 110 M; or the seconds or megabytes themselves."""
    if unit in ("s", "MB"):
        return f"{amount(figure['median'])} {unit}"
    a_second = 1.0 / figure["median"]
    for scale, letter in _SCALES:
        if a_second >= scale:
            return f"{amount(a_second / scale)} {letter}"
    return amount(a_second)


def all_threads(row: dict[str, Any]) -> str:
    """The rate on all threads, and how many times that of one: 222 M (1.96)."""
    return f"{rate(row['all'], row['unit'])} ({times(row['faster'])})" if "all" in row else ""


def times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}" if ratio < 9.995 else amount(ratio)


def baselines(row: dict[str, Any]) -> str:
    """``numpy 4.31, JAX 1.90``: how many times longer each takes."""
    told = [
        f"{SHORT.get(name, name)} {'missing' if ratio is None else times(ratio)}"
        for name, ratio in row.get("baselines", {}).items()
    ]
    return ", ".join(told)


def power(value: float) -> str:
    """10^4 where it is one, else the number."""
    text = f"{value:.0f}"
    return f"10^{len(text) - 1}" if value >= 1000 and text.strip("0") == "1" else text


def span(points: list[list[float]]) -> str:
    return f"{power(points[0][0])} to {power(points[-1][0])}"


def seconds(value: float) -> str:
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= scale:
            return f"{amount(value / scale)} {unit}"
    return f"{amount(value * 1e9)} ns"


def marginal(points: list[list[float]], place: int) -> str:
    """What one more costs between the points ``place`` and the next: (t2 - t1) / (x2 - x1); nothing where it costs none."""
    if len(points) < 2:
        return ""
    (x1, y1), (x2, y2) = points[place : place + 2] if place >= 0 else points[place - 1 :]
    return seconds((y2 - y1) / (x2 - x1)) if y2 > y1 else ""


GROWTH_HEAD = ("time against", "from", "first", "last", "exponent", "one more, at first", "at last")


def growth(series: dict[str, Any]) -> tuple[str, ...]:
    """The cells under ``GROWTH_HEAD``."""
    points = series["points"]
    exponent = "" if series["exponent"] is None else f"{series['exponent']:.2f}"
    ends = seconds(points[0][1]), seconds(points[-1][1])
    return series["series"], span(points), *ends, exponent, marginal(points, 0), marginal(points, -1)
