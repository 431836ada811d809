"""The handbook that ships with the package: a Markdown file a topic."""

from __future__ import annotations

from importlib.resources import files

from fastexec.errors import InputError
from fastexec.wording import did_you_mean

_FOLDER = files("fastexec").joinpath("guide")


def topics() -> list[tuple[str, str]]:
    """(topic, what it is about) of each, by name; the second is the heading of its file."""
    found = [entry for entry in _FOLDER.iterdir() if entry.name.endswith(".md")]
    return sorted((entry.name[:-3], entry.read_text("utf-8").splitlines()[0].lstrip("# ")) for entry in found)


def topic_text(topic: str) -> str:
    """The Markdown of a topic; InputError with the nearest one where there is none."""
    names = [name for name, _ in topics()]
    if topic not in names:
        raise InputError(f"guide {topic}: no such topic; {did_you_mean(topic, names, 'topics are')}")
    return _FOLDER.joinpath(f"{topic}.md").read_text("utf-8")
