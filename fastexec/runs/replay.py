"""Episodes of finished results, step by step, regenerated from their seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fastexec.errors import InputError, option
from fastexec.kernels._sources import kernel_hash
from fastexec.learning.training import policies_of, sections_played
from fastexec.models.trust import Trust
from fastexec.place import Place
from fastexec.runs import layout, store
from fastexec.runs.agents import agent_in
from fastexec.runs.given import paths_behind
from fastexec.runs.inputs import with_files_of
from fastexec.runs.scenario import made_by, playing
from fastexec.runs.swept import scenario_named
from fastexec.simulation import Prepared, prepare
from fastexec.studies.study import Swept
from fastexec.wording import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


def replay_episode(
    folder: str | Path | Place,
    episode: int,
    strategy: str | None = None,
    scenario: str | None = None,
    plugins: Iterable[str] = (),
    trust: bool = False,
    data: str | Path | None = None,
) -> pa.Table:
    """The `steps` rows of an episode, of every strategy or one; ``scenario``: which one of a sweep.

    Own strategies run where their file is one of ``plugins`` or was recorded by a run or training of the user's own, or where
    the whole folder is trusted (``trust``). ``data``: the folder of the study's input files, where they lie neither beside it
    nor where it was run.

    Nothing stored is read but the study (``study.toml``) and its agents: the path is simulated again. Raises InputError where
    the folder holds no study, or no such episode, strategy or scenario, or code would have to run that may not.
    """
    from fastexec.columns import steps_table

    place = Place.of(folder)
    swept = scenario_named(store.read_study(place, trust=Trust.of(tuple(plugins), trust)), scenario)
    prepared = prepare_held(place, swept, data)
    if not 0 <= episode < prepared.episodes:
        raise InputError(f"{option('episode', episode)}: the study has episodes 0 to {prepared.episodes - 1}")
    steps = prepared.steps(episode, 1)
    if strategy is not None:
        if strategy not in prepared.strategies:
            raise InputError(
                f"{option('strategy', strategy)}: not in this study; {did_you_mean(strategy, prepared.strategies, 'it has')}"
            )
        chosen = steps["strategy_index"] == prepared.strategies.index(strategy)
        steps = {name: column[chosen] for name, column in steps.items()}
    return steps_table(prepared.strategies, steps)


def prepare_again(folder: Place, swept: Swept) -> Prepared:
    """As ``prepare_held``, for the same bits: InputError where other kernels made the results."""
    footer = store.read_footer(folder / "summary.parquet")
    if footer["kernels"] != kernel_hash():
        raise InputError(
            f"{folder}: was made by other kernels (fastexec {footer['versions'].get('fastexec', '?')}) than are installed here"
        )
    return prepare_held(folder, swept)


def prepare_held(folder: Place, swept: Swept, data: str | Path | None = None) -> Prepared:
    """Results of a folder ready to be regenerated, with the agents that lie beside them; nothing is trained. ``data``: the
    folder of the study's input files.

    Raises InputError where an agent or input file is missing, RefusedError where one has changed, or study.toml is not the
    study that the files beside it were made by.
    """
    made = made_by(folder, swept.name)
    footer = None if made is None else store.read_footer(made)
    study = with_files_of(swept.study, folder, {} if footer is None else footer["inputs"], data)
    swept = replace(swept, study=study)
    home = layout.home_name(layout.AGENTS, swept.name)
    agents = {name: agent_in(folder, home, name) for name in sections_played(study)}
    policies, given = policies_of(study, {n: kept.agent for n, kept in agents.items()}), paths_behind(folder, footer)
    prepared = prepare(study, paths=None if given is None else given.paths, policies=policies)
    scenario = playing(swept, prepared, agents, given)
    if made is not None and footer is not None:
        store.require_inputs(made, footer, scenario.outline.inputs)
        if made.name != "summary.parquet" and footer["identity"] != study.identity():
            raise InputError(
                f"{folder}: study.toml is not the study that the files beside it were made by; put it back"
            )
    return scenario.prepared
