"""What all descriptions share: frozen, strict, no unknown keys, no NaN or infinity."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """A part of a study. An unknown key is refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key", "{hint}", {"key": key, "hint": unknown_key(key, cls.model_fields)}
                    )
        return data


def unknown_key(key: object, known: Iterable[str]) -> str:
    """What to say of a key that is none of the known ones."""
    names = list(known)
    near = get_close_matches(str(key), names, 1)
    return f"unknown key; did you mean {near[0]!r}?" if near else f"unknown key; known are {', '.join(names)}"


def default_model(name: str) -> BeforeValidator:
    """A section that names no model has this one."""
    return BeforeValidator(lambda data: {"model": name, **data} if isinstance(data, dict) else data)
