"""What is seen of a mid that goes on underneath: trading halts, in which it stands until it reopens with the moves in between.

Nobody trades in a halted step. Its mid is the last before the halt; the first step behind it begins at the mid underneath.
"""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, stage
from fastexec.kernels.noise import bounce, bounce_first, bounce_next, draw_for_noise
from fastexec.kernels.philox import OF_HALTS, draw_words


@bound
@stage
def draw_for_halts(clock, switches, words):
    """A word that says whether step t + 1 is halted."""
    draw_words(clock.seed, clock.block, clock.t + 1, np.uint32(switches[f.PHASE] << 30 | OF_HALTS << 24), words)


@bound
@stage
def begin_halts(words, p, m):
    """Step 0 may begin a halt as any other."""
    for i in range(LANES):
        u = (np.float64(words[f.FIRST + i]) + 0.5) * 2.3283064365386963e-10
        m[f.HALTED + i] = 1.0 if u < p[f.HALT_RATE + i] else 0.0


@bound
@stage
def begin_underneath(m):
    """Arrived: the mid is what it is seen to be."""
    for i in range(LANES):
        m[f.UNDERLYING + i] = m[f.MID + i]


@bound
@stage
def go_underneath(m):
    """Before the step's move: from the mid underneath."""
    for i in range(LANES):
        m[f.SHOWN + i] = m[f.MID + i]
        m[f.MID + i] = m[f.UNDERLYING + i]
        m[f.SQUARES_BEFORE + i] = m[f.SUM_SQUARED_MOVES + i]


@bound
@stage
def come_up(m):
    """Behind it: to what is seen."""
    for i in range(LANES):
        m[f.UNDERLYING + i] = m[f.NEXT + i]
        m[f.MID + i] = m[f.SHOWN + i]


@bound
@stage
def halt(words, p, m):
    """No volume in a halted step; the mid stands where the next one is halted too. Then the next is the one at hand."""
    for i in range(LANES):
        u = (np.float64(words[f.FIRST + i]) + 0.5) * 2.3283064365386963e-10
        halted = m[f.HALTED + i] > 0.0
        goes_on = u < (1.0 - 1.0 / p[f.HALT_LENGTH + i] if halted else p[f.HALT_RATE + i])
        m[f.VOLUME + i] = 0.0 if halted else m[f.VOLUME + i]
        m[f.NEXT + i] = m[f.MID + i] if halted and goes_on else m[f.NEXT + i]
        m[f.HALTED + i] = 1.0 if goes_on else 0.0


@bound
@stage
def count_seen_move(m):
    """The squared relative move that is seen, in place of the one underneath."""
    for i in range(LANES):
        move = m[f.NEXT + i] / m[f.MID + i] - 1.0
        m[f.SUM_SQUARED_MOVES + i] = m[f.SQUARES_BEFORE + i] + move * move


def underneath_of(switches):
    """What a walk calls before the first step, where it opens, before each move and behind it."""
    halts, bounces = bool(switches[f.HALTS]), switches[f.NOISE] == f.NOISE_TRADABLE
    if not halts and not bounces:
        return (), (), (), ()
    bounced = (draw_for_noise, bounce, bounce_next) if bounces else ()
    halted = (draw_for_halts, halt) if halts else ()
    first, started = ((draw_for_halts, begin_halts) if halts else ()), ((bounce_first,) if bounces else ())
    return first, (begin_underneath, *started), (go_underneath,), (come_up, *bounced, *halted, count_seen_move)
