"""The verbs on folders of results, for whoever writes Python: what the command line prints comes back as objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastexec.arguments import require_one_of, require_path, require_text, require_texts, require_whole
from fastexec.errors import InputError
from fastexec.frames import Frame, rows_html
from fastexec.place import Place
from fastexec.results import Results
from fastexec.runs.job import StudyResult
from fastexec.runs.replay import replay_episode
from fastexec.runs.verify import Verification, verify as verify_folder
from fastexec.statistics.verdict import NEGLIGIBLE
from fastexec.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

Folder = StudyResult | str | Path | Place


@dataclass(frozen=True, repr=False)
class Steps(Frame):
    """Every step of an episode, the `steps` columns: ``to_arrow``, ``to_pandas``, ``to_polars``."""

    table: pa.Table

    def to_arrow(self) -> pa.Table:
        """The `steps` columns."""
        return self.table

    def __repr__(self) -> str:
        return f"Steps(episode {self.table['episode'][0].as_py():,}, {counted(len(self.table), 'row')})"

    def _repr_html_(self) -> str:
        return rows_html(repr(self), self.table)


def replay(
    results: Folder,
    episode: int,
    *,
    strategy: str | None = None,
    scenario: str | None = None,
    plugins: Iterable[str] = (),
    trust: bool = False,
    data: str | Path | None = None,
) -> Steps:
    """Every step of an episode of a run, simulated again from its seed; of every strategy or one.

    results: what ``run`` gave, or its folder. scenario: which one of a sweep. Own strategies run where their file is one of
    ``plugins`` or was recorded by a run or training of yours, or where the whole folder is trusted (``trust``). data: the
    folder of the study's input files, where they lie neither beside it nor where it was run.

    Raises InputError where the folder holds no study, no such episode, strategy or scenario, or code would have to run that
    may not; RefusedError where an input has changed.

    >>> int(fx.replay("results/large_cap", 17, strategy="twap").to_pandas()["shares"].sum())
    30000
    """
    for name, value in (("strategy", strategy), ("scenario", scenario)):
        if value is not None:
            require_text(name, value)
    number = require_whole("episode", episode, 0)
    own = require_texts("plugins", plugins)
    place = _folder_of(results, "replay")
    return Steps(replay_episode(place, number, strategy, scenario, own, _flag("trust", trust), _path("data", data)))


def verify(
    results: Folder,
    *,
    sample: int = 0,
    plugins: Iterable[str] = (),
    trust: bool = False,
    data: str | Path | None = None,
) -> Verification:
    """Check every file of a run: all there, as they were written, adding up. What is wrong stands in ``faults``, a line each;
    the verdict counts as true where there is none.

    results: what ``run`` gave, or its folder. sample: so many chunks are simulated again, compared bit for bit; their own
    strategies run as in ``replay``. Raises InputError where the folder holds no results.

    >>> fx.verify("results/large_cap", sample=1).faults
    []
    """
    place = _folder_of(results, "verify")
    own, number = require_texts("plugins", plugins), require_whole("sample", sample, 0)
    return verify_folder(place, number, own, _flag("trust", trust), _path("data", data))


def report(
    results: Folder,
    *,
    out: str | Path | None = None,
    figures: str | Path | None = None,
    baseline: str | None = None,
    scenario: str | None = None,
    negligible: float = NEGLIGIBLE,
) -> Place:
    """One self-contained HTML page of a run, from its files alone; where it is.

    results: what ``run`` gave, or its folder. out: default FOLDER/report.html. figures: a folder for the same charts as PNG
    and SVG. baseline: default the first TWAP. scenario: that one of a sweep, instead of an overview. negligible: bps; savings
    that are significant and smaller are marked.

    Raises InputError where the folder holds no complete results or a library of the extra `report` is not installed,
    RefusedError where ``out`` is another file.

    >>> print(fx.report("results/large_cap"))
    results/large_cap/report.html
    """
    from fastexec.analysis.report.write import write_report

    words: dict[str, Any] = {"baseline": baseline, "scenario": scenario}
    for name, value in words.items():
        if value is not None:
            require_text(name, value)
    place = _folder_of(results, "report")
    page, _ = write_report(
        place, out=_path("out", out), figures=_path("figures", figures), negligible=negligible, **words
    )
    return page


def _folder_of(results: Any, verb: str) -> Place:
    if isinstance(results, StudyResult):
        return results.folder
    if isinstance(results, Results):
        raise InputError(f"{verb}: results in memory have no files; fastexec.run(study, out=...) writes them")
    if not isinstance(results, Place):
        require_path("results", results)
    return Place.of(results)


def _path(name: str, value: Any) -> Any:
    if value is not None:
        require_path(name, value)
    return value


def _flag(name: str, value: Any) -> bool:
    return bool(require_one_of(name, value, True, False))
