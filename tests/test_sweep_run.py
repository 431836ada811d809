"""Swept runs: each scenario is the study run alone, bit for bit; resumed, read, compared, replayed and drawn by scenario."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import SMALL
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.runs import executors
from fastexec.runs.check_sweep import examine_any
from fastexec.runs.merge import merge
from fastexec.runs.replay import replay_episode
from fastexec.runs.status import status
from fastexec.runs.verify import verify
from fastexec.runs.work import work
from fastexec.studies.study import Study
from test_almgren_chriss import CASES, PRICE, X, study as almgren_chriss
from test_run import assert_same_files

EPISODES, CHUNK, STEPS = 2500, 1000, 7
SWEEP = {"market.price.volatility": [0.0005, 0.001], "order.shares": [600, 1200]}
NAMES = [f"volatility_{v}__shares_{s}" for v in (0.0005, 0.001) for s in (600, 1200)]
TABLES = ("markets", "episodes", "steps")


def study(**changes):
    return Study.from_dict({**SMALL, "episodes": EPISODES, "output": {"steps": STEPS}, "sweep": SWEEP, **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep") / "whole"
    fx.run(study(), out=folder, chunk=CHUNK, threads=2)
    return folder


def of_scenario(table, name):
    chosen = table.filter(pa.compute.equal(table["scenario"].cast(pa.string()), name))
    return chosen.drop_columns(["scenario"]).unify_dictionaries().replace_schema_metadata(None)


def test_every_scenario_equals_the_study_run_alone(whole, tmp_path):
    """Rows, footers and numbers: those of a study that has the values written in and knows nothing of a sweep."""
    for scenario in study().scenarios():
        alone = tmp_path / scenario.name
        settings = [f"{key}={value}" for key, value in scenario.values.items()]
        fx.run(Study.from_dict({**SMALL, "episodes": EPISODES, "output": {"steps": STEPS}}).with_overrides(settings),
               out=alone, chunk=CHUNK)  # fmt: skip
        for table in TABLES:
            parts = sorted((whole / table / f"scenario={scenario.name}").iterdir())
            assert [p.name for p in parts] == sorted(p.name for p in (alone / table).iterdir())
            for part in parts:
                other = pq.read_table(alone / table / part.name, partitioning=None)
                assert pq.read_table(part, partitioning=None).equals(other, check_metadata=True)
        for table in ("summary", "comparison"):
            expected = pq.read_table(alone / f"{table}.parquet").replace_schema_metadata(None)
            assert of_scenario(pq.read_table(whole / f"{table}.parquet"), scenario.name).equals(expected)


def test_every_scenario_meets_the_same_random_numbers(whole):
    moves = []
    for v in (0.0005, 0.001):
        home = whole / "markets" / f"scenario=volatility_{v}__shares_600"
        prices = pq.read_table(home / "part-000000000000.parquet", partitioning=None)["last_price"].to_numpy()
        moves.append((np.log(prices / 100.0) + 12 * v * v / 2) / v)
    np.testing.assert_allclose(*moves, rtol=1e-9)


def test_threads_and_chunks_do_not_show(whole, tmp_path):
    fx.run(study(), out=tmp_path / "one", chunk=CHUNK, threads=1)
    assert_same_files(whole, tmp_path / "one")
    fx.run(study(), out=tmp_path / "big", chunk=4096)
    fx.run(study(output={"rows": "none"}), out=tmp_path / "none", chunk=CHUNK)
    for folder in ("big", "none"):
        for name in ("summary", "comparison", "scenarios"):
            a, b = (pq.read_table(place / f"{name}.parquet") for place in (whole, tmp_path / folder))
            assert a.equals(b, check_metadata=True), (folder, name)


@pytest.mark.parametrize("rows", ["all", "none"])
def test_interrupted_in_the_second_scenario_and_resumed_equals_a_single_run(whole, tmp_path, monkeypatch, rows):
    output = {"output": {"rows": rows, "steps": STEPS if rows == "all" else 0}}

    def failing(job, task):
        if (task.scenario, task.first) == (1, 1000):
            raise RuntimeError("a bug")
        return work(job, task)

    monkeypatch.setattr(executors, "work", failing)
    with pytest.raises(FastexecError, match=f"episodes 1000 to 1999 of scenario '{NAMES[1]}' failed") as caught:
        fx.run(study(**output), out=tmp_path / "r", chunk=CHUNK, threads=1)
    assert "['market.price.volatility=0.0005', 'order.shares=1200.0']), first_episode=1000" in str(caught.value)
    monkeypatch.setattr(executors, "work", work)
    assert not (tmp_path / "r" / "summary.parquet").exists()
    assert pq.read_table(tmp_path / "r" / "scenarios.parquet")["scenario"].to_pylist() == NAMES
    with pytest.raises(RefusedError, match="incomplete; resume=True goes on"):
        fx.run(study(**output), out=tmp_path / "r")
    fx.run(study(**output), out=tmp_path / "r", resume=True, threads=2)
    if rows == "all":
        assert_same_files(whole, tmp_path / "r")
    for name in ("summary", "comparison"):
        a, b = (pq.read_table(place / f"{name}.parquet") for place in (whole, tmp_path / "r"))
        assert a.equals(b, check_metadata=True)
    assert fx.run(study(**output), out=tmp_path / "r").finished_before


def test_partitions_open_in_duckdb_polars_pandas_and_arrow(whole):
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow.dataset as ds

    pattern = f"{whole}/episodes/*/*.parquet"
    query = f"SELECT scenario, strategy, avg(shortfall_bps) FROM read_parquet('{pattern}', hive_partitioning=true) GROUP BY ALL"
    means = {"duckdb": {(a, b): c for a, b, c in duckdb.sql(query).fetchall()}}
    lazy = pl.scan_parquet(whole / "episodes", hive_partitioning=True).group_by("scenario", "strategy")
    rows = lazy.agg(pl.col("shortfall_bps").mean()).collect().rows()
    means["polars"] = {(a, b): c for a, b, c in rows}
    frame = pd.read_parquet(whole / "episodes")
    means["pandas"] = frame.groupby(["scenario", "strategy"], observed=True)["shortfall_bps"].mean().to_dict()
    frame = ds.dataset(whole / "episodes", partitioning="hive").to_table().to_pandas()
    means["arrow"] = frame.groupby(["scenario", "strategy"], observed=True)["shortfall_bps"].mean().to_dict()
    summary = pq.read_table(whole / "summary.parquet").to_pylist()
    expected = {(row["scenario"], row["strategy"]): row["shortfall_mean_bps"] for row in summary}
    assert len(expected) == 4 * 6
    for reader, found in means.items():
        assert found == pytest.approx(expected, rel=1e-12), reader
    markets = f"read_parquet('{whole}/markets/*/*.parquet', hive_partitioning=true)"
    joined = duckdb.sql(
        f"SELECT count(*), max(\"order.shares\") FROM '{whole}/scenarios.parquet' JOIN {markets} USING (scenario) "
        'WHERE order_shares = "order.shares"'
    )
    assert joined.fetchall() == [(4 * EPISODES, 1200.0)]


def test_compare_by_scenario_baseline_and_condition(whole):
    found = fx.compare(whole)
    assert found.table.to_pylist() == pq.read_table(whole / "comparison.parquet").to_pylist()
    assert list(found.summaries) == NAMES
    pov = fx.compare(whole, baseline="pov10").table.to_pylist()
    assert [(row["scenario"], row["baseline"]) for row in pov[::5]] == [(name, "pov10") for name in NAMES]
    one = fx.compare(whole, scenario=NAMES[2])
    assert one.table.column_names[0] == "strategy"
    assert one.table.to_pylist() == of_scenario(found.table, NAMES[2]).to_pylist()
    grouped = fx.compare(whole, by="mean_spread_bps:2")
    assert grouped.table.column_names[:2] == ["scenario", "group"]
    assert len(grouped.summaries) == 8
    assert grouped.table.num_rows == 8 * 5
    alone = fx.compare(whole, by="mean_spread_bps:2", scenario=NAMES[3])
    assert alone.table.to_pylist() == of_scenario(grouped.table, NAMES[3]).to_pylist()
    with pytest.raises(
        InputError, match=r"scenario='x': no scenario of that name; scenarios are volatility_0.0005__sh"
    ):
        fx.compare(whole, scenario="x")


def test_replay_regenerates_the_stored_steps_of_a_scenario(whole):
    home = whole / "steps" / f"scenario={NAMES[3]}"
    stored = pq.read_table(home / "part-000000000000.parquet", partitioning=None).replace_schema_metadata(None)
    again = replay_episode(whole, 3, scenario=NAMES[3])
    rows = 6 * 12
    assert again.equals(stored.slice(3 * rows, rows))
    with pytest.raises(InputError, match="the study has a sweep; name one; scenarios are"):
        replay_episode(whole, 3)


def test_another_sweep_is_another_study_and_overwriting_leaves_none_of_it(whole, tmp_path):
    folder = tmp_path / "r"
    fx.run(study(episodes=20, output={}), out=folder)
    (folder / "episodes" / f"scenario={NAMES[0]}" / "mine.txt").write_text("keep")
    other = study(episodes=20, output={}, sweep={"order.shares": [600]})
    with pytest.raises(RefusedError, match="holds another study"):
        fx.run(other, out=folder)
    fx.run(other, out=folder, overwrite=True)
    assert sorted(p.name for p in (folder / "markets").iterdir()) == ["scenario=shares_600"]
    assert sorted(p.name for p in (folder / "episodes").iterdir()) == ["scenario=shares_600", f"scenario={NAMES[0]}"]
    fx.run(study(episodes=20, output={}, sweep=None), out=folder, overwrite=True)
    assert not (folder / "scenarios.parquet").exists()
    assert fx.compare(folder).table.column_names[0] == "strategy"


def test_too_many_scenarios_write_nothing(tmp_path):
    many = study(sweep={"order.shares": list(range(1, 1002))}, episodes=1, output={})
    with pytest.raises(InputError, match="1,001 scenarios, more than 1,000"):
        fx.run(many, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_check_sums_the_costs_of_all_scenarios():
    found = examine_any(study(sweep={"order.shares": [600, 1200, 1800, 2400, 12, 6000]}))
    facts = dict(found.costs)
    assert facts["scenarios"].startswith("6; prepared and timed here: 4")
    assert facts["shares_1800"] == "order.shares = 1800.0"
    assert found.cost.rows == 6 * 6 * EPISODES
    assert found.cost.files == 2 * 6
    assert [w for w in found.warnings if "expected volume" in w] == [
        "shares_6000: the order is 50% of the market's expected volume; cost models are fitted far below that"
    ]


TRAIN = {"learned": {"rule": "batched", "rounds": 1, "batch": 2_000, "features": [{"name": "inventory", "bins": 5}]}}
LEARNED = [{"model": "twap"}, {"model": "qtable", "name": "agent", "train": "learned"},
           {"model": "pov", "name": "pov10", "rate": 0.1}]  # fmt: skip


@pytest.mark.parametrize(("sweep", "rounds"), [({"strategies.pov10.rate": [0.1, 0.2]}, 1), (SWEEP, 4)])
def test_agents_are_trained_once_where_training_is_the_same(tmp_path, sweep, rounds):
    swept = study(sweep=sweep, episodes=50, output={}, strategies=LEARNED, train=TRAIN)
    told = []
    fx.run(swept, out=tmp_path / "r", training=lambda *report: told.append(report))
    assert len(told) == rounds
    homes = sorted(p.parent.name for p in (tmp_path / "r" / "agents").rglob("learned.parquet"))
    assert homes == sorted(f"scenario={scenario.name}" for scenario in swept.scenarios())
    fx.run(
        swept.changed({"episodes": 100}), out=tmp_path / "r", resume=True, training=lambda *report: told.append(report)
    )
    assert len(told) == rounds


def test_a_scenario_that_cannot_be_prepared_is_named(tmp_path):
    train = {"learned": {**TRAIN["learned"], "rule": "backward"}}
    swept = study(
        sweep={"costs.transient.coefficient": [0.0, 1e-5]}, episodes=5, output={}, strategies=LEARNED, train=train
    )
    with pytest.raises(
        InputError, match=r"^\[sweep\] scenario coefficient_1e-05: train.learned: only rule batched knows"
    ):
        fx.run(swept, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_the_frontier_of_almgren_and_chriss_is_theirs(tmp_path):
    """Expected cost rises and risk falls with risk aversion, along the paper's own numbers."""
    from fastexec.analysis.sweep_tables import frontier

    data = almgren_chriss(episodes=4096).model_dump()
    aversions = [case[0] for case in CASES]
    sweep = {"strategies.ac0.risk_aversion": aversions}
    fx.run(
        Study.from_dict({**data, "name": "frontier", "sweep": sweep, "output": {"rows": "none"}}), out=tmp_path / "r"
    )
    tables = [pq.read_table(tmp_path / "r" / f"{name}.parquet") for name in ("summary", "scenarios")]
    points = [row for row in frontier(*tables).to_pylist() if row["strategy"] == "ac0"]
    assert [row["risk_aversion"] for row in points] == aversions
    money = X * PRICE / 1e4
    mean, risk = (np.array([row[name] for row in points]) * money for name in ("mean_bps", "risk_bps"))
    np.testing.assert_allclose(mean, [case[2] for case in CASES], rtol=1e-7)
    np.testing.assert_allclose(risk, [case[3] for case in CASES], rtol=4 / np.sqrt(2 * 4096))
    assert (np.diff(mean) > 0).all()
    assert (np.diff(risk) < 0).all()
    tail = [row["risk_bps"] for row in frontier(*tables, risk="cvar95").to_pylist() if row["strategy"] == "ac0"]
    assert tail[0] > tail[1]
    without = frontier(tables[0], tables[1].select(["scenario"])).to_pylist()
    assert {row["risk_aversion"] for row in without} == {None}


def test_shards_of_a_sweep_merge_verify_and_tell_their_status(whole, tmp_path):
    parts = [tmp_path / "a", tmp_path / "b"]
    for part, first, episodes in zip(parts, (0, 1000), (1000, 1500), strict=True):
        fx.run(study(), out=part, chunk=CHUNK, first_episode=first, episodes=episodes)
    merge([parts[1], parts[0]], tmp_path / "merged")
    assert_same_files(whole, tmp_path / "merged")
    found = verify(str(tmp_path / "merged"), sample=3)
    assert (found.faults, found.chunks, found.episodes, found.simulated) == ([], 4 * 3, 4 * EPISODES, 3)
    told = status(str(tmp_path / "merged"))
    assert (told.state, told.done, told.total) == ("complete", 4 * EPISODES, 4 * EPISODES)
    for name in ("comparison.parquet", "run.json", f"episodes/scenario={NAMES[2]}/part-000000001000.parquet"):
        (tmp_path / "merged" / name).unlink()
    told = status(str(tmp_path / "merged"))
    assert (told.state, told.done, told.total) == ("incomplete", 3 * EPISODES + 1500, 4 * EPISODES)
    assert any(NAMES[2] in fault for fault in verify(str(tmp_path / "merged")).faults)


@pytest.mark.processes
@pytest.mark.filterwarnings("default")  # Dask's own, of sockets closed late, are not ours
def test_worker_processes_give_the_same_files(whole, tmp_path):
    pytest.importorskip("distributed")
    fx.run(study(), out=tmp_path / "r", chunk=CHUNK, workers=2)
    assert_same_files(whole, tmp_path / "r")
