"""Episodes of finished results, step by step, regenerated from their seed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fastexec.errors import InputError
from fastexec.kernels._jit import kernel_hash
from fastexec.learning.training import policies_of, sections_played
from fastexec.models.trust import Trust
from fastexec.simulation import Prepared, default_threads, prepare
from fastexec.studies import store
from fastexec.studies.agents import agent_in
from fastexec.studies.place import Place
from fastexec.studies.scenario import prepared_scenario
from fastexec.studies.sweep import Swept, scenario_named

if TYPE_CHECKING:
    import pyarrow as pa


def replay_episode(
    folder: str | Path,
    episode: int,
    strategy: str | None = None,
    scenario: str | None = None,
    plugins: Iterable[str] = (),
    trust: bool = False,
) -> pa.Table:
    """The `steps` rows of an episode, of every strategy or one; ``scenario``: which one of a sweep.

    Own strategies run where their file is one of ``plugins`` or was recorded by a run or training of the user's own, or where
    the whole folder is trusted (``trust``).

    Nothing stored is read but the study (``study.toml``): the path is simulated again. Raises InputError where the folder
    holds no study, or no such episode, strategy or scenario, or code would have to run that may not.
    """
    from fastexec.columns import steps_table

    place = Place.of(folder)
    swept = scenario_named(store.read_study(place, trust=Trust.of(tuple(plugins), trust)), scenario)
    prepared = prepared_scenario(swept, place, default_threads(), None)[0].prepared
    parts = store.parts(store.home_of(place, "markets", swept.name))
    if parts:
        store.require_inputs(parts[0], prepared.inputs)
        if store.read_footer(parts[0])["identity"] != swept.study.identity():
            raise InputError(f"{place}: study.toml is not the study that the files beside it were made by; put it back")
    if not 0 <= episode < prepared.episodes:
        raise InputError(f"--episode {episode}: the study has episodes 0 to {prepared.episodes - 1}")
    steps = prepared.steps(episode, 1)
    if strategy is not None:
        if strategy not in prepared.strategies:
            raise InputError(f"--strategy {strategy}: not in this study; it has {', '.join(prepared.strategies)}")
        chosen = steps["strategy_index"] == prepared.strategies.index(strategy)
        steps = {name: column[chosen] for name, column in steps.items()}
    return steps_table(prepared.strategies, steps)


def prepare_again(folder: Place, swept: Swept) -> Prepared:
    """Finished results ready to be regenerated, with the agents that lie beside them; nothing is trained.

    Raises InputError where the same bits are not to be had: other kernels, or an agent or input file that is missing or
    has changed.
    """
    summary = folder / "summary.parquet"
    footer = store.read_footer(summary)
    if footer["kernels"] != kernel_hash():
        raise InputError(
            f"{folder}: was made by other kernels (fastexec {footer['versions']['fastexec']}) than are installed here"
        )
    home = store.home_of(folder, "agents", swept.name)
    agents = {name: agent_in(home, name) for name in sections_played(swept.study)}
    prepared = prepare(swept.study, policies=policies_of(swept.study, agents))
    store.require_inputs(summary, prepared.inputs)
    return prepared
