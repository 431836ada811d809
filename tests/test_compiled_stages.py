"""A study compiles the stages that it uses and no other; how much that is, in instructions, which no machine changes.

Of ``lights``: an empty kernel cache, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from conftest import ROOT
from fastexec.kernels._jit import JIT_DISABLED

pytestmark = [pytest.mark.lights, pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")]

#: Prints, for each part of ``large_cap``'s strategies, what is compiled for it: names, and instructions handed to LLVM.
PROGRAM = """
import json
from fastexec.kernels import _compiler, _jit
from fastexec.simulation import prepare
from fastexec.studies.study import Study

lowered, compiled = _compiler._Lower.post_lower, []

def counting(self):
    lowered(self)
    compiled[-1][1] += sum(len(block.instructions) for block in self.function.blocks)

_compiler._Lower.post_lower = counting
_jit._announce[:] = [lambda name: compiled.append([name, 0])]
study = Study.preset("large_cap")
twap, vwap, pov, _, _, random = study.strategies
for strategies in ((twap,), (twap, vwap), (twap, pov), (pov, random)):
    del compiled[:]
    prepare(study.model_copy(update={"strategies": strategies})).run(0, 8)
    print(json.dumps(dict(compiled)))
"""
#: Instructions; 30,476 in all for one schedule when this was written, of the largest stage 4,253.
MOST, LARGEST = 33_000, 5_000


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FASTEXEC_CACHE_DIR": str(tmp_path_factory.mktemp("cache") / "k"),
    }
    command = [sys.executable, "-P", "-c", PROGRAM]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_study_compiles_the_stages_it_uses(compiled):
    one = compiled[0]
    assert {
        "price.geometric",
        "volume.lognormal_volume",
        "strategy.schedule",
        "execute.lower_volumes",
        "execute.raise_slices",
        "ledger.book",
    } <= set(one)
    others = (
        "execute.raise_rates",
        "price.arithmetic",
        "volume.cosine_volume",
        "strategy.pov",
        "execute.find_root_rates",
        "ledger.decay_impact",
    )
    assert not set(others) & set(one)


def test_one_more_strategy_compiles_only_its_stage(compiled):
    """The first that is no schedule also what its slices meet: their power is not one number."""
    assert [sorted(part) for part in compiled[1:]] == [[], ["execute.raise_rates", "strategy.pov"], ["strategy.random"]]


def test_no_more_is_handed_to_the_compiler_than_before(compiled):
    assert sum(compiled[0].values()) <= MOST
    assert max(max(part.values(), default=0) for part in compiled) <= LARGEST
