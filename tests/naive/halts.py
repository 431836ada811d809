"""Trading halts: the slow and obvious twin of which steps are halted, and of what is seen of a mid."""

from __future__ import annotations

from collections.abc import Sequence

from naive.philox import philox4x32

PURPOSE = 8  # of the words that halts are drawn from


def uniform(seed: int, episode: int, step: int) -> float:
    """What decides on ``step``."""
    counter = (episode & 0xFFFFFFFF, episode >> 32, step, PURPOSE << 24)
    return (philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))[0] + 0.5) / 2**32


def goes_on(halted: bool, u: float, rate: float, length: float) -> bool:
    """Whether the next step is halted."""
    return u < (1.0 - 1.0 / length if halted else rate)


def path(seed: int, episode: int, steps: int, rate: float, length: float) -> list[bool]:
    """Whether each step, and the end, is halted."""
    found, halted = [], False
    for t in range(steps + 1):
        halted = goes_on(halted, uniform(seed, episode, t), rate, length)
        found.append(halted)
    return found


def seen(mids: Sequence[float], halted: Sequence[bool]) -> list[float]:
    """Of mids without halts (one more than steps) what is seen: inside a halt the one that it began with."""
    found = [mids[0]]
    for t in range(1, len(mids)):
        found.append(found[-1] if halted[t] and halted[t - 1] else mids[t])
    return found
