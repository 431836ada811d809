"""The benchmark suite's own arithmetic, tables and refusals; nothing here is held to a time."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import record
import section
import show
from baselines.numpy_market import numpy_mini_project
from figures import growth_of, noise_of, rows_of, samples_of
from jobs.catalogue import catalogue, chosen, turns
from jobs.engine import market_alone
from jobs.job import OFTEN, PROCESSOR, RETURNED, Job, Size

import fastexec as fx

ROOT = Path(__file__).resolve().parent.parent


def job(name: str, **more: Any) -> Job:
    return Job(name, more.pop("group", "engine"), lambda threads: lambda: None, **more)


JOBS = [
    job("draws", group="floors", work=100.0, unit="path-step"),
    job("ours", work=100.0, unit="path-step", all_threads=True, floor=("draws",), baselines=("numpy", "JAX")),
    job("numpy", group="baselines", work=50.0, unit="path-step"),
    job("JAX", group="baselines", work=50.0, unit="path-step"),
    job("files", group="output", work=10.0, unit="row", measured=PROCESSOR),
    job("memory", group="memory", unit="MB", measured=RETURNED),
    *(job(f"{n} steps", group="growth", growth=("steps", n)) for n in (10, 100, 1000)),
]


def timed(name: str, number: int, wall: float, threads: int = 1, **noted: float) -> dict[str, Any]:
    extra = {"job": name, "threads": threads, "round": number, "processor_s": wall, **noted}
    return {"extra_info": extra, "stats": {"median": wall}}


def benchmarks(slower: float = 1.0) -> list[dict[str, Any]]:
    """Three rounds; in the last everything takes ten times as long, as on a machine that others use."""
    found = []
    for number, slow in enumerate((1.0, 1.01, 10.0)):
        found += [
            timed("draws", number, 1e-6 * slow),
            timed("ours", number, 2e-6 * slow * slower),
            timed("ours", number, 1e-6 * slow * slower, threads=2),
            timed("numpy", number, 4e-6 * slow),
            timed("files", number, 1e-3, processor_s=2e-3 * slow),
            timed("memory", number, 1.0, returned=250.0),
            *(timed(f"{n} steps", number, n * 1e-3 * slow) for n in (10, 100, 1000)),
        ]
    return found


@pytest.fixture
def run() -> dict[str, Any]:
    """A run of the suite as its file holds it."""
    samples = samples_of(benchmarks(), JOBS)
    rows = rows_of(JOBS, samples, {"JAX": "No module named 'jax'"}, 2)
    notes = {"quick": True, "only": "", "jax_batch": 4096, "kernels_ready_s": 1.0, "took_s": 9.0}
    made = record.record(rows, growth_of(JOBS, samples), notes)
    return json.loads(json.dumps(made))


def row(run: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in run["jobs"] if row["name"] == name)


def test_ratios_come_from_the_same_round(run):
    ours = row(run, "ours")
    assert ours["one"]["median"] == pytest.approx(2.02e-8)
    assert ours["floor"] == pytest.approx(2.0), "the round that took ten times as long slowed both"
    assert ours["faster"] == pytest.approx(2.0)
    assert ours["baselines"] == {"numpy": pytest.approx(4.0), "JAX": None}


def test_processor_time_and_what_a_call_returned_are_figures_too(run):
    assert row(run, "files")["one"]["median"] == pytest.approx(2.02e-4)
    assert row(run, "memory")["one"] == {"median": 250.0, "noise": 0.0, "rounds": 3}


def test_noise_is_half_the_distance_between_quartiles():
    values = np.random.default_rng(1).normal(10.0, 1.0, 1000)
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    assert noise_of(values.tolist()) == pytest.approx((high - low) / 2.0 / middle)


def test_growth_shows_what_is_not_linear():
    points = [timed(f"{n} steps", 0, 1e-6 * n**2) for n in (10, 100, 1000)]
    (series,) = growth_of(JOBS, samples_of(points, JOBS))
    assert series["exponent"] == pytest.approx(2.0)


def printed(run: dict[str, Any], changed: dict[str, tuple[float, bool]] | None = None) -> str:
    out = show.console(width=100)
    with out.capture() as caught:
        show.show(run, changed, out)
    return caught.get()


def test_table_is_plain_and_fits_a_hundred_columns(run):
    text = printed(run)
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    line = next(line for line in text.splitlines() if line.startswith("  ours"))
    assert line.split() == "ours 49.5 M 99 M (2.00) 2.00 numpy 4.00, JAX missing".split() + [
        f"{row(run, 'ours')['one']['noise']:.1%}"
    ]
    assert "No module named 'jax'" in text
    assert "draws" not in text, "a floor shows as a ratio"
    assert [line.split()[-3:] for line in text.splitlines() if line.startswith("steps")] == [
        ["1.00", "1.01", "ms"]
    ] or ("1.00" in text and "1.01 ms" in text)


def test_against_marks_a_planted_change_and_not_noise(run):
    steady = copy.deepcopy(run)
    for one in steady["jobs"]:
        if "one" in one:
            one["one"]["noise"] = 0.02
    later = copy.deepcopy(steady)
    row(later, "ours")["one"]["median"] *= 1.2
    row(later, "files")["one"]["median"] *= 1.06
    row(later, "memory")["one"]["median"] *= 0.8
    row(later, "numpy")["work"] = 7.0
    changed = record.changes(later, steady)
    assert {name: real for name, (_, real) in changed.items()} == {
        "draws": False,
        "ours": True,
        "files": False,
        "memory": True,
    }
    text = printed(later, changed)
    assert "! +20.0%" in text
    assert " +6.0%" in text
    assert "! -20.0%" in text
    assert "4 jobs compared: 1 slower, 1 faster" in text
    assert max(map(len, text.splitlines())) <= 100


def bench(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", ROOT / "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(path: Path, run: Any) -> Path:
    path.write_text(run if isinstance(run, str) else json.dumps(run))
    return path


def test_another_machine_is_refused(run, tmp_path):
    run["machine"]["processor"] = "another one"
    done = bench("--against", write(tmp_path / "theirs.json", run))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "another machine (processor: 'another one'" in done.stderr


BAD = {
    "missing": (None, "cannot be read"),
    "no JSON": ('{"kind": ', "is no JSON"),
    "binary": ("\x00\x01", "is no JSON"),
    "another's": ('{"jobs": []}', "is no run of this suite"),
    "a list": ("[1]", "is no run of this suite"),
    "another schema": ('{"kind": "fastexec benchmark", "schema": 99}', "schema 99"),
    "damaged": ('{"kind": "fastexec benchmark", "schema": 1, "jobs": [{}], "growth": []}', "is damaged"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_file_is_one_line(name, tmp_path):
    text, told = BAD[name]
    path = tmp_path / "earlier.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(record.RecordError, match=told) as caught:
        record.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.processes
def test_bad_words_are_one_line_before_anything_is_measured(tmp_path):
    for words, told in (
        (("--out", tmp_path / "nowhere" / "x.json"), "there is no folder"),
        (("--out", tmp_path), "is a folder"),
        (("--against", tmp_path), "cannot be read"),
        (("--only", "no such job"), "leave it out for all"),
        (("--readme", "--only", "normals"), "--readme needs every figure"),
        (("--fast",), "unrecognized arguments"),
    ):
        done = bench(*words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert told in done.stderr, words
        assert done.stderr.count("\n") == 1, words


def test_readme_is_not_made_from_a_part(run, tmp_path):
    done = bench("--readme", "--from", write(tmp_path / "part.json", {**run, "only": "normals"}))
    assert (done.returncode, done.stdout) == (2, "")
    assert "--readme needs every figure" in done.stderr


def test_a_stored_run_shows_without_measuring(run, tmp_path):
    done = bench("--from", write(tmp_path / "run.json", run), "--against", tmp_path / "run.json")
    assert done.returncode == 0, done.stderr
    assert "5 jobs compared: 0 slower, 0 faster" in done.stdout


@pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="a source tree without its README")
@pytest.mark.parametrize(("page", "figures"), [("README.md", section.front), ("bench/README.md", section.section)])
def test_pages_hold_the_figures_of_the_stored_run(page, figures):
    stored = record.load(ROOT / "bench" / "figures.json")
    assert section.between(ROOT / page) == figures(stored), "run `python3 scripts/bench.py --readme`"


def test_the_front_page_names_jobs_that_are_measured():
    assert set(section.FRONT) <= {job["name"] for job in record.load(ROOT / "bench" / "figures.json")["jobs"]}


def test_readme_is_rewritten_between_its_markers(run, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{section.BEGIN}\nold\n{section.END}\nafter\n")
    section.rewrite(readme, section.section(run))
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert section.between(readme) == section.section(run)
    assert "| ours | 49.5 M path-steps | 99 M (2.00) | 2.00 | numpy 4.00, JAX missing |" in text
    readme.write_text("no markers")
    with pytest.raises(record.RecordError, match="README.md: needs the lines"):
        section.rewrite(readme, section.section(run))


@pytest.mark.parametrize("quick", [True, False])
def test_jobs_have_names_of_their_own_and_partners_in_the_same_rounds(quick):
    size = Size(quick)
    jobs = catalogue(size)
    by_name = {job.name: job for job in jobs}
    assert len(by_name) == len(jobs)
    for job in jobs:
        for other in (*job.floor, *job.baselines):
            assert by_name[other].unit == job.unit, f"{job.name} and {other} are not the same work"
    order = [(job.name, number) for job, _, number in turns(chosen(size, "strategies"), {"often": 2, "seldom": 1})]
    first, second = [name for name, n in order if n == 0], [name for name, n in order if n == 1]
    assert order == [(name, 0) for name in first] + [(name, 1) for name in second], "round after round"
    assert {"one strategy", "numpy twin", "JAX"} <= set(first)
    assert size.rounds[OFTEN] >= 5


def test_baselines_play_the_same_market():
    """Means of 32,768 episodes within 5 standard errors: spread and temporary cost of TWAP, and the whole with timing."""
    study = fx.Study.preset("mini_project_honest", ["episodes=32768"])
    ours = {name: values[::2] for name, values in fx.simulate(study).episodes.items()}
    error = {name: values.std() / np.sqrt(32_768 / 2) for name, values in ours.items() if name.endswith("_bps")}
    timing, spread, temporary = numpy_mini_project(32_768)
    assert abs(timing - ours["timing_bps"].mean()) < 5 * error["timing_bps"]
    assert abs(spread - ours["spread_bps"].mean()) < 5 * error["spread_bps"]
    assert abs(temporary - ours["temporary_bps"].mean()) < 5 * error["temporary_bps"]
    for name, mean in others():
        assert abs(mean - ours["shortfall_bps"].mean()) < 5 * error["shortfall_bps"], name


def test_the_market_alone_is_walked_by_the_same_kernel():
    """It takes every table of the strategies, and no strategy: its door refuses what does not fit."""
    market_alone(fx.Study.preset("mini_project_honest"), 256)(1)()


def others() -> list[tuple[str, float]]:
    """The baselines of the bench extra that are installed."""
    found = []
    try:
        from baselines.gymnasium_market import gymnasium_mini_project

        found.append(("gymnasium", gymnasium_mini_project(32_768)))
    except ImportError:
        pass
    command = [sys.executable, ROOT / "bench" / "baselines" / "jax_market.py", "4096"]
    done = subprocess.run(command, input="32768\n", capture_output=True, text=True, check=False)
    if "No module named 'jax'" not in done.stderr:
        found.append(("jax", float(done.stdout.splitlines()[-1])))
    return found
