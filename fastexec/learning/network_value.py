"""What a network is expected to cost, exactly: its own actions in the programme of a Markov market, in place of the least cost.

The programme's state (see ``optimum``) is all that the network may observe: inventory, time, spread, the volume of the last
step (before the first one 0), regimes and signals that are chains.
"""

from __future__ import annotations

import numpy as np

from fastexec.exact import exp_of
from fastexec.kernels.network import evaluate_network
from fastexec.kernels.programme import follow_chances
from fastexec.learning.axes import Axis, Joint, axes_of, joined
from fastexec.learning.optimum import expected_of, problem_of
from fastexec.learning.sight import laws_of_market, spread_times
from fastexec.learning.unknown import why_unknown
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.networks import ACTIVATIONS, flat_weights
from fastexec.planning.plan import known_after
from fastexec.planning.policies import NetworkPolicy, slices_of

_HAIR = 1e-9  # of a lot, as the kernels round


def why_unvalued(study: StudyModel, policy: NetworkPolicy) -> str | None:
    """The first reason why a network's expected cost is not known exactly, None where it is."""
    if (reason := why_unknown(study)) is not None:
        return reason
    axes = axes_of(study)
    if (numerical := next((axis.name for axis in axes if axis.numerical), None)) is not None:
        return f"market.signals.{numerical} has more values than a programme: give it levels"
    known = {"inventory", "time", "spread", "volume", *(axis.name for axis in axes)}
    if (other := next((one.name for one in policy.observation if one.name not in known), None)) is not None:
        return f"the network sees {other}, which is not in the state of the programme"
    times = joined(axes).times.volume
    if known_after(study) and (times != times[0]).any() and any(one.name == "volume" for one in policy.observation):
        return "the network sees the volume of the last step, under a regime that is seen no more"
    return None


def expected_cost(study: StudyModel, policy: NetworkPolicy) -> float:
    """bps of the order's value, without the moves of a martingale; ``why_unvalued`` must be None."""
    axes = axes_of(study)
    joint, shares = joined(axes), expected(study.order.shares)
    lots = round(shares / study.order.lot)
    slices = slices_of(study, policy.actions, lots + 1, shares)
    problem, paid_in_all = problem_of(study, axes, joint, slices)
    steps, states = problem.sure.shape
    chances = np.zeros((steps, lots + 1, states, slices.shape[1]))
    for t in range(steps):
        outputs = _outputs(policy, _observed(study, policy, axes, joint, t, lots))
        chances[t] = _chances(policy, outputs.reshape(lots + 1, states, -1), lots)
    v = np.empty((steps + 1, lots + 1, states))
    follow_chances(problem, chances, v)
    return expected_of(study, joint, v[0, lots]) + paid_in_all


def _observed(
    study: StudyModel, policy: NetworkPolicy, axes: list[Axis], joint: Joint, t: int, lots: int
) -> np.ndarray:
    """What the network sees in each inventory and state of step t, scaled, float32[i * x, feature]."""
    (spread, volume), count = laws_of_market(study), joint.first.size
    inner = spread.levels.size * volume.levels.size
    volumes = np.zeros((count, volume.levels.size))
    if t > 0 or not known_after(study):
        volumes = joint.times.volume[:, None] * volume.levels[None, :]
    of_states = {
        "spread": np.kron(spread_times(study, joint), np.tile(spread.levels, volume.levels.size)),
        "volume": np.repeat(volumes.ravel(), spread.levels.size),
        "time": np.full(count * inner, t / study.order.steps),
    }
    below = 1
    for axis in axes:
        levels = np.tile(np.repeat(axis.law.levels, below), count // (below * axis.law.levels.size))
        of_states[axis.name] = np.repeat(levels, inner)
        below *= axis.law.levels.size
    left = np.arange(lots + 1) / lots
    found = np.empty((lots + 1, count * inner, len(policy.observation)), np.float32)
    for j, one in enumerate(policy.observation):
        values = left[:, None] if one.name == "inventory" else of_states[one.name][None, :]
        found[:, :, j] = (values - one.mean) / one.sd
    return found.reshape(-1, len(policy.observation))


def _outputs(policy: NetworkPolicy, x: np.ndarray) -> np.ndarray:
    """Of observations, float32[n, output]."""
    layers = np.array([layer.weights.shape[::-1] for layer in policy.layers])
    y = np.empty((len(x), layers[-1, 1]), np.float32)
    evaluate_network(flat_weights(policy.layers), layers, ACTIVATIONS[policy.activation], np.ascontiguousarray(x), y)
    return y


def _chances(policy: NetworkPolicy, outputs: np.ndarray, lots: int) -> np.ndarray:
    """Of each action, float64[i, x, a]."""
    if policy.mode == "sampled":
        weights = exp_of(outputs.astype(np.float64) - outputs.max(axis=2, keepdims=True))
        return np.asarray(weights / np.add.accumulate(weights, axis=2)[:, :, -1:])
    if policy.actions is not None:
        return np.asarray(1.0 * (np.arange(outputs.shape[2]) == outputs.argmax(axis=2)[:, :, None]))
    y = outputs[:, :, 0].astype(np.float64)
    share = np.clip(y if policy.mode == "clip" else 1.0 / (1.0 + exp_of(-2.0 * y)), 0.0, 1.0)  # (1 + tanh) / 2
    taken = np.floor(share * np.arange(lots + 1)[:, None] + _HAIR)
    return np.asarray(1.0 * (np.arange(lots + 1) == taken[:, :, None]))
