"""Promise 1: the same bits whatever computes them.

Each light runs in a process (and a kernel cache) of its own, in a pass of its own: ``python3 scripts/test.py -m lights``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__

import lights
from fastexec.kernels._jit import entries
from fastexec.models.study import StudyModel
from fastexec.simulation import prepare, simulate

EPISODES = 256
# SHA-256 over all columns of 256 episodes of the studies in lights.py. A change needs a reason in the changelog.
GOLDEN = {
    "lognormal": "af01186ebad620bc0053a22de33b35c9eaee988f95123802fdcbc6a482bb21ec",
    "walk": "ce8fa0c018dea81dcc306a4cdfde9f0707f8d167d18839bdfa73f78d2eba04b6",
    "arithmetic": "779b1f2c8e5f2f386f317e352f1aac741befbc5cf14ef9a24866175d3a6e290d",
    "chains": "cd1561b410859ccf2545f8ba56bf0ca76cd9dc18258f8eacc41733cf9fa0d7df",
    "jumps": "d52a501168b92b2f1893126911ec987abad388fb735af2797ce348347cf9c8b0",
    "varying": "4192c4e451d61c3152945822e3d8739c7486a6775d3361bd7ff6fd5f320d42b2",
    "jumping": "e1bf768d2fb241f348259bbc17d849f5bc60b20946f504d0983181ac52e819bd",
    "regimes": "d60530e3832ed2c67bf393af83460d407aa942ae43757b75f69b591ff418fd06",
    "regimes_of_constants": "be34f6b5d9be601135f946d68d520891061f16568adc16a8800dfb68a1cc1c6d",
    "halts": "2d9d7022c2c7f6933a7bbca273f89c0f329d99b86de7328e7be340a7b28c2e59",
    "noise": "ce8fa0c018dea81dcc306a4cdfde9f0707f8d167d18839bdfa73f78d2eba04b6",
    "tradable": "9ab73d6120c72a757d387e2bfa95d393285405c5b5ad14449cd90bc7539d251d",
    "quoted": "954e1d642294fe8ee8115338f8134ac0220a13bee72bd7e1b05a4eb15d3b82ee",
    "signals": "b0cd1b5278a97fe1746b12b04d1f9254ade1c1e217ecfe9fee1e60c8498c7452",
    "networks": "faf4c3205e3ed7fafc7ced1f66489d84a075184994133ff5c25c1d827d178225",
    "following": "72cfbcffc2b2a097527d0b158030c89d8b4fce0a245a35dc79c65ef9bf1a3fa5",
}


@pytest.mark.parametrize("name", list(GOLDEN))
def test_golden_hash_of_the_reference_results(name):
    assert lights.digest(prepare(lights.study(name, EPISODES)).run(0, EPISODES)) == GOLDEN[name]


@pytest.mark.lights
@pytest.mark.parametrize(
    "environment",
    [
        {"NUMBA_DISABLE_JIT": "1"},
        {"NUMBA_BOUNDSCHECK": "1"},
        {"FASTEXEC_LANES": "64"},
        {"FASTEXEC_LANES": "256"},
        {
            "NUMBA_CPU_NAME": "generic",
            "OPENBLAS_CORETYPE": "Prescott",
            "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__),
        },
    ],
    ids=["interpreted", "bounds-check", "64-lanes", "256-lanes", "generic-cpu"],
)
def test_every_light_has_the_golden_bits(environment):
    root = Path(__file__).resolve().parents[1]
    ended = subprocess.run(
        [sys.executable, str(root / "tests" / "lights.py"), str(EPISODES)],
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stderr
    assert dict(line.split() for line in ended.stdout.splitlines()) == GOLDEN


def columns_equal(a, b):
    for left, right in ((a.markets, b.markets), (a.episodes, b.episodes)):
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)


@pytest.mark.parametrize("name", list(GOLDEN))
def test_threads_and_cuts_change_nothing(name):
    study = lights.study(name, 1000)
    whole = prepare(study).run(0, 1000)
    columns_equal(whole, simulate(study, threads=1))
    columns_equal(whole, simulate(study.changed({"order": study.order.model_dump()}), threads=2))
    prepared = prepare(study)
    cuts = [0, 1, 7, 130, 131, 640, 1000]
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(prepared.run, cuts[:-1], np.diff(cuts).tolist()))
    for table in ("markets", "episodes"):
        for column in getattr(whole, table):
            joined = np.concatenate([getattr(part, table)[column] for part in parts])
            np.testing.assert_array_equal(joined, getattr(whole, table)[column], err_msg=column)


@pytest.mark.parametrize("k", range(len(lights.STRATEGIES)))
def test_a_strategy_alone_and_among_others(k):
    study = lights.study("lognormal", 300)
    together = prepare(study).run(0, 300)
    alone = StudyModel.model_validate(study.model_dump() | {"strategies": [study.strategies[k].model_dump()]})
    results = prepare(alone).run(0, 300)
    for column, values in results.episodes.items():
        np.testing.assert_array_equal(values, together.episodes[column][k :: len(lights.STRATEGIES)], err_msg=column)
    for column, values in results.markets.items():
        np.testing.assert_array_equal(values, together.markets[column], err_msg=column)


def test_seed_0_and_seed_1_share_no_path_and_consecutive_episodes_differ():
    study = lights.study("walk", 500)
    zero, one = (prepare(study.changed({"seed": seed})).run(0, 500).markets for seed in (0, 1))
    assert not np.intersect1d(zero["last_price"], one["last_price"]).size
    assert not np.intersect1d(zero["market_volume"], one["market_volume"]).size
    assert np.unique(zero["last_price"]).size == 500


def test_first_episodes_far_out_are_reached_directly():
    study = lights.study("walk", 10)
    far = prepare(study).run(2**33 - 5, 10)
    beyond = prepare(study).run(2**33, 5)
    np.testing.assert_array_equal(far.markets["last_price"][5:], beyond.markets["last_price"])
    assert np.unique(far.markets["last_price"]).size == 10


def test_numpys_global_generator_is_untouched():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the legacy generator is what must not move
    simulate(lights.study("walk", 50))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_every_entry_kernel_has_at_most_one_signature():
    prepare(lights.study("walk", 10)).run(0, 10)
    assert all(len(entry.signatures) <= 1 for entry in entries)
