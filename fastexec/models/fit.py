"""Whether the parts of a study fit each other; each part by itself has been checked before."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError

from fastexec.errors import in_study
from fastexec.models.market import Market, SyntheticMarket
from fastexec.models.names import alike
from fastexec.models.strategies import BlindTwin, Qtable, Schedule
from fastexec.wording import counted, these


def require_fit(study: Any) -> None:
    """An error of validation, one line, for the first of a ``StudyModel`` that does not fit."""
    if not study.strategies:
        how = in_study("a [[strategies]] section with a model", "one such as {'model': 'twap'}")
        raise _error(f"strategies: there is none; add {how}")
    names = [strategy.name for strategy in study.strategies]
    for name in names:
        if names.count(name) > 1:
            raise _error(f"strategies: two are named {name!r}; give one another name")
    for strategy in study.strategies:
        if isinstance(strategy, Schedule) and len(strategy.weights) != study.order.steps:
            held, steps = counted(len(strategy.weights), "weight"), counted(study.order.steps, "step")
            raise _error(f"strategies.{strategy.name}.weights: {held} for {steps}; give one a step")
        if (said := strategy.misfit(study.synthetic)) is not None:
            raise _error(f"strategies.{strategy.name}{said}")
    _check_agents(study)
    if study.episodes is not None and study.output.steps > study.episodes:
        raise _error(
            f"output.steps: {study.output.steps} is more than {these(study.episodes, 'episode')}; use at most as many"
        )
    _check_market(study.market, study.order.steps)
    _check_conditions(study)


def _check_agents(study: Any) -> None:
    optima = [strategy.actions for strategy in study.optima if strategy.actions is not None]
    for actions in (*optima, *(training.actions for training in study.train.values())):
        actions.require_few(study.order)
    if (same := alike(list(study.train))) is not None:
        raise _error(
            f"train: {_section(same[0])} and {_section(same[1])} differ by case only, and some systems would keep "
            "them in one file; rename one"
        )
    agents = [strategy.name for strategy in study.agents]
    for strategy in study.strategies:
        if isinstance(strategy, Qtable) and strategy.train is not None and strategy.train not in study.train:
            raise _error(
                f"strategies.{strategy.name}.train: no {_section(strategy.train)}; there are "
                f"{', '.join(study.train) or 'none'}"
            )
        played = study.train.get(strategy.train) if isinstance(strategy, Qtable) else None
        if played is not None and played.trains_network:
            raise _error(
                f"strategies.{strategy.name}.train: rule {played.rule} trains a network, no table; train it by itself, and "
                'play its file by model = "network"'
            )
        if isinstance(strategy, BlindTwin) and strategy.of not in agents:
            raise _error(
                f"strategies.{strategy.name}.of: {strategy.of!r} is no qtable strategy; there are "
                f"{', '.join(agents) or 'none'}"
            )


def _section(name: str) -> str:
    """One of the sections of `train`."""
    return in_study(f"section [train.{name}]", f"key {name!r} of train")


def _check_market(market: Market, steps: int) -> None:
    if not isinstance(market, SyntheticMarket):
        if market.window is not None and market.window != steps:
            raise _error(
                f"market.window: {market.window} differs from order.steps = {steps}; leave it out or make them equal"
            )
    elif market.volume.model == "cosine" and steps < 2:
        raise _error("market.volume: a cosine needs at least 2 steps; raise order.steps")


def _check_conditions(study: Any) -> None:
    """Costs that change need a market that changes, and what changes must be able to."""
    market, temporary = study.synthetic, study.costs.temporary
    follows = temporary.terms().volatility_nodes[0] != [0.0]
    regimes = None if market is None else market.regimes
    if follows and market is None:
        raise _error("costs.temporary.volatility_exponent: of real days no step's volatility is known; leave it out")
    impact = regimes is not None and regimes.scales_impact
    if (impact or follows) and study.costs.rule == "per_step":
        key = "market.regimes.impact" if impact else "costs.temporary.volatility_exponent"
        raise _error(f"{key}: costs.rule per_step knows none; leave it out")
    if impact and not temporary.terms().power > 0.0:
        raise _error("market.regimes.impact: it multiplies temporary cost of model power; set that, or leave it out")
    for name, training in study.train.items():
        for feature in training.features:
            if (said := study.withholds(feature.name)) is not None:
                raise _error(f"train.{name}.features.{feature.name}: {said}")


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("study", "{text}", {"text": text})
