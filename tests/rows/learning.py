"""Learners: batched targets, the textbook's updates, the mini-project's own."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels.learning import Step
from fastexec.kernels.online import Rule
from fastexec.kernels.watch import Watched
from naive import learning as twin
from rows.programmes import NUMBERS, some_slices
from trials import Plain, arrays

E, T, X, A, INVENTORIES = 6, 3, 4, 3, 5


def targets(rng):
    """Costs, some of them beyond the bound."""
    step = Step(
        rng.integers(0, X, E).astype(np.int32), rng.integers(0, A, E).astype(np.uint8), rng.normal(0.0, 40.0, E),
        rng.integers(0, X, E).astype(np.int32),
    )  # fmt: skip
    low, high = sorted(rng.integers(0, E + 1, 2).tolist())
    numbers = np.array([rng.uniform(0.5, 1.0), 2.0**20, 60.0])
    return step, rng.normal(0.0, 20.0, X), low, high, numbers, rng.integers(0, 99, (X, A, 2)), np.zeros(1, np.int64)


def add_targets(step, ahead, low, high, numbers, cells, fault):
    discount, scale, bound = numbers
    for e in range(low, high):
        y = twin.target(step.costs[e], discount, ahead[step.following[e]])
        if abs(y) > bound:
            fault[0] += 1
        else:
            cells[step.states[e], step.actions[e]] += twin.as_integer(y, scale), 1


def sums_know_no_order(call, step, ahead, low, high, numbers, cells, fault):
    """The same episodes backwards, and in two parts, leave the same integers; none is lost."""
    whole, parts, backward = (np.zeros_like(cells) for _ in range(3))
    call(step, ahead, 0, E, numbers, whole, fault)
    reverse = Step(*(np.ascontiguousarray(column[::-1]) for column in step))
    call(reverse, ahead, 0, E, numbers, backward, np.zeros(1, np.int64))
    call(step, ahead, low, E, numbers, parts, np.zeros(1, np.int64))
    call(step, ahead, 0, low, numbers, parts, np.zeros(1, np.int64))
    np.testing.assert_array_equal(whole, backward)
    np.testing.assert_array_equal(whole, parts)
    assert whole[:, :, 1].sum() + fault[0] == E


def tabulate_shares(alpha, shares):
    shares[:] = [twin.share_of_way(alpha, n) for n in range(shares.size)]


def from_nothing_to_all(call, alpha, shares):
    call(alpha, shares)
    assert shares[0] == 0.0
    assert abs(shares[1] - alpha) < 1e-14
    assert (np.diff(shares) >= -1e-15).all()
    assert shares[-1] <= 1.0


def merging(rng):
    """Two threads' cells of a step, half of them empty."""
    alpha = float(rng.choice([0.0, 0.1, 0.7, 1.0]))
    cells = np.zeros((2, X, A, 2), np.int64)
    cells[..., 1] = rng.integers(0, 9, (2, X, A)) * (rng.random((2, X, A)) < 0.5)
    cells[..., 0] = rng.integers(-(2**24), 2**24, (2, X, A)) * cells[..., 1]
    shares = np.array([twin.share_of_way(alpha, n) for n in range(6)])
    return rng.normal(0, 20, (X, A)), rng.integers(0, 50, (X, A)), cells, alpha, shares, 2.0**20, np.full(X, np.nan)


def merge_targets(q, visits, cells, alpha, shares, scale, ahead):
    for s in range(X):
        for a in range(A):
            total, n = cells[:, s, a].sum(axis=0).tolist()
            visits[s, a] += n
            if n:
                share = twin.share_of_way(alpha, n) if alpha else n / visits[s, a]
                q[s, a] = twin.moved(q[s, a], share, total / n / scale)
        ahead[s] = min(q[s])
    cells[:] = 0


def lies_between(call, q, visits, cells, alpha, shares, scale, ahead):
    """A cell ends between what it was and the mean of its targets; who had none stays; threads may be exchanged."""
    old, sums = q.copy(), cells.sum(axis=0)
    other, exchanged = old.copy(), np.ascontiguousarray(cells[::-1])
    call(other, visits.copy(), exchanged, alpha, shares, scale, ahead.copy())
    call(q, visits, cells, alpha, shares, scale, ahead)
    np.testing.assert_array_equal(q, other)
    met = sums[..., 1] > 0
    np.testing.assert_array_equal(q[~met], old[~met])
    mean = sums[met, 0] / sums[met, 1] / scale
    assert (np.minimum(old[met], mean) - 1e-9 <= q[met]).all()
    assert (q[met] <= np.maximum(old[met], mean) + 1e-9).all()
    assert not cells.any()


def move(row, visits, action, alpha, y):
    row[action] = twin.moved(row[action], alpha or 1.0 / visits[action], y)


def mean_of_targets(call, row, visits, action, alpha, y):
    """One over the visits makes the mean of all targets; alpha 1 makes the last one."""
    for n, value in enumerate((3.0, y, -1.0), start=1):
        visits[action] = n
        call(row, visits, action, 0.0, value)
    np.testing.assert_allclose(row[action], (2.0 + y) / 3.0, rtol=1e-12, atol=1e-12)
    call(row, visits, action, 1.0, y)
    np.testing.assert_allclose(row[action], y, rtol=1e-12, atol=1e-12)


def tables(rng):
    q = np.round(rng.normal(0, 2, (2, T, INVENTORIES * X, A)))  # round numbers, so that some are equal
    return q, int(rng.integers(2)), int(rng.integers(T)), int(rng.integers(INVENTORIES * X))


def ahead(q, table, t, s, double):
    return twin.double_ahead(q[table, t, s], q[1 - table, t, s]) if double else min(q[table, t, s])


def not_less_than_the_least(call, q, table, t, s, double):
    """The doubled estimate is not below the other table's least: no least of noise."""
    assert call(q, table, t, s, double) >= q[1 - table if double else table, t, s].min()
    same = np.stack([q[0], q[0]])
    assert call(same, table, t, s, 1) == call(same, table, t, s, 0) == q[0, t, s].min()


def rule_of(rng, epsilon=0.5, horizon=0, double=0):
    slices, powers, after = some_slices(rng, INVENTORIES, A)
    numbers = rng.uniform(0.0, 5.0, len(NUMBERS))
    return Rule(slices, powers, after, rng.uniform(0, 3, T), numbers, np.array([0.1, 0.9, epsilon]), horizon, double)


def seen_by(rng):
    return Watched(
        rng.integers(0, X, (E, T)).astype(np.int32), rng.uniform(0.0, 20.0, (E, T, 4)),
        (rng.random((E, T)) < 0.7).astype(np.uint8), rng.integers(0, 2**32, (E, T, 2), dtype=np.uint64).astype(np.uint32),
    )  # fmt: skip


def choices(rng):
    q, _, t, s = tables(rng)
    return q, t, s, seen_by(rng).words[0, 0], rule_of(rng, rng.choice([0.0, 0.5, 1.0]), 0, int(rng.integers(2)))


def choose_action(q, t, s, words, rule):
    return twin.chosen(
        q[0, t, s] + (q[1, t, s] if rule.double else 0.0), int(words[0]), int(words[1]), rule.learning[2]
    )


def greedy_or_any(call, q, t, s, words, rule):
    value = q[0, t, s] + (q[1, t, s] if rule.double else 0.0)
    rule.learning[2] = 0.0
    assert value[call(q, t, s, words, rule)] == value.min()
    rule.learning[2] = 0.5
    last = int(np.argmax(value)) * 2**32 // A + 2**31 // A  # a word that means the worst of all
    assert value[call(q, t, s, np.array([2**31, last], np.uint32), rule)] == value.min()
    assert call(q, t, s, np.array([2**31 - 1, last], np.uint32), rule) == np.argmax(value)
    rule.learning[2] = 1.0
    found = {call(q, t, s, np.array([w, v], np.uint32), rule) for w in (0, 2**32 - 1) for v in range(0, 2**32, 2**28)}
    assert found == set(range(A))


RULES = {f.COMPLETE: "complete", f.MARK: "mark", f.LEAVE: "leave", f.MARK_AS_TRADE: "mark as trade"}


def takings(rng):
    e, t = int(rng.integers(E)), int(rng.choice([0, T - 1]))
    return (
        seen_by(rng),
        rule_of(rng, horizon=int(rng.integers(4))),
        e,
        t,
        int(rng.integers(INVENTORIES)),
        int(rng.integers(A)),
    )


def take(seen, rule, e, t, i, action):
    numbers = dict(zip(NUMBERS, rule.numbers, strict=True))
    left, traded, ends = i / (INVENTORIES - 1), bool(seen.traded[e, t]), t == T - 1
    u, taken, after = 0.0, 0.0, i
    if traded:
        u, taken, after = rule.slices[i, action], rule.powers[i, action], rule.after[i, action]
        if ends and RULES[rule.horizon] == "complete":
            u, taken, after = left, rule.powers[i, A], 0
    half, temporary, *end = seen.factors[e, t].tolist()
    cost = twin.step_cost(
        u, taken, left, half, temporary, *(numbers[n] for n in ("linear", "squared", "permanent", "own"))
    )
    cost += rule.risk[t] * (left - u) ** 2
    if ends and (RULES[rule.horizon].startswith("mark") or (RULES[rule.horizon] == "complete" and not traded)):
        cost += twin.mark(left - u, end, numbers, RULES[rule.horizon] == "mark as trade")
    return cost, after


def never_buys_back(call, seen, rule, e, t, i, action):
    cost, after = call(seen, rule, e, t, i, action)
    assert 0 <= after <= i
    assert cost >= 0.0
    assert call(seen, rule, e, t, 0, action) == (0.0, 0)
    seen.traded[e, t] = 0
    assert call(seen, rule, e, t, i, action)[1] == i


def learn_episodes(seen, rule, q, visits, states):
    """Q-learning written out: an update of each step's action when the next state is known."""
    for e in range(E):
        i, past = INVENTORIES - 1, None
        for t in range(T):
            s = i * states + int(seen.states[e, t])
            if past:
                before, table, action, cost = past
                y = twin.target(cost, rule.learning[1], ahead(q, table, t, s, rule.double))
                move(q[table, t - 1, before], visits[t - 1, before], action, rule.learning[0], y)
            table = int(seen.words[e, t, 1]) % 2 if rule.double else 0
            action = choose_action(q, t, s, seen.words[e, t], rule)
            cost, i = take(seen, rule, e, t, i, action)
            visits[t, s, action] += 1
            past = s, table, action, cost
        before, table, action, cost = past
        move(q[table, T - 1, before], visits[T - 1, before], action, rule.learning[0], cost)


def lessons(rng):
    double = int(rng.integers(2))
    q, visits = rng.normal(0.0, 2.0, (1 + double, T, INVENTORIES * X, A)), rng.integers(0, 4, (T, INVENTORIES * X, A))
    rule = rule_of(rng, horizon=int(rng.integers(4)), double=double)
    rule.learning[0] = rng.choice([0.0, 0.3])
    return seen_by(rng), rule, q, visits, X


def one_visit_a_step(call, seen, rule, q, visits, states):
    """In each step an episode visits one cell, of the state that it saw; nothing else is learned of."""
    old, before = q.copy(), visits.copy()
    call(seen, rule, q, visits, states)
    new = visits - before
    assert (new >= 0).all()
    np.testing.assert_array_equal(new.sum(axis=(1, 2)), [E] * T)
    by_state = new.reshape(T, INVENTORIES, X, A).sum(axis=(1, 3))
    np.testing.assert_array_equal(by_state, [np.bincount(seen.states[:, t], minlength=X) for t in range(T)])
    assert (q == old)[:, new == 0].all()


ROWS = (
    Plain("learning.add_targets", add_targets, arrays(targets), sums_know_no_order, rtol=0.0),
    Plain("learning.tabulate_shares", tabulate_shares, arrays(lambda rng: (float(rng.uniform(0.01, 1)), np.empty(40))),
          from_nothing_to_all, atol=1e-13),
    Plain("learning.merge_targets", merge_targets, arrays(merging), lies_between, atol=1e-12),
    Plain("online.move", move,
          arrays(lambda rng: (rng.normal(0, 9, A), rng.integers(1, 9, A), int(rng.integers(A)),
                              float(rng.choice([0.0, 0.2, 1.0])), float(rng.normal(0, 9)))),
          mean_of_targets, atol=1e-12),
    Plain("online.ahead", ahead, arrays(lambda rng: (*tables(rng), int(rng.integers(2)))), not_less_than_the_least, rtol=0.0),
    Plain("online.choose_action", choose_action, arrays(choices), greedy_or_any, rtol=0.0, tries=40),
    Plain("online.take", take, arrays(takings), never_buys_back, tries=60),
    Plain("online.learn_episodes", learn_episodes, arrays(lessons), one_visit_a_step, atol=1e-12),
)  # fmt: skip
