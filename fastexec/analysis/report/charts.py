"""The vocabulary of charts: marks on panels, drawn alike by plotly and matplotlib. Nothing here knows of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

from fastexec.analysis.report.styles import Style


@dataclass(frozen=True)
class Line:
    """y over x; ``steps``: constant around each x; ``band``: low and high around it; ``marked``: a mark on each point."""

    name: str
    x: np.ndarray
    y: np.ndarray
    style: Style
    steps: bool = False
    band: tuple[np.ndarray, np.ndarray] | None = None
    marked: bool = False


@dataclass(frozen=True)
class Area:
    """The market behind the strategies: a grey area from 0 to y, constant around each x."""

    name: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Bars:
    """Bars of given lengths at places, stacked on those before them of the same sign; ``along`` the axis they grow on."""

    name: str
    places: np.ndarray
    lengths: np.ndarray
    colour: str
    along: str = "y"


@dataclass(frozen=True)
class Points:
    """Marks with intervals along x or y (``low``, ``high``; NaN where there is none), and ``across`` along the other axis;
    ``sizes``: areas, relative; ``texts``: written beside the marks; ``told``: shown on hovering; ``joined``: by a line;
    ``edge``: of the frame ("left", "right", "top", "bottom") that they stand on, for what lies beyond it.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    style: Style
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    along: str = "x"
    across: tuple[np.ndarray, np.ndarray] | None = None
    sizes: np.ndarray | None = None
    texts: Sequence[str] = ()
    told: Sequence[str] = ()
    joined: bool = False
    edge: str = ""

    @property
    def intervals(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """By axis: how far the interval of each mark reaches down and up."""
        found, middle = {}, {"x": self.x, "y": self.y}
        other = "y" if self.along == "x" else "x"
        if self.low is not None and self.high is not None:
            found[self.along] = middle[self.along] - self.low, self.high - middle[self.along]
        if self.across is not None:
            found[other] = middle[other] - self.across[0], self.across[1] - middle[other]
        return found


@dataclass(frozen=True)
class Heat:
    """z[y, x] as colours, NaN left open; ``told``: a number shown beside it on hovering (visits); ``texts``: written into the
    cells, [y, x]; ``both``: colours of two signs, even around 0.
    """

    name: str
    x: Sequence[str]
    y: Sequence[str]
    z: np.ndarray
    told: np.ndarray | None = None
    told_name: str = ""
    texts: Sequence[Sequence[str]] = ()
    both: bool = False


Mark = Line | Area | Bars | Points | Heat


@dataclass(frozen=True)
class Panel:
    """One pair of axes. ``x_names``, ``y_names``: texts at 0, 1, 2 ... of an axis; ``zero``: axes ("x", "y") with a line at
    0; ``levels``: dotted horizontal lines (value, text); ``note``: said below the chart while the panel is shown.
    """

    marks: Sequence[Mark]
    x_label: str
    y_label: str
    x_names: Sequence[str] = ()
    y_names: Sequence[str] = ()
    zero: str = ""
    log_y: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    levels: Sequence[tuple[float, str]] = ()
    share: float = 1.0  # of the height, relative to the other panels
    note: str = ""


def needs_no_legend(panel: Panel) -> bool:
    """Colours of a heat map have a bar of their own; and an axis may name every mark."""
    named = set(panel.y_names)
    return any(isinstance(mark, Heat) for mark in panel.marks) or all(mark.name in named for mark in panel.marks)


@dataclass(frozen=True)
class Chart:
    """``views``: by name, panels one under the other with a common x axis; ``table``: the same numbers, tidy, for CSV;
    ``missing``: why there is nothing to draw, and then no views.
    """

    key: str
    title: str
    note: str = ""
    views: Mapping[str, Sequence[Panel]] = field(default_factory=dict)
    table: pa.Table | None = None
    missing: str = ""
    view_label: str = "show"
    height: int = 400


def absent(key: str, title: str, reason: str) -> Chart:
    """A chart that the results do not allow, named with its reason."""
    return Chart(key, title, missing=reason)


def thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Means of neighbouring columns, at most ``most`` of them (float64[..., t])."""
    count = values.shape[-1]
    if count <= most:
        return values
    edges = np.linspace(0, count, most + 1).astype(int)
    return np.asarray(np.add.reduceat(values, edges[:-1], axis=-1) / np.diff(edges))
