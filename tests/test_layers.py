"""Layers in lanes: the order of every sum, the rational tanh and the exponential in float32 against mpmath."""

from __future__ import annotations

import mpmath
import numba
import numpy as np
import pytest

from fastexec.kernels import _jit, elementary, layers, network
from fastexec.planning.networks import flat_weights
from fastexec.planning.policies import Layer
from naive.networks import in_order
from trials import run

F4 = np.float32


def tanh(x):
    """In pieces of a whole number of blocks."""
    a = np.zeros(len(x) + -len(x) % (4 * _jit.LANES), F4)
    a[: len(x)] = x
    run("layers.activate", layers.TANH, a)
    return a[: len(x)]


def _exponentials(x, y):
    for i in range(x.shape[0]):
        y[i] = elementary.exp32(x[i])


def exp32(x):
    y = np.empty(len(x), F4)
    call = _exponentials if _jit.JIT_DISABLED else numba.njit(**_jit.OPTIONS)(_exponentials)
    call(np.asarray(x, F4), y)
    return y


def ulps(ours, exact):
    """Largest distance in units of the last place of the exact value, in float32."""
    return max(
        abs(float((mpmath.mpf(float(value)) - truth) / float(np.spacing(F4(abs(truth))))))
        for value, truth in zip(ours, exact, strict=True)
    )


def test_tanh_is_within_six_ulps():
    x = np.concatenate((np.linspace(0.001, 9.5, 4001), np.logspace(-30, 0, 1001))).astype(F4)
    with mpmath.workdps(30):
        assert ulps(tanh(x), [mpmath.tanh(mpmath.mpf(float(v))) for v in x]) <= 6.0


def test_tanh_is_odd_stays_within_one_and_keeps_nan():
    x = np.concatenate((np.linspace(-12, 12, 20001), [0.0, -0.0, 1e-38, np.inf, -np.inf])).astype(F4)
    y = tanh(x)
    np.testing.assert_array_equal(y, -tanh(-x))
    assert np.abs(y).max() == 1.0
    np.testing.assert_array_equal(y[np.abs(x) > 9.0], np.sign(x[np.abs(x) > 9.0]))
    assert np.isnan(tanh(np.array([np.nan], F4)))[0]


def test_the_exponential_is_within_an_ulp():
    x = np.concatenate((np.linspace(-86.9, 87.9, 3001), np.linspace(-1e-3, 1e-3, 301), [0.0])).astype(F4)
    with mpmath.workdps(30):
        assert ulps(exp32(x), [mpmath.exp(mpmath.mpf(float(v))) for v in x]) <= 1.0


def test_the_exponentials_ends_are_infinity_and_zero_and_nan_stays():
    np.testing.assert_array_equal(exp32([89.0, np.inf, -88.0, -np.inf]), [np.inf, np.inf, 0.0, 0.0])
    assert np.isnan(exp32([np.nan]))[0]


@pytest.mark.parametrize("sizes", [(1, 1), (3, 5, 2), (8, 64, 64, 12), (64, 128, 128, 128, 32), (5, 4)])
def test_every_sum_is_the_bias_then_input_by_input(sizes):
    """To the last bit, of rectified units: whatever the machine, the padding and the number of observations."""
    rng = np.random.default_rng(sizes[0])
    made = tuple(
        Layer(rng.normal(size=(outputs, inputs)).astype(F4), rng.normal(size=outputs).astype(F4))
        for inputs, outputs in zip(sizes, sizes[1:], strict=False)
    )
    x = rng.normal(size=(_jit.LANES + 5, sizes[0])).astype(F4)
    y = np.empty((len(x), sizes[-1]), F4)
    table = np.array([layer.weights.shape[::-1] for layer in made])
    network.evaluate_network(flat_weights(made), table, layers.RELU, x, y)
    np.testing.assert_array_equal(y, in_order(made, x.T).T)
