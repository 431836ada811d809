"""Episodes of finished results, step by step, regenerated from their seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastexec.errors import InputError
from fastexec.kernels._jit import kernel_hash
from fastexec.learning.agent import read_agent
from fastexec.learning.training import policies_of, sections_played
from fastexec.simulation import Prepared, default_threads, prepare
from fastexec.studies import store
from fastexec.studies.agents import trained_agents
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa


def replay_episode(folder: str | Path, episode: int, strategy: str | None = None) -> pa.Table:
    """The `steps` rows of an episode, of every strategy or one.

    Nothing stored is read but the study (``study.toml``): the path is simulated again. Raises InputError where the folder
    holds no study, or no such episode or strategy.
    """
    from fastexec.columns import steps_table

    path = Path(folder) / "study.toml"
    if not path.is_file():
        raise InputError(f"{folder}: holds no study.toml; give the folder of a run's results")
    study = Study.load(path)
    agents = trained_agents(study, Path(folder), default_threads(), None)
    prepared = prepare(study, policies=policies_of(study, agents))
    parts = sorted((Path(folder) / "markets").glob("part-*.parquet"))
    if parts:
        store.require_inputs(parts[0], prepared.inputs)
        if store.read_footer(parts[0])["identity"] != study.identity():
            raise InputError(f"{path}: is not the study that the files beside it were made by; put the original back")
    if not 0 <= episode < prepared.episodes:
        raise InputError(f"--episode {episode}: the study has episodes 0 to {prepared.episodes - 1}")
    steps = prepared.steps(episode, 1)
    if strategy is not None:
        if strategy not in prepared.strategies:
            raise InputError(f"--strategy {strategy}: not in this study; it has {', '.join(prepared.strategies)}")
        chosen = steps["strategy_index"] == prepared.strategies.index(strategy)
        steps = {name: column[chosen] for name, column in steps.items()}
    return steps_table(prepared.strategies, steps)


def prepare_again(folder: Path, study: Study) -> Prepared:
    """Finished results ready to be regenerated, with the agents that lie beside them; nothing is trained.

    Raises InputError where the same bits are not to be had: other kernels, or an agent or input file that is missing or
    has changed.
    """
    footer = store.read_footer(folder / "summary.parquet")
    if footer["kernels"] != kernel_hash():
        raise InputError(
            f"{folder}: was made by other kernels (fastexec {footer['versions']['fastexec']}) than are installed here"
        )
    agents = {name: read_agent(folder / "agents" / f"{name}.parquet") for name in sections_played(study)}
    prepared = prepare(study, policies=policies_of(study, agents))
    store.require_inputs(folder / "summary.parquet", prepared.inputs)
    return prepared
