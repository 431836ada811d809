"""Train what a study asks to train, compute its optimum, read its agents: the tables that its strategies play."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import plain_sum
from fastexec.kernels.philox import TRAINING, VALIDATION
from fastexec.learning.agent import Agent
from fastexec.learning.agent_file import read_agent
from fastexec.learning.backward import learn_backward
from fastexec.learning.batched import learn_batched
from fastexec.learning.features import cuts_of, outside_of
from fastexec.learning.network_file import read_network
from fastexec.learning.online import learn_online
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.program import learn_program_rule, program_cuts
from fastexec.learning.rollout import Played, alone, play
from fastexec.learning.seen_days import fitted_before
from fastexec.learning.tables import Drafted, Learned, start_policy
from fastexec.learning.terms import risk_of
from fastexec.learning.unknown import why_unknown
from fastexec.models._base import written
from fastexec.models.agents import Training
from fastexec.models.features import MOVED_BY_THE_AGENT
from fastexec.models.order import Order
from fastexec.models.scalar import Scalar, bounds
from fastexec.models.strategies import Qtable
from fastexec.models.study import StudyModel
from fastexec.planning.policies import Cut, NetworkPolicy, Policies, TablePolicy, market_states

#: A row of the learning curve; what a start promises is not known.
Row = dict[str, Any]
#: Called with (agent, round, rounds, mean cost in bps, completion, None of a network).
Report = Callable[[str, int, int, float, float | None], None]
_VALIDATED, _RANGED = 8_192, 8_192
_RULES: dict[str, Callable[..., Iterator[Learned | Drafted]]] = {
    "backward": learn_backward,
    "batched": learn_batched,
    "online": learn_online,
    "double": learn_online,
    "program": learn_program_rule,
}


def train(study: StudyModel, name: str, *, threads: int = 1, report: Report | None = None) -> Agent:
    """Train the agent of section [train.NAME]; the same table for any number of threads.

    Its pilot, training and validation run on phases of the random stream that no evaluation meets. Raises InputError
    where there is no such section, or the rule does not fit the study.
    """
    if name not in study.train:
        raise InputError(f"train.{name}: no such section; there are {', '.join(study.train) or 'none'}")
    if study.synthetic is None:
        signals = " with [[market.signals]] of the same names" if study.signals else ""
        raise InputError(
            f"train.{name}: agents are trained on synthetic markets; calibrate one to the real days{signals}"
        )
    training = study.train[name]
    first = _start(study, training, name)
    cuts = _cuts(study, training, name, first)
    trial = _Trial(study, training, cuts)
    policy = _first_policy(study, training, cuts, first)
    if training.rule != "program":
        trial.enter(0, _nothing_learned(study, training, policy), keep=True)
    for number, learned in enumerate(
        _RULES[training.rule](study, training, cuts, name, threads, None if first is None else first.learned, policy), 1
    ):
        played = trial.enter(number, learned, keep=training.rule == "program")
        if report is not None:
            report(name, number, training.rounds, played.cost, played.completion)
        if training.patience and _stale(trial.curve, training.patience):
            break
    return trial.agent(name)


class _Trial:
    """The tables of a training's rounds, each played on validation episodes; the one that costs least is kept."""

    def __init__(self, study: StudyModel, training: Training, cuts: tuple[Cut, ...]) -> None:
        self._study, self._training, self._cuts = study, training, cuts
        self._risk = risk_of(study, training.risk_aversion)
        self.curve: list[Row] = []
        self._kept: tuple[int, Learned | Drafted] | None = None
        self._last: Learned | Drafted | None = None

    def enter(self, number: int, learned: Learned | Drafted, keep: bool = False) -> Played:
        """Play a round's table, note what it cost, and keep it where it is the best so far, or ``keep`` says so."""
        played, self._last = self._play(learned, 0, _VALIDATED), learned
        best = min((row["validation_bps"] for row in self.curve), default=np.inf)
        row = {
            "episodes": float(number * self._training.batch),
            "training_bps": promised(learned, self._cuts),
            "validation_bps": played.cost,
            "error_bps": played.error,
            "completion": played.completion,
        }
        self.curve.append(row)
        if keep or self._kept is None or played.cost < best:
            self._kept = len(self.curve) - 1, learned
        return played

    def agent(self, name: str) -> Agent:
        """The agent with the table that was kept, told on episodes by which nothing was chosen. A start that was kept plays as
        it did, and knows what the last round does.
        """
        assert self._kept is not None
        assert self._last is not None
        kept, table = self._kept
        learned = _finished(table)
        if self.curve[kept]["training_bps"] is None:
            learned = _finished(self._last)._replace(best=learned.best)
        fresh = self._play(learned, _VALIDATED, _VALIDATED)
        agent = Qtable(model="qtable", name="agent", agent="-")
        low, high = alone(self._study, agent, TRAINING, {"agent": self._policy(learned)}).ranges(0, _RANGED)
        return Agent(
            self._cuts, self._training.actions, learned, fresh.schedule, self.curve, kept, (fresh.cost, fresh.error),
            tuple(zip(low.tolist(), high.tolist(), strict=True)), origin_of(self._study, name),
            outside_of(self._study, self._training),
        )  # fmt: skip

    def _policy(self, learned: Learned | Drafted) -> TablePolicy:
        return TablePolicy(self._cuts, self._training.actions, learned.best, np.zeros(self._study.order.steps + 1))

    def _play(self, learned: Learned | Drafted, first: int, episodes: int) -> Played:
        return play(self._study, self._policy(learned), VALIDATION, episodes, first, self._risk)


def _finished(table: Learned | Drafted) -> Learned:
    return table.finish() if isinstance(table, Drafted) else table


def promised(learned: Learned | Drafted, cuts: tuple[Cut, ...]) -> float | None:
    """What the table itself expects an order to cost, bps; None of one that was never tried."""
    market = market_states(cuts)
    q, visits, best = learned.q[0, -market:], learned.visits[0, -market:], learned.best[0, -market:]
    values = np.take_along_axis(q, best[:, None].astype(np.int64), axis=1)[:, 0]
    known = (visits > 0) & ~np.isnan(values)
    return plain_sum(values[known] * visits[known]) / int(visits[known].sum()) if known.any() else None


def _nothing_learned(study: StudyModel, training: Training, policy: np.ndarray) -> Learned:
    """The table of a start: nothing tried."""
    cells = (*policy.shape, len(training.actions.levels_for(study.order)))
    nothing, none = np.full(cells, np.nan), np.zeros(cells, np.int64)
    return Learned(nothing, nothing, none, none[:, :, 0].copy(), policy)


def _first_policy(study: StudyModel, training: Training, cuts: tuple[Cut, ...], first: Agent | None) -> np.ndarray:
    """The actions that a training begins with: those of the agent it goes on from, else the best static schedule's."""
    if first is not None:
        return first.learned.best
    if training.rule == "program":
        return np.zeros((study.order.steps, int(np.prod([cut.bins for cut in cuts]))), np.uint16)
    return start_policy(study, training, cuts)


def _start(study: StudyModel, training: Training, name: str) -> Agent | None:
    """The agent to go on from; InputError where it has other steps or actions."""
    if training.start is None:
        return None
    agent = read_agent(study.file_path(training.start))
    _require_fit(study, name, agent)
    if agent.cuts[-1].bins < 2:
        raise InputError(
            f"train.{name}.start: the agent does not see the inventory, and this rule goes by it; start from another"
        )
    if training.rule != "batched" and (own := [cut.name for cut in agent.cuts if cut.name in MOVED_BY_THE_AGENT]):
        raise InputError(f"train.{name}.start: only rule batched knows {own[0]}, which the agent moves itself")
    if agent.actions != training.actions:
        raise InputError(f"train.{name}.start: the agent has other actions; give train.{name}.actions as it has them")
    return agent


def _cuts(study: StudyModel, training: Training, name: str, first: Agent | None) -> tuple[Cut, ...]:
    if training.rule == "program":
        return program_cuts()
    return cuts_of(study, training, name) if first is None else first.cuts


def _stale(curve: list[Row], patience: int) -> bool:
    """Whether the last ``patience`` rounds brought no better validation than the rounds before them. Rounds at the beginning
    that play exactly as the first row does have learned nothing yet, and are not counted.
    """
    costs = [row["validation_bps"] for row in curve]
    while len(costs) > 1 and costs[1] == costs[0]:
        del costs[1]
    rounds = costs[1:]
    return len(rounds) > patience and min(rounds[-patience:]) >= min(rounds[:-patience])


def origin_of(study: StudyModel, name: str) -> dict[str, Any]:
    """What the table depends on; strategies and outputs of the study do not matter."""
    from fastexec.kernels._sources import kernel_hash

    sections = {key: value for key, value in written(study).items() if key in ("order", "market", "costs", "seed")}
    start = study.train[name].start
    path = None if start is None else study.file_path(start)
    begun = {} if path is None else {"start": hashlib.sha256(path.read_bytes()).hexdigest(), **fitted_before(path)}
    return {
        **sections,
        **begun,
        "name": name,
        "train": written(study.train[name]),
        "kernels": kernel_hash(),
    }


def policies_of(study: StudyModel, agents: dict[str, Agent]) -> Policies:
    """The tables and networks by strategy; ``agents``: the trained ones by section. Files are read here.

    Raises InputError where an agent was made for another number of steps, or no optimum is known.
    """
    found: dict[str, TablePolicy | NetworkPolicy] = {}
    for strategy in study.agents:
        agent = agents[strategy.train] if strategy.train is not None else read_agent(agent_path(study, strategy))
        _require_fit(study, strategy.name, agent)
        found[strategy.name] = agent.policy
    for network in study.networks:
        found[network.name] = read_network(study.file_path(network.agent)).policy
    for optimum in study.optima:
        if (reason := why_unknown(study)) is not None:
            raise InputError(f"strategies.{optimum.name}: no optimum is known: {reason}")
        found[optimum.name] = solve_optimum(study, optimum.actions).policy
    return found


def _require_fit(study: StudyModel, name: str, agent: Agent) -> None:
    """An agent plays the clock, and if it counts lots the lots, that it was trained for."""
    order, then = study.order, Order.model_validate(agent.training["order"])
    if agent.q.shape[0] != order.steps:
        raise InputError(
            f"strategies.{name}: the agent was made for {agent.q.shape[0]} steps, order.steps is {order.steps}; train one for "
            "this order"
        )
    if agent.actions.set == "lots" and (order.lot != then.lot or order.shares != then.shares):
        raise InputError(
            f"strategies.{name}: the agent counts lots of {then.lot:g} of {_said(then.shares)} shares, this order has lots of "
            f"{order.lot:g} of {_said(order.shares)}; train one for this order"
        )


def _said(shares: Scalar) -> str:
    low, high = bounds(shares)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def agent_path(study: StudyModel, strategy: Qtable) -> Path:
    """Where an agent's file is: beside the study file, else from the current folder."""
    assert strategy.agent is not None
    return study.file_path(strategy.agent)


def hashes_of_agents(study: StudyModel) -> dict[str, str]:
    """SHA-256 of each agent's file that the study names."""
    agents = [s.agent for s in study.agents if s.agent is not None] + [s.agent for s in study.networks]
    return {name: hashlib.sha256(study.file_path(name).read_bytes()).hexdigest() for name in agents}


def sections_played(study: StudyModel) -> list[str]:
    """The sections [train.NAME] that a strategy plays, each once, in order."""
    names = [s.train for s in study.agents if s.train is not None]
    return list(dict.fromkeys(names))


def tables_for(study: StudyModel, threads: int = 1) -> Policies:
    """Train, read and compute all that a study's strategies play."""
    agents = {name: train(study, name, threads=threads) for name in sections_played(study)}
    return policies_of(study, agents)
