"""What is doubtful about the scenarios of a study, as it stands in the summary's footer and is said once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)
_NAMED, _MOST_LINES = 3, 12  # scenarios by name behind a line; lines of a sweep


def signed(warnings: Mapping[str | None, Sequence[str]]) -> dict[str, list[str]]:
    """As a footer holds them: by scenario, "" where the study is the only one, without those that have none."""
    return {name or "": list(lines) for name, lines in warnings.items() if lines}


def of_scenario(footer: Mapping[str, Any], scenario: str | None) -> list[str]:
    """Those of a scenario, by the summary's footer."""
    return list(footer.get("warnings", {}).get(scenario or "", []))


def lines_of(warnings: Mapping[str | None, Sequence[str]]) -> list[str]:
    """Each line once, behind the names of its scenarios where it is not said of every one, and not more than a few."""
    found = [text if not names else f"{names}: {text}" for text, names in said_once(warnings)]
    more = len(found) - _MOST_LINES
    return found if more <= 0 else [*found[:_MOST_LINES], f"{more} more; `fastexec check STUDY` says them"]


def said_once(found: Mapping[str | None, Sequence[T]]) -> list[tuple[T, str]]:
    """Each thing that is said of scenarios, with the names of these; "" where it is said of every one."""
    names: dict[T, list[str]] = {}
    for scenario, said in found.items():
        for each in dict.fromkeys(said):
            names.setdefault(each, []).append(scenario or "")
    return [(each, "" if len(own) == len(found) else _few(own)) for each, own in names.items()]


def _few(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
