"""A study as the arrays that the kernels take: switches, numbers, ranges, curves, strategies."""

from __future__ import annotations

import hashlib

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.models.chains import Chain
from fastexec.models.market import SyntheticMarket
from fastexec.models.plugins import OwnStrategy
from fastexec.models.scalar import Scalar, bounds
from fastexec.models.strategies import BlindTwin, Optimum, Own, Pov, Qtable, Random, Strategy
from fastexec.models.study import StudyModel
from fastexec.planning import chains
from fastexec.planning.expectation import Expectation, cosine_of_turns, curve
from fastexec.planning.parameters import ranges
from fastexec.planning.policies import ACTION_SETS, Policies, TablePolicy, plan_table
from fastexec.planning.schedules import fractions

_PRICES = {"geometric": fields.GEOMETRIC, "arithmetic": fields.ARITHMETIC}
_SPREADS = {
    "constant": fields.SPREAD_CONSTANT,
    "random_walk": fields.SPREAD_RANDOM_WALK,
    "mean_reverting": fields.SPREAD_MEAN_REVERTING,
    "markov": fields.SPREAD_MARKOV,
}
_VOLUMES = {
    "constant": fields.VOLUME_CONSTANT,
    "cosine": fields.VOLUME_COSINE,
    "lognormal": fields.VOLUME_LOGNORMAL,
    "markov": fields.VOLUME_MARKOV,
}
#: The horizon rules as the kernels number them.
HORIZONS = {"complete": fields.COMPLETE, "mark": fields.MARK, "leave": fields.LEAVE}


def plan_study(study: StudyModel, phase: int) -> tuple[fields.Plan, list[str]]:
    """The market's and the costs' arrays, and the keys of the parameters drawn for each episode."""
    order, table = study.order, ranges(study)
    switches = np.zeros(fields.SWITCHES, np.int64)
    switches[fields.STEPS] = order.steps
    switches[fields.PHASE] = phase
    switches[fields.HORIZON] = HORIZONS[order.at_horizon]
    switches[fields.TEMPORARY_KIND] = _temporary_kind(study)
    switches[fields.TRANSIENT_KIND] = _transient_kind(study)
    switches[fields.COST_RULE] = fields.PER_STEP if study.costs.rule == "per_step" else fields.BY_FILL
    permanent = not is_zero(study.costs.permanent.coefficient)
    switches[fields.SQUARES] = permanent or switches[fields.TEMPORARY_KIND] == fields.TEMPORARY_LINEAR
    if isinstance(study.market, SyntheticMarket):
        _switch_market(study.market, switches)
    else:
        switches[fields.SOURCE] = fields.GIVEN  # or joined from blocks: ``simulation`` knows the windows
    side = 1.0 if order.side == "buy" else -1.0
    numbers = np.array([float(order.lot), side, float(order.mark_penalty), float(order.mark_penalty_slope), 0.0])
    return fields.Plan(switches, numbers, table[0], table[1], _curves(study), _chains(study, switches)), table[2]


def _switch_market(market: SyntheticMarket, switches: np.ndarray) -> None:
    switches[fields.SOURCE] = fields.SYNTHETIC
    switches[fields.PRICE_MODEL] = _PRICES[market.price.model]
    switches[fields.START_MOVED] = market.price.start == "moved"
    switches[fields.SPREAD_MODEL] = _SPREADS[market.spread.model]
    switches[fields.VOLUME_MODEL] = _VOLUMES[market.volume.model]
    correlation = market.correlation
    switches[fields.CORRELATED] = any(
        not is_zero(getattr(correlation, name)) for name in type(correlation).model_fields
    )


def _temporary_kind(study: StudyModel) -> int:
    temporary = study.costs.temporary
    if temporary.model == "linear":
        return fields.TEMPORARY_LINEAR
    special = {(1.0, 1.0): fields.TEMPORARY_PROPORTIONAL, (0.5, 0.5): fields.TEMPORARY_SQRT}
    return special.get(bounds(temporary.exponent), fields.TEMPORARY_POWER)


def _transient_kind(study: StudyModel) -> int:
    transient = study.costs.transient
    if is_zero(transient.coefficient):
        return fields.TRANSIENT_OFF
    return fields.TRANSIENT_LINEAR if bounds(transient.exponent) == (1.0, 1.0) else fields.TRANSIENT_POWER


def is_zero(value: Scalar) -> bool:
    """Whether a scalar is 0 in every episode."""
    return bounds(value) == (0.0, 0.0)


def _curves(study: StudyModel) -> np.ndarray:
    steps, market = study.order.steps, study.market
    curves = np.ones((4, steps))
    if isinstance(market, SyntheticMarket):
        curves[fields.PRICE_CURVE] = curve(market.price.diurnal, steps, root_mean_square=True)
        if market.spread.model == "mean_reverting":
            curves[fields.SPREAD_CURVE] = curve(market.spread.diurnal, steps)
        if market.volume.model == "lognormal":
            curves[fields.VOLUME_CURVE] = curve(market.volume.curve, steps)
        curves[fields.COSINE_CURVE] = cosine_of_turns(np.arange(steps) / max(steps - 1, 1))
    return curves


def _chains(study: StudyModel, switches: np.ndarray) -> np.ndarray:
    tables = np.zeros(2 * fields.CHAIN_SIZE)
    if isinstance(study.market, SyntheticMarket):
        spread, volume = study.market.spread, study.market.volume
        places = (
            (spread, fields.SPREAD_CHAIN, fields.SPREAD_LEVELS),
            (volume, fields.VOLUME_CHAIN, fields.VOLUME_LEVELS),
        )
        for section, at, switch in places:
            if isinstance(section, Chain):
                tables[at : at + fields.CHAIN_SIZE] = chains.table(section)
                switches[switch] = len(section.levels)
    return tables


def plan_strategies(
    study: StudyModel, markets: list[Expectation], groups: np.ndarray | None = None, policies: Policies | None = None
) -> fields.Strategies:
    """The strategies' arrays; ``markets`` holds each group's expectation, ``groups`` int64[row] the group of each row of
    given paths (each its own if None), ``policies`` the tables by the names of their strategies.
    """
    count, steps = len(study.strategies), study.order.steps
    kinds = np.zeros((count, fields.KIND_FIELDS), np.int64)
    levels = np.zeros((count, fields.MOST_LEVELS))
    tables = np.zeros((count, len(markets), steps + 1))
    arrays = fields.Strategies(
        kinds,
        levels,
        tables,
        np.arange(len(markets), dtype=np.int64) if groups is None else groups,
        np.zeros((count, fields.MOST_FEATURES, 4), np.int64),
        np.zeros((count, fields.MOST_FEATURES, fields.MOST_LEVELS)),
        np.zeros(1, np.uint16),
    )
    flat = [arrays.policy]
    for k, strategy in enumerate(study.strategies):
        if isinstance(strategy, Pov):
            kinds[k, fields.KIND] = fields.POV
            kinds[k, fields.FILLS_AT_NEXT] = known_after(study)
            levels[k, 0] = strategy.rate
        elif isinstance(strategy, Random):
            _plan_random(strategy, kinds[k], levels[k])
        elif isinstance(strategy, (Qtable, Optimum)):
            at = sum(table.size for table in flat)
            flat.append(plan_table(_policy(policies, strategy.name), k, arrays, at, not known_after(study)))
        elif isinstance(strategy, Own):
            _plan_own(strategy, study.own_strategies(), kinds[k], levels[k])
        elif isinstance(strategy, BlindTwin):
            kinds[k, fields.KIND] = fields.SCHEDULE if len(markets) == 1 else fields.OWN_SCHEDULE
            tables[k] = _policy(policies, strategy.of).schedule
        else:
            kinds[k, fields.KIND] = fields.SCHEDULE if len(markets) == 1 else fields.OWN_SCHEDULE
            for g, market in enumerate(markets):
                tables[k, g] = fractions(strategy, study, market)
    _refuse_collisions(study.strategies, kinds)
    return arrays._replace(policy=np.concatenate(flat))


def _policy(policies: Policies | None, name: str) -> TablePolicy:
    if policies is None or name not in policies:
        raise InputError(f"strategies.{name}: no trained agent at hand; run the study, or give policies")
    return policies[name]


def known_after(study: StudyModel) -> bool:
    """Whether a step's volume is known only when the step is over, so that POV fills at its end."""
    market = study.market
    known = market.volume.known if isinstance(market, SyntheticMarket) else market.known
    return known == "after"


def _plan_random(strategy: Random, kind: np.ndarray, levels: np.ndarray) -> None:
    kind[fields.KIND] = fields.RANDOM
    kind[fields.OWNER] = owner(strategy.name)
    kind[fields.ACTION_SET] = ACTION_SETS[strategy.actions.set]
    kind[fields.LEVELS] = len(strategy.actions.levels)
    levels[: len(strategy.actions.levels)] = strategy.actions.levels


def _plan_own(strategy: Own, functions: dict[str, OwnStrategy], kind: np.ndarray, levels: np.ndarray) -> None:
    """Its slot is its function's place in ``functions``; its parameters stand in the order of their registration."""
    kind[fields.KIND] = fields.PLUGIN
    kind[fields.SLOT] = list(functions).index(strategy.model)
    for j, key in enumerate(functions[strategy.model].parameters):
        levels[j] = strategy.parameters[key]


def owner(name: str) -> int:
    """24 bits of SHA-256 of a strategy's name: its own part of the stream."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big")


def _refuse_collisions(strategies: tuple[Strategy, ...], kinds: np.ndarray) -> None:
    seen: dict[int, str] = {}
    for strategy, kind in zip(strategies, kinds, strict=True):
        number = int(kind[fields.OWNER])
        if number and number in seen:
            raise InputError(
                f"strategies: {seen[number]!r} and {strategy.name!r} would draw the same random numbers (their names "
                "share 24 bits of SHA-256); rename one"
            )
        seen[number] = strategy.name
