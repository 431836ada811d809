"""Q-learning and double Q-learning online: bit for bit the plain-Python textbook, exact where nothing is random."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.exact import power_of
from fastexec.kernels.online import Tables, learn_episodes
from fastexec.learning.features import cuts_of
from fastexec.learning.online import rule_of, watch
from fastexec.learning.training import train
from markets import FEATURES, LOTS, ORACLES, almgren_chriss, markov


def study(rule, horizon="complete", **training):
    order = {"shares": 2000, "lot": 100, "steps": 6, "mark_penalty": 0.05}
    order |= {"at_horizon": "complete"} if horizon == "complete" else {"at_horizon": "mark", "mark_price": horizon}
    train = {
        "a": {
            "rule": rule,
            "features": FEATURES,
            "actions": LOTS,
            "batch": 300,
            "rounds": 1,
            "risk_aversion": 1e-6,
            **training,
        }
    }
    return markov(order=order, train=train)


def textbook(seen, rule, states, actions, horizon, rate):
    """Watkins (1989) and van Hasselt (2010) in plain Python floats."""
    first, discount, epsilon = (float(x) for x in rule.learning)
    permanent, own, linear, squared, penalty, slope, _, exponent = (float(x) for x in rule.numbers)
    inventories, steps = rule.slices.shape[0], seen.states.shape[1]
    q = np.zeros((2, steps, inventories * states, actions))
    second, visits = np.zeros_like(q), np.zeros(q.shape[1:], np.int64)

    def move(k, t, s0, a0, y):
        n = int(visits[t, s0, a0])
        alpha = {"constant": first, "falling": 1.0 / (1.0 / first + (n - 1.0) / 5), "visits": 1.0 / n}[rate]
        second[k, t, s0, a0] += alpha * (y * y - second[k, t, s0, a0])
        q[k, t, s0, a0] += alpha * (y - q[k, t, s0, a0])

    for e in range(seen.states.shape[0]):
        i, history = inventories - 1, []
        for t in range(steps):
            s = i * states + int(seen.states[e, t])
            word, other = (int(w) for w in seen.words[e, t])
            if history:
                cost, s0, a0, k = history[-1]
                own_best = int(np.argmin(q[k, t, s]))
                y = cost + discount * float(q[1 - k if rule.double else k, t, s, own_best])
                move(k, t - 1, s0, a0, y)
            k = (other & 1) if rule.double else 0
            value = q[0, t, s] + q[1, t, s] if rule.double else q[0, t, s]
            a = (other * actions) >> 32 if word < epsilon * 2**32 else int(np.argmin(value))
            left, last, traded = i / (inventories - 1), t == steps - 1, bool(seen.traded[e, t])
            u, taken, after = 0.0, 0.0, i
            if traded and last and horizon == "complete":
                u, taken, after = left, float(rule.powers[i, -1]), 0
            elif traded:
                u, taken, after = float(rule.slices[i, a]), float(rule.powers[i, a]), int(rule.after[i, a])
            half, factor, end, end_factor, expected = (float(x) for x in seen.factors[e, t])
            cost = half * u + factor * taken
            cost += linear * u + squared * u * u + permanent * u * (1.0 - left + own * u)
            rest = left - u
            cost += float(rule.risk[t]) * rest * rest + expected * rest
            if last and horizon == "trade":
                raised = rest * float(power_of(np.array([rest]), exponent)[0])
                known = linear * rest + squared * rest * rest + permanent * rest * (1.0 - rest + own * rest)
                cost += rest * (end + (penalty + slope * rest)) + end_factor * raised + known
            elif last and (horizon == "quote" or not traded):
                cost += rest * (end + permanent * (1.0 - rest) + (penalty + slope * rest))
            history.append((cost, s, a, k))
            visits[t, s, a] += 1
            i = after
        cost, s0, a0, k = history[-1]
        move(k, steps - 1, s0, a0, cost)
    return q, second


@pytest.mark.parametrize("rule", ["online", "double"])
@pytest.mark.parametrize(
    ("horizon", "rate"),
    [
        ("complete", "constant"),
        ("quote", "falling"),
        ("trade", "falling"),
        ("complete", "visits"),
        ("quote", "constant"),
        ("trade", "visits"),
    ],
)
def test_bit_for_bit_the_textbook(rule, horizon, rate):
    s = study(rule, horizon, rate=rate)
    training = s.train["a"]
    cuts = cuts_of(s, training, "a")
    seen, numbers = watch(s, training, cuts, "a", 0), rule_of(s, training, cuts, 0.4)
    cells = (6, 21 * 9, 21)
    tables = Tables(np.zeros((2, *cells)), np.zeros((2, *cells)), np.zeros(cells, np.int64))
    learn_episodes(seen, numbers, tables, 9)
    q, second = textbook(seen, numbers, 9, 21, horizon, rate)
    np.testing.assert_array_equal(tables.q, q)
    np.testing.assert_array_equal(tables.second, second)
    assert tables.visits.sum() == 300 * 6
    assert (q[1] != 0.0).any() == (rule == "double")


@pytest.mark.parametrize(("lots", "risk_aversion", "cost"), [o for o in ORACLES if o[0] == 4])
@pytest.mark.parametrize("rule", ["online", "double", "batched"])
def test_integer_lots_of_almgren_and_chriss(rule, lots, risk_aversion, cost):
    """Nothing is random in the costs of ORACLES 1, so with a learning rate of 1 and every action tried it is exact."""
    s = almgren_chriss(lots, risk_aversion)
    tried = {"rule": rule, "batch": 4_000, "rounds": 4, "epsilon": 1.0, "epsilon_last": 1.0, "learning_rate": 1.0,
             "rate": "constant"}  # fmt: skip
    agent = train(s.changed({"train": {"a": s.train["a"].model_dump() | tried}}), "a")
    assert agent.q[0].min(axis=1)[-1] * 1e-4 * 5e7 == pytest.approx(cost, rel=1e-5 if rule == "batched" else 1e-9)


def test_threads_change_nothing():
    one, two = (train(study("online"), "a", threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.q, two.q)
