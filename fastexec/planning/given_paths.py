"""Given markets as the arrays that the kernels take: paths of the user's own, windows of real days, or blocks of these."""

from __future__ import annotations

import numpy as np

from fastexec.data.blocks import blocks_of
from fastexec.data.paths import MarketPaths
from fastexec.data.replay import ReplayWindows
from fastexec.kernels import fields
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import arrival_price
from fastexec.planning.names import slot
from fastexec.planning.plan import follow_paths


def given_paths(
    study: StudyModel, paths: MarketPaths | None, windows: ReplayWindows | None, plan: fields.Plan
) -> tuple[fields.Paths | None, np.ndarray | None]:
    """The paths that the kernels follow, if any, and the group of each of their rows; the plan is told of them."""
    if windows is None and paths is None:
        return None, None
    market = study.bootstrap
    follow_paths(study, plan)
    if windows is None or market is None:
        plan.switches[fields.SOURCE] = fields.GIVEN
        return (_paths(paths) if windows is None else _paths(windows.paths, windows.rate_volume)), None
    plan.switches[fields.SOURCE] = fields.JOINED
    plan.numbers[fields.RESTART] = 0.0 if market.block >= study.order.steps else 1.0 / market.block
    if market.initial_price is None:
        plan.ranges[slot("initial_price"), :2] = arrival_price(market, windows)
    blocks = blocks_of(windows)
    given = _paths(windows.paths, windows.rate_volume)
    mid, spread, volume, arrival, met = (x[blocks.order] for x in (*given[:4], given.rate_volume))
    return fields.Paths(mid, spread, volume, arrival, blocks.first, blocks.count, met), blocks.group


def _paths(given: MarketPaths | None, rate_volume: np.ndarray | None = None) -> fields.Paths:
    """Of given paths; without a ``rate_volume`` of their own nobody trades where their volume is 0."""
    assert given is not None
    mid, spread = (np.column_stack(x) for x in ((given.mid, given.last_mid), (given.spread, given.last_spread)))
    arrays = (mid, spread, given.volume, given.arrival, given.volume if rate_volume is None else rate_volume)
    mid, spread, volume, arrival, met = (np.require(x, np.float64, ["C", "W"]) for x in arrays)
    return fields.Paths(mid, spread, volume, arrival, np.zeros(1, np.int64), np.zeros(1, np.int64), met)
