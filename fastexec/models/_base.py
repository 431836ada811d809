"""What all descriptions share: frozen, strict, no unknown keys, no NaN or infinity; and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from fastexec.models.declarations import OFF, MarkovLaw, Setting
from fastexec.wording import did_you_mean


class Model(BaseModel):
    """A part of a study. An unknown key is refused with the nearest known one.

    What the kernels and ``check`` are told of a part stands in methods of it. Those of this class say nothing; what a part
    ``declares`` has no default.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    #: Of a key, the keys of the section whose defaults depend on it; all of them on the ``model``.
    FOLLOWS: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    #: Whether there may be several of it, by name, in a list of sections that each study walks.
    LISTED: ClassVar[bool] = False

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

    def defaulting(self, defaults: Mapping[str, Any]) -> Self:
        """Itself, with those values where none was set; they count as not set, so that they can follow another key."""
        self.__dict__.update({key: value for key, value in defaults.items() if key not in self.model_fields_set})
        return self

    def following(self, key: str) -> list[str]:
        """The keys that were not set and may have another default, or none, where ``key`` is another."""
        names = type(self).model_fields if key == "model" else self.FOLLOWS.get(key, ())
        return [name for name in names if name != key and name not in self.model_fields_set]

    def switches(self) -> Mapping[str, int | str]:
        """The kernels' switches that it sets: a number, or the name of one; see ``planning.names``."""
        return {}

    def curves(self, steps: int) -> Mapping[str, np.ndarray]:
        """The kernels' curves that it gives, by name, float64[t]."""
        return {}

    def tables(self) -> Mapping[str, Sequence[float]]:
        """The rows of numbers that it gives the kernels, by name; see ``kernels.fields``."""
        return {}

    def chain(self) -> tuple[str, MarkovLaw] | None:
        """The place of its chain among the kernels', by name, and the chain; None where it has none."""
        return None

    def doubts(self, setting: Setting) -> list[str]:
        """What ``check`` says of its values."""
        return []

    def parts(self) -> Iterable[str]:
        """The parts of the cost that a study has for its sake; see ``models.costs.PARTS``."""
        return ()

    def unwritten(self) -> tuple[str, ...]:
        """Keys that mean nothing beside the others, and are not written."""
        return ()

    @property
    def is_off(self) -> bool:
        """Whether a study with it is the same as one without; all of its keys at their defaults are not enough for that."""
        return False


def plain(value: Any) -> Any:
    """Nested keys and values with Python's own numbers for NumPy's, and lists for its arrays."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value


def unknown_key(key: object, known: Iterable[str]) -> str:
    """What to say of a key that is none of the known ones."""
    return f"unknown key; {did_you_mean(key, known, 'known are')}"


def default_model(name: str) -> BeforeValidator:
    """A section that names no model has this one."""
    return BeforeValidator(lambda data: {"model": name, **data} if isinstance(data, dict) else data)


def written(section: BaseModel) -> dict[str, Any]:
    """Nested keys and values, lists for tuples, without what is off: it is read back as an equal section.

    A key is left out where it has its default and that means that there is nothing: none, 0, false, empty, marked ``OFF``, or
    a section that is off or of which nothing is left. So a key that comes later, off by default, changes no text.
    """
    found, unwritten = {}, section.unwritten() if isinstance(section, Model) else ()
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        plain = _plain(value)
        if name not in unwritten and not _left_out(field, value, plain):
            found[name] = plain
    return found | dict(section.__pydantic_extra__ or {})


def _left_out(field: FieldInfo, value: Any, plain: Any) -> bool:
    if value is None:
        return True
    if field.is_required() or value != field.get_default(call_default_factory=True):
        return False
    return OFF in field.metadata or not plain or (isinstance(value, Model) and value.is_off)


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return written(value)
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
