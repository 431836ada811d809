"""Further parts of the cost: their charges on a slice, and their columns when the books close."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastexec.kernels import fields as f, parts
from naive import parts as twin
from rows.plans import plan_of
from trials import Lanes, W, real

STEPS = 4
#: In currency a share, of each part that a study may ask for.
SHARES_OF = {parts.ADVERSARY: 0.0}
SUMS = [f"sum_further{part}" for part in range(f.MOST_FURTHER)]
CHARGES = {"slice": real(0.0, 1e5), "charged": real(0.0, 1.0), "sum_charged": real(0.0, 1e4),
           **dict.fromkeys(SUMS, real(0.0, 1e4))}  # fmt: skip


def of_last_slice(given, found, again):
    """Whatever it was: the sums are another's, and a second call finds nothing to forget."""
    assert not found.charged.any()
    assert not again(charged=found.charged).charged.any()
    np.testing.assert_array_equal(again(charged=given.charged + 1.0).charged, found.charged)


def charge(v):
    before = {name: getattr(v, name) for name in ("charged", "sum_charged", SUMS[v.part])}
    return twin.charged(v.slice, SHARES_OF[v.part], before)


def all_of_the_slice_pays(given, found, again):
    """The slice times its charge a share, once in the sum of all and once in the part's own; one of no shares pays nothing."""
    fresh = again(**dict.fromkeys(("charged", "sum_charged", *SUMS), 0.0))
    np.testing.assert_allclose(fresh.sum_charged, given.slice * fresh.charged, rtol=1e-12)
    np.testing.assert_array_equal(getattr(fresh, SUMS[given.part]), fresh.sum_charged)
    np.testing.assert_array_equal(again(slice=0.0).sum_charged, given.sum_charged)
    np.testing.assert_allclose(found.charged - given.charged, fresh.charged, atol=1e-12)


def close_parts(v):
    asked = [bool(v.further >> part & 1) for part in range(f.MOST_FURTHER)]
    columns, shortfall = twin.closed([getattr(v, name) for name in SUMS], asked, v.shares * v.arrival, v.row_shortfall)
    return {f"row_further{j}": column for j, column in enumerate(columns)} | {"row_shortfall": shortfall}


def one_after_the_other(given, found, again):
    """Each column as if its part were the only one, and the shortfall larger by all of them; by nothing without any."""
    np.testing.assert_array_equal(again(further=0).row_shortfall, given.row_shortfall)
    total, asked = np.array(given.row_shortfall), [part for part in range(f.MOST_FURTHER) if given.further >> part & 1]
    for place, part in enumerate(asked):
        alone = again(further=1 << part)
        np.testing.assert_array_equal(getattr(found, f"row_further{place}"), alone.row_further0)
        total = total + alone.row_further0
    np.testing.assert_array_equal(found.row_shortfall, total)
    if asked:
        dearer = again(**{SUMS[asked[-1]]: getattr(given, SUMS[asked[-1]]) + given.shares * given.arrival})
        np.testing.assert_allclose(dearer.row_shortfall - found.row_shortfall, np.full(W, 1e4), rtol=1e-6)


ROWS = (
    Lanes("parts.forget_charges", lambda x: (x.b,), lambda v: {"charged": 0.0}, CHARGES, of_last_slice, rtol=0.0),
    Lanes("parts.adversary", lambda x: (x.b,), charge, CHARGES, all_of_the_slice_pays,
          others={"part": st.just(parts.ADVERSARY)}),
    Lanes("parts.close_parts", lambda x: (plan_of(STEPS, further=x.further), x.lanes), close_parts,
          {**dict.fromkeys(SUMS, real(-1e4, 1e4)), "shares": real(1.0, 1e5), "arrival": real(1.0, 500.0),
           "row_shortfall": real(-1e4, 1e4)},
          one_after_the_other, atol=1e-7, others={"further": st.integers(0, (1 << f.MOST_FURTHER) - 1)}),
)  # fmt: skip
