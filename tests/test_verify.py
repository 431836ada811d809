"""Verify finds what is wrong: by the manifest, and by what the files hold where somebody wrote the manifest anew."""

from __future__ import annotations

import re
import shutil

import pytest

import fastexec as fx
from fastexec.errors import InputError
from fastexec.place import Place
from fastexec.runs import store
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from manifests import listed_anew
from test_shards import ROWS, SUMMARIES, shards


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    fx.run(Study.from_dict(ROWS), out=folder / "whole", chunk=500)
    return folder / "whole", shards(ROWS, folder, (0, 1000, 1500, 2500), chunk=500)


def test_verify_says_that_all_is_well(apart):
    whole, parts = apart
    found = verify(str(whole), sample=2)
    assert (found.chunks, found.episodes, found.simulated, found.faults) == (5, 2500, 2, [])
    assert verify(str(parts[1]), sample=9).faults == []


def edit(path, change):
    """Write a part anew with changed columns, signed as before."""
    place = Place.of(path)
    table, footer = store.read_table(place), store.read_footer(place)
    store.write_table(place, change(table), footer)


def moved(table, column, by):
    values = table[column].to_numpy().copy()
    values[3] += by
    return table.set_column(table.column_names.index(column), table.schema.field(column), [values])


@pytest.mark.parametrize(
    ("damage", "fault", "forged"),
    [
        (lambda p: p.unlink(), "is missing", None),
        (lambda p: p.write_bytes(p.read_bytes()[:-3000]), "bytes where the manifest says", "cannot be read"),
        (
            lambda p: edit(p, lambda t: moved(t, "shortfall_bps", 1e-9)),
            "has changed since|bytes where",
            "row 3: shortfall_bps is not the sum of its parts",
        ),
        (
            lambda p: edit(p, lambda t: moved(t, "episode", 1)),
            "has changed since|bytes where",
            "does not hold episodes 500 to 999, 6 rows each",
        ),
        (lambda p: edit(p, lambda t: t.slice(1)), "bytes where", "does not hold episodes 500 to 999"),
        (
            lambda p: edit(p, lambda t: moved(t, "completion", -0.5)),
            "has changed since|bytes where",
            "simulated again, its rows are others",
        ),
        (lambda p: shutil.copy(p, p.with_name("part-000000000123.parquet")), "belongs to no chunk of this study", ""),
        (
            lambda p: shutil.copy(p.with_name("part-000000000000.parquet"), p),
            "has changed since|bytes where",
            "is not that of this study's chunk",
        ),
    ],
)
def test_verify_names_what_is_wrong(apart, tmp_path, damage, fault, forged):
    """By the manifest; and by what the files hold, where somebody wrote the manifest anew."""
    folder = tmp_path / "r"
    shutil.copytree(apart[0], folder)
    damage(folder / "episodes" / "part-000000000500.parquet")
    for expected in (fault, forged):
        if expected is not None:
            (told,) = verify(str(folder), sample=5).faults
            assert re.search(expected, told)
            assert "part-000000000" in told
        if forged is not None:
            listed_anew(folder)


def test_verify_checks_the_tables_and_the_summaries_of_a_run_without_rows(apart, tmp_path):
    folder = tmp_path / "r"
    shutil.copytree(apart[0], folder)
    edit(folder / "comparison.parquet", lambda t: moved(t, "saving_bps", 1e-6))
    (told,) = verify(str(folder)).faults
    assert told.startswith(f"{folder}/comparison.parquet: ")
    listed_anew(folder)
    assert verify(str(folder)).faults == [f"{folder}/comparison.parquet: is not what the episodes come to"]
    fx.run(Study.from_dict(SUMMARIES), out=tmp_path / "s")
    assert verify(str(tmp_path / "s")).faults == []
    with pytest.raises(InputError, match="holds no rows to compare with"):
        verify(str(tmp_path / "s"), sample=1)
    state = tmp_path / "s" / "moments" / "part-000000000000.parquet"
    state.write_bytes(state.read_bytes()[:1000])
    assert "has 1,000 bytes" in verify(str(tmp_path / "s")).faults[0]
    listed_anew(tmp_path / "s")
    assert (
        "is damaged" in verify(str(tmp_path / "s")).faults[0]
        or "cannot be read" in verify(str(tmp_path / "s")).faults[0]
    )
