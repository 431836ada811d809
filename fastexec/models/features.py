"""The features of the state, each declared once: schema, bins, reports and the kernels' numbers follow from here.

What a feature is worth in a step is a stage of ``kernels/observe.py``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Declared(NamedTuple):
    """What a feature says of itself.

    kind: its number, by its name in a kernel file. meaning: behind its name in the schema. told: whether it tells episodes
    apart in the first step already: it does ("step"), where the step's volume is known ("volume"), not before the second
    ("later"). unit, scale: people are told value * scale in unit. ends: words for its lowest and its highest bin. own: the
    agent's own trades move it, and it is not the inventory, which every rule knows. tables: whether the state of a table may be
    made of it.
    """

    kind: str
    meaning: str
    told: Literal["step", "volume", "later"]
    unit: str
    scale: float = 1.0
    ends: tuple[str, str] = ("low", "high")
    own: bool = False
    tables: bool = True

    def first_told(self, sees_volume: bool) -> int:
        """The first step in which it may tell an episode from another."""
        return 0 if self.told == "step" or (self.told == "volume" and sees_volume) else 1


FEATURES = {
    "inventory": Declared("observe.INVENTORY", "of the rest", "step", "% of the order left", 100.0),
    "spread": Declared("observe.OF_SPREAD", "", "step", "bps", 1e4, ("tight", "wide")),
    "relative_spread": Declared(
        "observe.RELATIVE_SPREAD", "the same over its mean so far", "later", "times its mean", 1.0, ("tight", "wide")
    ),
    "volume": Declared("observe.OF_VOLUME", "of the last step", "volume", "shares"),
    "relative_volume": Declared(
        "observe.RELATIVE_VOLUME", "the same over the mean so far", "volume", "times its mean"
    ),
    "momentum": Declared("observe.MOMENTUM", "move over some steps", "later", "bps", 1e4),
    "volatility": Declared("observe.VOLATILITY_SO_FAR", "realised so far", "later", "bps", 1e4),
    "regime": Declared(
        "observe.OF_REGIME", "of the market, its place in market.regimes.names from 0; needs known = true", "step", "",
    ),
    "noise": Declared(
        "observe.NOISE_SO_FAR", "realised so far, sd of the observed mid's bounce; needs market.noise", "later", "bps", 1e4,
    ),
    "shortfall": Declared(
        "observe.SHORTFALL_SO_FAR",
        "so far, without the moves: spread, temporary, permanent, transient, fees (bps)", "later", "bps", own=True,
    ),
    "impact": Declared("observe.OWN_IMPACT", "own outstanding transient (bps)", "later", "bps", own=True),
    "time": Declared("observe.TIME", "step / steps; of networks and environments", "step", "% of the steps", 100.0,
                     ("early", "late"), tables=False),
}  # fmt: skip

#: Of a signal of the market, by its own name.
_SIGNAL = Declared("observe.OF_SIGNAL", "", "step", "sd")


def declared(name: str) -> Declared:
    """What a feature says of itself; a name that is none is a signal's."""
    return FEATURES.get(name, _SIGNAL)


_MEANINGS = [f"{name}: {one.meaning}" if one.meaning else name for name, one in FEATURES.items() if one.tables]
DESCRIPTION = " | ".join([*_MEANINGS, "the name of a signal"])
#: Why a table is made of no such feature, and what would be right.
NOT_OF_TABLES = "a table has each step of time as a slice of its own already; leave it out"
MOVED_BY_THE_AGENT = tuple(name for name, one in FEATURES.items() if one.own)
