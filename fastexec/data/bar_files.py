"""Files of bars, Parquet or CSV or a folder of them, as one kind of table: the wanted columns of one symbol."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fastexec.data.bar_columns import as_signal, as_text, is_plain, is_text, match
from fastexec.data.bar_rows import Rows
from fastexec.data.csv_files import CsvFile, open_csv
from fastexec.data.reading import Reading
from fastexec.errors import InputError, listed
from fastexec.files import open_local
from fastexec.wording import nearest

_RIGHT = "give a Parquet or CSV file of bars"
_PARQUET, _CSV = r"\.(parquet|pq|parq)$", r"\.(csv|txt|tsv)(\.(gz|bz2|xz|zip|zst))?$"


@dataclass(frozen=True, eq=False)
class ParquetFile:
    """path: as messages name it. place: where it lies. schema: of its columns; an index that pandas wrote is one of them."""

    path: str
    place: str
    schema: pa.Schema
    headed: bool = True

    @property
    def names(self) -> list[str]:
        """Of its columns; of an index without a name only where it holds times."""
        return [
            "" if field.name.startswith("__index_level_") and not pa.types.is_timestamp(field.type) else field.name
            for field in self.schema
        ]

    def read(self, found: Mapping[str, int], symbol: str) -> pa.Table:
        """Some columns (our name -> number from 0), where its symbols are plain text just the rows of one."""
        names = {ours: self.schema.names[j] for ours, j in found.items()}
        kinds = [self.schema.field(j).type for j in found.values()]
        wanted = None
        if "symbol" in names and is_plain(self.schema.field(found["symbol"]).type):
            if all(is_plain(kind) or not is_text(kind) for kind in kinds):  # of views Arrow filters none
                wanted = pc.field(names["symbol"]) == symbol
        with _refusing(self.path):
            # By a handle, not a path: a folder of it named like symbol=IBM must not stand in for the column.
            table = pq.read_table(
                open_local(self.place), columns=list(dict.fromkeys(names.values())), filters=wanted, partitioning=None
            )
        return pa.table([table[theirs] for theirs in names.values()], names=list(names))

    def symbols(self, column: int) -> pa.ChunkedArray:
        """Those that are there."""
        name = self.schema.names[column]
        with _refusing(self.path):
            return pq.read_table(open_local(self.place), columns=[name], partitioning=None)[name]


_File: TypeAlias = CsvFile | ParquetFile


def read_rows(path: str, symbol: str, reading: Reading) -> Rows:
    """The wanted columns of a symbol's rows; of a folder those of all its files, one after another.

    InputError: no such file, none that can be read, columns missing or not to be told apart, symbol not there.
    """
    if not os.path.isdir(path):
        return _of_file(_opened(path, path), symbol, reading, {})
    parts = []
    known: set[str] = set()
    for part in files_below(path):
        given = _partitions(part, Path(path))
        if given.get("symbol", symbol) != symbol:
            known.add(given["symbol"])
            continue
        try:
            parts.append(_of_file(_opened(str(part), str(part)), symbol, reading, given))
        except _UnknownSymbolError as error:
            known |= set(error.known)
    if not parts:
        raise _unknown_symbol(path, symbol, sorted(known))
    shared = [name for name in parts[0].table.column_names if all(name in part.table.column_names for part in parts)]
    try:
        table = pa.concat_tables([part.table.select(shared) for part in parts], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(
            f"{path}: its files differ in the types of their columns ({str(error).splitlines()[0]})"
        ) from None
    number = np.concatenate([part.number for part in parts])
    firsts = np.cumsum([0, *(part.number.size for part in parts)]).tolist()
    places = tuple((first, part.path) for first, part in zip(firsts, parts, strict=False))
    return Rows(path, symbol, parts[0].found, table, number, all(part.is_csv for part in parts), parts[0].notes, places)


def files_below(path: str) -> Iterator[Path]:
    """The files of bars in a folder and its folders, by name; InputError where there is none."""
    found = sorted(
        Path(place) / name
        for place, _, names in os.walk(path)
        for name in names
        if re.search(f"{_PARQUET}|{_CSV}", name, re.IGNORECASE) and not name.startswith((".", "_"))
    )
    if not found:
        raise InputError(f"{path}: cannot be read (the folder holds no file of bars); {_RIGHT}, or a folder of such")
    return iter(found)


def digest(path: str) -> str:
    """SHA-256 of a file, or of a folder's files of bars with their names."""

    def of_file(place: str | Path) -> str:
        with open(place, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    if not os.path.isdir(path):
        return of_file(path)
    lines = [f"{of_file(part)}  {part.relative_to(path).as_posix()}\n" for part in files_below(path)]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _partitions(part: Path, folder: Path) -> dict[str, str]:
    """What the folders on the way to a file say, as in symbol=IBM/date=2024-03-07/part-0.parquet."""
    pairs = (text.partition("=") for text in part.relative_to(folder).parts[:-1] if "=" in text)
    return {key: unquote(value) for key, _, value in pairs}


def _opened(place: str, name: str) -> _File:
    if re.search(_CSV, place, re.IGNORECASE) is None:
        with _refusing(name):
            with open_local(place) as file:
                is_parquet = file.read(4) == b"PAR1"
            if is_parquet or re.search(_PARQUET, place, re.IGNORECASE) is not None:
                return ParquetFile(name, place, pq.read_schema(open_local(place)))
    return open_csv(place, name)


def _of_file(file: _File, symbol: str, reading: Reading, given: dict[str, str]) -> Rows:
    """given: columns that the folders on the way name, with one value for all rows."""
    names = [*file.names, *given]
    found = match(file.path, names, file.headed, reading)
    own = {ours: j for ours, j in found.items() if j < len(file.names)}
    if isinstance(file, CsvFile):
        table, number = file.read(own)
    else:
        table = file.read(own, symbol)
        number = np.arange(1, table.num_rows + 1)
    for j, ours in enumerate(table.column_names):
        if is_text(table[ours].type) and not is_plain(table[ours].type):  # Arrow can do little with a view
            table = table.set_column(j, ours, as_text(table[ours]))
    for ours, j in found.items():
        if j >= len(file.names):
            table = table.append_column(ours, pa.repeat(pa.scalar(given[names[j]], pa.large_string()), table.num_rows))
    if "symbol" in own:
        if not is_text(table["symbol"].type):
            raise InputError(
                f"{file.path}: column {names[own['symbol']]} is of type {table['symbol'].type}; it must hold text"
            )
        symbols = table["symbol"]
        mask = pc.fill_null(pc.equal(symbols, symbol), False)
        if not pc.any(mask).as_py():
            there = file.symbols(own["symbol"]) if isinstance(file, ParquetFile) else symbols
            raise _unknown_symbol(file.path, symbol, sorted(set(pc.unique(as_text(there)).to_pylist()) - {"", None}))
        table, number = table.filter(mask), number[mask.to_numpy()]
    elif not table.num_rows:
        raise InputError(f"{file.path}: holds no bars, just a heading; {_RIGHT}")
    theirs = {ours: names[j] for ours, j in found.items()}
    return Rows(file.path, symbol, theirs, table, number, isinstance(file, CsvFile), _notes(file, theirs, symbol))


def _notes(file: _File, theirs: dict[str, str], symbol: str) -> list[str]:
    notes = []
    theirs = {ours: name for ours, name in theirs.items() if ours != as_signal(name)}
    if isinstance(file, CsvFile) or any(ours != name for ours, name in theirs.items()):
        told = ", ".join(f"{ours} from {name!r}" for ours, name in theirs.items())
        notes.append(f"columns of {Path(file.path).name}: {told}")
    if "symbol" not in theirs:
        notes.append(f"no column of symbols: every row is taken for {symbol}")
    return notes


@contextmanager
def _refusing(path: str) -> Iterator[None]:
    """What Arrow and the system say of a file, as one line."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; {_RIGHT}") from None
    except pa.ArrowInvalid:
        raise InputError(f"{path}: not a Parquet file, or a damaged one; {_RIGHT}") from None
    except (OSError, pa.ArrowException) as error:
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason}); {_RIGHT}") from None


class _UnknownSymbolError(InputError):
    """known: those that are there."""

    def __init__(self, line: str, known: list[str]) -> None:
        super().__init__(line)
        self.known = known


def _unknown_symbol(path: str, symbol: str, known: list[str]) -> _UnknownSymbolError:
    near = nearest(symbol, known)
    hint = f"did you mean {near!r}? " if near else ""
    return _UnknownSymbolError(
        f"{path}: symbol {symbol!r} is not there; {hint}there are {listed(known) or 'none'}", known
    )
