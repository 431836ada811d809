"""Results are not lost: runs are never cut, overwriting waits until the new study runs, damaged files are made anew."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from conftest import small_study
from fastexec.errors import FastexecError, RefusedError
from fastexec.runs.run import run
from fastexec.studies.study import Study


def test_a_run_is_extended_and_never_cut(tmp_path):
    study = Study.model_validate(small_study().model_dump())
    run(study, out=tmp_path / "r", chunk=200)
    before = {path.name: path.read_bytes() for path in (tmp_path / "r" / "episodes").iterdir()}
    for resume in (True, False):
        with pytest.raises(RefusedError, match="holds 600 episodes, more than the 150 asked for"):
            run(study.changed({"episodes": 150}), out=tmp_path / "r", resume=resume)
    assert {path.name: path.read_bytes() for path in (tmp_path / "r" / "episodes").iterdir()} == before


def test_overwrite_removes_nothing_before_the_new_study_is_known_to_run(tmp_path):
    study = Study.model_validate(small_study().model_dump())
    run(study, out=tmp_path / "r")
    broken = Study.model_validate(small_study(costs={"temporary": {"coefficient": 1e307}}).model_dump())
    with pytest.raises(FastexecError, match="no finite number"):
        run(broken, out=tmp_path / "r", overwrite=True)
    assert run(study, out=tmp_path / "r").finished_before


@pytest.mark.parametrize("name", ["summary.parquet", "comparison.parquet"])
def test_a_damaged_table_is_made_anew(tmp_path, name):
    study = Study.model_validate(small_study().model_dump())
    run(study, out=tmp_path / "r")
    whole = pq.read_table(tmp_path / "r" / name)
    other = {"summary.parquet": "comparison.parquet", "comparison.parquet": "summary.parquet"}[name]
    for damage in (b"PAR1", (tmp_path / "r" / other).read_bytes()):
        (tmp_path / "r" / name).write_bytes(damage)
        run(study, out=tmp_path / "r", resume=True)
        assert pq.read_table(tmp_path / "r" / name).equals(whole)


def test_damage_within_a_part_is_computed_again(tmp_path):
    study = Study.model_validate(small_study().model_dump())
    run(study, out=tmp_path / "r")
    path = tmp_path / "r" / "markets" / "part-000000000000.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes(b ^ 255 for b in whole[200:260]) + whole[260:])
    run(study, out=tmp_path / "r", resume=True)
    assert path.read_bytes() == whole
