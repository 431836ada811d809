"""Why no optimum of a study is known."""

from __future__ import annotations

import numpy as np

from fastexec.kernels.fields import MOST_FEATURES, MOST_LEVELS
from fastexec.learning.axes import MOST_CELLS, Axis, axes_of, cells, joined
from fastexec.learning.sight import bins_of_spread, bins_of_volume, blurred
from fastexec.models.market import SyntheticMarket
from fastexec.models.scalar import expected
from fastexec.models.study import StudyModel
from fastexec.planning.parameters import ranges

MOST_LOTS = 400


def why_unknown(study: StudyModel) -> str | None:
    """The first reason why no optimum is known, None where one is."""
    market, order = study.synthetic, study.order
    if market is None:
        return "real days have no known law"
    for key, section in (("spread", market.spread), ("volume", market.volume)):
        if section.law() is None:
            return f"market.{key} is {section.model}, and it must be markov or constant"
    if ranges(study)[2]:
        return f"{ranges(study)[2][0]} is drawn for each episode"
    if not market.correlation.independent:
        return "price, spread and volume must be independent: market.correlation ties them"
    if market.noise.tradable and not market.noise.is_off:
        return "market.noise is tradable: fills bounce with a mid that falls back"
    if (unseen := market.unseen(study.costs.temporary)) is not None:
        return unseen
    if study.costs.transient.declares().remembers:
        return "transient impact has a memory"
    if study.costs.rule == "per_step" or order.at_horizon == "leave":
        return "what is not traded must be paid for"
    if (mixed := _mixed(study, market)) is not None:
        return mixed
    lots = expected(order.shares) / order.lot if order.lot > 0 else np.inf
    if lots > MOST_LOTS:
        return f"the order has more than {MOST_LOTS} lots; raise order.lot"
    return _too_many(study, axes_of(study))


def _mixed(study: StudyModel, market: SyntheticMarket) -> str | None:
    """Where currency and shares of the mid stand beside each other, so that the mid would be a state."""
    costs, order = study.costs, study.order
    temporary_scales, relative = costs.temporary.declares().scales, market.price.RELATIVE
    foreseen = not market.declares().martingale
    if not temporary_scales and _spreadless(market):
        if foreseen and relative:
            return (
                "what is foreseen of a geometric price is a share of the mid, and no cost is (linear, no spread); set "
                "market.price.model = arithmetic"
            )
        return None
    if not temporary_scales or not costs.permanent.is_off:
        return "either all costs must scale with the mid (power law, no permanent impact) or none (linear, no spread)"
    saves_fees = not (order.rest == "trade" or costs.fees.is_off)
    in_currency = order.mark_penalty + order.mark_penalty_slope > 0.0 or saves_fees
    if in_currency and _may_mark(study):
        return (
            "what the last step may leave pays order.mark_penalty or saves fees, in currency, while all other costs scale "
            "with the mid"
        )
    if market.may_fall_below_zero(study.setting):
        return "the price may fall below 0, where a spread is income"
    if foreseen and not relative:
        return (
            "what is foreseen of an arithmetic price is in currency, while costs scale with the mid; set market.price.model = "
            "geometric"
        )
    if market.foretells and (varied := _varied(market)) is not None:
        return (
            f"{varied} changes the volatility, and what a geometric price takes off for what signals have foretold depends on "
            "all of its past"
        )
    return None


def _may_mark(study: StudyModel) -> bool:
    """Whether part of the order may be valued at the end instead of traded: by the horizon rule, or for want of volume."""
    return study.order.at_horizon != "complete" or study.market.declares().idle


def _spreadless(market: SyntheticMarket) -> bool:
    law = market.spread.law()
    return law is not None and not law.levels.any()


def _varied(market: SyntheticMarket) -> str | None:
    """The key of what changes the volatility and is seen, if anything does."""
    if market.regimes is not None and market.regimes.scales_volatility:
        return "market.regimes"
    return next((f"market.signals.{signal.name}" for signal in market.signals if signal.varies), None)


def _too_many(study: StudyModel, axes: list[Axis]) -> str | None:
    """Where the state is too large for the programme, or too fine for a table to tell."""
    if axes and (count := cells(study, axes)) > MOST_CELLS:
        return (
            f"with {', '.join(axis.name for axis in axes)} the programme's tables have {count:,} cells, more than "
            f"{MOST_CELLS:,}; give signals fewer levels, or raise order.lot"
        )
    joint = joined(axes)
    for key, bins in (("spread", bins_of_spread(study, joint)), ("volume", bins_of_volume(study, joint))):
        if axes and bins.size > MOST_LEVELS:
            return f"market.{key} has {bins.size} values in all, more than {MOST_LEVELS} that a table tells apart"
    if blurred(study, joint):
        return "two levels of market.volume look alike under different regimes; give other levels or multipliers"
    told = 1 + len(axes) + sum(bins.size > 1 for bins in (bins_of_spread(study, joint), bins_of_volume(study, joint)))
    if told > MOST_FEATURES:
        return f"it depends on {told} features, more than the {MOST_FEATURES} of a table"
    return None
