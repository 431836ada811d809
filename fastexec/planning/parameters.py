"""Which key of a study feeds which parameter of the kernels, and with what range."""

from __future__ import annotations

import numpy as np

from fastexec.kernels.fields import PARAMETERS
from fastexec.models.scalar import Range, Scalar
from fastexec.models.study import StudyModel
from fastexec.models.tree import keys_of, sections_of
from fastexec.planning.names import rank, slot


def ranges(study: StudyModel) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """``ranges`` float64[slot, (low, high, log)], ``drawn`` int64: the slots with a range, and their keys."""
    table = np.zeros((len(PARAMETERS), 3))
    drawn, names = [], []
    for parameter, key, value in _fed(study):
        j = slot(parameter)
        if isinstance(value, Range):
            table[j] = value.low, value.high, value.scale == "log"
            drawn.append(j)
            names.append(key)
        else:
            table[j, :2] = value
    return table, np.array(drawn, np.int64), names


def _fed(study: StudyModel) -> list[tuple[str, str, Scalar]]:
    """(parameter, dotted key, value) of all that this study sets, in the order of the columns of what is drawn."""
    found = [
        (parameter.name, f"{place}.{key}", value)
        for place, section in sections_of(study)
        for key, parameter, value in keys_of(section)
        if value is not None
    ]
    return sorted(found, key=lambda one: rank(one[0]))
