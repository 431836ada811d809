"""The scenarios of a study with a sweep: one by its name, and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastexec.columns import Column, build, repeated, schema
from fastexec.errors import InputError, option
from fastexec.models.sweep import inline
from fastexec.studies.study import Study, Swept, swept_studies
from fastexec.wording import nearest

if TYPE_CHECKING:
    import pyarrow as pa


def scenario_named(study: Study, name: str | None) -> Swept:
    """The scenario of a name; InputError where it is not there, or none is named in a sweep."""
    scenarios = swept_studies(study)
    names = [scenario.name for scenario in scenarios if scenario.name is not None]
    if not names:
        if name is not None:
            raise InputError(f"{option('scenario', name)}: the study has no sweep; leave {option('scenario')} out")
        return scenarios[0]
    if name not in names:
        near = nearest(name or "", names)
        some = f"{', '.join(names[:6])}{f' and {len(names) - 6} more (scenarios.parquet)' if len(names) > 6 else ''}"
        hint = f"did you mean {near}?" if near else f"scenarios are {some}"
        said = (
            f"{option('scenario', name)}: no scenario of that name"
            if name
            else f"{option('scenario')}: the study has a sweep; name one"
        )
        raise InputError(f"{said}; {hint}")
    return scenarios[names.index(name)]


def scenarios_table(scenarios: Sequence[Swept]) -> pa.Table:
    """The `scenarios` table: the name, then a column for each swept key.

    A key's values are truth values, whole numbers, numbers, texts or lists of numbers; sections, ranges and what is mixed
    stand there as text, in TOML.
    """
    values: dict[str, list[Any]] = {"scenario": [scenario.name for scenario in scenarios]}
    further = []
    for key in scenarios[0].values:
        column = [scenario.values[key] for scenario in scenarios]
        kind = _natural(column)
        further.append(Column(key, kind, "", f"The scenario's {key}."))
        values[key] = [v if isinstance(v, str) else inline(v) for v in column] if kind == "text" else column
    return build("scenarios", values, further)


def stacked(tables: Mapping[str | None, pa.Table]) -> pa.Table:
    """Summaries or comparisons by scenario as one table, with a column `scenario`; the only one of no name as it is."""
    import pyarrow as pa

    names = [name for name in tables if name is not None]
    if not names:
        return tables[None]
    field = schema("scenarios").field("scenario")
    rows = [len(tables[name]) for name in names]
    column = repeated(names, np.repeat(np.arange(len(names)), rows))
    return (
        # a column that some scenarios alone have (a part of the cost, a split timing) is null in the others
        pa.concat_tables([tables[name] for name in names], promote_options="default")
        .unify_dictionaries()
        .combine_chunks()
        .add_column(0, field, column)
    )


def _natural(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {list}:
        return "list<float64>" if {type(x) for value in values for x in value} <= {int, float} else "text"
    if kinds <= {int, float}:
        return "int64" if kinds == {int} else "float64"
    return "bool" if kinds == {bool} else "text"
