"""Given markets as the arrays that the kernels take: paths of the user's own, windows of real days, or blocks of these."""

from __future__ import annotations

import numpy as np

from fastexec.data.blocks import blocks_of, other_days
from fastexec.data.paths import MarketPaths
from fastexec.data.replay import ReplayWindows
from fastexec.kernels import fields
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import arrival_price
from fastexec.planning.names import slot
from fastexec.planning.plan import follow_paths

_HORIZON = 10  # steps


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
        return (_paths(paths) if windows is None else _of_windows(windows)), None
    plan.switches[fields.SOURCE] = fields.JOINED
    plan.numbers[fields.RESTART] = market.ends_of_blocks(study.order.steps)
    if market.initial_price is None:
        plan.ranges[slot("initial_price"), :2] = arrival_price(market, windows)
    blocks = blocks_of(windows)
    given = _of_windows(windows)
    mid, spread, volume, arrival, met = (x[blocks.order] for x in (*given[:4], given.rate_volume))
    signals = np.ascontiguousarray(given.signals[:, blocks.order])
    return fields.Paths(mid, spread, volume, arrival, blocks.first, blocks.count, met, signals), blocks.group


def seams_told(study: StudyModel, windows: ReplayWindows) -> list[str]:
    """How often joined days cut what their signals foretell, in a line."""
    market, steps = study.bootstrap, study.order.steps
    ends = 0.0 if market is None or not market.signals else market.ends_of_blocks(steps)
    if ends == 0.0 or steps < 2:
        return []
    seam, horizon, whole = ends * other_days(blocks_of(windows)), min(_HORIZON, steps), 1.0
    for _ in range(horizon - 1):
        whole *= 1.0 - seam
    return [
        f"market.signals: {seam * (steps - 1) / steps:.1%} of the steps begin on another day than the step before, and "
        f"what a signal foretold of the moves behind such a seam does not follow; of forecasts over {horizon} steps "
        f"{1.0 - whole:.0%} are cut; a longer market.block cuts fewer"
    ]


def _of_windows(windows: ReplayWindows) -> fields.Paths:
    return _paths(windows.paths, windows.rate_volume)._replace(
        signals=np.require(windows.signals, requirements=["C", "W"])
    )


def _paths(given: MarketPaths | None, rate_volume: np.ndarray | None = None) -> fields.Paths:
    """Of given paths; without a ``rate_volume`` of their own nobody trades where their volume is 0."""
    assert given is not None
    mid, spread = (np.column_stack(x) for x in ((given.mid, given.last_mid), (given.spread, given.last_spread)))
    arrays = (mid, spread, given.volume, given.arrival, given.volume if rate_volume is None else rate_volume)
    mid, spread, volume, arrival, met = (np.require(x, np.float64, ["C", "W"]) for x in arrays)
    none, one = np.zeros((0, *volume.shape)), np.zeros(1, np.int64)
    return fields.Paths(mid, spread, volume, arrival, one, one, met, none)
