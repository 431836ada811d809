"""The fenced blocks of a Markdown page, run as a reader would: files written, commands typed, programs started.

A block of TOML or Python whose paragraph before it ends in a colon and names a file (`mine.toml`) is written there; other
Python is run, other TOML must be valid. In a console block ``$ `` begins a command and what follows is its output, compared
where it is shown, line by line: ``...`` stands for any text, alone in a line for any lines.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastexec import Study

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w.]+\.(?:py|toml))`")
LANGUAGES = {"toml", "python", "console", "text"}


@dataclass(frozen=True)
class Step:
    """A file ``what`` is written with ``content``, or ``words`` are run, to say ``shown`` if that is not empty."""

    what: str
    content: str | None = None
    words: tuple[str, ...] = ()
    shown: str = ""


def blocks(text: str) -> Iterator[tuple[str, str, str | None]]:
    """(language, content, the file that the sentence before it names, if any), in order."""
    for found in FENCE.finditer(text):
        before = text[: found.start()].rstrip().rpartition("\n\n")[2]
        names = FILE.findall(before)
        yield found[1], found[2], names[-1] if names and before.endswith(":") else None


def steps(text: str) -> Iterator[Step]:
    """What a page has done, in order."""
    for language, content, name in blocks(text):
        assert language in LANGUAGES, language
        if name is not None:
            yield Step(name, content)
        elif language == "toml":
            yield Step(content, words=(sys.executable, "-c", VALID, content))
        elif language == "python":
            yield Step("block.py", content)  # a file: what is defined in it has its text at hand
            yield Step(content, words=(sys.executable, "block.py"))
        elif language == "console":
            yield from _commands(content)


#: A part of a study is valid where a study with it is.
VALID = """
import sys, fastexec
text = sys.argv[1]
fastexec.Study.from_toml(text if "[[strategies]]" in text else text + '\\n[[strategies]]\\nmodel = "twap"\\n')
"""


def _commands(content: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        command = shlex.split(line, comments=True)
        assert command[0] == "fastexec", line
        yield Step(line, words=(sys.executable, "-m", *command), shown=shown)


def take(step: Step, place: Path) -> str:
    """Do a step in a folder; what it said. AssertionError where it fails, or says something else than the page."""
    if step.content is not None:
        (place / step.what).write_text(step.content, "utf-8")
        if step.what.endswith(".toml"):
            Study.load(place / step.what)  # InputError where it is none
        return ""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    ended = subprocess.run(step.words, cwd=place, env=environment, text=True, capture_output=True, check=False)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, f"{step.what}\n{said}"
    if step.shown:
        assert agrees(step.shown, ended.stdout), f"{step.what} says\n{ended.stdout}\nand not\n{step.shown}"
    return said


def agrees(shown: str, said: str) -> bool:
    """Whether an output is the one that is shown; any spaces are as good as one."""

    def squeezed(text: str) -> list[str]:
        return [" ".join(line.split()) for line in text.strip().splitlines()]

    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line == "..." else re.escape(line).replace(re.escape("..."), "[^\n]*") + "\n"
        for line in squeezed(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in squeezed(said))) is not None
