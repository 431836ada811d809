"""What the mini-project's own learner saw and did, number for number."""

from __future__ import annotations

import math
from collections.abc import Sequence


def clipped(x: float, bins: int) -> int:
    """Cut to an integer towards zero, between 0 and bins - 1."""
    return max(0, min(math.trunc(x), bins - 1))


def bins(mid: Sequence[float], spread: Sequence[float], volume: Sequence[float], t: int) -> tuple[int, int, int, int]:
    """Time left, momentum of five steps, volume, spread: the numbers of their bins of 11, 21, 6 and 11."""
    momentum = mid[t] / mid[max(t - 5, 0)] - 1.0
    return (
        clipped((len(mid) - t) / len(mid) * 10.0, 11),
        clipped((momentum * 100.0 + 5.0) * 2.0, 21),
        clipped(volume[t] / 1000.0, 6),
        clipped(spread[t] * 1000.0, 11),
    )


def code(found: tuple[int, int, int, int]) -> int:
    """Mixed radix, the time first."""
    time, momentum, volume, spread = found
    return ((time * 21 + momentum) * 6 + volume) * 11 + spread


def best(values: Sequence[float]) -> int:
    """The first of the largest."""
    return list(values).index(max(values))


def learn(paths, words, levels, numbers, tables, outcomes) -> None:
    """Episode after episode, Q-learning of rewards; ``tables``: rows of q, of mean squared targets and of visits by state."""
    q, second, visits = tables
    order, lot, coefficient, alpha, discount, epsilon = numbers
    for e, (mid, spread, volume) in enumerate(zip(*paths, strict=True)):
        left, total = order, 0.0
        for t in range(len(mid)):
            state = code(bins(mid, spread, volume, t))
            tried = int(words[e][t][1]) * len(levels) // 2**32
            a = tried if words[e][t][0] < epsilon * 2**32 else best(q[state])
            shares = levels[a] * left
            if lot:
                shares = lot * math.floor(shares / lot + 1e-9)
            reward = -mid[t] * (spread[t] / 2.0 + coefficient * shares / volume[t])
            last = t == len(mid) - 1
            if last and left > 0.0:
                reward -= 100.0
            follows = 0.0 if last else discount * max(q[code(bins(mid, spread, volume, t + 1))])
            visits[state][a] += 1
            q[state][a] = (1.0 - alpha) * q[state][a] + alpha * (reward + follows)
            second[state][a] = (1.0 - alpha) * second[state][a] + alpha * (reward + follows) ** 2
            total += reward
            left -= shares
            if left <= 0.0:
                break
        outcomes[e][:] = total, 1.0 - left / order
