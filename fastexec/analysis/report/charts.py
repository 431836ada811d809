"""The vocabulary of charts: marks on panels, drawn alike by plotly and matplotlib. Nothing here knows of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

# Okabe and Ito (2008): told apart by colour-blind readers too. Their yellow is darkened and their black is a grey, so that
# each is seen on white and on black.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#A89400", "#8A8A8A")
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "cross")
PART_COLOURS = ("#35618F", "#8FB3D9", "#7A9E7E", "#C9B458", "#B97A7A", "#9A8FB5", "#8C8C8C")  # no strategy's
NEUTRAL = "#8A8A8A"


@dataclass(frozen=True)
class Style:
    """How a strategy looks everywhere; beyond eight strategies the dash tells apart what shares a colour."""

    colour: str
    dash: str = "solid"
    symbol: str = "circle"


def style_of(number: int) -> Style:
    """The style of the strategy at a place of the study."""
    turn = number // len(COLOURS) % len(DASHES)
    return Style(COLOURS[number % len(COLOURS)], DASHES[turn], SYMBOLS[(number + turn) % len(SYMBOLS)])


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
    ``sizes``: areas, relative; ``texts``: written beside the marks; ``told``: shown on hovering; ``joined``: by a line.
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
    0; ``levels``: dotted horizontal lines (value, text).
    """

    marks: Sequence[Mark]
    x_label: str
    y_label: str
    x_names: Sequence[str] = ()
    y_names: Sequence[str] = ()
    zero: str = ""
    log_y: bool = False
    y_top: float | None = None
    x_range: tuple[float, float] | None = None
    levels: Sequence[tuple[float, str]] = ()
    share: float = 1.0  # of the height, relative to the other panels


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
