"""Which key of a study feeds which parameter of the kernels, and with what range."""

from __future__ import annotations

import hashlib

import numpy as np

from fastexec.kernels.fields import PARAMETERS
from fastexec.models.scalar import Range, Scalar
from fastexec.models.study import StudyModel
from fastexec.models.tree import keys_of, sections_of
from fastexec.planning.names import slot


def ranges(study: StudyModel) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """``ranges`` float64[slot, (low, high, log)], ``drawn`` int64[d, (slot, draw number)], and the keys drawn."""
    table = np.zeros((len(PARAMETERS), 3))
    drawn, names = [], []
    for parameter, key, value in _fed(study):
        j = slot(parameter)
        if isinstance(value, Range):
            table[j] = value.low, value.high, value.scale == "log"
            drawn.append((j, draw_number(key)))
            names.append(key)
        else:
            table[j, :2] = value
    return table, np.array(drawn, np.int64).reshape(-1, 2), names


def draw_number(key: str) -> int:
    """The step of the counter that a key's value is drawn by: 32 bits of SHA-256 of its name. So no key of a later version,
    and no other order of the keys, moves the draws of another.
    """
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")


def _fed(study: StudyModel) -> list[tuple[str, str, Scalar]]:
    """(parameter, dotted key, value) of all that this study sets."""
    return [
        (parameter.name, f"{place}.{key}", value)
        for place, section in sections_of(study)
        for key, parameter, value in keys_of(section)
        if value is not None
    ]
