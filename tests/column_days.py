"""Days of bars with a further column, and studies that take it as a signal."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import fastexec as fx
from real_days import OPEN, some_days, write

STEPS = 5
X = {"name": "x", "column": "index"}


def columned(path, seed=4, lengths=(16,) * 4, missing=0.0, **further):
    """Days of bars with a column ``index``, a share of it empty but in a day's first bar; and its values by day."""
    days, rng = some_days(seed, lengths), np.random.default_rng(seed + 1)
    values = {
        day: [None if t and rng.random() < missing else float(100.0 + rng.normal()) for t in range(len(bars))]
        for day, bars in days.items()
    }
    flat = [x for day in values.values() for x in day]
    return write(days, path, index=pa.array(flat, pa.float64()), **further), values


def keys_of(path, model="replay", signals=(X,), **market):
    """The nested keys of a study on these bars."""
    episodes = {} if model == "replay" else {"episodes": 200}
    return episodes | {
        "order": {"shares": 500, "steps": STEPS},
        "market": {"model": model, "bars": str(path), "symbol": "S", "signals": list(signals), **market},
        "strategies": [{"model": "twap"}, {"model": "pov", "rate": 0.1}],
    }


def study(path, model="replay", signals=(X,), **market):
    return fx.Study.from_dict(keys_of(path, model, signals, **market))


def shown(prepared, name="x"):
    """The signal of each step, float64[e, t], and of each episode its day and its first bar's place in the day."""
    count, strategies = prepared.episodes, len(prepared.strategies)
    values = prepared.steps(0, count)[f"signal_{name}"].reshape(count, strategies, STEPS)
    for k in range(1, strategies):
        np.testing.assert_array_equal(values[:, k], values[:, 0])
    first = (prepared.windows.start_second - OPEN) // 60
    return values[:, 0], list(zip(prepared.windows.day.tolist(), first.tolist(), strict=True))


def changed(path, to, place, value):
    """The file with another value of ``index`` in the row numbered ``place``, and in all behind it."""
    table = pq.read_table(path).to_pandas()
    table.loc[table.index >= place, "index"] = value(table["index"][table.index >= place])
    table.to_parquet(to)
    return to
