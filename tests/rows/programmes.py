"""The backward programme over market states, and the static schedule's cost."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, programme
from naive import programme as twin
from naive.learning import step_cost
from trials import Plain, arrays, real, run

T, X, A, INVENTORIES = 3, 2, 3, 5
NUMBERS = sorted(
    ("permanent", "own", "linear", "squared", "penalty", "slope", "discount", "exponent"),
    key=lambda name: getattr(programme, {"slope": "PENALTY_SLOPE"}.get(name, name.upper())),
)
RULES = {f.COMPLETE: "complete", f.MARK: "mark", f.LEAVE: "leave", f.MARK_AS_TRADE: "mark as trade"}


def some_slices(rng, inventories, actions):
    """Of each inventory 0 .. 1: what actions trade, its power, and of all that is left; and the inventory after."""
    left = np.arange(inventories)
    lots = np.minimum(np.sort(rng.integers(0, inventories, (inventories, actions)), axis=1), left[:, None])
    slices = lots / (inventories - 1.0)
    whole = np.column_stack([slices, left / (inventories - 1.0)])
    return slices, whole**1.6, (left[:, None] - lots).astype(np.float64)


def some_problem(rng, states=X):
    chances = rng.dirichlet(np.ones(states), (T, states))
    sure = rng.choice([0.0, 0.6, 1.0], (T, states))
    slices, powers, _ = some_slices(rng, INVENTORIES, A)
    square = (T, states)
    numbers = rng.uniform(0.0, 5.0, len(NUMBERS))
    numbers[programme.DISCOUNT] = rng.choice([1.0, 0.9])
    return programme.Problem(
        sure[..., None] * chances, (1.0 - sure)[..., None] * chances, sure, sure * rng.uniform(0, 20, square),
        sure * rng.uniform(0, 20, square), rng.uniform(0, 20, (*square, 2)), rng.uniform(0, 5, (*square, 2)),
        rng.uniform(0, 3, square), slices, powers, numbers,
        int(rng.integers(4)),
    )  # fmt: skip


def named_numbers(numbers):
    return dict(zip(NUMBERS, numbers.tolist(), strict=True))


def numbers_of(problem):
    return named_numbers(problem.numbers)


def look_ahead(chances, values, out, turned):
    for i, x in np.ndindex(out.shape):
        out[i, x] = twin.expected(chances[x].tolist(), values[i].tolist())


def a_mean_lies_inside(call, chances, values, out, turned):
    call(chances, values, out, turned)
    assert (out <= values.max(axis=1)[:, None] + 1e-12).all()
    assert (out >= values.min(axis=1)[:, None] - 1e-12).all()
    same = np.empty_like(out)
    call(np.ascontiguousarray(np.eye(X)), values, same, turned)
    np.testing.assert_array_equal(same, values)


def interpolate(values, left, x):
    return twin.between(values[:, x].tolist(), left)


def exact_on_the_grid_and_straight_between(call, values, left, x):
    for i in range(INVENTORIES):
        assert call(values, i / (INVENTORIES - 1.0), x) == values[i, x]
    straight = np.column_stack([np.linspace(-1.0, 3.0, INVENTORIES)] * X)
    np.testing.assert_allclose(call(straight, left, x), 4.0 * left - 1.0, rtol=1e-13, atol=1e-14)


def prices(rng):
    problem, t, x, i, a = (
        some_problem(rng),
        int(rng.choice([0, T - 1])),
        int(rng.integers(X)),
        *rng.integers(0, (INVENTORIES, A)),
    )
    return problem, t, x, i / (INVENTORIES - 1.0), float(problem.slices[i, a]), float(problem.powers[i, a])


def price(problem, t, x, left, u, taken):
    rule = RULES[problem.horizon] if t == T - 1 else "none"
    factors = (problem.spread[t, x], problem.temporary[t, x], problem.end[t, x])
    held = problem.moves[t, x, 0] * (left - u) + problem.moves[t, x, 1] * left
    return held + twin.price(u, taken, left, problem.sure[t, x], factors, numbers_of(problem), problem.risk[t, x], rule)


def dearer_with_everything(call, problem, t, x, left, u, taken):
    """Nothing left, nothing paid; no cost is negative; each factor that rises makes it no cheaper."""
    assert call(problem, t, x, 0.0, 0.0, 0.0) == 0.0
    cost = call(problem, t, x, left, u, taken)
    assert cost >= 0.0
    for name in ("spread", "temporary", "end", "moves", "risk"):
        more = problem._replace(**{name: getattr(problem, name) + 1.0})
        assert call(more, t, x, left, u, taken) >= cost
    spread = call(problem._replace(spread=problem.spread + 1.0), t, x, left, u, taken)
    np.testing.assert_allclose(spread - cost, u, atol=1e-12)


def of_slices(rng):
    problem = some_problem(rng)
    return problem.numbers, float(rng.choice([0.25, 0.5, 1.0])), float(rng.choice([0.0, 0.25, 0.2]))


def known_cost(numbers, left, u):
    n = named_numbers(numbers)
    return step_cost(u, 0.0, left, 0.0, 0.0, n["linear"], n["squared"], n["permanent"], n["own"])


def permanent_waits_for_nobody(call, numbers, left, u):
    """Nothing traded, nothing paid; who has traded more before pays no less, and with half its own impact two
    halves cost what the whole does.
    """
    assert call(numbers, left, 0.0) == 0.0
    assert call(numbers, left - u, u) >= call(numbers, left, u)
    numbers[[programme.OWN, programme.SQUARED]] = 0.5, 0.0
    halves = call(numbers, left, 0.5 * u) + call(numbers, left - 0.5 * u, 0.5 * u)
    np.testing.assert_allclose(halves, call(numbers, left, u), rtol=1e-12)


def mark(numbers, end, rest, horizon):
    return twin.mark(rest, end.tolist(), named_numbers(numbers), RULES[horizon] == "mark as trade")


def a_rest_is_never_a_gift(call, numbers, end, rest, horizon):
    """And as a trade it costs what trading it does."""
    assert call(numbers, end, 0.0, horizon) == 0.0
    assert call(numbers, end, rest, horizon) >= rest * end[0] - 1e-12
    wider = call(numbers, end + np.array([1.0, 0.0]), rest, horizon)
    np.testing.assert_allclose(wider - call(numbers, end, rest, horizon), rest, atol=1e-12)
    numbers[[programme.PENALTY, programme.PENALTY_SLOPE]] = 0.0
    traded = end[0] * rest + end[1] * rest ** (1.0 + numbers[programme.EXPONENT]) + known_cost(numbers, rest, rest)
    np.testing.assert_allclose(call(numbers, end, rest, f.MARK_AS_TRADE), traded, rtol=1e-12, atol=1e-14)


def solve(problem, q, v):
    """Backwards, state by state."""
    v[T] = 0.0
    for t, i, x in product(reversed(range(T)), range(INVENTORIES), range(X)):
        q[t, i, x] = costs_to_go(problem, t, i, x, v[t + 1])
        v[t, i, x] = min(q[t, i, x])


def costs_to_go(problem, t, i, x, after):
    """Of each action."""
    left, n, found = i / (INVENTORIES - 1.0), numbers_of(problem), []
    for a in range(A):
        u, taken = problem.slices[i, a], problem.powers[i, a]
        if t == T - 1 and RULES[problem.horizon] == "complete":
            u, taken = left, problem.powers[i, A]
        ahead = [twin.between(after[:, y].tolist(), left - u) for y in range(X)]
        follows = twin.expected(problem.go[t, x], ahead) + twin.expected(problem.stay[t, x], after[i])
        found.append(price(problem, t, x, left, u, taken) + n["discount"] * follows)
    return found


def follow_chances(problem, chances, v):
    v[T] = 0.0
    for t, i, x in product(reversed(range(T)), range(INVENTORIES), range(X)):
        v[t, i, x] = twin.expected(chances[t, i, x], costs_to_go(problem, t, i, x, v[t + 1]))


def no_policy_is_cheaper_than_the_best(call, problem, chances, v):
    """And the best, followed for sure, costs just what it promises."""
    q, best = np.empty((T, INVENTORIES, X, A)), np.empty_like(v)
    run("programme.solve", problem, q, best)
    call(problem, chances, v)
    assert (v >= best - 1e-9).all()
    call(problem, 1.0 * (np.arange(A) == q.argmin(axis=3)[..., None]), v)
    np.testing.assert_allclose(v, best, rtol=1e-13)


def values(rng):
    """A problem, a place in it, and what is expected of it ahead with volume and without."""
    problem, after = some_problem(rng), rng.normal(0, 9, (INVENTORIES, X))
    t, (i, x, a) = int(rng.choice([0, T - 1])), rng.integers(0, (INVENTORIES, X, A)).tolist()
    ahead, still = np.empty_like(after), np.empty_like(after)
    look_ahead(problem.go[t], after, ahead, None)
    look_ahead(problem.stay[t], after, still, None)
    return problem, t, i, x, a, ahead, still


def value_of(problem, t, i, x, a, ahead, still):
    u, taken = problem.slices[i, a], problem.powers[i, a]
    left = i / (INVENTORIES - 1.0)
    if t == T - 1 and RULES[problem.horizon] == "complete":
        u, taken = left, problem.powers[i, A]
    follows = twin.between(ahead[:, x].tolist(), left - u) + still[i, x]
    return price(problem, t, x, left, u, taken) + numbers_of(problem)["discount"] * follows


def dearer_ahead_dearer_here(call, problem, t, i, x, a, ahead, still):
    cost = call(problem, t, i, x, a, ahead, still)
    np.testing.assert_allclose(
        call(problem, t, i, x, a, ahead + 1.0, still) - cost, numbers_of(problem)["discount"], atol=1e-9
    )


def no_plan_is_cheaper(call, problem, q, v):
    """With volume for sure and no chance, every plan of actions costs at least the programme's value; one costs just it."""
    ones = np.ones((T, X))
    stay = np.zeros((T, X, X))
    sure = problem._replace(go=np.ascontiguousarray(np.broadcast_to(np.eye(X), (T, X, X))), stay=stay, sure=ones)
    call(sure, q, v)
    costs = []
    for plan in product(range(A), repeat=T):
        i, total, discount = INVENTORIES - 1, 0.0, 1.0
        for t, a in enumerate(plan):
            u, taken = problem.slices[i, a], problem.powers[i, a]
            if t == T - 1 and RULES[problem.horizon] == "complete":
                u, taken = i / (INVENTORIES - 1.0), problem.powers[i, A]
            total += discount * price(sure, t, 0, i / (INVENTORIES - 1.0), u, taken)
            discount *= numbers_of(problem)["discount"]
            i -= round(u * (INVENTORIES - 1))
        costs.append(total)
    np.testing.assert_allclose(min(costs), v[0, -1, 0], rtol=1e-11, atol=1e-11)


ROWS = (
    Plain("programme.look_ahead", look_ahead,
          arrays(lambda rng: (rng.dirichlet(np.ones(X), X), rng.normal(0, 9, (INVENTORIES, X)), np.empty((INVENTORIES, X)),
                              np.empty((X, X)))),
          a_mean_lies_inside, atol=1e-13, scratch=1),
    Plain("programme.interpolate", interpolate,
          st.tuples(arrays(lambda rng: rng.normal(0, 9, (INVENTORIES, X))), real(0.0, 1.0), st.integers(0, X - 1)),
          exact_on_the_grid_and_straight_between, atol=1e-13),
    Plain("programme.price", price, arrays(prices), dearer_with_everything, tries=60),
    Plain("programme.known_cost", known_cost, arrays(of_slices), permanent_waits_for_nobody),
    Plain("programme.mark", mark,
          arrays(lambda rng: (some_problem(rng).numbers, rng.uniform(0, 20, 2), float(rng.choice([0.0, 0.25, 1.0])),
                              int(rng.integers(4)))),
          a_rest_is_never_a_gift),
    Plain("programme.value_of", value_of, arrays(values), dearer_ahead_dearer_here, tries=40),
    Plain("programme.follow_chances", follow_chances,
          arrays(lambda rng: (some_problem(rng), rng.dirichlet(np.ones(A), (T, INVENTORIES, X)),
                              np.empty((T + 1, INVENTORIES, X)))),
          no_policy_is_cheaper_than_the_best, tries=10),
    Plain("programme.solve", solve,
          arrays(lambda rng: (some_problem(rng), np.empty((T, INVENTORIES, X, A)), np.empty((T + 1, INVENTORIES, X)))),
          no_plan_is_cheaper, tries=10),
)  # fmt: skip
