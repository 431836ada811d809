"""Plans, strategies and paths for a single stage: everything off but what a row asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastexec.kernels import fields as f


def plan_of(steps: int, **asked: Any) -> f.Plan:
    """A plan; ``asked``: switches and numbers by their name in small letters."""
    switches, numbers = np.zeros(f.SWITCHES, np.int64), np.zeros(f.NUMBERS)
    switches[f.STEPS] = steps
    for name, value in asked.items():
        place = numbers if name in ("lot", "side", "mark_penalty", "mark_slope", "restart") else switches
        place[getattr(f, name.upper())] = value
    ranges, drawn = np.zeros((len(f.PARAMETERS), 3)), np.zeros((0, f.DRAWN_FIELDS), np.int64)
    return f.Plan(switches, numbers, ranges, drawn, np.ones((4, steps)), np.full(f.CHAINS_SIZE, np.inf))


def strategies_of(count: int = 1, steps: int = 1, groups: int = 1, policy: Any = (0,), **kind: int) -> f.Strategies:
    """Strategies alike; ``kind``: of each, by the name of the field."""
    kinds = np.zeros((count, f.KIND_FIELDS), np.int64)
    for name, value in kind.items():
        kinds[:, getattr(f, name.upper())] = value
    edges = np.full((count, f.MOST_FEATURES, f.EDGES), np.inf)
    edges[:, :, f.LOWEST] = -np.inf
    return f.Strategies(
        kinds, np.full((count, f.MOST_LEVELS), np.nan), np.zeros((count, groups, steps + 1)), np.zeros(1, np.int64),
        np.zeros((count, f.MOST_FEATURES, 4), np.int64), edges, np.array(policy, np.uint16), np.full(groups, 1000.0),
        np.zeros((1, steps, f.RULE_FIELDS)),
    )  # fmt: skip
