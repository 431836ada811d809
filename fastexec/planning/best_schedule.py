"""The search for the static schedule of least expected cost.

Where costs are convex in the slices Newton's method finds the one minimum. Else it begins at many schedules (even, equal lumps,
everything at once or last, random lumps), the cheapest of all are improved by moving parts of slices to other steps, and the
result is the best that was found. Coarse lots are settled by moving single lots.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from fastexec.exact import plain_sum
from fastexec.kernels.lumps import draw_lumps
from fastexec.kernels.trajectory import WORK, optimise
from fastexec.planning.moves import SmoothCost
from fastexec.planning.static_cost import ScheduleCost

_STARTS, _IMPROVED = 8, 3
_RACE = (6, 1e-2), (3, 1e-3), (1, 1e-6)  # how many are improved until what part
_LUMPS = 4  # of all numbers of equal lumps, how many more are starts
_MOST_MOVES = 200_000  # elements of a round of trials
_FEW_MOVES = 20_000  # where only lots are left to settle
_MOST_WORK = 4_000_000  # elements of all its rounds
#: Lots a step, from which on rounding costs less than a thousandth of the temporary cost.
COARSE = 20


def best_schedule(cost: ScheduleCost, convex: bool) -> np.ndarray:
    """The trajectory, float64[t + 1]: cumulative fractions that end at 1."""
    places = np.nonzero(cost.open)[0]
    if places.size == 0:
        return np.arange(cost.open.size + 1) / cost.open.size
    starts = _starts(places.size, convex)
    if not convex and places.size > 13:
        starts = (*starts, *_cheapest(_lumps(places.size), cost, places, _LUMPS))
    found = np.stack([*_plain(places.size), *starts, *[_minimise(start, cost, places, convex) for start in starts]])
    coarse = cost.fewest_lots < COARSE * places.size
    if convex and cost.gaps is None and len(cost.impacts) < 2 and not (coarse and len(cost.sizes) > 1):
        slices = _cheapest(found, cost, places, 1)
    elif coarse or cost.gaps is not None:
        slices = _cheapest(found, cost, places, 1 if convex else _IMPROVED)
        slices = _cheapest(np.stack([_improved(one, cost, places) for one in slices]), cost, places, 1)
    else:
        smooth, slices = SmoothCost(cost), found
        for count, least in ((1, 1e-6),) if convex else _RACE:
            slices = _cheapest(slices, cost, places, count)
            slices = np.stack([_improved_smoothly(one, smooth, places, least) for one in slices])
        slices = _cheapest(np.concatenate((slices, found)), cost, places, 1)
        if cost.lot > 0.0:
            slices = _improved(slices[0], cost, places, _FEW_MOVES)[None]
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
    found += [_equal(lumps, steps) for lumps in range(2, min(steps, 7))]
    for at_end in (0, steps - 1):
        start = np.zeros(steps)
        start[at_end] = 1.0
        found.append(start)
    lumpy = np.empty((_STARTS, steps))
    draw_lumps(lumpy)
    return (*found, *lumpy)


@lru_cache(maxsize=8)
def _lumps(steps: int) -> np.ndarray:
    """Equal lumps of many numbers, float64[m, t]."""
    counts = sorted({2 + (steps // 2 - 2) * j // 80 for j in range(81)})
    return np.stack([_equal(lumps, steps) for lumps in counts])


def _equal(lumps: int, steps: int) -> np.ndarray:
    start = np.zeros(steps)
    start[[round(j * (steps - 1) / (lumps - 1)) for j in range(lumps)]] = 1.0 / lumps
    return start


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
    size, risk = cost.mean_power(1.0), [plain_sum(cost.risk[p : p + g]) for p, g in zip(places, gaps, strict=True)]
    linear = cost.linear[places] - cost.linear[places].min()  # a common level would drown the differences in rounding
    scales = [row[places] * cost.mean_power(e) for row, e in zip(cost.scales, cost.exponents, strict=True)]
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
    return total * cost.mean_power(exponent), exponent, keep


def _improved(slices: np.ndarray, cost: ScheduleCost, places: np.ndarray, elements: int = _MOST_MOVES) -> np.ndarray:
    """Parts of slices moved to other steps, by ever smaller parts, as long as that is cheaper and not too much work."""
    part, now = 0.25, cost.of(_spread_out(slices[None], cost, places))[0]
    lags, work = 1 if cost.gaps is None else len(cost.gaps.chance), 0
    each = lags if elements == _MOST_MOVES else len(cost.sizes) * max(len(cost.impacts), 1)
    while part > 1e-5 and work < _MOST_WORK:
        trials = _moved(slices, part, elements // lags)
        work += trials.size * each
        if trials.shape[0] == 0:
            return slices
        costs = cost.of(_spread_out(trials, cost, places))
        best = int(np.argmin(costs))
        if costs[best] < now - 1e-12 * abs(now):
            slices, now = trials[best], costs[best]
        else:
            part *= 0.5
    return slices


def _improved_smoothly(slices: np.ndarray, cost: SmoothCost, places: np.ndarray, least: float) -> np.ndarray:
    """Likewise where lots are fine and no volume is left to chance: each move's change is known by itself."""
    part, work, here = 0.25, 0, cost.at(slices, places)
    while part > least and work < 10 * _MOST_WORK:
        i, j = _pairs(slices, _MOST_MOVES)
        if not i.size:
            break
        work += i.size * slices.size
        size = np.minimum(part, slices[i])
        changes = here.changes(places[i], places[j], size)
        best = int(np.argmin(changes))
        if changes[best] < -1e-12 * abs(here.total):
            slices = slices.copy()
            slices[i[best]] -= size[best]
            slices[j[best]] += size[best]
            here = cost.at(slices, places)
        else:
            part *= 0.5
    return slices


def _moved(slices: np.ndarray, part: float, elements: int = _MOST_MOVES) -> np.ndarray:
    """All schedules with ``part`` of the order, or a whole slice, moved from one step to another; of many steps some."""
    i, j = _pairs(slices, elements)
    size = np.minimum(part, slices[i])
    trials, rows = np.tile(slices, (i.size, 1)), np.arange(i.size)
    trials[rows, i] -= size
    trials[rows, j] += size
    return trials


def _pairs(slices: np.ndarray, elements: int) -> tuple[np.ndarray, np.ndarray]:
    """From which steps to which others parts are moved: all, of many steps some."""
    steps = slices.size
    most = max(elements // steps, 16)
    largest = np.argsort(-slices, kind="stable")
    sources = largest[slices[largest] > 0.0][: max(int(np.sqrt(most)), 1)]
    targets = np.arange(steps)
    if sources.size * steps > most:
        near = np.concatenate([sources - 1, sources + 1, [0, steps - 1]])
        targets = np.unique(np.clip(np.concatenate((near, np.linspace(0, steps - 1, 8).astype(int))), 0, steps - 1))
    i, j = (x.ravel() for x in np.meshgrid(sources, targets, indexing="ij"))
    apart = i != j
    return i[apart], j[apart]


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
