"""How much of what an agent met lies outside what its training saw: there its table says nothing, or means something else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

#: Share of the states met, above which it is said.
MUCH = 0.01


def unseen_share(tallies: np.ndarray) -> np.ndarray:
    """Unseen of the states met, float64[k], from ``studies.moments.TALLIES``; NaN where no agent met any."""
    _, met, unseen = tallies
    return np.where(met > 0, unseen / np.maximum(met, 1), np.nan)


def unseen_notes(shares: Iterable[tuple[str, float | None]]) -> list[str]:
    """A line for each agent whose share is more than ``MUCH``; ``shares``: names and shares."""
    return [
        f"{name}: {100.0 * share:.1f} % of the states that it met lie outside what its training saw (a state never visited, or "
        "a feature beyond the values met); train it on this market"
        for name, share in shares
        if share is not None and share > MUCH
    ]
