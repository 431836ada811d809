"""Episodes simulated: every strategy decides and fills in every step, then the books are closed and written as rows."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._bind import Decide
from fastexec.kernels._jit import LANES, bound_to, stage
from fastexec.kernels.account import account, describe_market, write_rows
from fastexec.kernels.buffers import example_decided, example_output
from fastexec.kernels.door import F8, I4, I8, held, sizes, within
from fastexec.kernels.execute import are_alike, lower_volumes
from fastexec.kernels.ledger import booking, end_order
from fastexec.kernels.network import network
from fastexec.kernels.orders import check_orders, own_orders
from fastexec.kernels.parts import closing, outcome
from fastexec.kernels.record import record
from fastexec.kernels.rest import valuing
from fastexec.kernels.strategy import DECISIONS, check_slices
from fastexec.kernels.study_door import check_study
from fastexec.kernels.walk import Episodes, Stages, Walk

#: Decisions that differ from all that is left by less than this share of the order mean all of it: sums of fractions miss a
#: whole order by a hair.
_HAIR = 1e-9


@bound_to(decided=example_decided)
@stage
def as_decided(clock, k, kinds, p, b, decided):
    """The slice that somebody else decided on for this episode and step."""
    slot, first, last = kinds[k, f.SLOT], clock.block * LANES, decided.slices.shape[1] - 1
    for i in range(LANES):
        q, left = decided.slices[slot, min(max(first + i, 0), last), clock.t], b[f.REMAINING + i]
        b[f.SLICE + i] = left if abs(q - left) <= _HAIR * p[f.SHARES + i] else q


@bound_to(output=example_output)
@stage
def check_own(clock, span, k, m, b, output):
    """Of a user's strategy, of a network, or of decisions made elsewhere."""
    check_slices(clock, span, k, m, b, output.fault)


def simulate_range(
    seed: np.uint64,
    first: int,
    count: int,
    plan: f.Plan,
    strategies: f.Strategies,
    paths: f.Paths,
    output: f.Output | f.DecidedOutput,
    own: tuple[Decide, ...] = (),
) -> None:
    """Simulate episodes ``first <= e < first + count`` into the rows of ``output``; ``own``: the user's strategies. A
    ``DecidedOutput`` where strategies have decisions made elsewhere.
    """
    simulate_blocks.over(Episodes(seed, first, count, first), (plan, strategies, paths), output, own)


def _door(episodes, plan, strategies, paths, lanes, functions, output):
    _, first, count, base = episodes
    decided = output.slices.shape[0] if isinstance(output, f.DecidedOutput) else 0
    steps = check_study((first, count), plan, strategies, paths, lanes, functions, f.CLOSED_FIELDS, decided)
    if decided:
        rows = sizes("output.slices", output.slices, 3)[1]
        within("output.slices: episodes", rows, first + count)
        held("output.slices", output.slices, F8, decided, rows, steps)
    within("episodes: base", base, first, first)
    rows = count * strategies.kinds.shape[0]
    held("output.markets", output.markets, F8, len(f.MARKET_COLUMNS), count)
    held("output.parameters", output.parameters, F8, plan.drawn.shape[0], count)
    held("output.episodes", output.episodes, F8, f.episode_rows(plan.switches), rows)
    held("output.counts", output.counts, I4, f.count_rows(strategies), rows)
    recorded = sizes("output.steps", output.steps, 2)[1] > 0
    held("output.steps", output.steps, F8, f.step_rows(plan.switches), rows * steps if recorded else 0)
    held("output.fault", output.fault, I8, 5)


def _stages(world):
    """Simulate a ``World``; ``own`` is its ``Output`` or a ``DecidedOutput``, of which most stages see what both have."""
    plan, switches = world.plan, world.plan.switches
    recorded = (record,) if world.own.steps.shape[1] > 0 else ()

    # Decisions made elsewhere are priced as those of this study's schedules, to the bit.
    scheduled = f.SCHEDULE if world.strategies.fractions.shape[1] == 1 else f.OWN_SCHEDULE

    def alike(kind):
        return are_alike(plan, scheduled if kind == f.DECIDED else kind)

    def play(kind):
        yield {f.DECIDED: as_decided, f.OWN_ORDERS: own_orders, f.NETWORK: network}.get(kind) or DECISIONS[kind]
        if kind in (f.PLUGIN, f.DECIDED, f.OWN_ORDERS, f.NETWORK):
            yield check_own
        if kind == f.OWN_ORDERS:
            yield check_orders
        yield from (end_order, *outcome(switches, alike(kind)), *recorded, *booking(switches))

    kinds = world.strategies.kinds[:, f.KIND].tolist()
    shared = (lower_volumes,) if any(map(alike, kinds)) else ()
    close = (describe_market, valuing(switches), account, *closing(switches), write_rows)
    return Stages([tuple(play(kind)) for kind in kinds], close, shared)


simulate_blocks = Walk("simulate_blocks", _door, _stages, f.CLOSED_FIELDS)
