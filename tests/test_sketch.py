"""Quantiles and means of tails from histogram counts: within their stated error, whatever the size of the costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from fastexec.kernels.summary import BINS, count_bins
from fastexec.statistics.sketch import FAR_RELATIVE_ERROR, RELATIVE_ERROR, quantiles, upper_mean

values = st.one_of(
    st.floats(2.0**-19, 2.0**39), st.floats(-(2.0**39), -(2.0**-19)), st.just(0.0), st.integers(-300, 300).map(float)
)


def binned(x):
    bins = np.zeros((1, 1, BINS), np.int64)
    count_bins(x[None, :].copy(), 0, x.size, bins)
    assert bins.sum() == x.size
    return bins[0, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(values, min_size=1, max_size=300))
def test_quantiles_are_within_their_stated_error(sample):
    x = np.array(sample)
    p = np.array([0.01, 0.25, 0.5, 0.95, 1.0])
    exact = np.sort(x)[np.floor(p * (x.size - 1)).astype(int)]
    np.testing.assert_allclose(quantiles(binned(x), p, x.min(), x.max()), exact, rtol=RELATIVE_ERROR, atol=1e-300)
    worst = np.sort(x)[-max(1, round(0.05 * x.size)) :]
    if 0.05 * x.size >= 1 and abs(0.05 * x.size - round(0.05 * x.size)) < 1e-9 and (worst > 0).all():
        assert upper_mean(binned(x), 0.05, x.min(), x.max()) == pytest.approx(worst.mean(), rel=RELATIVE_ERROR)


@pytest.mark.parametrize("scale", [1e7, 1e12, 1e100, 1e300])
def test_quantiles_and_cvar_do_not_saturate(scale):
    """They ended at 2^20 bps: a median of 10^7 was told as 1,046,528, and of two tails one was as bad as the other."""
    x = np.random.default_rng(8).lognormal(0.0, 1.0, 4_000) * scale
    x[:100] *= -1.0
    p, error = np.array([0.01, 0.5, 0.95, 0.99]), RELATIVE_ERROR if scale < 2.0**36 else FAR_RELATIVE_ERROR
    exact = np.sort(x)[np.floor(p * (x.size - 1)).astype(int)]
    np.testing.assert_allclose(quantiles(binned(x), p, x.min(), x.max()), exact, rtol=error)
    tail = np.sort(x)[-200:].mean()
    assert upper_mean(binned(x), 0.05, x.min(), x.max()) == pytest.approx(tail, rel=error)


def test_histogram_keeps_what_lies_at_its_ends():
    bins = binned(np.array([1e-9, -1e-9, 0.0, -0.0, np.finfo(float).max, -np.finfo(float).max]))
    assert bins[BINS // 2] == 4
    assert bins[0] == bins[-1] == 1
