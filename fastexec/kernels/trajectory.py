"""The static schedule of least expected cost + risk aversion * variance, by a stagewise Newton method.

State: share of the order left x and outstanding transient impacts y; control: the slice n > 0, kept positive by a barrier
that fades.
    x' = x - n,   y_m' = (y_m + k_m n^d_m) a_m
    cost of a step: linear n + sum scale_j n^(1+e_j) + square n^2 + n sum (y_m + k_m n^d_m / 2) + risk (x - n)^2
Several j and m where exponents or resilience are ranges: a mixture. The value function is expanded to second order from the
last step back (Jacobson and Mayne 1970), which is Newton's method at a cost linear in the number of steps; where the cost is
convex it finds the one minimum, else one near its start.
"""

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import allocating, entry, inlined
from fastexec.kernels.door import F8, held, sizes, within
from fastexec.kernels.elementary import log, power

LINEAR, RISK = 0, 1  # rows of ``terms``: a value for each step
PUSH, PUSH_EXPONENT = 0, 1  # columns of ``pushes``: k, d


class Slicing(NamedTuple):
    """What slices cost, for shares of the order. terms float64[2, t]; scales float64[j, t], exponents float64[j]; pushes
    float64[m, 2], keeps float64[m, t]: a_m from each step to the next; numbers: square, and the barrier to begin with.
    """

    terms: np.ndarray
    scales: np.ndarray
    exponents: np.ndarray
    pushes: np.ndarray
    keeps: np.ndarray
    numbers: np.ndarray


def example():
    """Arrays of the types of the entry, for its signature."""
    flat = np.zeros((1, 1))
    return np.zeros(1), Slicing(flat, flat, np.zeros(1), flat, flat, np.zeros(2))


@inlined
def _own_cost(n, t, costs):
    cost = costs.terms[LINEAR, t] * n + costs.numbers[0] * n * n
    for j in range(costs.exponents.shape[0]):
        cost += costs.scales[j, t] * n * power(n, costs.exponents[j])
    return cost


@allocating
def total_cost(slices, costs, barrier):
    """Cost of a schedule, the barrier included; infinite where a slice is not positive."""
    impact = np.zeros(costs.pushes.shape[0])
    x, total = 1.0, 0.0
    for t in range(slices.shape[0]):
        n = slices[t]
        if n <= 0.0:
            return np.inf
        total += _own_cost(n, t, costs) - barrier * log(n)
        for m in range(impact.shape[0]):
            pushed = costs.pushes[m, PUSH] * power(n, costs.pushes[m, PUSH_EXPONENT])
            total += n * (impact[m] + 0.5 * pushed)
            impact[m] = (impact[m] + pushed) * costs.keeps[m, t]
        x -= n
        total += costs.terms[RISK, t] * x * x
    return total


@allocating
def follow_states(slices, costs, x, y):
    """The states before each step: x float64[t], y float64[t, m]."""
    left = 1.0
    impact = np.zeros(costs.pushes.shape[0])
    for t in range(slices.shape[0]):
        x[t] = left
        left -= slices[t]
        for m in range(impact.shape[0]):
            y[t, m] = impact[m]
            pushed = costs.pushes[m, PUSH] * power(slices[t], costs.pushes[m, PUSH_EXPONENT])
            impact[m] = (impact[m] + pushed) * costs.keeps[m, t]


@inlined
def _slopes(n, t, x, y, costs, barrier):
    """First and second derivative of the step's cost in n."""
    risk = 2.0 * costs.terms[RISK, t]
    first = costs.terms[LINEAR, t] + 2.0 * costs.numbers[0] * n - barrier / n - risk * (x[t] - n)
    second = 2.0 * costs.numbers[0] + barrier / (n * n) + risk
    for j in range(costs.exponents.shape[0]):
        e = costs.exponents[j]
        scaled = (1.0 + e) * costs.scales[j, t] * power(n, e)
        first += scaled
        second += e * scaled / n
    for m in range(costs.pushes.shape[0]):
        d = costs.pushes[m, PUSH_EXPONENT]
        push = costs.pushes[m, PUSH] * power(n, d)
        first += y[t, m] + 0.5 * push * (1.0 + d)
        second += 0.5 * d * push / n * (1.0 + d)
    return first, second


@allocating
def expand(slices, costs, barrier, feedback):
    """Backward pass: ``feedback[t]`` = (step, change with x, with each y) of the Newton direction; predicted decrease."""
    steps, modes = slices.shape[0], costs.pushes.shape[0]
    x, y = np.empty(steps), np.empty((steps, modes))
    follow_states(slices, costs, x, y)
    vy, vxy, vyy = np.zeros(modes), np.zeros(modes), np.zeros((modes, modes))
    rise, qny = np.zeros(modes), np.zeros(modes)
    vx, vxx, decrease = 0.0, 0.0, 0.0
    for t in range(steps - 1, -1, -1):
        n, risk = slices[t], 2.0 * costs.terms[RISK, t]
        cn, cnn = _slopes(n, t, x, y, costs, barrier)
        qx, qxx = risk * (x[t] - n) + vx, risk + vxx
        more_n, more_nx, more_nn = push_on(n, t, costs, (vy, vxy, vyy), rise, qny)
        qn, qnx, qnn = cn - vx + more_n, more_nx - risk - vxx, cnn + vxx + more_nn
        if t == steps - 1:  # what is left is the slice: no choice
            f0, fx = 0.0, 1.0
        else:
            if not qnn > 1e-12 * abs(cnn):
                qnn = abs(cnn) + 1e-300  # not convex here: a descent step instead of Newton's
            f0, fx = -qn / qnn, -qnx / qnn
        feedback[t, 0], feedback[t, 1] = f0, fx
        for m in range(modes):
            feedback[t, 2 + m] = 0.0 if t == steps - 1 else -qny[m] / qnn
        decrease -= f0 * qn + 0.5 * f0 * f0 * qnn
        vx = qx + fx * qn + f0 * (qnx + qnn * fx)
        vxx = qxx + 2.0 * fx * qnx + fx * fx * qnn
        for m in range(modes):
            fy, a = feedback[t, 2 + m], costs.keeps[m, t]
            vxy[m] = a * vxy[m] + fx * qny[m] + fy * qnx + fx * fy * qnn
            vy[m] = n + a * vy[m] + fy * qn + f0 * (qny[m] + qnn * fy)
            for k in range(modes):
                other = feedback[t, 2 + k]
                vyy[m, k] = a * costs.keeps[k, t] * vyy[m, k] + fy * qny[k] + other * qny[m] + fy * other * qnn
    return decrease


@allocating
def push_on(n, t, costs, values, rise, qny):
    """What a slice does to the cost to go through the impacts that it leaves: first derivative in n, mixed with x, second;
    mixed with each y into ``qny``.
    """
    vy, vxy, vyy = values
    first, mixed, second = 0.0, 0.0, 0.0
    for m in range(rise.shape[0]):
        d, a = costs.pushes[m, PUSH_EXPONENT], costs.keeps[m, t]
        rise[m] = a * d * costs.pushes[m, PUSH] * power(n, d) / n
        first += rise[m] * vy[m]
        mixed += rise[m] * vxy[m]
        second += (d - 1.0) * rise[m] / n * vy[m] - 2.0 * rise[m] * vxy[m]
    for m in range(rise.shape[0]):
        across = 0.0
        for k in range(rise.shape[0]):
            across += rise[k] * vyy[m, k]
        qny[m] = 1.0 + costs.keeps[m, t] * (across - vxy[m])
        second += rise[m] * across
    return first, mixed, second


@allocating
def try_step(size, slices, costs, feedback, trial):
    """Forward pass: the slices after a step of ``size`` along the Newton direction, through the true states."""
    modes = costs.pushes.shape[0]
    moved = np.zeros(modes)  # the outstanding impacts less those of the slices before the step
    left = 0.0  # likewise
    for t in range(slices.shape[0]):
        n = slices[t]
        move = size * feedback[t, 0] + feedback[t, 1] * left
        for m in range(modes):
            move += feedback[t, 2 + m] * moved[m]
        trial[t] = n + move
        for m in range(modes):
            k, d = costs.pushes[m, PUSH], costs.pushes[m, PUSH_EXPONENT]
            moved[m] = (moved[m] + k * (power(max(trial[t], 0.0), d) - power(n, d))) * costs.keeps[m, t]
        left -= move
    last = slices.shape[0] - 1
    trial[last] += left  # rounding: the slices add up to the order


@allocating
def descend(slices, costs, barrier):
    """Newton steps at one barrier until the predicted decrease is rounding, or no step helps."""
    feedback, trial = np.empty((slices.shape[0], 2 + costs.pushes.shape[0])), np.empty(slices.shape[0])
    now = total_cost(slices, costs, barrier)
    for _ in range(60):
        decrease = expand(slices, costs, barrier, feedback)
        size = 1.0
        while size > 1e-9:
            try_step(size, slices, costs, feedback, trial)
            then = total_cost(trial, costs, barrier)
            if then < now:
                break
            size *= 0.5
        if size <= 1e-9:
            return
        for t in range(slices.shape[0]):  # an assignment of arrays compiles Numba's functions of text: 2 s
            slices[t] = trial[t]
        settled = now - then <= 1e-15 * abs(now) or decrease <= 1e-15 * abs(now)
        now = then
        if settled:
            return


def _door(slices, costs):
    (steps,) = sizes("slices", slices, 1)
    within("slices: steps", steps, 1)
    held("slices", slices, F8, steps)
    held("costs.terms", costs.terms, F8, 2, steps)
    held("costs.exponents", costs.exponents, F8, *sizes("costs.exponents", costs.exponents, 1))
    held("costs.scales", costs.scales, F8, costs.exponents.size, steps)
    modes, _ = sizes("costs.pushes", costs.pushes, 2)
    held("costs.pushes", costs.pushes, F8, modes, 2)
    held("costs.keeps", costs.keeps, F8, modes, steps)
    held("costs.numbers", costs.numbers, F8, 2)


@entry(example, _door)
def optimise(slices, costs):
    """Overwrite ``slices`` (positive, adding up to 1) with the optimal ones; zero slices come out as nearly 0."""
    barrier = costs.numbers[1] * abs(total_cost(slices, costs, 0.0)) / slices.shape[0]
    for _ in range(14):
        descend(slices, costs, barrier)
        barrier *= 0.1
