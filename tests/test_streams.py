"""Standard output and error that are closed, full or left by their reader: results, silence or one line, never a complaint."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys

import pytest

from commands import typed
from conftest import ROOT
from fastexec import printing
from test_cli import STUDY
from test_terminal import CODES, in_terminal

pytestmark = pytest.mark.processes

SWEEP = '\n[sweep]\n"order.shares" = [{}]\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streams")
    (folder / "tiny.toml").write_text(STUDY)
    (folder / "swept.toml").write_text(STUDY + SWEEP.format(", ".join(str(600 + 6 * j) for j in range(40))))
    assert typed("run", "tiny.toml", "--out", "r", "--quiet", cwd=folder)[0] == 0
    return folder


#: Python's streams as they are for everybody: what a buffer still holds is written when the process ends.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def shell(place, line):
    """A line of shell in which F is the command: (status, standard output, standard error)."""
    command = f"{shlex.quote(sys.executable)} -m fastexec"
    ended = subprocess.run(
        ["bash", "-c", f'F() {{ {command} "$@"; }}\n{line}'], cwd=place, capture_output=True, text=True, timeout=120,
        env={**BUFFERED, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("line", [
    "F compare r >&-", "F compare r >&- 2>&-", "F --help >&-", "F schema >&- 2>&- <&-", "F report r --out page.html >&-",
    "F replay r --episode 1 --format parquet >&-", "F replay r --episode 1 --format csv >&-",
])  # fmt: skip
def test_a_closed_standard_output_is_silence(place, line):
    assert shell(place, line) == (0, "", "")


def test_a_closed_standard_error_takes_nothing_from_the_output(place):
    assert shell(place, "F compare r 2>&-") == shell(place, "F compare r")
    assert shell(place, "F compare nowhere 2>&-") == (2, "", "")
    assert shell(place, "F compare nowhere >&-")[::2] == (2, "fastexec: nowhere: holds no results (no study.toml); give the "
                                                          "folder of a run\n")  # fmt: skip


def test_a_file_that_is_written_does_not_become_the_closed_output(place):
    """The next file that a process opens takes a closed descriptor's place, and what is printed would go into it."""
    assert shell(place, "F run tiny.toml --out closed >&- 2>&- <&-") == (0, "", "")
    assert shell(place, "F verify closed --sample 1")[0] == 0
    assert (place / "closed" / "summary.parquet").read_bytes() == (place / "r" / "summary.parquet").read_bytes()


@pytest.mark.parametrize("line", ["F compare r", "F schema", "F replay r --episode 1 --format parquet", "F status r"])
def test_a_full_disk_and_a_reader_that_leaves(place, line):
    status, _, error = shell(place, f"{line} > /dev/full")
    assert (status, error) == (1, "fastexec: standard output: cannot be written (No space left on device)\n")
    assert shell(place, f"{line} | true; exit ${{PIPESTATUS[0]}}") == (0, "", "")
    assert shell(place, f"{line} 2>/dev/full >/dev/null") == (0, "", "")


def test_help_on_a_full_disk_is_one_line(place):
    status, _, error = shell(place, "F --help > /dev/full")
    assert status == 1
    assert re.fullmatch(r"fastexec: .*No space left on device\n", error)


def test_whoever_listened_to_progress_may_leave(place):
    """A run goes on where nobody hears any more how far it is, and its results are told on standard output."""
    code = "import fastexec.cli.terminal as t; t._LINE_EVERY = 0.0; from fastexec.cli.main import main; main()"
    command = [sys.executable, "-c", code, "run", "tiny.toml", "--chunk", "30", "--out", "left"]
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        command, cwd=place, stdout=subprocess.PIPE, stderr=writing, text=True, timeout=120,
        env={**BUFFERED, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(writing)
    assert ended.returncode == 0
    assert "saving against twap" in ended.stdout


def test_a_sweep_that_is_checked_tells_how_far_it_is_in_a_terminal_only(place):
    text = CODES.sub("", in_terminal(100, "check", "swept.toml", cwd=place))
    assert re.search(r"preparing and timing scenario [1-4] of 4", text)
    status, _, error = shell(place, "F check swept.toml")
    assert (status, error) == (0, "")


def test_verify_names_options_that_there_are(place):
    """What --resume belongs to is `run`; the command is there to be copied."""
    assert shell(place, "F run tiny.toml --out 'a b' --quiet")[0] == 0
    part = next((place / "a b" / "episodes").iterdir())
    part.write_bytes(part.read_bytes()[:100])
    status, _, error = shell(place, "F verify 'a b'")
    assert status == 1
    command = re.search("`(fastexec .*)`", error)[1]
    assert command == "fastexec run 'a b/study.toml' --out 'a b' --resume"
    assert shell(place, command.replace("fastexec", "F", 1))[0] == 0
    assert shell(place, "F verify 'a b'")[0] == 0


def test_what_is_said_last_shows_the_cursor_of_a_terminal_again(monkeypatch):
    """A bar hides the cursor, and a process that ends at once would leave it so."""
    reading, writing = pty.openpty()
    kept = os.dup(2)
    os.dup2(writing, 2)
    try:
        for terminal, shown in (("xterm", b"\r\x1b[K\x1b[?25h"), ("dumb", b"")):
            monkeypatch.setenv("TERM", terminal)
            printing.tell_at_once("fastexec: \x1b[2J")
            assert os.read(reading, 100) == shown + b"fastexec: \\x1b[2J\r\n"
    finally:
        os.dup2(kept, 2)
        for handle in (kept, reading, writing):
            os.close(handle)
