"""The batched learner: targets as integers, tables that move towards them, a policy that changes with good reason."""

from __future__ import annotations

import numpy as np

from fastexec.kernels.learning import (
    BY_VISITS,
    CAUTION,
    CONSTANT,
    COUNT,
    FALLING,
    FEWEST,
    MEAN,
    SECOND,
    SQUARES,
    TOTAL,
    VISITS,
    Rate,
    Scales,
    Step,
)
from naive import learning as twin
from trials import Plain, arrays

E, X, A = 6, 4, 3


def targets(rng):
    """Costs, some of them beyond the bound; inventories in the middle of their bins and beside it; states not yet known."""
    beside, after = (rng.choice([0.0, 0.0, 0.25, -0.5], E).astype(np.float32) for _ in range(2))
    step = Step(
        rng.integers(0, X, E).astype(np.int32), rng.integers(0, A, E).astype(np.uint8), rng.normal(0.0, 40.0, E),
        rng.integers(0, X, E).astype(np.int32), beside, after,
    )  # fmt: skip
    low, high = sorted(rng.integers(0, E + 1, 2).tolist())
    ahead = rng.normal(0.0, 20.0, X)
    ahead[0] = rng.choice([ahead[0], np.nan]) if not (step.following == 0).any() else ahead[0]
    scales = Scales(rng.uniform(0.5, 1.0), 2.0**20, 2.0**12, 60.0, int(rng.integers(1, X)))
    return step, ahead, low, high, scales, rng.integers(0, 99, (X, A, 3)), np.zeros(1, np.int64)


def value_ahead(ahead, s, moved, stride):
    beside = s + stride * int(np.sign(moved))
    return twin.value_between(ahead[s], ahead[beside] if beside != s and 0 <= beside < X else np.nan, float(moved))


def between_its_bins(call, ahead, s, moved, stride):
    """Beside the middle a mean of two bins, in the middle that of the bin; what nobody knows has no part in it."""
    assert call(ahead, s, np.float32(0.0), stride) == ahead[s]
    found, beside = call(ahead, s, moved, stride), s + stride * int(np.sign(moved))
    if 0 <= beside < X:
        assert min(ahead[s], ahead[beside]) - 1e-12 <= found <= max(ahead[s], ahead[beside]) + 1e-12
        ahead[beside] = np.nan if beside != s else ahead[s]
    assert call(ahead, s, moved, stride) == ahead[s]


def add_targets(step, ahead, low, high, scales, cells, fault):
    for e in range(low, high):
        moved = float(step.after[e]) - float(step.beside[e])
        follows = value_ahead(ahead, int(step.following[e]), moved, scales.stride)
        y = twin.target(step.costs[e], scales.discount, follows)
        if abs(y) > scales.bound:
            fault[0] += 1
        else:
            added = twin.as_integer(y, scales.total), twin.as_integer(y * y, scales.square), 1
            cells[step.states[e], step.actions[e]] += added


def sums_know_no_order(call, step, ahead, low, high, scales, cells, fault):
    """The same episodes backwards, and in two parts, leave the same integers; none is lost."""
    whole, parts, backward = (np.zeros_like(cells) for _ in range(3))
    call(step, ahead, 0, E, scales, whole, fault)
    reverse = Step(*(np.ascontiguousarray(column[::-1]) for column in step))
    call(reverse, ahead, 0, E, scales, backward, np.zeros(1, np.int64))
    call(step, ahead, low, E, scales, parts, np.zeros(1, np.int64))
    call(step, ahead, 0, low, scales, parts, np.zeros(1, np.int64))
    np.testing.assert_array_equal(whole, backward)
    np.testing.assert_array_equal(whole, parts)
    assert whole[:, :, COUNT].sum() + fault[0] == E


def tabulate_shares(alpha, shares):
    shares[:] = [twin.share_of_way(alpha, n) for n in range(shares.size)]


def from_nothing_to_all(call, alpha, shares):
    call(alpha, shares)
    assert shares[0] == 0.0
    assert abs(shares[1] - alpha) < 1e-14
    assert (np.diff(shares) >= -1e-15).all()
    assert shares[-1] <= 1.0


def share_by_visits(rate, alpha, before, n):
    return n / (before + n) if rate == BY_VISITS else twin.share_of_falling(alpha, int(before), int(n))


def later_targets_weigh_more(call, rate, alpha, before, n):
    """In two parts as in one; more of the way for more targets, less the more there were before."""
    found, first = call(rate, alpha, before, n), call(rate, alpha, before, 1.0)
    if n > 1.0:
        rest = call(rate, alpha, before + 1.0, n - 1.0)
        np.testing.assert_allclose(1.0 - found, (1.0 - first) * (1.0 - rest), atol=1e-12)
    assert first <= found <= 1.0 + 1e-12
    assert call(rate, alpha, before + 5.0, n) < found
    assert call(FALLING, alpha, before, n) >= call(FALLING, 0.5 * alpha, before, n)


def a_rate(rng):
    alpha = float(rng.choice([0.1, 0.7, 1.0]))
    shares = np.array([twin.share_of_way(alpha, n) for n in range(6)])
    return Rate(int(rng.choice([CONSTANT, FALLING, BY_VISITS])), alpha, shares)


SCALES = Scales(1.0, 2.0**20, 2.0**12, 60.0, 1)


def merging(rng):
    """Two threads' cells of a step, half of them empty, and a table of which part was never met."""
    cells = np.zeros((2, X, A, 3), np.int64)
    cells[..., COUNT] = rng.integers(0, 9, (2, X, A)) * (rng.random((2, X, A)) < 0.5)
    cells[..., TOTAL] = rng.integers(-(2**24), 2**24, (2, X, A)) * cells[..., COUNT]
    cells[..., SQUARES] = rng.integers(2**20, 2**21, (2, X, A)) * cells[..., COUNT]
    learned = np.stack(
        (rng.normal(0, 20, (X, A)), rng.uniform(400, 900, (X, A)), rng.integers(0, 3, (X, A)) * 9.0), axis=2
    )
    return learned, cells, a_rate(rng), SCALES, rng.integers(0, A, X).astype(np.uint16), np.full(X, np.nan)


def merge_cell(cell, cells, s, a, rate, scales):
    total, squares, n = cells[:, s, a].sum(axis=0).tolist()
    cells[:, s, a] = 0
    if n:
        before = cell[VISITS]
        if not before:
            share = 1.0
        elif rate.kind == CONSTANT:
            share = twin.share_of_way(rate.alpha, n)
        else:
            share = share_by_visits(rate.kind, rate.alpha, before, n)
        cell[MEAN] = twin.moved(cell[MEAN], share, total / n / scales.total)
        cell[SECOND] = twin.moved(cell[SECOND], share, squares / n / scales.square)
        cell[VISITS] = before + n
    return n


def as_if_added_one_by_one(call, cell, cells, s, a, rate, scales):
    """Threads may be exchanged, only its own cell is emptied, and a cell that was never met takes the mean as it is."""
    other, exchanged, count = cell.copy(), np.ascontiguousarray(cells[::-1]), int(cells[:, s, a, COUNT].sum())
    kept = np.delete(cells.reshape(2, -1, 3), s * A + a, axis=1)
    mean = cells[:, s, a, TOTAL].sum() / max(count, 1) / scales.total
    call(other, exchanged, s, a, rate, scales)
    old, visits = cell[MEAN], cell[VISITS]
    assert call(cell, cells, s, a, rate, scales) == count
    np.testing.assert_array_equal(cell, other)
    np.testing.assert_array_equal(np.delete(cells.reshape(2, -1, 3), s * A + a, axis=1), kept)
    assert cell[VISITS] == visits + count
    if count and not visits:
        np.testing.assert_allclose(cell[MEAN], mean, atol=1e-12)
    assert min(old, mean if count else old) - 1e-9 <= cell[MEAN] <= max(old, mean if count else old) + 1e-9


def a_cell(rng):
    learned, cells, rate, scales, *_ = merging(rng)
    s, a = int(rng.integers(X)), int(rng.integers(A))
    return learned[s, a], cells, s, a, rate, scales


def merge_targets(learned, cells, rate, scales, policy, ahead):
    for s in range(X):
        met = sum(merge_cell(learned[s, a], cells, s, a, rate, scales) for a in range(A))
        if met:
            policy[s] = better_action(learned[s], int(policy[s]))
        taken = learned[s, policy[s]]
        ahead[s] = taken[MEAN] if taken[VISITS] else mean_of_tried(learned[s])


def what_nobody_met_stays(call, learned, cells, rate, scales, policy, ahead):
    old, before, met = learned.copy(), policy.copy(), cells[..., COUNT].sum(axis=0) > 0
    call(learned, cells, rate, scales, policy, ahead)
    np.testing.assert_array_equal(learned[~met], old[~met])
    np.testing.assert_array_equal(policy[~met.any(axis=1)], before[~met.any(axis=1)])
    assert not cells.any()
    assert (policy < A).all()


def mean_of_tried(cells):
    return np.average(cells[:, MEAN], weights=cells[:, VISITS]) if cells[:, VISITS].any() else np.nan


def each_as_often_as_it_was(call, cells):
    """Untried ones count for nothing."""
    cells[:, VISITS], cells[1, VISITS] = 0.0, 7.0
    np.testing.assert_allclose(call(cells), cells[1, MEAN])
    cells[2, VISITS] = 7.0
    np.testing.assert_allclose(call(cells), 0.5 * (cells[1, MEAN] + cells[2, MEAN]), atol=1e-12)
    cells[:, VISITS] = 0.0
    assert np.isnan(call(cells))


def better_action(cells, now):
    return twin.preferred(now, [tuple(cell) for cell in cells.tolist()], CAUTION, FEWEST)


def only_with_good_reason(call, cells, now):
    """Noise alone changes nothing; without noise the least is taken; what was never tried is not."""
    found = call(cells, now)
    assert found == now or min(cells[found, VISITS], cells[now, VISITS]) >= FEWEST
    cells[:, VISITS] = 100.0
    cells[:, SECOND] = cells[:, MEAN] ** 2 + 1e12
    assert call(cells, now) == now
    cells[:, SECOND] = cells[:, MEAN] ** 2
    best = call(cells, now)
    assert cells[best, MEAN] <= cells[:, MEAN].min() + 1e-6


def some_cells(rng):
    learned = merging(rng)[0][0]
    learned[:, SECOND] = learned[:, MEAN] ** 2 + rng.choice([0.0, 1.0, 400.0], A)
    return learned


def noise_of(cell):
    return twin.squared_error(cell[MEAN], cell[SECOND], cell[VISITS])


def falls_with_the_visits(call, cell):
    found = call(cell)
    assert found >= 0.0
    cell[VISITS] = 2.0 * cell[VISITS] - 1.0
    np.testing.assert_allclose(call(cell), 0.5 * found)
    cell[SECOND] = cell[MEAN] ** 2
    np.testing.assert_allclose(call(cell), 0.0, atol=1e-9)


ROWS = (
    Plain("learning.add_targets", add_targets, arrays(targets), sums_know_no_order, rtol=0.0),
    Plain("learning.value_ahead", value_ahead,
          arrays(lambda rng: (rng.normal(0, 9, X), int(rng.integers(X)), np.float32(rng.choice([-0.5, 0.0, 0.25])),
                              int(rng.integers(1, X)))), between_its_bins),
    Plain("learning.share_by_visits", share_by_visits,
          arrays(lambda rng: (int(rng.choice([FALLING, BY_VISITS])), float(rng.choice([0.1, 0.3, 1.0])),
                              float(rng.integers(1, 50)), float(rng.integers(1, 20)))), later_targets_weigh_more, atol=1e-12),
    Plain("learning.tabulate_shares", tabulate_shares, arrays(lambda rng: (float(rng.uniform(0.01, 1)), np.empty(40))),
          from_nothing_to_all, atol=1e-13),
    Plain("learning.merge_cell", merge_cell, arrays(a_cell), as_if_added_one_by_one, atol=1e-12),
    Plain("learning.merge_targets", merge_targets, arrays(merging), what_nobody_met_stays, rtol=1e-9, atol=1e-9),
    Plain("learning.mean_of_tried", mean_of_tried, arrays(lambda rng: (some_cells(rng),)), each_as_often_as_it_was, atol=1e-12),
    Plain("learning.noise_of", noise_of,
          arrays(lambda rng: (np.array([rng.normal(), 9.0, float(rng.integers(2, 99))]),)), falls_with_the_visits),
    Plain("learning.better_action", better_action, arrays(lambda rng: (some_cells(rng), int(rng.integers(A)))),
          only_with_good_reason, rtol=0.0, tries=60),
)  # fmt: skip
