"""What ``check`` doubts: the same lines in a run, its result, its footer, ``compare`` and the report, however it was cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastexec.analysis.comparison import compare
from fastexec.analysis.report.write import write_report
from fastexec.place import Place
from fastexec.planning.doubts import doubts_of, volatility_a_year
from fastexec.planning.expectation import expect
from fastexec.runs import store
from fastexec.runs.check import examine
from fastexec.runs.check_sweep import examine_any
from fastexec.runs.merge import merge
from fastexec.runs.run import run
from fastexec.studies.study import Study

QUIET = {"order": {"shares": 1000, "steps": 20}, "market": {"price": {"volatility": 0.0005}}}
VOLUME = {"model": "constant", "mean": 1000.0}


def study_of(**changes: Any) -> Study:
    base = {"name": "doubts", "episodes": 64, "strategies": [{"model": "twap"}, {"model": "immediate"}]}
    return Study.from_dict({**base, **QUIET, **changes})


def priced(**price: Any) -> dict[str, Any]:
    return {"market": {"price": price}}


def page_of(folder: Path, **options: Any) -> str:
    write_report(str(folder), out=str(folder.parent / "page.html"), **options)
    return (folder.parent / "page.html").read_text("utf-8")


DOUBTFUL = {
    "many times the volume": (
        {"order": {"shares": 166_600, "steps": 20}, "market": {"volume": VOLUME}},
        "the order is 833% of the market's expected volume",
    ),
    "a third of the volume": (
        {"order": {"shares": 6000, "steps": 20}, "market": {"volume": VOLUME}},
        "the order is 30% of the market's expected volume",
    ),
    "a price below 0": (priced(model="arithmetic", volatility=50.0), "may fall below 0 within the order"),
    "a drift below 0": (priced(model="arithmetic", volatility=0.01, drift=-6.0), "may fall below 0 within the order"),
    "half a percent a year": (priced(volatility=1.6e-5), "volatility is 0.502 % a year (252 days of 6.5 hours)"),
    "of a day in a minute": (priced(volatility=0.02), "volatility is 627 % a year"),
    "of a year in an hour": (
        {"order": {"shares": 1000, "steps": 5, "step_seconds": 3600.0}, **priced(model="arithmetic", volatility=20.0)},
        "volatility is 809 % a year",
    ),
    "of a day in a second, jumping": (
        {
            "order": {"shares": 1000, "steps": 20, "step_seconds": 1.0},
            "market": {"price": {"volatility": 0.02}, "jumps": {"rate": 0.01, "volatility": 0.005}},
        },
        "volatility is 4,858 % a year",
    ),
    "paths that collapse": (priced(volatility=0.5), "half of the paths end below 0.082 of the arrival price"),
    "a range that collapses": (
        priced(volatility={"low": 0.001, "high": 0.3}),
        "half of the paths end below 0.41 of the arrival price",
    ),
    "jumps that collapse": (
        {"market": {"price": {"volatility": 0.001}, "jumps": {"rate": 0.5, "volatility": 0.8}}},
        "half of the paths end below",
    ),
}


@pytest.mark.parametrize("name", list(DOUBTFUL))
def test_check_run_result_footer_compare_and_report_say_the_same(name: str, tmp_path: Path) -> None:
    changes, wanted = DOUBTFUL[name]
    study = study_of(**changes)
    said = examine(study).warnings
    assert [line for line in said if wanted in line], said
    result = run(study, out=tmp_path / "r")
    assert result.warnings == said
    assert store.read_footer(Place.of(tmp_path / "r" / "summary.parquet"))["warnings"] == {"": said}
    assert compare(tmp_path / "r").warnings == said
    assert run(study, out=tmp_path / "r").warnings == said  # complete: nothing is simulated
    page = page_of(tmp_path / "r")
    for line in said:
        assert f"Warning: {line}".replace("'", "&#39;") in page


def test_what_is_usual_is_not_doubted(tmp_path: Path) -> None:
    assert examine(study_of()).warnings == []
    result = run(study_of(), out=tmp_path / "r")
    assert result.warnings == compare(tmp_path / "r").warnings == []
    assert store.read_footer(Place.of(tmp_path / "r" / "summary.parquet"))["warnings"] == {}
    still = study_of(**priced(volatility=0.0))  # as meant
    assert examine(still).warnings == []
    assert study_of(**priced(volatility=0.2)).order.steps == 20
    assert not any("half of the paths" in line for line in examine(study_of(**priced(volatility=0.2))).warnings)


def test_doubts_are_the_same_after_shards_resume_and_threads(tmp_path: Path) -> None:
    study = study_of(**DOUBTFUL["a price below 0"][0], episodes=8192)
    for first in (0, 4096):
        run(study, out=tmp_path / f"s{first}", first_episode=first, episodes=4096, chunk=4096, threads=1)
    run(study.changed({"episodes": 4096}), out=tmp_path / "resumed", chunk=4096, threads=2)
    results = [
        run(study, out=tmp_path / "whole", chunk=4096, threads=1),
        run(study, out=tmp_path / "resumed", resume=True),
        merge([tmp_path / "s4096", tmp_path / "s0"], tmp_path / "merged"),
    ]
    assert results[0].warnings
    assert [result.warnings for result in results] == 3 * [results[0].warnings]
    footers = [
        store.read_footer(Place.of(tmp_path / name / "summary.parquet")) for name in ("whole", "resumed", "merged")
    ]
    assert footers[1:] == footers[:-1]
    files = [(tmp_path / name / "summary.parquet").read_bytes() for name in ("whole", "resumed", "merged")]
    assert files[1:] == files[:-1]


def test_of_a_sweep_each_scenario_has_its_own(tmp_path: Path) -> None:
    study = study_of(sweep={"market.price.volatility": [0.0005, 0.001, 0.02]})
    result = run(study, out=tmp_path / "r")
    (line,) = result.warnings
    names = [str(scenario.name) for scenario in study.scenarios()]
    assert line.startswith(f"{names[2]}: the price's volatility is 627 % a year")
    assert compare(tmp_path / "r").warnings == result.warnings == examine_any(study).warnings
    assert compare(tmp_path / "r", scenario=names[2]).warnings == [line.removeprefix(f"{names[2]}: ")]
    assert compare(tmp_path / "r", scenario=names[0]).warnings == []
    page = page_of(tmp_path / "r")
    assert '<p class="warning">' in page
    assert '<p class="warning">' not in page_of(tmp_path / "r", scenario=names[0])


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, 0.0005 * np.sqrt(252 * 390)),
        ({"order": {"shares": 1000, "steps": 5, "step_seconds": 23_400.0}, **priced(volatility=0.02)}, 0.02 * 252**0.5),
        (priced(model="arithmetic", volatility=0.05), 0.0005 * np.sqrt(252 * 390)),
        (priced(volatility=0.0005, diurnal=[3.0, 1.0, 2.0]), 0.0005 * np.sqrt(252 * 390)),
        (
            priced(volatility={"low": 0.0, "high": 0.001}),  # the root of the mean square
            0.001 / np.sqrt(3) * np.sqrt(252 * 390),
        ),
    ],
)
def test_check_says_the_volatility_a_year(changes: dict[str, Any], wanted: float) -> None:
    study = study_of(**changes)
    assert volatility_a_year(study, expect(study)[0]) == pytest.approx(wanted, rel=1e-12)
    assert dict(examine(study).known)["volatility"].startswith(f"{100 * wanted:.3g} % a year (252 days of 6.5 hours)")


@pytest.mark.parametrize(("volatility", "steps", "believed"), [(0.5, 20, False), (0.2, 100, False), (0.01, 390, True)])
def test_sums_of_paths_that_collapse_miss_their_mean(volatility: float, steps: int, believed: bool) -> None:
    """Why it is said: how often the 95 % interval of a mean of 2,000 such prices, drawn here, holds its true mean."""
    variance = volatility**2 * steps
    ends = np.exp(np.sqrt(variance) * np.random.default_rng(5).standard_normal((500, 2000)) - 0.5 * variance)
    half = 1.96 * ends.std(axis=1, ddof=1) / np.sqrt(2000)
    assert ((abs(ends.mean(axis=1) - 1.0) <= half).mean() > 0.92) == believed
    study = study_of(order={"shares": 1000, "steps": steps}, **priced(volatility=volatility))
    said = doubts_of(study, expect(study)[0])
    assert any("half of the paths end below" in line for line in said) == (not believed)


@pytest.mark.parametrize(
    "costs",
    [
        {"temporary": {"coefficient": 1e307}},
        {"temporary": {"model": "linear", "coefficient": 1e306}},
        {"transient": {"coefficient": 1e307, "exponent": 0.5}},
        {"permanent": {"coefficient": 1e306}},
    ],
)
def test_costs_beyond_float64_leak_no_warning(costs: dict[str, Any]) -> None:
    study = study_of(costs=costs, strategies=[{"model": "twap"}, {"model": "immediate"}])
    assert doubts_of(study, expect(study)[0]) == doubts_of(study, expect(study)[0])
