"""What the parts of a study declare, so that nobody else asks for a model's name.

Which parameter of the kernels a key feeds stands in its field: ``volatility: Annotated[NonNegative, Slot("volatility")]``.
What others ask of a model are methods and class variables of it, whose answers have the types below. None of them has a
default: whoever adds a model has thought of the control variate, or a test names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Slot:
    """The parameter of the kernels that a key feeds, by its name; see ``planning.names``. ``{number}`` in it: that of the
    section, where there are several. ``of``: the attribute that holds the value, where it is another than the key.
    """

    name: str
    of: str = ""


#: Marks a key whose default means that there is nothing of it, whatever the default is; 0, false, empty need no mark.
OFF = "off"


class Setting(NamedTuple):
    """What a part is told of the rest of the study when it is asked. ``price``: the expected arrival price, ``least_price``:
    the lowest (currency); ``exponent``: of the temporary cost in the rate; ``volume_follows``, ``spread_follows``: how the
    innovations correlate with the move and with its size (scalars).
    """

    steps: int
    price: float
    least_price: float
    exponent: float
    volume_follows: tuple[Any, Any] = (0.0, 0.0)
    spread_follows: tuple[Any, Any] = (0.0, 0.0)


class OfMarket(NamedTuple):
    """What a price, spread or volume says of the move out of a step.

    martingale: what it does to the mid has mean zero, given all that is known when the step begins and all that decides or
    fills the step's trade, but for what [market.correlation] ties to it.
    follows_move: its draws of a step may be tied to that step's move.
    idle: it may leave a step without volume, so that nobody trades in it.
    """

    martingale: bool
    follows_move: bool
    idle: bool


class Knowledge(NamedTuple):
    """What a whole market says: the mid is a martingale; the mean of a move is known, given what is known when its step begins;
    the volume of a step tells of its move; the volume may leave a step without any; whatever the reason, a step may have
    none; a step's volume is known when it is over, not while it lasts.
    """

    martingale: bool
    foreseen: bool
    volume_tells_move: bool
    volume_idles: bool
    idle: bool
    known_after: bool


class OfCost(NamedTuple):
    """What a part of the cost says. ``scales``: whether it scales with the mid, None where there is nothing of it;
    ``remembers``: it depends on earlier trades by more than their sum.
    """

    scales: bool | None
    remembers: bool


class OfStrategy(NamedTuple):
    """What a strategy says. ``sees_volume``: where a step's volume is known during the step, its slice may depend on it;
    ``fills_at_next``: where it is known after the step, the slice follows it all the same, and fills at the step's end,
    at the mid and the spread there.
    """

    sees_volume: bool
    fills_at_next: bool


class PriceMoments(NamedTuple):
    """Expected change of the mid since arrival when step t begins, and sd of the move out of step t (of a range the root of
    the mean variance); currency, float64[t].
    """

    drift: np.ndarray
    volatility: np.ndarray


class Foreseen(NamedTuple):
    """What is expected of a step's move, given what is known when it begins; float64[x]. move: of the mid, as a share of what
    it was at arrival (arithmetic) or when the step began (geometric). growth: of what scales with the mid and is to come.
    """

    move: np.ndarray
    growth: np.ndarray


class Powers(NamedTuple):
    """Of what conditions multiply, in the order of the regimes' keys."""

    volatility: float = 0.0
    spread: float = 0.0
    volume: float = 0.0
    impact: float = 0.0


class VolumeMoments(NamedTuple):
    """Means over all that is drawn, float64[t]. mean: E[v_t] in shares; inverse: E[v_t^-exponent] over the steps with a
    volume, 0 where there never is one; traded: P(v_t > 0).
    """

    mean: np.ndarray
    inverse: np.ndarray
    traded: np.ndarray


class MarkovLaw(NamedTuple):
    """A law over few levels: ``levels`` float64[s], ``transition`` float64[s, s], ``first`` float64[s]: of step 0."""

    levels: np.ndarray
    transition: np.ndarray
    first: np.ndarray


class TemporaryTerms(NamedTuple):
    """Expected temporary cost a share: fixed + linear * shares + mid * power * (shares / volume)^exponent, in currency.

    exponents: the lowest and the highest that an episode may have; exponent_nodes: values and weights of its mean;
    ``most_power``: the highest power; volatility_nodes: of the exponent of the step's volatility over the price's.
    """

    fixed: float
    linear: float
    power: float
    exponent: float
    exponents: tuple[float, float]
    most_power: float
    exponent_nodes: tuple[list[float], list[float]]
    volatility_nodes: tuple[list[float], list[float]] = ([0.0], [1.0])
