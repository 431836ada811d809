"""``summary.parquet`` as it is read: a row for each strategy of each scenario, with lists as long as they must be."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from fastexec.errors import InputError, run_again
from fastexec.place import Place
from fastexec.runs import store
from fastexec.studies.study import Study
from fastexec.studies.sweep import names_of

_DAYS = ("day_ids", "day_episodes", "day_shortfall")


def read_summary(folder: Place, study: Study) -> pa.Table:
    """The summary of a study's results; InputError, one line, where it is missing, damaged or of another study."""
    place = folder / "summary.parquet"
    store.read_footer(place)  # of another version of the schema no column is compared
    table = store.read_table(place)
    scenarios = [None] if study.sweep is None else names_of(study.sweep)
    wanted = [(name, strategy.name) for name in scenarios for strategy in study.strategies]
    names = ["strategy", "episodes", "shortfall_comoments", "timing_comoments", "wins", *_DAYS]
    rows = table.select([*(["scenario"] if "scenario" in table.column_names else []), *names]).to_pylist()
    found = [(row.get("scenario"), row["strategy"]) for row in rows]
    if found != wanted or any(map(_fault, rows, [len(study.strategies)] * len(rows))):
        raise InputError(f"{place}: is not the summary of this study's strategies; {run_again()} writes it anew")
    return table


def _fault(row: dict[str, Any], k: int) -> bool:
    """Whether a row's lists do not fit its K strategies or each other, or it counts no episode."""
    lists = {name: row[name] for name in _DAYS if row[name] is not None}
    sizes = {len(values) for values in lists.values()}
    fits = len(row["shortfall_comoments"]) == len(row["timing_comoments"]) == 2 * k and len(row["wins"]) == k
    days = not lists or (len(sizes) == 1 and "day_ids" in lists and len(lists) != 2)
    return not (fits and days and row["episodes"] > 0)
