"""Files that nobody would write: study files, agents and Parquet footers of any content end in one line or in results."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import fastexec as fx
from conftest import SMALL
from fastexec.errors import FastexecError
from fastexec.learning.agent import agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.learning.training import train
from fastexec.place import Place
from fastexec.runs import provenance, store
from fastexec.runs.replay import replay_episode
from fastexec.runs.status import status
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from markets import markov

BOUNDED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STUDY = Study.from_dict({**SMALL, "episodes": 200})
TEXT = STUDY.to_toml()
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.just("../../outside"),
    st.just({}),
    st.just([]),
)


def told_in_one_line(call, *arguments, **options):
    """Results, or an error of ours in one line; anything else fails the test."""
    try:
        return call(*arguments, **options)
    except FastexecError as error:
        told = str(error)
    assert "\n" not in told
    return None


@st.composite
def damaged(draw, data: bytes):
    """``data`` cut, or with some bytes replaced, inserted or removed."""
    at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 12))
    return draw(st.sampled_from([data[:at], data[:at] + draw(st.binary(max_size=12)) + data[at + length :]]))


@BOUNDED
@given(damaged(TEXT.encode()))
def test_study_files(tmp_path, data):
    path = tmp_path / "study.toml"
    path.write_bytes(data)
    study = told_in_one_line(Study.load, path)
    if study is not None:
        assert Study.from_toml(study.to_toml()).identity() == study.identity()


@BOUNDED
@given(st.dictionaries(st.sampled_from([*SMALL, "output", "train", "x"]), st.one_of(SCALARS, st.dictionaries(
    st.sampled_from(["shares", "steps", "model", "price", "lot", "rows", "mean", "name", "y"]), SCALARS, max_size=4,
)), max_size=5))  # fmt: skip
def test_nested_keys(changes):
    told_in_one_line(Study.from_dict, {**SMALL, **changes})


@BOUNDED
@given(st.text(max_size=20), SCALARS)
def test_names_stay_within_the_results_folder(name, value):
    study = told_in_one_line(Study.from_dict, {**SMALL, "name": name})
    if study is not None:
        inside = (Path("results") / study.name).resolve()
        assert inside.parent == Path("results").resolve()
    told_in_one_line(Study.from_dict, {**SMALL, "name": value})


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    path = tmp_path_factory.mktemp("agent") / "a.parquet"
    training = {"features": [{"name": "inventory", "bins": 5}], "actions": {"set": "fractions", "levels": [0.0, 0.5, 1.0]},
                "batch": 512, "rounds": 1}  # fmt: skip
    pq.write_table(agent_table(train(markov(train={"a": training}), "a")), path)
    return path.read_bytes()


@BOUNDED
@given(st.data())
def test_agent_files(agent, tmp_path, data):
    path = tmp_path / "agent.parquet"
    path.write_bytes(data.draw(damaged(agent)))
    told_in_one_line(read_agent, path)


@BOUNDED
@given(st.data())
def test_agent_metadata(agent, tmp_path, data):
    path = tmp_path / "agent.parquet"
    path.write_bytes(agent)
    table = pq.read_table(path)
    key, meta = next(iter(table.schema.metadata.items()))
    changed = json.loads(meta)
    changed[data.draw(st.sampled_from(sorted(changed)))] = data.draw(SCALARS)
    pq.write_table(table.replace_schema_metadata({key: json.dumps(changed)}), path)
    told_in_one_line(read_agent, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("fuzz") / "r"
    fx.run(STUDY, out=place, chunk=100)
    return place


FILES = ("study.toml", "summary.parquet", "comparison.parquet", "markets/part-000000000100.parquet", "run.json",
         "episodes/part-000000000100.parquet", "manifest.parquet")  # fmt: skip


def everything(folder):
    """What a user may do with a folder of results; each ends in results or in one line."""
    for by in (None, "market_volume:2"):
        told_in_one_line(fx.compare, folder, by=by)
    told_in_one_line(replay_episode, folder, 7)
    told_in_one_line(status, str(folder))
    told_in_one_line(verify, str(folder), sample=2)
    told_in_one_line(fx.run, STUDY, out=folder, resume=True)


@settings(BOUNDED, max_examples=25)
@given(st.sampled_from(FILES), st.data())
def test_result_files(folder, tmp_path, name, data):
    work = tmp_path / "r"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work)
    (work / name).write_bytes(data.draw(damaged((work / name).read_bytes())))
    everything(work)
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@settings(BOUNDED, max_examples=25)
@given(st.sampled_from([name for name in FILES if name.endswith("parquet") and name != "manifest.parquet"]), st.data())
def test_footers(folder, tmp_path, name, data):
    work = tmp_path / "r"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work)
    place = Place.of(work / name)
    footer, table = store.read_footer(place), store.read_table(place)
    keys = data.draw(st.lists(st.sampled_from(sorted(footer)), max_size=3))
    footer |= {key: data.draw(SCALARS) for key in keys}
    if data.draw(st.booleans()):
        footer.pop(data.draw(st.sampled_from(sorted(footer))))
    signed = table.replace_schema_metadata({provenance.KEY: json.dumps(footer).encode()})
    pq.write_table(signed, work / name)
    everything(work)
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.fixture(scope="module")
def summaries(tmp_path_factory):
    place = tmp_path_factory.mktemp("fuzz") / "s"
    fx.run(STUDY.changed({"output": {"rows": "none"}}), out=place)
    return place


@settings(BOUNDED, max_examples=25)
@given(st.data())
def test_summaries_so_far(summaries, tmp_path, data):
    work, name = tmp_path / "r", "moments/part-000000000000.parquet"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(summaries, work)
    (work / name).write_bytes(data.draw(damaged((work / name).read_bytes())))
    told_in_one_line(verify, str(work))
    fx.run(STUDY.changed({"output": {"rows": "none"}}), out=work, resume=True)
    assert (work / name).read_bytes() == (summaries / name).read_bytes()


WORD = {"done": 1, "total": 300, "found": 0, "steps": 6, "seconds": 1.0, "failures": 0, "written": 1.0, "host": "h",
        "process": 1}  # fmt: skip


@BOUNDED
@given(st.data())
def test_words_of_progress(folder, tmp_path, data):
    """Whatever stands in progress.json: a word of progress, or none."""
    work = tmp_path / "r"
    if not work.exists():
        shutil.copytree(folder, work)
        (work / "manifest.parquet").unlink()
    changed = WORD | {data.draw(st.sampled_from(sorted(WORD))): data.draw(SCALARS)}
    text = data.draw(st.one_of(st.just(json.dumps(changed).encode()), damaged(json.dumps(WORD).encode()), st.binary()))
    (work / "progress.json").write_bytes(text)
    found = status(str(work))
    assert found.state == "incomplete"
    assert found.where == "" or found.age >= 0.0
