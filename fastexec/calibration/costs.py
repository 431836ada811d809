"""The [costs] section of a calibration: what Almgren et al. (2005) found in others' orders, nothing of the data's own.

Almgren, Thum, Hauptmann and Li (2005), "Direct estimation of equity market impact", section 4, on orders in US large caps of
2001 to 2003: temporary eta sigma (q/v)^0.6 and permanent gamma sigma X/V (Theta/V)^(1/4) of the price, sigma the volatility and
V the volume of a day, Theta the shares outstanding. Bars hold no orders, so no cost is fitted to them, and no statistic of the
fit table is one of costs: only sigma, V and the price are the data's. Theta / V, the turnover in days, is one number for every
symbol unless it is given: that of IBM in their table 3.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from fastexec.errors import InputError
from fastexec.files import open_local
from fastexec.models._base import written
from fastexec.models.costs import Costs
from fastexec.models.messages import one_line

_ETA, _BETA, _GAMMA = 0.142, 0.6, 0.314
_TURNOVER_DAYS = 263.0


@dataclass(frozen=True)
class CostBasis:
    """What a calibration takes for its costs. ``turnover``: shares outstanding over daily volume; ``shares_outstanding``:
    from which that follows; ``costs``: a whole section in their place, and ``source``, where it is from.
    """

    turnover: float | None = None
    shares_outstanding: float | None = None
    costs: dict[str, Any] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        """InputError where more than one is given, or a number is none above 0."""
        given = {"--turnover": self.turnover, "--shares-outstanding": self.shares_outstanding, "--costs": self.costs}
        names = [name for name, value in given.items() if value is not None]
        if len(names) > 1:
            raise InputError(f"{names[0]} and {names[1]}: say the same of the costs; give one")
        for name in ("--turnover", "--shares-outstanding"):
            value = given[name]
            if value is not None and not (isinstance(value, (int, float)) and 0.0 < value < np.inf):
                raise InputError(f"{name} {value}: must be a number above 0")


def basis_of(turnover: float | None, shares_outstanding: float | None, costs: Path | None) -> CostBasis:
    """Out of the options of the command line; ``costs``: a TOML file with a section [costs], as a study has it. InputError,
    one line, where that is none.
    """
    section = None if costs is None else _section(costs)
    return CostBasis(turnover, shares_outstanding, section, "" if costs is None else costs.name)


def _section(path: Path) -> dict[str, Any]:
    try:
        with open_local(path) as stream:
            data = tomllib.loads(bytes(stream.read()).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        said = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(f"--costs {path}: cannot be read ({said}); give a TOML file with a section [costs]") from None
    if not isinstance(data.get("costs"), dict):
        raise InputError(f"--costs {path}: has no section [costs]; write one, as in a study")
    try:
        return written(Costs.model_validate(data["costs"]))
    except ValidationError as error:
        raise InputError(f"--costs {path}: costs.{one_line(error, data['costs'], Costs)}") from None


def costs_section(
    basis: CostBasis, volatility: float, daily_volume: float, price: float
) -> tuple[dict[str, Any], list[str]]:
    """The section, and what a reader must know of it. ``volatility``: of a day, relative; ``daily_volume``: shares."""
    if basis.costs is not None:
        return basis.costs, [
            f"costs: given ({basis.source}), not fitted to these data, and no statistic here tests them"
        ]
    turnover, origin = _turnover(basis, daily_volume)
    permanent = _GAMMA * volatility * price / daily_volume * turnover**0.25
    costs = {
        "temporary": {"model": "power", "coefficient": _rounded(_ETA * volatility), "exponent": _BETA},
        "permanent": {"coefficient": _rounded(permanent), "own": 0.5},
    }
    said = [
        f"costs: Almgren et al. (2005), found in orders of US large caps of 2001 to 2003, with a volatility of "
        f"{100 * volatility:.2f} % and {daily_volume:,.6g} shares a day; shares outstanding over daily volume {turnover:.0f} "
        f"({origin})",
        "costs are not fitted to these data, and no statistic here tests them: give --costs FILE where you know yours",
    ]
    return costs, said


def _turnover(basis: CostBasis, daily_volume: float) -> tuple[float, str]:
    if basis.turnover is not None:
        return basis.turnover, "given"
    if basis.shares_outstanding is not None:
        return basis.shares_outstanding / daily_volume, "of the shares outstanding that were given"
    return _TURNOVER_DAYS, "that of IBM in the paper, the same for every symbol: --turnover gives this one's"


def _rounded(x: float) -> float:
    return float(f"{x:.6g}")
