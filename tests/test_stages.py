"""Every stage of the kernels by itself, as ``tests/cases.py`` lists them: against its naive twin, and a property of it."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings

from cases import ROWS, WITHOUT
from fastexec.kernels import _jit
from trials import ENTRIES

pytestmark = pytest.mark.skipif(_jit.JIT_DISABLED, reason="lane by lane in Python; the lights compare whole studies")


@pytest.mark.parametrize("row", ROWS, ids=[row.stage for row in ROWS])
def test_stage(row):
    # What is drawn is small, and making it smaller takes minutes.
    @settings(max_examples=row.tries, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(row.inputs())
    def check(drawn):
        row.check(drawn)

    check()


def test_every_stage_has_a_row():
    listed = [name for row in ROWS for name in (row.stage, *row.through.split())]
    without = WITHOUT.split()
    assert len(set(listed)) == len(listed), "a stage has one row"
    assert [name for name in [*listed, *without] if name not in _jit.stages and name not in ENTRIES] == [], (
        "no such stage"
    )
    assert [name for name in without if name in listed] == [], "it has a row: take it off the list"
    assert [name for name in _jit.stages if name not in listed and name not in without] == [], "give it a row"
