"""A run on paths of the user's own: they lie in the folder as an input, and it is rebuilt from itself alone."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import SMALL, merged
from fastexec.place import Place
from fastexec.runs import store
from test_run import assert_same_files

STUDY = fx.Study.from_dict(merged(SMALL, {"output": {"steps": 3}}))


def paths_of(seed=1, episodes=300, empty=0.1):
    rng = np.random.default_rng(seed)
    mid = 100.0 * np.exp(0.001 * rng.standard_normal((episodes, 13)).cumsum(axis=1))
    volume = rng.uniform(50.0, 2e3, (episodes, 12)) * (rng.random((episodes, 12)) >= empty)
    spread = rng.uniform(1e-4, 1e-3, (episodes, 13))
    return fx.MarketPaths(
        mid[:, :-1], spread[:, :-1], volume, rng.uniform(99, 101, episodes), mid[:, -1], spread[:, -1]
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paths") / "r"
    return fx.run(STUDY, out=folder, paths=paths_of(), chunk=70)


def test_its_rows_are_those_of_the_paths_in_memory(made):
    held = fx.simulate(STUDY, paths=paths_of())
    assert fx.compare(made).table.equals(fx.compare(held).table)
    rows = pq.read_table(made.folder.local / "episodes").to_pandas()
    np.testing.assert_array_equal(rows["shortfall_bps"], held.episodes["shortfall_bps"])
    assert made.summary["control_variate"].to_pylist() == [False] * 6
    assert made.summary["episodes"].to_pylist() == [300] * 6


def test_they_are_an_input_that_files_and_manifest_sign(made):
    folder = made.folder.local
    digest = store.read_footer(made.folder / "summary.parquet")["inputs"]["paths.parquet"]
    known = {row["file"]: row for row in pq.read_table(folder / "manifest.parquet").to_pylist()}
    assert known["paths.parquet"]["sha256"] == digest
    assert known["paths.parquet"]["rows"] == 300
    table, given = pq.read_table(folder / "paths.parquet"), paths_of()
    np.testing.assert_array_equal(np.array(table["volume"].to_pylist()), given.volume)
    np.testing.assert_array_equal(table["last_spread"].to_numpy(), given.last_spread)


def test_verify_and_replay_rebuild_from_the_folder_alone(made, tmp_path):
    shutil.copytree(made.folder.local, tmp_path / "r")
    verdict = fx.verify(tmp_path / "r", sample=3)
    assert verdict.faults == []
    assert verdict.simulated == 3
    steps = fx.replay(tmp_path / "r", 299, strategy="pov10").to_pandas()
    np.testing.assert_array_equal(steps["mid"], paths_of().mid[299])
    assert fx.verify(tmp_path / "r")


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda p: p.unlink(), "paths.parquet: the paths that the study was run on are missing"),
    (lambda p: p.write_bytes(p.read_bytes()[:-9]), "paths.parquet: cannot be read"),
    (lambda p: pq.write_table(pq.read_table(p).slice(0, 299), p), "paths.parquet: has changed since"),
])  # fmt: skip
def test_paths_that_are_not_as_they_were(made, tmp_path, spoil, said):
    shutil.copytree(made.folder.local, tmp_path / "r")
    spoil(tmp_path / "r" / "paths.parquet")
    assert "paths.parquet" in fx.verify(tmp_path / "r").faults[0]
    with pytest.raises(fx.FastexecError) as caught:
        fx.replay(tmp_path / "r", 3)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_again_it_is_complete_and_an_interrupted_run_goes_on(made, tmp_path):
    shutil.copytree(made.folder.local, tmp_path / "r")
    assert fx.run(STUDY, out=tmp_path / "r", paths=paths_of()).finished_before
    for name in ("manifest.parquet", "summary.parquet", "comparison.parquet", "episodes/part-000000000140.parquet"):
        (tmp_path / "r" / name).unlink()
    fx.run(STUDY, out=tmp_path / "r", resume=True)  # on the paths that lie there
    assert_same_files(tmp_path / "r", made.folder.local)


def test_other_markets_are_another_result(made, tmp_path):
    shutil.copytree(made.folder.local, tmp_path / "r")
    fx.run(STUDY, out=tmp_path / "own", chunk=70)
    for study, out, paths, what in (
        (STUDY, "r", paths_of(2), "was made on other paths; run it on those, choose another out, or overwrite=True"),
        (STUDY, "r", None, "was made on paths that were given"), (STUDY, "own", paths_of(), "was made on its own market"),
    ):  # fmt: skip
        for how in ({}, {"resume": True}):
            if paths is None and how:
                continue
            with pytest.raises(fx.RefusedError, match=what):
                fx.run(study, out=tmp_path / out, paths=paths, **how)
    assert fx.verify(tmp_path / "r")
    fx.run(STUDY, out=tmp_path / "r", overwrite=True)
    assert not (tmp_path / "r" / "paths.parquet").exists()
    assert fx.verify(tmp_path / "r")


@pytest.mark.processes
def test_summaries_alone_a_sweep_and_workers(tmp_path):
    swept = STUDY.changed({"sweep.order.shares": [600, 1200], "output": {"rows": "all"}})
    result = fx.run(swept, out=tmp_path / "sweep", paths=paths_of(episodes=80))
    assert fx.verify(result, sample=2).faults == []
    alone = fx.run(STUDY.changed({"output": {"rows": "none"}}), out=tmp_path / "none", paths=paths_of())
    assert fx.verify(alone).faults == []
    fx.run(STUDY, out=tmp_path / "threads", paths=paths_of(), chunk=100)
    fx.run(STUDY, out=tmp_path / "workers", paths=paths_of(), chunk=100, workers=2)
    assert_same_files(tmp_path / "threads", tmp_path / "workers")


@pytest.mark.parametrize(("call", "said"), [
    (lambda out: fx.run(STUDY, out=out, paths=np.ones((3, 12))),
     "paths: must be a MarketPaths(mid, spread, volume), not ndarray"),
    (lambda out: fx.run(STUDY.changed({"order.steps": 11}), out=out, paths=paths_of()),
     "paths have 12 steps, order.steps is 11"),
    (lambda out: fx.run(STUDY, out=out, paths=paths_of(), first_episode=4), "give those of a shard alone"),
])  # fmt: skip
def test_paths_that_do_not_fit_write_nothing(tmp_path, call, said):
    with pytest.raises(fx.InputError) as caught:
        call(tmp_path / "r")
    assert said in str(caught.value)
    assert not (tmp_path / "r").exists()
    assert Place.of(tmp_path / "r").children() == []
