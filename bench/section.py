"""Figures on pages, made from a run and nothing else, between two markers: ten in README.md, all in bench/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import words
from jobs.job import BASELINES, FLOORS
from record import RecordError

BEGIN, END = "<!-- figures: made by scripts/bench.py --readme -->", "<!-- end of figures -->"
#: What the front page tells.
FRONT = (
    "three normals", "one strategy", "8 strategies", "rule batched", "rule backward", "Parquet, a table",
    "large_cap (6)", "import fastexec", "fastexec run, warm", "fastexec run, cold",
)  # fmt: skip


def front(run: dict[str, Any]) -> str:
    """Markdown: the machine in a line, and the jobs that people ask for."""
    machine = run["machine"]
    jobs = [row for row in run["jobs"] if row["name"] in FRONT]
    head = (
        f"Measured {run['measured']} on {machine['threads']} threads of an {machine['processor']}, medians of rounds;\n"
        "*times longer* is what others take for the same in the same rounds:"
    )
    lines = ["", f"| job | 1 thread | {machine['threads']} threads | times longer |", "|---|---|---|---|"]
    return "\n".join(
        [head, *lines, *(f"| {' | '.join(_cells(row, floor=False))} |" for row in jobs if "missing" not in row)]
    )


def section(run: dict[str, Any]) -> str:
    """Markdown: machine and versions, the table of jobs, the table of growth."""
    grown = ["", *_growth(run["growth"])] if run["growth"] else []
    return "\n".join([*_opening(run), "", *_table(run), *grown])


def _opening(run: dict[str, Any]) -> list[str]:
    machine, versions = run["machine"], run["versions"]
    told = ", ".join(f"{name} {versions[name]}" for name in versions if name != "fastexec")
    jax = f"; JAX at its best batch of {run['jax_batch']} episodes" if "jax_batch" in run else ""
    return [
        f"Measured {run['measured']} at commit {run['commit'] or 'unknown'} on {machine['threads']} threads of an "
        f"{machine['processor']} with {machine['memory_gb']} GB ({machine['system']}; {told}{jax})"
        f"{', in a quick run' if run['quick'] else ''}: `python3 scripts/bench.py`.",
        "Rates are for a second, medians of rounds; *x floor* is the time over that of the work nobody can leave out (its own "
        "random numbers, a copy of its bytes); *times longer* is what others take for the same in the same rounds.",
    ]


def _table(run: dict[str, Any]) -> list[str]:
    lines = [
        f"| job | 1 thread | {run['machine']['threads']} threads | x floor | times longer |",
        "|---|---|---|---|---|",
    ]
    for group, rows in words.by_group(run["jobs"], without=(FLOORS, BASELINES)):
        lines.append(f"| **{group}** | | | | |")
        for row in rows:
            if "missing" not in row:
                lines.append(f"| {' | '.join(_cells(row))} |")
    return lines


def _cells(row: dict[str, Any], floor: bool = True) -> list[str]:
    unit = "" if row["unit"] in ("s", "MB") else f" {words.plural(row['unit'])}"
    rates = [row["name"], words.rate(row["one"], row["unit"]) + unit, words.all_threads(row)]
    return [*rates, *([words.times(row.get("floor"))] if floor else []), words.baselines(row)]


def _growth(series: list[dict[str, Any]]) -> list[str]:
    heads = [f"| {' | '.join(words.GROWTH_HEAD)} |", "|---" * len(words.GROWTH_HEAD) + "|"]
    return heads + [f"| {' | '.join(words.growth(one))} |" for one in series]


def between(page: Path) -> str:
    """What stands between a page's markers; RecordError where they are not there once each, in order."""
    return _cut(page)[1].strip("\n")


def rewrite(page: Path, figures: str) -> None:
    """Put the figures between a page's markers."""
    before, _, after = _cut(page)
    page.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", "utf-8")


def _cut(page: Path) -> tuple[str, str, str]:
    text = page.read_text("utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise RecordError(f"{page.name}: needs the lines {BEGIN} and {END}, once each and in this order")
    before, rest = text.split(BEGIN)
    between, after = rest.split(END)
    return before, between, after
