"""CSV files as tables of text, each row with its line: separator, encoding, compression and heading as the file has them."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from fastexec.errors import InputError
from fastexec.files import open_local
from fastexec.wording import counted

_PACKED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", gzip.decompress),
    (b"BZh", bz2.decompress),
    (b"\xfd7zXZ\x00", lzma.decompress),
    (b"PK\x03\x04", lambda data: _only_member(data)),
    (b"\x28\xb5\x2f\xfd", lambda data: pa.input_stream(pa.py_buffer(data), compression="zstd").read()),
)
_SEPARATORS = "\t;|,"
_COMMENT = "#"
_RIGHT = "give a Parquet or CSV file of bars"
_HEAD_LINES = 100


@dataclass(frozen=True, eq=False)
class CsvFile:
    """path: as messages name it. names: of its columns, by the heading, or their numbers from 1 where it has none. data: UTF-8.
    first: lines before its first row. separator: one character. headed: whether there is a heading. ragged: rows end in a
    separator that the heading does not have.
    """

    path: str
    names: list[str]
    data: bytes
    first: int
    separator: str
    headed: bool
    ragged: bool

    def read(self, found: Mapping[str, int]) -> tuple[pa.Table, np.ndarray]:
        """Some columns (our name -> number from 0) as text, and the line of each row, from 1. InputError where a row has
        too few or too many values.
        """
        keys = [str(j) for j in range(len(self.names) + self.ragged)]
        wrong: list[pcsv.InvalidRow] = []

        def refuse(row: pcsv.InvalidRow) -> str:
            wrong.append(row)
            return "skip"

        table = pcsv.read_csv(
            pa.py_buffer(self.data),
            read_options=pcsv.ReadOptions(use_threads=False, skip_rows=self.first, column_names=keys),
            parse_options=pcsv.ParseOptions(
                delimiter=self.separator, ignore_empty_lines=False, invalid_row_handler=refuse
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.large_string()), strings_can_be_null=False, check_utf8=False
            ),
        )
        skipped = np.array([row.number for row in wrong], np.int64)
        lines = np.setdiff1d(np.arange(1, table.num_rows + len(wrong) + 1) + self.first, skipped)
        self._require_whole(wrong)
        blank = [pc.equal(pc.utf8_trim_whitespace(table[key]), "") for key in keys]
        kept = np.asarray(pc.starts_with(table["0"], _COMMENT).to_numpy() == 0)
        kept &= ~np.logical_and.reduce([column.to_numpy() for column in blank])
        texts = {ours: pc.utf8_trim_whitespace(table[str(j)]) for ours, j in found.items()}
        return pa.table(texts).filter(pa.array(kept)), lines[kept]

    def _require_whole(self, wrong: list[pcsv.InvalidRow]) -> None:
        for row in wrong:
            text = row.text.strip()
            if text and not text.startswith(_COMMENT):
                count = counted(row.actual_columns, "value")
                raise InputError(
                    f"{self.path}: line {row.number} has {count}, and "
                    f"{row.expected_columns} are needed ({shortened(text)!r}); correct the line, or take it out"
                )


def shortened(text: str, most: int = 60) -> str:
    """A text for a line of a message."""
    return text if len(text) <= most else f"{text[:most]}..."


def open_csv(path: str, name: str) -> CsvFile:
    """A CSV file, plain or compressed. path: where it lies. name: as messages have it. InputError where it is no such table."""
    data = _unpacked(path, name)
    head = [text.decode("utf-8", "replace") for text in islice(io.BytesIO(data), _HEAD_LINES)]
    lines = [j for j, text in enumerate(head) if text.strip() and not text.lstrip().startswith(_COMMENT)]
    if not lines:
        raise InputError(f"{name}: is no table of comma-separated values (it is empty); {_RIGHT}")
    heading = head[lines[0]]
    separator = next((s for s in _SEPARATORS if s in heading), None)
    if separator is None:
        raise InputError(
            f"{name}: is no table of comma-separated values (its first line is {shortened(heading.strip())!r}); {_RIGHT}"
        )
    rows = list(csv.reader((head[j] for j in lines[:2]), delimiter=separator))
    first = [text.strip() for text in rows[0]]
    headed = not _is_data(first)
    names = first if headed else [str(j + 1) for j in range(len(first))]
    ragged = len(rows) > 1 and len(rows[1]) == len(first) + 1 and not rows[1][-1].strip()
    return CsvFile(name, names, data, lines[0] + headed, separator, headed, ragged)


def _is_data(values: list[str]) -> bool:
    """Whether a first line holds values and no names: half of it or more begin as numbers or times do."""
    filled = [text for text in values if text]
    return 2 * sum(re.match(r"[+-]?[\d.,]*\d", text) is not None for text in filled) >= len(filled) > 0


def _unpacked(path: str, name: str) -> bytes:
    try:
        with open_local(path) as stream:
            data: bytes = stream.read()
        unpack = next((unpack for magic, unpack in _PACKED if data.startswith(magic)), bytes)
        return _utf8(unpack(data))
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file; {_RIGHT}") from None
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException) as error:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{name}: cannot be read ({reason}); {_RIGHT}") from None


def _only_member(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(files) != 1:
            raise ValueError(f"it holds {len(files)} files, and one is needed")
        try:
            return archive.read(files[0])
        except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a way that Python does not know
            raise ValueError(str(error)) from None


def _utf8(data: bytes) -> bytes:
    """As UTF-8 without a mark of byte order; what is neither UTF-8 nor UTF-16 is Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252").encode()
    return data
