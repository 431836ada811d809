"""The mini-project's own learner, quirk for quirk: what it saw, what it was rewarded for, when it stopped."""

import numpy as np

from fastexec.kernels._jit import entry, stage
from fastexec.kernels.door import F8, I8, U4, held, sizes, within

#: Bins of spread, volume, momentum and time left.
SPREADS, VOLUMES, MOMENTA, TIMES = 11, 6, 21, 11
_LOOK_BACK = 5
_UNFINISHED = 100.0
_STATES = SPREADS * VOLUMES * MOMENTA * TIMES


@stage
def clipped(x, bins):
    """Cut to an integer towards zero, between 0 and bins - 1."""
    return min(max(np.int64(x), 0), bins - 1)


@stage
def program_state(mid, spread, volume, t):
    """The code of what the program saw in step t of one path: spread, this step's volume, momentum, time left."""
    then = max(t - _LOOK_BACK, 0)
    momentum = mid[t] / mid[then] - 1.0
    steps = mid.shape[0]
    code = clipped(10.0 * ((steps - t) / steps), TIMES)
    code = code * MOMENTA + clipped((100.0 * momentum + 5.0) * 2.0, MOMENTA)
    code = code * VOLUMES + clipped(volume[t] / 1000.0, VOLUMES)
    return code * SPREADS + clipped(spread[t] * 1000.0, SPREADS)


@stage
def best_of(q, s):
    """The action of largest Q, the first of several."""
    best = 0
    for a in range(1, q.shape[1]):
        if q[s, a] > q[s, best]:
            best = a
    return best


def _door(paths, words, levels, numbers, tables, outcomes):
    q, second, visits = tables
    mid, spread, volume = paths
    episodes, steps = sizes("mid", mid, 2)
    (actions,) = sizes("levels", levels, 1)
    within("levels: number", actions, 1)
    held("mid", mid, F8, episodes, steps)
    held("spread", spread, F8, episodes, steps)
    held("volume", volume, F8, episodes, steps)
    held("words", words, U4, episodes, steps, 2)
    held("levels", levels, F8, actions)
    held("numbers", numbers, F8, 6)
    held("q", q, F8, _STATES, actions)
    held("second", second, F8, _STATES, actions)
    held("visits", visits, I8, _STATES, actions)
    held("outcomes", outcomes, F8, episodes, 2)


@entry(
    "void(UniTuple(float64[:, ::1], 3), uint32[:, :, ::1], float64[::1], float64[::1], "
    "Tuple((float64[:, ::1], float64[:, ::1], int64[:, ::1])), float64[:, ::1])",
    _door,
)
def learn_program(paths, words, levels, numbers, tables, outcomes):
    """Learn from ``paths`` (mid, spread, volume; each float64[e, t]) one after the other; ``words`` uint32[e, t, 2];
    ``levels``: shares of the rest.

    numbers: (order, lot, cost coefficient, learning rate, discount, epsilon). ``tables``: q float64[s, a], reward to go, the
    mean of squared targets, weighted alike, and visits int64[s, a]. ``outcomes`` float64[e, 2]: what an episode was rewarded
    in all, and its completion.
    """
    mid, spread, volume = paths
    q, second, visits = tables
    order, lot, coefficient = numbers[0], numbers[1], numbers[2]
    alpha, discount, epsilon = numbers[3], numbers[4], numbers[5] * 4294967296.0
    steps, actions = mid.shape[1], levels.shape[0]
    for e in range(mid.shape[0]):
        left, rewarded = order, 0.0
        for t in range(steps):
            s = program_state(mid[e], spread[e], volume[e], t)
            a = best_of(q, s)
            if np.float64(words[e, t, 0]) < epsilon:
                a = np.int64((np.uint64(words[e, t, 1]) * np.uint64(actions)) >> np.uint64(32))
            wanted = levels[a] * left
            shares = lot * np.floor(wanted / lot + 1e-9) if lot > 0.0 else wanted
            reward = -(mid[e, t] * (0.5 * spread[e, t] + coefficient * (shares / volume[e, t])))
            if t == steps - 1 and left > 0.0:
                reward -= _UNFINISHED
            target = reward
            if t < steps - 1:
                s2 = program_state(mid[e], spread[e], volume[e], t + 1)
                target = reward + discount * q[s2, best_of(q, s2)]
            visits[s, a] += 1
            q[s, a] += alpha * (target - q[s, a])
            second[s, a] += alpha * (target * target - second[s, a])
            rewarded += reward
            left -= shares
            if left <= 0.0:
                break
        outcomes[e, 0], outcomes[e, 1] = rewarded, 1.0 - left / order
