#!/usr/bin/env python3
"""Time the stages of lanes one by one on the inputs of tests/cases.py: ``python3 scripts/time_stages.py [PART OF A NAME]...``.

Each is called in a compiled loop, so that Python's call is not measured; a name's compile time stands apart. A stage alone is
not what it is in a walk, where it is inlined beside others: compare a figure with the same figure of another version only.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from time import perf_counter

import numba

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hypothesis.errors import NonInteractiveExampleWarning  # noqa: E402

from cases import ROWS  # noqa: E402
from fastexec.kernels import _jit  # noqa: E402
from trials import Lanes, W, stage_of  # noqa: E402

SHORTEST = 0.02  # seconds of a measurement; the best of five is told


def loop_over(stage):
    """A compiled loop over calls of the stage."""

    def loop(count, arguments):
        for _ in range(count):
            stage(*arguments)

    return numba.njit(**_jit.OPTIONS)(loop)


def nanoseconds(loop, arguments) -> float:
    count, best = 1, 0.0
    while best < SHORTEST:
        count *= 4
        best = seconds(loop, count, arguments)
    return min([best, *(seconds(loop, count, arguments) for _ in range(4))]) / count * 1e9


def seconds(loop, count, arguments) -> float:
    started = perf_counter()
    loop(count, arguments)
    return perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of stages' names; all if left out")
    asked = parser.parse_args().names
    warnings.simplefilter("ignore", NonInteractiveExampleWarning)
    print(f"{'stage':34}{'compiled, s':>12}{'a call, ns':>12}{'a lane, ns':>12}")
    for row in ROWS:
        if not isinstance(row, Lanes) or (asked and not any(name in row.stage for name in asked)):
            continue  # a function of single numbers is thrown out of such a loop
        arguments = row.example(row.inputs().example())
        started = perf_counter()
        loop = loop_over(stage_of(row.stage))
        loop(1, arguments)
        compiled, call = perf_counter() - started, nanoseconds(loop, arguments)
        print(f"{row.stage:34}{compiled:12.2f}{call:12.0f}{call / W:12.2f}", flush=True)


if __name__ == "__main__":
    main()
