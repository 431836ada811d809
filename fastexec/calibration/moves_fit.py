"""[market.variance] and [market.jumps] where the data ask for them: by maximum likelihood, with errors, each behind a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fastexec.calibration.clustering import clustering, moves_of, standing_still
from fastexec.calibration.moves_law import Law, Moves, log_likelihood
from fastexec.calibration.panel import Panel

#: Of both tests. Twice a gain in log likelihood is held to the chi-square of so many degrees of freedom as there are parameters
#: more. Its law is not that one (a sd or rate of 0 lies at the edge, where the other parameters mean nothing): by simulation it
#: is exceeded less often than ``LEVEL`` says.
LEVEL = 0.01
_VARIANCE_GAIN, _JUMPS_GAIN = 9.210, 11.345
_MOST_STILL = 0.5
_LEAST_MOVES = 100
_MOST_SD = 0.1  # of a step's relative move
_MOST_RATE = 0.1  # what jumps more often is no jump: its sizes are the volatility's
_NORMAL_95 = 1.959964
_VARIANCE_KEYS = {"sd": "volatility", "persistence": "persistence"}
_JUMPS_KEYS = {"rate": "rate", "mean": "mean", "jump_sd": "volatility"}


class Estimate(NamedTuple):
    """A parameter of ``Law`` with its standard error and 95 % interval; NaN where it lies at the edge of what is fitted."""

    value: float
    error: float
    low: float
    high: float


class MovesFit(NamedTuple):
    """law: what the data ask for. estimates: by name of ``Law``. notes: what was tested, found, or left out and why."""

    law: Law
    estimates: dict[str, Estimate]
    notes: tuple[str, ...]


class _Scale(NamedTuple):
    """How a parameter is fitted: on a scale on which its error is near to a normal's, within bounds."""

    to: Callable[[float], float]
    back: Callable[[float], float]
    start: float
    bounds: tuple[float, float]


def fit_moves(panel: Panel, bins: int) -> MovesFit:
    """The law of the moves, its curve over ``bins`` parts of the day apart."""
    still, why = standing_still(panel), _untold(panel)
    if why:
        return MovesFit(Law(float(np.nanstd(panel.move))), {}, (f"market.variance, market.jumps: not tested, {why}",))
    moves = moves_of(panel, bins)
    summed, chance = clustering(moves, bins)
    law = _maximum(moves, Law(_unit(moves)), False, False)
    said = _said_small(moves, still)
    changing = _maximum(moves, law, True, False) if chance <= LEVEL else law
    gain = _gain(moves, law, changing)
    test = f"autocovariances of the logs of moves sum to {summed:.3g}, by chance with probability {chance:.2g}"
    test += f", and twice the gain in log likelihood is {gain:.3g} (asked: {_VARIANCE_GAIN})" if chance <= LEVEL else ""
    law = changing if gain >= _VARIANCE_GAIN else law
    jumping = _maximum(moves, law, law.sd > 0.0, True)
    gain = _gain(moves, law, jumping)
    law = jumping if gain >= _JUMPS_GAIN else law
    found = _estimates(moves, law)
    other = f"twice the gain in log likelihood is {gain:.3g} (asked: {_JUMPS_GAIN})"
    said += (_said("variance", test, found, _VARIANCE_KEYS), _said("jumps", other, found, _JUMPS_KEYS))
    return MovesFit(law, found, said)


def _untold(panel: Panel) -> str:
    """Why the days cannot tell of it, if they cannot."""
    still, count, sd = standing_still(panel), int(np.isfinite(panel.move).sum()), float(np.nanstd(panel.move))
    if still > _MOST_STILL:
        return f"{still:.0%} of the moves are 0"
    if count < _LEAST_MOVES:
        return f"{count} moves are too few"
    return f"a move of a step has a sd of {sd:.0%}" if sd > _MOST_SD else ""


def _gain(moves: Moves, law: Law, wider: Law) -> float:
    """Twice the gain in log likelihood; the search of the wider law may have stopped short of the other."""
    return max(2.0 * (log_likelihood(moves, wider) - log_likelihood(moves, law)), 0.0)


def _unit(moves: Moves) -> float:
    return float(np.sqrt(np.nanmean((moves.log / moves.curve) ** 2)))


def _scales(moves: Moves, variance: bool, jumps: bool) -> dict[str, _Scale]:
    unit = _unit(moves)

    def of_unit(start: float, low: float, high: float) -> _Scale:
        return _Scale(lambda x: float(np.log(x / unit)), lambda u: unit * float(np.exp(u)), start, (low, high))

    found = {"volatility": of_unit(0.0, -5.0, 3.0)}
    if variance:
        found["sd"] = _Scale(lambda x: float(np.log(x)), lambda u: float(np.exp(u)), np.log(0.5), (-5.0, np.log(2.0)))
        found["persistence"] = _Scale(lambda x: float(np.arctanh(x)), lambda u: float(np.tanh(u)), 1.0, (0.0, 3.8))
    if jumps:
        found["rate"] = _Scale(
            lambda x: float(np.log(x)), lambda u: float(np.exp(u)), np.log(0.02), (-12.0, np.log(_MOST_RATE))
        )
        most = (max(np.log(0.1) / unit, -50.0), min(np.log(2.0) / unit, 50.0))  # a jump's mean lies between -0.9 and 1
        found["mean"] = _Scale(lambda x: float(np.log1p(x)) / unit, lambda u: float(np.expm1(unit * u)), 0.0, most)
        found["jump_sd"] = of_unit(np.log(3.0), -2.0, min(-np.log(unit), 5.0))  # its sd is at most 1
    return found


def _maximum(moves: Moves, begin: Law, variance: bool, jumps: bool) -> Law:
    """The law of greatest likelihood with these parts, sought from ``begin``, and from the usual start for what that lacks."""
    from scipy.optimize import minimize

    scales = _scales(moves, variance, jumps)
    start = [x.to(getattr(begin, name)) if getattr(begin, name) != 0.0 else x.start for name, x in scales.items()]
    bounds = [x.bounds for x in scales.values()]
    loss = _loss(moves, scales)
    found = minimize(
        loss,
        np.clip(start, *np.transpose(bounds)),
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-8, "gtol": 1e-5},
    )
    return _law(scales, found.x)


def _law(scales: dict[str, _Scale], at: np.ndarray) -> Law:
    return Law(**{name: x.back(float(u)) for (name, x), u in zip(scales.items(), at, strict=True)})


def _loss(moves: Moves, scales: dict[str, _Scale]) -> Callable[[np.ndarray], float]:
    count = int(np.isfinite(moves.log).sum())
    return lambda at: -log_likelihood(moves, _law(scales, at)) / count


def _estimates(moves: Moves, law: Law) -> dict[str, Estimate]:
    """With the errors of the observed information, on each parameter's scale, and by the delta method on its own."""
    scales = _scales(moves, law.sd > 0.0, law.rate > 0.0)
    at = np.array([x.to(getattr(law, name)) for name, x in scales.items()])
    error = _errors(_loss(moves, scales), at, int(np.isfinite(moves.log).sum()))
    found = {}
    for (name, x), u, e in zip(scales.items(), at, error, strict=True):
        inside = x.bounds[0] + 1e-6 < u < x.bounds[1] - 1e-6
        e = e if inside else np.nan
        slope = (x.back(u + 1e-4) - x.back(u - 1e-4)) / 2e-4
        found[name] = Estimate(x.back(u), slope * e, x.back(u - _NORMAL_95 * e), x.back(u + _NORMAL_95 * e))
    return found


def _errors(loss: Callable[[np.ndarray], float], at: np.ndarray, count: int) -> np.ndarray:
    """Roots of the diagonal of the inverse Hessian of the log likelihood, by central differences; NaN where it is none."""
    step, size = 1e-2, at.size
    unit = step * np.eye(size)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            ends = [a * b * loss(at + a * unit[i] + b * unit[j]) for a in (1, -1) for b in (1, -1)]
            hessian[i, j] = hessian[j, i] = sum(ends) / (4.0 * step * step) * count
    try:
        diagonal = np.diag(np.linalg.inv(hessian))
    except np.linalg.LinAlgError:
        return np.full(size, np.nan)
    return np.sqrt(np.where(diagonal > 0.0, diagonal, np.nan))


def _said_small(moves: Moves, still: float) -> tuple[str, ...]:
    if moves.small == 0.0:
        return ()
    small = float(np.nanmean(np.abs(moves.log) < moves.small * moves.curve))
    return (
        f"{still:.0%} of the moves are 0: for variance and jumps the smallest {small:.0%} (under {1e4 * moves.small:.2g} bps) "
        "count as small only",
    )


def _said(section: str, test: str, found: dict[str, Estimate], keys: dict[str, str]) -> str:
    """What was found of a section, by name of ``Law`` and key of the section, or that it was left out; and by which test."""
    if not all(name in found for name in keys):
        return f"market.{section} is left out: {test}"
    values = ", ".join(f"{key} {_with_error(found[name])}" for name, key in keys.items())
    return f"market.{section}: {values}; {test}"


def _with_error(x: Estimate) -> str:
    if not np.isfinite(x.error):
        return f"{x.value:.3g} (at the edge of what is fitted)"
    return f"{x.value:.3g} +- {x.error:.2g} (95 %: {x.low:.3g} to {x.high:.3g})"
