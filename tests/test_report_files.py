"""The report's files: tables that are the Parquet's, hostile names that stay text, bad places that stay as they were."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from markupsafe import escape

from conftest import small_study
from fastexec.analysis.comparison import compare
from fastexec.analysis.report import material as material_module
from fastexec.analysis.report.charts import thinned
from fastexec.analysis.report.figures import draw, write_figures
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.page import MARK
from fastexec.analysis.report.plotly_view import view
from fastexec.analysis.report.sections import sections_of
from fastexec.analysis.report.sentence import answer
from fastexec.analysis.report.write import write_report
from fastexec.errors import InputError, RefusedError
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.studies.study import Study


def study_of(**changes):
    return Study.model_validate(small_study(**changes).model_dump())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("report") / "r"
    run(study_of(), out=place, chunk=256)
    return place


@pytest.fixture(scope="module")
def material(folder):
    return open_results(Place.of(folder), None, None)


@pytest.fixture(scope="module")
def charts(material):
    return {chart.key: chart for section in sections_of(material) for chart in section.charts}


def csv_of(text, name):
    link = re.search(rf'download="{re.escape(name)}" href="data:text/csv;base64,([^"]*)"', text).group(1)
    return pd.read_csv(io.BytesIO(base64.b64decode(link)))


def test_the_page_holds_its_tables_as_csv_and_nothing_from_elsewhere(folder, material, tmp_path):
    place, pictures = write_report(folder, out=tmp_path / "r.html")
    text = place.read_text()
    assert text.startswith(MARK)
    assert pictures == []
    assert escape(answer(material)) in text
    found = csv_of(text, "comparison.csv")["saving_bps"].to_numpy()
    np.testing.assert_allclose(found, material.comparison.table["saving_bps"].to_numpy(), rtol=1e-5)
    assert csv_of(text, "parts.csv")["shortfall_bps"].to_numpy() == pytest.approx(
        np.sort(material.mean_costs())[::-1], rel=1e-5
    )
    assert not re.search(r'(src|href)="(?!data:|#)', text.split("<script")[0])
    assert list(tmp_path.iterdir()) == [tmp_path / "r.html"]
    write_report(folder, out=tmp_path / "r.html")
    assert place.read_text() == text, "the same files, another page"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swept") / "r"
    sweep = {"order.shares": [600, 1200], "market.price.volatility": [0.0005, 0.001]}
    run(Study.from_dict({**small_study().model_dump(), "sweep": sweep, "episodes": 200}), out=folder)
    return folder


def test_a_sweep_says_who_was_cheapest_where(swept):
    text = write_report(swept, pages=False)[0].read_text()
    assert re.search(r"Cheapest: \w+ in \d of 4", text)
    table = csv_of(text, "sweep_savings.csv")
    assert len(table) == 4 * 5
    assert table[table["strategy"] == "pov10"]["low_bps"].lt(table["saving_bps"]).any()
    assert table["low_bps"].le(table["saving_bps"]).all()
    one = write_report(swept, scenario=compare(swept).table["scenario"][0].as_py())[0]
    assert one.name.startswith("report-")
    with pytest.raises(InputError, match="no scenario of that name"):
        write_report(swept, scenario="nowhere")


@pytest.mark.processes
def test_a_sweep_has_its_pictures(swept, tmp_path):
    pictures = write_report(swept, out=tmp_path / "r.html", figures=tmp_path / "f", pages=False)[1]
    assert len(pictures) == len(list((tmp_path / "f").iterdir())) > 2


def test_hostile_names_stay_text(folder, material, charts, tmp_path, monkeypatch):
    """Studies refuse such names; files that were tampered with must not run anything either."""
    evil = '</script><script>alert(1)</script><b>$x^2$ & "q"'
    strategies = [s.model_copy(update={"name": evil} if s.name == "pov10" else {}) for s in material.study.strategies]
    study = material.study.model_copy(update={"strategies": tuple(strategies)})
    monkeypatch.setattr(material_module.Material, "study", property(lambda self: study))
    monkeypatch.setattr(material_module.Material, "win_rate", lambda self, name: 0.5)
    summary = material.summary.to_pandas()
    summary["strategy"] = [evil if name == "pov10" else name for name in summary["strategy"]]
    monkeypatch.setattr(material_module.Material, "summary", property(lambda self: pa.Table.from_pandas(summary)))
    text = write_report(folder, out=tmp_path / "r.html")[0].read_text()
    assert "<script>alert" not in text
    assert escape(evil) in text
    data = json.loads(re.search(r'id="charts">(.*?)</script>', text, re.DOTALL).group(1))
    assert html.escape(evil, quote=False) in {t["name"] for t in data["distribution"][0]["data"]}


def test_both_renderers_draw_every_view(charts, tmp_path):
    import plotly.graph_objects as go

    for chart in charts.values():
        for name, panels in list(chart.views.items())[:2]:
            found = view(panels, chart.height)
            go.Figure(data=found["data"], layout=found["layout"])  # refuses what plotly does not know
            assert all(axes.has_data() for axes in draw(chart, name, panels).axes)


def test_pictures_are_png_and_svg_and_the_same_twice(material, tmp_path):
    sections = [s for s in sections_of(material) if s.key == "savings"]
    for name in ("a", "b"):
        write_figures(tmp_path / name, sections)
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "parts.png",
        "parts.svg",
        "savings.png",
        "savings.svg",
    ]
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_thinning_keeps_the_mean():
    values = np.arange(1000.0).reshape(2, 500)
    assert thinned(values, 100).shape == (2, 100)
    assert thinned(values, 100).mean() == pytest.approx(values.mean())


@pytest.mark.parametrize("module", ["plotly.offline", "itables", "jinja2", "matplotlib.figure"])
def test_without_a_library_one_line_says_what_to_install(folder, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r'pip install "fastexec\[report\]"'):
        write_report(folder, out=tmp_path / "r.html", figures=tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_bad_places_write_nothing(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.html").write_text("mine")
    for given, options, kind, said in (
        (tmp_path / "absent", {}, InputError, "holds no results"),
        (tmp_path / "empty", {}, InputError, "holds no results"),
        (tmp_path / "notes.html", {}, InputError, "holds no results"),
        (folder, {"out": ""}, InputError, "is empty"),
        (folder, {"out": tmp_path / "empty"}, InputError, "is a folder"),
        (folder, {"out": tmp_path / "no" / "r.html"}, InputError, "is not there"),
        (folder, {"out": tmp_path / "notes.html"}, RefusedError, "is no report"),
        (folder, {"figures": tmp_path / "notes.html"}, InputError, "is a file"),
        (folder, {"baseline": "twpa"}, InputError, "did you mean 'twap'"),
    ):
        with pytest.raises(kind, match=re.escape(said)):
            write_report(given, **options)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "notes.html"]
    assert (tmp_path / "notes.html").read_text() == "mine"
    assert not (folder / "report.html").exists()


def test_incomplete_or_altered_results_are_refused(tmp_path):
    run(study_of(), out=tmp_path / "r", chunk=256)
    part = tmp_path / "r" / "episodes" / "part-000000000256.parquet"
    held = part.read_bytes()
    part.unlink()
    with pytest.raises(InputError, match=r"part-000000000256.parquet: is missing"):
        write_report(tmp_path / "r")
    part.write_bytes(held[:-200])
    with pytest.raises(InputError, match="bytes where the manifest says"):
        write_report(tmp_path / "r")
    part.write_bytes(held)
    toml = tmp_path / "r" / "study.toml"
    toml.write_text(toml.read_text().replace("seed = 5", "seed = 6"))
    with pytest.raises(InputError, match=r"study\.toml: has changed"):
        write_report(tmp_path / "r")
    (tmp_path / "r" / "manifest.parquet").unlink()
    with pytest.raises(InputError, match="not complete"):
        write_report(tmp_path / "r")
    assert not (tmp_path / "r" / "report.html").exists()
