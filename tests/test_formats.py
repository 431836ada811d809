"""Tables as csv, json and Markdown: no formula for a spreadsheet, no broken row, no character that a terminal obeys."""

from __future__ import annotations

import base64
import io
import json
import re

import pandas as pd
import pyarrow as pa

from fastexec.analysis.format import csv_of, formatted
from fastexec.analysis.report.page import _csv
from test_printing import ATTACK, OBEYED

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]
TABLE = pa.table(
    {
        "strategy": pa.array([*FORMULAS, "twap", None], pa.string()).dictionary_encode(),
        "=group": ["-x", *[""] * 7, "a,b"],
        "saving": [-1.5, 2.0, -0.25, 1e-7, float("nan"), None, 0.1, 3.0, -4.0],
        "n": [-1, 2, 3, 4, 5, 6, 7, 8, 9],
    }
)


def test_csv_has_no_formulas_and_numbers_stay_numbers():
    text = csv_of(TABLE)
    rows = pd.read_csv(io.StringIO(text), keep_default_na=False)
    assert list(rows) == ["strategy", "'=group", "saving", "n"]
    assert not any(str(name).startswith(tuple("=+-@\t\r\n")) for name in [*rows["strategy"], *rows["'=group"]])
    assert rows["strategy"].tolist()[:4] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)"]
    assert rows["strategy"].tolist()[-2:] == ["twap", ""]
    assert rows["n"].tolist() == TABLE["n"].to_pylist()
    assert float(rows["saving"][0]) == -1.5
    assert text.count("\n") == len(TABLE) + 1
    assert formatted(TABLE, "csv", {}) == text


def test_the_pages_csv_is_the_same_with_six_digits():
    text = base64.b64decode(_csv(TABLE).partition(",")[2]).decode()
    assert text == csv_of(TABLE, digits=6)
    assert "'=1+1,'-x,-1.5,-1" in text


def test_markdown_keeps_its_columns_and_json_its_texts():
    table = pa.table({"a|b": ["x|y", "x\\|y", "x\ny", ATTACK], "c": [1, 2, 3, 4]})
    lines = formatted(table, "markdown", {}).splitlines()
    assert len(lines) == 6
    cells = re.compile(r"(?:\\.|[^|\\])+")  # as GitHub reads them: a backslash takes the next character with it
    assert [len(cells.findall(line.strip().strip("|"))) for line in lines] == [2] * 6
    found = json.loads(text := formatted(table.append_column("d", [["\x7f"] * 4]), "json", {}))
    assert [row["a|b"] for row in found["rows"]] == table["a|b"].to_pylist()
    assert found["rows"][0]["d"] == "\x7f"
    assert not OBEYED.search(text)
