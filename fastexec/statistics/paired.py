"""Paired comparisons from a summary's co-moments: saving against any baseline, with its interval.

d = baseline - strategy, episode by episode on the same market. Its variance is read from the co-moments, so no row is
needed. With timing as control variate: d - beta (timing difference), beta by regression (Lavenberg and Welch 1981).
Replayed days are clusters: the standard error is that of day sums, Student's t with days - 1, none under five days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.columns import build, repeated
from fastexec.errors import InputError, option
from fastexec.models.strategies import strategy_class
from fastexec.wording import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

_Z95 = 1.959963984540054
_Z_POWER = 2.80  # 1.96 + 0.84: 95 % two-sided, 80 % power
FEWEST_DAYS = 5
_NONE = (np.nan, np.nan, np.nan)
_CAPTURED = ("optimum_bps", "captured", "captured_low", "captured_high")
_LEAST_ATTAINABLE = 0.05  # bps; and five standard errors: the share of next to nothing means nothing


@dataclass(frozen=True)
class Paired:
    """What a comparison needs of K strategies: counts, means [k], co-moments [2K, 2K] (shortfalls, timings), wins [k, k],
    and for a replay the days' episode counts [day] and sums of shortfall [day, k]. ``conditional``: episodes are made
    of a few real days, over which nothing here tells the sampling error. order_value: currency, of an order in the mean.
    """

    strategies: Sequence[str]
    count: int
    mean: np.ndarray
    timing_mean: np.ndarray
    products: np.ndarray
    wins: np.ndarray
    completion: np.ndarray
    control_variate: Sequence[bool]
    day_counts: np.ndarray | None = None
    day_sums: np.ndarray | None = None
    conditional: bool = False
    models: Sequence[str] = ()
    order_value: float = np.nan


def from_summary(summary: pa.Table) -> Paired:
    """The comparison's material out of a summary table."""
    rows = summary.to_pylist()
    counts = rows[0]["day_episodes"]
    return Paired(
        strategies=[row["strategy"] for row in rows],
        count=rows[0]["episodes"],
        mean=np.array([row["shortfall_mean_bps"] for row in rows], np.float64),
        timing_mean=np.array([moves_of(row) for row in rows], np.float64),
        products=np.array([row["shortfall_comoments"] for row in rows] + [row["timing_comoments"] for row in rows]),
        wins=np.array([row["wins"] for row in rows]),
        completion=np.array([row["completion"] for row in rows]),
        control_variate=[row["control_variate"] for row in rows],
        day_counts=None if counts is None else np.array(counts, float),
        day_sums=None if counts is None else np.array([row["day_shortfall"] for row in rows]).T,
        models=[row["model"] for row in rows],
        conditional=counts is None and rows[0]["day_ids"] is not None,
        order_value=rows[0]["order_value"],
    )


def moves_of(row: Mapping[str, Any]) -> float:
    """The mean of what serves as control variate, of a row of the summary: of timing, or of its unexpected part; NaN: none."""
    split = row.get("timing_unexpected_mean_bps")
    found = row["timing_mean_bps"] if split is None else split
    return float("nan") if found is None else float(found)


def default_baseline(strategies: Sequence[str], models: Sequence[str]) -> str:
    """The first TWAP, or the first strategy where there is none."""
    named = zip(strategies, models, strict=True)
    return next((name for name, model in named if strategy_class(model).is_baseline), strategies[0])


def baseline_number(strategies: Sequence[str], baseline: str) -> int:
    """Its place; InputError with the nearest name where it is not there."""
    if baseline not in strategies:
        hint = did_you_mean(baseline, strategies, "strategies are")
        raise InputError(f"{option('baseline', baseline)}: no strategy of that name; {hint}")
    return list(strategies).index(baseline)


def comparison_table(material: Paired, baseline: str, metric: str = "shortfall") -> pa.Table:
    """The comparison, a row for each strategy but the baseline; ``metric``: what the material's costs measure."""
    b = baseline_number(material.strategies, baseline)
    others = [k for k in range(len(material.strategies)) if k != b]
    rows = [compare_pair(material, k, b) for k in others]
    values: dict[str, Any] = {
        "strategy": repeated(material.strategies, np.array(others, np.int32)),
        "baseline": repeated(material.strategies, np.full(len(others), b, np.int32)),
        "metric": repeated([metric], np.zeros(len(others), np.int32)),
        "episodes": np.full(len(others), material.count),
    }
    for name in rows[0] if rows else ():
        values[name] = np.array([row[name] for row in rows])
    if not rows:
        from fastexec.columns import COMPARISON

        values |= {c.name: np.zeros(0) for c in COMPARISON if c.name not in values and c.type != "text"}
    return build("comparison", values)


def compare_pair(material: Paired, k: int, b: int) -> Mapping[str, float]:
    """One row of numbers: strategy k against baseline b; NaN where a number does not exist."""
    count = material.count
    saving = float(material.mean[b] - material.mean[k])
    variance = _difference(material.products, b, k) / (count - 1) if count > 1 else np.nan
    error, low, high = _interval(material, k, b, saving, variance)
    values = {
        "saving_bps": saving,
        "standard_error_bps": error,
        "ci_low_bps": low,
        "ci_high_bps": high,
    }
    valid = is_controlled(material, k) and is_controlled(material, b)
    adjusted = _controlled(material, k, b, saving) if valid else (np.nan, *_NONE)
    names = ("saving_cv_bps", "standard_error_cv_bps", "ci_low_cv_bps", "ci_high_cv_bps")
    values |= dict(zip(names, adjusted, strict=True))
    values |= {
        "cost_cv_bps": mean_cost(material, b) - adjusted[0],
        "saving_money": sharper(values)[0] * material.order_value / 1e4,
        "win_rate": float(material.wins[k, b]) / (2 * count),
        "completion": float(material.completion[k]),
        "baseline_completion": float(material.completion[b]),
        "episodes_for_0_1_bps": float(np.ceil(_Z_POWER * _Z_POWER * variance / 0.01)),
    }
    return values | dict(zip(_CAPTURED, _captured(material, k, b), strict=True))


def sharper(row: Mapping[str, float]) -> tuple[float, float, float, float, bool]:
    """(saving, standard error, low, high, whether with control variate) of a row: with it where it is valid."""
    controlled = row["saving_cv_bps"] is not None and bool(np.isfinite(row["saving_cv_bps"]))
    kind = "_cv" if controlled else ""
    saving, error, low, high = (row[f"{x}{kind}_bps"] for x in ("saving", "standard_error", "ci_low", "ci_high"))
    return saving, error, low, high, controlled


def is_controlled(material: Paired, k: int) -> bool:
    """Whether the price moves may be taken out of a strategy's costs."""
    return bool(material.control_variate[k]) and material.day_counts is None and material.count > 2


def mean_cost(material: Paired, k: int) -> float:
    """The mean cost of a strategy, the price moves, of known mean 0, regressed out where that is valid."""
    p, timing = material.products, len(material.strategies) + k
    if not is_controlled(material, k) or not p[timing, timing] > 0.0:
        return float(material.mean[k])
    return float(material.mean[k] - p[k, timing] / p[timing, timing] * material.timing_mean[k])


def printed_costs(material: Paired, b: int) -> np.ndarray:
    """The mean costs that stand beside savings against b, float64[k]: that of b minus each saving, so that they add up."""
    base = mean_cost(material, b)
    savings = [0.0 if k == b else sharper(compare_pair(material, k, b))[0] for k in range(len(material.strategies))]
    return base - np.array(savings)


def rounding(material: Paired, b: int, k: int) -> float:
    """What the rounding of sums over n episodes may make of a saving of nothing: 8 eps log2(n) times the costs' size (their
    root mean square, which is a little above the mean of their absolute values).
    """
    squares = material.mean**2 + np.diagonal(material.products)[: material.mean.size] / material.count
    return float(8.0 * np.finfo(float).eps * np.log2(material.count) * np.sqrt(max(squares[b], squares[k])))


def _difference(products: np.ndarray, b: int, k: int) -> float:
    """Sum of squared deviations of (b - k); rounding below 0 is 0, identical columns exactly 0."""
    found = float(products[b, b] - products[b, k] - (products[k, b] - products[k, k]))
    return found if np.isnan(found) else max(found, 0.0)


def _interval(material: Paired, k: int, b: int, saving: float, variance: float) -> tuple[float, float, float]:
    if material.day_counts is not None:
        return _by_days(material, k, b, saving)
    if material.conditional or not material.count > 1:
        return _NONE
    error = float(np.sqrt(variance / material.count))
    half = error * _t95(material.count - 1)
    return error, saving - half, saving + half


def _by_days(material: Paired, k: int, b: int, saving: float) -> tuple[float, float, float]:
    assert material.day_counts is not None
    assert material.day_sums is not None
    days = material.day_counts.size
    if days < FEWEST_DAYS:
        return _NONE
    scores = material.day_sums[:, b] - material.day_sums[:, k] - saving * material.day_counts
    error = float(np.sqrt(days / (days - 1) * np.add.accumulate(scores * scores)[-1])) / material.count
    half = error * _t95(days - 1)
    return error, saving - half, saving + half


def _controlled(material: Paired, k: int, b: int, saving: float) -> tuple[float, float, float, float]:
    """(saving, error, low, high) with the timing difference, of known mean 0, regressed out."""
    p, K = material.products, len(material.strategies)  # noqa: N806 - K is the legend's letter
    control = _difference(p, K + b, K + k)
    total = _difference(p, b, k)
    if control <= 0.0:
        error = float(np.sqrt(total / (material.count - 1) / material.count))
        half = error * _t95(material.count - 1)
        return saving, error, saving - half, saving + half
    shared = float(p[b, K + b] - p[b, K + k] - (p[k, K + b] - p[k, K + k]))
    beta = shared / control
    adjusted = saving - beta * float(material.timing_mean[b] - material.timing_mean[k])
    residual = max(total - beta * shared, 0.0) / (material.count - 2)
    error = float(np.sqrt(residual / material.count))
    half = error * _t95(material.count - 2)
    return adjusted, error, adjusted - half, adjusted + half


def _captured(material: Paired, k: int, b: int) -> tuple[float, float, float, float]:
    """The optimum's cost, and the share of (baseline - optimum) that strategy k saves, with its 95 % interval.

    Timing is left out of all three, but for what was expected of it: the rest has mean zero for each. The interval of the
    ratio is by the delta method. Null where there is no optimum, for POV, which follows a volume that the optimum does not
    know, and where there is next to nothing to attain.
    """
    classes, count = [strategy_class(model) for model in material.models], material.count
    optima = [j for j, own in enumerate(classes) if own.is_exact_optimum]
    if not optima or material.conditional or not all(material.control_variate[j] for j in (k, b)):
        return (np.nan, *_NONE)
    o = optima[0]
    cost = material.mean - material.timing_mean
    attainable, saved = float(cost[b] - cost[o]), float(cost[b] - cost[k])
    error = np.sqrt(_covariance(material, (b, o), (b, o)) / count)
    if classes[k].DECLARES.fills_at_next or not attainable > max(5.0 * error, _LEAST_ATTAINABLE):
        return (float(cost[o]), *_NONE)
    share = saved / attainable
    variance = _covariance(material, (b, k), (b, k)) - 2.0 * share * _covariance(material, (b, k), (b, o))
    variance += share * share * _covariance(material, (b, o), (b, o))
    half = float(np.sqrt(max(variance, 0.0) / count)) / attainable * _t95(count - 1)
    return float(cost[o]), share, share - half, share + half


def _covariance(material: Paired, first: tuple[int, int], second: tuple[int, int]) -> float:
    """Of two differences of costs without timing, an episode."""
    strategies = len(material.strategies)
    total = 0.0
    for i, sign in zip(first, (1.0, -1.0), strict=True):
        for j, other in zip(second, (1.0, -1.0), strict=True):
            p = material.products
            own = p[i, j] - p[i, strategies + j] - p[strategies + i, j] + p[strategies + i, strategies + j]
            total += sign * other * float(own)
    return total / (material.count - 1)


def _t95(freedom: int) -> float:
    """The 97.5 % point of Student's t; beyond 10,000 degrees of freedom the normal's (a difference under 0.03 %)."""
    if freedom > 10_000:
        return _Z95
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))
