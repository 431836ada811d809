"""A network as the kernels take it: what it observes and by what scales, its layers, and how its outputs become a decision."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields, layers, network
from fastexec.models.names import owner
from fastexec.models.study import StudyModel
from fastexec.planning.policies import ACTION_SETS, Layer, NetworkPolicy, feature_number, require_seen
from fastexec.wording import counted

#: How outputs become a decision: of actions one, of a single output a share of what is left.
OF_ACTIONS = {"greedy": network.GREEDY, "sampled": network.SAMPLED}
OF_SHARES = {"clip": network.CLIPPED, "tanh": network.SQUASHED}
MODES = OF_ACTIONS | OF_SHARES
ACTIVATIONS = {"tanh": layers.TANH, "relu": layers.RELU}


class Packed(NamedTuple):
    """Networks as the last arrays of ``fields.Strategies``."""

    networks: np.ndarray
    layers: np.ndarray
    observed: np.ndarray
    scales: np.ndarray
    weights: np.ndarray


def packed(policies: list[NetworkPolicy], signals: tuple[str, ...] = ()) -> Packed:
    """Networks slot after slot; ``signals``: the names of the market's."""
    count = len(policies)
    found = Packed(
        np.zeros((count, fields.NETWORK_FIELDS), np.int64),
        np.zeros((count, fields.MOST_LAYERS, 2), np.int64),
        np.zeros((count, fields.MOST_OBSERVED, 4), np.int64),
        np.zeros((count, fields.MOST_OBSERVED, 2)),
        np.zeros(0, np.float32),
    )
    flat, at = [found.weights], 0
    for slot, policy in enumerate(policies):
        found.networks[slot] = (
            at, len(policy.observation), len(policy.layers), ACTIVATIONS[policy.activation], MODES[policy.mode],
        )  # fmt: skip
        for j, layer in enumerate(policy.layers):
            found.layers[slot, j] = layer.weights.shape[::-1]
        for j, one in enumerate(policy.observation):
            found.observed[slot, j] = feature_number(one.name, signals), 1, 0, one.steps
            found.scales[slot, j] = one.mean, one.sd
        flat.append(flat_weights(policy.layers))
        at += flat[-1].size
    return found._replace(weights=np.concatenate(flat))


def flat_weights(layers: tuple[Layer, ...]) -> np.ndarray:
    """As the kernels take them: of each layer W, rows of outputs, then the bias; zeros fill up multiples of 4."""
    parts = [np.zeros(0, np.float32)]
    for weights, bias in layers:
        outputs, inputs = weights.shape
        wide = np.zeros((outputs + -outputs % 4, inputs + -inputs % 4), np.float32)
        wide[:outputs, :inputs] = weights
        tall = np.zeros(len(wide), np.float32)
        tall[:outputs] = bias
        parts += [wide.ravel(), tall]
    return np.concatenate(parts)


def plan_network(
    policy: NetworkPolicy, k: int, study: StudyModel, strategies: fields.Strategies, given_paths: bool = False
) -> None:
    """Enter a network's actions, and the part of the stream that it draws from, as those of strategy k.

    Raises InputError where it was made for another clock, or its outputs are not the actions that it has for this order.
    """
    order, kind, name = study.order, strategies.kinds[k], study.strategies[k].name
    if policy.steps is not None and policy.steps != order.steps:
        raise InputError(
            f"strategies.{name}: the network was made for {policy.steps} steps, order.steps is {order.steps}; make one for "
            "this order"
        )
    require_seen(study, name, [one.name for one in policy.observation], given_paths)
    if policy.mode == "sampled":
        kind[fields.OWNER] = owner(name)
    if policy.actions is None:
        return
    levels, outputs = policy.actions.levels_for(order), policy.layers[-1].bias.size
    if len(levels) != outputs:
        more = "" if len(levels) == len(policy.actions.levels) else ', "all that is left" among them'
        raise InputError(
            f"strategies.{name}: the network has {counted(outputs, 'output')} for {counted(len(levels), 'action')} of this "
            f"order{more}; give it one output an action"
        )
    kind[fields.ACTION_SET] = ACTION_SETS[policy.actions.set]
    kind[fields.LEVELS] = len(levels)
    strategies.levels[k, : len(levels)] = levels
