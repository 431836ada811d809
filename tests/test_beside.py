"""What a first run simulates with, compiled by a second process while the first one trains."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import fastexec as fx
from conftest import ROOT
from fastexec.kernels import _bind, _jit, walk
from fastexec.runs import beside
from fastexec.simulation import prepare

TRAINS = """
name = "first"
episodes = 256
[order]
side = "buy"
shares = 9000
steps = 6
[market.price]
volatility = 5e-4
[market.spread]
model = "mean_reverting"
[market.volume]
mean = 30_000
[[strategies]]
model = "twap"
[[strategies]]
name = "learned"
model = "qtable"
train = "agent"
[[strategies]]
name = "blind"
model = "blind_twin"
of = "learned"
[train.agent]
rule = "backward"
rounds = 2
batch = 1024
[[train.agent.features]]
name = "inventory"
bins = 5
[[train.agent.features]]
name = "spread"
bins = 3
"""
PLAIN = TRAINS.partition("[[strategies]]\nname")[0]
#: Runs the study and prints what this process compiled itself.
PROGRAM = """
import sys
import fastexec as fx
from fastexec.kernels import _jit
_jit.on_compile(print)
fx.run(fx.Study.from_toml(sys.argv[1]), out=sys.argv[2], threads=int(sys.argv[3]), progress=False)
"""


def study(**changes):
    return fx.Study.from_toml(TRAINS).changed(changes)


@pytest.fixture
def begun(monkeypatch):
    """The studies for which a second process would be begun, on a machine where nothing was ever compiled."""
    found = []
    monkeypatch.setattr(_bind.Bound, "is_kept", lambda self: False)
    monkeypatch.setattr(beside, "_begin", found.append)
    return found


def test_a_study_that_trains_has_the_rest_compiled_beside_where_a_processor_is_free(begun):
    with beside.compiled_beside(study(), 2):
        assert begun == [study()]
    with beside.compiled_beside(study(), 1):
        assert len(begun) == 1


def test_nobody_is_asked_where_nothing_is_trained_or_all_is_compiled(begun, monkeypatch):
    with beside.compiled_beside(fx.Study.from_toml(PLAIN), 2):
        assert not begun
    monkeypatch.setattr(_bind.Bound, "is_kept", lambda self: True)
    with beside.compiled_beside(study(), 2):
        assert not begun


def test_own_code_runs_where_the_user_sees_what_it_says(begun, tmp_path):
    (tmp_path / "mine.py").write_text(
        "import fastexec as fx\n\n\n@fx.strategy('mine')\ndef mine(shares, remaining, mid, spread, last_volume, params, step, "
        "steps):\n    for i in range(shares.size):\n        shares[i] = remaining[i] / (steps - step)\n"
    )
    text = f'plugins = ["{tmp_path}/mine.py"]\n{TRAINS}'
    with beside.compiled_beside(fx.Study.from_toml(text), 2):
        assert not begun


@pytest.mark.parametrize("name", [None, "large_cap_learned", "wait_for_liquidity", "mini_project"])
def test_the_second_process_plays_what_needs_no_table(name):
    beside.play_without_tables(study() if name is None else fx.Study.preset(name))


def test_of_a_sweep_it_plays_the_study_itself():
    """Keys of the training are swept too, and it has none."""
    beside.play_without_tables(fx.Study.from_toml(TRAINS + '[sweep]\n"train.agent.rounds" = [1, 2]\n'))


def test_stages_are_compiled_from_the_last_on(monkeypatch):
    plan, strategies = prepare(fx.Study.from_toml(PLAIN)).arrays[:2]
    asked = []
    monkeypatch.setattr(walk, "address_of", lambda stage: asked.append(_jit.full_name(stage)) or len(asked[-1]))

    def table():
        asked.clear()
        return walk.addresses_of(plan, walk.Stages([()] * len(strategies.kinds), ()), len(strategies.kinds))

    usual, order = table(), list(asked)
    with _bind.backwards():
        np.testing.assert_array_equal(table(), usual)
    assert asked == order[::-1]
    assert len(set(order)) > 5


@pytest.mark.processes
@pytest.mark.skipif(_jit.JIT_DISABLED, reason="nothing is compiled")
def test_two_processes_compile_a_first_run_to_the_same_results(tmp_path):
    def first_run(threads):
        cache = tmp_path / f"cache{threads}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTEXEC_CACHE_DIR": str(cache)}
        words = [TRAINS, str(tmp_path / str(threads)), str(threads)]
        done = subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM, *words], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.split(), {path.name.partition("-")[0] for path in cache.rglob("*.nbc")}

    alone, kept_alone = first_run(1)
    together, kept = first_run(2)
    assert set(alone) == kept_alone
    assert kept_alone <= kept
    assert len(together) < len(alone) - 5  # so many came from the second process
    rows = [(tmp_path / threads / "summary.parquet").read_bytes() for threads in "12"]
    assert rows[0] == rows[1]
