"""exp, log, power and cosine against mpmath by ulp; their pieces of a Gaussian against numpy."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from fastexec.kernels.elementary import evaluate

EXP, LOG, POWER, COS = range(4)


def of(function, x, exponent=0.0):
    x = np.asarray(x, np.float64)
    out = np.empty_like(x)
    evaluate(function, x, exponent, out)
    return out


def ulps(ours, exact):
    """Largest distance in units of the last place of the exact value."""
    worst = 0.0
    for value, truth in zip(ours, exact, strict=True):
        worst = max(worst, abs(float((mpmath.mpf(float(value)) - truth) / float(np.spacing(abs(float(truth)))))))
    return worst


def test_exp_is_within_an_ulp():
    x = np.concatenate((np.linspace(-707.9, 708.9, 1501), np.linspace(-1e-3, 1e-3, 301), [0.0, -0.0, 1.0]))
    with mpmath.workdps(40):
        assert ulps(of(EXP, x), [mpmath.exp(mpmath.mpf(v)) for v in x]) <= 1.0


def test_exp_ends_are_infinity_and_zero_and_nan_stays():
    np.testing.assert_array_equal(of(EXP, [710.0, np.inf, -709.0, -np.inf]), [np.inf, np.inf, 0.0, 0.0])
    assert np.isnan(of(EXP, [np.nan]))[0]


def test_log_is_within_an_ulp_or_2e_16():
    x = np.concatenate((np.logspace(-300, 300, 1501), np.linspace(0.5, 2.0, 1001)))
    ours = of(LOG, x)
    with mpmath.workdps(40):
        exact = [mpmath.log(mpmath.mpf(v)) for v in x]
    for value, truth in zip(ours, exact, strict=True):
        error = abs(float(mpmath.mpf(float(value)) - truth))
        assert error <= max(2.3e-16, 1.01 * np.spacing(abs(float(truth))))


@pytest.mark.parametrize("exponent", [0.0, 0.3, 0.5, 0.6, 1.0, 1.5, -0.6])
def test_power_is_within_1e_14(exponent):
    x = np.logspace(-12, 12, 401)
    np.testing.assert_allclose(of(POWER, x, exponent), x**exponent, rtol=1e-14)


def test_power_of_zero_is_zero_whatever_the_exponent():
    np.testing.assert_array_equal(of(POWER, [0.0], 0.0), [0.0])
    np.testing.assert_array_equal(of(POWER, [0.0], 0.6), [0.0])


def test_cosine_of_turns():
    x = np.linspace(-3, 3, 1201)
    with mpmath.workdps(40):
        exact = np.array([float(mpmath.cos(2 * mpmath.pi * mpmath.mpf(v))) for v in x])
    assert np.max(np.abs(of(COS, x) - exact)) <= 2.3e-16


def test_whole_and_half_turns_are_exact():
    np.testing.assert_array_equal(of(COS, [0.0, 0.5, 1.0, 0.25]), [1.0, -1.0, 1.0, 0.0])
