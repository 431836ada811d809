"""Nothing in a folder of results changes silently: every flip is found, nothing is mixed, and what is a stranger's stays."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from fastexec.analysis.report.write import write_report
from fastexec.cli.main import main
from fastexec.errors import FastexecError, InputError
from fastexec.place import Place
from fastexec.runs import layout, manifest, store
from fastexec.runs.manifest import Entry, Manifest
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from manifests import LEARNED, forged, learned

PLUGIN = '''
import fastexec as fx

@fx.strategy("patient")
def patient(shares, remaining, mid, spread, last_volume, params, step, steps):
    """Even slices."""
    for i in range(shares.shape[0]):
        shares[i] = remaining[i] / (steps - step)
'''
FLIPS = 50


@pytest.fixture
def said(capsys, monkeypatch):
    """Run the command line in this process: (status, standard output, standard error)."""
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest keeps its own handler of Ctrl-C

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folders that together hold every kind of file."""
    base = tmp_path_factory.mktemp("manifest")
    (base / "own.py").write_text(PLUGIN)
    own = {**LEARNED, "plugins": ["own.py"], "strategies": [*LEARNED["strategies"], {"model": "patient"}]}
    fx.run(Study.from_dict(own, folder=base), out=base / "rows", chunk=500)
    fx.run(learned(output={"rows": "none"}, sweep={"market.price.volatility": [0.001, 0.002]}), out=base / "swept")
    return base


KINDS = [
    ("rows", "study.toml"), ("rows", "run.json"), ("rows", "manifest.parquet"), ("rows", "summary.parquet"),
    ("rows", "comparison.parquet"), ("rows", "agents/a.parquet"), ("rows", "plugins/own.py"),
    ("rows", "markets/part-000000000500.parquet"), ("rows", "episodes/part-000000001000.parquet"),
    ("rows", "steps/part-000000000000.parquet"), ("swept", "scenarios.parquet"),
    ("swept", "moments/scenario=volatility_0.001/part-000000000000.parquet"),
    ("swept", "agents/scenario=volatility_0.002/a.parquet"),
]  # fmt: skip


@pytest.mark.parametrize(("folder", "name"), KINDS, ids=[f"{folder}-{name.split('/')[0]}" for folder, name in KINDS])
def test_verify_finds_every_single_flip(made, tmp_path, folder, name):
    shutil.copytree(made / folder, tmp_path / "r")
    path, draws = tmp_path / "r" / name, random.Random(name)
    whole, found = path.read_bytes(), 0
    for _ in range(FLIPS):
        flipped = bytearray(whole)
        flipped[draws.randrange(len(whole))] ^= 1 << draws.randrange(8)
        path.write_bytes(flipped)
        try:
            found += bool(verify(str(tmp_path / "r")).faults)
        except FastexecError as error:
            found += "\n" not in str(error)
    path.write_bytes(whole)
    assert found == FLIPS
    assert verify(str(tmp_path / "r")).faults == []


def test_the_manifest_names_every_file_and_its_rows(made):
    known = manifest.read(Place.of(made / "rows"))
    there = {str(p.relative_to(made / "rows")) for p in (made / "rows").rglob("*") if p.is_file()}
    assert set(known.files) == there - {".lock", "manifest.parquet"}
    assert (known.complete, known.first, known.episodes) == (True, 0, 1500)
    for name, entry in known.files.items():
        assert entry.size == (made / "rows" / name).stat().st_size
        if name.endswith(".parquet"):
            assert entry.rows == pq.read_metadata(made / "rows" / name).num_rows
    table = pq.read_table(made / "rows" / "manifest.parquet")
    assert table.column_names == ["file", "sha256", "bytes", "rows"]


def test_a_manifest_seals_itself_and_names_no_file_outside(tmp_path):
    place, known = Place.of(tmp_path), Manifest("a" * 64, 0, 10, True, {"run.json": Entry("b" * 64, 5, None)})
    manifest.write(place, known)
    assert manifest.read(place) == known
    manifest.write(place, replace(known, files={"../run.json": Entry("b" * 64, 5, None)}))
    with pytest.raises(InputError, match="is damaged, or no manifest"):
        manifest.read(place)


@pytest.mark.parametrize("name", ["summary.parquet", "study.toml", "markets/part-000000000500.parquet"])
def test_compare_and_report_check_the_files_they_open(made, tmp_path, name):
    shutil.copytree(made / "rows", tmp_path / "r")
    data = bytearray((tmp_path / "r" / name).read_bytes())
    data[-3 if name == "study.toml" else 200] ^= 1
    (tmp_path / "r" / name).write_bytes(data)
    for read in (lambda folder: fx.compare(folder, by="market_volume:2"), write_report):
        with pytest.raises(InputError) as caught:
            read(tmp_path / "r")
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    if name.startswith("markets"):
        assert fx.compare(tmp_path / "r").baseline == "twap"


@pytest.mark.parametrize(
    "text",
    [
        "no json", "[]", "{}", "[" * 100_000, '{"done": "x"}', '{"done": 1e999}', "\udc80", "null", "9" * 5000,
        json.dumps({"done": "1", "total": 2, "found": 0, "steps": 1, "seconds": 1.0, "failures": 0, "written": 0.0,
                    "host": "h", "process": 1}),
        json.dumps({"done": 10**400, "total": 2, "found": 0, "steps": 1, "seconds": 1.0, "failures": 0, "written": 0.0,
                    "host": "h", "process": 1}),
        json.dumps({"done": 1, "total": 2, "found": 0, "steps": 1, "seconds": -1.0, "failures": 0, "written": 1e300,
                    "host": "h", "process": 1}),
    ],
)  # fmt: skip
def test_a_malformed_word_of_progress_is_no_word(made, tmp_path, text, said):
    shutil.copytree(made / "rows", tmp_path / "r")
    (tmp_path / "r" / "manifest.parquet").unlink()
    (tmp_path / "r" / "progress.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    ended, out, error = said("status", tmp_path / "r")
    assert (ended, error) == (0, "")
    assert "incomplete" in out


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.drop_columns(["shortfall_mean_bps"]),
        lambda t: t.append_column("more", pa.array([1] * len(t))),
        lambda t: t.set_column(t.column_names.index("episodes"), "episodes", pa.array([1.5] * len(t))),
        lambda t: t.set_column(
            t.column_names.index("wins"), t.schema.field("wins"), [pa.array([[1]] * len(t), pa.list_(pa.int64()))]
        ),
        lambda t: t.set_column(
            t.column_names.index("timing_comoments"),
            t.schema.field("timing_comoments"),
            [pa.array([[0.5] * 99] * len(t), pa.list_(pa.float64()))],
        ),
        lambda t: t.slice(1),
        lambda t: t.slice(0, 0),
        lambda t: pa.concat_tables([t, t]).unify_dictionaries(),
    ],
)
def test_a_forged_summary_ends_in_one_line(made, tmp_path, change, said):
    """Also by somebody who writes the manifest anew."""
    shutil.copytree(made / "rows", tmp_path / "r")
    forged(tmp_path / "r", "summary.parquet", change(store.read_table(Place.of(tmp_path / "r" / "summary.parquet"))))
    for verb in ("compare", "verify", "report"):
        ended, _, error = said(verb, tmp_path / "r")
        assert ended in (1, 2)
        assert error.count("\n") == 1
        assert "fault of fastexec itself" not in error


def test_a_file_that_says_it_holds_far_more_than_it_can_is_refused_before_it_is_read(made, tmp_path):
    shutil.copytree(made / "rows", tmp_path / "r")
    count = 50_000_000
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["sell"]))
    bomb = pa.table(
        {name: names if name == "side" else pa.array(np.zeros(count, np.int64)) for name in ("episode", "side")}
    )
    part = tmp_path / "r" / "markets" / "part-000000000000.parquet"
    footer = store.read_footer(Place.of(part))
    store.write_table(Place.of(part), bomb, footer)
    with pytest.raises(InputError, match=r"bytes hold 50,000,000 rows|column .* is missing"):
        store.read_table(Place.of(part))


def test_what_is_not_named_is_told(made, tmp_path):
    shutil.copytree(made / "rows", tmp_path / "r")
    place = Place.of(tmp_path / "r")
    known = manifest.read(place)
    files = {name: entry for name, entry in known.files.items() if name != "steps/part-000000000000.parquet"}
    manifest.write(place, replace(known, files=files))
    (told,) = verify(str(tmp_path / "r")).faults
    assert told.endswith("steps/part-000000000000.parquet: the manifest does not name it")
    shutil.copy(tmp_path / "r" / "markets" / layout.part_name(0), tmp_path / "r" / "markets" / layout.part_name(7))
    manifest.write(place, known)
    (told,) = verify(str(tmp_path / "r")).faults
    assert "part-000000000007.parquet: belongs to no chunk" in told


def test_a_trained_agent_is_among_the_inputs_of_its_rows(made):
    footer = store.read_footer(Place.of(made / "rows" / "episodes" / "part-000000000000.parquet"))
    assert (
        footer["inputs"]["agents/a.parquet"] == manifest.read(Place.of(made / "rows")).files["agents/a.parquet"].sha256
    )
    assert "own.py" in footer["inputs"]
