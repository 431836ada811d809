"""The README's figures, made from a run and nothing else, between two markers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import words
from jobs.job import BASELINES, FLOORS
from record import RecordError

BEGIN, END = "<!-- figures: made by scripts/bench.py --readme -->", "<!-- end of figures -->"


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
                unit = "" if row["unit"] in ("s", "MB") else f" {words.plural(row['unit'])}"
                cells = (
                    row["name"], words.rate(row["one"], row["unit"]) + unit, words.all_threads(row),
                    words.times(row.get("floor")), words.baselines(row),
                )  # fmt: skip
                lines.append(f"| {' | '.join(cells)} |")
    return lines


def _growth(series: list[dict[str, Any]]) -> list[str]:
    heads = [f"| {' | '.join(words.GROWTH_HEAD)} |", "|---" * len(words.GROWTH_HEAD) + "|"]
    return heads + [f"| {' | '.join(words.growth(one))} |" for one in series]


def between(text: str) -> str:
    """What stands between the markers; RecordError where they are not there once each, in order."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise RecordError(f"README.md: needs the lines {BEGIN} and {END}, once each and in this order")
    return text.split(BEGIN)[1].split(END)[0].strip("\n")


def rewrite(readme: Path, run: dict[str, Any]) -> None:
    text = readme.read_text("utf-8")
    between(text)
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{section(run)}\n{END}{after}", "utf-8")
