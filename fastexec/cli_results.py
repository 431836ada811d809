"""The verbs on folders of results that need no study file: merge, verify, status."""

from __future__ import annotations

import click

_FOLDER = click.argument("folder")


@click.command()
@click.argument("folders", nargs=-1, required=True)
@click.option("--out", required=True, help="Folder of the whole study, or s3://bucket/prefix.")
@click.option("--overwrite", is_flag=True, help="Replace another study's results in the folder.")
@click.option("--quiet", is_flag=True, help="No table.")
def merge(folders: tuple[str, ...], out: str, overwrite: bool, quiet: bool) -> None:
    """Join the shards in FOLDERS, run apart with --first-episode and --episodes, into one study."""
    from fastexec import tables
    from fastexec.studies.merge import merge as merge_shards

    result = merge_shards(folders, out, overwrite)
    if not quiet:
        tables.show_result(result)


@click.command()
@_FOLDER
@click.option(
    "--sample", type=click.IntRange(0), default=0, help="Chunks that are simulated again, compared bit for bit."
)
def verify(folder: str, sample: int) -> None:
    """Check the results in FOLDER: every chunk there, footers, row counts, costs adding up, summary and comparison."""
    from fastexec import terminal
    from fastexec.studies.verify import verify as verify_files

    terminal.show_verification(folder, verify_files(folder, sample))


@click.command()
@_FOLDER
def status(folder: str) -> None:
    """How far the study in FOLDER is: episodes done, rate, time left, failures; from any terminal."""
    from fastexec import terminal
    from fastexec.studies.status import status as read_status

    terminal.show_status(read_status(folder))


VERBS = (merge, verify, status)
