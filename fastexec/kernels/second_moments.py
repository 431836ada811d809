"""The mean squared target of each state and action, in the sample by which the backward programme was solved.

A target is what an action pays on a path and what follows there: y = known + h u + T u^(1 + exponent) + V(x', left - u) where
there is volume, else y = rest + V(x', left). Half spread h, temporary factor T and next state x' are the path's; what the
horizon rule charges for a rest counts by its mean. Their sums are all that the square needs; V between two grid points is
the mean of both, so that its square takes the squares and the products of neighbours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import entry, stage
from fastexec.kernels.door import F8, held, sizes, within
from fastexec.kernels.programme import DISCOUNT, Problem, check_problem, interpolate, known_cost, look_ahead, mark


class Sampled(NamedTuple):
    """A visit's means: ``half``, ``temporary`` float64[t, x, x'], of the factors where x' followed; ``squares`` float64[t, x,
    3]: of the half spread squared, of its product with the temporary factor, and of that squared.
    """

    half: np.ndarray
    temporary: np.ndarray
    squares: np.ndarray


class Ahead(NamedTuple):
    """Means of what follows, float64[i, x]: with volume of V, of its square and of its product with the next inventory's;
    times the half spread and times the temporary factor; without volume of V and its square.
    """

    go: np.ndarray
    square: np.ndarray
    product: np.ndarray
    half: np.ndarray
    temporary: np.ndarray
    stay: np.ndarray
    still: np.ndarray


def _example():
    cube, square = np.zeros((1, 1, 1)), np.zeros((1, 1))
    problem = Problem(cube, cube, square, square, square, cube, cube, square, square, square, np.zeros(1), 0)
    return problem, Sampled(cube, cube, cube), cube, np.zeros((1, 1, 1, 1)), 0, 0


def _door(problem, sampled, v, second, first, end):
    steps, inventories, states, actions = sizes("second", second, 4)
    held("second", second, F8, steps, inventories, states, actions)
    held("v", v, F8, steps + 1, inventories, states)
    check_problem(problem, steps, inventories, states, actions)
    within("first", first, 0, steps)
    within("end", end, first, steps)
    held("sampled.half", sampled.half, F8, steps, states, states)
    held("sampled.temporary", sampled.temporary, F8, steps, states, states)
    held("sampled.squares", sampled.squares, F8, steps, states, 3)


@entry(_example, _door)
def find_second_moments(problem, sampled, v, second, first, end):
    """Fill ``second`` float64[t, i, x, a], bps squared, in steps ``first <= t < end``, each by itself; ``v`` float64[t + 1, i,
    x]: what ``solve`` found.
    """
    _, inventories, states, actions = second.shape
    shape = (inventories, states)
    ahead = Ahead(
        np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape),
        np.empty(shape),
    )  # fmt: skip
    values, squares, products = np.empty(shape), np.empty(shape), np.empty(shape)
    turned = np.empty((states, states))
    for t in range(first, end):
        for i in range(inventories):
            for x in range(states):
                values[i, x] = problem.numbers[DISCOUNT] * v[t + 1, i, x]
                squares[i, x] = values[i, x] * values[i, x]
                products[i, x] = values[i, x] * problem.numbers[DISCOUNT] * v[t + 1, min(i + 1, inventories - 1), x]
        look_ahead(problem.go[t], values, ahead.go, turned)
        look_ahead(problem.go[t], squares, ahead.square, turned)
        look_ahead(problem.go[t], products, ahead.product, turned)
        look_ahead(sampled.half[t], values, ahead.half, turned)
        look_ahead(sampled.temporary[t], values, ahead.temporary, turned)
        look_ahead(problem.stay[t], values, ahead.stay, turned)
        look_ahead(problem.stay[t], squares, ahead.still, turned)
        for i in range(inventories):
            for x in range(states):
                for a in range(actions):
                    second[t, i, x, a] = second_of(problem, sampled, ahead, t, i, x, a)


@stage
def second_of(problem, sampled, ahead, t, i, x, a):
    """Of one state and action."""
    left, actions = i / (ahead.go.shape[0] - 1.0), problem.slices.shape[1]
    last = t == problem.go.shape[0] - 1
    u, taken = problem.slices[i, a], problem.powers[i, a]
    if last and problem.horizon == f.COMPLETE:
        u, taken = left, problem.powers[i, actions]
    after, sure = left - u, problem.sure[t, x]
    known = known_cost(problem.numbers, left, u) + problem.risk[t, x] * after * after
    rest = problem.risk[t, x] * left * left
    known += problem.moves[t, x, 0] / max(sure, 1e-300) * after
    rest += problem.moves[t, x, 1] / max(1.0 - sure, 1e-300) * left
    if last and problem.horizon != f.LEAVE:  # where the order is completed, a step with volume leaves nothing
        known += mark(problem.numbers, problem.end[t, x], after, problem.horizon)
        rest += mark(problem.numbers, problem.end[t, x], left, problem.horizon)
    paid = problem.spread[t, x] * u + problem.temporary[t, x] * taken
    followed = u * interpolate(ahead.half, after, x) + taken * interpolate(ahead.temporary, after, x)
    squares = sampled.squares[t, x]
    total = u * u * squares[0] + 2.0 * u * taken * squares[1] + taken * taken * squares[2]
    total += 2.0 * followed + square_between(ahead, after, x)
    total += known * (sure * known + 2.0 * (paid + interpolate(ahead.go, after, x)))
    return total + (1.0 - sure) * rest * rest + 2.0 * rest * ahead.stay[i, x] + ahead.still[i, x]


@stage
def square_between(ahead, left, x):
    """Mean square of what follows with volume, from an inventory between grid points."""
    place = left * (ahead.square.shape[0] - 1)
    j = min(np.int64(place), ahead.square.shape[0] - 2)
    w = place - j
    near, far = ahead.square[j, x], ahead.square[j + 1, x]
    return (1.0 - w) * (1.0 - w) * near + 2.0 * w * (1.0 - w) * ahead.product[j, x] + w * w * far
