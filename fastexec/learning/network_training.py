"""A section [train.NAME] of rule ppo or a2c: seeds trained, the winner chosen in validation and priced on fresh paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import expected_maximum, plain_sum
from fastexec.kernels import fields
from fastexec.kernels.buffers import output_for
from fastexec.kernels.episode import simulate_range
from fastexec.kernels.philox import VALIDATION
from fastexec.learning.network_file import NetworkAgent
from fastexec.learning.policy_gradient import Settings, Update
from fastexec.learning.policy_training import Plan, learn_policy, plan_training
from fastexec.learning.training import Report, origin_of
from fastexec.models.agents import Training
from fastexec.models.network import NetworkStrategy
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.plan import plan_strategies, plan_study
from fastexec.planning.policies import NetworkPolicy

_VALIDATED, _AT_ONCE = 16_384, 2_048
#: Points of a learning curve that are kept.
POINTS = 200


class Saving(NamedTuple):
    """Against TWAP on the same paths: mean and standard error in bps, without moves that nobody could expect; completion."""

    mean: float
    error: float
    completion: float


def train_network(study: StudyModel, name: str, *, threads: int = 1, report: Report | None = None) -> NetworkAgent:
    """The network of the seed that saves most in validation; the same for any number of threads.

    Raises InputError where the section does not fit the study.
    """
    training = study.train[name]
    plan = plan_of(study, training, name)
    trials, usual = [], twap_cost(study)
    for number in range(training.seeds):
        policy, curve = learn_policy(plan, number, threads, _telling(report, name, number, training, usual))
        trials.append((policy, curve, saving_of(study, policy, 0, _VALIDATED)))
    best = max(range(len(trials)), key=lambda number: trials[number][2].mean)
    policy, _, chosen = trials[best]
    fresh = saving_of(study, policy, _VALIDATED, _VALIDATED)
    by_luck = chosen.error * expected_maximum(len(trials)) if len(trials) > 1 else 0.0
    trained = {
        "rule": training.rule,
        "episodes": training.rounds * training.batch,
        "chosen": best,
        "fresh": fresh._asdict(),
        "by_luck_bps": by_luck,
        "seeds": [_kept(*trial) for trial in trials],
    }
    return NetworkAgent(name, policy, origin_of(study, name) | {"trained": trained})


def plan_of(study: StudyModel, training: Training, name: str) -> Plan:
    """The training that a section asks for."""
    if study.synthetic is None:
        raise InputError(f"train.{name}: agents are trained on synthetic markets; calibrate one to the real days")
    ppo = training.rule == "ppo"
    settings = Settings(
        hidden=training.hidden, minibatch=training.minibatch if ppo else training.batch,
        passes=training.passes if ppo else 1, clip=training.clip if ppo else None, entropy=training.entropy,
        learning_rate=training.learning_rate, discount=training.discount, trace=training.trace,
        gradient_norm=training.gradient_norm,
    )  # fmt: skip
    features = [(one.name, one.steps if one.name == "momentum" else 0) for one in training.features]
    return plan_training(study, name, features, training.actions, settings, training.rounds, training.batch)


def saving_of(study: StudyModel, policy: NetworkPolicy, first: int, episodes: int) -> Saving:
    """Of a network, in validation."""
    costs, completion = _played(study, {"agent": policy}, first, episodes)
    saved = costs[:, 1] - costs[:, 0]
    mean = plain_sum(saved) / episodes
    spread = plain_sum((saved - mean) * (saved - mean)) / max(episodes - 1, 1)
    return Saving(mean, float(np.sqrt(spread / episodes)), plain_sum(completion[:, 0]) / episodes)


def twap_cost(study: StudyModel) -> float:
    """Mean cost of TWAP in validation, bps, likewise without the moves."""
    costs, _ = _played(study, {}, 0, _VALIDATED)
    return plain_sum(costs[:, -1]) / _VALIDATED


def _played(
    study: StudyModel, policies: dict[str, NetworkPolicy], first: int, episodes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Costs without moves that nobody could expect, and completions, of networks and behind them TWAP, float64[e, k]."""
    players = [NetworkStrategy(model="network", name=name, agent="-") for name in policies]
    alone = study.model_copy(update={"strategies": (*players, Twap(model="twap", name="twap"))})
    (plan, _), place = plan_study(study, VALIDATION), fields.EPISODE_COLUMNS.index
    strategies = plan_strategies(alone, expect(study), policies=policies)
    left_out = fields.episode_rows(plan.switches) - 1 if study.splits_timing else None
    if left_out is None and study.market.declares().martingale:
        left_out = place("timing_bps")
    costs, completions = [], []
    for at in range(first, first + episodes, _AT_ONCE):
        count = min(_AT_ONCE, first + episodes - at)
        output = output_for(plan, strategies, count)
        simulate_range(np.uint64(study.seed), at, count, plan, strategies, fields.no_paths(), output)
        rows = output.episodes
        costs.append(rows[place("shortfall_bps")] - (0.0 if left_out is None else rows[left_out]))
        completions.append(rows[place("completion")])
    each = len(policies) + 1
    return np.concatenate(costs).reshape(-1, each), np.concatenate(completions).reshape(-1, each)


def _kept(policy: NetworkPolicy, curve: list[Update], saving: Saving) -> dict[str, Any]:
    """Of a seed, for the file: its validation, points of its curve (update, mean saving of its batch), its weights."""
    every = -(-len(curve) // POINTS)
    points = [[update, curve[update].reward] for update in range(0, len(curve), every)]
    layers = [[layer.weights.tolist(), layer.bias.tolist()] for layer in policy.layers]
    return {"validation": saving._asdict(), "curve": points, "layers": layers}


def _telling(
    report: Report | None, name: str, number: int, training: Training, usual: float
) -> Callable[[int, Update], None] | None:
    """What is called after each update: the cost is TWAP's less what the batch saved."""
    if report is None:
        return None
    done, every, report_to = number * training.rounds, training.rounds * training.seeds, report

    def tell(update: int, told: Update) -> None:
        report_to(name, done + update + 1, every, usual - told.reward, None)

    return tell
