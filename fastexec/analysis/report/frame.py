"""What part of its axes a panel shows: no strategy alone decides it, and who lies beyond is marked at the edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fastexec.analysis.report.charts import Area, Bars, Heat, Line, Mark, Panel, Points

_GAIN = 4.0  # of points: an axis that grows finer by less is not cut
DENSE = 2.0  # of curves, which fill their axis
_MOST_LEFT_OUT = 3  # at most one in so many
_PAD = 0.06
_INSET = 0.02  # of the range: how far inside a mark on an edge stands
_TEXT_WIDTH = 0.15  # of the range: about a value's on a phone
Range = tuple[float, float]


def reach(low: np.ndarray, high: np.ndarray, always: Sequence[float] = (), gain: float = _GAIN) -> Range:
    """The range that holds the items from ``low`` to ``high`` (float64[k], NaN: none) and the values ``always``; without the
    fewest of them, at most a third, whose leaving makes it at least ``gain`` times as narrow.
    """
    there = np.isfinite(low) & np.isfinite(high)
    low, high = low[there], high[there]
    if low.size == 0:
        return (min(always, default=0.0), max(always, default=1.0))
    order = np.argsort(low + high, kind="stable")
    low, high = low[order], high[order]

    def held(first: int, count: int) -> Range:
        ends = [*low[first : first + count].tolist(), *high[first : first + count].tolist(), *always]
        return min(ends), max(ends)

    whole = held(0, low.size)
    for left_out in range(1, low.size // _MOST_LEFT_OUT + 1):
        held_ones = [held(first, low.size - left_out) for first in range(left_out + 1)]
        best = min(held_ones, key=lambda pair: pair[1] - pair[0])
        width = best[1] - best[0]
        if width * gain <= whole[1] - whole[0] and width > 1e-9 * max(map(abs, best)):
            return best
    return whole


def padded(ends: Range, share: float = _PAD) -> Range:
    """A little more on both sides, and never a point."""
    low, high = ends
    room = share * (high - low) or 0.05 * abs(low) or 0.5
    return low - room, high + room


def framed(
    marks: Sequence[Points], axes: str, always: Mapping[str, Sequence[float]] | None = None
) -> tuple[list[Points], dict[str, Range], str]:
    """Marks, those beyond the frame set on its edge, the ranges of ``axes`` ("x", "y", "xy"), and who is beyond, in words."""
    ranges = {axis: padded(reach(*_ends(marks, axis), (always or {}).get(axis, ()))) for axis in axes}
    edges = Edges.over(marks)
    found = [part for mark in marks for part in moved(mark, ranges, edges)]
    return found, ranges, edges.told()


@dataclass
class Edges:
    """What stands on the edges of a panel: whose text is where, and who is to be named. ``near``: along each axis, how close
    two texts would run into one another.
    """

    near: dict[str, float]
    taken: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    values: dict[str, list[tuple[float, str]]] = field(default_factory=dict)

    @classmethod
    def over(cls, marks: Sequence[Points | Line]) -> Edges:
        """Empty ones of a panel of these marks."""
        found = {}
        for axis in "xy":
            values = np.concatenate([np.zeros(0), *(getattr(mark, axis) for mark in marks)])
            values = values[np.isfinite(values)]
            found[axis] = _TEXT_WIDTH * float(np.ptp(values)) if values.size else 0.0
        return cls(found)

    def line(self, edge: str, at: float) -> int:
        """The first line, counted from the edge, on which no text near ``at`` stands."""
        taken, width = self.taken.setdefault(edge, []), self.near["x" if edge in ("top", "bottom") else "y"]
        used = {line for other, line in taken if abs(other - at) <= width}
        line = next(n for n in range(len(taken) + 1) if n not in used)
        taken.append((at, line))
        return line

    def told(self) -> str:
        """Who lies beyond, each once."""
        names = []
        for name, values in self.values.items():
            low, high = min(values)[1], max(values)[1]
            names.append(f"{name} ({low})" if low == high else f"{name} ({low} to {high})")
        return f"Beyond the frame, marked at its edge: {', '.join(names)}." if names else ""


def _ends(marks: Sequence[Points], axis: str) -> tuple[np.ndarray, np.ndarray]:
    """From where to where each mark with its intervals goes along an axis."""
    low, high = [], []
    for mark in marks:
        middle = mark.x if axis == "x" else mark.y
        down, up = mark.intervals.get(axis, (np.zeros_like(middle),) * 2)
        below, above = middle - np.nan_to_num(down), middle + np.nan_to_num(up)
        there = np.isfinite(middle)
        low.append(below[there].min() if there.any() else np.nan)
        high.append(above[there].max() if there.any() else np.nan)
    return np.array(low, np.float64), np.array(high, np.float64)


def moved(mark: Points, ranges: Mapping[str, Range], edges: Edges) -> list[Points]:
    """The mark without its points beyond the ranges, and each of these on the edge."""
    places = {"x": mark.x, "y": mark.y}
    beyond = np.zeros(mark.x.size, bool)
    for axis, (low, high) in ranges.items():
        beyond |= (places[axis] < low) | (places[axis] > high)
    if not beyond.any():
        return [mark]
    found = []
    for number in np.flatnonzero(beyond).tolist():
        at = {axis: float(values[number]) for axis, values in places.items()}
        axis = next(a for a, (low, high) in ranges.items() if not low <= at[a] <= high)
        edge = _EDGES[axis, at[axis] > ranges[axis][1]]
        value = mark.texts[number] if len(mark.texts) else _told(at[axis], ranges[axis])
        inside = {a: _inside(v, ranges[a]) if a in ranges else v for a, v in at.items()}
        found.append(edge_mark(mark, inside["x"], inside["y"], edge, value, edges))
        edges.values.setdefault(mark.name, []).append((at[axis], value))
    kept = np.where(beyond, np.nan, 1.0)
    texts = ["" if out else text for text, out in zip(mark.texts, beyond.tolist(), strict=True)] if mark.texts else ()
    return [replace(mark, x=mark.x * kept, y=mark.y * kept, texts=texts), *found]


def _told(value: float, ends: Range) -> str:
    """Four digits; what is nothing beside the frame's own numbers is 0 (the sd of a cost that never differs is 2e-13)."""
    return f"{0.0 if abs(value) < 1e-9 * max(map(abs, ends)) else value:,.4g}"


_EDGES = {("x", False): "left", ("x", True): "right", ("y", False): "bottom", ("y", True): "top"}
_ARROWS = {"left": "← {}", "right": "{} →", "top": "↑ {}", "bottom": "↓ {}"}


def _inside(value: float, ends: Range) -> float:
    """Where a point is drawn: beyond the ends a little inside of them, so that its mark is whole."""
    low, high = ends
    room = _INSET * (high - low)
    return min(max(value, low + room), high - room) if not low <= value <= high else value


def edge_mark(mark: Points | Line, x: float, y: float, edge: str, value: str, edges: Edges) -> Points:
    """A point at an edge with an arrow and a value; where texts would meet, each further one stands a line lower."""
    upright = edge in ("top", "bottom")
    lines = "\n" * (edges.line(edge, x) if upright else 0)
    text = _ARROWS[edge].format(value)
    shown = text + lines if edge == "bottom" else lines + text
    return Points(mark.name, np.array([x]), np.array([y]), mark.style, texts=[shown], edge=edge)


def limits(panels: Sequence[Panel]) -> list[dict[str, Range]]:
    """The ends of each panel's axes, "x" and "y", as both renderers draw them: the x axis is one; none of a heat map."""
    own = [{"x": _limit(panel, "x"), "y": _limit(panel, "y")} for panel in panels]
    across = [ends["x"] for ends in own if ends["x"] is not None]
    whole = (min(low for low, _ in across), max(high for _, high in across)) if across else None
    found = []
    for ends in own:
        ends["x"] = whole if ends["x"] is not None else None
        found.append({axis: pair for axis, pair in ends.items() if pair is not None})
    return found


def _limit(panel: Panel, axis: str) -> Range | None:
    if any(isinstance(mark, Heat) for mark in panel.marks):
        return None
    given, names = (panel.x_range, panel.x_names) if axis == "x" else (panel.y_range, panel.y_names)
    if given is not None:
        return given
    if names:
        return (-0.6, len(names) - 0.4)
    values = np.concatenate([np.zeros(0), *(_covered(mark, axis) for mark in panel.marks)])
    bars = [mark for mark in panel.marks if isinstance(mark, Bars) and mark.along == axis]
    if bars:
        lengths = np.stack([bar.lengths for bar in bars])
        values = np.concatenate((values, np.maximum(lengths, 0.0).sum(axis=0), np.minimum(lengths, 0.0).sum(axis=0)))
    values = np.append(values, [value for value, _ in panel.levels] if axis == "y" else [])
    values = np.append(values, [0.0] if axis in panel.zero else [])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if axis == "y" and panel.log_y:
        return low / 1.3, high * 1.3
    points = any(isinstance(mark, Points) for mark in panel.marks)
    ends = padded((low, high), _PAD if axis == "y" or points else 0.01)
    grounded = axis == "y" and low >= 0.0 and not points and low < 0.2 * high
    return (0.0, ends[1]) if grounded else ends


def _covered(mark: Mark, axis: str) -> np.ndarray:
    """Values that an axis must have room for."""
    if isinstance(mark, Bars):
        return np.zeros(0) if mark.along == axis else np.concatenate((mark.places - 0.5, mark.places + 0.5))
    if isinstance(mark, Points):
        low, high = _ends([mark], axis)
        return np.concatenate((low, high))
    if isinstance(mark, Line):
        return mark.x if axis == "x" else np.concatenate((mark.y, *(mark.band or ())))
    if isinstance(mark, Area):
        return mark.x if axis == "x" else np.append(mark.y, 0.0)
    return np.zeros(0)
