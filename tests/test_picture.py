"""The picture: its panels show the numbers of the files."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from conftest import small_study
from fastexec.analysis import picture
from fastexec.analysis.comparison import compare
from fastexec.errors import InputError
from fastexec.studies.place import Place
from fastexec.studies.run import run
from fastexec.studies.study import Study
from fastexec.studies.sweep import Swept


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("picture") / "r"
    run(Study.model_validate(small_study().model_dump()), out=place)
    return place


@pytest.fixture
def axes():
    return Figure().subplots()


def colours(folder):
    return dict.fromkeys((s.name for s in Study.load(folder / "study.toml").strategies), "black")


def test_a_png_with_four_panels(folder, tmp_path):
    path = picture.draw_overview(folder, tmp_path / "f" / "overview.png")
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data) > 50_000
    assert [p.name for p in path.parent.iterdir()] == ["overview.png"]


def test_savings_are_those_of_the_comparison(folder, axes):
    comparison = compare(folder)
    picture._savings(axes, comparison, colours(folder))
    rows = list(reversed(comparison.table.to_pylist()))
    marks = [line for line in axes.get_lines() if line.get_marker() == "o"]
    kinds = ["" if row["saving_cv_bps"] is None else "_cv" for row in rows]
    assert [line.get_xdata()[0] for line in marks] == [
        row[f"saving{k}_bps"] for row, k in zip(rows, kinds, strict=True)
    ]
    bars = [line.get_xdata() for line in axes.get_lines() if line.get_marker() == "|"]
    wanted = [[row[f"ci_low{k}_bps"], row[f"ci_high{k}_bps"]] for row, k in zip(rows, kinds, strict=True)]
    np.testing.assert_array_equal(bars, wanted)


def test_parts_stack_up_to_the_shortfall(folder, axes):
    summary = compare(folder).summaries[""]
    picture._parts(axes, summary)
    heights = np.zeros(len(summary))
    for container in axes.containers:
        heights += [patch.get_height() for patch in container]
    np.testing.assert_allclose(heights, summary["shortfall_mean_bps"].to_numpy(), atol=2e-3)


def test_densities_integrate_to_nearly_one_and_schedules_to_the_order(folder, axes):
    swept, names = Swept(None, Study.load(folder / "study.toml")), colours(folder)
    picture._distributions(axes, Place.of(folder), swept, compare(folder).summaries[""], names)
    for line in axes.get_lines():
        x, y = line.get_data()
        assert np.sum(y) * (x[1] - x[0]) == pytest.approx(1.0, abs=1e-9)
    schedules = Figure().subplots()
    picture._schedules(schedules, Place.of(folder), swept, names)
    for line in schedules.get_lines():
        assert np.sum(line.get_ydata()) == pytest.approx(100.0, abs=1e-6)


def test_without_rows_quantiles_stand_in(tmp_path):
    study = small_study(output={"rows": "none"})
    run(Study.model_validate(study.model_dump()), out=tmp_path / "r")
    assert picture.draw_overview(tmp_path / "r", tmp_path / "o.png").exists()


def test_without_matplotlib_one_line_says_what_to_install(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(InputError, match=r'pip install "fastexec\[report\]"'):
        picture.draw_overview(folder, tmp_path / "o.png")


def test_no_results_no_picture(tmp_path):
    with pytest.raises(InputError, match="holds no results"):
        picture.draw_overview(tmp_path, tmp_path / "o.png")
    assert not (tmp_path / "o.png").exists()
