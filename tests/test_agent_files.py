"""Agent files that do not fit together: each is told in one line and ends with status 2, for whoever reads it."""

from __future__ import annotations

import signal
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from bad_agents import COLUMNS, META, meta_of, signed, spoilt
from fastexec.cli.main import main
from fastexec.errors import InputError
from fastexec.learning.agent import agent_table
from fastexec.learning.agent_file import read_agent
from fastexec.learning.training import train
from fastexec.simulation import simulate
from fastexec.studies.study import Study
from markets import SPREAD, markov

FEATURES = [
    {"name": "inventory", "bins": 5},
    {"name": "spread", "edges": [0.0004, 0.001]},
    {"name": "momentum", "edges": [0.0]},
]
TRAINING = {"features": FEATURES, "actions": {"set": "fractions", "levels": [0.0, 0.5, 1.0]}, "batch": 512, "rounds": 2}
ORDER = {"shares": 2000, "lot": 100, "steps": 4}
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def table():
    return agent_table(train(markov(order=ORDER, train={"a": TRAINING}), "a"))


@pytest.fixture(autouse=True)
def _interrupts():
    """The command line takes Ctrl-C for itself."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def study_of(path, **changes):
    strategies = [{"model": "twap"}, {"name": "filed", "model": "qtable", "agent": str(path)}]
    keys = {"episodes": 200, "order": ORDER, "market": {"spread": SPREAD}, "strategies": strategies}
    return Study.from_dict(keys | changes)


def ends(capsys, *words):
    """The status of the command line and its lines on standard error."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code, capsys.readouterr().err.splitlines()


def test_the_good_one_runs_and_is_shown(table, tmp_path, capsys):
    pq.write_table(table, tmp_path / "a.parquet")
    assert np.isfinite(simulate(study_of(tmp_path / "a.parquet")).episodes["shortfall_bps"]).all()
    assert ends(capsys, "show", tmp_path / "a.parquet") == (0, [])


@pytest.mark.parametrize("name", [*META, *COLUMNS])
def test_one_line_and_status_2(table, tmp_path, capsys, name):
    path, file = tmp_path / "a.parquet", tmp_path / "study.toml"
    pq.write_table(spoilt(table, name), path)
    file.write_text(study_of(path).to_toml())
    for words in (("show", path), ("run", file, "--out", tmp_path / "r", "--quiet")):
        status, lines = ends(capsys, *words)
        assert status == 2, lines
        (line,) = lines
        assert str(path) in line
        assert line.isprintable()
        assert len(line) < 600
    with pytest.raises(InputError):
        read_agent(path)


LISTS = ("q", "second", "tries")


def test_what_announces_more_than_it_holds_is_refused_at_once(table, tmp_path):
    """Millions of equal rows are a file of a few kilobytes, and gigabytes in memory."""
    rows = 1_000_000
    zeros = {name: pa.array(np.zeros(rows, np.int32)) for name in table.column_names if name not in LISTS}
    zeros |= {name: pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(3 * rows)), 3) for name in LISTS}
    bomb = pa.table({name: zeros[name] for name in table.column_names}).cast(table.schema.remove_metadata())
    pq.write_table(signed(bomb, meta_of(table)), tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    began = time.perf_counter()
    with pytest.raises(InputError, match="1,000,000 rows for 4 steps of 30 states"):
        read_agent(tmp_path / "a.parquet")
    assert time.perf_counter() - began < 1.0


def test_a_table_that_no_training_makes_is_refused_before_its_rows_are_counted(table, tmp_path):
    meta = meta_of(table)
    wide = {"bins": 32, "edges": np.linspace(0.1, 1.0, 31).tolist(), "steps": 0}
    meta["features"] = [{"name": name, **wide} for name in ("spread", "volume", "momentum", "volatility", "impact")]
    meta["features"].append({"name": "inventory", "bins": 1024, "edges": [], "steps": 0})
    meta["seen"] = [*[[0.0, 1.0]] * 5, None]
    pq.write_table(signed(table, meta), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="more than 40,000,000 cells"):
        read_agent(tmp_path / "a.parquet")


def test_an_agent_of_one_step_is_shown(tmp_path, capsys):
    one = markov(order={**ORDER, "steps": 1}, train={"a": TRAINING})
    pq.write_table(agent_table(train(one, "a")), tmp_path / "a.parquet")
    assert ends(capsys, "show", tmp_path / "a.parquet") == (0, [])


def test_a_rule_goes_on_only_from_an_agent_that_it_understands(tmp_path):
    features = [*FEATURES[:2], {"name": "shortfall", "edges": [1.0]}]
    own = markov(order=ORDER, train={"a": {**TRAINING, "rule": "batched", "features": features}})
    pq.write_table(agent_table(train(own, "a")), tmp_path / "a.parquet")
    begun = {**TRAINING, "rule": "online", "start": str(tmp_path / "a.parquet")}
    with pytest.raises(InputError, match="only rule batched knows shortfall"):
        train(markov(order=ORDER, train={"a": begun}), "a")


# ---- files that nobody would write


def usable_or_told(path):
    """The agent of a file plays a study, or its file is refused in one line; nothing else happens."""
    try:
        read_agent(path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - a refusal is one of two good ends
        return
    with np.errstate(all="ignore"):
        simulate(study_of(path, episodes=20))


NUMBERS = st.one_of(
    st.integers(), st.integers(-40, 40), st.floats(), st.sampled_from([10**9, -(10**9), 2**31, 2**63, 2**64])
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


def places(value, at=()):
    yield at
    if isinstance(value, dict):
        for key in sorted(value):
            yield from places(value[key], (*at, key))
    elif isinstance(value, list):
        for j, inner in enumerate(value):
            yield from places(inner, (*at, j))


@BOUNDED
@given(st.data())
def test_metadata_of_any_content(table, tmp_path, data):
    meta = meta_of(table)
    for _ in range(data.draw(st.integers(1, 3))):
        *outer, last = data.draw(st.sampled_from([at for at in places(meta) if at]))
        here = meta
        for key in outer:
            here = here[key]
        here[last] = data.draw(ANYTHING)
    pq.write_table(signed(table, meta), tmp_path / "a.parquet")
    usable_or_told(tmp_path / "a.parquet")


@BOUNDED
@given(st.data())
def test_flipped_bytes(table, tmp_path, data):
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, compression="none")
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    usable_or_told(path)
