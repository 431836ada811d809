"""An agent's table spoilt in every way: what is done to its metadata, and to its columns."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from fastexec.learning.agent import KEY


def meta_of(table):
    return json.loads(table.schema.metadata[KEY])


def signed(table, meta):
    return table.replace_schema_metadata({KEY: json.dumps(meta)})


# ---- what is done to the metadata: a path of keys and what stands there instead; to the columns: a function

GONE = object()
META = {
    "version unknown": (["version"], 3),
    "version no number": (["version"], "one"),
    "no features": (["features"], []),
    "features no list": (["features"], {"name": "spread"}),
    "a feature no table": (["features", 0], "spread"),
    "unknown feature": (["features", 0, "name"], "moon"),
    "feature in two lines": (["features", 0, "name"], "sp\nread"),
    "feature named twice": (["features", 0, "name"], "momentum"),
    "inventory not last": (["features", 2, "name"], "volume"),
    "bins far below 0": (["features", 0, "bins"], -(10**9)),
    "bins below 0": (["features", 0, "bins"], -(10**6)),
    "no bins": (["features", 2, "bins"], 0),
    "a single bin of inventory": (["features", 2, "bins"], 1),
    "far too many bins": (["features", 2, "bins"], 10**9),
    "more bins than edges make": (["features", 0, "bins"], 4),
    "bins a fraction": (["features", 0, "bins"], 3.5),
    "bins beyond any integer": (["features", 0, "bins"], 10**400),
    "edges fall": (["features", 0, "edges"], [0.001, 0.0004]),
    "edges alike": (["features", 0, "edges"], [0.001, 0.001]),
    "too few edges": (["features", 0, "edges"], [0.001]),
    "an edge that is no number": (["features", 0, "edges"], [0.0004, float("nan")]),
    "an edge that is infinite": (["features", 0, "edges"], [0.0004, float("inf")]),
    "edges of inventory": (["features", 2, "edges"], [0.5]),
    "looks back below 0": (["features", 1, "steps"], -1),
    "looks back too far": (["features", 1, "steps"], 10**6),
    "a feature without steps": (["features", 1, "steps"], GONE),
    "unknown key of a feature": (["features", 1, "colour"], "red\nline"),
    "unknown action set": (["actions", "set"], "anything"),
    "no actions": (["actions", "levels"], []),
    "too many actions": (["actions", "levels"], [0.0] * 33),
    "an action below 0": (["actions", "levels"], [0.0, -0.5, 1.0]),
    "an action beyond the rest": (["actions", "levels"], [0.0, 0.5, 2.0]),
    "fewer actions than q has": (["actions", "levels"], [0.0, 1.0]),
    "more actions than q has": (["actions", "levels"], [0.0, 0.2, 0.5, 1.0]),
    "no schedule": (["schedule"], []),
    "schedule of one number": (["schedule"], [0.0]),
    "schedule of more steps": (["schedule"], [0.0, 0.1, 0.2, 0.3, 0.4, 1.0]),
    "schedule of very many steps": (["schedule"], [0.0] * 200_000),
    "schedule that falls": (["schedule"], [0.0, 0.6, 0.5, 0.8, 1.0]),
    "schedule that begins late": (["schedule"], [0.1, 0.3, 0.5, 0.8, 1.0]),
    "schedule that never ends": (["schedule"], [0.0, 0.3, 0.5, 0.8, 0.9]),
    "schedule beyond all": (["schedule"], [0.0, 0.3, 0.5, 0.8, 1.5]),
    "schedule of no numbers": (["schedule"], [0.0, float("nan"), 0.5, 0.8, 1.0]),
    "no curve": (["curve"], []),
    "a row of the curve without its cost": (["curve", 0, "validation_bps"], GONE),
    "episodes below 0": (["curve", 0, "episodes"], -1.0),
    "completion beyond 1": (["curve", 0, "completion"], 2.0),
    "a cost that is no number": (["curve", 0, "training_bps"], float("nan")),
    "training gone": (["training"], GONE),
    "training no table": (["training"], [1, 2]),
    "training without an order": (["training", "order"], GONE),
    "training without a lot that is one": (["training", "order", "lot"], "many"),
    "training of other steps": (["training", "order", "steps"], 5),
    "training without its rule": (["training", "train"], GONE),
    "training by an unknown rule": (["training", "train", "rule"], "magic"),
    "training without a name": (["training", "name"], GONE),
    "outside below 0": (["outside"], {"spread": -3}),
    "outside of no feature": (["outside"], {"moon": 3}),
    "unknown key": (["more"], 1),
}  # fmt: skip


def column(name, change):
    def changed(table):
        values = change(table[name].to_numpy(zero_copy_only=False).copy())
        return table.set_column(table.schema.get_field_index(name), table.schema.field(name), pa.array(values))

    return changed


def q_of(change):
    def changed(table):
        q = table["q"].combine_chunks().flatten().to_numpy().copy()
        change(q)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(q), table["q"].type.list_size)
        return table.set_column(table.schema.get_field_index("q"), table.schema.field("q"), lists)

    return changed


def put(place, value):
    def change(values):
        values[place] = value
        return values

    return change


def as_type(name, kind):
    return lambda table: table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))


def with_null(table):
    values = [None, *table["visits"].to_pylist()[1:]]
    return table.set_column(table.schema.get_field_index("visits"), "visits", pa.array(values, pa.int64()))


COLUMNS = {
    "a row too few": lambda table: table.slice(1),
    "a row too many": lambda table: pa.concat_tables([table, table.slice(0, 1)]),
    "no rows": lambda table: table.slice(0, 0),
    "rows in another order": lambda table: table.take(pa.array(np.arange(table.num_rows)[::-1])),
    "a column gone": lambda table: table.drop_columns(["visits"]),
    "a column more": lambda table: table.append_column("note", pa.array([""] * table.num_rows)),
    "visits of another type": as_type("visits", pa.int32()),
    "steps of another type": as_type("step", pa.float64()),
    "q of lists of any length": lambda table: table.set_column(
        table.schema.get_field_index("q"), "q", table["q"].cast(pa.list_(pa.float64()))
    ),
    "visits below 0": column("visits", put(3, -1)),
    "a visit missing": with_null,
    "q infinite": q_of(put(5, np.inf)),
    "best that is no action": column("best", put(7, 300)),
    "a bin that is none": column("spread", put(2, 77)),
}


def spoilt(table, name):
    if name in COLUMNS:
        return COLUMNS[name](table)
    meta, (keys, value) = meta_of(table), META[name]
    *outer, last = keys
    here = meta
    for key in outer:
        here = here[key]
    if value is GONE:
        del here[last]
    else:
        here[last] = value
    return signed(table, meta)
