"""What is printed of costs and savings: they add up, look the same at any width, and claim no more than they may."""

from __future__ import annotations

import re

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import small_study
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.sentence import answer
from fastexec.analysis.report.top import top_of
from fastexec.cli.savings import show_comparison
from fastexec.errors import InputError
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.statistics.paired import from_summary, printed_costs, rounding, sharper
from fastexec.statistics.verdict import Difference, Judge, decimals, told_with_interval
from fastexec.studies.study import Study

ROW = re.compile(r"^(\S+) +([\d.,]+)(?: +([\d.]+))? +(?:([+-][\d.,]+) \[([+-][\d.,]+), ([+-][\d.,]+)\])?", re.MULTILINE)


def made(place, **changes):
    run(Study.model_validate(small_study(**changes).model_dump()), out=place)
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A market whose moves hide the savings unless they are taken out."""
    return made(tmp_path_factory.mktemp("verdicts") / "r", market={"price": {"volatility": 0.01}}, episodes=900)


def shown_at(width, folder, monkeypatch, capsys, **options):
    monkeypatch.setenv("COLUMNS", str(width))
    show_comparison(fx.compare(folder), "table", **options)
    return capsys.readouterr().out


def test_the_printed_cost_is_the_baselines_minus_the_printed_saving(folder, monkeypatch, capsys):
    text = shown_at(160, folder, monkeypatch, capsys)
    rows = {found[1].rstrip("*+"): found for found in ROW.finditer(text)}
    base = float(rows["twap"][2])
    assert len(rows) == 6
    costs = [float(found[2]) for found in rows.values()]
    assert costs == sorted(costs)
    for name, found in rows.items():
        if name != "twap":
            assert float(found[2]) == pytest.approx(base - float(found[4]), abs=1e-9)
    summary = pq.read_table(folder / "summary.parquet").to_pylist()
    raw = {row["strategy"]: row["shortfall_mean_bps"] for row in summary}
    assert max(abs(float(rows[name][2]) - raw[name]) for name in raw) > 1.0, "the moves are taken out"


def test_narrow_and_wide_show_the_same_numbers_under_the_same_names(folder, monkeypatch, capsys):
    wide, narrow = (shown_at(width, folder, monkeypatch, capsys) for width in (160, 80))
    found = [{(m[1], m[2], m[4], m[5]) for m in ROW.finditer(text)} for text in (wide, narrow)]
    assert found[0] == found[1]
    assert all("saving, 95 % interval" in text for text in (wide, narrow))
    assert "without control variate" in wide
    assert "without control variate" not in narrow


def test_the_files_say_the_same(folder):
    table = fx.compare(folder).table.to_pylist()
    material = from_summary(pq.read_table(folder / "summary.parquet"))
    names = list(material.strategies)
    costs = printed_costs(material, names.index("twap"))
    for row in table:
        cost = costs[names.index(row["strategy"])]
        assert row["cost_cv_bps"] == pytest.approx(cost, rel=1e-12)
        assert row["metric"] == "shortfall"
        assert row["saving_money"] == pytest.approx(sharper(row)[0] * material.order_value / 1e4, rel=1e-12)
    page = top_of(open_results(Place.of(folder), None, None), Study.load(folder / "study.toml"))
    assert [row.cells[0][1] for row in page.rows] == sorted(costs)


def test_the_adjusted_cost_is_the_regression_on_the_moves(folder):
    """Against numpy: the baseline's intercept at moves of 0."""
    rows = pq.read_table(folder / "episodes", columns=["strategy", "shortfall_bps", "timing_bps"]).to_pandas()
    own = rows[rows["strategy"] == "twap"]
    slope, intercept = np.polyfit(own["timing_bps"], own["shortfall_bps"], 1)
    material = from_summary(pq.read_table(folder / "summary.parquet"))
    assert printed_costs(material, 0)[0] == pytest.approx(intercept, rel=1e-9)
    assert slope == pytest.approx(1.0, abs=0.05)


def test_money_is_that_of_an_order(folder, monkeypatch, capsys):
    text = shown_at(160, folder, monkeypatch, capsys, money=True)
    value = pq.read_table(folder / "summary.parquet")["order_value"][0].as_py()
    row = next(r for r in fx.compare(folder).table.to_pylist() if r["strategy"] == "pov10")
    shown = next(found for found in ROW.finditer(text) if found[1].startswith("pov10"))
    assert float(shown[4].replace(",", "")) == pytest.approx(row["saving_money"], abs=0.051)
    assert row["saving_money"] == pytest.approx(row["saving_cv_bps"] * value / 1e4, rel=1e-12)
    assert "currency" in text


def difference(saving, half, rounding=0.0):
    return Difference("base", "other", saving, half / 2, saving - half, saving + half, False, rounding)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (difference(1.0, 0.5), "cheaper"),
        (difference(-1.0, 0.5), "dearer"),
        (difference(1.0, 1.5), "no difference shown"),
        (difference(0.009, 0.001), "cheaper, negligible"),
        (difference(-0.009, 0.001), "dearer, negligible"),
        (difference(0.011, 0.001), "cheaper"),
        (difference(1e-12, 1e-13, 1e-11), "no difference shown"),
        (difference(1e-12, 1e-13, 1e-13), "cheaper, negligible"),
        (difference(1.0, np.nan), "no interval"),
    ],
)
def test_verdicts(found, said):
    assert Judge().verdict(found) == said


def test_a_strategy_that_left_a_rest_is_never_the_cheaper_one():
    judge = Judge(short={"other": "filled 60 %"})
    assert judge.verdict(difference(1.0, 0.5)) == "lower, unfinished"
    assert judge.verdict(difference(-1.0, 0.5)) == "dearer"
    other_way = Judge(short={"base": "filled 60 %"})
    assert other_way.verdict(difference(-1.0, 0.5)) == "higher, baseline unfinished"
    assert other_way.verdict(difference(1.0, 0.5)) == "cheaper"


@pytest.mark.parametrize("saving", [3e-4, -3e-4, 2e-6, 1e-12, 0.5, 1234.5])
def test_digits_are_enough_to_see_the_sign(saving):
    text = told_with_interval(difference(saving, 0.5 * abs(saving)))
    numbers = [float(x.replace(",", "")) for x in re.findall(r"[+-][\d,.]+(?:e[+-]\d+)?", text)]
    assert len(numbers) == 3
    assert all(np.sign(x) == np.sign(saving) for x in numbers)
    assert decimals(difference(0.5, 0.1)) == 3


def test_rounding_grows_with_the_costs_and_the_episodes(folder):
    material = from_summary(pq.read_table(folder / "summary.parquet"))
    x = pq.read_table(folder / "episodes", columns=["shortfall_bps"]).to_pandas()["shortfall_bps"].to_numpy()
    size = np.abs(x.reshape(900, -1)[:, :2]).mean(axis=0).max()
    least = 8.0 * np.finfo(float).eps * np.log2(900) * size
    assert least <= rounding(material, 0, 1) < 3.0 * least


LEFT = {"strategies": [{"model": "twap"}, {"model": "pov", "rate": 0.01}, {"model": "vwap"}]}


@pytest.mark.parametrize("horizon", [{"at_horizon": "leave"}, {"at_horizon": "mark", "mark_price": "quote"}])
def test_nobody_is_called_cheaper_for_doing_less(tmp_path, horizon, monkeypatch, capsys):
    place = made(tmp_path / "r", order=horizon, **LEFT)
    for baseline in ("twap", "pov"):
        text = shown_at(160, place, monkeypatch, capsys)
        assert not re.search(r"^pov.*cheaper", text, re.MULTILINE)
        sentence = answer(open_results(Place.of(place), baseline, None))
        assert "pov came out cheapest" not in sentence
        assert "pov, the baseline, had the lowest" not in sentence
        assert re.search(r"pov \([-\d.,]+ bps\) filled [\d.]+ % of the order", sentence), sentence
    assert "lower, unfinished" in shown_at(160, place, monkeypatch, capsys)


def test_where_nobody_filled_the_order_nobody_is_cheapest(tmp_path):
    both = [{"model": "pov", "rate": 0.01}, {"model": "pov", "name": "less", "rate": 0.005}]
    place = made(tmp_path / "r", order={"at_horizon": "leave"}, strategies=both)
    assert answer(open_results(Place.of(place), None, None)).startswith("No strategy is called cheapest: pov (")


def test_few_episodes_and_heavy_tails_are_said(tmp_path):
    few = made(tmp_path / "few", episodes=60)
    assert any(note.startswith("60 episodes are few") for note in fx.compare(few).notes)
    volume = {"mean": 1000.0, "volatility": 1.0, "day_volatility": 3.0, "floor": 1e-9}
    wild = {"market": {"volume": volume}, "costs": {"temporary": {"exponent": 1.0}}}
    heavy = made(tmp_path / "heavy", episodes=2000, strategies=[{"model": "twap"}, {"model": "vwap"}], **wild)
    assert any(note.startswith("~ heavy tails: one episode") for note in fx.compare(heavy).notes)


def test_calm_studies_have_no_such_words_and_many_intervals_are_said(folder):
    notes = fx.compare(folder).notes
    assert not any("heavy tails" in note or "are few" in note for note in notes)
    assert any(note.startswith("intervals of 95 %, each by itself: Student's t over 900 episodes") for note in notes)
    assert not any("do not pick the best" in note for note in notes)
    assert any("10 intervals: each holds by itself" in note for note in fx.compare(folder, by="market_volume:2").notes)


def test_what_negligible_may_not_be(folder):
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="negligible="):
            fx.compare(folder, negligible=wrong)
