"""What environments play: a study's episodes of a phase, what is observed of them, what may be done, and what is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from gymnasium.spaces import Box, Discrete
from pydantic import ValidationError

from fastexec.arguments import require_one_of, require_text, require_whole
from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.kernels.environment import act, act_by_share, act_by_shares
from fastexec.kernels.philox import EVALUATION, TRAINING, VALIDATION
from fastexec.learning.scales import LOOK_BACK, scales_of
from fastexec.learning.terms import risk_of
from fastexec.models.actions import MOST_ACTIONS, Actions
from fastexec.models.agents import Training
from fastexec.models.costs import ALWAYS
from fastexec.models.messages import one_line
from fastexec.models.scalar import bounds
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel
from fastexec.planning.policies import ACTION_SETS, Scaled, feature_number
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from fastexec.wording import did_you_mean

PHASES = {"training": TRAINING, "validation": VALIDATION, "evaluation": EVALUATION}
#: What is observed and what may be done where nothing is said.
FEATURES = ("time", "inventory", "spread", "volume")
MOST_OBSERVED = 64
#: Actions that are numbers: a share of what is left, or shares.
SHARE, SHARES = "share", "shares"
_INFINITE = (-np.inf, np.inf)
#: Between which values a feature lies, whatever the market; of the others nothing is known beforehand.
_REACH = {
    "time": (0.0, 1.0), "inventory": (0.0, 1.0), "regime": (0.0, fields.MOST_LEVELS - 1.0), "momentum": (-1.0, np.inf),
    **dict.fromkeys(("volume", "relative_volume", "volatility", "noise"), (0.0, np.inf)),
}  # fmt: skip

Feature = str | Mapping[str, Any]


class Setup(TypedDict, total=False):
    """What may be said of a task. ``features``: names of [[train.NAME.features]], or tables such as {"name": "momentum",
    "steps": 3}, and ``time``. ``actions``: a table as of [train.NAME.actions], "share" (of what is left) or "shares".
    ``phase``: "training", "validation" or "evaluation". ``unexpected``: whether rewards hold the moves that nobody could
    expect. ``risk_aversion``: as of [train.NAME].
    """

    features: Sequence[Feature]
    actions: Actions | Mapping[str, Any] | str
    phase: str
    unexpected: bool
    risk_aversion: float


@dataclass(frozen=True, eq=False)
class Task:
    """A study as the kernels take it, in a phase. ``features`` int64[f, 4], ``scales`` float64[f, 2], ``risk`` float64[t];
    ``decide``: the stage that makes slices of actions; ``windows``: so many episodes come again and again, 0: none does;
    ``columns``: the names of the closed books' rows that a study has, by their places.
    """

    study: StudyModel
    plan: fields.Plan
    strategies: fields.Strategies
    paths: fields.Paths
    observed: tuple[Scaled, ...]
    features: np.ndarray
    scales: np.ndarray
    decide: Any
    action_space: Discrete | Box
    unexpected: bool
    risk: np.ndarray
    windows: int
    columns: dict[str, int]

    @property
    def observation_space(self) -> Box:
        """Of each feature what it can be, scaled; where nothing bounds it, all that a float32 holds."""
        ends = np.array([_REACH.get(one.name, _INFINITE) for one in self.observed])
        most = np.finfo(np.float32).max
        scaled = np.clip((ends - self.scales[:, :1]) / self.scales[:, 1:], -most, most).astype(np.float32)
        return Box(scaled[:, 0], scaled[:, 1], dtype=np.float32)


def task_of(study: StudyModel | str, **setup: Unpack[Setup]) -> Task:
    """The task of a study, a preset's name or a study file. Raises InputError, one line, where something does not fit."""
    for key in setup:
        if key not in Setup.__annotations__:
            raise InputError(f"{key}: no such argument; {did_you_mean(key, Setup.__annotations__)}")
    found = study if isinstance(study, StudyModel) else Study.resolve(require_text("study", study))
    phase = PHASES[require_one_of("phase", setup.get("phase", "training"), *PHASES)]
    unexpected = bool(require_one_of("unexpected", setup.get("unexpected", True), True, False))
    wanted = [_feature(found, one) for one in _listed(setup.get("features", FEATURES))]
    if len(set(wanted)) < len(wanted):
        twice = next(name for name, steps in wanted if wanted.count((name, steps)) > 1)
        raise InputError(f"features: {twice} is named twice; name it once")
    actions = _actions(found, setup.get("actions", Training.model_fields["actions"].default))
    risk = _risk(found, setup.get("risk_aversion", 0.0))
    # Nobody else trades, so nothing is trained or solved for.
    alone = found.model_copy(update={"strategies": (Twap(model="twap"),), "train": {}})
    plan, strategies, paths = prepare(alone, phase=phase).arrays
    observed = scales_of(alone, wanted)
    decide, space = _decided(found, actions, strategies)
    features = np.array([(feature_number(one.name, found.signals), 1, 1, one.steps) for one in observed], np.int64)
    scales = np.array([(one.mean, one.sd) for one in observed], np.float64)
    windows = paths.mid.shape[0] if plan.switches[fields.SOURCE] == fields.GIVEN else 0
    return Task(
        found, plan, strategies, paths, observed, features, scales, decide, space, unexpected, risk, windows, _columns(found)
    )  # fmt: skip


def _listed(features: Any) -> Sequence[Any]:
    if isinstance(features, (str, Mapping)) or not isinstance(features, Sequence):
        raise InputError("features: must be a list of names, such as ['time', 'inventory', 'spread']")
    if not 0 < len(features) <= MOST_OBSERVED:
        raise InputError(f"features: {len(features)} are named; name 1 to {MOST_OBSERVED}")
    return features


def _feature(study: StudyModel, feature: Any) -> tuple[str, int]:
    """Its name, and the steps that momentum looks back, 0 of others."""
    table = {"name": feature} if isinstance(feature, str) else feature
    if (
        not isinstance(table, Mapping)
        or not isinstance(table.get("name"), str)
        or not table.keys() <= {"name", "steps"}
    ):
        raise InputError(
            f"features: {feature!r} is no feature; give a name, or for example {{'name': 'momentum', 'steps': 3}}"
        )
    name = table["name"]
    if (said := study.withholds(name)) is not None:
        raise InputError(f"features: {name}: {said}")
    if "steps" in table and name != "momentum":
        raise InputError(f"features: {name}: has no steps; only momentum has")
    steps = require_whole("features: momentum: steps", table.get("steps", LOOK_BACK), 1, fields.HISTORY - 1)
    return name, steps if name == "momentum" else 0


def _actions(study: StudyModel, actions: Any) -> Actions | str:
    if isinstance(actions, str):
        return str(require_one_of("actions", actions, SHARE, SHARES))
    if isinstance(actions, Mapping):
        try:
            actions = Actions.model_validate(dict(actions))
        except ValidationError as error:
            raise InputError(f"actions: {one_line(error, dict(actions), Actions)}") from None
    if not isinstance(actions, Actions):
        raise InputError(
            "actions: must be a table such as {'set': 'multiples', 'levels': [0.0, 1.0, 2.0]}, 'share' or 'shares'"
        )
    if len(actions.levels_for(study.order)) > MOST_ACTIONS:
        raise InputError(f"actions: with all that is left they are more than {MOST_ACTIONS}; give fewer levels")
    return actions


def _risk(study: StudyModel, aversion: Any) -> np.ndarray:
    if isinstance(aversion, bool) or not isinstance(aversion, (int, float)) or not 0.0 <= aversion < np.inf:
        raise InputError(f"risk_aversion: must be a number of at least 0, not {aversion!r}")
    if aversion and study.synthetic is None:
        raise InputError("risk_aversion: needs a synthetic market, whose moves have a known variance; leave it out")
    return risk_of(study, float(aversion)) if aversion else np.zeros(study.order.steps)


def _decided(study: StudyModel, actions: Actions | str, strategies: fields.Strategies) -> tuple[Any, Discrete | Box]:
    """The stage that makes slices of actions, and their space; the strategy is told of them."""
    kind = strategies.kinds[0]
    kind[fields.KIND] = fields.DECIDED
    if isinstance(actions, Actions):
        levels = actions.levels_for(study.order)
        kind[fields.ACTION_SET], kind[fields.LEVELS] = ACTION_SETS[actions.set], len(levels)
        strategies.levels[0, : len(levels)] = levels
        return act, Discrete(len(levels))
    if actions == SHARE:
        return act_by_share, Box(0.0, 1.0, (1,), np.float32)
    return act_by_shares, Box(0.0, bounds(study.order.shares)[1], (1,), np.float64)


def _columns(study: StudyModel) -> dict[str, int]:
    further = tuple(f"{part}_bps" for part in study.cost_columns[len(ALWAYS) :])
    by_fill = study.costs.rule == "by_fill"
    names = enumerate((*fields.EPISODE_COLUMNS, *further))
    return {name: c for c, name in names if (name != "program_cost" if by_fill else not name.endswith("_bps"))}
