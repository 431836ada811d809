"""Shards run apart and merged equal a single run; verify finds what is wrong; status tells how far a run is."""

from __future__ import annotations

import fcntl
import json
import shutil
import signal

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from commands import typed
from conftest import SMALL, data_file
from fastexec.cli.main import main
from fastexec.errors import InputError, RefusedError
from fastexec.place import Place
from fastexec.runs import progress
from fastexec.runs.chunks import cut, memory
from fastexec.runs.merge import merge
from fastexec.runs.options import RunOptions
from fastexec.runs.status import status
from fastexec.simulation import prepare
from fastexec.statistics import moments
from fastexec.studies.study import Study
from test_run import assert_same_files

ROWS = {**SMALL, "episodes": 2500, "output": {"steps": 7}}
SUMMARIES = {**SMALL, "episodes": 20_000, "output": {"rows": "none"}}


def shards(base, folder, borders, **options):
    """Run the episodes between the borders, each range in a folder of its own."""
    study, found = Study.from_dict(base), []
    for first, end in zip(borders, borders[1:], strict=False):
        found.append(folder / f"shard{first}")
        fx.run(study, out=found[-1], first_episode=first, episodes=end - first, **options)
    return found


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    fx.run(Study.from_dict(ROWS), out=folder / "whole", chunk=500)
    return folder / "whole", shards(ROWS, folder, (0, 1000, 1500, 2500), chunk=500)


def test_merged_shards_equal_a_single_run(apart, tmp_path):
    whole, parts = apart
    result = merge([parts[1], parts[2], parts[0]], tmp_path / "merged")
    assert result.summary.equals(
        pq.read_table(whole / "summary.parquet").replace_schema_metadata(result.summary.schema.metadata)
    )
    assert_same_files(whole, tmp_path / "merged")
    assert (whole / "study.toml").read_text() == (tmp_path / "merged" / "study.toml").read_text()
    merge(parts, tmp_path / "merged")  # once more, as after a crash
    assert_same_files(whole, tmp_path / "merged")


@pytest.mark.parametrize("node", [2 * moments.LEAF, moments.NODE])
def test_merged_summaries_equal_a_single_run(tmp_path, monkeypatch, node):
    """Borders within nodes, on them, and a shard that ends in the midst of a leaf."""
    monkeypatch.setattr(moments, "NODE", node)
    monkeypatch.setattr("fastexec.statistics.summary.NODE", node)
    leaf, study = moments.LEAF, Study.from_dict(SUMMARIES)
    fx.run(study, out=tmp_path / "whole", chunk=3 * leaf)
    fx.run(study, out=tmp_path / "odd", chunk=999)
    merge(shards(SUMMARIES, tmp_path, (0, leaf, 4 * leaf, 20_000), chunk=leaf), tmp_path / "merged")
    for name in ("summary", "comparison"):
        tables = [pq.read_table(tmp_path / x / f"{name}.parquet") for x in ("whole", "odd", "merged")]
        assert tables[0].equals(tables[1], check_metadata=True)
        assert tables[0].equals(tables[2], check_metadata=True)
    fx.run(study.changed({"episodes": 25_000}), out=tmp_path / "merged", resume=True)
    fx.run(study.changed({"episodes": 25_000}), out=tmp_path / "longer")
    assert_same_files(tmp_path / "longer", tmp_path / "merged")
    assert fx.compare(tmp_path / "merged", baseline="pov10").baseline == "pov10"


def test_gaps_overlaps_and_strangers_are_refused_and_nothing_is_written(apart, tmp_path):
    _, parts = apart
    out = tmp_path / "out"
    with pytest.raises(InputError, match="episodes 1000 to 1499; run them with --first-episode 1000 --episodes 500"):
        merge([parts[0], parts[2]], out)
    with pytest.raises(InputError, match="both hold episodes 0 to 999"):
        merge([parts[0], parts[0], *parts[1:]], out)
    other = Study.from_dict({**ROWS, "seed": 6})
    fx.run(other, out=tmp_path / "other", chunk=500, first_episode=1000, episodes=500)
    with pytest.raises(InputError, match="are of different studies"):
        merge([parts[0], tmp_path / "other"], out)
    with pytest.raises(InputError, match="have chunks of 500 and 250"):
        merge([parts[0], *shards(ROWS, tmp_path, (1000, 1500), chunk=250)], out)
    with pytest.raises(InputError, match="holds no results"):
        merge([parts[0], tmp_path / "nowhere"], out)
    with pytest.raises(InputError, match="is one of the shards"):
        merge(parts, parts[0])
    assert not out.exists()


def test_a_shard_begins_on_a_chunk_and_stays_where_it_began(tmp_path):
    study = Study.from_dict(ROWS)
    with pytest.raises(
        InputError, match="first_episode=700: must be a multiple of the chunk, 500 episodes: 500 or 1000"
    ):
        fx.run(study, out=tmp_path / "r", chunk=500, first_episode=700)
    with pytest.raises(InputError, match="the study has episodes 0 to 2499"):
        fx.run(study, out=tmp_path / "r", chunk=500, first_episode=2500)
    assert not (tmp_path / "r" / "study.toml").exists()
    fx.run(study, out=tmp_path / "r", chunk=500, first_episode=2000)
    assert pq.read_table(tmp_path / "r" / "markets")["episode"].to_pylist() == list(range(2000, 2500))
    with pytest.raises(RefusedError, match="holds episodes from 2000 on, asked for are those from 0 on"):
        fx.run(study, out=tmp_path / "r", resume=True)


def test_shards_of_a_replay(tmp_path):
    bars = str(data_file("us_bars_1min.parquet"))
    base = {"order": {"shares": 20_000, "steps": 60}, "market": {"model": "replay", "bars": bars, "symbol": "IBM"},
            "strategies": [{"model": "twap"}, {"model": "pov"}]}  # fmt: skip
    fx.run(Study.from_dict(base), out=tmp_path / "whole", chunk=7)
    merge([*shards(base, tmp_path, (0, 14, 21), chunk=7), *shards({**base, "episodes": 30}, tmp_path, (21, 30), chunk=7)],
          tmp_path / "merged")  # fmt: skip
    for name in ("summary", "comparison"):
        a, b = (pq.read_table(tmp_path / x / f"{name}.parquet") for x in ("whole", "merged"))
        assert a.equals(b, check_metadata=True)
    with pytest.raises(InputError, match="set output.rows to all"):
        fx.run(Study.from_dict({**base, "output": {"rows": "none"}}), out=tmp_path / "n", first_episode=4096)


def test_status(apart, tmp_path):
    found = status(str(apart[0]))
    assert (found.state, found.done, found.total) == ("complete", 2500, 2500)
    folder = tmp_path / "r"
    shutil.copytree(apart[0], folder)
    for name in ("comparison.parquet", "run.json", "episodes/part-000000001000.parquet"):
        (folder / name).unlink()
    found = status(str(folder))
    assert (found.state, found.done, found.total, found.word) == ("incomplete", 2000, 2500, None)
    (folder / progress.NAME).write_text("no json")
    assert status(str(folder)).word is None
    fx.run(Study.from_dict(SUMMARIES), out=tmp_path / "s")
    (tmp_path / "s" / "comparison.parquet").unlink()
    found = status(str(tmp_path / "s"))
    assert (found.state, found.done, found.total) == ("incomplete", 20_000, 20_000)
    progress.write(Place.of(folder), progress.Progress(1500, 2500, 500, 12, 10.0, 1))
    with (folder / ".lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        found = status(str(folder))
    assert (found.state, found.done) == ("running", 1500)
    assert (found.word.rate, found.word.left, found.word.failures) == (100.0, 10.0, 1)
    assert found.age < 60
    with pytest.raises(InputError, match="holds no results"):
        status(str(tmp_path / "nowhere"))


@pytest.mark.slow
def test_the_verbs(apart, tmp_path):
    whole, parts = apart
    status_, out, error = typed("merge", *parts, "--out", "m", "--quiet", cwd=tmp_path)
    assert (status_, out, error) == (0, "", "")
    status_, out, error = typed("verify", "m", "--sample", 2, cwd=tmp_path)
    assert (status_, error) == (0, "")
    assert out == "m: all is well: 5 chunks with 2,500 episodes, 2 of them simulated again, summary and comparison\n"
    assert typed("status", "m", cwd=tmp_path)[1] == "small: complete\n2,500 of 2,500 episodes (100.0 %)\n"
    (tmp_path / "m" / "episodes" / "part-000000000500.parquet").unlink()
    status_, out, error = typed("verify", "m", cwd=tmp_path)
    assert (status_, out.count("\n"), error.count("\n")) == (1, 1, 1)
    assert "part-000000000500.parquet: is missing" in out
    assert "m: 1 fault; `fastexec run m/study.toml --out m --resume` computes damaged and missing chunks anew" in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["merge", "--out", "x"], "Missing argument 'DIR...'"),
        (["merge", "nowhere"], "Missing option '--out'"),
        (["merge", "nowhere", "--out", "x"], "nowhere: holds no results (no study.toml); give the folders of shards"),
        (["verify", "nowhere"], "nowhere: holds no results"),
        (["verify", "nowhere", "--sample", "-1"], "-1 is not in the range"),
        (["status", "nowhere"], "nowhere: holds no results"),
        (["status", "xx://a/b"], "give a folder or s3://bucket/prefix"),
        (["run", "large_cap", "--out", "x", "--first-episode", "7"], "must be a multiple of the chunk, 32768 episodes"),
        (["run", "large_cap", "--out", "x", "--first-episode", "-1"], "-1 is not in the range"),
        (["run", "large_cap", "--out", "x", "--max-memory", "2 bananas"], "is no size; write for example 2GB"),
        (
            ["run", "large_cap", "--out", "x", "--max-memory", "10MB"],
            "this study needs at least 276 MB, with chunks of 1024",
        ),
        (["run", "large_cap", "--out", "x", "--chunk", "9000000"], "--chunk 9000000: at most 1000000 episodes"),
        (["run", "large_cap", "--out", "x", "--workers", "2", "--threads", "2"], "--threads and --workers: give one"),
        (["run", "large_cap", "--out", "x", "--workers", "0"], "0 is not in the range"),
    ],
)
def test_bad_words_are_one_line_status_2_and_write_nothing(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit) as caught:
        main(words)
    signal.signal(signal.SIGINT, before)
    out, error = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_memory_allowed_chooses_chunks_and_keeps_the_bits(apart, tmp_path):
    study = Study.from_dict({**ROWS, "episodes": 20_000})
    prepared = [prepare(study)]
    wide, tight = (cut(prepared, "all", RunOptions(max_memory=m), 2, None) for m in ("4GB", "300MB"))
    assert (wide.chunk, tight.chunk) == (32_768, 2_048)
    assert memory(prepared, "all", 2, tight) <= 300e6
    assert cut(prepared, "all", RunOptions(max_memory="400MB"), 2, 32_768).begun == 1
    assert cut([prepare(study.changed({"episodes": 2**40}))], "none", RunOptions(), 2, None).chunk == 2**20
    fx.run(study, out=tmp_path / "tight", max_memory="300MB")
    fx.run(study, out=tmp_path / "wide")
    a, b = (pq.read_table(tmp_path / x / "summary.parquet") for x in ("tight", "wide"))
    assert a.equals(b, check_metadata=True)


def test_a_run_tells_its_progress_and_removes_its_word_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    told, words = [], []

    def report(now):
        told.append(now)
        if len(told) > 1:
            words.append(json.loads((tmp_path / "r" / progress.NAME).read_text())["done"])

    fx.run(Study.from_dict(ROWS), out=tmp_path / "r", chunk=500, threads=1, progress=report)
    assert [now.done for now in told] == [500, 1000, 1500, 2000, 2500]
    assert all(now.left is not None and now.rate > 0 for now in told)
    assert words == [500, 1000, 1500, 2000]
    assert not (tmp_path / "r" / progress.NAME).exists()
    assert np.isclose(told[-1].left, 0.0)
