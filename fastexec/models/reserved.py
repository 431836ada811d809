"""Names that a later version gives a meaning to: refused now, so that no study of today comes to mean something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from fastexec.models.names import shown

MODELS = ("peg", "submit_and_leave", "posting", "replanned")
KEYS = ("placement", "wait_steps", "venue", "guards", "jitter", "curve")
WHY = "is reserved for a later version"


def refuse_reserved(strategy: Mapping[str, Any]) -> None:
    """PydanticCustomError where the nested keys of a strategy have a model or a key that is reserved."""
    model = strategy.get("model")
    place = f"strategies.{shown(strategy.get('name', model))}"
    if model in MODELS:
        raise _error(f"{place}.model: {model!r} {WHY}; choose one of `fastexec schema`, or another name for your own")
    for key in KEYS:
        if key in strategy:
            raise _error(f"{place}.{key}: {WHY}; leave it out, or give the parameter of your own strategy another name")


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("study", "{text}", {"text": text})
