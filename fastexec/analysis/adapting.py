"""What adapting is worth to an agent: what it saves against the best static schedule. Its blind twin is a control beside it."""

from __future__ import annotations

from collections.abc import Callable

from fastexec.models.study import StudyModel
from fastexec.planning.schedules import minimum_is_proven

NOT_MEASURED = "not measured, for want of a static_optimum with risk_aversion = 0"


def worth_of_adapting(study: StudyModel, agent: str, told: Callable[[str], str]) -> str:
    """In words; ``told``: what the agent saves against a strategy, by name, with its interval."""
    best = "the best static schedule" if minimum_is_proven(study) else "the best static schedule found"
    worth = [f"{told(s.name)} against {s.name}, {best}" for s in study.strategies if s.minimises_with() == 0.0]
    twins = [f"{told(s.name)} against {s.name}" for s in study.strategies if s.plays_mean_of() == agent]
    control = f"; a control, its own mean schedule played blind: {'; '.join(twins)}" if twins else ""
    return ("; ".join(worth) or NOT_MEASURED) + control
