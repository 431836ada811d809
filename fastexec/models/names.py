"""Names that people give to studies, strategies, agents, scenarios. They name files and folders, and are never a path."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

LONGEST = 64
#: What a name is made of, as part of a regular expression.
CHARACTERS = "[A-Za-z0-9._-]"
RULE = f"letters, digits and . _ -, at most {LONGEST}, not beginning with a dot"
_NAME = re.compile(rf"(?!\.){CHARACTERS}{{1,{LONGEST}}}")
_LONGEST_SHOWN = 80


def is_name(text: Any) -> bool:
    """Whether a text may be a name."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None  # `$` would let a line break follow


def shown(text: Any) -> str:
    """A text that somebody else wrote, fit for a line of an error: as it is, or quoted with what cannot be printed escaped."""
    plain = isinstance(text, str) and text.isprintable() and len(text) <= _LONGEST_SHOWN
    return str(text) if plain else quoted(text)


def quoted(value: Any) -> str:
    """A value as Python writes it, cut where it is long."""
    written = repr(value)
    return written if len(written) <= _LONGEST_SHOWN else f"{written[: _LONGEST_SHOWN - 3]}..."


def owner(name: str) -> int:
    """24 bits of SHA-256 of the name of a strategy or a signal: its own part of the stream."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big")


def alike(names: list[str]) -> tuple[str, str] | None:
    """Two names that differ by case only, which some systems take for one file; None where there are none."""
    known: dict[str, str] = {}
    for name in names:
        if (other := known.setdefault(name.casefold(), name)) != name:
            return other, name
    return None


def _require_name(text: str) -> str:
    if not is_name(text):
        raise PydanticCustomError(
            "name", "must be a name of {rule}, not {given}", {"rule": RULE, "given": quoted(text)}
        )
    return text


Name = Annotated[str, AfterValidator(_require_name)]
