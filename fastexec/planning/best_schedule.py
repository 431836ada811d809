"""The search for the static schedule of least expected cost.

Where costs are convex in the slices Newton's method finds the one minimum. Else it begins at many schedules (even, lumps at
both ends, everything at once or last, random lumps), the cheapest of all are improved by moving parts of slices to other
steps, and the result is the best that was found. Coarse lots are settled by moving single lots.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fastexec.exact import plain_sum, power_of
from fastexec.kernels.lumps import draw_lumps
from fastexec.kernels.trajectory import WORK, optimise
from fastexec.planning.static_cost import ScheduleCost

_STARTS, _IMPROVED = 8, 3
_MOST_MOVES = 200_000  # elements of a round of trials
_MOST_WORK = 4_000_000  # elements of all its rounds
#: Lots a step, from which on rounding costs less than a thousandth of the temporary cost.
COARSE = 20


def best_schedule(cost: ScheduleCost, convex: bool) -> np.ndarray:
    """The trajectory, float64[t + 1]: cumulative fractions that end at 1."""
    places = np.nonzero(cost.open)[0]
    if places.size == 0:
        return np.arange(cost.open.size + 1) / cost.open.size
    starts = _starts(places.size, convex)
    found = [_minimise(start, cost, places, convex) for start in starts]
    slices = _cheapest(np.stack([*_plain(places.size), *starts, *found]), cost, places, 1 if convex else _IMPROVED)
    coarse = cost.fewest_lots < COARSE * places.size
    if not convex or cost.gaps is not None or len(cost.impacts) > 1 or (coarse and len(cost.sizes) > 1):
        slices = _cheapest(np.stack([_improved(one, cost, places) for one in slices]), cost, places, 1)
    best = slices[0]
    if coarse and len(cost.sizes) == 1:
        best = _whole_lots(best, cost, places)
    return np.asarray(_spread_out(best[None], cost, places)[0])


def _spread_out(slices: np.ndarray, cost: ScheduleCost, places: np.ndarray) -> np.ndarray:
    """Trajectories over all steps, float64[m, t + 1], of slices of the steps that may have volume."""
    whole = np.zeros((slices.shape[0], cost.open.size))
    whole[:, places] = np.maximum(slices, 0.0)
    sums = np.add.accumulate(whole, axis=1)
    return np.concatenate((np.zeros((slices.shape[0], 1)), sums / sums[:, -1:]), axis=1)


def _cheapest(slices: np.ndarray, cost: ScheduleCost, places: np.ndarray, count: int) -> np.ndarray:
    order = np.argsort(cost.of(_spread_out(slices, cost, places)), kind="stable")
    return slices[order[:count]]


def _plain(steps: int) -> list[np.ndarray]:
    """Schedules that anybody might try: even, everything at once."""
    at_once = np.zeros(steps)
    at_once[0] = 1.0
    return [np.full(steps, 1.0 / steps), at_once]


@lru_cache(maxsize=8)
def _starts(steps: int, convex: bool) -> tuple[np.ndarray, ...]:
    even = np.full(steps, 1.0 / steps)
    if convex or steps == 1:
        return (even,)
    found = [even]
    for lumps in range(2, min(steps, 7)):
        at = np.array([round(j * (steps - 1) / (lumps - 1)) for j in range(lumps)])
        start = np.zeros(steps)
        start[at] = 1.0 / lumps
        found.append(start)
    for at_end in (0, steps - 1):
        start = np.zeros(steps)
        start[at_end] = 1.0
        found.append(start)
    lumpy = np.empty((_STARTS, steps))
    draw_lumps(lumpy)
    return (*found, *lumpy)


def _minimise(start: np.ndarray, cost: ScheduleCost, places: np.ndarray, convex: bool) -> np.ndarray:
    """Newton's method from a start; volumes that may be none count as those that are some."""
    steps = start.size
    slices = np.ascontiguousarray(0.98 * start + 0.02 / steps)
    optimise(slices, *_problem(cost, places, 0.1 if convex else 1e-4), np.empty((WORK, steps)))
    return slices


def _problem(cost: ScheduleCost, places: np.ndarray, barrier: float) -> tuple[np.ndarray, np.ndarray]:
    """What the kernel takes: sizes of the order averaged, steps without volume left out, their risk and decay added up, of
    several exponents and resiliences of transient impact the mean.
    """
    gaps = np.diff(np.append(places, cost.open.size))
    size, risk = _mean_power(cost, 1.0), [plain_sum(cost.risk[p : p + g]) for p, g in zip(places, gaps, strict=True)]
    linear = cost.linear[places] - cost.linear[places].min()  # a common level would drown the differences in rounding
    scales = [row[places] * _mean_power(cost, e) for row, e in zip(cost.scales, cost.exponents, strict=True)]
    if cost.gaps is not None:
        scales = [row * x[places] for row, x in zip(scales, cost.gaps.typical, strict=False)]
    push, exponent, keep = _typical(cost)
    keeps = np.full(places.size, keep)
    for more in range(1, int(gaps.max())):
        keeps = np.where(gaps > more, keeps * keep, keeps)
    terms = np.stack((linear, np.array(risk) * size, keeps, *scales))
    return terms, np.array([cost.square * size, push, exponent, barrier, *cost.exponents])


def _typical(cost: ScheduleCost) -> tuple[float, float, float]:
    """Coefficient, exponent and keep of one transient impact in place of several, of a slice in shares of the order."""
    total = sum(impact.coefficient for impact in cost.impacts)
    if not total > 0.0:
        return 0.0, 1.0, 1.0
    shares = [impact.coefficient / total for impact in cost.impacts]
    exponent = sum(w * impact.exponent for w, impact in zip(shares, cost.impacts, strict=True))
    keep = sum(w * impact.keep for w, impact in zip(shares, cost.impacts, strict=True))
    return total * _mean_power(cost, exponent), exponent, keep


def _mean_power(cost: ScheduleCost, exponent: float) -> float:
    """E[shares^exponent]."""
    return plain_sum(power_of(np.array(cost.sizes), exponent) * np.array(cost.weights))


def _improved(slices: np.ndarray, cost: ScheduleCost, places: np.ndarray) -> np.ndarray:
    """Parts of slices moved to other steps, by ever smaller parts, as long as that is cheaper and not too much work."""
    part, now = 0.25, cost.of(_spread_out(slices[None], cost, places))[0]
    lags, work = 1 if cost.gaps is None else len(cost.gaps.chance), 0
    while part > 1e-5 and work < _MOST_WORK:
        trials = _moved(slices, part, _MOST_MOVES // lags)
        work += trials.size * lags
        if trials.shape[0] == 0:
            return slices
        costs = cost.of(_spread_out(trials, cost, places))
        best = int(np.argmin(costs))
        if costs[best] < now - 1e-12 * abs(now):
            slices, now = trials[best], costs[best]
        else:
            part *= 0.5
    return slices


def _moved(slices: np.ndarray, part: float, elements: int = _MOST_MOVES) -> np.ndarray:
    """All schedules with ``part`` of the order, or a whole slice, moved from one step to another; of many steps some."""
    steps = slices.size
    most = max(elements // steps, 16)
    largest = np.argsort(-slices, kind="stable")
    sources = largest[slices[largest] > 0.0][: max(int(np.sqrt(most)), 1)]
    targets = np.arange(steps)
    if sources.size * steps > most:
        near = np.concatenate([sources - 1, sources + 1, [0, steps - 1]])
        targets = np.unique(np.clip(np.concatenate((near, np.linspace(0, steps - 1, 8).astype(int))), 0, steps - 1))
    i, j = (x.ravel() for x in np.meshgrid(sources, targets, indexing="ij"))
    i, j = i[i != j], j[i != j]
    size = np.minimum(part, slices[i])
    trials, rows = np.tile(slices, (i.size, 1)), np.arange(i.size)
    trials[rows, i] -= size
    trials[rows, j] += size
    return trials


def _whole_lots(slices: np.ndarray, cost: ScheduleCost, places: np.ndarray) -> np.ndarray:
    """Slices in whole lots, single lots moved as long as that is cheaper."""
    lots = cost.fewest_lots
    done = np.floor(_spread_out(slices[None], cost, places)[0, places + 1] * lots + 0.5)
    found = np.diff(done, prepend=0.0) / lots
    now = float(cost.of(_spread_out(found[None], cost, places))[0])
    while (trials := _moved(found, 1.0 / lots)).size:
        costs = cost.of(_spread_out(trials, cost, places))
        best = int(np.argmin(costs))
        if not costs[best] < now - 1e-12 * abs(now):
            break
        found, now = np.round(trials[best] * lots) / lots, float(costs[best])
    return np.asarray(found)
