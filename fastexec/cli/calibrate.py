"""The verb that fits a market to real bars, and how their file is to be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fastexec.cli.counts import Count
from fastexec.cli.results import FORMAT


@click.command(short_help="Fit a market to real bars.")
@click.argument("bars", type=click.Path(path_type=Path))
@click.option("--symbol", required=True, help="Symbol in the file of bars.")
@click.option("--out", type=click.Path(path_type=Path), help="File for the [market] and [costs] sections.")
@click.option("--study", type=click.Path(path_type=Path), help="File for a whole study: with an order and strategies.")
@click.option("--until", metavar="DATE", help="Last day that the fit may see: 2013-10-08.")
@click.option("--test", is_flag=True, help="Measure the fit on the days after --until.")
@click.option("--window", metavar="HH:MM-HH:MM", help="Part of the day, local time; the whole by default.")
@click.option("--column", multiple=True, metavar="OURS=THEIRS", help="Name of a column of the file: volume=Vol.")
@click.option(
    "--signal", "signals", multiple=True, metavar="NAME", help="Further column: what it tells of coming moves."
)
@click.option("--zone", help="Zone of the local times: America/New_York.")
@click.option("--time-format", metavar="FORMAT", help='How times are written: "%d.%m.%Y %H:%M".')
@click.option("--decimal", default=".", metavar="CHAR", help="Decimal point of the file's numbers.")
@click.option("--thousands", metavar="CHAR", help="What marks thousands in them.")
@click.option("--fill", is_flag=True, help="An absent bar is one without volume, in which the quote before stands.")
@click.option("--spread", type=float, metavar="BPS", help="Full spread around the close, for bars without quotes.")
@click.option("--drop-outliers", is_flag=True, help="Leave out wild quotes, not their days.")
@click.option(
    "--turnover", type=float, metavar="DAYS", help="Shares outstanding over daily volume, for the permanent impact."
)
@click.option("--shares-outstanding", type=float, metavar="SHARES", help="Likewise, in place of --turnover.")
@click.option(
    "--costs", type=click.Path(path_type=Path), metavar="FILE", help="TOML file whose [costs] are taken as they are."
)
@click.option("--episodes", type=Count(100), default=100_000, show_default=True, help="Days simulated.")
@click.option("--overwrite", is_flag=True, help="Replace the files --out and --study.")
@FORMAT
def calibrate(
    bars: Path, symbol: str, out: Path | None, study: Path | None, overwrite: bool, form: str, **options: Any
) -> None:
    """Fit a market to real BARS (Parquet or CSV): sections for a study, and how well they fit, statistic by statistic."""
    from fastexec.calibration.calibrate import calibrate as fit_market
    from fastexec.calibration.costs import basis_of
    from fastexec.calibration.document import columns_of, day_of, require_free, save, seconds_of, study_text
    from fastexec.cli import tables
    from fastexec.data.bars import read_bars
    from fastexec.data.reading import Words

    for option, path in (("--out", out), ("--study", study)):
        if path is not None:
            require_free(option, path, overwrite)
    day, window = day_of(options.pop("until")), seconds_of(options.pop("window"))
    words = {word: options.pop(word) for word in Words.__optional_keys__ if word in options}
    columns = columns_of(options.pop("column"))
    basis = basis_of(*(options.pop(name) for name in ("turnover", "shares_outstanding", "costs")))
    read = read_bars(bars, symbol, between=window, columns=columns, door="option", **words)
    found = fit_market(read, until=day, window=window, basis=basis, **options)
    if out is not None:
        save("--out", found.to_toml(), out)
    if study is not None:
        save("--study", study_text(found), study)
    tables.show_calibration(found, form)
