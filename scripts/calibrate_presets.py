"""Write the presets that are calibrated on real bars, each with its fit table as comments.

    python scripts/calibrate_presets.py BARS_FOLDER

BARS_FOLDER holds us_bars_1min.parquet and crypto_bars_1min.parquet. Only figures go into the presets, no data.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from fastexec.calibration.calibrate import Calibration, calibrate
from fastexec.calibration.document import seconds_of
from fastexec.calibration.panel import session_of
from fastexec.data.bars import read_bars

PRESETS = Path(__file__).resolve().parents[1] / "fastexec" / "studies" / "presets"


class Preset(NamedTuple):
    """What a preset is called and what it is calibrated on."""

    name: str
    file: str
    symbol: str
    window: str
    title: str
    shares: float
    lot: int
    risk_aversion: float


ALL = (
    Preset("large_cap_ibm", "us_bars_1min", "IBM", "10:30-11:30",
           "IBM, October 2013, 10:30 to 11:30: sell 5 % of the hour's volume; calibrated on 5 days", 28_000, 1, 1e-5),
    Preset("large_cap_aig", "us_bars_1min", "AIG", "10:30-11:30",
           "AIG, October 2013, 10:30 to 11:30: sell 5 % of the hour's volume; calibrated on 5 days", 60_000, 1, 1e-5),
    Preset("large_tick_bac", "us_bars_1min", "BAC", "10:30-11:30",
           "BAC, October 2013, 10:30 to 11:30: a spread of one tick, 7 bp; calibrated on 5 days", 580_000, 100, 1e-5),
    Preset("crypto_btc", "crypto_bars_1min", "coinbase:BTCUSD", "14:00-15:00",
           "BTC-USD on Coinbase, 2017 and 2018, 14:00 to 15:00 UTC: sell 33 coins; calibrated on 5 days", 33.0, 0, 1e-4),
)  # fmt: skip

STRATEGIES = """
[[strategies]]
model = "twap"
[[strategies]]
model = "vwap"
[[strategies]]
name = "pov10"
model = "pov"
rate = 0.10
[[strategies]]
model = "almgren_chriss"
risk_aversion = {risk_aversion:g}
[[strategies]]
model = "static_optimum"
[[strategies]]                # a control: what an adaptive policy must beat at the very least
model = "random"
[strategies.actions]
set = "multiples"             # of the TWAP slice
levels = [0.0, 0.5, 1.0, 1.5, 2.0]
"""


def text_of(preset: Preset, found: Calibration, later: Calibration) -> str:
    """The preset's file; ``later``: the fit of the first days, measured on the others."""
    head = f'# {preset.title}\nname = "{preset.name}"\nseed = 7\nepisodes = 100_000\n'
    order = (
        f'\n[order]\nside = "sell"\nshares = {preset.shares:_}\nsteps = 60\nstep_seconds = 60.0\nlot = {preset.lot}\n\n'
    )
    return head + order + found.to_toml() + STRATEGIES.format(**preset._asdict()) + "\n" + table_of(found, later)


def table_of(found: Calibration, later: Calibration) -> str:
    """The fit as comment lines, beside it what a fit of the first days says of the later ones."""
    names = f"{'statistic':38} {'unit':7} {'data':>10} {'sd error':>10} {'simulated':>10}  {'fits':22}"
    lines = [f"# {names}  later days: data, simulated, fits"]
    for row, other in zip(found.table.to_pylist(), later.table.to_pylist(), strict=True):
        numbers = [shown(row[key]) for key in ("data", "standard_error", "simulated")]
        fits = f"{row['fits'] or '-':22}"
        own = f"# {row['statistic']:38} {row['unit']:7} {numbers[0]:>10} {numbers[1]:>10} {numbers[2]:>10}  {fits}"
        lines.append(f"{own}  {shown(other['data']):>10} {shown(other['simulated']):>10}  {other['fits'] or '-'}")
    lines += [f"# {line}" for line in [*found.curves, f"later days: {later.head[0]}; {later.head[2]}"]]
    return "".join(f"{line}\n" for line in lines)


def shown(value: float | None) -> str:
    """A number of the table."""
    return "-" if value is None else f"{value:.4g}"


def main(folder: Path) -> None:
    """Calibrate and write all."""
    for preset in ALL:
        bars = read_bars(folder / f"{preset.file}.parquet", preset.symbol)
        window = seconds_of(preset.window)
        days = session_of(bars, window).days
        found, half = calibrate(bars, window=window), days[(len(days) - 1) // 2]
        later = calibrate(bars, window=window, until=half, test=True)
        (PRESETS / f"{preset.name}.toml").write_text(text_of(preset, found, later), "utf-8")
        print(table_of(found, later))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
