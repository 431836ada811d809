"""Every lane stage is vectorised: packed against scalar floating operations in its assembly.

The mere presence of wide registers proves nothing (copies use them); packed arithmetic does. Remainder loops are scalar,
so both kinds occur; a stage that LLVM gave up on has no packed operation at all.
"""

from __future__ import annotations

import os
import re

import numba
import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features

from fastexec.kernels import _jit, account, fields, fill, market, philox, strategy
from fastexec.kernels._jit import JIT_DISABLED

pytestmark = pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")

LANES64, WORDS, RAW = np.zeros(1), np.zeros(1, np.uint32), np.zeros(1, np.float32)
SWITCHES = np.zeros(1, np.int64)
P = M = B = NORMALS = ROWS = LANES64
PLAN = fields.Plan(
    np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 1)), np.zeros(0, np.int64), np.zeros((1, 1)), np.zeros(1)
)  # only types matter
STAGES = {
    "gaussians": (philox.gaussians, (WORDS, RAW)),
    "correlate": (market.correlate, (RAW, NORMALS, P)),
    "observe": (market.observe, (0, M)),
    "level_spread": (market.level_spread, (1.0, P, M)),
    "move_price": (market.move_price, (0, 1.0, NORMALS, P, M)),
    "draw_volume": (market.draw_volume, (2, 1.0, 1.0, NORMALS, P, M)),
    "follow": (strategy.follow, (0.5, 1.0, P, M, B)),
    "participate": (strategy.participate, (0.5, 1.0, P, M, B)),
    "fill": (fill.fill, (0, 0, SWITCHES, P, M, B)),
    "push": (fill.push, (1, P, B)),
    "derive_costs": (account.derive_costs, (PLAN, P, M, B, ROWS)),
    "derive_rows": (account.derive_rows, (PLAN, P, M, B, ROWS, ROWS)),
}


def assembly(stage, arguments):
    fresh = numba.njit(**_jit._OPTIONS)(stage.py_func)
    fresh.compile(tuple(numba.typeof(a) for a in arguments))
    return next(iter(fresh.inspect_asm().values()))


@pytest.mark.parametrize("name", list(STAGES))
def test_packed_operations_dominate(name):
    text = assembly(*STAGES[name])
    packed = len(re.findall(r"\bv?(?:mul|add|sub|div|sqrt)p[sd]\b", text))
    scalar = len(re.findall(r"\bv?(?:mul|add|sub|div|sqrt)s[sd]\b", text))
    assert packed >= 3, f"{name}: {packed} packed, {scalar} scalar"
    assert packed >= 0.75 * scalar, f"{name}: {packed} packed, {scalar} scalar"


@pytest.mark.skipif(not get_host_cpu_features().get("avx512f"), reason="the processor has no vectors of 512 bits")
@pytest.mark.skipif("NUMBA_CPU_NAME" in os.environ, reason="another processor is asked for")
@pytest.mark.parametrize("name", ["gaussians", "move_price", "fill"])
def test_the_widest_vectors_are_used(name):
    assert re.search(r"\bv(?:mul|add)p[sd]\b.*%zmm", assembly(*STAGES[name]))


def test_philox_multiplies_in_vectors():
    text = assembly(philox.draw_words, (np.uint64(0), 0, 0, np.uint32(0), WORDS))
    assert len(re.findall(r"\bv?pmuludq\b", text)) >= 20


def test_the_check_can_fail():
    def scalar(x):
        for i in range(1, 128):
            x[i] = x[i - 1] * 0.5 + x[i]  # each lane needs the one before

    text = assembly(type("stage", (), {"py_func": staticmethod(scalar)}), (LANES64,))
    assert not re.findall(r"\bv?mulpd\b", text)
