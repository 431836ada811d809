"""No kernel is entered with an array that is too short, of another type, or not its own to write; no index leaves an array.

Every array of every entry's arguments is spoilt in each way in turn; a further entry, or a further array, is tried by itself.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastexec.kernels
from entry_calls import CALLS, F8, I4, I8, ROOM, A, C, E, I, T, X, lanes, study
from fastexec.kernels import fields as f
from fastexec.kernels._jit import Entry, entries, entry
from fastexec.kernels.buffers import output_for
from fastexec.kernels.clock import Episodes
from fastexec.kernels.network import CLIPPED
from fastexec.kernels.observe import LAST_SIGNAL
from fastexec.kernels.world import example_world, table_of
from fastexec.models.actions import Actions
from fastexec.models.order import Order
from fastexec.planning.policies import Cut, TablePolicy, plan_table

for module in pkgutil.iter_modules(fastexec.kernels.__path__, "fastexec.kernels."):
    importlib.import_module(module.name)
OURS = {entry.name: entry for entry in entries if entry.module.startswith("fastexec.")}
#: Sizes that are free, by entry, argument and axis: one shorter is as good. Shares looked up, threads, and the actions of a
#: table of which the kernel is told nowhere else.
FREE = {
    ("tabulate_shares", (1,), 0),
    ("draw_lumps", (0,), 0),  # as many as are asked for, of as many steps
    ("draw_lumps", (0,), 1),
    ("merge_targets", (2, 2), 0),
    ("merge_targets", (1,), 0),
    ("add_targets", (5,), 1),
    ("walk_blocks", (1,), 1),
    *(
        (walk, at, axis)
        for walk in ("start_blocks", "open_blocks", "step_blocks")
        for at, axis in (((1,), 1), ((2,), 0))
    ),
    ("count_bins", (3,), 1),  # fewer strategies: fewer rows
    ("improve", (1,), 0),  # leaves
    ("shuffle_leaves", (4,), 0),
    ("practise_blocks", (2, 6), 0),  # of tables and of followed signals, where none plays
    ("practise_blocks", (2, 8), 0),
    ("practise_blocks", (5,), 0),  # nor a strategy of the user
    *(
        (walk, (1, 3), 0)
        for walk in (
            "practise_blocks",
            "explore_blocks",
            "gather_blocks",
            "observe_blocks",
            "record_markets",
            "watch_blocks",
        )
    ),  # fewer drawn parameters
}


def test_every_entry_is_tried():
    assert set(OURS) == set(CALLS)


@pytest.fixture
def reached(monkeypatch):
    """What gets through a door; no kernel runs."""
    calls: list[tuple[Any, ...]] = []
    for one in OURS.values():
        monkeypatch.setattr(one, "_dispatcher", lambda *args: calls.append(args))
    return calls


def arrays(value: Any, at: tuple[int, ...] = ()) -> dict[tuple[int, ...], np.ndarray]:
    """Every array of the arguments, by its place in the nested tuples."""
    if isinstance(value, np.ndarray):
        return {at: value}
    found = {}
    for j, part in enumerate(value if isinstance(value, tuple) else ()):
        found |= arrays(part, (*at, j))
    return found


def changed(value: Any, at: tuple[int, ...], array: Any) -> Any:
    if not at:
        return array
    parts = [changed(part, at[1:], array) if j == at[0] else part for j, part in enumerate(value)]
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


def read_only(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


SPOILT = {
    "another type": lambda a: np.zeros(a.shape, np.float32 if a.dtype != np.float32 else F8),
    "another kind": lambda a: np.zeros(a.shape, np.int16),
    "one dimension more": lambda a: a[None].copy(),
    "one dimension less": lambda a: a[0].copy() if a.ndim > 1 else np.zeros((), a.dtype),
    "read-only": read_only,
    "with gaps": lambda a: np.repeat(np.repeat(a, 2, axis=-1), 2, axis=0)[..., ::2][::2] if a.size > 1 else read_only(a),
    "other byte order": lambda a: np.zeros(a.shape, a.dtype.newbyteorder() if a.itemsize > 1 else np.int8),
    "a list": lambda a: a.tolist(),
    "nothing": lambda a: None,
}  # fmt: skip


@pytest.mark.parametrize("name", list(CALLS))
def test_what_fits_gets_through(reached, name):
    OURS[name](*CALLS[name]())
    assert len(reached) == 1


@pytest.mark.parametrize("name", list(CALLS))
def test_what_does_not_fit_reaches_no_kernel(reached, name):
    call, one = CALLS[name], OURS[name]
    for at, array in arrays(call()).items():
        wrong = {how: spoil(array) for how, spoil in SPOILT.items()}
        for axis, size in enumerate(array.shape):
            if (name, at, axis) not in FREE:
                other = np.delete(array, size - 1, axis) if size else np.zeros(1, array.dtype)
                wrong[f"another size along axis {axis}"] = other
        for how, other in wrong.items():
            try:
                one(*changed(call(), at, other))
            except ValueError as error:
                assert str(error).startswith(f"{name}: ")  # noqa: PT017 - all of them are tried, and named
            assert not reached, f"{name}, argument {at}: {how}"


def set_at(field: str, index: Any, value: Any):
    def change(plan: f.Plan, strategies: f.Strategies, paths: f.Paths) -> None:
        (array,) = [getattr(part, field) for part in (plan, strategies, paths) if field in part._fields]
        array[index] = value

    return change


INDICES = {
    "steps": [set_at("switches", f.STEPS, x) for x in (0, -1, T + 1, 2**62)],
    "source": [set_at("switches", f.SOURCE, x) for x in (-1, 3)],
    "phase": [set_at("switches", f.PHASE, x) for x in (-1, 4)],
    "levels of a chain": [
        set_at("switches", slot, x) for slot in (f.SPREAD_LEVELS, f.VOLUME_LEVELS) for x in (-1, f.MOST_LEVELS + 1)
    ],
    "a chain without levels": [
        set_at("switches", slice(f.SPREAD_MODEL, f.SPREAD_MODEL + 1), f.SPREAD_MARKOV),
        set_at("switches", slice(f.VOLUME_MODEL, f.VOLUME_MODEL + 1), f.VOLUME_MARKOV),
    ],
    "drawn parameters": [set_at("drawn", (1, f.DRAWN_SLOT), x) for x in (-1, len(f.PARAMETERS), 10**9)],
    "draw numbers": [set_at("drawn", (1, f.DRAWN_NUMBER), x) for x in (-1, 2**32)],
    "kind": [set_at("kinds", (3, f.KIND), x) for x in (-1, f.DECIDED, f.NETWORK + 1)],
    "plugin slot": [set_at("kinds", (3, f.SLOT), x) for x in (-1, 1)],
    "slot of a rule": [set_at("kinds", (5, f.SLOT), x) for x in (-1, 1)],
    "levels": [set_at("kinds", (k, f.LEVELS), x) for k in (0, 2) for x in (-1, 0, f.MOST_LEVELS + 1)],
    "features": [set_at("kinds", (0, f.FEATURES), x) for x in (-1, f.MOST_FEATURES + 1)],
    "states": [set_at("kinds", (0, f.STATES), x) for x in (-1, 0, X - 1, X + 1)],
    "place of the policy": [set_at("kinds", (0, f.POLICY_AT), x) for x in (-1, 2, 10**12)],
    "feature": [set_at("features", (0, 0, f.FEATURE), x) for x in (-1, LAST_SIGNAL + 1)],
    "bins": [set_at("features", (0, 0, f.BINS), x) for x in (-(10**9), -(10**6), 0, 3, f.MOST_LEVELS + 1, 10**9)],
    "stride": [set_at("features", (0, 0, f.STRIDE), x) for x in (-1, 4, 2**60)],
    "look back": [set_at("features", (0, 0, f.LOOK_BACK), x) for x in (-1, f.HISTORY)],
    "slot of a network": [set_at("kinds", (6, f.SLOT), x) for x in (-1, 1)],
    "actions of a network": [set_at("kinds", (6, f.LEVELS), x) for x in (0, A - 1, A + 1)],
    "networks": [
        set_at("networks", (0, at), x)
        for at, values in enumerate(((-1, 1, 2**62), (-1, 1, 3, 65), (0, 2, 5), (-1, 2), (-1, CLIPPED, 4)))
        for x in values
    ],
    "layers": [set_at("layers", (0, 0, at), x) for at, values in enumerate(((1, 3, 129), (0, 1, 3))) for x in values],
    "what a network observes": [set_at("observed", (0, 0, f.FEATURE), x) for x in (-1, LAST_SIGNAL + 1)]
    + [set_at("observed", (0, 0, f.LOOK_BACK), x) for x in (-1, f.HISTORY)],
    "groups": [set_at("groups", 8, x) for x in (-1, 2)],
    "blocks": [set_at("block_first", 8, x) for x in (-1, 1, ROOM)]
    + [set_at("block_count", 8, x) for x in (-1, 0, ROOM + 1)],
}


@pytest.mark.parametrize("what", list(INDICES))
@pytest.mark.parametrize("name", ["simulate_blocks", "explore_blocks", "gather_blocks", "watch_blocks"])
def test_no_index_of_a_study_leaves_its_array(reached, name, what):
    for change in INDICES[what]:
        call = CALLS[name]()
        change(*call[1:4])
        with pytest.raises(ValueError, match=f"^{name}: "):
            OURS[name](*call)
    assert not reached


@pytest.mark.parametrize(
    ("name", "at", "value"),
    [
        *(
            (walk, (0,), Episodes(np.uint64(0), *numbers))
            for walk in ("simulate_blocks", "explore_blocks", "watch_blocks", "gather_blocks")
            for numbers in ((-1, E, -1), (1, E + 1, 1), (1, -1, 1), (1, E, 2), (1, E, 0), (1, E, -1))
            if (walk, numbers) not in (("gather_blocks", (1, E + 1, 1)), ("explore_blocks", (1, E, 0)))  # these may be
        ),
        ("simulate_blocks", (5,), np.zeros(0, I8)),
        ("explore_blocks", (5,), np.zeros(0, I8)),
        ("walk_blocks", (0,), table_of(example_world()).copy()),
        ("walk_blocks", (1,), np.full((9, 1), 1 << 20)),
        ("walk_blocks", (1,), np.full((9, 1), -1)),
        *(("step_blocks", (2,), np.array([job])) for job in ([2, 0, 0], [-1, 0, 0], [0, -1, 0], [0, 2**47, 0], [0, 0, 1])),
        ("open_blocks", (0,), CALLS["open_blocks"]()[0].copy()),
        ("open_blocks", (1,), np.full((9, 1), 1 << 20)),
        ("learn_episodes", (0, 0), np.full((E, T), X, I4)),
        ("learn_episodes", (0, 0), np.full((E, T), -1, I4)),
        ("learn_episodes", (1, 2), np.full((I, A), float(I))),
        ("learn_episodes", (1, 0), np.ones((I, A))),
        ("learn_episodes", (1, 0), np.full((I, A), np.nan)),
        ("learn_episodes", (3,), X + 1),
        ("add_targets", (2,), -1),
        ("add_targets", (2,), E + 1),
        ("add_targets", (3,), E + 1),
        ("solve", (0, 7), np.full((I, A), -0.1)),
        ("solve", (0, 7), np.ones((I, A))),
        ("evaluate", (0,), 4),
        ("spread_of", (1,), -1),
        ("spread_of", (2,), E),
        ("products_of", (4,), C),
        ("products_of", (4,), -1),
        ("count_bins", (2,), E),
    ],
)  # fmt: skip
def test_no_other_index_does(reached, name, at, value):
    with pytest.raises(ValueError, match=f"^{name}: "):
        OURS[name](*changed(CALLS[name](), at, value))
    assert not reached


def test_given_paths_hold_the_episodes(reached):
    for count, fits in ((ROOM - 1, True), (ROOM, False)):
        plan, strategies, paths = study()
        plan.switches[f.SOURCE] = f.GIVEN
        call = (
            Episodes(np.uint64(0), 1, count, 1),
            plan,
            strategies,
            paths,
            lanes(f.CLOSED_FIELDS),
            np.zeros(1, I8),
        )
        if fits:
            OURS["simulate_blocks"](*call, output_for(plan, strategies, count))
        else:
            with pytest.raises(ValueError, match=r"first \+ count"):
                OURS["simulate_blocks"](*call, output_for(plan, strategies, count))
    assert len(reached) == 1


def test_an_entry_without_a_door_is_none():
    with pytest.raises(TypeError, match="door"):
        entry("void(float64[::1])")
    assert all(isinstance(one, Entry) and callable(one._door) for one in entries)


def test_a_table_names_only_actions_that_there_are():
    _, strategies, _ = study()
    cuts = (Cut("spread", 2, np.array([0.1]), 0), Cut("inventory", 2, np.zeros(0), 0))
    table = np.zeros((T, 4), np.uint16)
    actions = Actions(set="lots", levels=(0.0, 1.0))
    order = Order(shares=100.0, steps=T, lot=10.0)
    plan_table(TablePolicy(cuts, actions, table, np.zeros(T + 1)), 0, strategies, 0, order)
    table[1, 2] = 3  # two levels, and all that is left
    with pytest.raises(ValueError, match="actions of the table"):
        plan_table(TablePolicy(cuts, actions, table, np.zeros(T + 1)), 0, strategies, 0, order)


def test_the_pass_with_checked_bounds_proves_nothing_without_them():
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_BOUNDSCHECK"}
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-m", "bounds", "-k", "cases_hold", "tests/test_bounds.py"]
    ended = subprocess.run(
        command, cwd=root, env={**environment, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "set NUMBA_BOUNDSCHECK=1" in ended.stdout
