"""What a network learns by: chances, advantages, gradients of a minibatch, a step of an optimiser, and what chance does."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from fastexec.kernels.advantages import SUMS
from fastexec.kernels.gradients import LEAF, PIECES, USED
from fastexec.kernels.layers import RELU, TANH
from fastexec.kernels.optimisers import adam, rmsprop
from fastexec.kernels.policy_gradient import LOSSES, Networks, Objective, size_of, work_for
from fastexec.kernels.softmax import CHANCES, SHARE, TOP
from fastexec.kernels.transitions import by_episode, in_lanes, transitions_for
from naive import normals, policy_gradient as naive
from naive.philox import philox4x32
from trials import Plain, W, arrays

F4 = np.float32
STEPS, LEAVES, INPUTS, ACTIONS = 2, 2, 3, 5


def of_actions(rng):
    logits = rng.normal(0, 3, (8, W)).astype(F4)
    return ACTIONS, logits.ravel(), np.full(CHANCES * W, np.nan, F4)


def find_chances(actions, logits, chances):
    rows = logits.reshape(-1, W)[:actions].T.astype(float)
    chances[: actions * W] = naive.softmax(rows).T.ravel()
    chances[TOP : TOP + W] = rows.max(axis=1)
    chances[SHARE : SHARE + W] = 1 / np.exp(rows - rows.max(axis=1, keepdims=True)).sum(axis=1)


def one_in_all(call, actions, logits, chances):
    """They add up to one, and an output more of every action changes nothing; one far below is never taken."""
    logits[W : 2 * W] = -1000.0
    call(actions, logits, chances)
    rows = chances[: actions * W].reshape(-1, W)
    np.testing.assert_allclose(rows.sum(axis=0), 1.0, rtol=1e-6)
    assert (rows[1] == 0.0).all()
    call(actions, np.full_like(logits, 3.0), chances)
    np.testing.assert_allclose(rows, 1 / actions, rtol=1e-6)


def to_choose(rng):
    chances = np.full(CHANCES * W, np.nan, F4)
    p = rng.dirichlet(np.ones(ACTIONS), W).astype(F4)
    p[:, 1] *= rng.random(W) < 0.5  # never to be taken
    chances[: ACTIONS * W] = p.T.ravel()
    return ACTIONS, chances, rng.integers(0, 1 << 32, W, np.uint32), np.full(W, np.nan, F4), np.full(W, np.nan, F4)


def choose(actions, chances, words, chosen, chance):
    rows = chances.reshape(-1, W)
    for i in range(W):
        drawn, so_far = F4(words[i] >> 8) * F4(2.0**-24), F4(0.0)
        for a in range(actions):
            if rows[a, i] > 0 and drawn >= so_far:
                chosen[i], chance[i] = a, rows[a, i]
            so_far += rows[a, i]
        rows[TOP // W, i], rows[SHARE // W, i] = drawn, so_far


def the_first_and_the_last(call, actions, chances, words, chosen, chance):
    rows = chances[: actions * W].reshape(-1, W)
    possible = rows > 0
    call(actions, chances, np.zeros_like(words), chosen, chance)
    np.testing.assert_array_equal(chosen, possible.argmax(axis=0))
    call(actions, chances, np.full_like(words, 0xFFFFFFFF), chosen, chance)
    assert (chance > 0).all()
    np.testing.assert_array_equal(chance, np.take_along_axis(rows, chosen[None].astype(int), axis=0)[0])


def some_record(rng):
    episodes = LEAVES * LEAF
    record = transitions_for(episodes, STEPS, naive.up(INPUTS))
    for k in range(INPUTS):
        record.inputs[:, :, k * W : (k + 1) * W] = in_lanes(rng.normal(0, 1, (STEPS, episodes)))
    record.actions[:] = in_lanes(rng.integers(0, ACTIONS, (STEPS, episodes)))
    record.chances[:] = 1.0
    record.chances[:, :, :USED] = rng.uniform(0.1, 0.4, record.chances[:, :, :USED].shape)
    record.effects[:] = in_lanes(rng.random((STEPS, episodes)) < 0.8)
    record.rewards[:], record.advantages[:] = (in_lanes(rng.normal(0, 1, (STEPS, episodes))) for _ in range(2))
    record.values[:] = in_lanes(rng.normal(0, 1, (STEPS + 1, episodes)))
    return record


def to_learn(rng):
    units = (INPUTS, *rng.choice([4, 6, 8], rng.integers(0, 3)).tolist())
    policy, value = (np.array(list(zip(units, (*units[1:], last), strict=True))) for last in (ACTIONS, 1))
    weights = []
    for inputs, outputs in (*policy.tolist(), *value.tolist()):
        w, b = np.zeros((naive.up(outputs), naive.up(inputs))), np.zeros(naive.up(outputs))
        w[:outputs, :inputs], b[:outputs] = rng.normal(0, 0.6, (outputs, inputs)), rng.normal(0, 0.3, outputs)
        weights.append((w, b))
    networks = Networks(naive.pack(weights).astype(F4), policy, value, int(rng.choice([TANH, RELU])))
    share = F4(1 / (LEAVES * LEAF * STEPS))
    objective = Objective(int(rng.integers(2)), F4(0.2), F4(0.05), F4(0.7), F4(0.2), F4(0.8), share)
    gradients, losses = np.zeros((LEAVES, networks.weights.size), F4), np.zeros((LEAVES, LOSSES))
    return networks, some_record(rng), objective, np.array([1, 0]), (0, LEAVES), gradients, losses, work_for(networks)


def batch_of(record, leaf, objective):
    rows = slice(leaf * PIECES, (leaf + 1) * PIECES)
    inputs = [by_episode(record.inputs[rows, :, k * W : (k + 1) * W]).ravel() for k in range(naive.up(INPUTS))]
    names = ("actions", "chances", "advantages", "effects")
    kept = {name: by_episode(getattr(record, name)[rows]).astype(float) for name in names}
    targets = by_episode(record.values[rows])[:-1] + kept["advantages"]
    kept["advantages"] = (kept["advantages"] - float(objective.mean)) * float(objective.over_sd)
    return naive.Batch(np.array(inputs, float).T, *(part.ravel() for part in kept.values()), targets.ravel())


def find_gradients(networks, record, objective, leaves, part, gradients, losses, work):
    policy, value = ([tuple(pair) for pair in layers.tolist()] for layers in (networks.policy, networks.value))
    weights, middle = networks.weights.astype(float), size_of(networks.policy)
    both = naive.unpack(weights[:middle], policy), naive.unpack(weights[middle:], value)
    clip = None if objective.plain else float(objective.clip)
    rule = SimpleNamespace(relu=networks.activation == RELU, actions=ACTIONS, clip=clip, entropy=float(objective.entropy),
                           error=float(objective.error))  # fmt: skip
    for j in range(*part):
        batch = batch_of(record, leaves[j], objective)
        n = len(batch.inputs)
        gradients[j] = naive.gradient(*both, batch, rule) * n * float(objective.share)
        chances = naive.softmax(naive.forward(both[0], rule.relu, batch.inputs)[-1][:, :ACTIONS])
        ratio = chances[np.arange(n), batch.actions.astype(int)] / batch.chances
        weight = batch.advantages * batch.effects
        beyond = np.where(weight > 0, ratio > 1 + 0.2, (ratio < 1 - 0.2) & (weight < 0)) & (clip is not None)
        miss = naive.forward(both[1], rule.relu, batch.inputs)[-1][:, 0] - batch.targets
        surrogate = -weight.sum() if clip is None else naive.surrogate(chances, batch, clip).sum()
        losses[j] = surrogate, 0.5 * (miss * miss).sum(), beyond.sum()


def of_each_leaf_alone(call, networks, record, objective, leaves, part, gradients, losses, work):
    """A leaf's gradient is the same whatever else is learned from; without a pull and a miss there is none."""
    rest = gradients, losses, work
    call(networks, record, objective, leaves, part, *rest)
    whole = gradients.copy()
    gradients[:] = 7.0
    call(networks, record, objective, leaves, (1, 2), *rest)
    assert gradients[1].tobytes() == whole[1].tobytes()
    assert (gradients[0] == 7.0).all()
    record.effects[:] = 0.0
    middle = size_of(networks.policy)
    call(networks, record, objective, leaves, part, *rest)
    assert (gradients[:, :middle] == 0.0).all()
    assert gradients[:, middle:].tobytes() == whole[:, middle:].tobytes()


def to_look_back(rng):
    sums = np.zeros((LEAVES, SUMS))
    return (
        some_record(rng),
        F4(rng.choice([1.0, 0.9])),
        F4(rng.choice([1.0, 0.95, 0.0])),
        0,
        LEAVES,
        sums,
        np.zeros(SUMS * W),
    )


def find_advantages(record, discount, trace, low, high, sums, lanes):
    rewards, values = by_episode(record.rewards).astype(float), by_episode(record.values).astype(float)
    found = naive.advantages(rewards, values, float(discount), float(trace))
    record.advantages[:, :, :USED] = in_lanes(found)[:, :, :USED]
    effects = by_episode(record.effects)
    for leaf in range(low, high):
        e = slice(leaf * LEAF, (leaf + 1) * LEAF)
        one, weight = found[:, e], effects[:, e]
        sums[leaf] = weight.sum(), (weight * one).sum(), (weight * one * one).sum(), rewards[:, e].sum()


def with_all_of_the_trace(call, record, discount, trace, low, high, sums, lanes):
    """With a trace of 1 it is what followed, less what was expected; with one of 0 the error of a single step."""
    one = F4(1.0)
    call(record, one, one, low, high, sums, lanes)
    rewards, values = by_episode(record.rewards).astype(float), by_episode(record.values).astype(float)
    wanted = rewards[::-1].cumsum(axis=0)[::-1] + values[-1] - values[:-1]
    np.testing.assert_allclose(by_episode(record.advantages), wanted, atol=2e-6)
    call(record, one, F4(0.0), low, high, sums, lanes)
    np.testing.assert_allclose(by_episode(record.advantages), rewards + values[1:] - values[:-1], atol=2e-6)


def to_improve(rng):
    n, powers = 37, (0.9**3, 0.999**3)
    optimiser = adam(0.01, 0.5, powers) if rng.random() < 0.5 else rmsprop(0.01, 0.5)
    moments = np.abs(rng.normal(0, 0.1, (2, n))).astype(F4)
    return optimiser, rng.normal(0, 0.2, (3, n)).astype(F4), rng.normal(0, 1, n).astype(F4), moments, np.zeros(2)


def improve(optimiser, gradients, weights, moments, told):
    total = gradients[0] + gradients[1] + gradients[2]
    told[:] = np.sqrt((total.astype(float) ** 2).sum()), 0
    told[1] = min(1.0, 0.5 / (told[0] + 1e-6))
    gradients[0] = naive.clipped(total, 0.5)
    state = {"n": 2, "m": moments[0], "v": moments[1]}
    step = naive.rmsprop if optimiser.kind else naive.adam
    weights[:] = step(weights, gradients[0], state, 0.01)
    moments[0], moments[1] = state["m"], state["v"]


def downhill(call, optimiser, gradients, weights, moments, told):
    """Of nothing learned before, each weight goes against its gradient; without a gradient none moves."""
    before, moments[:] = weights.copy(), 0.0
    call(optimiser, gradients, weights, moments, told)
    moved = weights - before
    assert (np.sign(moved) == -np.sign(gradients[0])).all()
    weights[:], moments[:], gradients[:] = before, 0.0, 0.0
    call(optimiser, gradients, weights, moments, told)
    np.testing.assert_array_equal(weights, before)


def to_draw(rng):
    return np.uint64(rng.integers(1 << 63)), int(rng.integers(1 << 32)), int(rng.integers(20)), np.zeros(8, F4)


def draw_normals(seed, stream, network, drawn):
    key = int(seed) & 0xFFFFFFFF, int(seed) >> 32
    for j in range(drawn.size // 2):
        word, other, *_ = np.array(philox4x32((j, 0, network, stream), key), np.uint32)[:, None]
        sine, cosine = normals.sine_cosine(other)
        drawn[2 * j : 2 * j + 2] = np.concatenate([cosine, sine]) * normals.radius(word)


def of_each_network_its_own(call, seed, stream, network, drawn):
    call(seed, stream, network, drawn)
    other = np.zeros_like(drawn)
    call(seed, stream, network + 1, other)
    assert not (drawn == other).any()


def to_shuffle(rng):
    seed, update = np.uint64(rng.integers(1 << 63)), int(rng.integers(1 << 32))
    return seed, int(rng.integers(1 << 32)), int(rng.integers(20)), update, np.zeros(9, np.int64)


def shuffle_leaves(seed, stream, network, update, leaves):
    key, found = (int(seed) & 0xFFFFFFFF, int(seed) >> 32), []
    for j in range(leaves.size):
        other = philox4x32((j, update, network, stream), key)[0] * (j + 1) >> 32
        found.append(j)
        found[j], found[other] = found[other], j
    leaves[:] = found


def every_leaf_once(call, seed, stream, network, update, leaves):
    call(seed, stream, network, update, leaves)
    assert sorted(leaves) == list(range(leaves.size))


ROWS = (
    Plain("softmax.find_chances", find_chances, arrays(of_actions), one_in_all, rtol=1e-6, atol=1e-30),
    Plain("softmax.choose", choose, arrays(to_choose), the_first_and_the_last, rtol=0.0),
    Plain("policy_gradient.find_gradients", find_gradients, arrays(to_learn), of_each_leaf_alone, rtol=1e-4, atol=2e-6,
          tries=10, scratch=4,
          through="policy_gradient.observe_again policy_gradient.add_policy policy_gradient.pull_on_choice "
          "policy_gradient.find_taken policy_gradient.pull_on_outputs policy_gradient.add_value policy_gradient.pull_on_value "
          "gradients.backward gradients.add_gradients gradients.add_products gradients.add_lanes gradients.pull_back "
          "gradients.pull_tile gradients.through_activation gradients.sum_partials"),
    Plain("advantages.find_advantages", find_advantages, arrays(to_look_back), with_all_of_the_trace, rtol=1e-5, atol=1e-5,
          scratch=1, through="advantages.look_back advantages.add_steps"),
    Plain("optimisers.improve", improve, arrays(to_improve), downhill, rtol=2e-6, atol=1e-7,
          through="optimisers.merge optimisers.norm_of optimisers.scale optimisers.adam_step optimisers.rmsprop_step"),
    Plain("shuffles.draw_normals", draw_normals, arrays(to_draw), of_each_network_its_own, rtol=0.0),
    Plain("shuffles.shuffle_leaves", shuffle_leaves, arrays(to_shuffle), every_leaf_once, rtol=0.0),
)  # fmt: skip
