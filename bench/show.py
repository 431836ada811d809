"""The tables for a terminal; plain text where the output is piped."""

from __future__ import annotations

import sys
from typing import Any

import words
from jobs.job import FLOORS
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 100


def console(width: int | None = None) -> Console:
    wide = sys.stdout.isatty()
    return Console(width=width or (None if wide else WIDTH), highlight=False, soft_wrap=False)


def show(run: dict[str, Any], changed: dict[str, tuple[float, bool]] | None = None, out: Console | None = None) -> None:
    """``changed``: what ``record.changes`` found against an earlier run."""
    out = out or console()
    out.print(_title(run))
    out.print(_jobs(run, changed))
    if changed is not None:
        out.print(_against(changed))
    if run["growth"]:
        out.print(_growth(run["growth"]))


def _title(run: dict[str, Any]) -> Text:
    machine = run["machine"]
    told = ", ".join(f"{name} {value}" for name, value in run["versions"].items() if name != "fastexec")
    lines = [
        f"fastexec {run['versions'].get('fastexec')} {run['commit']}, {run['measured']}{', quick' if run['quick'] else ''}",
        f"{machine['processor']}, {machine['threads']} threads, {machine['memory_gb']} GB, {machine['system']}",
        told,
    ]
    if "jax_batch" in run:
        lines.append(f"JAX at its best batch, {run['jax_batch']} episodes, pinned to a core")
    return Text("\n".join(lines))


def _jobs(run: dict[str, Any], changed: dict[str, tuple[float, bool]] | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    names, others = (30, 24) if changed is None else (26, 19)  # all fit into WIDTH then
    table.add_column("job, units a second", overflow="fold", width=names)
    for name in ("1 thread", f"{run['machine']['threads']} threads", "x floor"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("times longer", overflow="fold", width=others)
    table.add_column("noise", justify="right", no_wrap=True)
    if changed is not None:
        table.add_column("change", justify="right", no_wrap=True)
    for group, rows in words.by_group(run["jobs"], without=(FLOORS,)):
        units = {words.plural(row["unit"]) for row in rows}
        alone = len(units) == 1
        table.add_row(Text(f"{group}: {units.pop()}" if alone else group, style="bold"))
        for row in rows:
            name = f"  {row['name']}" if alone else f"  {row['name']}: {words.plural(row['unit'])}"
            table.add_row(Text(name), *_cells(row, changed))
    return table


def _cells(row: dict[str, Any], changed: dict[str, tuple[float, bool]] | None) -> list[Text]:
    if "missing" in row:
        return [Text("missing"), Text(""), Text(""), Text(row["missing"])]
    cells = [
        words.rate(row["one"], row["unit"]),
        words.all_threads(row),
        words.times(row.get("floor")),
        words.baselines(row),
        f"{row['one']['noise']:.1%}" if row["one"]["rounds"] > 1 else "-",
    ]
    found = [Text(cell) for cell in cells]
    if changed is not None:
        found.append(_mark(changed.get(row["name"])))
    return found


def _mark(change: tuple[float, bool] | None) -> Text:
    """+12.3 % is slower; an exclamation mark where noise does not explain it."""
    if change is None:
        return Text("-")
    ratio, real = change
    style = ("red" if ratio > 1 else "green") if real else ""
    return Text(f"{'! ' if real else ''}{ratio - 1.0:+.1%}", style=style)


def _against(changed: dict[str, tuple[float, bool]]) -> Text:
    slower = [name for name, (ratio, real) in changed.items() if real and ratio > 1]
    faster = [name for name, (ratio, real) in changed.items() if real and ratio < 1]
    told = [f"{len(changed)} jobs compared: {len(slower)} slower, {len(faster)} faster than noise explains"]
    told += [f"  slower: {', '.join(slower)}"] if slower else []
    told += [f"  faster: {', '.join(faster)}"] if faster else []
    return Text("\n".join(told))


def _growth(series: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for j, name in enumerate(words.GROWTH_HEAD):
        table.add_column(name, justify="left" if j < 2 else "right", no_wrap=True)
    for one in series:
        table.add_row(*words.growth(one))
    return table
