"""The benchmark suite: measures, prints one table, writes a file; ``python3 scripts/bench.py`` sets up and starts it."""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import pytest
from figures import growth_of, rows_of, samples_of
from jobs.catalogue import chosen
from jobs.job import Size
from machine import ROOT, machine
from record import RecordError, changes, load, record, require_same_machine, require_writable, save
from section import between, front, rewrite, section
from show import show

FIGURES, DEFAULT_OUT = ROOT / "bench" / "figures.json", ROOT / "results" / "bench.json"
#: Pages that hold figures, and what makes theirs.
PAGES = ((ROOT / "README.md", front), (ROOT / "bench" / "README.md", section))


class Progress:
    """Hears of every measurement: keeps what is missing, and writes over the last line of a terminal."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self.count, self.failed = 0, ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        self.count = len(items)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.missing.update(value for key, value in report.user_properties if key == "missing")
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid}: {report.longreprtext.strip().splitlines()[-1]}"
        if report.when == "teardown" and sys.stderr.isatty():
            print(f"\r\033[K{report.nodeid.partition('[')[2][:90]}", end="", file=sys.stderr, flush=True)

    def done(self) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def compiled() -> float:
    """Seconds until every kernel of the package is there, compiled or from the cache; nothing of it is timed again."""
    import fastexec.runs.run  # noqa: F401
    import fastexec.simulation  # noqa: F401 - both register their entry kernels
    from fastexec.kernels import _jit

    return sum(entry.warm() for entry in _jit.entries)


def measure(size: Size, only: str) -> dict[str, Any]:
    jobs, progress = chosen(size, only), Progress()
    if not jobs:
        raise RecordError(f"--only {only}: no job's name or group holds this text; leave it out for all")
    started, kernels, printed = time.monotonic(), compiled(), io.StringIO()
    with tempfile.TemporaryDirectory() as place, redirect_stdout(printed):
        told = Path(place) / "benchmarks.json"
        words = [str(ROOT / "bench"), "-q", "-s", "-x", "-p", "no:cacheprovider", "-W", "ignore"]
        words += ["--benchmark-enable", "--benchmark-quiet", f"--benchmark-json={told}", f"--only={only}"]
        status = pytest.main(words + ([] if size.quick else ["--full"]), plugins=[progress])
        progress.done()
        if status != pytest.ExitCode.OK:
            failed(progress.failed or printed.getvalue().strip().splitlines()[-1], 130 if status == 2 else 1)
        benchmarks = json.loads(told.read_text())["benchmarks"]
    samples = samples_of(benchmarks, jobs)
    notes: dict[str, Any] = {
        "quick": size.quick,
        "only": only,
        "kernels_ready_s": kernels,
        "took_s": time.monotonic() - started,
    }
    batches = [one["extra_info"]["batch"] for one in benchmarks if "batch" in one["extra_info"]]
    notes |= {"jax_batch": batches[0]} if batches else {}
    return record(rows_of(jobs, samples, progress.missing, int(machine()["threads"])), growth_of(jobs, samples), notes)


def failed(line: str, status: int) -> NoReturn:
    print(f"bench: {' '.join(line.split())}", file=sys.stderr)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    """A wrong option is one line, as everywhere in fastexec."""

    def error(self, message: str) -> NoReturn:
        failed(f"{message}; see --help", 2)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = Parser(prog="bench.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds; within two minutes")
    parser.add_argument("--only", default="", metavar="TEXT", help="jobs whose group or name holds this text")
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier run on this machine: mark changes")
    parser.add_argument("--from", dest="stored", type=Path, metavar="FILE", help="show a stored run, measure nothing")
    parser.add_argument("--readme", action="store_true", help="rewrite the figures of both READMEs and figures.json")
    parser.add_argument("--out", type=Path, metavar="FILE", help="file of the figures; results/bench.json by default")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    asked = parse(arguments)
    try:
        earlier, stored = prepared(asked)
        run = stored or measure(Size(asked.quick), asked.only)
    except RecordError as error:
        failed(str(error), 2)
    except KeyboardInterrupt:
        failed("interrupted; nothing was written", 130)
    show(run, None if earlier is None else changes(run, earlier))
    if asked.readme:
        save(FIGURES, run)
        for page, figures in PAGES:
            rewrite(page, figures(run))
    if stored is None or asked.out is not None:
        out = asked.out or DEFAULT_OUT
        save(out, run)
        print(f"\nkernels ready in {run['kernels_ready_s']:.1f} s, all in {run['took_s']:.0f} s; written: {out}")


def prepared(asked: argparse.Namespace) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What can be wrong is found before anything is measured; returns the earlier run and the stored one."""
    stored = None if asked.stored is None else load(asked.stored)
    if asked.readme:
        for page, _ in PAGES:
            between(page)
        if stored["only"] if stored else asked.only:
            raise RecordError("--readme needs every figure; leave --only out")
    if asked.out is None:
        DEFAULT_OUT.parent.mkdir(exist_ok=True)
    require_writable(asked.out or DEFAULT_OUT)
    if asked.against is None:
        return None, stored
    earlier = load(asked.against)
    require_same_machine(asked.against, earlier)
    return earlier, stored


if __name__ == "__main__":
    main(sys.argv[1:])
