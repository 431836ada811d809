"""What own strategies of the second form see: the rows of ``see``, each declared once, and those that a study lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fastexec.kernels import own_rows
from fastexec.wording import counted

if TYPE_CHECKING:
    from fastexec.models.study import StudyModel


class Row(NamedTuple):
    """meaning: for the guide, with its unit. feature: that of agents which it shows, and which a market may withhold.
    missing: why no study has it.
    """

    meaning: str
    feature: str = ""
    missing: str = ""


_NO_BOOK, _NO_FORECAST = "no market has an order book", "no market has forecasts"
ROWS = {
    "REMAINING": Row("what is left of the order, in shares"),
    "MID": Row("the mid that stands when the step begins, in currency; the observed one under `[market.noise]`"),
    "SPREAD": Row("the whole quoted spread, as a fraction of the mid"),
    "LAST_VOLUME": Row("the market's volume in the step before, in shares; 0 in step 0"),
    "IMBALANCE": Row("of the sizes at the touch, -1 to 1", missing=_NO_BOOK),
    "DEPTH_OWN": Row("at the touch of the order's own side, in shares", missing=_NO_BOOK),
    "DEPTH_OTHER": Row("at the touch of the other side, in shares", missing=_NO_BOOK),
    "QUEUE": Row("shares ahead of the resting order", missing=_NO_BOOK),
    "SIGNAL": Row("SIGNAL + j: the signal j of the market, from 0, in the order of the study"),
    "FORECAST": Row("FORECAST + j: the forecast j", missing=_NO_FORECAST),
    "ELAPSED": Row("the share of the steps that are over"),
    "RETURN": Row("the mid over the arrival price, less 1"),
    "INVENTORY": Row("the share of the order that is left", "inventory"),
    "VOLATILITY": Row("root of the mean squared move so far, as a fraction of the mid; 0 in step 0", "volatility"),
    "RELATIVE_SPREAD": Row("the spread over its mean so far", "relative_spread"),
    "RELATIVE_VOLUME": Row("the last volume over the mean so far; 1 in step 0", "relative_volume"),
    "SHORTFALL": Row("of the trades so far, without the moves, in bps of the order's value", "shortfall"),
    "IMPACT": Row("what is left of one's own transient impact, in bps of the arrival price", "impact"),
    "REGIME": Row("the number of the market's regime, from 0; where it is known", "regime"),
    "NOISE": Row("sd of the observed mid's bounce so far, as a fraction; under `[market.noise]`", "noise"),
}


def lacking(study: StudyModel, given_paths: bool = False) -> dict[str, str]:
    """Why the study has no such row, by the name of each that it lacks; there it holds NaN. ``given_paths``: on paths given
    instead of its market, which have no regimes.
    """
    found = {}
    for name, row in ROWS.items():
        why = row.missing or (study.withholds(row.feature) if row.feature else None)
        if why is None and given_paths and row.feature == "regime":
            why = "given paths have no regimes"
        if why is not None:
            found[name] = why
        if name == "SIGNAL":
            found |= _signals_lacking(study)
    return found


def _signals_lacking(study: StudyModel) -> dict[str, str]:
    count = len(study.signals)
    if count == 0:
        return {"SIGNAL": "the market has no signals"}
    return {f"SIGNAL + {j}": f"the market has {counted(count, 'signal')}" for j in range(count, own_rows.MOST_SIGNALS)}


def rows_there(study: StudyModel, given_paths: bool) -> int:
    """The rows that the study has, as bits for the kernels."""
    missing = lacking(study, given_paths)
    signals = {own_rows.SIGNAL + j for j in range(len(study.signals))}
    return sum(1 << row for row in signals | {getattr(own_rows, name) for name in ROWS if name not in missing})


def lacks_told(study: StudyModel) -> str:
    """Of ``check``: the rows that hold NaN, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, why in lacking(study).items():
        by_reason.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
