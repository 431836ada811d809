"""Whatever text a file holds, a terminal shows it and obeys none of it; tables harm no spreadsheet."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
import unicodedata
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from commands import process, typed
from fastexec.cli.console import console_of, console_of_errors
from fastexec.cli.exits import show_warning
from fastexec.cli.main import main
from fastexec.place import Place
from fastexec.printing import harmless
from fastexec.runs import progress
from manifests import listed_anew
from test_architecture import PACKAGE, parse, sources, where
from test_cli import STUDY
from test_terminal import AGENT, CODES, in_terminal

ATTACK = "\x1b]0;pwned\x07\x1b[2J\r\u202eevil\x9b\u2066\n\x00"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SWEEP = '\n[sweep]\n"order.shares" = [600, 1200]\n'
PLUGIN = '''
import fastexec

@fastexec.strategy("mine")
def mine(shares, remaining, mid, spread, last_volume, params, step, steps):
    """Even \\x1b]0;pwned\\x07 slices\\u202e."""
    for i in range(len(shares)):
        shares[i] = remaining[i] / (steps - step)
'''


@given(st.text())
def test_no_character_that_a_terminal_obeys_is_left_and_printable_text_stays(text):
    shown = harmless(text)
    assert not OBEYED.search(shown)
    assert "\n" not in shown
    assert harmless(shown) == shown
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize("text", ["Größe", "価格 100 ¥", "سعر", "מחיר", "मूल्य", "🙂👩‍👩‍👧", "a\\b [red] 'x'", " x "])
def test_printable_text_of_any_language_stays(text):
    assert harmless(text) == text


def test_escapes_say_which_character_it_was():
    assert harmless("\x1b[2J\r\n\t\x7f\x85\u202e\ufeff") == "\\x1b[2J\\r\\n\\t\\x7f\\x85\\u202e\\ufeff"
    assert harmless("r\udcfc\ud800") == "r\\xfc\\ud800"
    assert harmless("a\n\tb\r", kept="\n\t") == "a\n\tb\\r"


def test_every_control_and_direction_of_unicode_is_known():
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in (
            "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI",
        ):  # fmt: skip
            assert harmless(character) != character, hex(number)


def test_everything_printed_goes_through_one_place():
    """Nobody else writes to the standard streams, or makes a console that would show text as it is."""
    raw = re.compile(r"(print|Console|(click\.)?s?echo|click\.echo_via_pager|sys\.(std|__std)\w+(\.\w+)*|os\.write)")
    found = [
        f"{where(path, node)}: {ast.unparse(node)}"
        for path in sources(PACKAGE)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute | ast.Name) and raw.fullmatch(ast.unparse(node))
        if path.name != "printing.py"
    ]
    consoles = [line for line in found if line.endswith(": Console")]
    assert [line for line in found if line not in consoles] == []
    # As the type of an argument only, but for the console whose text is made harmless.
    called = [
        where(path, node)
        for path in sources(PACKAGE)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Console", "rich.console.Console")
    ]
    assert called == []
    made = {path.name for path in sources(PACKAGE) if "(Console)" in path.read_text("utf-8")}
    assert made == {"console.py"}


def rewritten(path, change):
    """A Parquet file whose texts, and whose names in its footers, are others."""
    table = pq.read_table(path)
    for number, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type) or pa.types.is_string(field.type):
            texts = [None if text is None else change(text) for text in table.column(number).to_pylist()]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()).cast(field.type))
    meta = table.schema.metadata or {}
    table = table.replace_schema_metadata({key: changed(value, change) for key, value in meta.items()})
    pq.write_table(table, path)


def changed(value, change):
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return json.dumps(deep(found, change)).encode()


def deep(value, change):
    if isinstance(value, dict):
        return {key: deep(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [deep(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def hostile(text):
    return {"pov10": f"pov10{ATTACK}", "spread": f"spread{ATTACK}", "agent": f"agent{ATTACK}"}.get(text, text)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Results whose files, and names of files, hold what a terminal would obey."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "tiny.toml").write_text(STUDY + AGENT)
    (folder / "own.py").write_text(PLUGIN)
    (folder / "swept.toml").write_text(STUDY + SWEEP)
    assert typed("run", "tiny.toml", "--quiet", "--out", "r", cwd=folder)[0] == 0
    assert typed("run", "swept.toml", "--quiet", "--out", "s", cwd=folder)[0] == 0
    shutil.copytree(folder / "r", folder / "whole")
    for path in [*(folder / "r").rglob("*.parquet"), *(folder / "s").rglob("*.parquet")]:
        if path.name != "manifest.parquet":
            rewritten(path, hostile)
    part = next((folder / "r" / "markets").iterdir())
    table = pq.read_table(part)
    pq.write_table(table.append_column(f"c{ATTACK}", table["market_volume"]), part)
    record = {"done": 1, "total": 300, "found": 0, "steps": 6, "seconds": 1.0, "failures": 0, "written": 1.0}
    record |= {"host": "h", "process": 1}
    (folder / "r" / "progress.json").write_text(json.dumps(record | {"host": ATTACK}))
    shutil.copytree(folder / "r", folder / "running")
    (folder / "running" / "manifest.parquet").unlink()
    listed_anew(folder / "r")
    listed_anew(folder / "s")
    (folder / "named.toml").write_text(STUDY.replace('"pov10"', json.dumps(f"pov{ATTACK}")))
    (folder / "keyed.toml").write_text(f"{json.dumps(ATTACK)} = 1\n{STUDY}")
    (folder / "broken.toml").write_bytes(f"[order\n{ATTACK}".encode())
    name = ATTACK.replace("\x00", "")
    shutil.copytree(folder / "whole", folder / name)
    shutil.copy(folder / "own.py", folder / f"{name}.py")
    (folder / "raises.py").write_text(f"raise ValueError({ATTACK!r})\n")
    (folder / "bars.csv").write_text(f"symbol,date,sec,volume,bid_px_1,{ATTACK.splitlines()[0]}\nX,20240102,1,2,3,4\n")
    return folder


NAME = ATTACK.replace("\x00", "")
WORDS = [
    ["compare", "r"],
    ["compare", "r", "--format", "csv"],
    ["compare", "r", "--format", "json"],
    ["compare", "r", "--format", "markdown"],
    ["compare", "r", "--by", f"c{NAME}"],
    ["compare", "r", "--by", f"c{ATTACK.replace(chr(0), '')}:3", "--format", "csv"],
    ["compare", "s"],
    ["compare", "whole", "--baseline", NAME],
    ["compare", "whole", "--scenario", NAME],
    ["compare", NAME],
    ["report", "r", "--out", "page.html"],
    ["report", NAME],
    ["report", "s"],
    ["replay", "r", "--episode", 1],
    ["replay", "r", "--episode", 1, "--format", "csv"],
    ["replay", NAME, "--episode", 1, "--strategy", NAME],
    ["verify", "r"],
    ["verify", NAME, "--sample", 1],
    ["status", "r"],
    ["status", "running"],
    ["merge", "r", "--out", "m"],
    ["merge", NAME, "--out", "m2"],
    ["show", "r/agents/agent.parquet"],
    ["run", "tiny.toml", "--out", "r"],
    ["run", "tiny.toml", "--out", "r", "--resume"],
    ["run", "tiny.toml", "--out", NAME],
    ["run", "named.toml"],
    ["run", "keyed.toml"],
    ["run", "broken.toml"],
    ["run", NAME],
    ["run", "tiny.toml", "--set", f"name={NAME}"],
    ["run", "tiny.toml", "--set", f"strategies.{NAME}.rate=1"],
    ["run", "tiny.toml", f"--{NAME}"],
    ["run", "tiny.toml", "--threads", NAME],
    ["check", "tiny.toml", "--plugin", "own.py"],
    ["check", "tiny.toml", "--plugin", "own.py", "--set", "strategies.pov10={model='mine'}"],
    ["check", "tiny.toml", "--plugin", f"{NAME}.py"],
    ["check", "tiny.toml", "--plugin", "raises.py"],
    ["check", "tiny.toml", "--plugin", "raises.py", "--debug"],
    ["schema", "--plugin", "own.py"],
    ["schema", "--plugin", f"{NAME}.py"],
    ["train", "tiny.toml", "--out", f"{NAME}.parquet"],
    ["train", "tiny.toml", "--agent", NAME, "--out", "x.parquet"],
    ["calibrate", "bars.csv", "--symbol", NAME],
    ["calibrate", "bars.csv", "--symbol", "X", "--column", f"volume={NAME}"],
    ["calibrate", f"{NAME}.parquet", "--symbol", "X"],
    [NAME],
    ["info", NAME],
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: harmless(" ".join(map(str, words)))[:60])
def test_no_verb_prints_what_a_terminal_obeys(place, tmp_path, monkeypatch, capsys, words):
    """A copy for each: what one verb writes, another would read."""
    shutil.copytree(place, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setattr("signal.signal", lambda *_: None)  # pytest keeps its own handler of Ctrl-C
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))
    status, (out, error) = ended.value.code, capsys.readouterr()
    assert not OBEYED.search(out + error), (out, error)
    assert status in (0, 1, 2, 3)
    assert "a fault of fastexec itself" not in error
    assert not re.search(r"^ *\\x00", out, re.MULTILINE), "a text from a file has begun a line of its own"
    if "--debug" not in words:
        assert error.count("\n") == (status != 0)


@pytest.mark.parametrize(
    "words", [["status", "running"], ["verify", NAME], ["check", "tiny.toml", "--plugin", "own.py"]]
)
def test_in_a_terminal_only_its_own_codes_are_left(place, words):
    text = CODES.sub("", in_terminal(100, *words, cwd=place)).replace("\r", "")
    assert not OBEYED.search(text)


@pytest.mark.parametrize("changes", [
    {"done": "a"}, {"done": True}, {"done": 1.5}, {"total": -1}, {"seconds": 1e400}, {"written": float("nan")}, {"steps": None},
    {"done": 10**400}, {"written": 10**400}, {"failures": []},
], ids=lambda changes: "".join(f"{key}-{str(value)[:9]}" for key, value in changes.items()))  # fmt: skip
def test_a_word_of_progress_that_no_run_left_is_none(tmp_path, changes):
    record = {"done": 1, "total": 300, "found": 0, "steps": 6, "seconds": 1.0, "failures": 0, "written": 1.0}
    record |= {"host": "h", "process": 1}
    (tmp_path / "progress.json").write_text(json.dumps(record))
    assert progress.read(Place.of(tmp_path)) is not None
    (tmp_path / "progress.json").write_text(json.dumps(record | changes))
    assert progress.read(Place.of(tmp_path)) is None


def test_warnings_are_lines_without_control_characters(capsys):
    with warnings.catch_warnings():
        warnings.showwarning = show_warning
        warnings.simplefilter("always")
        warnings.warn(f"cache {ATTACK}", stacklevel=1)
    error = capsys.readouterr().err
    assert error.startswith("fastexec: warning: cache \\x1b]0;pwned\\x07")
    assert not OBEYED.search(error)
    assert error.count("\n") == 1


@pytest.mark.processes
@pytest.mark.parametrize("environment", [
    {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "ascii:strict", "NO_COLOR": "1", "TERM": "dumb"}, {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
], ids=lambda e: "-".join(e))  # fmt: skip
def test_few_letters_are_enough(place, environment):
    """Where the encoding has no letter for it, it is escaped; nothing crashes."""
    shutil.copytree(place / "whole", place / "größe 価格", dirs_exist_ok=True)
    status, out, error = process("verify", "größe 価格", cwd=place, **environment)
    assert (status, error) == (0, "")
    assert "all is well" in out
    status, out, error = process("compare", "größe", cwd=place, **environment)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert "holds no results" in error


@pytest.mark.parametrize("columns", ["0", "abc", "99999999", "-5", "\u00b2", "9" * 5000, ""])
def test_impossible_widths_are_none(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert console_of().width == 160
    assert console_of_errors().width > 0


def test_a_terminal_of_an_impossible_width_has_its_own(place):
    for columns in ("0", "99999999", "\u00b2"):
        lines = CODES.sub("", in_terminal(90, "presets", cwd=place, COLUMNS=columns)).splitlines()
        assert 60 < max(map(len, lines)) <= 90
