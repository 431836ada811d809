"""Names of signals, of models or of columns: which are free, and whether those of one market can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import PydanticCustomError

from fastexec.kernels.own_rows import MOST_SIGNALS
from fastexec.models.features import FEATURES
from fastexec.models.names import alike

#: Columns of the steps that a signal's column cannot be taken for.
_TAKEN = ("episode", "strategy", "step", "mid", "shares", "price", "remaining", "own_impact", *FEATURES)


def require_free(name: str) -> None:
    """An error of validation where a signal has the name of something else."""
    if name in _TAKEN:
        raise signal_error("name", f"{name!r} is a feature or a column already; give it another")


def misfit_of_names(names: Sequence[str]) -> str | None:
    """What is wrong with the names of a market's signals, behind `market.signals`; None where nothing is."""
    if len(names) > MOST_SIGNALS:
        return f": there are {len(names)}; at most {MOST_SIGNALS}"
    if (same := alike(list(names))) is not None or len(set(names)) < len(names):
        twice = f"{same[0]!r} and {same[1]!r}" if same else repr(next(name for name in names if names.count(name) > 1))
        return f": {twice} are names of two; give each its own"
    return None


def signal_error(key: str, text: str) -> PydanticCustomError:
    """An error of validation of a signal's key."""
    return PydanticCustomError("signal", "{text}", {"text": f"{key}: {text}"})
