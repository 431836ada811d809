"""Which lanes the environments play in: blocks of one age each, opened, stepped and left.

An environment plays an episode, and an episode has its lane: that of its number in the block of its number, as in every walk
(``kernels.clock``). Environments that are reset together play episodes one behind the other, so they lie side by side. A block
that is still at its first step takes in who is reset next and belongs there; one that all have left is free for another.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from fastexec.gym.task import Task
from fastexec.kernels import fields, walk, world as w
from fastexec.kernels._bind import standing
from fastexec.kernels._jit import LANES
from fastexec.kernels.buffers import aligned, lanes_for
from fastexec.kernels.clock import Episodes
from fastexec.kernels.environment import Played
from fastexec.kernels.layers import whole_tiles
from fastexec.kernels.stepwise import (
    AT,
    JOB_FIELDS,
    SLOT,
    check_world,
    open_blocks,
    stages_of,
    start_blocks,
    step_blocks,
)

_NOBODY = -1


class _Place(NamedTuple):
    """A block's memory: ``members`` int64[lane], ``shown`` float32[f, lane], what all its stages work on."""

    members: np.ndarray
    shown: np.ndarray
    world: w.World


class Blocks:
    """Environments that play a task. ``rewards`` float64[n], ``observations`` float32[n, f], ``completed`` bool[n], ``closed``
    float64[column, n] are those of the last call, and are written anew by the next; ``actions`` float64[n] are to be filled
    before a step; ``episode`` int64[n]: the number of the episode that each plays.
    """

    def __init__(self, task: Task, environments: int, threads: int) -> None:
        self.task, self.steps = task, task.study.order.steps
        self.actions, self.rewards = np.zeros(environments), np.zeros(environments)
        self.observations = np.zeros((environments, len(task.observed)), np.float32)
        self._completed = np.zeros(environments, np.uint8)
        self.completed = self._completed.view(np.bool_)
        self.closed = np.zeros((fields.episode_rows(task.plan.switches), environments))
        self.episode = np.zeros(environments, np.int64)
        self._slot, self._lane = np.full(environments, _NOBODY), np.zeros(environments, np.int64)
        self._places: list[_Place] = []
        self._free: list[int] = []
        self._fresh: dict[int, list[int]] = {}
        self._jobs = np.zeros((0, JOB_FIELDS), np.int64)
        self._tables, self._stack = np.zeros((0, 0), np.int64), ExitStack()
        self._parameters: np.ndarray | None = None
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="fastexec") if threads > 1 else None
        self._restart(task.study.seed)
        stages = stages_of(self._new_place().world, task.decide, task.unexpected, bool(task.risk.any()))
        self._addresses = walk.addresses_of(task.plan, stages, 1)
        self._make_places(environments // LANES + 2)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()
        self._stack.close()

    def restart(self, seed: int) -> None:
        """From the first episode of another root seed on; every environment must be reset then."""
        self._leave_all()
        self._restart(seed)
        self._stand()

    def reset(self, who: np.ndarray) -> None:
        """Environments ``who``, in rising order, leave their episodes and begin the next ones, whose first step is shown."""
        self._leave(who)
        numbers = self._next + np.arange(who.size)
        self._next += who.size
        if self.task.windows:
            numbers %= self.task.windows
        self.episode[who], self._completed[who] = numbers, 0
        blocks, self._lane[who] = numbers // LANES, numbers % LANES
        ends = np.flatnonzero((np.diff(blocks) != 0) | (np.diff(numbers) < 0)) + 1
        opened, joined = [], []
        for first, end in zip([0, *ends.tolist()], [*ends.tolist(), who.size], strict=True):
            members, block = who[first:end], int(blocks[first])
            slot = self._fresh_for(block, self._lane[members])
            if slot is None:
                if not self._free:
                    self._make_places(len(self._places))
                slot = self._free.pop()
                self._fresh.setdefault(block, []).append(slot)
                opened.append((slot, block, 0))
            else:
                joined.append((slot, members))
            self._places[slot].members[self._lane[members]] = members
            self._slot[members] = slot
        if opened:
            jobs = np.array(opened, np.int64)
            self._run(open_blocks, jobs)
            self._jobs = np.concatenate((self._jobs, jobs))
        for slot, members in joined:
            self.observations[members] = self._places[slot].shown[:, self._lane[members]].T

    def step(self) -> np.ndarray:
        """Play a step of all that play; the environments that have come to their end, in rising order."""
        self._fresh.clear()
        if len(self._jobs):
            self._run(step_blocks, self._jobs)
        over = self._jobs[:, AT] == self.steps
        if not over.any():
            return _NONE
        slots = self._jobs[over, SLOT]
        ended = np.flatnonzero(np.isin(self._slot, slots) if len(slots) < len(over) else self._slot != _NOBODY)
        self._slot[ended] = _NOBODY
        for slot in slots.tolist():
            self._places[slot].members.fill(_NOBODY)
            self._free.append(slot)
        self._jobs = self._jobs[~over]
        return ended

    def _restart(self, seed: int) -> None:
        self._seed, self._next = np.uint64(seed), 0
        self._jobs = self._jobs[:0]
        self._fresh.clear()
        self._free = list(range(len(self._places) - 1, -1, -1))

    def _leave_all(self) -> None:
        for place in self._places:
            place.members.fill(_NOBODY)
        self._slot.fill(_NOBODY)

    def _leave(self, who: np.ndarray) -> None:
        """Blocks that all have left are free."""
        if who.size == self._slot.size:
            self._leave_all()
            self._free += self._jobs[::-1, SLOT].tolist()
            self._jobs = self._jobs[:0]
            self._fresh.clear()
            return
        slots, left = self._slot[who], []
        for slot in np.unique(slots[slots != _NOBODY]).tolist():
            members = self._places[slot].members
            members[self._lane[who[slots == slot]]] = _NOBODY
            if (members == _NOBODY).all():
                left.append(slot)
        self._slot[who] = _NOBODY
        if left:
            self._free += left
            self._jobs = self._jobs[~np.isin(self._jobs[:, SLOT], left)]
            self._fresh = {block: [s for s in slots if s not in left] for block, slots in self._fresh.items()}

    def _fresh_for(self, block: int, lanes: np.ndarray) -> int | None:
        """A block of this number at its first step in which these lanes are nobody's."""
        for slot in self._fresh.get(block, ()):
            if (self._places[slot].members[lanes] == _NOBODY).all():
                return slot
        return None

    def _run(self, entry: Any, jobs: np.ndarray) -> None:
        """An entry over blocks, on all threads; this one takes the first part."""
        if self._pool is None:
            entry(self._tables, self._addresses, jobs)
            return
        parts = min(self._threads, len(jobs))
        edges = [len(jobs) * part // parts for part in range(parts + 1)]
        pieces = [jobs[low:high] for low, high in zip(edges, edges[1:], strict=False)]
        others = [self._submit(entry, piece) for piece in pieces[1:]]
        entry(self._tables, self._addresses, pieces[0])
        for other in others:
            other.result()

    def _submit(self, entry: Any, jobs: np.ndarray) -> Any:
        assert self._pool is not None
        return self._pool.submit(entry, self._tables, self._addresses, jobs)

    def _make_places(self, count: int) -> None:
        """Memory for so many blocks more."""
        first = len(self._places)
        self._places += [self._new_place() for _ in range(count)]
        made = range(first, len(self._places))
        self._free += reversed(made)
        self._stand()
        start_blocks(self._tables, self._addresses, np.array([(slot, 0, 0) for slot in made], np.int64))

    def _new_place(self) -> _Place:
        task, features = self.task, len(self.task.observed)
        lanes = lanes_for(1, fields.CLOSED_FIELDS)
        if not task.plan.drawn.size:  # parameters are the same in every episode
            self._parameters = lanes.parameters if self._parameters is None else self._parameters
            lanes = lanes._replace(parameters=self._parameters)
        members, scaled = np.full(LANES, _NOBODY), aligned(whole_tiles(features), np.float32)
        own = Played(
            members, task.features, task.scales, scaled, self.actions, task.risk, self.rewards, self.observations,
            self._completed, self.closed,
        )  # fmt: skip
        world = w.World(
            Episodes(self._seed, 0, 0, 0), task.plan, task.strategies, task.paths, lanes, np.zeros(0, np.int64), own
        )
        check_world(world, self._slot.size)
        return _Place(members, scaled.reshape(-1, LANES)[:features], world)

    def _stand(self) -> None:
        """The tables of all blocks, at their own places in memory."""
        self._stack.close()
        self._places = [
            place._replace(world=place.world._replace(episodes=Episodes(self._seed, 0, 0, 0))) for place in self._places
        ]
        self._tables = np.zeros((len(self._places), w.size_of(self._places[0].world)), np.int64)
        for place, table in zip(self._places, self._tables, strict=True):
            self._stack.enter_context(standing(place.world, table))


_NONE = np.zeros(0, np.int64)
