"""Moments, wins and histogram bins."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from naive import summary as twin
from trials import Plain, arrays

E, K, C = 9, 3, 2
STRETCHES = ((-20, 40, 128), (40, 1024, 8))
SIDE = twin.side_of(STRETCHES)
NUMBER = st.one_of(
    st.floats(-3e6, 3e6),
    st.floats(-1e-5, 1e-5),
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0**-20, -(2.0**40), np.nextafter(2.0**40, 0.0), np.inf, -np.inf]),
)


def bin_of(x):
    return twin.bin_of(x, STRETCHES)


def near_the_middle_and_in_order(call, x):
    """Its bin's middle is as near as the stated relative error of a quantile; bins rise with the numbers."""
    number = call(x)
    assert 0 <= number <= 2 * SIDE
    assert call(-x) == 2 * SIDE - number
    for start, end, bins in STRETCHES:
        if start <= twin.binade_of(x) < end:
            assert abs(twin.middle_of(number, STRETCHES) - x) <= abs(x) / (2 * bins)
            assert call(twin.middle_of(number, STRETCHES)) == number
    assert call(x + abs(x) / 4 + 1e-9) >= number


def costs(rng):
    """Rounded, so that some are equal."""
    return np.round(rng.normal(0.0, 3.0, (C, (E + 2) * K)) * 4.0) / 4.0


def part(rng):
    first = int(rng.integers(0, 3))
    return costs(rng), first, int(rng.integers(1, E + 3 - first))


def column(values, first, count, c, k):
    return values[c].reshape(-1, K)[first : first + count, k].tolist()


def count_wins(values, row, strategies, wins):
    wins += np.array(twin.wins(values[0, row : row + strategies].tolist()))


def two_for_each_pair(call, values, row, strategies, wins):
    wins[:] = 0
    call(values, row, strategies, wins)
    np.testing.assert_array_equal(wins + wins.T, 2)


def spread_of(values, first, count, mean, low, high):
    for c, k in np.ndindex(mean.shape):
        numbers = column(values, first, count, c, k)
        mean[c, k], low[c, k], high[c, k] = twin.mean(numbers), min(numbers), max(numbers)


def a_mean_between_the_ends(call, values, first, count, mean, low, high):
    """And it moves with the values, whatever their order."""
    call(values, first, count, mean, low, high)
    assert (low <= mean + 1e-12).all()
    assert (mean <= high + 1e-12).all()
    moved, rows = np.empty_like(mean), values.reshape(C, -1, K)
    rows[:, first : first + count] = rows[:, first : first + count][:, ::-1] + 3.0
    call(np.ascontiguousarray(rows.reshape(C, -1)), first, count, moved, low, high)
    np.testing.assert_allclose(moved, mean + 3.0, rtol=1e-12)


def some_products(rng):
    values, first, count = part(rng)
    mean = np.array([[twin.mean(column(values, first, count, c, k)) for k in range(K)] for c in range(C)])
    return (values, first, count, mean, 1, np.empty((C, K)), np.empty((2 * K, 2 * K)), rng.integers(0, 9, (K, K)))


def products_of(values, first, count, mean, timing, squares, products, wins):
    every = [column(values, first, count, c, k) for c in (0, timing) for k in range(K)]
    for a, b in np.ndindex(products.shape):
        products[a, b] = twin.product(every[a], every[b])
    for c, k in np.ndindex(squares.shape):
        numbers = column(values, first, count, c, k)
        squares[c, k] = twin.product(numbers, numbers)
    for e in range(first, first + count):
        wins += np.array(twin.wins(values[0, e * K : (e + 1) * K].tolist()))


def no_direction_has_a_negative_square(call, values, first, count, mean, timing, squares, products, wins):
    wins[:] = 0
    call(values, first, count, mean, timing, squares, products, wins)
    np.testing.assert_array_equal(products, products.T)
    assert np.linalg.eigvalsh(products).min() >= -1e-9 * max(1.0, np.trace(products))
    np.testing.assert_allclose(np.diag(products)[:K], squares[0], rtol=1e-12)
    np.testing.assert_array_equal(wins + wins.T, 2 * count)


def count_bins(values, first, count, bins):
    for c, k in np.ndindex(C, K):
        for x in column(values, first, count, c, k):
            bins[c, k, bin_of(x)] += 1


def parts_add_up(call, values, first, count, bins):
    whole, parts = np.zeros_like(bins), np.zeros_like(bins)
    call(values, 0, E, whole)
    call(values, 4, E - 4, parts)
    call(values, 0, 4, parts)
    np.testing.assert_array_equal(whole, parts)
    assert (whole.sum(axis=2) == E).all()


ROWS = (
    Plain("summary.bin_of", bin_of, st.tuples(NUMBER), near_the_middle_and_in_order, rtol=0.0, tries=200),
    Plain("summary._count_wins", count_wins,
          arrays(lambda rng: (costs(rng), K * int(rng.integers(E)), K, rng.integers(0, 9, (K, K)))), two_for_each_pair,
          rtol=0.0),
    Plain("summary.spread_of", spread_of, arrays(lambda rng: (*part(rng), *(np.empty((C, K)) for _ in range(3)))),
          a_mean_between_the_ends, atol=1e-14),
    Plain("summary.products_of", products_of, arrays(some_products), no_direction_has_a_negative_square, atol=1e-12),
    Plain("summary.count_bins", count_bins, arrays(lambda rng: (*part(rng), np.zeros((C, K, 2 * SIDE + 1), np.int64))),
          parts_add_up, rtol=0.0),
)  # fmt: skip
