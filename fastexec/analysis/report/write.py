"""Write the report of a folder, and on request its charts as pictures."""

from __future__ import annotations

import os
from pathlib import Path

from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.page import MARK, page, require_libraries
from fastexec.analysis.report.sections import sections_of
from fastexec.errors import InputError, RefusedError
from fastexec.studies import store


def write_report(
    folder: str | Path, *, out: str | Path | None = None, figures: str | Path | None = None, baseline: str | None = None
) -> tuple[Path, list[Path]]:
    """One self-contained HTML page (default DIR/report.html); with ``figures`` a folder of PNG and SVG of the same charts.

    Returns the page's path and the pictures'. Raises InputError where the folder holds no complete results, a library is
    not installed or a path cannot be one, RefusedError where ``out`` is another file, and then nothing is written.
    """
    require_libraries()
    folder = Path(folder)
    material = open_results(folder, baseline)
    path = Path(out) if out is not None else folder / "report.html"
    _require_place(path)
    if figures is not None:
        from fastexec.analysis.report.figures import require_figures

        require_figures(Path(figures))
    sections = sections_of(material)
    store.write_text(path, page(material, sections))
    if figures is None:
        return path, []
    from fastexec.analysis.report.figures import write_figures

    return path, write_figures(Path(figures), sections)


def _require_place(path: Path) -> None:
    """A file that may be written: its folder is there, it is no folder, and what is there is an older report."""
    if path.is_dir():
        raise InputError(f"--out {path}: is a folder; name a file such as report.html")
    if not path.parent.is_dir():
        raise InputError(f"--out {path}: the folder {path.parent} is not there; make it, or name another file")
    if not os.access(path.parent, os.W_OK):
        raise InputError(f"--out {path}: the folder {path.parent} cannot be written to; name another file")
    if path.exists():
        with path.open("rb") as file:
            if file.read(len(MARK)) != MARK.encode():
                raise RefusedError(f"--out {path}: is there already and is no report; name another file")
