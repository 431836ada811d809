"""The trainer's update: a twin of it in numpy, A2C as PPO with one pass, probe problems of which each isolates one fault."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from fastexec.kernels import _jit
from fastexec.kernels.gradients import LEAF
from fastexec.kernels.optimisers import improve, rmsprop
from fastexec.kernels.philox import OF_LEAVES, TRAINING, stream
from fastexec.kernels.shuffles import draw_normals, shuffle_leaves
from fastexec.kernels.transitions import by_episode, in_lanes, transitions_for
from fastexec.learning.first_weights import HIDDEN, first_weights, layers_of, orthogonal
from fastexec.learning.policy_gradient import Learner, Settings
from naive import policy_gradient as naive
from naive.philox import philox4x32

pytestmark = pytest.mark.skipif(_jit.JIT_DISABLED, reason="lane by lane in Python; the lights compare whole trainings")
F4, INPUTS, ACTIONS = np.float32, 3, 4
POOL = ThreadPoolExecutor(1)


def some_batch(seed, leaves=4, steps=3):
    """Transitions as they might be, of a policy that was another a while ago."""
    rng = np.random.default_rng(seed)
    episodes = leaves * LEAF
    record = transitions_for(episodes, steps, naive.up(INPUTS))
    given = SimpleNamespace(
        x=np.concatenate([rng.normal(0, 1, (INPUTS, steps, episodes)), np.zeros((1, steps, episodes))]).astype(F4),
        actions=rng.integers(0, ACTIONS, (steps, episodes)).astype(F4),
        chances=rng.uniform(0.15, 0.4, (steps, episodes)).astype(F4),
        rewards=rng.normal(0.5, 1, (steps, episodes)).astype(F4),
        effects=(rng.uniform(size=(steps, episodes)) < 0.9).astype(F4),
        values=np.concatenate([rng.normal(0, 1, (steps, episodes)), np.zeros((1, episodes))]).astype(F4),
    )
    for k, unit in enumerate(given.x):
        record.inputs[:, :, k * _jit.LANES : (k + 1) * _jit.LANES] = in_lanes(unit)
    for name in ("actions", "chances", "rewards", "effects", "values"):
        getattr(record, name)[:] = in_lanes(getattr(given, name))
    return record, given


def learner(settings, threads=1, actions=ACTIONS, number=0):
    return Learner(settings, INPUTS, np.linspace(0.0, 0.3, actions), 11, 5, number, threads)


SMALL = Settings(hidden=(8, 8), minibatch=2 * LEAF, passes=2)


def ours(settings, threads=1, updates=2, left=0.7):
    pupil = learner(settings, threads)
    for seed in range(updates):
        told = pupil.update(some_batch(seed)[0], left, POOL)
    return pupil, told


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_an_update_is_the_twins(optimiser):
    settings = Settings(hidden=(8, 8), minibatch=2 * LEAF, passes=2, optimiser=optimiser, gradient_norm=0.3)
    pupil = learner(settings)
    weights, state, left = pupil.weights.copy(), {}, 0.7
    policy, value = ([tuple(pair) for pair in layers.tolist()] for layers in (pupil.policy, pupil.value))
    rule = SimpleNamespace(relu=False, actions=ACTIONS, clip=F4(0.2), entropy=F4(0.03 * left), error=F4(1.0))
    step = naive.adam if optimiser == "adam" else naive.rmsprop
    passes = 0
    for seed in range(2):
        record, given = some_batch(seed)
        pupil.update(record, left, POOL)
        better = naive.advantages(given.rewards, given.values, F4(1.0), F4(0.95)).astype(F4)
        targets, (mean, sd) = given.values[:-1] + better, naive.normalised(better.astype(float), given.effects)
        scaled = ((better - F4(mean)) / F4(sd)).astype(F4)
        for _ in range(settings.passes):
            order = np.empty(4, np.int64)
            shuffle_leaves(np.uint64(11), stream(TRAINING, OF_LEAVES, 5), 0, passes, order)
            passes += 1
            for chosen in (order[:2], order[2:]):
                e = np.concatenate([np.arange(leaf * LEAF, (leaf + 1) * LEAF) for leaf in chosen])
                batch = naive.Batch(
                    given.x[:, :, e].reshape(4, -1).T, *(part[:, e].ravel() for part in (
                        given.actions, given.chances, scaled, given.effects, targets)),
                )  # fmt: skip
                networks = (naive.unpack(weights[: pupil.middle], policy), naive.unpack(weights[pupil.middle :], value))
                g = naive.clipped(naive.gradient(*networks, batch, rule).astype(F4), 0.3)
                weights = step(weights, g, state, settings.learning_rate * left).astype(F4)
    assert np.abs(weights - learner(settings).weights).max() > 0.01
    np.testing.assert_allclose(pupil.weights, weights, rtol=1e-5, atol=1e-5)


def test_a2c_is_ppo_with_one_pass_over_one_minibatch():
    """Of the policy's own chances: their ratio is 1 and its gradient that of the logarithm (Huang et al. 2022)."""
    whole = {
        "hidden": (8, 8),
        "minibatch": 4 * LEAF,
        "passes": 1,
        "optimiser": "rmsprop",
        "entropy": 0.01,
        "trace": 1.0,
    }
    pupils = [learner(Settings(**whole, clip=clip)) for clip in (0.2, None)]
    for seed in range(3):
        for pupil in pupils:
            record, given = some_batch(seed)
            record.chances[:] = in_lanes(chances_of(pupil, given))
            pupil.update(record, 1.0, POOL)
    assert pupils[0].weights.tobytes() == pupils[1].weights.tobytes()
    assert np.abs(pupils[0].weights - learner(Settings(**whole)).weights).max() > 1e-3


def chances_of(pupil, given):
    """Of what was done, to the last bit as the kernel has them."""
    from fastexec.kernels.layers import forward
    from fastexec.kernels.softmax import CHANCES, find_chances
    from trials import run

    steps, episodes = given.actions.shape
    units = np.zeros((naive.up(INPUTS) + 8 + 8 + naive.up(ACTIONS)) * _jit.LANES, F4)
    found, chances = np.empty((steps, episodes), F4), np.zeros(CHANCES * _jit.LANES, F4)
    assert forward
    assert find_chances
    for t in range(steps):
        for e in range(0, episodes, min(_jit.LANES, LEAF)):
            together = slice(e, e + min(_jit.LANES, LEAF))
            for k in range(naive.up(INPUTS)):
                units[k * _jit.LANES :][: min(_jit.LANES, LEAF)] = given.x[k, t, together]
            last = run("layers.forward", pupil.weights[: pupil.middle], pupil.policy, 0, units)
            run("softmax.find_chances", ACTIONS, units[last * _jit.LANES :], chances)
            rows = chances.reshape(-1, _jit.LANES)[:, : min(_jit.LANES, LEAF)]
            found[t, together] = np.take_along_axis(rows, given.actions[None, t, together].astype(int), axis=0)[0]
    return found


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_bits_on_any_number_of_threads(threads):
    one, several = ours(SMALL)[0], ours(SMALL, threads)[0]
    assert one.weights.tobytes() == several.weights.tobytes()


def test_padding_stays_zero_and_what_is_told():
    pupil, told = ours(SMALL)
    assert told.reward == pytest.approx(by_episode(some_batch(1)[0].rewards).sum(axis=0).mean(), abs=1e-5)
    assert told.norm > 0.0
    assert 0.0 < told.clipped < 1.0
    first = pupil.weights[: 8 * 4].reshape(8, 4)
    assert (first[:, INPUTS] == 0.0).all()
    assert (first[:, :INPUTS] != 0.0).all()
    assert (pupil.weights[-3:] == 0.0).all()  # of the value's three further outputs, the biases


def test_the_norm_of_a_gradient_is_clipped_over_all_its_leaves():
    gradients, weights, told = np.array([[3.0, 0.0], [0.0, 4.0]], F4), np.zeros(2, F4), np.empty(2)
    improve(rmsprop(1.0, 0.5), gradients, weights, np.zeros((2, 2), F4), told)
    np.testing.assert_allclose(told, [5.0, 0.1], rtol=1e-6)
    np.testing.assert_allclose(gradients[0], [0.3, 0.4], rtol=1e-6)
    np.testing.assert_allclose(weights, -gradients[0] / (np.sqrt(0.01) * gradients[0] + 1e-5), rtol=1e-5)


def test_leaves_are_shuffled_by_counted_words():
    order = np.empty(9, np.int64)
    shuffle_leaves(np.uint64(7), 3, 2, 5, order)
    wanted = []
    for j in range(9):
        other = philox4x32((j, 5, 2, 3), (7, 0))[0] * (j + 1) >> 32
        wanted.append(j)
        wanted[j], wanted[other] = wanted[other], j
    assert order.tolist() == wanted
    places = np.zeros((3, 3))
    for update in range(3000):
        shuffle_leaves(np.uint64(7), 3, 2, update, order[:3])
        places[np.arange(3), order[:3]] += 1
    assert np.abs(places / 3000 - 1 / 3).max() < 5 * np.sqrt(2 / 9 / 3000)


def test_first_weights_are_orthogonal():
    layers = layers_of(5, (8, 8), 3)
    weights = first_weights(layers, 0.01, np.array([0.0, 1.0, 0.0]), 1, 2, 3)
    (w0, b0), (w1, _), (w2, b2) = naive.unpack(weights.astype(float), [tuple(pair) for pair in layers.tolist()])
    np.testing.assert_allclose(w0[:, :5].T @ w0[:, :5], HIDDEN**2 * np.eye(5), atol=1e-6)
    np.testing.assert_allclose(w1 @ w1.T, 2 * np.eye(8), atol=1e-6)
    np.testing.assert_allclose(w2[:3] @ w2[:3].T, 1e-4 * np.eye(3), atol=1e-10)
    assert (b2.tolist(), (b0 == 0.0).all()) == ([0.0, 1.0, 0.0, 0.0], True)
    assert (w2[3] == 0.0).all()
    other = first_weights(layers, 0.01, np.zeros(3), 1, 2, 4)
    assert (other[:40] != weights[:40])[np.arange(40) % 8 < 5].all()
    normals = np.empty(20_000, F4)
    draw_normals(np.uint64(1), 2, 3, normals)
    assert abs(normals.mean()) < 0.03
    assert abs(normals.std() - 1) < 0.03
    assert np.abs(orthogonal(np.array([[3.0, 4.0]])) - [[0.6, 0.8]]).max() < 1e-15


#: A problem: what is observed at first, and of observation, action, step and chance the reward and what is observed next.
PROBLEMS = {
    "constant reward": (1, lambda x, a, t, u: (1.0 + 0 * x, x)),
    "reward read off the observation": (1, lambda x, a, t, u: (x, x)),
    "two steps with discount": (2, lambda x, a, t, u: (float(t) + 0 * x, x)),
    "reward of the action": (1, lambda x, a, t, u: (np.where(a == 1, 1.0, -1.0), x)),
    "reward of both": (1, lambda x, a, t, u: (np.where((a == 1) == (x > 0), 1.0, -1.0), x)),
}


def trained(steps, reward, settings, updates, actions=2, start=lambda rng, n: rng.choice([-1.0, 1.0], n)):
    """Episodes in numpy, learned from by the trainer; the inputs are the observation, the step, and 1."""
    rng, episodes = np.random.default_rng(3), 2 * LEAF
    pupil = Learner(settings, INPUTS, np.zeros(actions), 4, 9)
    policy, value = ([tuple(pair) for pair in layers.tolist()] for layers in (pupil.policy, pupil.value))

    def networks():
        return naive.unpack(pupil.weights[: pupil.middle], policy), naive.unpack(pupil.weights[pupil.middle :], value)

    def seen(x, t):
        return np.stack([x, np.full_like(x, t), np.ones_like(x), np.zeros_like(x)], axis=1).astype(F4)

    def chances(x, t):
        return naive.softmax(naive.forward(networks()[0], False, seen(x, t))[-1][:, :actions])

    def expected(x, t):
        return naive.forward(networks()[1], False, seen(x, t))[-1][:, 0]

    for update in range(updates):
        record, x = transitions_for(episodes, steps, naive.up(INPUTS)), start(rng, episodes)
        record.effects[:] = in_lanes(np.ones((steps, episodes)))
        kept = {
            name: np.zeros((steps + (name == "values"), episodes))
            for name in ("actions", "chances", "rewards", "values")
        }
        for t in range(steps):
            p, u = chances(x, t), rng.uniform(size=episodes)
            a = (u[:, None] > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
            for k, unit in enumerate(seen(x, t).T):
                record.inputs[:, t, k * _jit.LANES : (k + 1) * _jit.LANES] = in_lanes(unit[None])[:, 0]
            kept["actions"][t], kept["chances"][t], kept["values"][t] = a, p[np.arange(episodes), a], expected(x, t)
            kept["rewards"][t], x = reward(x, a, t, rng.uniform(size=episodes))
        for name, values in kept.items():
            getattr(record, name)[:] = in_lanes(values)
        pupil.update(record, 1.0 - update / updates, POOL)
    return chances, expected


PROBE = Settings(hidden=(8, 8), minibatch=LEAF, passes=4, learning_rate=1e-2, entropy=0.0, discount=0.9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_probe(name):
    chances, expected = trained(*PROBLEMS[name], PROBE, 60)
    x = np.array([-1.0, 1.0])
    p = [chances(x, t)[:, 1] for t in range(2)]
    if name == "constant reward":
        np.testing.assert_allclose(expected(x, 0), [1.0, 1.0], atol=0.02)
    elif name == "reward read off the observation":
        np.testing.assert_allclose(expected(x, 0), x, atol=0.05)
    elif name == "two steps with discount":
        np.testing.assert_allclose([expected(x, 0), expected(x, 1)], [[0.9, 0.9], [1.0, 1.0]], atol=0.05)
    elif name == "reward of the action":
        assert (p[0] > 0.97).all()
    else:
        assert p[0][0] < 0.03
        assert p[0][1] > 0.97


def enumerated(x, a, t, u):
    """Two lots and two steps: a slice q pays -q^2 x in the first step, x = .2 or 2; the rest -r^2 in the second."""
    price, left = np.where(np.abs(x) > 1, 2.0, 0.2), 2.0
    if t == 0:
        return -a * a * price, left - a
    return -x * x, 0 * x


def test_two_steps_enumerated():
    """Of all ways to trade two lots in two steps the best in either state, found by trying them all, and by learning."""
    start = {-1.0: 0.2, 2.0: 2.0}
    best = {x: min(range(3), key=lambda a: a * a * price + (2 - a) ** 2) for x, price in start.items()}
    worth = {x: -min(a * a * price + (2 - a) ** 2 for a in range(3)) for x, price in start.items()}
    assert best == {-1.0: 2, 2.0: 1}
    settings = Settings(hidden=(16, 16), minibatch=LEAF, passes=4, learning_rate=1e-2, entropy=0.02)
    chances, expected = trained(2, enumerated, settings, 100, 3, lambda rng, n: rng.choice([-1.0, 2.0], n))
    x = np.array([-1.0, 2.0])
    assert chances(x, 0).argmax(axis=1).tolist() == [best[v] for v in x]
    assert (chances(x, 0).max(axis=1) > 0.9).all()
    np.testing.assert_allclose(expected(x, 0), [worth[v] for v in x], atol=0.2)
