"""A policy as a table or a network: what the kernels look up or evaluate, wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from fastexec.errors import InputError
from fastexec.exact import power_of
from fastexec.kernels import fields
from fastexec.kernels.door import all_within
from fastexec.models.actions import Actions
from fastexec.models.agents import Feature
from fastexec.models.features import declared
from fastexec.models.order import Order
from fastexec.models.study import StudyModel
from fastexec.planning.names import number

ACTION_SETS = {"fractions": fields.FRACTIONS, "multiples": fields.MULTIPLES, "lots": fields.LOT_COUNTS}


class Cut(NamedTuple):
    """A feature with its edges resolved; ``edges`` float64[bins - 1], none for inventory."""

    name: str
    bins: int
    edges: np.ndarray
    steps: int


class TablePolicy(NamedTuple):
    """``cuts``: the features, inventory last. ``actions``: None for any number of lots. ``table`` uint16[t, state].
    ``schedule`` float64[t + 1]: the mean of what it has done by the start of step t. ``seen``: None where nothing is unknown
    to it.
    """

    cuts: tuple[Cut, ...]
    actions: Actions | None
    table: np.ndarray
    schedule: np.ndarray
    seen: Seen | None = None


class Seen(NamedTuple):
    """What a training saw: ``states`` bool[t, state], and of each feature, but for rare ones, the ``lowest`` and ``highest``
    value, float64[f].
    """

    states: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray


class Scaled(NamedTuple):
    """A feature as a network sees it, (value - mean) / sd; ``steps``: of momentum, else 0."""

    name: str
    mean: float
    sd: float
    steps: int = 0


class Layer(NamedTuple):
    """``weights`` float32[outputs, inputs], ``bias`` float32[outputs]."""

    weights: np.ndarray
    bias: np.ndarray


class NetworkPolicy(NamedTuple):
    """``actions``: None where the output is a share of what is left. ``steps``: the clock that it was made for, None: any."""

    observation: tuple[Scaled, ...]
    layers: tuple[Layer, ...]
    activation: str
    actions: Actions | None
    mode: str
    steps: int | None = None


Policies = Mapping[str, TablePolicy | NetworkPolicy]


def cut_of(feature: Feature, edges: np.ndarray | None = None) -> Cut:
    """A feature with given edges, or its own."""
    if feature.name == "inventory":
        return Cut(feature.name, feature.bins, np.zeros(0), 0)
    own = np.asarray(feature.edges, np.float64) if edges is None else edges
    if feature.between is not None:
        low, high = feature.between
        own = low + (high - low) * np.arange(1, feature.bins) / feature.bins
    return Cut(feature.name, own.size + 1, own, feature.steps)


def market_states(cuts: tuple[Cut, ...]) -> int:
    """Number of codes that the features other than inventory make."""
    return int(np.prod([cut.bins for cut in cuts if cut.name != "inventory"], dtype=np.int64)) if cuts else 1


def feature_arrays(cuts: tuple[Cut, ...], signals: tuple[str, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """The kernels' ``features`` int64[f, 4] and ``edges`` float64[f, 34] (inf behind the last); strides rise along ``cuts``.
    ``signals``: the names of the market's.
    """
    features = np.zeros((fields.MOST_FEATURES, 4), np.int64)
    edges = np.full((fields.MOST_FEATURES, fields.EDGES), np.inf)
    edges[:, fields.LOWEST] = -np.inf
    stride = 1
    for f, cut in enumerate(cuts):
        kind = number(declared(cut.name).kind) + (signals.index(cut.name) if cut.name in signals else 0)
        features[f] = kind, cut.bins, stride, cut.steps
        edges[f, : cut.edges.size] = cut.edges
        stride *= cut.bins
    return features, edges


def plan_table(
    policy: TablePolicy, k: int, strategies: fields.Strategies, at: int, order: Order, signals: tuple[str, ...] = ()
) -> np.ndarray:
    """Enter a policy as strategy k, its table at ``at`` in the common one; returns the table, flat.

    Raises ValueError where the table names an action that the policy has not: the kernels do not ask.
    """
    levels = () if policy.actions is None else policy.actions.levels_for(order)
    all_within(f"strategy {k}: actions of the table", policy.table, 0, (len(levels) or fields.UNSEEN_STATE) - 1)
    kind = strategies.kinds[k]
    kind[fields.KIND] = fields.TABLE
    kind[fields.ACTION_SET] = fields.ANY_LOTS if policy.actions is None else ACTION_SETS[policy.actions.set]
    kind[fields.FEATURES] = len(policy.cuts)
    kind[fields.STATES] = policy.table.shape[1]
    kind[fields.POLICY_AT] = at
    kind[fields.LEVELS] = len(levels)
    strategies.levels[k, : len(levels)] = levels
    strategies.features[k], strategies.edges[k] = feature_arrays(policy.cuts, signals)
    table = policy.table.astype(np.uint16)
    if policy.seen is not None:
        kind[fields.COUNTS_UNSEEN] = 1
        strategies.edges[k, : len(policy.cuts), fields.LOWEST] = policy.seen.lowest
        strategies.edges[k, : len(policy.cuts), fields.HIGHEST] = policy.seen.highest
        table = np.where(policy.seen.states, table, table | np.uint16(fields.UNSEEN_STATE))
    return np.ascontiguousarray(table).ravel()


def require_seen(study: StudyModel, name: str, features: Iterable[str], given_paths: bool) -> None:
    """InputError where a policy observes what nobody can see; ``given_paths``: these stand in the market's place."""
    for feature in features:
        if (said := study.withholds(feature)) is not None:
            raise InputError(f"strategies.{name}: its agent sees the feature {feature}: {said}")
        if given_paths and feature == "regime":
            raise InputError(f"strategies.{name}: it sees the regime, and given paths carry none")


def slices_of(study: StudyModel, actions: Actions | None, inventories: int, shares: float) -> np.ndarray:
    """What each action trades of the order with each inventory i / (I - 1) left, float64[i, a]; whole lots where there are."""
    left = shares * np.arange(inventories) / (inventories - 1)
    if actions is None:
        wanted = np.broadcast_to(np.arange(inventories) * (shares / (inventories - 1)), (inventories, inventories))
        return np.asarray(np.minimum(wanted, left[:, None]) / shares)
    return slices_with(study.order, actions, left, shares)


def slices_with(order: Order, actions: Actions, left: np.ndarray, shares: float) -> np.ndarray:
    """What each action trades of an order of ``shares`` with ``left`` shares of it to do, float64[i, a]."""
    lot, levels = float(order.lot), np.asarray(actions.levels_for(order))
    unit = {"fractions": left[:, None], "multiples": shares / order.steps, "lots": lot or 1.0}[actions.set]
    wanted = np.broadcast_to(levels * unit, (left.size, levels.size))
    if lot > 0.0:
        wanted = lot * np.floor(wanted / lot + 1e-9)
    return np.asarray(np.minimum(wanted, left[:, None]) / shares)


def powers_of(slices: np.ndarray, exponent: float) -> np.ndarray:
    """slices^(1 + exponent), and behind them the same of all that is left, float64[i, a + 1]."""
    left = np.arange(slices.shape[0]) / (slices.shape[0] - 1)
    return power_of(np.column_stack((slices, left)), 1.0 + exponent)
