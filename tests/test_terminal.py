"""What the command line prints: whole numbers at 60 columns, plain words in a pipe, no saving without its interval."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from commands import typed
from conftest import ROOT
from fastexec.cli.following import bar
from fastexec.cli.main import main
from fastexec.runs.progress import Progress
from test_cli import STUDY

pytestmark = pytest.mark.processes

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|9[0-7]|38|4[0-7]|48)\b[0-9;]*m")
BOXES = re.compile("[\u2500-\u257f]")
AGENT = """
[[strategies]]
name = "agent"
model = "qtable"
train = "agent"
[train.agent]
rounds = 1
batch = 512
features = [{ name = "inventory", bins = 7 }, { name = "spread", bins = 3 }]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "tiny.toml").write_text(STUDY + AGENT)
    assert typed("run", "tiny.toml", "--quiet", cwd=folder)[0] == 0
    return folder


@pytest.fixture
def piped(place, monkeypatch, capsys):
    """Run the command in this process, its output captured: (status, what it wrote)."""

    def run(*words):
        monkeypatch.chdir(place)
        monkeypatch.delenv("COLUMNS", raising=False)
        monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest keeps its own handler of Ctrl-C
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, words)))
        out, error = capsys.readouterr()
        assert error == ""
        return ended.value.code, out

    return run


def in_terminal(columns, *words, cwd, **environment):
    """What the command writes to a terminal of so many columns."""
    main, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "fastexec", *map(str, words)], cwd=cwd, stdin=end, stdout=end, stderr=end,
        env={**kept, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    os.close(end)
    written = b""
    while True:
        try:
            got = os.read(main, 65_536)
        except OSError:  # the other end is closed: so says Linux that nobody will write any more
            break
        if not got:
            break
        written += got
    os.close(main)
    assert process.wait(timeout=60) == 0
    return written.decode().replace("\r\n", "\n")


VERBS = [
    [],
    ["--help"],
    ["presets"],
    ["info"],
    ["compare", "results/tiny"],
    ["show", "results/tiny/agents/agent.parquet"],
    ["replay", "results/tiny", "--episode", 3],
    ["check", "tiny.toml"],
]


@pytest.mark.parametrize("columns", [60, 80])
def test_no_number_is_cut_and_no_table_broken(place, columns):
    for words in VERBS[:1] + VERBS[4:]:
        text = CODES.sub("", in_terminal(columns, *words, cwd=place))
        tables = [line for line in text.splitlines() if "=" not in line and "kernel cache" not in line]
        assert "…" not in text, (words, text)
        assert max(map(len, tables)) <= columns, (words, text)


@pytest.mark.parametrize("words", VERBS, ids=lambda words: " ".join(map(str, words)))
def test_a_pipe_gets_plain_words(piped, words):
    status, text = piped(*words)
    assert status == 0
    assert not CODES.search(text)
    assert not BOXES.search(text)
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)


def test_a_pipe_of_a_table_has_a_row_a_line(piped):
    lines = piped("replay", "results/tiny", "--episode", 3, "--strategy", "twap")[1].splitlines()
    assert lines[0] == "episode 3, twap"
    assert [len(line.split()) for line in lines[3:]] == [8] * 6
    assert sum(float(line.split()[4].replace(",", "")) for line in lines[3:]) == 600.0


def test_no_color_and_a_dumb_terminal_are_respected(place):
    assert not COLOURS.search(in_terminal(80, "run", "tiny.toml", "--out", "a", cwd=place, NO_COLOR="1"))
    assert not CODES.search(in_terminal(80, "run", "tiny.toml", "--out", "b", cwd=place, TERM="dumb"))


def test_a_saving_stands_with_its_interval_or_not_at_all(piped):
    table = piped("compare", "results/tiny")[1].split("\n*")[0]
    savings = re.findall(r"[+-]\d+\.\d+ \[[+-]\d+\.\d+, [+-]\d+\.\d+\]", table)
    assert len(savings) == 4  # plain and with the control variate, of two strategies
    assert len(re.findall(r"[+-]\d+\.\d+", table)) == 3 * len(savings)
    assert piped("run", "tiny.toml", "--episodes", 1, "--out", "one", "--quiet")[0] == 0
    table = piped("compare", "one")[1].split("\n*")[0]
    assert "no interval" in table
    assert not re.findall(r"[+]\d+\.\d+", table)


def test_first_steps_are_five_commands_and_where_the_rest_is(piped):
    text = piped()[1]
    assert re.findall(r"^ *fastexec (\w+)", text, re.MULTILINE) == ["presets", "check", "run", "compare", "report"]
    assert "fastexec --help" in text
    assert "_FASTEXEC_COMPLETE=bash_source fastexec" in piped("--help")[1]


def test_completion_completes(place):
    ended = subprocess.run(
        [sys.executable, "-m", "fastexec"], cwd=place, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "_FASTEXEC_COMPLETE": "bash_complete", "COMP_WORDS": "fastexec re",
             "COMP_CWORD": "1"},
    )  # fmt: skip
    assert [line.partition(",")[2] for line in ended.stdout.splitlines()] == ["replay", "report"]


PROGRESS = [
    Progress(done, total, 0, steps, seconds, failures)
    for done, total in ((0, 1), (1, 1), (12_345, 20_000), (123_456_789, 1_000_000_000))
    for steps, seconds in ((60, 0.0), (60, 0.01), (390, 86_400.0))
    for failures in (0, 1, 12)
]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_progress_is_never_cut(width):
    """What there is no room for is left out whole: rates first, then the time left; at 80 columns all of it stands."""
    for now in PROGRESS:
        text = bar(now, width)
        assert len(text) < width, text
        assert not re.search(r"\b1 (episodes|chunks)\b", text)
        if width >= 60:
            assert f"{now.done:,} of {now.total:,} episode" in text
            assert "tried again" in text or not now.failures or width < 80
        if width >= 80 and now.left is not None and now.total < 1e6 and not now.failures:
            assert text.endswith(" left")


def test_the_bar_grows_with_what_is_done():
    full = [bar(Progress(done, 100, 0, 60, 1.0, 0), 80, ascii_only=True).count("#") for done in range(0, 101, 10)]
    assert full == sorted(full)
    assert full[0] == 0
    assert "-" not in bar(Progress(100, 100, 0, 60, 1.0, 0), 80, ascii_only=True)


@pytest.mark.parametrize("columns", [60, 80])
def test_progress_in_a_terminal_has_no_ellipsis(place, columns):
    text = CODES.sub(
        "", in_terminal(columns, "run", "tiny.toml", "--out", f"p{columns}", "--episodes", 6000, cwd=place)
    )
    lines = [line for part in text.split("\n") for line in part.split("\r") if " of 6,000 episodes" in line]
    assert lines
    assert all("…" not in line and len(line) < columns for line in lines), lines
