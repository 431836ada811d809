"""The registry of columns: every table's names, types, units and meanings in one place.

It builds the Arrow schemas (unit and meaning travel as field metadata) and casts columns to them; ``dictionary`` prints it.
The names are the outside of the project: extend them, do not rename them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.errors import FastexecError
from fastexec.models.costs import ALWAYS, PARTS, SPLIT

if TYPE_CHECKING:
    import pyarrow as pa

#: Version of the tables and of the random stream's layout; raised when either changes.
SCHEMA_VERSION = 2

QUANTILES = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True)
class Column:
    """A column: its name, Arrow type ("float64", "int32", "text" for dictionary<string>, "list<float64>" ...), unit, and
    meaning in a sentence; ``null`` says when it is null, if it can be.
    """

    name: str
    type: str
    unit: str
    meaning: str
    null: str = ""


def _c(name: str, type_: str, unit: str, meaning: str, null: str = "") -> Column:
    return Column(name, type_, unit, meaning, null)


def of_a_further_part(column: str) -> bool:
    """Whether only studies that ask for a part of the cost, or split timing, have this column of it."""
    return column.startswith(tuple(f"{part}_" for part in (*PARTS, *SPLIT) if part not in ALWAYS))


def _meaning(part: str) -> str:
    return f"{PARTS[part].meaning}{'' if part in ALWAYS else ' (only where the study has it)'}."


_PER_STEP = "cost rule per_step"
_EPISODE = _c("episode", "int64", "", "Number of the episode.")
_SCENARIO = _c("scenario", "text", "", "Name of the scenario (only where the study has a sweep).")
_STRATEGY = _c("strategy", "text", "", "Name of the strategy.")
MARKETS = (
    _EPISODE,
    _c("day", "int32", "yyyymmdd", "Day of the replayed window (replay only)."),
    _c("side", "text", "", "buy or sell."),
    _c("order_shares", "float64", "shares", "Size of the order."),
    _c("arrival_price", "float64", "currency", "Mid when the order arrives."),
    _c("last_price", "float64", "currency", "Un-impacted mid when the last step ends."),
    _c("market_vwap", "float64", "currency", "Volume-weighted mid; a step's volume at the mean of the mids around it.",
       "no volume"),
    _c("market_twap", "float64", "currency", "Mean mid over the steps, a step at the mean of the mids around it."),
    _c("market_volume", "float64", "shares", "Volume of the market over the order, ours not counted in it."),
    _c("arrival_spread_bps", "float64", "bps", "Full quoted spread in step 0."),
    _c("mean_spread_bps", "float64", "bps", "Mean full quoted spread over the steps."),
    _c("realised_volatility", "float64", "a step", "Root mean square relative move of a step."),
)  # fmt: skip

EPISODES = (
    _EPISODE,
    _STRATEGY,
    _c("filled_shares", "float64", "shares", "Shares traded, the horizon rule included."),
    _c("completion", "float64", "share of the order", "Traded by the strategy's own decisions, before the horizon rule."),
    _c("average_price", "float64", "currency a share", "Mean price of the fills, without fees.", "nothing traded"),
    _c("arrival_price", "float64", "currency", "Mid when the order arrives."),
    _c("shortfall_bps", "float64", "bps of Q S_0", "Implementation shortfall of the whole order, positive is a cost.",
       _PER_STEP),
    *(_c(f"{p}_bps", "float64", "bps of Q S_0", _meaning(p), _PER_STEP) for p in PARTS),
    *(_c(f"{name}_bps", "float64", "bps of Q S_0", f"{one.meaning}.", _PER_STEP) for name, one in SPLIT.items()),
    _c("vwap_slippage_bps", "float64", "bps", "Average price against market_vwap, positive is a cost.",
       "nothing traded or no volume"),
    _c("program_cost", "float64", "currency", "The mini-project's cost, a sum over steps (rule per_step only)."),
    _c("participation", "float64", "share of volume", "Shares traded over market volume from arrival to the last fill.",
       "traded in empty bars alone"),
    _c("max_participation", "float64", "share of volume", "Largest slice over its step's volume, expected in an empty bar."),
    _c("child_orders", "int32", "", "Steps with a trade."),
    _c("last_step", "int32", "", "Last step with a trade; -1 where nothing traded."),
    _c("states_met", "int32", "", "Steps in which an agent had shares left to trade (only where the study has an agent)."),
    _c("states_unseen", "int32", "", "Those in which its training had met no such state, or a value of a feature beyond all "
       "that it met (only where the study has an agent)."),
)  # fmt: skip

STEPS = (
    _EPISODE,
    _STRATEGY,
    _c("step", "int32", "", "Number of the step, from 0."),
    _c("mid", "float64", "currency", "Un-impacted mid when the step begins."),
    _c("spread", "float64", "fraction of the mid", "Full quoted spread when the step begins."),
    _c("volume", "float64", "shares", "Volume of the market in the step."),
    _c("shares", "float64", "shares", "Slice traded."),
    _c("price", "float64", "currency", "Price of the fill.", "nothing traded"),
    _c("remaining", "float64", "shares", "Left of the order after the slice."),
    _c("own_impact", "float64", "currency a share", "Permanent and transient impact of own trades just before the slice."),
)  # fmt: skip

_SUMMARISED = ("shortfall", *PARTS, *SPLIT)
SUMMARY = (
    _SCENARIO,
    _STRATEGY,
    _c("model", "text", "", "Model of the strategy."),
    _c("episodes", "int64", "", "Number of episodes."),
    _c("unfinished", "int64", "", "Episodes in which shares of the order stayed untraded."),
    _c("unseen", "float64", "share of the states met", "Steps with shares left in which an agent met what its training had not "
       "seen: a state, or a value of a feature beyond all that it met.", "no agent"),
    _c("completion", "float64", "share of the order", "Mean of completion."),
    _c("filled", "float64", "share of the order", "Mean of filled_shares over order_shares, the horizon rule included."),
    _c("order_value", "float64", "currency", "Mean of order_shares times arrival_price."),
    _c("control_variate", "bool", "", "Whether timing (its unexpected part, where it is split) is known to have mean zero."),
    *(
        _c(f"{part}_{name}_bps", "float64", "bps", f"{text} of {part}_bps.",
           f"one episode, {_PER_STEP}" if name == "sd" else _PER_STEP)
        for part in _SUMMARISED
        for name, text in (
            ("mean", "Mean"),
            ("sd", "Standard deviation"),
            ("minimum", "Minimum"),
            ("maximum", "Maximum"),
            *((f"p{q:02d}", f"{q} % quantile (relative error at most 1/256, beyond 2^40 bps 1/16)") for q in QUANTILES),
        )
    ),
    _c("shortfall_cvar95_bps", "float64", "bps", "Mean of the highest 5 % of shortfall (relative error as the quantiles').",
       _PER_STEP),
    _c("program_cost_mean", "float64", "currency", "Mean of program_cost.", "cost rule by_fill"),
    _c("program_cost_sd", "float64", "currency", "Standard deviation of program_cost.", "cost rule by_fill"),
    _c("shortfall_comoments", "list<float64>", "bps^2", "Sums of products of deviations: own shortfall with every strategy's "
       "shortfall, then every strategy's timing (its unexpected part, where it is split), in the order of the rows."),
    _c("timing_comoments", "list<float64>", "bps^2", "As shortfall_comoments, of own timing, likewise."),
    _c("wins", "list<int64>", "", "Twice the episodes in which own shortfall was lower, ties once, for each strategy."),
    _c("day_ids", "list<int32>", "yyyymmdd", "Days of a replay, or those that a bootstrap joins.", "synthetic"),
    _c("day_episodes", "list<int64>", "", "Episodes of each day.", "no replay"),
    _c("day_shortfall", "list<float64>", "bps", "Sum of shortfall_bps on each day.", "no replay"),
)  # fmt: skip

_INTERVAL = (
    ("saving_bps", "Baseline minus strategy, paired mean; positive is cheaper than the baseline"),
    ("standard_error_bps", "Standard error of the saving"),
    ("ci_low_bps", "Lower end of the 95 % interval"),
    ("ci_high_bps", "Upper end of the 95 % interval"),
)
COMPARISON = (
    _SCENARIO,
    _STRATEGY,
    _c("baseline", "text", "", "Strategy compared with."),
    _c("metric", "text", "", "What is compared: shortfall, vwap, risk:LAMBDA or cvar95."),
    _c("episodes", "int64", "", "Number of pairs."),
    *(
        _c(name, "float64", "bps", f"{text}.", _PER_STEP if name == "saving_bps" else "too few episodes or days")
        for name, text in _INTERVAL
    ),
    *(
        _c(name.replace("_bps", "_cv_bps"), "float64", "bps", f"{text}, timing as control variate.", "not valid here")
        for name, text in _INTERVAL
    ),
    _c("cost_cv_bps", "float64", "bps", "Mean cost of the strategy: the baseline's, timing as control variate, minus "
       "saving_cv_bps.", "not valid here"),
    _c("saving_money", "float64", "currency",
       "Saving for an order of mean value (with control variate where valid).", _PER_STEP),
    _c("win_rate", "float64", "share of episodes", "Strategy cheaper than the baseline, ties count half.",
       "metrics risk and cvar95"),
    _c("completion", "float64", "share of the order", "Mean completion of the strategy."),
    _c("baseline_completion", "float64", "share of the order", "Mean completion of the baseline."),
    _c("episodes_for_0_1_bps", "float64", "", "Episodes that show a saving of 0.1 bp with 80 % power: (2.80 sd / 0.1)^2.",
       "one episode"),
    _c("optimum_bps", "float64", "bps", "Mean cost of the optimum here, unexpected moves left out.", "no optimum known"),
    _c("captured", "float64", "", "(baseline - strategy) / (baseline - optimum).", "no optimum known"),
    _c("captured_low", "float64", "", "Lower end of its 95 % interval.", "no optimum known"),
    _c("captured_high", "float64", "", "Upper end of its 95 % interval.", "no optimum known"),
)  # fmt: skip

SCENARIOS = (
    _c("scenario", "text", "", "Name of the scenario, under which its markets, episodes and steps lie (scenario=NAME). Then "
       "a column for each swept key, named by it."),
)  # fmt: skip

MANIFEST = (
    _c("file", "text", "", "Path within the folder."),
    _c("sha256", "text", "", "SHA-256 of the file's bytes, hex."),
    _c("bytes", "int64", "bytes", "Size of the file."),
    _c("rows", "int64", "", "Rows of the table.", "no Parquet file"),
)

PATHS = (
    _EPISODE,
    _c("arrival", "float64", "currency", "Price that the shortfall is measured against."),
    _c("last_mid", "float64", "currency", "Mid when the last step ends."),
    _c("last_spread", "float64", "fraction", "Quoted spread when the last step ends, of the mid."),
    _c("mid", "list<float64>", "currency", "Mid when each step begins."),
    _c("spread", "list<float64>", "fraction", "Quoted spread when each step begins, of the mid."),
    _c("volume", "list<float64>", "shares", "What the market trades in each step."),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "markets": MARKETS,
    "episodes": EPISODES,
    "steps": STEPS,
    "summary": SUMMARY,
    "comparison": COMPARISON,
    "scenarios": SCENARIOS,
    "manifest": MANIFEST,
    "paths": PATHS,
}


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column."""
    import pyarrow as pa

    if column.type == "text":
        return pa.dictionary(pa.int32(), pa.string())
    if column.type.startswith("list<"):
        return pa.list_(pa.type_for_alias(column.type[5:-1]))
    return pa.type_for_alias(column.type)


def schema(table: str, names: Sequence[str] | None = None, further: Sequence[Column] = ()) -> pa.Schema:
    """The Arrow schema of a table (or of some of its columns), units and meanings as field metadata.

    ``further``: columns that this study has behind them, named by dotted keys of the study.
    """
    import pyarrow as pa

    columns = [*(c for c in TABLES[table] if names is None or c.name in names), *further]
    return pa.schema(
        [pa.field(c.name, arrow_type(c), bool(c.null), {"unit": c.unit, "meaning": c.meaning}) for c in columns]
    )


def build(
    table: str, values: Mapping[str, Any], further: Sequence[Column] = (), optional: Sequence[str] = ()
) -> pa.Table:
    """An Arrow table of the registry's columns, in its order; NaN becomes null where a column may be null.

    ``further``: as for ``schema``. ``optional``: columns that may be missing, as scenario may in every table. Raises
    FastexecError where a column is missing or not of the registry.
    """
    import pyarrow as pa

    absent = (*optional, "scenario")
    wanted = [c.name for c in TABLES[table] if c.name in values or not (c.name in absent or of_a_further_part(c.name))]
    shape = schema(table, wanted, further)
    missing = [name for name in shape.names if name not in values]
    unknown = [name for name in values if name not in shape.names]
    if missing or unknown:
        raise FastexecError(f"table {table}: columns missing {missing}, not in the registry {unknown}")
    return pa.Table.from_arrays([_array(values[field.name], field) for field in shape], schema=shape)


def _array(values: Any, field: pa.Field) -> pa.Array | pa.ChunkedArray:
    from fastexec.arrow import to_arrow

    return to_arrow(values, field.type, field.nullable)


def repeated(names: Sequence[str], index: np.ndarray) -> pa.DictionaryArray:
    """A dictionary column: ``names[index]``."""
    import pyarrow as pa

    from fastexec.arrow import numbers, texts

    return pa.DictionaryArray.from_arrays(numbers(index, pa.int32()), texts(list(names)))


def episodes_table(strategies: Sequence[str], columns: Mapping[str, np.ndarray]) -> pa.Table:
    """The episodes table from the engine's columns (a row for each episode and strategy)."""
    count = len(columns["episode"]) // len(strategies)
    names = repeated(strategies, np.tile(np.arange(len(strategies), dtype=np.int32), count))
    return build("episodes", {"strategy": names, **columns}, optional=["program_cost", "states_met", "states_unseen"])


def markets_table(side: str, columns: Mapping[str, np.ndarray]) -> pa.Table:
    """The markets table from the engine's columns (a row for each episode)."""
    known = {c.name for c in MARKETS}
    drawn = [_c(key, "float64", "", f"The episode's own {key}.") for key in columns if key not in known]
    sides = repeated([side], np.zeros(len(columns["episode"]), np.int32))
    return build("markets", {"side": sides, **columns}, drawn, optional=["day"])


def steps_table(strategies: Sequence[str], columns: Mapping[str, np.ndarray]) -> pa.Table:
    """The steps table from the engine's columns, the strategy given as ``strategy_index``."""
    rest = {name: values for name, values in columns.items() if name != "strategy_index"}
    signals = [
        _c(name, "float64", "sd", "Value of the signal when the step begins.") for name in rest if name[:7] == "signal_"
    ]
    return build("steps", {"strategy": repeated(strategies, columns["strategy_index"]), **rest}, signals)
