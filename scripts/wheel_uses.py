#!/usr/bin/env python3
"""What ``try_wheel.py`` does with an installed wheel besides the commands: bars of many types, a calibration, an own strategy.

Here lies what the versions of pandas, NumPy and pyarrow read and write differently. The files are made in the current folder.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

import fastexec as fx
from fastexec.calibration.calibrate import calibrate
from fastexec.data.bars import read_bars

DAYS, MINUTES, ZONE = 3, 30, "US/Eastern"
WEIGHTS = np.array([0.5, 0.25, 0.5, 1.0])


def table():
    """Bars of days of March 2024 with times in UTC, numbers to the cent."""
    rng = np.random.default_rng(3)
    opening = datetime(2024, 3, 11, 13, 30, tzinfo=UTC)
    times = [opening + timedelta(days=day, minutes=minute) for day in range(DAYS) for minute in range(MINUTES)]
    ticks = 5000 + rng.integers(-2, 3, len(times)).cumsum()
    return {
        "symbol": ["NA"] * len(times),
        "time": times,
        "bid": (ticks - rng.integers(1, 3, len(times))) / 100,
        "ask": (ticks + rng.integers(1, 3, len(times))) / 100,
        "volume": rng.integers(100, 900, len(times)).astype(float),
    }


def files(bars):
    """Names of files that hold the same bars in other types."""
    cents = {name: pa.array([Decimal(f"{x:.2f}") for x in bars[name]], pa.decimal128(12, 2)) for name in ("bid", "ask")}
    local = pa.array(bars["time"], pa.timestamp("us", "UTC")).cast(pa.timestamp("us", ZONE))
    written = {
        "plain.parquet": pa.table(bars),
        "decimals.parquet": pa.table(bars | cents),
        "zone.parquet": pa.table(bars | {"time": local}),
        "nanoseconds.parquet": pa.table(bars | {"time": pa.array(bars["time"], pa.timestamp("ns", "UTC"))}),
        "categories.parquet": pa.table(bars | {"symbol": pa.array(bars["symbol"]).dictionary_encode()}),
    }
    for name, kind in (("large.parquet", pa.large_string()), ("view.parquet", pa.string_view())):
        written[name] = pa.table(bars | {"symbol": pa.array(bars["symbol"], kind)})
    for name, made in written.items():
        try:
            pq.write_table(made, name)
        except pa.ArrowNotImplementedError:  # views, in older Arrow: nobody has such a file from it
            assert name == "view.parquet"
            continue
        yield name
    frame = pa.table(bars).to_pandas()
    frame.set_index(["symbol", "time"]).to_parquet("index.parquet")
    frame.to_csv("plain.csv.gz", index=False)
    seconds = [int(time.timestamp()) for time in bars["time"]]
    pcsv.write_csv(pa.table(bars | {"time": pa.array(seconds)}), "seconds.csv")
    frame.assign(time=frame["time"].dt.strftime("%d.%m.%Y %H:%M+00:00")).to_csv(
        "days.csv", sep=";", decimal=",", index=False
    )
    yield from ("index.parquet", "plain.csv.gz", "seconds.csv", "days.csv")


def read_all():
    """The bars, read alike from every file."""
    first = None
    for name in files(table()):
        words = {"decimal": ",", "time_format": "%d.%m.%Y %H:%M%z"} if name == "days.csv" else {}
        bars = read_bars(name, "NA", zone=ZONE, **words)
        assert (bars.day[0], bars.second[0], bars.day.size) == (20240311, 34_200, DAYS * MINUTES), name
        first = first or bars
        for column in ("day", "second", "bid", "ask", "volume"):
            np.testing.assert_array_equal(getattr(bars, column), getattr(first, column), err_msg=name)
    return first


@fx.strategy("weighted", part=1.0)
def weighted(shares, remaining, mid, spread, last_volume, params, step, steps):
    """A part of what remains, which an array of this script tells."""
    shares[:] = params[0] * remaining * WEIGHTS[step]


def main():
    """Read, calibrate, run what was fitted with an own strategy, change what that uses."""
    fitted = calibrate(read_all(), episodes=200, threads=1)
    study = {
        "episodes": 200,
        "order": {"shares": 1000, "steps": 4, "lot": 0},
        "strategies": [{"model": "twap"}, {"model": "weighted"}],
    }
    study |= {"market": {key: value for key, value in fitted.market.items() if key != "fitted"}}
    built = fx.Study.from_dict(study)
    fx.run(built, out="own")
    WEIGHTS[:] = 0.25
    said = ""
    try:
        fx.simulate(built)
    except fx.FastexecError as error:
        said = str(error)
    assert "WEIGHTS, which strategy 'weighted' uses, changed" in said, said
    assert len(fx.simulate(fx.Study.from_dict(study)).to_pandas()) == 400


if __name__ == "__main__":
    main()
