"""Which strategies' timing part is known to have mean zero, so that it may serve as a control variate (DESIGN 5).

It has where the mid is a martingale independent of everything that decides or fills a slice, and the whole order is
accounted for. Declaring too few costs precision; declaring one too many would be a lie, and a test watches for it.
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
    if not isinstance(market, SyntheticMarket) or study.order.at_horizon == "leave":
        return False
    if not is_zero(market.price.drift):
        return False
    volumes_decide = strategy.model == "pov" or _steps_without_volume(market)
    return _volume_is_independent(market) if volumes_decide else True


def _volume_is_independent(market: SyntheticMarket) -> bool:
    """No correlation leads from the price to the volume: neither to its sign nor to its size."""
    if market.volume.model == "constant":
        return True
    c = market.correlation
    return is_zero(c.price_volume) and is_zero(c.volume_absolute_return)


def _steps_without_volume(market: SyntheticMarket) -> bool:
    """Whether a step may have no volume, so that even a schedule follows the market."""
    volume = market.volume
    return volume.model == "cosine" and bounds(volume.floor)[0] == 0.0 and not is_zero(volume.noise)
