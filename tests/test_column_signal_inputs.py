"""[[market.signals]] of real days: what makes no sense is refused in one line."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from column_days import STEPS, X, columned, study
from fastexec.errors import InputError
from fastexec.simulation import prepare

MANY = [{"name": f"x{j}", "column": "index"} for j in range(5)]
RANGE = {"low": 0.1, "high": 0.5}
MODEL_SIGNAL = "market.signals.x.{}: of real days a signal is a column of the bars as it is; leave it out"


@pytest.mark.parametrize("model", ["replay", "bootstrap"])
@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ([{"name": "x"}], 'market.signals.x.column: is missing; name a further column of the bars, such as column = "index"'),
        ([{**X, "persistence": 0.9}], MODEL_SIGNAL.format("persistence")),
        ([{**X, "correlation": RANGE}], MODEL_SIGNAL.format("correlation")),
        ([{**X, "predicts": "move"}], MODEL_SIGNAL.format("predicts")),
        ([{**X, "levels": 3}], MODEL_SIGNAL.format("levels")),
        ([{**X, "transition": [[1.0]]}], MODEL_SIGNAL.format("transition")),
        ([{"name": "x", "column": RANGE}], "market.signals.x.column: must be a text"),
        ([{"name": "x", "column": ""}], "market.signals.x.column: must not be empty"),
        ([{**X, "colum": "y"}], "market.signals.x.colum: unknown key; did you mean 'column'?"),
        ([{"column": "index"}], "market.signals[1].name: is missing"),
        (MANY, "market: signals: there are 5; at most 4"),
        ([X, {**X, "name": "X"}], "market: signals: 'x' and 'X' are names of two"),
        ([X, X], "market: signals: 'x' are names of two"),
        ([{**X, "name": "spread"}], "name: 'spread' is a feature or a column already"),
        ([{**X, "name": "own_impact"}], "name: 'own_impact' is a feature or a column already"),
        (X, "market.signals: must be a list"),
        ([{**X, "column": "indx"}], "no column 'indx', given for market.signals; did you mean 'index'? there are symbol, date"),
        ([{**X, "column": "mid"}], "no column 'mid', given for market.signals; there are symbol, date"),
        ([{**X, "column": "sec"}], "column 'sec', given for market.signals, is the bars' own sec, which tells nothing"),
        ([{**X, "column": "symbol"}], "is the bars' own symbol, which tells nothing of a market; name another"),
        ([{**X, "column": "note"}], "column note is of type string; it must hold numbers"),
        ([{**X, "column": "flat"}], "column 'flat' never varies; there is nothing that it could tell"),
        ([{**X, "column": "empty"}], "column 'empty' never varies; there is nothing that it could tell"),
        ([X, {"name": "y", "column": "wild"}], "day 20131009: column 'wild' holds -inf in the last bar before 09:36:00"),
        ([{**X, "column": "huge"}], "day 20131007: column 'huge' holds 1e+200 in the last bar before 09:32:00; it must hold"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_one_line(tmp_path, model, signals, said):
    wild, huge = np.arange(64.0), np.arange(64.0)
    wild[37], huge[1] = -np.inf, 1e200
    further = {
        "note": ["n"] * 64, "flat": np.full(64, 0.1), "empty": np.full(64, np.nan), "wild": wild, "huge": huge,
    }  # fmt: skip
    path, _ = columned(tmp_path / "b.parquet", **further)
    with pytest.raises(InputError) as found:
        prepare(study(path, model).changed({"market.signals": signals}))
    assert said in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("column", ["volume", "bid_px_1"])
def test_what_the_bars_have_of_a_market_may_be_a_signal(tmp_path, column):
    path, _ = columned(tmp_path / "b.parquet")
    found = prepare(study(path, signals=[{"name": "last", "column": column}]))
    values = pq.read_table(path)[column].to_numpy().reshape(4, 16)
    known = values[0, :-1]
    np.testing.assert_allclose(found.windows.signals[0, 0], (values[1, :STEPS] - known.mean()) / known.std(), rtol=1e-9)
