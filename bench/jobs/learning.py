"""Training by each rule, its own draws, the encoding of states, and growth with the number of states."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from baselines.python_learner import python_q_learning

from fastexec.kernels import fields
from fastexec.kernels._jit import LANES
from fastexec.kernels.buffers import lanes_for
from fastexec.learning.backward import learn_backward
from fastexec.learning.batched import Learner
from fastexec.learning.features import cuts_of
from fastexec.learning.online import learn_online
from fastexec.learning.program import learn_program_rule, program_cuts
from fastexec.models.actions import Actions
from fastexec.models.agents import Training
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import Cut, TablePolicy
from fastexec.studies.study import Study
from jobs import loops
from jobs.engine import MINI, SEED, STEPS, changed
from jobs.job import BASELINES, FLOORS, GROWTH, SELDOM, Job, Size

TRANSITION, NAME = "transition", "bench"
DRAWS, PYTHON, COPY = "draws: moves, choices", "plain Python learner", "copy of the states"
_BATCHED = 65_536
_LEARN = {"backward": learn_backward, "online": learn_online, "double": learn_online, "program": learn_program_rule}


def trained(preset: str, rule: str, batch: int, **more: Any) -> tuple[Study, Training]:
    """A preset's study with a section of one round."""
    levels = Actions(set="fractions", levels=(0.0, 0.25, 0.5, 0.75, 1.0))
    training = Training(rule=rule, batch=batch, rounds=1, actions=levels, **more)  # type: ignore[arg-type]
    return changed(Study.preset(preset), train={NAME: training.model_dump()}, strategies=[{"model": "twap"}]), training


def rule_job(rule: str, batch: int) -> Callable[[int], Callable[[], Any]]:
    """One round by a rule; the program's own learner knows its own study only."""

    def make(threads: int) -> Callable[[], Any]:
        study, training = trained("mini_project" if rule == "program" else MINI, rule, batch)
        cuts = program_cuts() if rule == "program" else cuts_of(study, training, NAME)
        start = np.zeros((study.order.steps, int(np.prod([cut.bins for cut in cuts]))), np.uint16)
        return lambda: next(_LEARN[rule](study, training, cuts, NAME, threads, None, start))

    return make


def batched(batch: int, cuts: tuple[Cut, ...]) -> Callable[[int], Callable[[], None]]:
    """A round of batched Q-learning, simulation and update, into a table that is there."""

    def make(threads: int) -> Callable[[], None]:
        study, training = trained(MINI, "batched", batch)
        learner = Learner(study, training, cuts, NAME, threads)
        pool = ThreadPoolExecutor(threads)

        def round_() -> None:
            learner.play(pool, 0, 0.3)
            learner.update(pool)

        return round_

    return make


def draws(episodes: int) -> Callable[[int], Callable[[], None]]:
    """The normals of the market and the words that an agent's choices are drawn from."""
    plan, _ = plan_study(Study.preset(MINI), 0)

    def part(blocks: int) -> None:
        loops.draw_moves(SEED, blocks, STEPS, plan, lanes_for())
        loops.draw_words(SEED, blocks, STEPS, lanes_for())

    def make(threads: int) -> Callable[[], None]:
        pool = ThreadPoolExecutor(threads)
        return lambda: list(pool.map(part, [episodes // LANES // threads] * threads)) and None

    return make


def encoding(episodes: int, cuts: tuple[Cut, ...]) -> Callable[[int], Callable[[], Any]]:
    study, training = trained(MINI, "batched", LANES)
    plan, _ = plan_study(study, 0)
    states = int(np.prod([cut.bins for cut in cuts]))
    policy = TablePolicy(cuts, training.actions, np.zeros((STEPS, states), np.uint16), np.zeros(STEPS + 1))
    agent = study.model_copy(update={"strategies": (_agent(),)})
    plans = plan_strategies(agent, expect(study), policies={"agent": policy})
    arguments = SEED, episodes // LANES, STEPS, plan, plans, fields.no_paths(), lanes_for()
    return lambda _: partial(loops.encode_states, *arguments)


def _agent() -> Any:
    from fastexec.models.strategies import Qtable

    return Qtable(model="qtable", name="agent", agent="-")


def copy(values: int) -> Callable[[], None]:
    """A memory copy of a block's states, as often as they are encoded: eight bytes a state, in the cache."""
    source = np.zeros(64 * LANES)
    room = np.empty_like(source)

    def run() -> None:
        for _ in range(values // source.size):
            np.copyto(room, source)

    return run


def grid(inventories: int, spreads: int) -> tuple[Cut, ...]:
    """Features of so many bins, spread over what the mini-project's market shows."""
    edges = np.linspace(0.0002, 0.004, spreads - 1) if spreads > 1 else np.zeros(0)
    return Cut("spread", spreads, edges, 0), Cut("inventory", inventories, np.zeros(0), 0)


def jobs(size: Size) -> list[Job]:
    batch, some = _BATCHED, size.of(8_192, 32_768)
    own, python = (DRAWS,), (PYTHON,)
    found = [
        Job(DRAWS, "training", draws(4 * batch), 4 * batch * STEPS, TRANSITION, True),
        Job("rule batched", "training", batched(batch, program_cuts()), batch * STEPS, TRANSITION, True, own, python),
        Job("rule backward", "training", rule_job("backward", batch), batch * STEPS, TRANSITION, True, own, python),
    ]
    for rule in ("online", "double", "program"):
        make = rule_job(rule, some)
        found.append(Job(f"rule {rule}", "training", make, some * STEPS, TRANSITION, False, own, python, rounds=SELDOM))
    found += [
        Job(PYTHON, BASELINES, lambda _: partial(python_q_learning, 400), 400 * STEPS, TRANSITION, floor=own),
        Job(COPY, FLOORS, lambda _: copy(batch * STEPS), batch * STEPS, "state", rounds=SELDOM),
    ]
    for title, cuts in (("inventory and spread, 4 edges", grid(21, 5)), ("the program's, 35 edges", program_cuts())):
        make = encoding(batch, cuts)
        found.append(Job(title, "encode", make, batch * STEPS, "state", False, (COPY,)))
    return found


def growth_jobs(size: Size) -> list[Job]:
    """A round of 16,384 episodes against the state-actions of all fifty steps: 10^3, 10^4, ..."""
    found = []
    for power, (inventories, spreads) in enumerate(((2, 2), (8, 5), (50, 8), (250, 16), (1250, 32)), 3):
        cells = inventories * spreads * 5 * STEPS
        make = batched(16_384, grid(inventories, spreads))
        found.append(Job(f"10^{power} states", GROWTH, make, rounds=SELDOM, growth=("state-actions", cells)))
    return found
