"""The verbs by which one finds one's way: presets, a new study file, the keys and columns, the handbook."""

from __future__ import annotations

from pathlib import Path

import click

from fastexec import printing
from fastexec.cli.names import NearestGroup
from fastexec.cli.results import PLUGIN


@click.group(cls=NearestGroup, invoke_without_command=True, short_help="The studies that ship; `presets show NAME`.")
@click.pass_context
def presets(ctx: click.Context) -> None:
    """List the studies that ship with fastexec; `presets show NAME` prints one."""
    if ctx.invoked_subcommand is None:
        from fastexec.cli import pages
        from fastexec.studies.catalogue import presets as shipped

        pages.show_names("preset", shipped())


@presets.command("show")
@click.argument("name")
def show_preset(name: str) -> None:
    """Print the study file of the preset NAME."""
    from fastexec.cli.pages import page
    from fastexec.studies.catalogue import preset_text

    page(preset_text(name))


@click.command(short_help="A commented study file, ready to run.")
@click.argument("name")
@click.option(
    "--from", "source", default="large_cap", show_default=True, metavar="PRESET|FILE",
    help="A preset, or the sections that `fastexec calibrate --out FILE` wrote.",
)  # fmt: skip
def new(name: str, source: str) -> None:
    """Write NAME.toml: a study that runs, each key with its meaning. What is there already is never replaced."""
    from fastexec.studies.new import study_from, write_new

    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    write_new(path, study_from(source, path.stem), source)
    printing.say(f"{path}: a study from {source}; next: fastexec check {path}, fastexec run {path}")


@click.command(short_help="Every key of a study and column of the results, or some.")
@click.argument("section", required=False)
@PLUGIN
def schema(section: str | None, plugins: tuple[str, ...]) -> None:
    """The study file, key by key, and the columns of the results; or only a SECTION (market.price), a key (volatility), a model
    (vwap), a table or a column.
    """
    from fastexec.cli.pages import page
    from fastexec.dictionary import data_dictionary
    from fastexec.models.plugin_files import registered
    from fastexec.studies.lookup import explained
    from fastexec.studies.study_schema import schema_text

    study, columns = schema_text(registered(plugins, lambda file: [Path(file)]).values()), data_dictionary()
    page(f"{study}\n{columns}" if section is None else explained(section, study, columns))


@click.command(short_help="The handbook, topic by topic.")
@click.argument("topic", required=False)
def guide(topic: str | None) -> None:
    """List the topics of the handbook, or show one."""
    from fastexec.cli import pages
    from fastexec.studies.handbook import topic_text, topics

    if topic is None:
        pages.show_names("topic", topics())
    else:
        pages.page_markdown(topic_text(topic))


FINDING = (presets, new, schema, guide)
