"""The registry of columns: builds and checks tables, and prints the dictionary."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fastexec import columns
from fastexec.dictionary import data_dictionary
from fastexec.errors import FastexecError

CONTRACT_EPISODES = [
    "episode", "strategy", "filled_shares", "completion", "average_price", "arrival_price", "shortfall_bps", "spread_bps",
    "temporary_bps", "permanent_bps", "transient_bps", "timing_bps", "fees_bps", "residual_bps", "adversary_bps",
    "timing_expected_bps", "timing_unexpected_bps", "vwap_slippage_bps",
    "participation", "max_participation", "child_orders", "last_step",
]  # fmt: skip
OF_SOME_STUDIES = ("program_cost", "states_met", "states_unseen")
CONTRACT_COMPARISON = [
    "strategy", "baseline", "metric", "episodes", "saving_bps", "standard_error_bps", "ci_low_bps", "ci_high_bps",
    "saving_cv_bps", "standard_error_cv_bps", "ci_low_cv_bps", "ci_high_cv_bps", "cost_cv_bps", "saving_money", "win_rate",
    "completion", "baseline_completion", "episodes_for_0_1_bps", "optimum_bps", "captured", "captured_low", "captured_high",
]  # fmt: skip


def engine_columns(n=4):
    numbers = {c.name: np.zeros(n) for c in columns.EPISODES if c.type == "float64"}
    return {
        "episode": np.arange(n) // 2,
        **numbers,
        "child_orders": np.ones(n, np.int32),
        "last_step": np.ones(n, np.int32),
    }


def test_names_and_types_are_the_contracts():
    schema = columns.schema("episodes")
    assert [name for name in schema.names if name not in OF_SOME_STUDIES] == CONTRACT_EPISODES
    assert columns.schema("comparison").names == ["scenario", *CONTRACT_COMPARISON]
    assert schema.field("episode").type == pa.int64()
    assert schema.field("strategy").type == pa.dictionary(pa.int32(), pa.string())
    assert schema.field("child_orders").type == pa.int32()
    nullable = ("average_price", "participation")
    never = [f.name for f in schema if not f.nullable]
    assert never == [name for name in schema.names if not name.endswith("_bps") and name not in nullable]


def test_every_column_says_what_it_is():
    for table, registered in columns.TABLES.items():
        assert len({c.name for c in registered}) == len(registered), table
        for c in registered:
            assert c.meaning.endswith("."), c.name
    field = columns.schema("episodes").field("shortfall_bps")
    assert field.metadata[b"unit"] == b"bps of Q S_0"


def test_nan_becomes_null_only_where_a_column_may_be_null():
    values = engine_columns()
    values["average_price"] = np.array([1.0, np.nan, 2.0, np.nan])
    table = columns.episodes_table(["a", "b"], values)
    assert table["average_price"].null_count == 2
    assert table["strategy"].to_pylist() == ["a", "b", "a", "b"]
    values["max_participation"] = np.array([1.0, np.nan, 2.0, 3.0])
    assert columns.episodes_table(["a", "b"], values)["max_participation"].null_count == 0


def test_missing_and_foreign_columns_are_named():
    values = engine_columns()
    del values["fees_bps"]
    with pytest.raises(FastexecError, match=r"columns missing \['fees_bps'\]"):
        columns.episodes_table(["a", "b"], values)
    with pytest.raises(FastexecError, match=r"not in the registry \['profit'\]"):
        columns.episodes_table(["a", "b"], {**engine_columns(), "profit": np.zeros(4)})


def test_dictionary_lists_every_table_and_column():
    text = data_dictionary()
    for table, registered in columns.TABLES.items():
        assert f"### {table}" in text
        if table != "summary":
            assert all(f"| {c.name} |" in text for c in registered)
    assert "| PART_p95_bps |" in text
    assert "| shortfall_comoments |" in text
    assert "timing_mean_bps" not in text
