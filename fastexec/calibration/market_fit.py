"""Parameters by matching: what is measured of the simulated market is brought to what is measured of the data.

Simulated method of moments (McFadden 1989) with common random numbers: one estimator for data and simulation, so a tick that
cuts the spread's law, curves, few steps a day and the bias of short autocorrelations are on both sides and need no formula.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pydantic import ValidationError

from fastexec.calibration.moves_fit import fit_moves
from fastexec.calibration.moves_law import Law
from fastexec.calibration.panel import Panel
from fastexec.calibration.spread_levels import chain_of, share_at_floor
from fastexec.calibration.statistics import curves, daily, day_levels
from fastexec.errors import FastexecError, InputError
from fastexec.models.jumps import Jumps
from fastexec.models.messages import one_line
from fastexec.models.study import StudyModel
from fastexec.simulation import Prepared, prepare

CORRELATIONS = {
    "price_spread": "correlation move, next spread",
    "price_volume": "correlation move, volume",
    "spread_volume": "correlation volume, next spread",
    "volume_absolute_return": "correlation size of move, volume",
    "spread_absolute_return": "correlation size of move, next spread",
}
_LEAST_LEVEL = 0.5  # of the floor: deeper below, the spread would never leave it
CONSTANT_BELOW = 0.02  # sd of the log: a spread that is always one tick moves as the inverse of the price only
_MOST_DISPERSION = 2.5  # sd of a log; beyond, its mean hangs on draws that a round does not meet, and the fit runs away
_ROUNDS, _SEED = 24, 20_130_711
_CONVERGED = 0.05
_MUST_CONVERGE = ("spread, mean", "spread, sd of the log", "volume, mean", "volume, sd of the log", "move, sd")
_MOST_PERSISTENCE, _MOST_CORRELATION, _LEAST_EIGENVALUE = 0.995, 0.95, 0.01


@dataclass(frozen=True, eq=False)
class Parameters:
    """A synthetic market. Dispersions are sds of the log; persistences lag-1 autocorrelations of the log; curves
    relative. spread_chain: section of a spread over levels, in place of the log-normal one. law: of the moves, whose variance
    and jumps stay as they are while ``volatility`` is matched. notes: what was tested, and what did not fit.
    """

    price: float
    volatility: float
    spread_mean: float
    spread_floor: float
    spread_sd: float
    spread_persistence: float
    volume_mean: float
    volume_sd: float
    volume_persistence: float
    day_volatility: float
    volume_floor: float
    curves: dict[str, np.ndarray]
    correlation: dict[str, float]
    spread_chain: dict[str, Any] = field(default_factory=dict)
    law: Law = Law(0.0)
    notes: tuple[str, ...] = ()

    @property
    def move_sd(self) -> float:
        """Of a step's relative move, its jumps too."""
        jumps = Jumps.model_validate(self._changing().get("jumps", {}))
        return float(np.sqrt(self.volatility**2 + jumps.variance(relative=True)))

    def market(self) -> dict[str, Any]:
        """The [market] section, figures to six digits."""
        curve = {name: [_digits(x) for x in values] for name, values in self.curves.items()}
        flat = {name: values if len(values) > 1 else [] for name, values in curve.items()}
        return {
            "initial_price": _digits(self.price),
            "price": {"model": "geometric", "volatility": _digits(self.volatility), "diurnal": flat["volatility"]},
            "spread": self._spread(flat["spread"]),
            "volume": {
                "model": "lognormal",
                "mean": _digits(self.volume_mean),
                "volatility": _digits(self.volume_sd),
                "persistence": _digits(self.volume_persistence),
                "day_volatility": _digits(self.day_volatility),
                "curve": flat["volume"],
                "floor": _digits(self.volume_floor),
            },
            "correlation": {name: _digits(value) for name, value in self.correlation.items()},
        } | self._changing()

    def _changing(self) -> dict[str, dict[str, float]]:
        """What makes the volatility change and the price jump, where there is any."""
        law = {name: _digits(value) for name, value in self.law._asdict().items()}
        found: dict[str, dict[str, float]] = {}
        if law["sd"] > 0.0:
            found["variance"] = {"persistence": law["persistence"], "volatility": law["sd"]}
        if law["rate"] > 0.0:
            found["jumps"] = {"rate": law["rate"], "mean": law["mean"], "volatility": law["jump_sd"]}
        return found

    def _spread(self, curve: list[float]) -> dict[str, Any]:
        if self.spread_chain:
            return self.spread_chain
        if self.spread_sd == 0.0:
            return {"model": "constant", "initial": _digits(self.spread_mean)}
        kept = _digits(self.spread_persistence)
        return {
            "model": "mean_reverting",
            "mean": _digits(self.spread_mean),
            "reversion": _digits(1.0 - kept),
            "volatility": _digits(self.spread_sd * float(np.sqrt(1.0 - kept * kept))),
            "floor": _digits(self.spread_floor),
            "diurnal": curve,
        }


def fit(panel: Panel, bins: int, tick: float, steps_a_round: int = 400_000) -> Parameters:
    """The market whose statistics meet those of the panel.

    bins: parts of the curves. tick: currency; the floor of the spread, none where it is not known (NaN). steps_a_round:
    simulated in each of the rounds.
    """
    target, moves = _moments(panel, bins), fit_moves(panel, bins)
    episodes = max(steps_a_round // panel.move.shape[1], 200)
    first = replace(_first_guess(panel, target, tick), law=moves.law)
    parameters, far = _matched(first, target, bins, panel.move.shape[1], episodes)
    if any(name.startswith("spread") for name in far):
        share = share_at_floor(panel.spread, parameters.spread_floor)
        chain = chain_of(panel.spread, parameters.spread_floor)
        parameters, far = _matched(replace(first, spread_chain=chain), target, bins, panel.move.shape[1], episodes)
        said = (
            f"the spread does not fit a log-normal law with a floor (one tick in {share:.0%} of the steps, sd of its log "
            f"{target['spread, sd of the log']:.2g}): its {len(chain['levels'])} levels are a Markov chain, without a "
            "curve over the day"
        )
        parameters = replace(parameters, notes=(said,))
    told = tuple(f"{name}: the fit does not converge to it, see the table" for name in far)
    return replace(parameters, notes=(*moves.notes, *parameters.notes, *told))


def _matched(
    parameters: Parameters, target: dict[str, Any], bins: int, steps: int, episodes: int
) -> tuple[Parameters, list[str]]:
    """The parameters after the rounds, and the statistics that are still far from those of the data."""
    found = dict.fromkeys(target, np.nan)
    for _ in range(_ROUNDS):
        try:
            alone = market_alone(parameters.market(), steps, _SEED)
            found = _moments(simulated(alone, 0, episodes), bins) | {"volume, mean": _expected_volume(alone)}
        except InputError:
            raise
        except FastexecError:  # paths that leave float64
            if parameters.spread_chain or parameters.spread_sd == 0.0:
                raise
            return parameters, ["spread, mean"]
        parameters = _nearer(parameters, target, found)
    far = [
        name
        for name in _MUST_CONVERGE
        if np.isfinite(target[name]) and abs(found[name] - target[name]) > _CONVERGED * abs(target[name]) + 1e-9
    ]
    constant = parameters.spread_sd == 0.0 or bool(parameters.spread_chain)
    return parameters, [name for name in far if not (constant and name == "spread, sd of the log")]


def market_alone(market: dict[str, Any], steps: int, seed: int) -> Prepared:
    """A market ready to simulate days of so many steps."""
    order = {"shares": 1.0, "steps": steps}
    study = {"seed": seed, "episodes": 1, "order": order, "market": market, "strategies": [{"model": "twap"}]}
    try:
        return prepare(StudyModel.model_validate(study))
    except ValidationError as error:
        line = one_line(error, study, StudyModel)
        raise InputError(
            f"the data do not fit the model: {line}; look for wild or missing values, or give a --window without them"
        ) from None


def _expected_volume(prepared: Prepared) -> float:
    """The mean volume of a step, exactly: where days differ much, that of so many days is off by a tenth."""
    study = prepared.study
    assert study.synthetic is not None
    return float(study.synthetic.volume.moments(study.setting).mean.mean())


def simulated(prepared: Prepared, first: int, count: int) -> Panel:
    """Days ``first <= e < first + count`` of a simulated market."""
    steps = prepared.steps(first, count)
    mid, spread, volume = (steps[name].reshape(count, -1) for name in ("mid", "spread", "volume"))
    last = prepared.run(first, count).markets["last_price"]
    after = np.concatenate((mid[:, 1:], last[:, None]), axis=1)
    return Panel(mid, after / mid - 1.0, spread, volume)


def _moments(panel: Panel, bins: int) -> dict[str, Any]:
    """What is matched: means over days."""
    days = daily(panel)
    found: dict[str, Any] = {
        name: float(np.nanmean(x.values)) if _any(x.values) else np.nan for name, x in days.items()
    }
    levels = day_levels(panel)
    found["day"] = float(np.std(levels, ddof=1)) if levels.size > 1 else np.nan
    return found | {f"{name} curve": np.nanmean(x, axis=0) for name, x in curves(panel, bins).items()}


def _any(x: np.ndarray) -> bool:
    return bool(np.isfinite(x).any())


def _first_guess(panel: Panel, target: dict[str, Any], tick: float) -> Parameters:
    price = float(np.nanmean(panel.mid))
    spread_sd = target["spread, sd of the log"]
    positive = panel.volume[panel.volume > 0.0]
    return Parameters(
        price=price,
        volatility=1e-4 * target["move, sd"],
        spread_mean=1e-4 * target["spread, mean"],
        spread_floor=min(tick / price, 1e-4 * target["spread, mean"]) if np.isfinite(tick) else 0.0,
        spread_sd=min(spread_sd, _MOST_DISPERSION) if spread_sd > CONSTANT_BELOW else 0.0,
        spread_persistence=float(np.clip(np.nan_to_num(target["spread, lag-1 autocorrelation"]), 0.0, 0.95)),
        volume_mean=target["volume, mean"],
        volume_sd=target["volume, sd of the log"],
        volume_persistence=float(np.clip(np.nan_to_num(target["volume, lag-1 autocorrelation"]), 0.0, 0.95)),
        day_volatility=float(np.nan_to_num(target["day"])),
        volume_floor=float(min(1.0, positive.min())),
        curves={name: target[f"{name} curve"] for name in ("spread", "volume", "volatility")},
        correlation=dict.fromkeys(CORRELATIONS, 0.0),
    )


def _nearer(p: Parameters, target: dict[str, Any], found: dict[str, Any]) -> Parameters:
    """One round: scales by the ratio, correlations and persistences by the difference, what is not known left alone."""

    def scale(value: float, name: str) -> float:
        return value * _ratio(target[name], found[name])

    def shift(value: float, name: str) -> float:
        return value + float(np.nan_to_num(target[name] - found[name]))

    def keep(value: float) -> float:
        return float(np.clip(value, 0.0, _MOST_PERSISTENCE))

    correlation = {
        key: float(np.clip(shift(value, CORRELATIONS[key]), -_MOST_CORRELATION, _MOST_CORRELATION))
        for key, value in p.correlation.items()
        if (p.spread_sd > 0.0 or "spread" not in key) and not (p.spread_chain and key == "spread_absolute_return")
    }
    day = p.day_volatility**2 + float(np.nan_to_num(target["day"] ** 2 - found["day"] ** 2))
    bent = {name: _bent(values, target[f"{name} curve"], found[f"{name} curve"]) for name, values in p.curves.items()}
    return replace(
        p,
        volatility=scale(p.volatility, "move, sd"),
        spread_mean=max(scale(p.spread_mean, "spread, mean"), _LEAST_LEVEL * p.spread_floor),
        spread_sd=min(scale(p.spread_sd, "spread, sd of the log"), _MOST_DISPERSION),
        spread_persistence=keep(shift(p.spread_persistence, "spread, lag-1 autocorrelation")),
        volume_mean=scale(p.volume_mean, "volume, mean"),
        volume_sd=min(scale(p.volume_sd, "volume, sd of the log"), _MOST_DISPERSION),
        volume_persistence=keep(shift(p.volume_persistence, "volume, lag-1 autocorrelation")),
        day_volatility=min(float(np.sqrt(max(day, 0.0))), _MOST_DISPERSION),
        curves=bent,
        correlation=_possible(dict.fromkeys(CORRELATIONS, 0.0) | correlation),
    )


def _ratio(target: float, found: float) -> float:
    """Bounded, so that one round cannot run away."""
    if not (np.isfinite(target) and np.isfinite(found) and found > 0.0):
        return 1.0
    return float(np.clip(target / found, 0.5, 2.0))


def _bent(values: np.ndarray, target: np.ndarray, found: np.ndarray) -> np.ndarray:
    moved = np.clip(values * np.clip(target / np.where(found > 0.0, found, 1.0), 0.5, 2.0), 0.02, 50.0)
    return np.asarray(moved / moved.mean())


def _possible(correlation: dict[str, float]) -> dict[str, float]:
    """Shrunk towards 0 until it is a correlation matrix."""
    ps, pv, sv, va, sa = correlation.values()
    matrix = np.array([[1, 0, ps, pv], [0, 1, sa, va], [ps, sa, 1, sv], [pv, va, sv, 1]])
    least = float(np.linalg.eigvalsh(matrix)[0])
    # The eigenvalues of 1 + c (M - 1) are 1 + c (those of M - 1).
    share = 1.0 if least >= _LEAST_EIGENVALUE else (1.0 - _LEAST_EIGENVALUE) / (1.0 - least)
    return {key: value * share for key, value in correlation.items()}


def _digits(x: float) -> float:
    return float(f"{x:.6g}")
