"""Footnotes: each sign stands at the cell that its note speaks of, in the console's tables, the report's and a sweep's."""

from __future__ import annotations

import re

import pytest

import fastexec as fx
from conftest import SMALL
from fastexec.analysis.footnotes import FOOTNOTES, footnotes, sign_at
from fastexec.analysis.report.write import write_report
from fastexec.cli.savings import show_comparison
from fastexec.place import Place
from fastexec.runs.summary_file import read_summary
from fastexec.studies.study import Study

#: pov02 leaves much to the horizon, static_optimum and random are controls, the volumes make heavy tails.
STUDY = {
    **SMALL, "episodes": 400, "market": {**SMALL["market"], "volume": {"model": "lognormal", "mean": 1000.0, "volatility": 1.0,
    "day_volatility": 3.0, "floor": 1e-9}}, "costs": {"temporary": {"model": "power", "coefficient": 0.001, "exponent": 1.0}},
    "strategies": [{"model": "twap"}, {"model": "pov", "name": "pov02", "rate": 0.02}, {"model": "static_optimum"}],
}  # fmt: skip
CELL = re.compile(r"<td[^>]*?(?:data-label=\"([^\"]*)\")?>(?:(?!</td>).)*</td>", re.DOTALL)


@pytest.fixture(scope="module", params=[{}, {"sweep": {"order.shares": [600, 1200]}}], ids=["study", "sweep"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("notes") / "r"
    fx.run(Study.from_dict({**STUDY, **request.param}), out=place)
    return place


def summary_rows(folder):
    from fastexec.runs.store import read_study

    return read_summary(Place.of(folder), read_study(Place.of(folder))).to_pylist()


def test_signs_are_one_each_and_every_note_begins_with_its_own(folder):
    assert len({note.sign for note in FOOTNOTES}) == len(FOOTNOTES)
    told = [note for note in fx.compare(folder).notes if note[0] in "*+~°"]
    assert {note[0] for note in told} == {"*", "+", "~"}
    assert all(note[1] == " " for note in told)


def test_in_the_page_each_sign_stands_in_its_column_where_its_note_concerns_the_row(folder):
    text = write_report(folder, out=folder.parent / "page.html", pages=False)[0].read_text()
    body = text.split("<tbody>")[1].split("</tbody>")[0]
    found = []
    for row in body.split("<tr")[1:]:
        signs = {"strategy": "", "cost": "", "done": ""}
        for attributes, inner in re.findall(r"<td([^>]*)>(.*?)</td>", row, re.DOTALL):
            sign = "".join(re.findall(r'<span class="sign">([^<]*)</span>', inner))
            label = re.search(r'data-label="(\w+)', attributes)
            column = "strategy" if "strategy" in attributes else label.group(1) if label else "none"
            if sign:
                signs[column] += sign
        found.append(signs)
    wanted = [{column: sign_at(column, row) for column in ("strategy", "cost", "done")} for row in summary_rows(folder)]
    key = lambda signs: sorted(signs.items())  # noqa: E731 - the page is sorted by cost, the summary is not
    assert sorted(found, key=key) == sorted(wanted, key=key)
    assert {sign for signs in wanted for sign in "".join(signs.values())} == {"*", "+", "~"}


def test_in_the_console_numbers_stand_under_one_another_with_their_signs(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    show_comparison(fx.compare(folder), "table")
    lines = capsys.readouterr().out.splitlines()
    assert all(re.search(r"\d\*", line) for line in lines if line.startswith("pov02"))
    assert any(line.startswith("static_optimum+") for line in lines)
    points = {line.index(".") for line in lines if line.startswith(("twap", "pov02", "static"))}
    assert len(points) == 1


def test_a_calm_study_has_no_signs(tmp_path):
    calm = {**SMALL, "episodes": 200, "strategies": [{"model": "twap"}, {"model": "vwap"}]}
    result = fx.run(Study.from_dict(calm), out=tmp_path / "r")
    assert footnotes(Study.from_dict(calm), [read_summary(Place.of(tmp_path / "r"), Study.from_dict(calm))]) == []
    assert result is not None
