"""The static schedule of least expected cost + risk aversion * variance, by a stagewise Newton method.

State: share of the order left x and outstanding transient impact y; control: the slice n > 0, kept positive by a barrier that
fades.
    x' = x - n,   y' = (y + k n^d) a
    cost of a step: linear n + sum scale_j n^(1+e_j) + square n^2 + n (y + k n^d / 2) + risk (x - n)^2
Several exponents e_j where it is a range: a mixture. The value function is expanded to second order from the last step back
(Jacobson and Mayne 1970), which is Newton's method at a cost linear in the number of steps; where the cost is convex it finds
the one minimum, else one near its start.
"""

import numpy as np

from fastexec.kernels._jit import entry, inlined, stage
from fastexec.kernels.door import F8, held, sizes, within
from fastexec.kernels.elementary import log, power

LINEAR, RISK, KEEP, SCALES = 0, 1, 2, 3  # rows of ``terms``, a value for each step: a, and scale_j from SCALES on
SQUARE, PUSH, PUSH_EXPONENT, BARRIER, EXPONENTS = 0, 1, 2, 3, 4  # ``constants``: k, d, and e_j from EXPONENTS on


@inlined
def _step_cost(n, x, y, t, terms, constants):
    pushed = constants[PUSH] * power(n, constants[PUSH_EXPONENT])
    impact = n * (y + 0.5 * pushed)
    own = terms[LINEAR, t] * n + constants[SQUARE] * n * n
    for j in range(terms.shape[0] - SCALES):
        own += terms[SCALES + j, t] * n * power(n, constants[EXPONENTS + j])
    return own + impact + terms[RISK, t] * (x - n) * (x - n)


@stage
def total_cost(slices, terms, constants, barrier):
    """Cost of a schedule, the barrier included; infinite where a slice is not positive."""
    x, y, total = 1.0, 0.0, 0.0
    for t in range(slices.shape[0]):
        n = slices[t]
        if n <= 0.0:
            return np.inf
        total += _step_cost(n, x, y, t, terms, constants) - barrier * log(n)
        y = (y + constants[PUSH] * power(n, constants[PUSH_EXPONENT])) * terms[KEEP, t]
        x -= n
    return total


@stage
def find_states(slices, terms, constants, x, y):
    """Shares left and outstanding impact before each step."""
    left, impact = 1.0, 0.0
    for t in range(slices.shape[0]):
        x[t], y[t] = left, impact
        left -= slices[t]
        impact = (impact + constants[PUSH] * power(slices[t], constants[PUSH_EXPONENT])) * terms[KEEP, t]


@stage
def expand(slices, terms, constants, barrier, states, feedback):
    """Backward pass: ``feedback[:, t]`` = (step, change with x, change with y) of the Newton direction; predicted decrease."""
    steps = slices.shape[0]
    d, k = constants[PUSH_EXPONENT], constants[PUSH]
    x, y = states[0], states[1]
    find_states(slices, terms, constants, x, y)
    vx, vy, vxx, vxy, vyy, decrease = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(steps - 1, -1, -1):
        n, a = slices[t], terms[KEEP, t]
        push = k * power(n, d)
        push1, push2 = d * push / n, d * (d - 1.0) * push / (n * n)
        risk = 2.0 * terms[RISK, t]
        # Derivatives of the step's cost in n, by parts: own terms, barrier, transient, risk.
        cn = terms[LINEAR, t] + 2.0 * constants[SQUARE] * n - barrier / n
        cn += y[t] + 0.5 * push * (1.0 + d) - risk * (x[t] - n)
        cnn = 2.0 * constants[SQUARE] + barrier / (n * n)
        for j in range(terms.shape[0] - SCALES):
            e = constants[EXPONENTS + j]
            scaled = (1.0 + e) * terms[SCALES + j, t] * power(n, e)
            cn += scaled
            cnn += e * scaled / n
        cnn += 0.5 * push1 * (1.0 + d) + risk
        qx, qxx, qnx = risk * (x[t] - n) + vx, risk + vxx, -risk - vxx + a * push1 * vxy
        qy, qyy, qxy, qny = n + a * vy, a * a * vyy, a * vxy, 1.0 - a * vxy + a * a * push1 * vyy
        qn = cn - vx + a * push1 * vy
        qnn = cnn + vxx - 2.0 * a * push1 * vxy + a * a * push1 * push1 * vyy + a * push2 * vy
        if t == steps - 1:  # what is left is the slice: no choice
            feedback[0, t], feedback[1, t], feedback[2, t] = 0.0, 1.0, 0.0
        else:
            if not qnn > 1e-12 * abs(cnn):
                qnn = abs(cnn) + 1e-300  # not convex here: a descent step instead of Newton's
            feedback[0, t], feedback[1, t], feedback[2, t] = -qn / qnn, -qnx / qnn, -qny / qnn
        f0, fx, fy = feedback[0, t], feedback[1, t], feedback[2, t]
        decrease -= f0 * qn + 0.5 * f0 * f0 * qnn
        vx = qx + fx * qn + f0 * (qnx + qnn * fx)
        vy = qy + fy * qn + f0 * (qny + qnn * fy)
        vxx = qxx + 2.0 * fx * qnx + fx * fx * qnn
        vxy = qxy + fx * qny + fy * qnx + fx * fy * qnn
        vyy = qyy + 2.0 * fy * qny + fy * fy * qnn
    return decrease


@stage
def try_step(size, slices, terms, constants, feedback, trial):
    """Forward pass: the slices after a step of ``size`` along the Newton direction, through the true states."""
    left, impact, old_left, old_impact = 1.0, 0.0, 1.0, 0.0
    for t in range(slices.shape[0]):
        n = slices[t]
        move = size * feedback[0, t] + feedback[1, t] * (left - old_left) + feedback[2, t] * (impact - old_impact)
        trial[t] = n + move
        d, a, k = constants[PUSH_EXPONENT], terms[KEEP, t], constants[PUSH]
        old_left -= n
        old_impact = (old_impact + k * power(n, d)) * a
        left -= trial[t]
        impact = (impact + k * power(max(trial[t], 0.0), d)) * a
    last = slices.shape[0] - 1
    trial[last] += left  # rounding: the slices add up to the order


@stage
def descend(slices, terms, constants, barrier, work):
    """Newton steps at one barrier until the predicted decrease is rounding, or no step helps."""
    trial, states, feedback = work[0], work[1:3], work[3:]
    now = total_cost(slices, terms, constants, barrier)
    for _ in range(60):
        decrease = expand(slices, terms, constants, barrier, states, feedback)
        size = 1.0
        while size > 1e-9:
            try_step(size, slices, terms, constants, feedback, trial)
            then = total_cost(trial, terms, constants, barrier)
            if then < now or (
                decrease <= 1e-11 * abs(now) and then < np.inf
            ):  # a cost knows half the digits of its minimum
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


WORK = 6  # rows that the search writes in


def _door(slices, terms, constants, work):
    (steps,) = sizes("slices", slices, 1)
    within("slices: steps", steps, 1)
    held("slices", slices, F8, steps)
    rows, _ = sizes("terms", terms, 2)
    within("terms: rows", rows, SCALES)
    held("terms", terms, F8, rows, steps)
    held("constants", constants, F8, EXPONENTS + rows - SCALES)
    held("work", work, F8, WORK, steps)


@entry("void(float64[::1], float64[:, ::1], float64[::1], float64[:, ::1])", _door, references=False)
def optimise(slices, terms, constants, work):
    """Overwrite ``slices`` (positive, adding up to 1) with the optimal ones; zero slices come out as nearly 0. ``work``: any
    float64[WORK, t]; arrays made here would have to be compiled as well, a fifth of it.
    """
    barrier = constants[BARRIER] * abs(total_cost(slices, terms, constants, 0.0)) / slices.shape[0]
    for _ in range(14):
        descend(slices, terms, constants, barrier, work)
        barrier *= 0.1
