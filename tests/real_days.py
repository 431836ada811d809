"""Days of bars for tests: as a file that a study names, and as the naive twin takes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from naive.real_days import Bar

OPEN = 34_200


def some_days(seed: int, lengths: Sequence[int], empty: float = 0.0, auction: float = 0.0) -> dict[int, list[Bar]]:
    """Days of one-minute bars from 09:30 on. empty: share of bars without volume. auction: how many times the usual volume the
    last bar of a day holds, none if 0.
    """
    rng = np.random.default_rng(seed)
    days = {}
    for number, length in enumerate(lengths):
        mid = 50.0 * np.exp(rng.normal(size=length).cumsum() * 0.001)
        half = rng.uniform(0.005, 0.03, length)
        volume = rng.integers(500, 1_500, length) * (rng.random(length) >= empty)
        if auction:
            volume[-1] = 1_000 * auction
        bars = zip(range(length), mid - half, mid + half, volume.tolist(), strict=True)
        day = int((date(2013, 10, 7) + timedelta(days=number)).strftime("%Y%m%d"))
        days[day] = [Bar(day, OPEN + 60 * t, float(bid), float(ask), float(v)) for t, bid, ask, v in bars]
    return days


def halted(bars: list[Bar], at: Sequence[int]) -> list[Bar]:
    """The bars with a halt at some of them: no quote and no volume."""
    return [bar._replace(bid=None, ask=None, volume=0.0) if t in at else bar for t, bar in enumerate(bars)]


def write(days: dict[int, list[Bar]], path: Path, **columns: list[bool]) -> Path:
    """As a Parquet file of symbol S; further ``columns`` beside."""
    bars = [bar for day in days.values() for bar in day]
    table = {
        "symbol": ["S"] * len(bars),
        "date": [bar.day for bar in bars],
        "sec": [bar.second for bar in bars],
        "volume": [bar.volume for bar in bars],
        "bid_px_1": pa.array([bar.bid for bar in bars], pa.float64()),
        "ask_px_1": pa.array([bar.ask for bar in bars], pa.float64()),
    }
    pq.write_table(pa.table(table | columns), path)
    return path
