"""Gradients through layers and losses: central differences of a float64 twin, a float32 twin, known answers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fastexec.kernels import _jit
from fastexec.kernels.advantages import SUMS, find_advantages
from fastexec.kernels.gradients import LEAF
from fastexec.kernels.layers import RELU, TANH
from fastexec.kernels.policy_gradient import LOSSES, Networks, Objective, find_gradients, size_of, work_for
from fastexec.kernels.transitions import by_episode, in_lanes, transitions_for
from naive import policy_gradient as naive

pytestmark = pytest.mark.skipif(_jit.JIT_DISABLED, reason="lane by lane in Python; the lights compare whole trainings")
F4 = np.float32
STEPS, LEAVES = 3, 2


def some_networks(rng, hidden=(8, 12), inputs=5, actions=6, activation=TANH):
    policy, value = ([(a, b) for a, b in zip((inputs, *hidden), (*hidden, last), strict=True)] for last in (actions, 1))
    parts = []
    for layers in (policy, value):
        for k, n in layers:
            w, b = np.zeros((naive.up(n), naive.up(k)), F4), np.zeros(naive.up(n), F4)
            w[:n, :k], b[:n] = rng.normal(0, 1 / np.sqrt(k), (n, k)), rng.normal(0, 0.2, n)
            parts.append((w, b))
    return Networks(naive.pack(parts), np.array(policy), np.array(value), activation), policy, value


def some_record(rng, inputs=5, actions=6):
    """And the same as a batch of the twin, of the order [t, e]."""
    episodes = LEAVES * LEAF
    record = transitions_for(episodes, STEPS, naive.up(inputs))
    x = np.zeros((naive.up(inputs), STEPS, episodes), F4)
    x[:inputs] = rng.normal(0, 1, (inputs, STEPS, episodes))
    for k, unit in enumerate(x):
        record.inputs[:, :, k * _jit.LANES : (k + 1) * _jit.LANES] = in_lanes(unit)
    values = {
        "actions": rng.integers(0, actions, (STEPS, episodes)).astype(F4),
        "chances": rng.uniform(0.05, 0.5, (STEPS, episodes)).astype(F4),
        "advantages": rng.normal(0.3, 2, (STEPS, episodes)).astype(F4),
        "effects": (rng.uniform(size=(STEPS, episodes)) < 0.8).astype(F4),
    }
    for name, value in values.items():
        getattr(record, name)[:] = in_lanes(value)
    expected = rng.normal(0, 1, (STEPS + 1, episodes)).astype(F4)
    record.values[:] = in_lanes(expected)
    flat = {name: value.ravel() for name, value in values.items()}
    targets = (expected[:-1] + values["advantages"]).ravel()
    return record, naive.Batch(x.reshape(len(x), -1).T, **flat, targets=targets)


def twin(batch, kind, mean, sd):
    wide = naive.Batch(*(part.astype(kind) for part in batch))
    return wide._replace(advantages=((wide.advantages - kind(mean)) / kind(sd)).astype(kind))


def ours(networks, record, objective, parts=((0, LEAVES),)):
    leaves, size = np.arange(LEAVES), networks.weights.size
    gradients, losses = np.empty((LEAVES, size), F4), np.empty((LEAVES, LOSSES))
    for part in parts:
        find_gradients(networks, record, objective, leaves, part, gradients, losses, work_for(networks))
    return gradients, losses


CASES = [(activation, plain) for activation in (TANH, RELU) for plain in (0, 1)]


@pytest.mark.parametrize(("activation", "plain"), CASES)
def test_gradients_are_those_of_the_twins(activation, plain):
    rng = np.random.default_rng(activation * 2 + plain)
    networks, policy, value = some_networks(rng, activation=activation)
    record, batch = some_record(rng)
    mean, sd = 0.3, 1.9
    objective = Objective(plain, F4(0.2), F4(0.03), F4(0.5), F4(mean), F4(1 / sd), F4(1 / (LEAVES * LEAF * STEPS)))
    gradients, losses = ours(networks, record, objective)
    found = gradients.sum(axis=0)
    rule = SimpleNamespace(
        relu=activation == RELU, actions=policy[-1][1], clip=None if plain else 0.2, entropy=0.03, error=0.5
    )

    def both(flat, kind):
        middle = size_of(networks.policy)
        flat = flat.astype(kind)
        return naive.unpack(flat[:middle], policy), naive.unpack(flat[middle:], value)

    narrow = naive.gradient(*both(networks.weights, F4), twin(batch, F4, F4(0.3), sd), rule)
    np.testing.assert_allclose(found, narrow, rtol=1e-5, atol=1e-6)
    wide, weights = twin(batch, np.float64, mean, sd), networks.weights.astype(float)
    exact = naive.gradient(*both(weights, np.float64), wide, rule)
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-6)
    step, looked_at = 1e-5, rng.choice(weights.size, 150, replace=False)
    for j in looked_at:
        ends = []
        for sign in (-1, 1):
            moved = weights.copy()
            moved[j] += sign * step
            ends.append(naive.loss(*both(moved, np.float64), wide, rule))
        slope = (ends[1] - ends[0]) / (2 * step)
        filled_up = exact[j] == 0.0 and weights[j] == 0.0  # moved from 0 it would feed a unit that is none
        assert filled_up or abs(found[j] - slope) < 1e-6 + 1e-5 * abs(slope), j
    padding = pattern_of_padding(policy, value)
    assert (found[padding] == 0.0).all()
    assert losses[:, 1].sum() / (LEAVES * LEAF * STEPS) == pytest.approx(
        0.5
        * np.mean((naive.forward(both(weights, np.float64)[1], rule.relu, wide.inputs)[-1][:, 0] - wide.targets) ** 2),
        rel=1e-5,
    )


def pattern_of_padding(*networks):
    flat = []
    for layers in networks:
        for k, n in layers:
            w, b = np.ones((naive.up(n), naive.up(k)), bool), np.ones(naive.up(n), bool)
            w[:n, :k], b[:n] = False, False
            flat += [w.ravel(), b]
    return np.concatenate(flat)


def test_the_same_bits_in_whatever_parts():
    rng = np.random.default_rng(7)
    networks, _, _ = some_networks(rng)
    record, _ = some_record(rng)
    objective = Objective(0, F4(0.2), F4(0.01), F4(0.5), F4(0), F4(1), F4(1e-3))
    whole, losses = ours(networks, record, objective)
    apart, others = ours(networks, record, objective, ((1, 2), (0, 1)))
    assert whole.tobytes() == apart.tobytes()
    assert losses.tobytes() == others.tobytes()


REWARDS = [0.0, 0.0, 1.0, 0.0, -0.5]
VALUES = [1.0, 4.0, -3.0, -2.0, -1.0, -1.0]


@pytest.mark.parametrize(
    ("trace", "wanted"),
    [
        (1.0, [-1.451188, -4.455746, 2.539651, 0.5249, -0.49]),
        (0.7, [-0.676979, -5.248167, 2.484608, 0.67043, -0.49]),
    ],
)
def test_generalised_advantages_of_the_known_answer(trace, wanted):
    record = transitions_for(LEAF, 5, 4)
    record.rewards[:] = in_lanes(np.repeat(np.array(REWARDS)[:, None], LEAF, axis=1))
    record.values[:] = in_lanes(np.repeat(np.array(VALUES)[:, None], LEAF, axis=1))
    record.effects[:] = in_lanes(np.tile(np.arange(LEAF) % 2, (5, 1)))
    sums = np.empty((1, SUMS))
    find_advantages(record, F4(0.99), F4(trace), 0, 1, sums, np.empty(SUMS * _jit.LANES))
    found = by_episode(record.advantages)
    np.testing.assert_allclose(found, np.repeat(np.array(wanted)[:, None], LEAF, axis=1), atol=1e-6)
    twin = naive.advantages(np.array(REWARDS)[:, None], np.array(VALUES)[:, None], 0.99, trace)
    np.testing.assert_allclose(found[:, :1], twin, atol=1e-6)
    np.testing.assert_allclose(sums[0], [LEAF / 2 * 5, LEAF / 2 * sum(wanted), LEAF / 2 * np.square(wanted).sum(), LEAF * 0.5],
                               rtol=1e-6)  # fmt: skip


LOGITS = [[1.0, 1.0, 1.0], [2.0, 0.0, 0.0], [-1.0, -2.0, -3.0]]
OLD = [[1.0, 1.0, 1.0], [2.0, 0.0, 0.0], [-3.0, -2.0, -1.0]]


@pytest.mark.parametrize(("sign", "wanted"), [(1.0, -0.1711778), (-1.0, 0.1933333)])
def test_clipped_surrogate_of_the_known_answer(sign, wanted):
    """Three one-hot observations, of which a single layer makes the outputs."""
    w, b = np.zeros((4, 4), F4), np.zeros(4, F4)
    w[:3, :3] = np.array(LOGITS).T
    networks = Networks(naive.pack([(w, b), (np.zeros((4, 4), F4), b)]), np.array([[3, 3]]), np.array([[3, 1]]), TANH)
    record = transitions_for(LEAF, 3, 4)
    for t in range(3):
        record.inputs[:, t, t * _jit.LANES : (t + 1) * _jit.LANES] = 1.0
        record.actions[:, t], record.advantages[:, t] = t, sign * (0.3, 0.2, 0.1)[t]
        record.chances[:, t] = naive.softmax(np.array(OLD))[t, t]
    record.effects[:] = 1.0
    objective = Objective(0, F4(0.2), F4(0), F4(0), F4(0), F4(1), F4(1 / (3 * LEAF)))
    leaves, gradients, losses = np.zeros(1, np.int64), np.empty((1, networks.weights.size), F4), np.empty((1, LOSSES))
    find_gradients(networks, record, objective, leaves, (0, 1), gradients, losses, work_for(networks))
    assert losses[0, 0] / (3 * LEAF) == pytest.approx(wanted, abs=5e-8)
