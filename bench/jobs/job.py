"""What a job is: a function to time, the work that one call does, and what its time is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Rounds of a job; all jobs of a round are run in turn before the next round begins.
OFTEN, SELDOM, ONCE = "often", "seldom", "once"
#: What is measured: seconds on the clock, seconds of processors, or what the call returns (seconds, or MB).
WALL, PROCESSOR, RETURNED = "wall", "processor", "returned"
#: Groups with a meaning: floors, which show as ratios only; what others take; what the growth table is made of.
FLOORS, BASELINES, GROWTH = "floors", "baselines", "growth"


class MissingError(Exception):
    """A baseline cannot run here; the message says why."""


@dataclass(frozen=True)
class Job:
    """``make(threads)`` prepares and returns the function to time; one call does ``work`` of ``unit``.

    ``floor``: jobs whose times an ideal program could not undercut, added up; ``baselines``: jobs that do the same;
    both for a unit of work, from the same round. ``growth``: (series, x) of the growth table.
    """

    name: str
    group: str
    make: Callable[[int], Callable[[], Any]]
    work: float = 1.0
    unit: str = "s"
    all_threads: bool = False
    floor: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    measured: str = WALL
    rounds: str = OFTEN
    warm_up: bool = True
    growth: tuple[str, float] | None = None


@dataclass(frozen=True)
class Size:
    """How much is measured: ``quick`` ends within two minutes."""

    quick: bool

    @property
    def rounds(self) -> dict[str, int]:
        return {OFTEN: 5, SELDOM: 3, ONCE: 1} if self.quick else {OFTEN: 15, SELDOM: 5, ONCE: 1}

    def of(self, quick: int, full: int) -> int:
        return quick if self.quick else full
