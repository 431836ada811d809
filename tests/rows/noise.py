"""A mid that bounces where it is seen."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, observe
from naive import noise as twin
from rows.market import FLOAT32
from rows.variance import drawing
from trials import Lanes, real

MID, BOUNCE = real(10.0, 500.0), real(0.8, 1.2)
SEEN = {"observed": st.sampled_from([0.0, 90.0, 110.0]), "seen_move": real(-0.1, 0.1), "seen_squares": real(0.0, 1.0),
        "seen_products": real(-1.0, 1.0)}  # fmt: skip


def saw(v, observed):
    move = observed / v.observed - 1.0 if v.observed else 0.0
    return {"observed": observed, "seen_move": move, "seen_squares": v.seen_squares + move**2,
            "seen_products": v.seen_products + move * v.seen_move}  # fmt: skip


def nothing_by_sd_0(given, found, again):
    np.testing.assert_array_equal(again(noise_sd=0.0).next_bounce, 1.0)


def in_proportion(name):
    def holds(given, found, again):
        np.testing.assert_allclose(getattr(again(next_bounce=1.0), name), getattr(given, name))

    return holds


def no_move_before_a_first(given, found, again):
    first = again(observed=0.0)
    np.testing.assert_array_equal(first.seen_squares, given.seen_squares)
    np.testing.assert_array_equal(first.seen_products, given.seen_products)


def remembered(given, found, again):
    np.testing.assert_array_equal(getattr(found, f"mids{given.t % f.HISTORY}"), given.observed)


def told(v):
    if v.name == observe.NOISE_SO_FAR:
        return {"value": (max(-v.seen_products, 0.0) / max(v.t - 1, 1)) ** 0.5}
    if v.noisy:
        return {"value": (v.seen_squares / max(v.t, 1)) ** 0.5}
    if v.t == 0:
        return {"value": 0.0}
    return {"value": (max(v.sum_squared_moves - (v.next / v.mid - 1.0) ** 2, 0.0) / v.t) ** 0.5}


def never_negative(given, found, again):
    assert (found.value >= 0.0).all()
    if given.name == observe.NOISE_SO_FAR:
        assert not again(seen_products=abs(given.seen_products)).value.any()


ROWS = (
    drawing("noise.draw_for_noise", twin.PURPOSE),
    Lanes("noise.bounce", lambda x: (x.raw, x.p, x.m), lambda v: {"next_bounce": 1.0 + v.noise_sd * v.e0},
          {"noise_sd": real(0.0, 0.1), "e0": FLOAT32}, nothing_by_sd_0),
    Lanes("noise.bounce_first", lambda x: (x.m,), lambda v: {"mid": v.mid * v.next_bounce}, {"mid": MID, "next_bounce": BOUNCE},
          in_proportion("mid")),
    Lanes("noise.bounce_next", lambda x: (x.m,), lambda v: {"next": v.next * v.next_bounce},
          {"next": MID, "next_bounce": BOUNCE}, in_proportion("next")),
    Lanes("noise.observe_bounced", lambda x: (x.m,), lambda v: saw(v, v.mid * v.next_bounce),
          {**SEEN, "mid": MID, "next_bounce": BOUNCE}, no_move_before_a_first, atol=1e-15),
    Lanes("noise.observe_mid", lambda x: (x.m,), lambda v: saw(v, v.mid), {**SEEN, "mid": MID}, no_move_before_a_first,
          atol=1e-15),
    Lanes("noise.remember_observed", lambda x: (x.t, x.m), lambda v: {f"mids{v.t % f.HISTORY}": v.observed}, {"observed": MID},
          remembered, others={"t": st.integers(0, 100)}),
    Lanes("observe.observe_moves", lambda x: (x.t, x.name, x.noisy, x.m, x.b), told,
          {"mid": MID, "next": MID, "sum_squared_moves": real(0.0, 1.0), "seen_squares": SEEN["seen_squares"],
           "seen_products": SEEN["seen_products"]}, never_negative, atol=1e-15,
          others={"t": st.integers(0, 40), "noisy": st.sampled_from([0, f.SEES_NOISE]),
                  "name": st.sampled_from([observe.VOLATILITY_SO_FAR, observe.NOISE_SO_FAR])}),
)  # fmt: skip
