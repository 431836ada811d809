"""Of every entry kernel, arguments that fit each other and in which every size counts; for the tests of the doors."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastexec.kernels import fields as f, walk, world as w
from fastexec.kernels._jit import LANES
from fastexec.kernels.advantages import SUMS
from fastexec.kernels.buffers import Lanes, lanes_for, output_for
from fastexec.kernels.clock import Episodes
from fastexec.kernels.environment import example_played
from fastexec.kernels.explore import Experience
from fastexec.kernels.gather import Gathered
from fastexec.kernels.gradients import LEAF
from fastexec.kernels.layers import RELU, units_of
from fastexec.kernels.learning import Rate, Scales, Step
from fastexec.kernels.network import SAMPLED
from fastexec.kernels.observe import OF_SPREAD, OF_VOLUME
from fastexec.kernels.online import Rule, Tables
from fastexec.kernels.optimisers import rmsprop
from fastexec.kernels.own_rows import SEE_ROWS
from fastexec.kernels.policy_gradient import LOSSES, Networks, Objective, size_of, work_for
from fastexec.kernels.practise import practice_for
from fastexec.kernels.program import MOMENTA, SPREADS, TIMES, VOLUMES
from fastexec.kernels.programme import Problem
from fastexec.kernels.record import recorded_for
from fastexec.kernels.second_moments import Sampled
from fastexec.kernels.summary import BINS
from fastexec.kernels.trajectory import WORK
from fastexec.kernels.transitions import transitions_for
from fastexec.kernels.watch import Observed, Watched

E, T, X, A, I = 7, 3, 4, 2, 5  # noqa: E741 - episodes, steps, market states, actions, inventories
ROOM = 9  # rows of the given paths
EPISODES = Episodes(np.uint64(0), 1, E, 1)
_WORLD = w.example_world()
_STANDING = w.table_of(_WORLD)
_PLAYED = w.example_world(example_played())
_TABLES = np.zeros((2, w.size_of(_PLAYED)), np.int64)
for _table in _TABLES:
    w.table_of(_PLAYED, _table)
F8, F4, I8, I4, U1, U4 = np.float64, np.float32, np.int64, np.int32, np.uint8, np.uint32


def study() -> tuple[f.Plan, f.Strategies, f.Paths]:
    """A plan on joined paths with two drawn parameters, and strategies of every kind that follows an index: each array of it
    has the one size that fits.
    """
    switches = np.zeros(f.SWITCHES, I8)
    switches[f.STEPS], switches[f.SOURCE], switches[f.SIGNALS] = T, f.JOINED, 1
    plan = f.Plan(
        switches, np.zeros(f.NUMBERS), np.zeros((len(f.PARAMETERS), 3)),
        np.array([(f.PARAMETERS.index(name), 2**32 - 1) for name in ("shares", "fee")], I8), np.ones((4, T)),
        np.zeros(f.CHAINS_SIZE),
    )  # fmt: skip
    kinds = np.zeros((7, f.KIND_FIELDS), I8)
    kinds[:, f.KIND] = f.TABLE, f.OWN_SCHEDULE, f.RANDOM, f.PLUGIN, f.POV, f.FOLLOW_SIGNAL, f.NETWORK
    kinds[0, f.LEVELS], kinds[0, f.FEATURES], kinds[0, f.STATES], kinds[0, f.POLICY_AT] = A, 2, X, 1
    kinds[2, f.LEVELS] = kinds[6, f.LEVELS] = A
    features = np.zeros((7, f.MOST_FEATURES, 4), I8)
    features[0, :2] = (OF_SPREAD, 2, 1, 0), (OF_VOLUME, 2, 2, 0)
    strategies = f.Strategies(
        kinds, np.zeros((7, f.MOST_LEVELS)), np.zeros((7, 2, T + 1)), np.zeros(ROOM, I8), features,
        np.zeros((7, f.MOST_FEATURES, f.EDGES)), np.zeros(1 + T * X, np.uint16), np.ones(2),
        np.zeros((1, T, f.RULE_FIELDS)), *networks(),
    )  # fmt: skip
    strategies.groups[-1] = 1
    paths = f.Paths(
        np.ones((ROOM, T + 1)), np.ones((ROOM, T + 1)), np.ones((ROOM, T)), np.ones(ROOM), np.zeros(ROOM, I8),
        np.full(ROOM, ROOM), np.ones((ROOM, T)), np.ones((1, ROOM, T)),
    )  # fmt: skip
    return plan, strategies, paths


def networks() -> tuple[np.ndarray, ...]:
    """One of two features and a layer of two outputs."""
    layers, observed = np.zeros((1, f.MOST_LAYERS, 2), I8), np.zeros((1, f.MOST_OBSERVED, 4), I8)
    layers[0, 0], observed[0, :2, f.FEATURE] = (2, A), (OF_SPREAD, OF_VOLUME)
    scales = np.ones((1, f.MOST_OBSERVED, 2))
    return np.array([[0, 2, 1, RELU, SAMPLED]], I8), layers, observed, scales, np.zeros(4 * (4 + 1), F4)


def lanes(row_fields: int = f.PARTS, see_rows: int = 0) -> Lanes:
    """Of the strategies of ``study``."""
    return lanes_for(7, row_fields, see_rows, 4 + 4 + 4)


def seen() -> Watched:
    return Watched(np.zeros((E, T), I4), np.zeros((E, T, 5)), np.zeros((E, T), U1), np.zeros((E, T, 2), U4))


def walk_blocks() -> tuple[Any, ...]:
    return _STANDING, np.zeros((walk.PLAY + 2, 3), I8)


def blocks_of_environments() -> tuple[Any, ...]:
    return _TABLES, np.zeros((walk.PLAY + 2, 3), I8), np.array([[1, 5, 0], [0, 5, 0]])


def simulate_blocks() -> tuple[Any, ...]:
    plan, strategies, paths = study()
    strategies.kinds[3, f.KIND] = f.OWN_ORDERS
    output, buffers = output_for(plan, strategies, E, every_step=True), lanes(f.CLOSED_FIELDS, SEE_ROWS)
    return EPISODES, plan, strategies, paths, buffers, np.zeros(1, I8), output


def explore_blocks() -> tuple[Any, ...]:
    record = Experience(
        np.zeros((T, E), I4), np.zeros((T, E), U1), np.zeros((T, E)), np.zeros((T, E), F4), np.full(1, 0.1)
    )
    return EPISODES, *study(), lanes(), np.zeros(1, I8), record


def observe_blocks() -> tuple[Any, ...]:
    plan, strategies, paths = study()
    strategies.kinds[4], strategies.features[4] = strategies.kinds[0], strategies.features[0]
    strategies.kinds[0, f.KIND] = f.SCHEDULE
    return EPISODES, plan, strategies, paths, lanes(), np.zeros(1, I8), Observed(np.zeros((2, E, T)))


def gather_blocks() -> tuple[Any, ...]:
    cube = (T, X, X)
    sums = Gathered(
        *(np.zeros(cube, I8) for _ in range(4)),
        np.zeros((T, X, 2), I8),
        np.zeros((T, X, 2), I8),
        np.zeros((T, X, 3), I8),
        np.ones(6),
        np.zeros(1, I8),
    )
    return EPISODES, *study(), lanes(), np.zeros(1, I8), sums


def learn_episodes() -> tuple[Any, ...]:
    powers = np.zeros((I, A + 1))
    rule = Rule(np.zeros((I, A)), powers, np.zeros((I, A)), np.zeros(T), np.zeros(8), np.zeros(3), 0, 0, 1)
    cells = (T, I * X, A)
    return seen(), rule, Tables(np.zeros((2, *cells)), np.zeros((2, *cells)), np.zeros(cells, I8)), X


def learn_program() -> tuple[Any, ...]:
    states = SPREADS * VOLUMES * MOMENTA * TIMES
    paths = (np.ones((E, T)), np.ones((E, T)), np.ones((E, T)))
    words, q = np.zeros((E, T, 2), U4), np.zeros((states, A))
    tables = q, np.zeros((states, A)), np.zeros((states, A), I8)
    return paths, words, np.zeros(A), np.zeros(6), tables, np.zeros((E, 2))


def add_targets() -> tuple[Any, ...]:
    step = Step(np.zeros(E, I4), np.zeros(E, U1), np.zeros(E), np.zeros(E, I4), np.zeros(E, F4), np.zeros(E, F4))
    return step, np.zeros(X), 0, E, SCALES, np.zeros((X, A, 3), I8), np.zeros(1, I8)


SCALES = Scales(1.0, 1.0, 1.0, 1.0, 1)


def merge_targets() -> tuple[Any, ...]:
    cells, rate = np.zeros((2, X, A, 3), I8), Rate(0, 0.1, np.zeros(4))
    return np.zeros((X, A, 3)), cells, rate, SCALES, np.zeros(X, np.uint16), np.zeros(X)


def find_second_moments() -> tuple[Any, ...]:
    problem, q, v = solve()
    return problem, Sampled(np.zeros((T, X, X)), np.zeros((T, X, X)), np.zeros((T, X, 3))), v, q, 0, T


def solve() -> tuple[Any, ...]:
    cube, square = (T, X, X), (T, X)
    problem = Problem(
        np.zeros(cube), np.zeros(cube), np.zeros(square), np.zeros(square), np.zeros(square), np.zeros((*square, 2)),
        np.zeros((*square, 2)), np.zeros(square), np.zeros((I, A)), np.zeros((I, A + 1)), np.zeros(8), 0,
    )  # fmt: skip
    return problem, np.zeros((T, I, X, A)), np.zeros((T + 1, I, X))


K, C = 3, 2


#: Of every entry, arguments that fit each other and in which every size counts.
def practise_blocks() -> tuple[Any, ...]:
    plan, strategies, paths = study()
    both = [6, 1]
    kinds = strategies.kinds[both]
    kinds[1, f.KIND] = f.SCHEDULE
    strategies = strategies._replace(
        kinds=kinds,
        **{name: getattr(strategies, name)[both] for name in ("levels", "fractions", "features", "edges")},
    )
    layers = np.array([[2, 4], [4, 1]], I8)
    networks = Networks(np.zeros(4 * (4 + 1) + 2 * 4 * (4 + 1), F4), np.array([[2, A]], I8), layers, RELU)
    practice = practice_for(transitions_for(LEAF, T, 4), networks)
    practice = practice._replace(weights=practice.weights.copy())
    here = lanes_for(2, units=units_of(strategies))
    return Episodes(np.uint64(0), 2 * LEAF, LEAF, 2 * LEAF), plan, strategies, paths, here, np.zeros(1, I8), practice


def find_gradients() -> tuple[Any, ...]:
    policy, value = np.array([[3, 8], [8, 5]], I8), np.array([[3, 4], [4, 1]], I8)
    networks = Networks(np.zeros(size_of(policy) + size_of(value), F4), policy, value, RELU)
    one = np.float32(1.0)
    objective = Objective(0, one, one, one, one, one, one)
    gradients, losses = np.zeros((2, networks.weights.size), F4), np.zeros((2, LOSSES))
    record = transitions_for(2 * LEAF, T, 4)
    return networks, record, objective, np.array([1, 0]), (0, 2), gradients, losses, work_for(networks)


def find_advantages() -> tuple[Any, ...]:
    one = np.float32(1.0)
    return transitions_for(2 * LEAF, T, 4), one, one, 0, 2, np.zeros((2, SUMS)), np.zeros(SUMS * LANES)


CALLS = {
    "practise_blocks": practise_blocks,
    "find_gradients": find_gradients,
    "find_advantages": find_advantages,
    "improve": lambda: (rmsprop(0.1, 1.0), np.zeros((2, 4), F4), np.zeros(4, F4), np.zeros((2, 4), F4), np.zeros(2)),
    "draw_normals": lambda: (np.uint64(0), 1, 2, np.zeros(4, F4)),
    "shuffle_leaves": lambda: (np.uint64(0), 1, 2, 3, np.zeros(4, I8)),
    "simulate_blocks": simulate_blocks,
    "record_markets": lambda: (EPISODES, *study(), lanes(), np.zeros(1, I8), recorded_for(E, T)),
    "explore_blocks": explore_blocks,
    "observe_blocks": observe_blocks,
    "gather_blocks": gather_blocks,
    "watch_blocks": lambda: (EPISODES, *study(), lanes(), np.zeros(1, I8), seen()),
    "walk_blocks": walk_blocks,
    "start_blocks": blocks_of_environments,
    "open_blocks": blocks_of_environments,
    "step_blocks": blocks_of_environments,
    "learn_episodes": learn_episodes,
    "learn_program": learn_program,
    "add_targets": add_targets,
    "merge_targets": merge_targets,
    "find_second_moments": find_second_moments,
    "tabulate_shares": lambda: (0.1, np.zeros(4)),
    "solve": solve,
    "follow_chances": lambda: (solve()[0], np.zeros((T, I, X, A)), np.zeros((T + 1, I, X))),
    "evaluate_network": lambda: (
        np.zeros(8 * (4 + 1), F4), np.array([[3, 5]], I8), RELU, np.zeros((E, 3), F4), np.zeros((E, 5), F4)
    ),
    "optimise": lambda: (
        np.full(T, 1.0 / T), np.ones((5, T)), np.array([1.0, 1.0, 1.0, 0.1, 0.5, 0.6]), np.ones((WORK, T))
    ),
    "draw_lumps": lambda: (np.ones((2, T)),),
    "evaluate": lambda: (0, np.ones(T), 1.0, np.ones(T)),
    "normal_quantiles": lambda: (np.full(T, 0.5), np.ones(T)),
    "spread_of": lambda: (np.zeros((C, E * K)), 1, E - 1, np.zeros((C, K)), np.zeros((C, K)), np.zeros((C, K))),
    "products_of": lambda: (
        np.zeros((C, E * K)), 1, E - 1, np.zeros((C, K)), 1, np.zeros((C, K)), np.zeros((2 * K, 2 * K)), np.zeros((K, K), I8)
    ),
    "count_bins": lambda: (np.zeros((C, E * K)), 1, E - 1, np.zeros((C, K, BINS), I8)),
}  # fmt: skip
