"""Words that every message shares: counts with their noun, and the known name nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_MOST_NAMED = 12


def counted(count: int, noun: str, plural: str = "") -> str:
    """``1 episode``, ``1,234 episodes``, ``2 days``, ``3 strategies``; ``plural``: where it is made in another way."""
    usual = f"{noun[:-1]}ies" if noun.endswith(("gy", "dy", "ry", "ty")) else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural or usual}"


def these(count: int, noun: str) -> str:
    """``these 5 days``, of one ``this day``."""
    return f"this {noun}" if count == 1 else f"these {counted(count, noun)}"


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was probably meant to be: the fewest letters to add, drop, change or swap, at most a third
    of the longer name and at least one; else the shortest that begins with it. Capitals, hyphens and underscores are alike.
    """
    own, names = _plain(str(name)), list(known)
    ranked = sorted(((edits(own, _plain(other)), other) for other in names), key=lambda pair: pair[0])
    for distance, other in ranked[:1]:
        longer = max(len(own), len(other))
        if distance <= max(longer // 3, 1) and distance < longer:
            return other
    begun = [other for other in names if len(own) > 1 and _plain(other).startswith(own)]
    return min(begun, key=len, default=None)


def did_you_mean(name: object, known: Iterable[str], otherwise: str = "there are") -> str:
    """``did you mean 'twap'?``, or where nothing is near ``otherwise`` and the known names."""
    names = list(known)
    near = nearest(name, names)
    return f"did you mean {near!r}?" if near else f"{otherwise} {_few(names)}"


def edits(first: str, second: str) -> int:
    """Letters to add, drop, change or swap with their neighbour (optimal string alignment; Boytsov 2011)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first):
        older, before, row = before, row, [i + 1]
        for j, other in enumerate(second):
            row.append(min(before[j] + (letter != other), before[j + 1] + 1, row[j] + 1))
            if i and j and letter == second[j - 1] and first[i - 1] == other:
                row[-1] = min(row[-1], older[j - 1] + 1)
    return row[-1]


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")


def _few(names: Sequence[str]) -> str:
    told = ", ".join(names[:_MOST_NAMED]) or "none"
    return told if len(names) <= _MOST_NAMED else f"{told}, ... ({len(names)} in all)"
