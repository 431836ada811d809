"""CSV files as people have them: what has one reading is read, all else is refused in a line with the row and what is right."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fastexec.data.bars import read_bars
from fastexec.errors import InputError
from vendors import (
    ASK,
    BID,
    VOLUME,
    columns,
    csv,
    is_whole,
    lines,
    refused,
)

# ---- bad rows


@pytest.mark.parametrize(
    ("row", "text", "said"),
    [
        (60, "Total", "line 62: column 'time' holds 'Total', which is no time"),
        (0, "n.a.", "line 2: column 'time' holds 'n.a.', which is no time"),
        (30, "time", "line 32: column 'time' holds 'time', which is no time"),
        (30, "2024-03-08 24:10:00", "line 32: column 'time' holds '2024-03-08 24:10:00', which is no time"),
        (30, "2024-02-30 10:10:00", "line 32: column 'time' holds '2024-02-30 10:10:00', which is no time"),
    ],
)
def test_the_bad_row_is_named(tmp_path: Path, row: int, text: str, said: str) -> None:
    def change(rows: list[str]) -> list[str]:
        return [*rows[: row + 1], f"{text},49.9,50.1,100", *rows[row + 1 :]]

    assert refused(csv(tmp_path / "b.csv", change=change)).startswith(said)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("volume", "many", "line 12: column 'volume' holds 'many', which is no number"),
        ("bid", "49.9x", "line 12: column 'bid' holds '49.9x', which is no number"),
        ("ask", "1_000", "line 12: column 'ask' holds '1_000', which is no number"),
    ],
)
def test_the_bad_number_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    table = columns()
    table[name][10] = text
    head = ["# made by hand", ""]
    line = refused(csv(tmp_path / "b.csv", table, lambda rows: [*head, *rows[:5], "# a remark", "", *rows[5:]]))
    assert line == said.replace("12", "16")
    assert refused(csv(tmp_path / "b.csv", table)) == said


@pytest.mark.parametrize("text", ["2024-03-07 09:30:00,49", "\0\0\0", "2024-03-07 09:30:00,49,50,100,7"])
def test_a_row_of_another_length_is_named(tmp_path: Path, text: str) -> None:
    line = refused(csv(tmp_path / "b.csv", change=lambda rows: [*rows[:9], text, *rows[9:]]))
    count = "1 value" if text == "\0\0\0" else f"{text.count(',') + 1} values"
    assert line.startswith(f"line 10 has {count}, and 4 are needed")


# ---- CSV


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("given", [{}, {"columns": {"time": "time", "bid_px_1": "bid"}}])
def test_encodings(tmp_path: Path, encoding: str, given: dict[str, Any]) -> None:
    text = "\r\n".join(lines(columns(währung=["€"] * BID.size)))
    data = (b"\xfe\xff" if encoding == "utf-16-be" else b"") + text.encode(encoding)
    (tmp_path / "b.csv").write_bytes(data)
    is_whole(read_bars(tmp_path / "b.csv", "ZZZ", **given))


@pytest.mark.parametrize("end", ["gz", "bz2", "xz", "zip", "zst", "csv"])
def test_compressed(tmp_path: Path, end: str) -> None:
    data = "\n".join(lines(columns())).encode()
    path = tmp_path / f"b.csv.{end}"
    if end == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.csv", data)
    elif end == "zst":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(data)
    else:  # also under a name that does not say so
        path.write_bytes(
            {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "csv": bz2.compress}[end](data)
        )
    is_whole(read_bars(path, "ZZZ"))
    path.write_bytes(path.read_bytes()[:60])
    assert "cannot be read" in refused(path) or "is no table" in refused(path)


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.csv.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "y")
    assert refused(tmp_path / "b.csv.zip").startswith("cannot be read (it holds 2 files, and one is needed)")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas_and_thousands(tmp_path: Path, separator: str) -> None:
    def german(x: float, digits: int) -> str:
        return f"{x:,.{digits}f}".translate(str.maketrans(",.", ".,"))

    table = columns(
        bid=[german(x, 2) for x in BID], ask=[german(x, 2) for x in ASK], volume=[german(x, 1) for x in VOLUME]
    )
    path = csv(tmp_path / "b.csv", table, separator=separator)
    assert refused(path).endswith('; if the comma is its decimal point: decimal = "," and thousands = "."')
    assert "which is no number" in refused(path, decimal=",")
    is_whole(read_bars(path, "ZZZ", decimal=",", thousands="."))
    english = columns(volume=[f"{x:,.0f}" for x in VOLUME])
    path = csv(tmp_path / "b.csv", english, separator=separator)
    assert 'if it marks thousands: thousands = ","' in refused(path)
    is_whole(read_bars(path, "ZZZ", thousands=","))
    assert "holds '9.454', which is no number" in refused(
        csv(tmp_path / "b.csv", columns(volume=["9.454"] * BID.size)), decimal=","
    )


def test_words_that_can_be_none(tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv")
    for words, said in (
        ({"decimal": ",,"}, "must be one character"),
        ({"decimal": ",", "thousands": ","}, "is the decimal point already"),
        ({"spread": 0.0}, "must be above 0"),
        ({"time_format": "ISO"}, "is no format"),
        ({"zone": "Mars/Olympus"}, "no such time zone"),
    ):
        with pytest.raises(InputError, match=said):
            read_bars(path, "ZZZ", **words)


@pytest.mark.parametrize("heading", ["", ","])
def test_rows_that_end_in_a_separator(tmp_path: Path, heading: str) -> None:
    def change(rows: list[str]) -> list[str]:
        return [rows[0] + heading, *(row + "," for row in rows[1:])]

    is_whole(read_bars(csv(tmp_path / "b.csv", change=change), "ZZZ"))


def test_comments_and_empty_lines(tmp_path: Path) -> None:
    def change(rows: list[str]) -> list[str]:
        return ["# vendor", "#", rows[0], rows[1], "", "# a, b, c, d", "#,,,", ",,,", *rows[2:], "", "# end"]

    is_whole(read_bars(csv(tmp_path / "b.csv", change=change), "ZZZ"))


@pytest.mark.parametrize(
    "rows", [["time,bid,ask,volume"], ["time,bid,ask,volume", "", ""], ["# x", "time;bid;ask;volume"]]
)
def test_a_heading_alone(tmp_path: Path, rows: list[str]) -> None:
    assert refused(csv(tmp_path / "b.csv", change=lambda _: rows)).startswith("holds no bars, just a heading")


def test_names_that_stand_there_twice(tmp_path: Path) -> None:
    table = columns(other=["1"] * BID.size)
    for heading in ("time,bid,ask,volume,volume", "time,bid,ask,volume,Volume", "time,bid,ask,volume,VOL UME"):
        path = csv(tmp_path / "b.csv", table, heading=heading.split(","))
        assert "may each be the column volume; rename one, or name it by its number: columns = " in refused(path)
        is_whole(read_bars(path, "ZZZ", columns={"volume": "4"}))
    path = csv(tmp_path / "b.csv", table, heading=["time", "bid", "ask", "volume", "volume"])
    assert "2 columns are named 'volume', given for volume" in refused(path, columns={"volume": "volume"})
    is_whole(read_bars(csv(tmp_path / "b.csv", table, heading=["time", "bid", "ask", "volume", "x"]), "ZZZ"))


def test_columns_by_number_without_a_heading(tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", change=lambda rows: rows[1:])
    line = refused(path)
    assert line.startswith(
        "no column for volume, bid_px_1, ask_px_1, time (or date and sec): its first line is no heading"
    )
    numbers = {"time": "1", "bid_px_1": "2", "ask_px_1": "3", "volume": "4"}
    is_whole(read_bars(path, "ZZZ", columns=numbers))
    assert "it has no heading; name them by number, 1 to 4" in refused(path, columns=numbers | {"volume": "5"})


@pytest.mark.parametrize("symbol", ["000001", "007E1", "TRUE", "NA", "nan", "1.0", "NULL", "BRK B"])
def test_symbols_are_text(tmp_path: Path, symbol: str) -> None:
    table = columns(symbol=[symbol] * BID.size)
    path = csv(tmp_path / "b.csv", table)
    is_whole(read_bars(path, symbol))
    assert refused(path, "MSFT").endswith(f"there are {symbol}")
