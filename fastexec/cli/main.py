"""The command line: verbs, options, exit statuses; what they print is laid out in ``terminal``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

import fastexec
from fastexec import printing
from fastexec.cli.calibrate import calibrate
from fastexec.cli.counts import Count
from fastexec.cli.exits import statuses, watch_signals, watch_warnings
from fastexec.cli.finding import FINDING
from fastexec.cli.names import NearestGroup, study_argument
from fastexec.cli.results import DATA, PLUGIN, TRUST, VERBS
from fastexec.errors import InputError

_HELP = """Compare order execution strategies on the same simulated or replayed markets, in pairs, with intervals.

STUDY is a TOML file or the name of a preset, DIR the folder of a run's results. `fastexec` alone names the first steps.
"""
_EPILOG = """\b
Tab completion, in the file that your shell reads at its start:
  bash   eval "$(_FASTEXEC_COMPLETE=bash_source fastexec)"
  zsh    eval "$(_FASTEXEC_COMPLETE=zsh_source fastexec)"
  fish   _FASTEXEC_COMPLETE=fish_source fastexec | source
"""


@click.group(
    cls=NearestGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=_HELP,
    epilog=_EPILOG,
)
@click.version_option(fastexec.__version__, prog_name="fastexec", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an error (works behind any command).")
def cli(debug: bool) -> None:
    """The group of all commands; ``--debug`` is taken out by ``main``."""


def _study(
    name: str,
    settings: tuple[str, ...],
    plugins: tuple[str, ...] = (),
    trust: bool = False,
    out: str | None = None,
    **changes: int | None,
) -> Any:
    """The study of a command; one that lies in a folder of results runs only the code that its reader vouches for."""
    from fastexec.place import Place
    from fastexec.studies.ownership import trust_for
    from fastexec.studies.study import Study

    _require_utf8("--set", settings)
    _require_utf8("--plugin", plugins)
    extra = [f"{key}={value}" for key, value in changes.items() if value is not None]
    folder = Path(name).parent if os.path.isfile(name) else None
    allowed = trust_for(folder, None if out is None else Place.of(out), plugins, trust)
    return Study.resolve(name, [*settings, *extra], plugins, allowed)


def _require_utf8(option: str, texts: tuple[str, ...]) -> None:
    """What becomes a part of the study is kept in study.toml, which is UTF-8."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{option} {text}: is no UTF-8 text, as a study is; rename the file, or correct it"
            ) from None


_STUDY = study_argument
_SET = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a key, also a swept one: order.shares=5000."
)
_EPISODES = click.option("--episodes", type=Count(), help="Number of episodes instead of the study's: 1e6, 1_000_000.")
_SEED = click.option("--seed", type=Count(), help="Root seed instead of the study's, 0 to 2^64 - 1.")
_THREADS = click.option("--threads", type=Count(1, 1024), help="Threads; all processors by default.")


@cli.command(short_help="Simulate, write Parquet, print the comparison.")
@_STUDY
@click.option(
    "--out",
    help="Folder of the results, or s3://bucket/prefix; results/NAME by default. Locked while a run writes, if local.",
)
@_EPISODES
@_SEED
@_THREADS
@click.option("--chunk", type=Count(1), help="Episodes a file.")
@click.option("--max-memory", metavar="SIZE", help="Bound on memory (2GB) that chunks are cut for.")
@click.option("--scheduler", metavar="ADDRESS", help="Run chunks on a Dask cluster: tcp://host:8786.")
@click.option("--workers", type=Count(1, 1024), help="Run chunks on so many local worker processes.")
@click.option("--first-episode", type=Count(0), default=0, help="Run a shard: --episodes N from here on.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run, or extend it to more episodes.")
@click.option("--overwrite", is_flag=True, help="Replace another study's results in the folder.")
@click.option("--yes", is_flag=True, help="Run also a sweep of more than 1,000 scenarios.")
@click.option("--quiet", is_flag=True, help="No progress and no table.")
@_SET
@PLUGIN
@TRUST
@DATA
def run(
    study: str,
    settings: tuple[str, ...],
    plugins: tuple[str, ...],
    episodes: int | None,
    seed: int | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Simulate every strategy of STUDY, write Parquet, print the comparison."""
    shard = options["first_episode"] > 0
    asked = {"episodes": None if shard else episodes, "seed": seed}
    loaded = _study(
        study, settings, plugins, options["trust"], options["out"], **asked
    )  # a faulty one waits for no import
    from fastexec.cli import following, tables
    from fastexec.runs.run import run as run_study

    options["episodes"] = episodes if shard else None
    with following.training(quiet) as trained, following.progress(quiet) as report:
        result = run_study(loaded, progress=report, training=trained, **options)
    if not quiet:
        tables.show_result(result)


@cli.command()
@_STUDY
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File of the agent (Parquet).")
@click.option("--agent", help="Name of the section [train.NAME], where there are several.")
@click.option("--overwrite", is_flag=True, help="Replace the file --out.")
@_THREADS
@_SET
@PLUGIN
@TRUST
def train(
    study: str, settings: tuple[str, ...], plugins: tuple[str, ...], out: Path, trust: bool, **options: Any
) -> None:
    """Train an agent of STUDY and keep it."""
    from fastexec.cli import following
    from fastexec.learning.network_file import NetworkAgent
    from fastexec.runs.agents import require_free, save_agent, train_one

    require_free(out, options["overwrite"])
    loaded = _study(study, settings, plugins, trust)
    with following.training(False) as report:
        trained = train_one(loaded, options["agent"], options["threads"], report)
    loaded.remember_code()
    save_agent(trained, out)
    printing.say(f"trained: {out}")
    model = "network" if isinstance(trained, NetworkAgent) else "qtable"
    printing.say(f'what it learned: fastexec show {out}; in a study: model = "{model}", agent = "{out}"')


@cli.command()
@click.argument("agent", type=click.Path(path_type=Path))
def show(agent: Path) -> None:
    """Say in words what AGENT learned."""
    from fastexec.analysis.agents import by_time_and_inventory, in_words
    from fastexec.cli import tables
    from fastexec.learning.agent_file import read_agent
    from fastexec.learning.network_file import is_network, read_network

    if is_network(agent):
        from fastexec.analysis.network_words import of_network

        tables.show_agent(of_network(read_network(agent)), [])
        return
    read = read_agent(agent)
    tables.show_agent(in_words(read), by_time_and_inventory(read))


@cli.command(short_help="What a study means and costs; writes nothing.")
@_STUDY
@_SET
@PLUGIN
@TRUST
@_EPISODES
@click.option("--full", is_flag=True, help="The whole study as well, every default written out.")
def check(
    study: str, settings: tuple[str, ...], plugins: tuple[str, ...], trust: bool, episodes: int | None, full: bool
) -> None:
    """Validate STUDY; print what is doubtful, whether an optimum is known, what a run costs. Writes nothing."""
    loaded = _study(study, settings, plugins, trust, episodes=episodes)
    from fastexec.cli import following, terminal
    from fastexec.runs.check_sweep import examine_any

    with following.checking() as report:
        found = examine_any(loaded, report)
    terminal.show_check(found, full)


@cli.command()
@click.option("--warm", is_flag=True, help="Compile every kernel ahead.")
def info(warm: bool) -> None:
    """Versions, threads, kernels and their cache."""
    from fastexec.cli import terminal

    terminal.show_info(warm)


for _verb in (*VERBS, calibrate, *FINDING):
    cli.add_command(_verb)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its status (0, 1, 2, 3 or 130)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    resumable = words[:1] == ["run"]
    printing.prepare()
    watch_signals(resumable)
    watch_warnings()
    if "_FASTEXEC_COMPLETE" in os.environ:  # the shell asks for completions, or for the script that makes it ask
        cli.main(words, prog_name="fastexec")
    with statuses(debug, resumable):
        _require_words(words)
        if words:
            with cli.make_context("fastexec", words) as context:  # cli.main would print a line of its own on Ctrl-C
                cli.invoke(context)
        else:
            from fastexec.cli.terminal import show_first_steps

            show_first_steps()


def _require_words(words: list[str]) -> None:
    """None is empty, as a variable of a shell that was not set, and none holds the character NUL, as no name of a file can."""
    for before, word in zip(["fastexec", *words], words, strict=False):
        if not word or (word.startswith("--") and word.endswith("=")):
            raise click.UsageError(f"the word behind {word or before!r} is empty; give one, or leave it out")
        if "\0" in word:
            raise click.UsageError(f"{word}: holds the character NUL; leave it out")
