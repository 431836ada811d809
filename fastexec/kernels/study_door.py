"""The part of the doors that the walks through a study share: plan, strategies, paths and lane buffers fit each other.

The action numbers of the policies are not looked at here, they are many: ``planning.policies.plan_table`` looks once.
"""

from __future__ import annotations

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES
from fastexec.kernels.buffers import Lanes
from fastexec.kernels.door import F4, F8, I8, U2, U4, all_within, each_within, held, sizes, within
from fastexec.kernels.layers import units_of
from fastexec.kernels.network_door import check_networks
from fastexec.kernels.observe import INVENTORY, LAST_SIGNAL
from fastexec.kernels.own_rows import SEE_ROWS

_MOST_STEPS, _MOST_STATES = 1 << 24, 1 << 40
_MOST_KINDS = 31  # a kernel file may have kinds of its own; one that it has not leaves no array either
#: The highest value of each switch, in their order.
_HIGHEST = np.array([
    _MOST_STEPS, f.JOINED, _MOST_KINDS, 1, _MOST_KINDS, _MOST_KINDS, 1, f.TEMPORARY_POWER, f.TRANSIENT_POWER,
    f.MARK_AS_TRADE, 3, f.MOST_LEVELS, f.MOST_LEVELS, f.PER_STEP, 1, (1 << f.MOST_FURTHER) - 1,
    1, 1, f.MOST_LEVELS, 1, 1, 1, f.NOISE_TRADABLE, 1,
    f.MOST_SIGNALS, 1, *[f.MOST_LEVELS] * 4, *[f.PREDICTS_VOLATILITY] * 4, *[(1 << 24) - 1] * 4,
], np.uint64)  # fmt: skip

#: The same of a parameter that is drawn.
_HIGHEST_OF_DRAWN = np.array([len(f.PARAMETERS) - 1, (1 << 32) - 1], np.uint64)

#: The same of a strategy's kind.
_HIGHEST_OF_KIND = np.array([
    f.NETWORK, 1, (1 << 24) - 1, f.ANY_LOTS, f.MOST_LEVELS, (1 << 24) - 1, f.SEES_STEP | f.OF_PATHS | f.SEES_NOISE,
    f.MOST_FEATURES, _MOST_STATES, _MOST_STATES, 1, (1 << SEE_ROWS) - 1,
], np.uint64)  # fmt: skip


def check_study(
    episodes: tuple[int, int],
    plan: f.Plan,
    strategies: f.Strategies,
    paths: f.Paths,
    lanes: Lanes,
    functions: np.ndarray,
    row_fields: int = f.PARTS,
    decided: int = 0,
) -> int:
    """ValueError unless all fit each other and the episodes (first, count); the number of steps. ``decided``: for how many
    strategies there are decisions made elsewhere.
    """
    first, count = episodes
    within("episodes: first", first, 0)
    within("episodes: count", count, 0)
    steps = check_plan(plan)
    rows = _check_paths(plan, paths)
    if plan.switches[f.SOURCE] == f.GIVEN:
        within("episodes: first + count", first + count, 0, rows)
    _check_strategies(strategies, steps, rows)
    _check_functions(strategies, functions)
    _check_slots(strategies, f.DECIDED, "decided: number", decided)
    _check_lanes(lanes, strategies.kinds.shape[0], row_fields)
    held("lanes.activations", lanes.activations, F4, units_of(strategies) * LANES)
    seen = (strategies.kinds[:, f.KIND] == f.OWN_ORDERS).any()
    held("lanes.see", lanes.see, F8, SEE_ROWS * LANES if seen else 0)
    return steps


def check_plan(plan: f.Plan) -> int:
    """ValueError unless the plan's arrays are what the kernels take them for; the number of steps."""
    held("plan.switches", plan.switches, I8, f.SWITCHES)
    each_within("plan.switches", plan.switches, _HIGHEST)
    switches = plan.switches.tolist()
    steps: int = switches[f.STEPS]
    within("plan.switches[STEPS]", steps, 1)
    within("plan.switches[SPREAD_LEVELS]", switches[f.SPREAD_LEVELS], switches[f.SPREAD_MODEL] == f.SPREAD_MARKOV)
    within("plan.switches[VOLUME_LEVELS]", switches[f.VOLUME_LEVELS], switches[f.VOLUME_MODEL] == f.VOLUME_MARKOV)
    held("plan.numbers", plan.numbers, F8, f.NUMBERS)
    held("plan.ranges", plan.ranges, F8, len(f.PARAMETERS), 3)
    held("plan.drawn", plan.drawn, I8, sizes("plan.drawn", plan.drawn, 2)[0], f.DRAWN_FIELDS)
    each_within("plan.drawn", plan.drawn, _HIGHEST_OF_DRAWN)
    held("plan.curves", plan.curves, F8, 4, steps)
    held("plan.chains", plan.chains, F8, f.CHAINS_SIZE)
    return steps


def _check_paths(plan: f.Plan, paths: f.Paths) -> int:
    """The number of rows."""
    rows, mids = sizes("paths.mid", paths.mid, 2)
    source, steps = int(plan.switches[f.SOURCE]), mids - 1
    if source != f.SYNTHETIC:
        steps = int(plan.switches[f.STEPS])
        within("paths: rows", rows, 1)
    held("paths.mid", paths.mid, F8, rows, steps + 1)
    held("paths.spread", paths.spread, F8, rows, steps + 1)
    held("paths.volume", paths.volume, F8, rows, steps)
    held("paths.arrival", paths.arrival, F8, rows)
    held("paths.rate_volume", paths.rate_volume, F8, rows, steps)
    held("paths.signals", paths.signals, F8, 0 if source == f.SYNTHETIC else int(plan.switches[f.SIGNALS]), rows, steps)
    blocks = rows if source == f.JOINED else paths.block_first.size
    held("paths.block_first", paths.block_first, I8, blocks)
    held("paths.block_count", paths.block_count, I8, blocks)
    if source == f.JOINED:
        all_within("paths.block_first", paths.block_first, 0, rows - 1)
        all_within("paths.block_count", paths.block_count, 1, rows)
        all_within("paths: end of a block", paths.block_first + paths.block_count, 1, rows)
    return rows


def _check_strategies(strategies: f.Strategies, steps: int, rows: int) -> None:
    count, _ = sizes("strategies.kinds", strategies.kinds, 2)
    _, groups, _ = sizes("strategies.fractions", strategies.fractions, 3)
    (size,) = sizes("strategies.policy", strategies.policy, 1)
    held("strategies.kinds", strategies.kinds, I8, count, f.KIND_FIELDS)
    held("strategies.levels", strategies.levels, F8, count, f.MOST_LEVELS)
    held("strategies.fractions", strategies.fractions, F8, count, groups, steps + 1)
    within("strategies.fractions: groups", groups, 1)
    held("strategies.groups", strategies.groups, I8, *sizes("strategies.groups", strategies.groups, 1))
    held("strategies.features", strategies.features, I8, count, f.MOST_FEATURES, 4)
    held("strategies.edges", strategies.edges, F8, count, f.MOST_FEATURES, f.EDGES)
    held("strategies.policy", strategies.policy, U2, size)
    held("strategies.last_volume", strategies.last_volume, F8, groups)
    rules = sizes("strategies.rules", strategies.rules, 3)[0]
    held("strategies.rules", strategies.rules, F8, rules, steps, f.RULE_FIELDS)
    _check_slots(strategies, f.FOLLOW_SIGNAL, "strategies.rules: number", rules)
    each_within("strategies.kinds", strategies.kinds, _HIGHEST_OF_KIND)
    check_networks(strategies)
    by_group = groups > 1  # what is left at the end asks for the group, whoever trades
    for k, kind in enumerate(strategies.kinds.tolist()):
        by_group |= kind[f.KIND] == f.OWN_SCHEDULE
        if kind[f.KIND] in (f.RANDOM, f.TABLE):
            _check_acts(k, kind, strategies, steps)
    if by_group:
        within("strategies.groups: rows of the paths", strategies.groups.size, rows)
        all_within("strategies.groups", strategies.groups, 0, groups - 1)


def _check_functions(strategies: f.Strategies, functions: np.ndarray) -> None:
    """Each of the user's strategies has an address."""
    held("functions", functions, I8, *sizes("functions", functions, 1))
    for kind in (f.PLUGIN, f.OWN_ORDERS):
        _check_slots(strategies, kind, "functions: number", functions.size)


def _check_slots(strategies: f.Strategies, kind: int, name: str, count: int) -> None:
    """Each strategy of a kind has one of ``count`` slots."""
    slots = strategies.kinds[strategies.kinds[:, f.KIND] == kind, f.SLOT]
    within(name, count, int(slots.max()) + 1 if slots.size else 0)


def _check_acts(k: int, kind: list[int], strategies: f.Strategies, steps: int) -> None:
    """Of a strategy that takes actions from its levels, by chance or by a table."""
    if kind[f.ACTION_SET] != f.ANY_LOTS or kind[f.KIND] == f.RANDOM:
        within("strategies.kinds[LEVELS]", kind[f.LEVELS], 1)
    if kind[f.KIND] == f.TABLE:
        codes = _check_features(strategies.features[k, : kind[f.FEATURES]].tolist())
        within("strategies.kinds[STATES]", kind[f.STATES], codes)
        within("strategies.kinds[POLICY_AT]", kind[f.POLICY_AT], 0, strategies.policy.size - steps * kind[f.STATES])


def _check_features(features: list[list[int]]) -> int:
    """The number of codes that the features of a strategy make."""
    highest = 0
    for feature in features:
        within("strategies.features[FEATURE]", feature[f.FEATURE], 0, LAST_SIGNAL)
        most = _MOST_STATES if feature[f.FEATURE] == INVENTORY else f.MOST_LEVELS
        within("strategies.features[BINS]", feature[f.BINS], 1, most)
        within("strategies.features[STRIDE]", feature[f.STRIDE], 0, _MOST_STATES)
        within("strategies.features[LOOK_BACK]", feature[f.LOOK_BACK], 0, f.HISTORY - 1)
        highest += (feature[f.BINS] - 1) * feature[f.STRIDE]
    return highest + 1


def codes_of(strategies: f.Strategies) -> int:
    """The number of states that strategy 0, which must be a table, tells apart."""
    within("strategies: number", strategies.kinds.shape[0], 1)
    within("strategies.kinds[KIND] of strategy 0", int(strategies.kinds[0, f.KIND]), f.TABLE, f.TABLE)
    return _check_features(strategies.features[0, : strategies.kinds[0, f.FEATURES]].tolist())


def observed_by(strategies: f.Strategies) -> int:
    """The number of features that strategy 0 observes, whatever it does with them."""
    within("strategies: number", strategies.kinds.shape[0], 1)
    features = strategies.features[0, : strategies.kinds[0, f.FEATURES]].tolist()
    _check_features(features)
    return len(features)


def _check_lanes(lanes: Lanes, strategies: int, row_fields: int) -> None:
    held("lanes.parameters", lanes.parameters, F8, f.PARAMETER_FIELDS * LANES)
    held("lanes.market", lanes.market, F8, f.MARKET_FIELDS * LANES)
    held("lanes.normals", lanes.normals, F8, f.NORMAL_FIELDS * LANES)
    held("lanes.words", lanes.words, U4, f.DRAW_FIELDS * LANES)
    held("lanes.raw", lanes.raw, F4, f.DRAW_FIELDS * LANES)
    held("lanes.ledgers", lanes.ledgers, F8, strategies, f.LEDGER_FIELDS * LANES)
    held("lanes.rows", lanes.rows, F8, strategies, row_fields * LANES)
