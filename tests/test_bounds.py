"""The pass with checked array bounds: ``NUMBA_BOUNDSCHECK=1 python3 scripts/test.py -m bounds``.

Compiled as ever a kernel that writes beyond its arrays spoils some other memory and goes on; here it ends in an IndexError.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numba.core import config

import bounds_matrix as matrix
import fastexec as fx
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.learning.agent import agent_table
from fastexec.learning.training import train
from fastexec.simulation import prepare, simulate
from networks import write_networks

pytestmark = pytest.mark.bounds
ROOT = Path(__file__).resolve().parents[1]
CASES = matrix.cases()


@pytest.fixture(autouse=True)
def _bounds_are_checked():
    assert config.BOUNDSCHECK == 1, "set NUMBA_BOUNDSCHECK=1: without it this pass proves nothing"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Bars, a plugin and an agent, for studies that name them."""
    place = tmp_path_factory.mktemp("bounds")
    matrix.write_bars(place / "bars.parquet")
    write_networks(place)
    (place / "own.py").write_text(matrix.PLUGIN)
    learner = matrix.study({**matrix.NEUTRAL, "agent": "backward"}, place)
    pq.write_table(agent_table(train(learner, "mine")), place / "agent.parquet")
    return place


def given_paths(study):
    rng = np.random.default_rng(5)
    shape = (matrix.EPISODES, study.order.steps)
    mid = 100.0 * np.exp(rng.normal(size=shape).cumsum(axis=1) * 0.001)
    return MarketPaths(mid, np.full(shape, 0.0004), rng.integers(0, 3, shape) * 500.0)


def play(case, folder, out):
    """Run the study of a case as it says; every episode of every strategy is there and adds up to numbers."""
    study = matrix.study(case, folder)
    threads, chunk = int(case["threads"]), 50 if case["chunks"] == "cut" else None
    if case["source"] == "given":
        paths = given_paths(study)
        prepared = prepare(study, paths=paths)
        if case["recorded"] == "yes":
            assert all(np.isfinite(prepared.steps(3, 5)[name]).all() for name in ("mid", "shares", "remaining"))
        cuts = [0, matrix.EPISODES] if chunk is None else [*range(0, matrix.EPISODES, chunk), matrix.EPISODES]
        parts = [prepared.run(low, high - low).episodes for low, high in zip(cuts, cuts[1:], strict=False)]
        whole = simulate(study, paths=paths, threads=threads).episodes
        for name, column in whole.items():
            np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), column, err_msg=name)
        rows, filled = matrix.EPISODES * len(prepared.strategies), whole["filled_shares"]
    else:
        fx.run(study, out=out, threads=threads, chunk=chunk)
        summary = pq.read_table(out / "summary.parquet")
        rows = int(np.sum(summary["episodes"].to_numpy()))
        filled = pq.read_table(out / "episodes")["filled_shares"].to_numpy()
        assert (out / "steps").exists() == (case["recorded"] == "yes")
    assert filled.size == rows > 0
    assert (filled >= 0.0).all()


@pytest.mark.parametrize("case", CASES, ids=["-".join(case.values()) for case in CASES])
def test_every_pair_of_features(case, folder, tmp_path):
    play(case, folder, tmp_path / "r")


def test_the_cases_hold_every_pair_that_is_possible():
    factors = list(matrix.FACTORS)
    met = {((a, case[a]), (b, case[b])) for case in CASES for j, a in enumerate(factors) for b in factors[j + 1 :]}
    wanted = {
        ((a, x), (b, y))
        for j, a in enumerate(factors)
        for b in factors[j + 1 :]
        for x in matrix.FACTORS[a]
        for y in matrix.FACTORS[b]
    }
    assert wanted - met == set(matrix.IMPOSSIBLE)


@pytest.mark.parametrize("pair", list(matrix.IMPOSSIBLE), ids=lambda pair: "-".join(level for _, level in pair))
def test_a_pair_that_no_study_can_have_is_refused(pair, folder, tmp_path):
    """With all else such that nothing but this pair is in the way."""
    needed = {"program": {"costs": "per_step", "known": "during"}, "optimum": {"market": "chains", "lot": "10"}}
    levels = dict(pair)
    case = {**matrix.NEUTRAL, **needed.get(levels.get("agent", ""), {}), **levels}
    with pytest.raises(InputError, match=matrix.IMPOSSIBLE[pair]):
        play(case, folder, tmp_path / "r")


PLANTED = "    b[f.LEDGER_FIELDS * LANES * 99] = 0.0\n"
TINY = """
import fastexec as fx
from fastexec.kernels import ledger
from fastexec.simulation import simulate
study = fx.Study.from_dict({"episodes": 2, "order": {"shares": 10, "steps": 1}, "strategies": [{"model": "twap"}]})
print(ledger.__file__)
try:
    simulate(study)
    print("nothing was noticed")
except IndexError as error:
    print("IndexError:", error)
"""


def test_a_planted_write_out_of_range_is_found(tmp_path):
    """A stage of a copy of the package writes beyond its ledger: were bounds not checked, nobody would know."""
    shutil.copytree(ROOT / "fastexec", tmp_path / "fastexec", ignore=shutil.ignore_patterns("__pycache__"))
    stage = tmp_path / "fastexec" / "kernels" / "ledger.py"
    text, head = stage.read_text(), "def book(t, kind, p, m, b):\n"
    assert head in text
    before, after = text.split(head)
    docstring, body = after.split('"""\n', 1)
    stage.write_text(f'{before}{head}{docstring}"""\n{PLANTED}{body}')
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "FASTEXEC_CACHE_DIR": str(tmp_path / "cache")}
    ended = subprocess.run(
        [sys.executable, "-P", "-c", TINY], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
    where, told = ended.stdout.splitlines()
    assert where == str(stage)
    assert told.startswith("IndexError:"), told
