"""A study as the arrays that the kernels take: switches, numbers, ranges, curves, strategies."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.models.costs import ALWAYS, PARTS
from fastexec.models.names import owner
from fastexec.models.plugins import OwnStrategy
from fastexec.models.see import rows_there
from fastexec.models.strategies import Own, Strategy
from fastexec.models.study import StudyModel
from fastexec.models.tree import sections_of
from fastexec.planning import chains
from fastexec.planning.expectation import Expectation
from fastexec.planning.follow_signal import signal_rule
from fastexec.planning.names import number
from fastexec.planning.networks import packed, plan_network
from fastexec.planning.parameters import ranges
from fastexec.planning.policies import ACTION_SETS, NetworkPolicy, Policies, TablePolicy, plan_table, require_seen
from fastexec.planning.schedules import fractions

_Kind = TypeVar("_Kind", TablePolicy, NetworkPolicy)
_RESTS = {"complete": fields.COMPLETE, "trade": fields.MARK_AS_TRADE, "quote": fields.MARK, "leave": fields.LEAVE}


def plan_study(study: StudyModel, phase: int) -> tuple[fields.Plan, list[str]]:
    """The market's and the costs' arrays, and the keys of the parameters drawn for each episode."""
    order, (table, drawn, keys) = study.order, ranges(study)
    side = 1.0 if order.side == "buy" else -1.0
    numbers = np.array([float(order.lot), side, float(order.mark_penalty), float(order.mark_penalty_slope), 0.0])
    return fields.Plan(_switches(study, phase), numbers, table, drawn, _curves(study), _chains(study)), keys


def _switches(study: StudyModel, phase: int) -> np.ndarray:
    """Of all sections together; where two set one, the higher value."""
    switches = np.zeros(fields.SWITCHES, np.int64)
    switches[fields.STEPS] = study.order.steps
    switches[fields.PHASE] = phase
    switches[fields.HORIZON] = horizon_rule(study)
    switches[fields.SPLIT] = study.splits_timing
    for part in study.cost_parts[len(ALWAYS) :]:
        switches[fields.FURTHER] |= 1 << number(PARTS[part].kind)
    for _, section in sections_of(study):
        for name, value in section.switches().items():
            at = number(name)
            switches[at] = max(switches[at], number(value) if isinstance(value, str) else value)
    return switches


def horizon_rule(study: StudyModel) -> int:
    """What happens to what is left at the end, as the kernels number it."""
    return _RESTS[study.order.rest]


def _curves(study: StudyModel) -> np.ndarray:
    curves = np.ones((4, study.order.steps))
    for _, section in sections_of(study):
        for name, values in section.curves(study.order.steps).items():
            curves[number(name)] = values
    return curves


def _chains(study: StudyModel) -> np.ndarray:
    tables = np.zeros(fields.CHAINS_SIZE)
    for _, section in sections_of(study):
        if (chain := section.chain()) is not None:
            at = number(chain[0])
            tables[at : at + fields.CHAIN_SIZE] = chains.table(chain[1])
        for name, values in section.tables().items():
            tables[number(name) : number(name) + len(values)] = values
    return tables


def plan_strategies(
    study: StudyModel,
    markets: list[Expectation],
    groups: np.ndarray | None = None,
    policies: Policies | None = None,
    given_paths: bool = False,
) -> fields.Strategies:
    """The strategies' arrays; ``markets`` holds each group's expectation, ``groups`` int64[row] the group of each row of
    given paths (each its own if None), ``policies`` the tables by the names of their strategies. ``given_paths``: these stand
    in place of the study's market.
    """
    count, steps = len(study.strategies), study.order.steps
    kinds = np.zeros((count, fields.KIND_FIELDS), np.int64)
    levels = np.zeros((count, fields.MOST_LEVELS))
    rules = [signal_rule(strategy, study, markets[0]) for strategy in study.followers.values()]
    kinds[list(study.followers), fields.SLOT] = np.arange(len(rules))
    tables = np.zeros((count, len(markets), steps + 1))
    arrays = fields.Strategies(
        kinds,
        levels,
        tables,
        np.arange(len(markets), dtype=np.int64) if groups is None else groups,
        np.zeros((count, fields.MOST_FEATURES, 4), np.int64),
        np.zeros((count, fields.MOST_FEATURES, fields.EDGES)),
        np.zeros(1, np.uint16),
        np.array([market.last_volume for market in markets]),
        np.stack(rules) if rules else np.zeros((0, steps, fields.RULE_FIELDS)),
    )
    flat, networks = [arrays.policy], list[NetworkPolicy]()
    for k, strategy in enumerate(study.strategies):
        kind, own = kinds[k], strategy.numbers()
        kind[fields.KIND] = number(strategy.KIND)
        kind[fields.FILLS_AT_NEXT] = strategy.DECLARES.fills_at_next and known_after(study)
        kind[fields.SEES_VOLUME] = _sees(study)
        levels[k, : len(own)] = own
        policy = strategy.policy()
        if isinstance(strategy, Own):
            _plan_own(strategy, study.own_strategies(), kind, levels[k])
            kind[fields.ROWS] = rows_there(study, given_paths) if kind[fields.KIND] == fields.OWN_ORDERS else 0
        elif (actions := strategy.chance()) is not None:
            kind[fields.OWNER] = owner(strategy.name)
            kind[fields.ACTION_SET] = ACTION_SETS[actions.set]
            kind[fields.LEVELS] = len(actions.levels)
        elif kind[fields.KIND] == fields.TABLE:
            at, played = sum(table.size for table in flat), _policy(policies, policy, TablePolicy)
            require_seen(study, strategy.name, [cut.name for cut in played.cuts], given_paths)
            flat.append(plan_table(played, k, arrays, at, study.order, study.signals))
        elif kind[fields.KIND] == fields.NETWORK:
            kind[fields.SLOT] = len(networks)
            networks.append(_policy(policies, policy, NetworkPolicy))
            plan_network(networks[-1], k, study, arrays, given_paths)
        elif kind[fields.KIND] == fields.SCHEDULE:
            kind[fields.KIND] = fields.SCHEDULE if len(markets) == 1 else fields.OWN_SCHEDULE
            for g, market in enumerate(markets):
                tables[k, g] = (
                    fractions(strategy, study, market)
                    if policy is None
                    else _policy(policies, policy, TablePolicy).schedule
                )
    _refuse_collisions(study.strategies, kinds)
    return arrays._replace(policy=np.concatenate(flat), **packed(networks, study.signals)._asdict())


def _policy(policies: Policies | None, name: str | None, kind: type[_Kind]) -> _Kind:
    found = None if policies is None or name is None else policies.get(name)
    if not isinstance(found, kind):
        raise InputError(f"strategies.{name}: no trained agent at hand; run the study, or give policies")
    return found


def _sees(study: StudyModel) -> int:
    """Which volume strategies see, for the kernels."""
    own = 0 if known_after(study) else fields.SEES_STEP
    if study.synthetic is not None and not study.synthetic.noise.is_off:
        own |= fields.SEES_NOISE
    return own if study.real_days is None else own | fields.OF_PATHS


def follow_paths(study: StudyModel, plan: fields.Plan) -> None:
    """Paths are given, with conditions of their own: the plan forgets those of the study's market."""
    if study.synthetic is not None and not study.synthetic.noise.is_off:
        raise InputError("paths: what is observed of given paths is their mid; set market.noise.sd = 0")
    if study.synthetic is not None and study.signals:
        raise InputError("paths: given paths carry no signals; leave market.signals out")
    plan.switches[[fields.VOLATILITY_EXPONENT, fields.IMPACT_SCALED]] = 0


def known_after(study: StudyModel) -> bool:
    """Whether a step's volume is known only when the step is over, so that POV fills at its end."""
    return study.market.declares().known_after


def _plan_own(strategy: Own, functions: dict[str, OwnStrategy], kind: np.ndarray, levels: np.ndarray) -> None:
    """Its slot is its function's place in ``functions``; its parameters stand in the order of their registration."""
    kind[fields.KIND] = number(functions[strategy.model].form.kind)
    kind[fields.SLOT] = list(functions).index(strategy.model)
    for j, key in enumerate(functions[strategy.model].parameters):
        levels[j] = strategy.parameters[key]


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
