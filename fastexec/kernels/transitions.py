"""What a policy gradient learns from: the transitions of a batch of episodes, in lanes, leaf by leaf.

Row r of the arrays is a block of lanes, ``PIECES`` of them a leaf; of a block wider than a leaf only the first ``USED`` lanes
are episodes, and the others have no effect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastexec.kernels._jit import LANES
from fastexec.kernels.door import F4, held, sizes
from fastexec.kernels.gradients import LEAF, PIECES, USED


class Transitions(NamedTuple):
    """float32[r, t, lane]: ``actions`` (their numbers), ``chances`` (how probable each was when it was chosen), ``rewards`` in
    bps, ``effects`` (1, or 0 where every action would have done the same), ``advantages``; ``values`` [r, t + 1, lane]: what
    was expected to follow, behind the last step 0. ``inputs`` [r, t, unit * LANES + lane]: the observations.
    """

    inputs: np.ndarray
    actions: np.ndarray
    chances: np.ndarray
    rewards: np.ndarray
    effects: np.ndarray
    values: np.ndarray
    advantages: np.ndarray


def transitions_for(episodes: int, steps: int, inputs: int) -> Transitions:
    """Arrays for so many episodes, whole leaves, with ``inputs`` units, a multiple of 4."""
    rows = episodes // LEAF * PIECES
    each = (rows, steps, LANES)
    return Transitions(
        np.zeros((rows, steps, inputs * LANES), np.float32),
        np.zeros(each, np.float32),
        np.ones(each, np.float32),
        np.zeros(each, np.float32),
        np.zeros(each, np.float32),
        np.zeros((rows, steps + 1, LANES), np.float32),
        np.zeros(each, np.float32),
    )


def check_transitions(name: str, record: Transitions) -> tuple[int, int, int]:
    """ValueError unless the arrays fit each other; rows, steps and units of the inputs."""
    rows, steps, width = sizes(f"{name}.inputs", record.inputs, 3)
    held(f"{name}.inputs", record.inputs, F4, rows, steps, width // (4 * LANES) * (4 * LANES))
    if rows % PIECES:
        raise ValueError(f"{name}.inputs has {rows} rows; a leaf has {PIECES}")
    for field in ("actions", "chances", "rewards", "effects", "advantages"):
        held(f"{name}.{field}", getattr(record, field), F4, rows, steps, LANES)
    held(f"{name}.values", record.values, F4, rows, steps + 1, LANES)
    return rows, steps, width // LANES


def in_lanes(values: np.ndarray) -> np.ndarray:
    """float32[r, t, lane] of values[t, e], whole leaves of episodes."""
    steps, episodes = values.shape
    rows = np.zeros((episodes // LEAF * PIECES, steps, LANES), np.float32)
    rows[:, :, :USED] = values.reshape(steps, -1, USED).transpose(1, 0, 2)
    return rows


def by_episode(rows: np.ndarray) -> np.ndarray:
    """The way back: [t, e]."""
    return np.ascontiguousarray(rows[:, :, :USED].transpose(1, 0, 2).reshape(rows.shape[1], -1))
