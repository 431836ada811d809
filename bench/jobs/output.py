"""From columns to files and back: summaries, Parquet, a whole run, the comparison; each beside what it cannot undercut."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastexec.analysis.comparison import compare
from fastexec.columns import markets_table
from fastexec.place import Place
from fastexec.results import Results
from fastexec.runs import store
from fastexec.runs.run import run
from fastexec.simulation import prepare
from fastexec.statistics.moments import COSTS, summarise
from fastexec.studies.study import Study
from fastexec.threads import default_threads
from jobs.engine import MINI, mini
from jobs.job import BASELINES, FLOORS, GROWTH, ONCE, PROCESSOR, SELDOM, Job, Size

ROW = "row"
LARGE, SUMMARY_COPY, PARQUET_COPY = "large_cap", "copy of the summary's columns", "copy of the table's bytes"
PYARROW, SIMULATING, WRITING, READING = (
    "pyarrow, its defaults", "simulating the rows alone", "pyarrow writing the rows alone", "pyarrow reading the files",
)  # fmt: skip
_CHUNK = 16_384
_KINDS = 6  # strategies of large_cap


@cache
def folder() -> Path:
    """One temporary folder of the whole suite; ``clear`` removes it."""
    return Path(tempfile.mkdtemp(prefix="fastexec-bench-"))


def clear() -> None:
    if folder.cache_info().currsize:
        shutil.rmtree(folder())
        folder.cache_clear()


@cache
def results(episodes: int) -> Results:
    return prepare(Study.preset(LARGE)).run(0, episodes)


def summing(episodes: int) -> Callable[[], None]:
    return lambda: summarise(0, results(episodes)) and None


def summarised(episodes: int) -> np.ndarray:
    """The columns that a summary reads."""
    return np.stack([results(episodes).episodes[name] for name in (*COSTS, "completion")])


def copying(source: np.ndarray) -> Callable[[], None]:
    room = np.empty_like(source)
    return partial(np.copyto, room, source)


def writing(episodes: int, write: Callable[[pa.Table, Path], Any]) -> Callable[[], None]:
    table = results(episodes).to_arrow()
    return lambda: write(table, folder() / "table.parquet") and None


def signed(table: pa.Table, path: Path) -> None:
    store.write_table(
        Place.of(path), table, {"identity": "bench", "first_episode": 0, "episodes": len(table) // _KINDS}
    )


def in_our_encoding(table: pa.Table, path: Path) -> None:
    """As the store writes it, but not signed, synced or renamed."""
    texts = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    floats = [field.name for field in table.schema if pa.types.is_floating(field.type)]
    encodings = dict.fromkeys(floats, "BYTE_STREAM_SPLIT")
    pq.write_table(
        table, path, use_dictionary=texts, column_encoding=encodings, compression="zstd", compression_level=1
    )


def whole_run(episodes: int) -> Callable[[int], Callable[[], None]]:
    """From the text of a study to files: what ``fastexec run`` does once it is started."""

    def make(threads: int) -> Callable[[], None]:
        text = folder() / "study.toml"
        text.write_text(Study.preset(LARGE).to_toml())

        def call() -> None:
            study = Study.load(text, [f"episodes={episodes}"])
            run(study, out=folder() / "run", threads=threads, chunk=_CHUNK, overwrite=True)
            shutil.rmtree(folder() / "run")

        return call

    return make


def rows_alone(episodes: int, write: bool) -> Callable[[int], Callable[[], None]]:
    """The run's chunks simulated and nothing else; or tables like its own written by pyarrow and nothing else."""

    def make(threads: int) -> Callable[[], None]:
        prepared, found = prepare(Study.preset(LARGE)), results(_CHUNK)
        tables = [found.to_arrow(), markets_table("sell", found.markets)]

        def part(first: int) -> None:
            if not write:
                prepared.run(first, min(_CHUNK, episodes - first))
                return
            for j, table in enumerate(tables):
                in_our_encoding(table, folder() / f"alone-{first}-{j}.parquet")

        def call() -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(part, range(0, episodes, _CHUNK)))
            for path in folder().glob("alone-*"):
                path.unlink()

        return call

    return make


def comparing(rows: int, by: str) -> Callable[[], Any]:
    """On a folder of so many rows, two strategies; a conditioned comparison reads every row."""
    place = folder() / f"rows-{rows}"
    if not place.exists():
        run(mini("twap", "pov", episodes=rows // 2), out=place)
    return lambda: compare(place, baseline="twap0", by=by)


def reading(rows: int) -> Callable[[], None]:
    comparing(rows, "")
    place = folder() / f"rows-{rows}" / "episodes"

    def call() -> None:
        for path in place.glob("*.parquet"):
            pq.read_table(path)

    return call


def jobs(size: Size) -> list[Job]:
    episodes, ran = size.of(_CHUNK, 2 * _CHUNK), size.of(4 * _CHUNK, 16 * _CHUNK)
    rows, compared = episodes * _KINDS, size.of(1_000_000, 10_000_000)
    million = f"{compared // 10**6} M rows"
    alone = {"measured": PROCESSOR, "rounds": SELDOM, "all_threads": True}
    return [
        Job(SUMMARY_COPY, FLOORS, lambda _: copying(summarised(episodes)), rows, ROW),
        Job("summary", "output", lambda _: summing(episodes), rows, ROW, floor=(SUMMARY_COPY,)),
        Job(PARQUET_COPY, FLOORS, lambda _: copying(np.zeros(results(episodes).to_arrow().nbytes // 8)), rows, ROW),
        Job(PYARROW, BASELINES, lambda _: writing(episodes, pq.write_table), rows, ROW, floor=(PARQUET_COPY,)),
        Job(
            "Parquet, a table", "output", lambda _: writing(episodes, signed), rows, ROW,
            floor=(PARQUET_COPY,), baselines=(PYARROW,),
        ),
        Job(SIMULATING, FLOORS, rows_alone(ran, False), ran * _KINDS, ROW, **alone),
        Job(WRITING, FLOORS, rows_alone(ran, True), ran * _KINDS, ROW, **alone),
        Job(
            "TOML to files, processor time", "output", whole_run(ran), ran * _KINDS, ROW,
            floor=(SIMULATING, WRITING), **alone,
        ),
        Job(READING, FLOORS, lambda _: reading(compared), compared, ROW, rounds=SELDOM),
        Job(
            f"compare {million} by spread", "output", lambda _: comparing(compared, "arrival_spread_bps:4"), compared, ROW,
            floor=(READING,), rounds=SELDOM,
        ),
    ]  # fmt: skip


def growth_jobs(size: Size) -> list[Job]:
    """A run that keeps summaries only, on all threads, against its episodes."""

    def make(episodes: int) -> Callable[[int], Callable[[], None]]:
        study = Study.preset(MINI, [f"episodes={episodes}", "output.rows=none"])

        def call() -> None:
            run(study, out=folder() / "grown", threads=default_threads(), overwrite=True)
            shutil.rmtree(folder() / "grown")

        return lambda _: call

    return [
        Job(
            f"10^{power} episodes", GROWTH, make(10**power), rounds=SELDOM if power < 7 else ONCE,
            warm_up=power < 6, growth=("episodes, summary only", 10.0**power),
        )
        for power in range(4, size.of(7, 9))
    ]  # fmt: skip
