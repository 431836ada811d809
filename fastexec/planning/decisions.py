"""Decisions made elsewhere: slices that somebody else's programme chose, as strategies beside those of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.models.names import RULE, is_name, quoted
from fastexec.models.study import StudyModel

#: What tables of results call the model of such a strategy.
MODEL = "decisions"
#: What whoever compares them must know: nothing tells what the slices were chosen by.
NOTE = "given decisions: look-ahead not excluded"
# Sums of fractions miss a whole lot by a hair.
_HAIR = 1e-9


class Decisions(NamedTuple):
    """``names`` of the strategies; ``slices`` float64[slot, e, t]: shares, whole lots where the order has lots."""

    names: tuple[str, ...]
    slices: np.ndarray


def decisions_of(study: StudyModel, slices: Any, episodes: int) -> Decisions:
    """What ``simulate`` was given as ``slices``: float64[e, t] by name.

    Where the order has lots, what has been decided on so far is rounded down to whole lots and the fraction is carried to the
    steps behind. Raises InputError, naming episode and step, where a slice is below 0 or no finite number.
    """
    if not isinstance(slices, Mapping) or not slices:
        raise InputError('slices: must be a dict of arrays by name, such as {"mine": array of [episodes, steps]}')
    taken = [strategy.name for strategy in study.strategies]
    shape = (episodes, study.order.steps)
    found = []
    for name, values in slices.items():
        if not is_name(name):
            raise InputError(f"slices: {quoted(name)} is no name; a name is {RULE}")
        if name in taken:
            raise InputError(f"slices[{name!r}]: the study has a strategy of that name; give another")
        found.append(_in_lots(_checked(name, values, shape), float(study.order.lot)))
    return Decisions(tuple(slices), np.ascontiguousarray(np.stack(found)))


def _checked(name: str, values: Any, shape: tuple[int, int]) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"slices[{name!r}]: has rows of different lengths; it must be an array of numbers") from None
    if array.dtype.kind not in "iuf":
        raise InputError(f"slices[{name!r}]: holds values of type {array.dtype}; it must be an array of numbers")
    if array.shape != shape:
        raise InputError(f"slices[{name!r}]: has shape {array.shape}; it must be [episodes, steps] = {shape}")
    array = np.array(array, np.float64)
    refused: list[tuple[np.ndarray, str]] = [
        (~np.isfinite(array), "a finite number"),
        (array < 0.0, "0 shares or more"),
    ]
    for wrong, right in refused:
        if wrong.any():
            e, t = (int(i) for i in np.unravel_index(int(wrong.argmax()), shape))
            raise InputError(f"slices[{name!r}]: episode {e}, step {t}: is {array[e, t]:g}; it must be {right}")
    return array


def _in_lots(slices: np.ndarray, lot: float) -> np.ndarray:
    """Whole lots, the fractions carried; episodes that hold whole lots only as they are."""
    if lot <= 0.0:
        return slices
    lots = slices / lot
    done = np.floor(np.add.accumulate(lots, axis=1) + _HAIR)
    whole = (np.abs(lots - np.floor(lots + 0.5)) <= _HAIR).all(axis=1, keepdims=True)
    return np.where(whole, slices, lot * np.diff(done, axis=1, prepend=0.0))


def with_decisions(strategies: fields.Strategies, count: int) -> fields.Strategies:
    """The arrays with ``count`` strategies more, slot after slot, behind the study's own."""
    kinds = np.zeros((count, fields.KIND_FIELDS), np.int64)
    kinds[:, fields.KIND] = fields.DECIDED
    kinds[:, fields.SLOT] = np.arange(count)

    def longer(array: np.ndarray) -> np.ndarray:
        return np.concatenate((array, np.zeros((count, *array.shape[1:]), array.dtype)))

    return strategies._replace(
        kinds=np.concatenate((strategies.kinds, kinds)),
        levels=longer(strategies.levels),
        fractions=longer(strategies.fractions),
        features=longer(strategies.features),
        edges=longer(strategies.edges),
    )
