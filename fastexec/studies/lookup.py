"""A part of the schema: a section, a key, a model, a table or a column of the results."""

from __future__ import annotations

import re

from fastexec.errors import InputError
from fastexec.wording import did_you_mean

_HEAD = re.compile(r"\[+([\w.]+)\]+(\s|$)")
_KEY = re.compile(r"(\w+) = ")


def explained(name: str, study: str, columns: str) -> str:
    """What ``name`` is: ``study`` the schema of the study file, ``columns`` the data dictionary in Markdown.

    Raises InputError with the nearest name where nothing is called so.
    """
    sections, tables = _sections(study), _tables(columns)
    wanted = name.strip("[]")
    found = [text for place, text in sections if place == wanted or place.startswith(f"{wanted}.")]
    found += [text for place, text in sections if f'model = "{wanted}"' in text.splitlines()]
    found += [
        _key_of(text, key) for place, text in sections for key in _keys(text) if wanted in (key, f"{place}.{key}")
    ]
    found += [text for table, text in tables if table == wanted]
    found += [
        f"### {table}\n{row}" for table, text in tables for row in text.splitlines() if row.startswith(f"| {wanted} |")
    ]
    if found:
        return "\n\n".join(dict.fromkeys(found))
    known = [place for place, _ in sections if place]
    known += [key for _, text in sections for key in _keys(text)]
    known += [f"{place}.{key}" for place, text in sections for key in _keys(text) if place]
    known += [match[1] for _, text in sections if (match := re.search(r'^model = "(\w+)"$', text, re.MULTILINE))]
    known += [table for table, _ in tables] + re.findall(r"^\| (\w+) \|", columns, re.MULTILINE)
    hint = did_you_mean(name, known, "sections are")
    raise InputError(f"schema {name}: no section, key, model or column is called so; {hint}")


def _sections(study: str) -> list[tuple[str, str]]:
    """(dotted place, text) of each section, the keys above all sections under an empty place."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line in study.splitlines():
        head = _HEAD.match(line)
        if head is not None:
            found.append((head[1], [line]))
        elif not (found[-1][0] == "" and line.startswith("#")):
            found[-1][1].append(line)
    return [(place, "\n".join(lines).strip()) for place, lines in found]


def _keys(section: str) -> list[str]:
    return [match[1] for line in section.splitlines() if (match := _KEY.match(line)) and match[1] != "model"]


def _key_of(section: str, key: str) -> str:
    """The lines of one key, below the head and the model of its section."""
    first = [line for line in section.splitlines() if _HEAD.match(line) or line.startswith("model = ")]
    return "\n".join([*first, *(line for line in section.splitlines() if (m := _KEY.match(line)) and m[1] == key)])


def _tables(columns: str) -> list[tuple[str, str]]:
    parts = re.split(r"^### ", columns, flags=re.MULTILINE)[1:]
    return [(part.splitlines()[0], f"### {part.strip()}") for part in parts]
