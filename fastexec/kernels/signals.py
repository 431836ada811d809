"""Signals: each an AR(1) or a Markov chain of unit variance, known when a step begins, that predicts something of the step.

A signal x correlates with the step's normal of the move, the next spread or the volume (z = rho x + what is left of it), or
scales the step's volatility. What is drawn for a signal is keyed by its name, so no signal moves another's values.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.chain import step_chain
from fastexec.kernels.elementary import exp
from fastexec.kernels.normal import MEAN_ABSOLUTE, STRONGEST
from fastexec.kernels.philox import OF_SIGNALS, draw_ahead, waiting_for

_HALVINGS = 60


@bound
@stage
def derive_signals(switches, p):
    """What is left of the step's normals once they are predicted, as factors; and how strongly signals scale volatility."""
    for i in range(LANES):
        move, spread, volume = 0.0, 0.0, 0.0
        of_spread, of_volume = 0.0, 0.0
        keeps, moves_on = 1.0 - p[f.SPREAD_REVERSION + i], p[f.VOLUME_PERSISTENCE + i]
        for j in range(switches[f.SIGNALS]):
            target, at = switches[f.SIGNAL_PREDICTS_0 + j], j * LANES + i
            rho, phi = p[f.SIGNAL_CORRELATION_0 + at], p[f.SIGNAL_PERSISTENCE_0 + at]
            p[f.SIGNAL_FRESH_0 + at] = np.sqrt(1.0 - phi * phi)
            square = rho * rho
            if target == f.PREDICTS_MOVE:
                move += square
            elif target == f.PREDICTS_SPREAD:
                spread += square
                of_spread += square * keeps * phi / (1.0 - keeps * phi)
            elif target == f.PREDICTS_VOLUME:
                volume += square
                of_volume += square * moves_on * phi / (1.0 - moves_on * phi)
            else:
                p[f.SIGNAL_STRENGTH_0 + at] = strength_of(rho)
        factor_rest(i, move, spread, volume, p)
        # A predicted innovation is autocorrelated: without this its state would vary more than the study says.
        p[f.SPREAD_TRIM + i] = 1.0 / np.sqrt(1.0 + 2.0 * of_spread)
        lognormal = switches[f.VOLUME_MODEL] == f.VOLUME_LOGNORMAL
        p[f.VOLUME_TRIM + i] = 1.0 / np.sqrt(1.0 + 2.0 * of_volume) if lognormal else 1.0


@stage
def factor_rest(i, move, spread, volume, p):
    """As ``parameters.factor_correlations``, of what signals do not predict: these shares of the variances are known."""
    ps, sa = p[f.PRICE_SPREAD + i], p[f.SPREAD_ABSOLUTE_RETURN + i]
    pv, va = p[f.PRICE_VOLUME + i], p[f.VOLUME_ABSOLUTE_RETURN + i]
    own_move = np.sqrt(max(1.0 - move, 0.0))
    ps, pv = (ps / own_move, pv / own_move) if own_move > 0.0 else (0.0, 0.0)
    own = np.sqrt(max(1.0 - spread - ps * ps - sa * sa, 0.0))
    shared = p[f.SPREAD_VOLUME + i] - pv * ps - va * sa
    l32 = shared / own if own > 0.0 else 0.0
    p[f.L11 + i] = own_move
    p[f.L20 + i] = ps
    p[f.L21 + i] = sa
    p[f.L22 + i] = own
    p[f.L30 + i] = pv
    p[f.L31 + i] = va
    p[f.L32 + i] = l32
    p[f.L33 + i] = np.sqrt(max(1.0 - volume - pv * pv - va * va - l32 * l32, 0.0))


@stage
def strength_of(correlation):
    """The k by which sigma exp(k x - k^2) makes |move| correlate so with x, by bisection."""
    low, high = 0.0, STRONGEST
    for _ in range(_HALVINGS):
        k = 0.5 * (low + high)
        square = MEAN_ABSOLUTE * MEAN_ABSOLUTE * exp(-k * k)
        below = MEAN_ABSOLUTE * k * exp(-0.5 * k * k) < abs(correlation) * np.sqrt(1.0 - square)
        low, high = (k, high) if below else (low, k)
    k = 0.5 * (low + high)
    return 0.0 if correlation == 0.0 else k if correlation > 0.0 else -k


@bound
@stage
def draw_signals(clock, switches, chains, words, raw, p, m):
    """Each signal of step t + 1 into NEXT_SIGNAL; the first (t = -1) of its stationary law."""
    for j in range(switches[f.SIGNALS]):
        owner = OF_SIGNALS << 24 | switches[f.SIGNAL_OWNER_0 + j]
        stream, waiting = np.uint32(switches[f.PHASE] << 30 | owner), f.SIGNAL_NORMALS_0 + j * 4 * LANES
        draw_ahead(clock, stream, waiting, words, raw, m)
        now = waiting_for(clock.t, waiting)
        if switches[f.SIGNAL_LEVELS_0 + j] > 0:
            change_level(clock.t, j, switches[f.SIGNAL_LEVELS_0 + j], chains, m[now : now + LANES], m)
        else:
            go_on(clock.t, j, m[now : now + LANES], p, m)


@stage
def go_on(t, j, z, p, m):
    """An AR(1)."""
    x = m[f.NEXT_SIGNAL_0 + j * LANES : f.NEXT_SIGNAL_0 + (j + 1) * LANES]  # views: see ``ledger.book``
    keep = p[f.SIGNAL_PERSISTENCE_0 + j * LANES : f.SIGNAL_PERSISTENCE_0 + (j + 1) * LANES]
    fresh = p[f.SIGNAL_FRESH_0 + j * LANES : f.SIGNAL_FRESH_0 + (j + 1) * LANES]
    if t < 0:
        for i in range(LANES):
            x[i] = z[i]
    else:
        for i in range(LANES):
            x[i] = keep[i] * x[i] + fresh[i] * z[i]


@stage
def change_level(t, j, levels, chains, z, m):
    """A chain."""
    state, value = f.SIGNAL_STATE_0 + j * LANES, f.NEXT_SIGNAL_0 + j * LANES
    if t < 0:
        for i in range(LANES):
            m[state + i] = f.FIRST_ROW
    step_chain(chains, f.SIGNAL_CHAIN_0 + j * f.CHAIN_SIZE, levels, (state, value), z, m)


@bound
@stage
def hold_signals(switches, m):
    """A step begins: its signals are known, while the next ones become those of the step behind it."""
    for i in range(switches[f.SIGNALS] * LANES):
        m[f.SIGNAL_0 + i] = m[f.NEXT_SIGNAL_0 + i]


@bound
@stage
def predict(switches, normals, p, m):
    """The step's normals, what signals tell of them added; of the move's without what its compensation takes off again."""
    moves = 0
    for j in range(switches[f.SIGNALS]):
        if switches[f.SIGNAL_PREDICTS_0 + j] == f.PREDICTS_MOVE:
            foretell(j, moves, p, m)
            moves += 1
        else:
            add_prediction(j, switches[f.SIGNAL_PREDICTS_0 + j], normals, p, m)
    if moves == 0:
        for i in range(LANES):
            m[f.PREDICTED + i] = 0.0
    for i in range(LANES):
        normals[f.Z_PRICE + i] = p[f.L11 + i] * normals[f.Z_PRICE + i] + m[f.PREDICTED + i]
    if moves < switches[f.SIGNALS]:
        for i in range(LANES):
            normals[f.Z_SPREAD + i] *= p[f.SPREAD_TRIM + i]
            normals[f.Z_VOLUME + i] *= p[f.VOLUME_TRIM + i]


@stage
def foretell(j, before, p, m):
    """What a signal tells of the move; ``before``: how many have told of it already."""
    x = m[f.SIGNAL_0 + j * LANES : f.SIGNAL_0 + (j + 1) * LANES]
    lean = m[f.SIGNAL_LEAN_0 + j * LANES : f.SIGNAL_LEAN_0 + (j + 1) * LANES]
    rho = p[f.SIGNAL_CORRELATION_0 + j * LANES : f.SIGNAL_CORRELATION_0 + (j + 1) * LANES]
    if before == 0:
        for i in range(LANES):
            m[f.PREDICTED + i] = rho[i] * (x[i] - lean[i])
    else:
        for i in range(LANES):
            m[f.PREDICTED + i] += rho[i] * (x[i] - lean[i])


@stage
def add_prediction(j, target, normals, p, m):
    """What a signal tells of the spread or the volume."""
    x = m[f.SIGNAL_0 + j * LANES : f.SIGNAL_0 + (j + 1) * LANES]
    rho = p[f.SIGNAL_CORRELATION_0 + j * LANES : f.SIGNAL_CORRELATION_0 + (j + 1) * LANES]
    if target == f.PREDICTS_SPREAD:
        for i in range(LANES):
            normals[f.Z_SPREAD + i] += rho[i] * x[i]
    elif target == f.PREDICTS_VOLUME:
        for i in range(LANES):
            normals[f.Z_VOLUME + i] += rho[i] * x[i]


@bound
@stage
def lean_on_moves(t, switches, curves, p, m):
    """Of a geometric price, behind its move. Where a signal has predicted rises the price is high, and it goes on to predict
    them: E S_t would rise. LEAN is the signal's mean under the price's own measure, and taken off:
    ln E exp(sum v_s rho x_s) = sum of v_t rho (LEAN_t + v_t rho / 2), LEAN_t = sum over s < t of v_s rho phi^(t - s).
    """
    curve = curves[f.PRICE_CURVE, t]
    for j in range(switches[f.SIGNALS]):
        if switches[f.SIGNAL_PREDICTS_0 + j] == f.PREDICTS_MOVE:
            lean = m[f.SIGNAL_LEAN_0 + j * LANES : f.SIGNAL_LEAN_0 + (j + 1) * LANES]
            rho = p[f.SIGNAL_CORRELATION_0 + j * LANES : f.SIGNAL_CORRELATION_0 + (j + 1) * LANES]
            keep = p[f.SIGNAL_PERSISTENCE_0 + j * LANES : f.SIGNAL_PERSISTENCE_0 + (j + 1) * LANES]
            for i in range(LANES):
                v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
                lean[i] = keep[i] * (lean[i] + v * rho[i])


@bound
@stage
def plain_volatility(m):
    """Of step t + 1, where nothing else changes it."""
    for i in range(LANES):
        m[f.VOLATILITY_FACTOR + i] = 1.0


@bound
@stage
def scale_by_signals(switches, chains, p, m):
    """The volatility of step t + 1: times exp(k x - k^2), whose mean square is 1; of a chain as its levels say."""
    for j in range(switches[f.SIGNALS]):
        if switches[f.SIGNAL_PREDICTS_0 + j] == f.PREDICTS_VOLATILITY:
            if switches[f.SIGNAL_LEVELS_0 + j] > 0:
                scale_by_level(j, switches[f.SIGNAL_LEVELS_0 + j], chains, m)
            else:
                scale_by_value(j, p, m)


@chained
def scale_by_value(j, p, m):
    """Of an AR(1)."""
    x = m[f.NEXT_SIGNAL_0 + j * LANES : f.NEXT_SIGNAL_0 + (j + 1) * LANES]
    k = p[f.SIGNAL_STRENGTH_0 + j * LANES : f.SIGNAL_STRENGTH_0 + (j + 1) * LANES]
    for i in range(LANES):
        m[f.VOLATILITY_FACTOR + i] *= exp(k[i] * x[i] - k[i] * k[i])


@stage
def scale_by_level(j, levels, chains, m):
    """Of a chain: over the few levels, each for all lanes."""
    state = m[f.SIGNAL_STATE_0 + j * LANES : f.SIGNAL_STATE_0 + (j + 1) * LANES]
    for level in range(levels):
        effect = chains[f.SIGNAL_EFFECT_0 + j * f.MOST_LEVELS + level]
        for i in range(LANES):
            m[f.VOLATILITY_FACTOR + i] *= effect if state[i] == level else 1.0


@bound
@stage
def tie_states(switches, p, m):
    """The states of spread and volume before step 0, as they go with the first signals after a long time."""
    for i in range(LANES):
        spread, volume, known_spread, known_volume = 0.0, 0.0, 0.0, 0.0
        for j in range(switches[f.SIGNALS]):
            target, at = switches[f.SIGNAL_PREDICTS_0 + j], j * LANES + i
            rho, phi = p[f.SIGNAL_CORRELATION_0 + at], p[f.SIGNAL_PERSISTENCE_0 + at]
            keep = 1.0 - p[f.SPREAD_REVERSION + i] if target == f.PREDICTS_SPREAD else p[f.VOLUME_PERSISTENCE + i]
            trim = p[f.SPREAD_TRIM + i] if target == f.PREDICTS_SPREAD else p[f.VOLUME_TRIM + i]
            tie = trim * np.sqrt(max(1.0 - keep * keep, 0.0)) * rho * phi / (1.0 - keep * phi)
            if target == f.PREDICTS_SPREAD:
                spread += tie * m[f.NEXT_SIGNAL_0 + at]
                known_spread += tie * tie
            elif target == f.PREDICTS_VOLUME:
                volume += tie * m[f.NEXT_SIGNAL_0 + at]
                known_volume += tie * tie
        rest_of_spread = np.sqrt(max(1.0 - known_spread, 0.0)) * m[f.SPREAD_STATE + i]
        m[f.SPREAD_STATE + i] = (
            p[f.SPREAD_SD + i] * spread + rest_of_spread if known_spread > 0.0 else m[f.SPREAD_STATE + i]
        )
        rest_of_volume = np.sqrt(max(1.0 - known_volume, 0.0)) * m[f.VOLUME_STATE + i]
        m[f.VOLUME_STATE + i] = volume + rest_of_volume if known_volume > 0.0 else m[f.VOLUME_STATE + i]


class SignalStages:
    """What a walk calls for signals: before a block; where a step begins; behind its normals; behind its price; behind its
    volume; and for the volatility of the first step and of each that follows.
    """

    def __init__(self, switches, first_spread, variance):
        some, tied = bool(switches[f.SIGNALS]), False
        for j in range(int(switches[f.SIGNALS])):
            tied |= int(switches[f.SIGNAL_PREDICTS_0 + j]) in (f.PREDICTS_SPREAD, f.PREDICTS_VOLUME)
        again = (tie_states, first_spread) if tied else ()
        self.begin = (draw_signals, *again) if some else ()
        self.hold = (hold_signals,) if some else ()
        self.predict = (predict,) if some else ()
        self.lean = (lean_on_moves,) if some and switches[f.PRICE_MODEL] == f.GEOMETRIC else ()
        self.draw = (draw_signals,) if some else ()
        scaled = (scale_by_signals,) if switches[f.SIGNALS_VARY] else ()
        plain = (plain_volatility,) if scaled else ()
        self.factors = tuple((*(stages or plain), *scaled) for stages in variance)
