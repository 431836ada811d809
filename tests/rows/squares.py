"""The mean squared targets of the backward programme's sample."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels.programme import DISCOUNT, Problem, solve
from fastexec.kernels.second_moments import Sampled
from naive import learning as naive, programme as twin
from rows.programmes import INVENTORIES, NUMBERS, A, T, X, some_slices
from trials import Plain, arrays

PATHS = 40


def some_sample(rng):
    """Of each step and state so many paths: half spread, temporary factor, whether there is volume, what follows."""
    shape = (T, X, PATHS)
    return (
        rng.uniform(0.0, 9.0, shape), rng.uniform(0.0, 60.0, shape), rng.random(shape) < rng.choice([0.5, 1.0]),
        rng.integers(0, X, shape),
    )  # fmt: skip


def from_sample(rng):
    """The problem and the sums that a sample comes to, and values of what is left."""
    half, temporary, traded, after = some_sample(rng)
    one = (after[..., None] == np.arange(X)) / PATHS
    go, stay = ((one * on[..., None]).sum(axis=2) for on in (traded, ~traded))
    pair = [(one * (x * traded)[..., None]).sum(axis=2) for x in (half, temporary)]
    products = half * half, half * temporary, temporary * temporary
    squares = np.stack([(x * traded).mean(axis=2) for x in products], axis=2)
    slices, powers, _ = some_slices(rng, INVENTORIES, A)
    slices[1:, 1] = np.minimum(slices[1:, 1], 0.3 / (INVENTORIES - 1))  # leads between the points of the grid
    numbers = rng.uniform(0.0, 5.0, len(NUMBERS))
    numbers[DISCOUNT] = rng.choice([1.0, 0.9])
    problem = Problem(
        go, stay, go.sum(axis=2), pair[0].sum(axis=2), pair[1].sum(axis=2), rng.uniform(0.0, 9.0, (T, X, 2)),
        np.stack((go.sum(axis=2), stay.sum(axis=2)), axis=2) * rng.uniform(-9.0, 9.0, (T, X, 2)), rng.uniform(0.0, 3.0, (T, X)),
        slices, powers, numbers, int(rng.integers(4)),
    )  # fmt: skip
    v = np.empty((T + 1, INVENTORIES, X))
    solve(problem, np.empty((T, INVENTORIES, X, A)), v)
    return problem, Sampled(*pair, squares), v, np.empty((T, INVENTORIES, X, A)), (half, temporary, traded, after)


def given(rng):
    """Some of the steps, often all."""
    first, end = sorted(rng.integers(0, T + 1, 2).tolist()) if rng.random() < 0.5 else (0, T)
    problem, sampled, v, out, _ = from_sample(rng)
    out[:] = -1.0
    return problem, sampled, v, out, first, end


def known_of(problem, t, i, x, a):
    """What is traded and its power; what is known of its cost; what is left; what a step without volume costs."""
    numbers, left = dict(zip(NUMBERS, problem.numbers, strict=True)), i / (INVENTORIES - 1)
    u, taken, last = problem.slices[i, a], problem.powers[i, a], t == T - 1
    if last and problem.horizon == f.COMPLETE:
        u, taken = left, problem.powers[i, A]
    after = left - u
    terms = problem.end[t, x].tolist(), numbers, problem.horizon == f.MARK_AS_TRADE
    own = (numbers[name] for name in ("linear", "squared", "permanent", "own"))
    known = naive.step_cost(u, taken, left, 0.0, 0.0, *own) + problem.risk[t, x] * after**2
    rest = problem.risk[t, x] * left**2
    with_volume, without = problem.go[t, x].sum(), problem.stay[t, x].sum()
    known += after * (problem.moves[t, x, 0] / with_volume if with_volume else 0.0)
    rest += left * (problem.moves[t, x, 1] / without if without else 0.0)
    if last and problem.horizon in (f.MARK, f.MARK_AS_TRADE):
        known += naive.mark(after, *terms)
    if last and problem.horizon != f.LEAVE:
        rest += naive.mark(left, *terms)
    return u, taken, known, after, rest


def second(problem, sampled, v, t, i, x, a):
    """By what followed: the square of what is known there, twice its product with the factors, and the factors' squares."""
    u, taken, known, after, rest = known_of(problem, t, i, x, a)
    total, discount = 0.0, problem.numbers[DISCOUNT]
    for y in range(X):
        ahead = known + discount * twin.between(v[t + 1, :, y].tolist(), after)
        paid = u * sampled.half[t, x, y] + taken * sampled.temporary[t, x, y]
        total += problem.go[t, x, y] * ahead**2 + 2.0 * ahead * paid
        total += problem.stay[t, x, y] * (rest + discount * v[t + 1, i, y]) ** 2
    hh, ht, tt = sampled.squares[t, x]
    return total + u * u * hh + 2.0 * u * taken * ht + taken * taken * tt


def find_second_moments(problem, sampled, v, out, first, end):
    for t, i, x, a in np.ndindex(out.shape):
        if first <= t < end:
            out[t, i, x, a] = second(problem, sampled, v, t, i, x, a)


def those_of_the_sample(call, problem, sampled, v, out, *_):
    """Target by target on an explicit sample: the mean of their squares."""
    problem, sampled, v, out, (half, temporary, traded, after) = from_sample(
        np.random.default_rng(int(1e3 * v.sum()) % 997)
    )
    call(problem, sampled, v, out, 0, T)
    for t, i, x, a in ((0, INVENTORIES - 1, 1, 0), (T - 1, 2, 0, A - 1), (1, 1, X - 1, 1)):
        u, taken, known, left, rest = known_of(problem, t, i, x, a)
        squares = []
        for k in range(PATHS):
            ahead = problem.numbers[DISCOUNT] * v[t + 1, :, after[t, x, k]]
            paid = known + u * half[t, x, k] + taken * temporary[t, x, k] + twin.between(ahead.tolist(), left)
            squares.append((paid if traded[t, x, k] else rest + ahead[i]) ** 2)
        np.testing.assert_allclose(out[t, i, x, a], np.mean(squares), rtol=1e-10)


ROWS = (
    Plain("second_moments.find_second_moments", find_second_moments, arrays(given), those_of_the_sample, rtol=1e-9,
          through="second_moments.second_of second_moments.square_between", tries=12),
)  # fmt: skip
