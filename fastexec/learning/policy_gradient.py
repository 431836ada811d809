"""A policy and its value learn from batches of episodes: PPO (Schulman et al. 2017) and A2C (Mnih et al. 2016, synchronous).

A2C is one pass over one minibatch, without a ratio of chances and without a clip: there the ratio is 1 (Huang et al. 2022).
All sums go over leaves of 128 episodes in their order, so any number of threads leaves the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fastexec.kernels._jit import LANES
from fastexec.kernels.advantages import NUMBER, REWARD, SQUARES, SUM, SUMS, find_advantages
from fastexec.kernels.gradients import LEAF
from fastexec.kernels.layers import RELU, TANH
from fastexec.kernels.optimisers import ADAM_KEEPS, NORM, Optimiser, adam, improve, rmsprop
from fastexec.kernels.philox import OF_LEAVES, TRAINING, stream
from fastexec.kernels.policy_gradient import LOSSES, Networks, Objective, find_gradients, work_for
from fastexec.kernels.shuffles import shuffle_leaves
from fastexec.kernels.transitions import Transitions
from fastexec.learning.first_weights import POLICY, VALUE, first_weights, layers_of

_HAIR = 1e-8  # beside a standard deviation of 0


@dataclass(frozen=True)
class Settings:
    """``hidden`` units of each layer; ``minibatch`` episodes, whole leaves; ``passes`` over a batch; ``clip`` of the ratio, or
    None for the plain policy gradient; ``entropy`` and ``learning_rate`` at first, falling linearly to 0; ``trace`` of the
    advantages; ``gradient_norm`` at most; ``value``: weight of its half squared error.
    """

    hidden: tuple[int, ...] = (64, 64)
    activation: str = "tanh"
    minibatch: int = 256
    passes: int = 4
    clip: float | None = 0.2
    entropy: float = 0.03
    learning_rate: float = 3e-3
    discount: float = 1.0
    trace: float = 0.95
    gradient_norm: float = 0.5
    value: float = 1.0
    optimiser: str = "adam"


@dataclass(frozen=True)
class Update:
    """What an update met: mean reward of an episode, of its minibatches the mean losses, gradient norm, and share clipped."""

    reward: float
    policy_loss: float
    value_loss: float
    norm: float
    clipped: float


class Learner:
    """The networks of one seed and the state of their optimiser. ``weights`` float32: the policy's, behind them the value's."""

    def __init__(
        self,
        settings: Settings,
        inputs: int,
        bias: np.ndarray,
        seed: int,
        owner: int,
        number: int = 0,
        threads: int = 1,
    ) -> None:
        self.settings, self._seed, self._owner, self._number = settings, seed, owner, number
        self.policy = layers_of(inputs, settings.hidden, bias.size)
        self.value = layers_of(inputs, settings.hidden, 1)
        nothing = np.zeros(1)
        policy = first_weights(self.policy, POLICY, bias, seed, owner, 2 * number)
        value = first_weights(self.value, VALUE, nothing, seed, owner, 2 * number + 1)
        self.weights = np.concatenate([policy, value])
        self.middle = policy.size
        self._moments, self._powers = np.zeros((2, self.weights.size), np.float32), (1.0, 1.0)
        self._passes = 0
        self._work = [work_for(self.networks) for _ in range(threads)]

    @property
    def networks(self) -> Networks:
        """As the kernels take them."""
        activation = RELU if self.settings.activation == "relu" else TANH
        return Networks(self.weights, self.policy, self.value, activation)

    def update(self, record: Transitions, left: float, pool: ThreadPoolExecutor) -> Update:
        """Learn from a batch; ``left``: the share of learning rate and entropy that is left of the first."""
        sums = self._advantages(record, pool)
        number, total, squares, reward = (
            float(np.add.accumulate(sums[:, j])[-1]) for j in (NUMBER, SUM, SQUARES, REWARD)
        )
        mean = total / max(number, 1.0)
        deviation = np.sqrt(max(squares / max(number, 1.0) - mean * mean, 0.0))
        settings, steps, leaves = self.settings, record.rewards.shape[1], sums.shape[0]
        together = max(settings.minibatch // LEAF, 1)
        objective = Objective(
            int(settings.clip is None), np.float32(settings.clip or 0.0), np.float32(settings.entropy * left),
            np.float32(settings.value), np.float32(mean), np.float32(1.0 / (deviation + _HAIR)), np.float32(1.0),
        )  # fmt: skip
        told = []
        for _ in range(settings.passes):
            order = self._order(leaves)
            for at in range(0, leaves, together):
                chosen = order[at : at + together]
                share = np.float32(1.0 / (chosen.size * LEAF * steps))
                told.append(self._learn(record, objective._replace(share=share), chosen, left, pool))
        mean_of = np.add.accumulate(np.array(told), axis=0)[-1] / len(told)
        return Update(reward / (leaves * LEAF), *(float(x) for x in mean_of))

    def _advantages(self, record: Transitions, pool: ThreadPoolExecutor) -> np.ndarray:
        leaves = record.rewards.shape[0] * min(LANES, LEAF) // LEAF
        sums, numbers = np.empty((leaves, SUMS)), (np.float32(self.settings.discount), np.float32(self.settings.trace))

        def part(low: int, high: int) -> None:
            find_advantages(record, *numbers, low, high, sums, np.empty(SUMS * LANES))

        self._share_out(leaves, lambda _, low, high: part(low, high), pool)
        return sums

    def _order(self, leaves: int) -> np.ndarray:
        """Which leaves learn together in the next pass."""
        order = np.empty(leaves, np.int64)
        purpose = stream(TRAINING, OF_LEAVES, self._owner)
        shuffle_leaves(np.uint64(self._seed), purpose, self._number, self._passes, order)
        self._passes += 1
        return order

    def _learn(
        self, record: Transitions, objective: Objective, leaves: np.ndarray, left: float, pool: ThreadPoolExecutor
    ) -> tuple[float, ...]:
        """From one minibatch; its losses and share clipped, a transition's, and the norm of the gradient."""
        gradients = np.empty((leaves.size, self.weights.size), np.float32)
        losses, told, networks = np.empty((leaves.size, LOSSES)), np.empty(2), self.networks

        def part(thread: int, low: int, high: int) -> None:
            find_gradients(networks, record, objective, leaves, (low, high), gradients, losses, self._work[thread])

        self._share_out(leaves.size, part, pool)
        improve(self._optimiser(left), gradients, self.weights, self._moments, told)
        surrogate, error, cut = (np.add.accumulate(losses, axis=0)[-1] * float(objective.share)).tolist()
        return surrogate, error, told[NORM], cut

    def _optimiser(self, left: float) -> Optimiser:
        settings = self.settings
        rate = settings.learning_rate * left
        if settings.optimiser == "rmsprop":
            return rmsprop(rate, settings.gradient_norm)
        self._powers = self._powers[0] * ADAM_KEEPS[0], self._powers[1] * ADAM_KEEPS[1]
        return adam(rate, settings.gradient_norm, self._powers)

    def _share_out(self, count: int, part: Callable[[int, int, int], None], pool: ThreadPoolExecutor) -> None:
        """Call ``part(thread, low, high)`` for contiguous parts of ``count`` leaves, the first one here."""
        threads = min(len(self._work), count)
        cuts = [count * k // threads for k in range(threads + 1)]
        jobs = [pool.submit(part, k, cuts[k], cuts[k + 1]) for k in range(1, threads)]
        part(0, cuts[0], cuts[1])
        for job in jobs:
            job.result()
