"""Runs into a folder: interrupted and resumed, extended, refused; files that sign their work and open everywhere."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import SMALL, data_file
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.place import Place
from fastexec.runs import executors, store
from fastexec.runs.work import work
from fastexec.studies.study import Study

EPISODES, CHUNK = 2500, 1000


def study(**changes):
    return Study.from_dict({**SMALL, "episodes": EPISODES, **changes})


def files(folder: Path) -> dict[str, pa.Table]:
    """Every Parquet file of a folder, with its metadata; the manifest is outside of what two runs share, as run.json is."""
    paths = [path for path in sorted(folder.rglob("*.parquet")) if path.name != "manifest.parquet"]
    return {str(path.relative_to(folder)): pq.read_table(path) for path in paths}


def assert_same_files(a: Path, b: Path) -> None:
    left, right = files(a), files(b)
    assert left.keys() == right.keys()
    for name, table in left.items():
        assert table.equals(right[name], check_metadata=True), name
    assert (a / "study.toml").read_text().splitlines()[1:] == (b / "study.toml").read_text().splitlines()[1:]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    fx.run(study(output={"steps": 7}), out=folder, chunk=CHUNK, threads=2)
    return folder


def test_a_run_leaves_what_the_contract_names(whole):
    names = {str(p.relative_to(whole)) for p in whole.rglob("*") if p.is_file()}
    parts = {f"{table}/part-{first:012d}.parquet" for table in ("markets", "episodes") for first in (0, 1000, 2000)}
    single = {
        "study.toml",
        "run.json",
        "manifest.parquet",
        "summary.parquet",
        "comparison.parquet",
        ".lock",
        "steps/part-000000000000.parquet",
    }
    assert names == parts | single
    assert pq.read_table(whole / "steps" / "part-000000000000.parquet").num_rows == 7 * 6 * 12
    record = json.loads((whole / "run.json").read_text())
    assert record["episodes"] == EPISODES
    assert record["peak_memory_mb"] > 0


def test_rows_equal_simulate_in_memory(whole):
    rows = pa.concat_tables([pq.read_table(p) for p in sorted((whole / "episodes").glob("*.parquet"))])
    again = fx.simulate(study()).to_arrow()
    assert rows.replace_schema_metadata(None).unify_dictionaries().equals(again.unify_dictionaries())


def test_one_thread_and_two_and_two_chunk_sizes_give_the_same_rows_and_summary(whole, tmp_path):
    fx.run(study(output={"steps": 7}), out=tmp_path / "one", chunk=CHUNK, threads=1)
    assert_same_files(whole, tmp_path / "one")
    fx.run(study(), out=tmp_path / "big", chunk=16_384, threads=2)
    for name in ("summary", "comparison"):
        a, b = (pq.read_table(folder / f"{name}.parquet") for folder in (whole, tmp_path / "big"))
        assert a.equals(b, check_metadata=True)


def interrupted(folder, monkeypatch, error, at=1000):
    """A run that fails in one chunk."""

    def failing(job, task):
        if task.first == at:
            raise error
        return work(job, task)

    monkeypatch.setattr(executors, "work", failing)
    with pytest.raises(KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else FastexecError) as caught:
        fx.run(study(output={"steps": 7}), out=folder, chunk=CHUNK, threads=1)
    monkeypatch.setattr(executors, "work", work)
    return str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_interrupted_and_resumed_equals_a_single_run(whole, tmp_path, monkeypatch, error):
    told = interrupted(tmp_path / "r", monkeypatch, error)
    if isinstance(error, RuntimeError):
        assert told.startswith("episodes 1000 to 1999 failed (RuntimeError: a bug); to see it alone: fastexec.run(")
        assert "first_episode=1000, episodes=1000, chunk=1000" in told
    assert not (tmp_path / "r" / "summary.parquet").exists()
    assert not list((tmp_path / "r").rglob("*.tmp"))
    with pytest.raises(RefusedError, match="incomplete; resume=True goes on"):
        fx.run(study(output={"steps": 7}), out=tmp_path / "r")
    done = []
    fx.run(study(output={"steps": 7}), out=tmp_path / "r", resume=True, progress=done.append)
    assert (done[-1].done, done[-1].total) == (EPISODES, EPISODES)
    assert_same_files(whole, tmp_path / "r")


def test_a_complete_run_is_shown_again_and_nothing_is_written(whole):
    before = {p: p.stat().st_mtime_ns for p in whole.rglob("*.parquet")}
    result = fx.run(study(output={"steps": 7}), out=whole)
    assert result.finished_before
    assert result.summary.num_rows == 6
    assert before == {p: p.stat().st_mtime_ns for p in whole.rglob("*.parquet")}


def test_more_episodes_extend_and_equal_a_single_run(tmp_path):
    fx.run(study(episodes=1500), out=tmp_path / "r", chunk=CHUNK)
    with pytest.raises(RefusedError, match="incomplete"):
        fx.run(study(), out=tmp_path / "r")
    fx.run(study(), out=tmp_path / "r", resume=True)
    fx.run(study(), out=tmp_path / "single", chunk=CHUNK)
    assert_same_files(tmp_path / "single", tmp_path / "r")


def test_another_study_another_chunk_and_other_peoples_files_are_refused(tmp_path):
    folder = tmp_path / "r"
    fx.run(study(episodes=1500), out=folder, chunk=CHUNK)
    with pytest.raises(RefusedError, match="holds another study"):
        fx.run(study(seed=6), out=folder)
    with pytest.raises(RefusedError, match=r"chunk=500: .* has chunks of 1000"):
        fx.run(study(), out=folder, resume=True, chunk=500)
    (folder / "episodes" / "mine.txt").write_text("keep")
    fx.run(study(seed=6, episodes=100), out=folder, overwrite=True)
    assert (folder / "episodes" / "mine.txt").read_text() == "keep"
    assert sorted(p.name for p in (folder / "episodes").glob("*.parquet")) == ["part-000000000000.parquet"]
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("keep")
    with pytest.raises(RefusedError, match="holds other files"):
        fx.run(study(), out=foreign, overwrite=True)
    assert [p.name for p in foreign.iterdir()] == ["thesis.tex"]
    with pytest.raises(InputError, match="is a file"):
        fx.run(study(), out=foreign / "thesis.tex")


def test_a_foreign_chunk_is_refused_and_a_damaged_one_computed_again(whole, tmp_path, monkeypatch):
    folder = tmp_path / "r"
    interrupted(folder, monkeypatch, RuntimeError(), at=2000)
    part = folder / "episodes" / "part-000000000000.parquet"
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])
    fx.run(study(output={"steps": 7}), out=folder, resume=True)
    assert_same_files(whole, folder)
    other = tmp_path / "other"
    fx.run(study(seed=99), out=other, chunk=CHUNK)
    (folder / "summary.parquet").unlink()
    os.replace(other / "episodes" / part.name, part)
    with pytest.raises(RefusedError, match="belongs to another study"):
        fx.run(study(output={"steps": 7}), out=folder, resume=True)


def test_a_second_writer_is_refused(tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(RefusedError, match="another run writes there"):
            fx.run(study(), out=folder)
    fx.run(study(episodes=10), out=folder)


def test_a_full_disk_is_one_line_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(handle):
        if "part-" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / "r"
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FastexecError, match="No space left on device") as caught:
        fx.run(study(), out=folder, chunk=CHUNK)
    assert caught.value.exit_status == 1
    assert "\n" not in str(caught.value)
    assert not list(folder.rglob("*.tmp"))
    assert not list(folder.rglob("part-*"))


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no path"):
        fx.run(study(), out=tmp_path / "file" / "below")


def test_summaries_only(whole, tmp_path):
    fx.run(study(output={"rows": "none"}), out=tmp_path / "r", chunk=CHUNK)
    assert {p.name for p in (tmp_path / "r").rglob("*.parquet")} == {
        "summary.parquet",
        "comparison.parquet",
        "manifest.parquet",
        "part-000000000000.parquet",  # how far the summary has come
    }
    assert pq.read_table(tmp_path / "r" / "summary.parquet").equals(pq.read_table(whole / "summary.parquet"))


def test_the_file_is_rebuilt_from_its_footer(whole):
    """Promise 7: footer and inputs suffice."""
    path = whole / "episodes" / "part-000000001000.parquet"
    footer = store.read_footer(Place.of(path))
    assert footer["schema_version"] == 2
    assert set(footer) == {"schema_version", "kind", "study", "identity", "seed", "first_episode", "episodes", "versions",
                           "kernels", "inputs"}  # fmt: skip
    rebuilt = Study.from_toml(footer["study"])
    assert rebuilt.identity() == footer["identity"]
    results = fx.simulation.prepare(rebuilt).run(footer["first_episode"], footer["episodes"])
    assert pq.read_table(path).replace_schema_metadata(None).equals(results.to_arrow())
    text = json.dumps(footer)
    assert os.uname().nodename not in text or len(os.uname().nodename) < 4


def test_files_open_in_pandas_duckdb_and_polars(whole):
    import duckdb
    import pandas as pd
    import polars as pl

    pattern = str(whole / "episodes" / "*.parquet")
    query = f"SELECT strategy, avg(shortfall_bps) AS cost, count(*) AS n FROM '{pattern}' GROUP BY strategy"
    by_duck = {name: (cost, n) for name, cost, n in duckdb.sql(query).fetchall()}
    by_pandas = pd.read_parquet(whole / "episodes").groupby("strategy", observed=True)["shortfall_bps"].mean()
    lazy = pl.scan_parquet(pattern).group_by("strategy").agg(pl.col("shortfall_bps").mean())
    by_polars = dict(zip(*lazy.collect().get_columns(), strict=True))
    summary = {row["strategy"]: row for row in pq.read_table(whole / "summary.parquet").to_pylist()}
    for name, row in summary.items():
        assert by_duck[name] == (pytest.approx(row["shortfall_mean_bps"], rel=1e-12), EPISODES)
        assert by_pandas[name] == pytest.approx(row["shortfall_mean_bps"], rel=1e-12)
        assert by_polars[name] == pytest.approx(row["shortfall_mean_bps"], rel=1e-12)
    joined = duckdb.sql(
        f"SELECT count(*) FROM '{pattern}' e JOIN '{whole}/markets/*.parquet' m USING (episode) WHERE m.side = 'sell'"
    ).fetchall()
    assert joined == [(EPISODES * 6,)]


def test_a_file_being_written_is_seen_by_no_glob(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append(list(tmp_path.glob("*.parquet"))))
    (Place.of(tmp_path) / "part-000000000000.parquet").write(b"whole")
    assert seen[0] == []
    assert (tmp_path / "part-000000000000.parquet").read_bytes() == b"whole"


def test_replayed_days_run_and_give_their_interval_over_days(tmp_path):
    bars = data_file("us_bars_1min.parquet")
    replay = Study.from_dict(
        {
            "name": "ibm",
            "order": {"shares": 20_000, "steps": 60},
            "market": {"model": "replay", "bars": str(bars), "symbol": "IBM"},
            "strategies": [{"model": m} for m in ("twap", "vwap", "pov", "almgren_chriss", "static_optimum")],
        }
    )
    fx.run(replay, out=tmp_path / "r", chunk=7)
    fx.run(replay, out=tmp_path / "s")
    tables = [pq.read_table(tmp_path / x / "comparison.parquet") for x in "rs"]
    assert tables[0].equals(tables[1])
    rows = tables[0].to_pylist()
    episodes = pa.concat_tables([pq.read_table(p) for p in sorted((tmp_path / "r" / "episodes").glob("*"))])
    markets = pa.concat_tables([pq.read_table(p) for p in sorted((tmp_path / "r" / "markets").glob("*"))])
    cost = episodes["shortfall_bps"].to_numpy().reshape(-1, 5)
    day = markets["day"].to_numpy()
    assert len(np.unique(day)) == 5
    d = cost[:, 0] - cost[:, 2]
    sums = np.array([np.sum((d - d.mean())[day == x]) for x in np.unique(day)])
    error = np.sqrt(5 / 4 * np.sum(sums**2)) / d.size
    row = next(r for r in rows if r["strategy"] == "pov")
    assert row["standard_error_bps"] == pytest.approx(error, rel=1e-10)
    assert row["ci_high_bps"] - row["saving_bps"] == pytest.approx(2.7764451051977987 * error, rel=1e-9)
    assert row["saving_cv_bps"] is None
    footer = store.read_footer(Place.of(tmp_path / "r" / "episodes" / "part-000000000000.parquet"))
    assert len(footer["inputs"][str(bars)]) == 64
    four = replay.with_overrides(["market.days=[20131004, 20131007, 20131008, 20131009]"])
    fx.run(four, out=tmp_path / "four")
    assert all(r["ci_low_bps"] is None for r in pq.read_table(tmp_path / "four" / "comparison.parquet").to_pylist())
    assert any("conditional on these 4 days" in note for note in fx.compare(tmp_path / "four").notes)


def test_more_episodes_than_windows_are_refused_before_anything_is_written(tmp_path):
    bars = data_file("us_bars_1min.parquet")
    study_ = Study.from_dict({"episodes": 31, "order": {"steps": 60}, "strategies": [{"model": "twap"}],
                              "market": {"model": "replay", "bars": str(bars), "symbol": "IBM"}})  # fmt: skip
    with pytest.raises(InputError, match="31 asked for, the bars hold 30 windows"):
        fx.run(study_, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()
