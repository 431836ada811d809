"""Write the report of a folder, and on request its charts as pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastexec.analysis.report.figures import require_figures, write_figures
from fastexec.analysis.report.material import open_results, require_own_study
from fastexec.analysis.report.page import MARK, page, require_libraries
from fastexec.analysis.report.sections import sections_of
from fastexec.analysis.report.sweep_material import open_sweep
from fastexec.analysis.report.sweeps import sweep_sections, sweep_top
from fastexec.analysis.report.top import top_of
from fastexec.errors import InputError, RefusedError, option
from fastexec.place import Place
from fastexec.statistics.verdict import NEGLIGIBLE
from fastexec.studies.study import Study, swept_studies

_MOST_UNASKED = 24  # pages of scenarios, five megabytes each


def write_report(
    folder: str | Path | Place,
    *,
    out: str | Path | None = None,
    figures: str | Path | None = None,
    baseline: str | None = None,
    scenario: str | None = None,
    negligible: float = NEGLIGIBLE,
    pages: bool | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Place, list[Path]]:
    """One self-contained HTML page (default FOLDER/report.html); with ``figures`` a folder of PNG and SVG of its charts.

    Of a study with a sweep: an overview of all scenarios, or the ``scenario`` named (default file report-NAME.html). ``pages``:
    whether the overview has a page of each scenario beside it, to which it links; by default where they are at most 24.
    ``progress``: told what is written, its number and how many there are.
    negligible: bps; savings that are significant and smaller are marked.
    Returns the page's place and the pictures' paths. Raises InputError where the folder holds no complete results, a
    library is not installed or a path cannot be one, RefusedError where ``out`` is another file, and then nothing is written.
    """
    require_libraries()
    place = Place.of(folder)
    study = require_own_study(place)
    if out is not None and not str(out):
        raise InputError(f"{option('out')}: is empty; name a file such as report.html")
    own = "report.html" if scenario is None else f"report-{scenario}.html"
    target = Place.of(out) if out is not None else place / own
    _require_room(target)
    if figures is not None:
        require_figures(Path(figures))
    options: dict[str, Any] = {"baseline": baseline, "negligible": negligible}
    if study.sweep is None or scenario is not None:
        material = open_results(place, scenario=scenario, **options)
        top, sections = top_of(material, study), sections_of(material)
        target.write(page(top, sections).encode())
    else:
        beside = _pages(target, study, pages)
        for each in beside.values():
            _require_room(each)
        swept = open_sweep(place, study, pages={name: quote(each.name) for name, each in beside.items()}, **options)
        top, sections = sweep_top(swept), sweep_sections(swept)
        back = [("all scenarios", quote(target.name))]
        for number, (name, each) in enumerate(beside.items(), 1):
            if progress is not None:
                progress("page of scenario", number, len(beside))
            material = open_results(place, scenario=name, **options)
            each.write(page(replace(top_of(material, study), pages=back), sections_of(material)).encode())
        target.write(page(top, sections).encode())
    return target, [] if figures is None else write_figures(Path(figures), sections)


def _pages(overview: Place, study: Study, asked: bool | None) -> dict[str, Place]:
    """By scenario its page beside the overview; none where they are not asked for, or are many."""
    names = [swept.name for swept in swept_studies(study) if swept.name is not None]
    if asked is False or (asked is None and len(names) > _MOST_UNASKED):
        return {}
    stem = overview.name.removesuffix(".html")
    return {name: overview.beside(f"{stem}-{name}.html") for name in names}


def _require_room(target: Place) -> None:
    """A file that may be written: its folder is there, it is no folder, and what is there is an older report."""
    if target.is_folder():
        raise InputError(f"{option('out', target)}: is a folder; name a file such as report.html")
    if target.local is not None:
        home = target.local.parent
        if not home.is_dir():
            raise InputError(f"{option('out', target)}: the folder {home} is not there; make it, or name another file")
        if not os.access(home, os.W_OK):
            raise InputError(f"{option('out', target)}: the folder {home} cannot be written to; name another file")
    if target.is_file():
        with target.open() as stream:
            if bytes(stream.read(len(MARK))) != MARK.encode():
                raise RefusedError(f"{option('out', target)}: is there already and is no report; name another file")
