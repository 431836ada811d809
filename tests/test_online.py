"""Q-learning and double Q-learning online: bit for bit the plain-Python textbook, exact where nothing is random."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.exact import power_of
from fastexec.kernels.online import learn_episodes
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


def textbook(seen, rule, states, actions, horizon):
    """Watkins (1989) and van Hasselt (2010) in plain Python floats."""
    alpha, discount, epsilon = (float(x) for x in rule.learning)
    permanent, own, linear, squared, penalty, slope, _, exponent = (float(x) for x in rule.numbers)
    inventories, steps = rule.slices.shape[0], seen.states.shape[1]
    q = np.zeros((2, steps, inventories * states, actions))
    for e in range(seen.states.shape[0]):
        i, history = inventories - 1, []
        for t in range(steps):
            s = i * states + int(seen.states[e, t])
            word, other = (int(w) for w in seen.words[e, t])
            if history:
                cost, s0, a0, k = history[-1]
                own_best = int(np.argmin(q[k, t, s]))
                y = cost + discount * float(q[1 - k if rule.double else k, t, s, own_best])
                q[k, t - 1, s0, a0] += alpha * (y - q[k, t - 1, s0, a0])
            k = (other & 1) if rule.double else 0
            value = q[0, t, s] + q[1, t, s] if rule.double else q[0, t, s]
            a = (other * actions) >> 32 if word < epsilon * 2**32 else int(np.argmin(value))
            left, last, traded = i / (inventories - 1), t == steps - 1, bool(seen.traded[e, t])
            u, taken, after = 0.0, 0.0, i
            if traded and last and horizon == "complete":
                u, taken, after = left, float(rule.powers[i, -1]), 0
            elif traded:
                u, taken, after = float(rule.slices[i, a]), float(rule.powers[i, a]), int(rule.after[i, a])
            half, factor, end, end_factor = (float(x) for x in seen.factors[e, t])
            cost = half * u + factor * taken
            cost += linear * u + squared * u * u + permanent * u * (1.0 - left + own * u)
            rest = left - u
            cost += float(rule.risk[t]) * rest * rest
            if last and horizon == "trade":
                raised = rest * float(power_of(np.array([rest]), exponent)[0])
                known = linear * rest + squared * rest * rest + permanent * rest * (1.0 - rest + own * rest)
                cost += rest * (end + (penalty + slope * rest)) + end_factor * raised + known
            elif last and (horizon == "quote" or not traded):
                cost += rest * (end + permanent * (1.0 - rest) + (penalty + slope * rest))
            history.append((cost, s, a, k))
            i = after
        cost, s0, a0, k = history[-1]
        q[k, steps - 1, s0, a0] += alpha * (cost - q[k, steps - 1, s0, a0])
    return q


@pytest.mark.parametrize("rule", ["online", "double"])
@pytest.mark.parametrize("horizon", ["complete", "quote", "trade"])
def test_bit_for_bit_the_textbook(rule, horizon):
    s = study(rule, horizon)
    training = s.train["a"]
    cuts = cuts_of(s, training, "a")
    seen, numbers = watch(s, training, cuts, "a", 0), rule_of(s, training, cuts, 0.4)
    q, visits = np.zeros((2, 6, 21 * 9, 21)), np.zeros((6, 21 * 9, 21), np.int64)
    learn_episodes(seen, numbers, q, visits, 9)
    np.testing.assert_array_equal(q, textbook(seen, numbers, 9, 21, horizon))
    assert visits.sum() == 300 * 6
    assert (q[1] != 0.0).any() == (rule == "double")


@pytest.mark.parametrize(("lots", "risk_aversion", "cost"), [o for o in ORACLES if o[0] == 4])
@pytest.mark.parametrize("rule", ["online", "double", "batched"])
def test_integer_lots_of_almgren_and_chriss(rule, lots, risk_aversion, cost):
    """Nothing is random in the costs of ORACLES 1, so with a learning rate of 1 and every action tried it is exact."""
    s = almgren_chriss(lots, risk_aversion)
    tried = {"rule": rule, "batch": 4_000, "rounds": 4, "epsilon": 1.0, "epsilon_last": 1.0, "learning_rate": 1.0}
    agent = train(s.changed(train={"a": s.train["a"].model_dump() | tried}), "a")
    assert agent.q[0].min(axis=1)[-1] * 1e-4 * 5e7 == pytest.approx(cost, rel=1e-5 if rule == "batched" else 1e-9)


def test_threads_change_nothing():
    one, two = (train(study("online"), "a", threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.q, two.q)


def test_a_rate_by_visits_is_the_mean_of_the_targets():
    """In the last step the targets are costs alone, so each cell is the plain mean of its own."""
    s = study("online", rate="visits")
    training = s.train["a"]
    cuts = cuts_of(s, training, "a")
    seen, rule = watch(s, training, cuts, "a", 0), rule_of(s, training, cuts, 1.0)
    q, visits = np.zeros((2, 6, 21 * 9, 21)), np.zeros((6, 21 * 9, 21), np.int64)
    learn_episodes(seen, rule, q, visits, 9)
    at_end = visits[5].reshape(21, 9, 21)
    assert at_end[0].sum() > 100  # mostly done by then
    assert (q[0, 5].reshape(21, 9, 21)[0] == 0.0).all()  # and then nothing costs
    assert rule.learning[0] == 0.0
