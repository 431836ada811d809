"""The verbs on folders of results, which need no study file, and the options that all verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fastexec import printing
from fastexec.cli.counts import Count
from fastexec.wording import counted

PLUGIN = click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE", help="Own strategies: a Python file or a module (repeatable)."
)
TRUST = click.option(
    "--trust",
    is_flag=True,
    help="Run all code that the results bring or name, not only what --plugin or a run of yours did.",
)
DATA = click.option(
    "--data",
    metavar="DIR",
    help="Folder of the study's input files, where they lie neither beside it nor where it ran.",
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "markdown"]),
    default="table",
    help="Form of the table.",
)
_FOLDER = click.argument("folder", metavar="DIR")
_SCENARIO = click.option("--scenario", metavar="NAME", help="One scenario of a sweep (scenarios.parquet names them).")
_BASELINE = click.option("--baseline", help="Strategy to compare with; twap by default.")
_NEGLIGIBLE = click.option(
    "--negligible",
    type=float,
    default=0.01,
    show_default=True,
    metavar="BPS",
    help="Mark savings that are significant and smaller.",
)


@click.command(short_help="The paired comparison, from the files alone.")
@_FOLDER
@_BASELINE
@click.option("--by", metavar="COLUMN[:N]", help="Condition on a column of markets, or on N quantiles of it.")
@_SCENARIO
@click.option(
    "--metric",
    default="shortfall",
    metavar="NAME",
    help="shortfall (default), vwap, risk:LAMBDA (E + LAMBDA Var in currency) or cvar95.",
)
@_NEGLIGIBLE
@click.option("--money", is_flag=True, help="Costs and savings in currency, for an order of mean value.")
@FORMAT
def compare(folder: str, form: str, money: bool, **options: Any) -> None:
    """Paired comparison of the strategies in DIR, by scenario where it has a sweep, from its Parquet files alone."""
    from fastexec.analysis.comparison import compare as compare_files
    from fastexec.cli import savings

    savings.show_comparison(compare_files(folder, **options), form, money=money)


@click.command(short_help="One HTML page with every chart, from the files alone.")
@_FOLDER
@click.option("--out", metavar="FILE", help="File of the report; DIR/report.html by default.")
@click.option("--figures", type=click.Path(path_type=Path), help="Folder for the same charts as PNG and SVG.")
@_BASELINE
@_SCENARIO
@_NEGLIGIBLE
@click.option(
    "--pages/--no-pages", default=None, help="A page of each scenario beside a sweep's overview; up to 24 by default."
)
def report(folder: str, scenario: str | None, **options: Any) -> None:
    """Make one HTML page of the results in DIR, from its Parquet files alone; of a sweep, an overview of its scenarios,
    or one of them (needs the extra `report`).
    """
    from fastexec.analysis.report.write import write_report
    from fastexec.cli import following

    written: set[int] = set()
    with following.checking() as follow:

        def progress(what: str, number: int, count: int) -> None:
            written.add(number)
            if follow is not None:
                follow(what, number, count)

        page, pictures = write_report(folder, scenario=scenario, progress=progress, **options)
    printing.say(f"report: {page}")
    if written:
        printing.say(f"scenarios: {counted(len(written), 'page')} beside it")
    if pictures:
        printing.say(f"figures: {counted(len(pictures), 'file')} in {options['figures']}")


@click.command(short_help="Every step of one episode, from its seed.")
@_FOLDER
@click.option("--episode", type=Count(0), required=True, help="Number of the episode.")
@click.option("--strategy", help="One strategy only.")
@_SCENARIO
@click.option("--format", "form", type=click.Choice(["table", "csv", "parquet"]), default="table")
@PLUGIN
@TRUST
@DATA
def replay(folder: str, episode: int, strategy: str | None, form: str, **options: Any) -> None:
    """Every step of one episode of the results in DIR, regenerated from its seed (parquet: to standard output)."""
    from fastexec.cli import terminal
    from fastexec.runs.replay import replay_episode

    terminal.show_steps(replay_episode(folder, episode, strategy, **options), form)


@click.command(short_help="Join shards of a study into one.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@click.option("--out", required=True, help="Folder of the whole study, or s3://bucket/prefix.")
@click.option("--overwrite", is_flag=True, help="Replace another study's results in the folder.")
@click.option("--quiet", is_flag=True, help="No table.")
def merge(folders: tuple[str, ...], out: str, overwrite: bool, quiet: bool) -> None:
    """Join shards, each a DIR, run apart with --first-episode and --episodes, into one study."""
    from fastexec.cli import tables
    from fastexec.runs.merge import merge as merge_shards

    result = merge_shards(folders, out, overwrite)
    if not quiet:
        tables.show_result(result)


@click.command(short_help="Check every file of the results.")
@_FOLDER
@click.option("--sample", type=Count(0), default=0, help="Chunks that are simulated again, compared bit for bit.")
@PLUGIN
@TRUST
@DATA
def verify(folder: str, sample: int, plugins: tuple[str, ...], trust: bool, data: str | None) -> None:
    """Check the results in DIR: every chunk there, footers, row counts, costs adding up, summary and comparison."""
    from fastexec.cli import terminal
    from fastexec.runs.verify import verify as verify_files

    terminal.show_verification(folder, verify_files(folder, sample, plugins, trust, data))


@click.command(short_help="How far a run is, from any terminal.")
@_FOLDER
def status(folder: str) -> None:
    """How far the study in DIR is: episodes done, rate, time left, failures; from any terminal."""
    from fastexec.cli import terminal
    from fastexec.runs.status import status as read_status

    terminal.show_status(read_status(folder))


VERBS = (compare, report, replay, merge, verify, status)
