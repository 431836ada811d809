"""One step of an optimiser: leaves' gradients merged in order, the norm clipped, then Adam or RMSprop; all in float32."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import entry, stage
from fastexec.kernels.door import F4, F8, held, sizes, within

ADAM, RMSPROP = 0, 1
#: What Adam's means of gradients and of their squares keep in each step; and what stands beside the root in both.
ADAM_KEEPS = 0.9, 0.999
EPSILON = np.float32(1e-5)
_F1 = np.float32(1.0)
#: Against a norm of 0, as torch's ``clip_grad_norm_`` has it.
_HAIR = 1e-6
(NORM, FACTOR) = range(2)


class Optimiser(NamedTuple):
    """``kind``; ``rate`` of learning; ``first`` and ``second``: what the running means of gradients and of their squares keep;
    ``first_left`` and ``second_left``: one minus their powers, which correct the start (Adam); ``epsilon`` beside the root;
    ``largest`` norm of the gradient.
    """

    kind: int
    rate: np.float32
    first: np.float32
    second: np.float32
    first_left: np.float32
    second_left: np.float32
    epsilon: np.float32
    largest: float


def adam(rate: float, largest: float, powers: tuple[float, float]) -> Optimiser:
    """Kingma and Ba (2015); ``powers``: of ``ADAM_KEEPS``, to the number of this step, from 1 on."""
    first, second = powers
    return Optimiser(
        ADAM, np.float32(rate), np.float32(ADAM_KEEPS[0]), np.float32(ADAM_KEEPS[1]), np.float32(1.0 - first),
        np.float32(1.0 - second), EPSILON, largest,
    )  # fmt: skip


def rmsprop(rate: float, largest: float) -> Optimiser:
    """Tieleman and Hinton (2012): steps are all alike."""
    one = np.float32(1.0)
    return Optimiser(RMSPROP, np.float32(rate), one, np.float32(0.99), one, one, EPSILON, largest)


def _example():
    one = np.zeros(1, np.float32)
    return rmsprop(0.0, 1.0), np.zeros((1, 1), np.float32), one, np.zeros((2, 1), np.float32), np.zeros(2)


def _door(optimiser, gradients, weights, moments, told):
    leaves, size = sizes("gradients", gradients, 2)
    within("gradients: leaves", leaves, 1)
    held("gradients", gradients, F4, leaves, size)
    held("weights", weights, F4, size)
    held("moments", moments, F4, 2, size)
    held("told", told, F8, 2)


@entry(_example, _door, references=False)
def improve(optimiser, gradients, weights, moments, told):
    """A step against the sum of the leaves' ``gradients`` float32[leaf, weight], left in its first row; ``moments`` float32[2,
    weight]; ``told``: the norm that the gradient had and the factor it was clipped by.
    """
    gradient = gradients[0]
    for leaf in range(1, gradients.shape[0]):
        merge(gradients[leaf], gradient)
    norm = norm_of(gradient)
    factor = optimiser.largest / (norm + _HAIR)
    told[NORM], told[FACTOR] = norm, factor if factor < 1.0 else 1.0
    scale(np.float32(told[FACTOR]), gradient)
    if optimiser.kind == ADAM:
        adam_step(optimiser, gradient, weights, moments[0], moments[1])
    else:
        rmsprop_step(optimiser, gradient, weights, moments[1])


@stage
def merge(more, gradient):
    """One leaf's onto the others'."""
    for j in range(gradient.shape[0]):
        gradient[j] += more[j]


@stage
def norm_of(gradient):
    """Its Euclidean norm, summed in float64 from left to right."""
    total = 0.0
    for j in range(gradient.shape[0]):
        total += np.float64(gradient[j]) * np.float64(gradient[j])
    return np.sqrt(total)


@stage
def scale(factor, gradient):
    """All by one factor."""
    for j in range(gradient.shape[0]):
        gradient[j] *= factor


@stage
def adam_step(optimiser, gradient, weights, means, squares):
    """Kingma and Ba (2015), algorithm 1, epsilon beside the corrected root."""
    rate, root = optimiser.rate / optimiser.first_left, np.float32(np.sqrt(optimiser.second_left))
    first, second = optimiser.first, optimiser.second
    for j in range(weights.shape[0]):
        g = gradient[j]
        m = first * means[j] + (_F1 - first) * g
        v = second * squares[j] + (_F1 - second) * (g * g)
        means[j] = m
        squares[j] = v
        weights[j] -= rate * m / (np.sqrt(v) / root + optimiser.epsilon)


@stage
def rmsprop_step(optimiser, gradient, weights, squares):
    """Tieleman and Hinton (2012)."""
    second = optimiser.second
    for j in range(weights.shape[0]):
        g = gradient[j]
        v = second * squares[j] + (_F1 - second) * (g * g)
        squares[j] = v
        weights[j] -= optimiser.rate * g / (np.sqrt(v) + optimiser.epsilon)
