"""One table of the kernels' stages: of each its naive twin, what both are tried on, how close they must be, and a property.

``tests/test_stages.py`` runs it. A stage without a row stands in ``WITHOUT`` until it gets one.
"""

from __future__ import annotations

from rows import (
    acting,
    batched,
    books,
    decide,
    environments,
    execute,
    follow_signal,
    gathered,
    given,
    halts,
    jumps,
    learners,
    learning,
    ledger,
    market,
    noise,
    numbers,
    orders,
    parameters,
    parts,
    program,
    programmes,
    recorded,
    regimes,
    rest,
    schedules,
    signals,
    squares,
    states,
    summaries,
    timing,
    variance,
    walk,
)
from trials import Lanes, Plain

PARTS = (
    numbers,
    parameters,
    market,
    jumps,
    variance,
    regimes,
    halts,
    noise,
    signals,
    given,
    recorded,
    decide,
    follow_signal,
    orders,
    execute,
    parts,
    ledger,
    timing,
    books,
    rest,
    states,
    acting,
    walk,
    learners,
    environments,
    gathered,
    batched,
    learning,
    program,
    programmes,
    squares,
    schedules,
    summaries,
)
ROWS: tuple[Lanes | Plain, ...] = tuple(row for part in PARTS for row in part.ROWS)
#: Stages that still lack a row.
WITHOUT = ""
