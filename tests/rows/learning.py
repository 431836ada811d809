"""Online learners: the textbook's updates of one table and of two."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels.learning import BY_VISITS, CONSTANT, FALLING
from fastexec.kernels.online import Rule, Tables
from fastexec.kernels.watch import Watched
from naive import learning as twin
from rows.programmes import NUMBERS, some_slices
from trials import Plain, arrays

E, T, X, A, INVENTORIES = 6, 3, 4, 3, 5


def moving(rng):
    q = rng.normal(0, 9, (2, T, INVENTORIES * X, A))
    tables = Tables(q, q * q + 1.0, rng.integers(1, 9, (T, INVENTORIES * X, A)))
    rule = rule_of(rng)._replace(rate=int(rng.choice([CONSTANT, FALLING, BY_VISITS])))
    where = int(rng.integers(2)), int(rng.integers(T)), int(rng.integers(INVENTORIES * X)), int(rng.integers(A))
    return tables, *where, rule, float(rng.normal(0, 9))


def rate_of(rule, n):
    alpha = float(rule.learning[0])
    return {CONSTANT: alpha, FALLING: twin.falling(alpha, n), BY_VISITS: 1.0 / n}[rule.rate]


def move(tables, table, t, s, action, rule, y):
    share = rate_of(rule, int(tables.visits[t, s, action]))
    for values, x in ((tables.q, y), (tables.second, y * y)):
        values[table, t, s, action] = twin.moved(values[table, t, s, action], share, x)


def mean_of_targets(call, tables, table, t, s, action, rule, y):
    """One over the visits makes the mean of all targets, and of their squares; a rate of 1 makes the last one."""
    place = table, t, s, action
    for n, value in enumerate((3.0, y, -1.0), start=1):
        tables.visits[t, s, action] = n
        call(tables, *place, rule._replace(rate=BY_VISITS), value)
    np.testing.assert_allclose(tables.q[place], (2.0 + y) / 3.0, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tables.second[place], (10.0 + y * y) / 3.0, rtol=1e-12)
    rule.learning[0] = 1.0
    call(tables, *place, rule._replace(rate=CONSTANT), y)
    np.testing.assert_allclose(tables.q[place], y, rtol=1e-12, atol=1e-12)


def ahead_between(q, table, t, place, x, states, double):
    low = int(place)
    near, far = (ahead(q, table, t, min(i, INVENTORIES - 1) * states + x, double) for i in (low, low + 1))
    return twin.value_between(near, far, place - low)


def on_the_grid_its_own(call, q, table, t, place, x, states, double):
    low = int(place)
    ends = [call(q, table, t, float(min(i, INVENTORIES - 1)), x, states, double) for i in (low, low + 1)]
    assert ends[0] == ahead(q, table, t, low * states + x, double)
    found = call(q, table, t, place, x, states, double)
    assert min(ends) - 1e-12 <= found <= max(ends) + 1e-12


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
    learning = np.array([0.1, 0.9, epsilon])
    return Rule(slices, powers, after, rng.uniform(0, 3, T), numbers, learning, CONSTANT, horizon, double)


def seen_by(rng):
    return Watched(
        rng.integers(0, X, (E, T)).astype(np.int32), rng.uniform(0.0, 20.0, (E, T, 5)),
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
    u, taken, after = 0.0, 0.0, float(i)
    if traded:
        u, taken, after = rule.slices[i, action], rule.powers[i, action], rule.after[i, action]
        if ends and RULES[rule.horizon] == "complete":
            u, taken, after = left, rule.powers[i, A], 0.0
    half, temporary, *end, move = seen.factors[e, t].tolist()
    cost = twin.step_cost(
        u, taken, left, half, temporary, *(numbers[n] for n in ("linear", "squared", "permanent", "own"))
    )
    cost += rule.risk[t] * (left - u) ** 2 + move * (left - u)
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


def learn_episodes(seen, rule, tables, states):
    """Q-learning written out: an update of each step's action when the next state is known."""
    q = tables.q
    for e in range(E):
        i, past = INVENTORIES - 1, None
        for t in range(T):
            x = int(seen.states[e, t])
            s = i * states + x
            if past:
                before, table, action, cost, place = past
                y = twin.target(cost, rule.learning[1], ahead_between(q, table, t, place, x, states, rule.double))
                move(tables, table, t - 1, before, action, rule, y)
            table = int(seen.words[e, t, 1]) % 2 if rule.double else 0
            action = choose_action(q, t, s, seen.words[e, t], rule)
            cost, place = take(seen, rule, e, t, i, action)
            i = int(place + 0.5)
            tables.visits[t, s, action] += 1
            past = s, table, action, cost, place
        before, table, action, cost, _ = past
        move(tables, table, T - 1, before, action, rule, cost)


def lessons(rng):
    double = int(rng.integers(2))
    q, visits = rng.normal(0.0, 2.0, (1 + double, T, INVENTORIES * X, A)), rng.integers(0, 4, (T, INVENTORIES * X, A))
    rule = rule_of(rng, horizon=int(rng.integers(4)), double=double)
    rule = rule._replace(rate=int(rng.choice([CONSTANT, FALLING, BY_VISITS])))
    if rng.random() < 0.5:  # slices that lead between the points of the grid
        rule.after[1:, 1:] *= rng.uniform(0.1, 1.0)
    return seen_by(rng), rule, Tables(q, q * q + 1.0, visits), X


def one_visit_a_step(call, seen, rule, tables, states):
    """In each step an episode visits one cell, of the state that it saw; nothing else is learned of."""
    old, before = tables.q.copy(), tables.visits.copy()
    call(seen, rule, tables, states)
    new = tables.visits - before
    assert (new >= 0).all()
    np.testing.assert_array_equal(new.sum(axis=(1, 2)), [E] * T)
    by_state = new.reshape(T, INVENTORIES, X, A).sum(axis=(1, 3))
    np.testing.assert_array_equal(by_state, [np.bincount(seen.states[:, t], minlength=X) for t in range(T)])
    assert (tables.q == old)[:, new == 0].all()


def aheads(rng):
    q, table, t, _ = tables(rng)
    place = float(rng.choice([0.0, 1.0, 1.25, 2.5, INVENTORIES - 1.0]))
    return q, table, t, place, int(rng.integers(X)), X, int(rng.integers(2))


ROWS = (
    Plain("online.move", move, arrays(moving), mean_of_targets, atol=1e-12),
    Plain("online.ahead", ahead, arrays(lambda rng: (*tables(rng), int(rng.integers(2)))), not_less_than_the_least, rtol=0.0),
    Plain("online.ahead_between", ahead_between, arrays(aheads), on_the_grid_its_own, atol=1e-12),
    Plain("online.choose_action", choose_action, arrays(choices), greedy_or_any, rtol=0.0, tries=40),
    Plain("online.take", take, arrays(takings), never_buys_back, tries=60),
    Plain("online.learn_episodes", learn_episodes, arrays(lessons), one_visit_a_step, atol=1e-12),
)  # fmt: skip
