"""The mini-project's own learner."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels.program import MOMENTA, SPREADS, TIMES, VOLUMES
from naive import program as twin
from trials import Plain, arrays, real

E, T, A = 3, 7, 3
STATES = SPREADS * VOLUMES * MOMENTA * TIMES


def within_its_bins(call, x, bins):
    """The number of a bin; the same for the whole part; one bin on for one more, until the last."""
    found = call(x, bins)
    assert 0 <= found < bins
    assert call(np.trunc(x), bins) == found
    assert call(x + 1.0, bins) in (found, found + 1)
    assert call(float(found), bins) == found


def some_path(rng, episodes=1):
    """Moves of up to 5 % either way, so that every bin of momentum is met."""
    mid = 100.0 * np.cumprod(1.0 + rng.uniform(-0.02, 0.02, (episodes, T)), axis=1)
    return mid, rng.uniform(0.0, 0.015, (episodes, T)), rng.uniform(10.0, 8000.0, (episodes, T))


def program_state(mid, spread, volume, t):
    return twin.code(twin.bins(mid.tolist(), spread.tolist(), volume.tolist(), t))


def each_part_by_itself(call, mid, spread, volume, t):
    """A code of its own for each spread, volume and time; the price level is nothing that it sees."""
    code = call(mid, spread, volume, t)
    assert 0 <= code < STATES
    assert call(2.0 * mid, spread, volume, t) == code
    assert {call(mid, np.full(T, j / 1000 + 5e-4), volume, t) % SPREADS for j in range(SPREADS)} == set(range(SPREADS))
    found = {call(mid, spread, np.full(T, 1000.0 * j + 500.0), t) // SPREADS % VOLUMES for j in range(VOLUMES)}
    assert found == set(range(VOLUMES))
    for j in range(1, VOLUMES):
        edge = [call(mid, spread, np.full(T, 1000.0 * j - less), t) // SPREADS % VOLUMES for less in (0.5, 0.0)]
        assert edge == [j - 1, j]
    for j in range(1, SPREADS):
        edge = [call(mid, np.full(T, j / 1000 + more), volume, t) % SPREADS for more in (-1e-9, 1e-9)]
        assert edge == [j - 1, j]


def best_of(q, s):
    return twin.best(q[s].tolist())


def none_is_better(call, q, s):
    """The largest; the first of several; alike in all when all are alike."""
    a = call(q, s)
    assert q[s, a] == q[s].max()
    assert (q[s, :a] < q[s, a]).all()
    assert call(np.zeros_like(q), s) == 0


def lessons(rng):
    numbers = np.array([1000.0, float(rng.choice([0.0, 10.0])), 0.01, 0.1, 0.95, float(rng.choice([0.0, 0.3, 1.0]))])
    words = rng.integers(0, 2**32, (E, T, 2), dtype=np.uint64).astype(np.uint32)
    levels = np.sort(rng.choice([0.0, 0.1, 0.25, 0.5, 1.0], A, replace=False))
    q = rng.normal(0.0, 1.0, (STATES, A))
    tables = q, q * q, np.zeros((STATES, A), np.int64)
    return some_path(rng, E), words, levels, numbers, tables, np.empty((E, 2))


def learn_program(paths, words, levels, numbers, tables, outcomes):
    twin.learn([array.tolist() for array in paths], words.tolist(), levels, numbers.tolist(), tables, outcomes)


def rewards_are_costs(call, paths, words, levels, numbers, tables, outcomes):
    """No reward is positive; who may sell all does, in one step; what is not visited is not learned of."""
    q, second, visits = tables
    old = q.copy()
    call(paths, words, levels, numbers, tables, outcomes)
    assert (outcomes[:, 0] < 0.0).all()
    assert ((outcomes[:, 1] >= 0.0) & (outcomes[:, 1] <= 1.0)).all()
    np.testing.assert_array_equal(q[visits == 0], old[visits == 0])
    all_at_once, none = np.ones(A), np.zeros((STATES, A), np.int64)
    call(paths, words, all_at_once, numbers, (q, second, none), outcomes)
    np.testing.assert_array_equal(outcomes[:, 1], 1.0)
    assert none.sum() == E


ROWS = (
    Plain("program.clipped", lambda x, bins: twin.clipped(x, bins), st.tuples(real(-30.0, 30.0), st.integers(1, 21)),
          within_its_bins, rtol=0.0),
    Plain("program.program_state", program_state,
          arrays(lambda rng: (*(array[0] for array in some_path(rng)), int(rng.integers(T)))), each_part_by_itself, rtol=0.0),
    Plain("program.best_of", best_of, arrays(lambda rng: (np.round(rng.normal(0, 1, (4, A))), int(rng.integers(4)))),
          none_is_better, rtol=0.0),
    Plain("program.learn_program", learn_program, arrays(lessons), rewards_are_costs, atol=1e-11, tries=8),
)  # fmt: skip
