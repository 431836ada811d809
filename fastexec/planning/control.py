"""Which strategies' timing part is known to have mean zero, so that it may serve as a control variate.

Write s for the time of a fill. If the whole order Q is accounted for, timing is Q (S_N - S_0) - sum q (S_N - S_s), and each
term has mean zero where the mid is a martingale and the slice q depends on nothing later than s. A schedule, or a policy
that looks back (a strategy of the user's own can do no more), fills at S_t; POV follows v_t but fills at S_{t+1}, so it may
correlate with the move out of step t as it likes. What may not be: a slice at S_t that depends on v_t (POV and agents under
``known = "during"``; anybody where v_t may be 0) while v_t correlates with the coming move. Declaring too few costs
precision; one too many would be a lie, and a test watches.
"""

from __future__ import annotations

from fastexec.models.market import SyntheticMarket
from fastexec.models.scalar import bounds
from fastexec.models.strategies import Strategy
from fastexec.models.study import StudyModel
from fastexec.planning.plan import is_zero


def timing_has_mean_zero(study: StudyModel, strategy: Strategy) -> bool:
    """Whether E[timing] = 0 holds exactly for this strategy in this study's market."""
    market = study.market
    if not isinstance(market, SyntheticMarket) or study.order.at_horizon == "leave" or study.costs.rule == "per_step":
        return False
    if not is_zero(market.price.drift):
        return False
    fills_later = strategy.model == "pov" and market.volume.known == "after"
    sees_volume = strategy.model in ("pov", "qtable", "optimum") and market.volume.known == "during"
    volume_decides = sees_volume or _steps_without_volume(market)
    return fills_later or not volume_decides or _volume_is_independent(market)


def _volume_is_independent(market: SyntheticMarket) -> bool:
    """No correlation leads from the price to the volume: neither to its sign nor to its size."""
    if market.volume.model == "constant":
        return True
    c = market.correlation
    return is_zero(c.price_volume) and is_zero(c.volume_absolute_return)


def _steps_without_volume(market: SyntheticMarket) -> bool:
    """Whether a step may have no volume, so that even a schedule follows the market."""
    volume = market.volume
    if volume.model == "markov":
        return volume.levels[0] == 0.0
    return volume.model == "cosine" and bounds(volume.floor)[0] == 0.0 and not is_zero(volume.noise)
