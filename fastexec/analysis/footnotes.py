"""Footnotes of the tables: a sign stands at each cell that its note speaks of, on the console and in the report alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fastexec.models.strategies import BUILT_IN, strategy_class
from fastexec.statistics.unseen import MUCH, unseen_notes
from fastexec.studies.study import Study

if TYPE_CHECKING:
    import pyarrow as pa

CONTROLS = tuple(model for model in BUILT_IN if strategy_class(model).is_control)
#: Share of one episode in the sum of squares; above it the mean is not near a normal (about n < 25 skewness^2, Cochran).
_HEAVY = 0.2
#: What became of what was not traded, where it did not cost what trading it does.
_RESTS = {"leave": "was left", "quote": "was marked at the last quote, without the cost of its size"}
_Row = Mapping[str, Any]  # of a summary


class Footnote(NamedTuple):
    """``column``: of the tables ("strategy", "cost", "done") whose cell has the ``sign``; ``concerns``: whether a summary's row
    is spoken of; ``lines``: the notes, of the study and of the rows that are.
    """

    sign: str
    column: str
    concerns: Callable[[_Row], bool]
    lines: Callable[[Study, Sequence[_Row]], list[str]]


def _unfinished(row: _Row) -> bool:
    return bool(row["completion"] < 0.9995 or row["unfinished"])


def _heavy(row: _Row) -> bool:
    """Whether one episode makes too much of the spread."""
    if row["shortfall_sd_bps"] is None or not row["shortfall_sd_bps"] or row["episodes"] <= 5:
        return False
    low, mean, high = (row[f"shortfall_{name}_bps"] for name in ("minimum", "mean", "maximum"))
    furthest = max(high - mean, mean - low)
    return bool(furthest**2 > _HEAVY * row["shortfall_sd_bps"] ** 2 * (row["episodes"] - 1))


def _names(rows: Sequence[_Row]) -> str:
    return ", ".join(sorted({row["strategy"] for row in rows}))


FOOTNOTES = (
    Footnote(
        "*", "done", _unfinished,
        lambda study, rows: [
            "did not finish by itself in every episode; the rest "
            f"{_RESTS.get(study.order.rest, 'was completed or marked at the end, at a cost')}: {_names(rows)}"
        ],
    ),
    Footnote(
        "°", "strategy", lambda row: row["unseen"] is not None and row["unseen"] > MUCH,
        lambda study, rows: unseen_notes((row["strategy"], row["unseen"]) for row in rows),
    ),
    Footnote(
        "+", "strategy", lambda row: row["model"] in CONTROLS,
        lambda study, rows: ["control: an adaptive policy must beat these, not only TWAP"],
    ),
    Footnote(
        "~", "cost", _heavy,
        lambda study, rows: [
            f"heavy tails: one episode makes over {100.0 * _HEAVY:.0f} % of the spread of {_names(rows)}, so intervals may be "
            "too narrow"
        ],
    ),
)  # fmt: skip


def sign_at(column: str, row: _Row) -> str:
    """The signs that stand at a cell of the row of a summary."""
    return "".join(note.sign for note in FOOTNOTES if note.column == column and note.concerns(row))


def footnotes(study: Study, summaries: Sequence[pa.Table]) -> list[str]:
    """The notes whose sign stands somewhere in the tables of these summaries, each with its sign."""
    rows = [row for summary in summaries for row in summary.select(_COLUMNS).to_pylist()]
    found = []
    for note in FOOTNOTES:
        concerned = [row for row in rows if note.concerns(row)]
        found += [f"{note.sign} {line}" for line in (note.lines(study, concerned) if concerned else [])]
    return found


_COLUMNS = [
    "strategy", "model", "episodes", "completion", "unfinished", "unseen",
    *(f"shortfall_{name}_bps" for name in ("mean", "sd", "minimum", "maximum")),
]  # fmt: skip
