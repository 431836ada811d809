"""What Python callers hold in hand: short words, tables for notebooks without anything that runs, data frames."""

from __future__ import annotations

import builtins
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import fastexec as fx
import real_days
from conftest import SMALL, merged

EVIL = "<script>alert(1)</script>&\"'\x1b[31m\u202e"
AGENT = {
    "costs.transient.coefficient": 0.0,
    "strategies": [{"model": "twap"}, {"model": "qtable", "name": "agent", "train": "a"}],
    "train": {"a": {"rule": "backward", "batch": 4096, "rounds": 1, "features": [{"name": "inventory", "bins": 5}],
                    "actions": {"set": "multiples", "levels": [0, 1, 2]}}},
}  # fmt: skip


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += "" if self.open[-1:] == ["style"] else data


def parsed(thing):
    page = Tags()
    page.feed(thing._repr_html_())
    assert page.open == []
    assert set(page.tags) <= {"style", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert page.attributes <= {"class"}
    assert page.tags.count("tr") <= 21  # with the head
    assert page.tags.count("p") <= 21
    assert "prefers-color-scheme: dark" in thing._repr_html_()
    return page


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    place = tmp_path_factory.mktemp("shown")
    study = fx.Study.from_dict(merged(SMALL, {"episodes": 2000}))
    many = [{"model": "pov", "name": f"pov{j}", "rate": 0.01 * (j + 1)} for j in range(30)]
    swept = study.changed({"sweep.order.shares": [600, 1200, 2400, 4800], "episodes": 60})
    result = fx.run(swept, out=place / "swept")
    results = fx.simulate(study)
    bars = fx.read_bars(real_days.write(real_days.some_days(1, [60] * 6), place / "bars.parquet"), symbol="S")
    return {
        "study": study, "a sweep": swept, "many": study.changed({"strategies": many}), "results": results,
        "many results": fx.simulate(study.changed({"strategies": many}), episodes=3),
        "one episode": fx.simulate(study, episodes=1), "comparison": fx.compare(results),
        "many savings": fx.compare(fx.simulate(study.changed({"strategies": many}), episodes=300)),
        "scenarios": fx.compare(result), "groups": fx.compare(results, by="market_volume:3", metric="cvar95"),
        "run": result, "calibration": fx.calibrate(bars, episodes=500), "agent": fx.train(study.changed(AGENT)),
        "steps": fx.replay(result, 3, scenario="shares_600"), "verdict": fx.verify(place / "swept"),
        "paths": fx.market(study, episodes=5), "bars": bars,
    }  # fmt: skip


NAMES = ["study", "a sweep", "many", "results", "many results", "one episode", "comparison", "many savings", "scenarios",
         "groups", "run", "calibration", "agent", "steps", "verdict"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_a_small_table(things, name):
    page = parsed(things[name])
    assert page.tags.count("tr") >= 2
    assert "nan" not in page.text.split()


@pytest.mark.parametrize("name", [*NAMES, "paths", "bars"])
def test_a_line_says_what_it_is(things, name):
    text = repr(things[name])
    assert re.match(
        r"(Bars|MarketPaths|Study|Results|Comparison|StudyResult|Calibration|Agent|Steps|Verification)\(", text
    )
    assert len(text) < 160
    assert str(things[name]) == text
    assert "\n" not in text


def test_tables_hold_what_was_found(things):
    text = parsed(things["comparison"]).text
    assert "2,000 episodes, saving against twap" in text
    assert "given decisions" not in text
    assert "20 of 30 rows" in parsed(things["many savings"]).text
    assert "20 of 30 rows" in parsed(things["many results"]).text
    assert "shares_4800" in parsed(things["scenarios"]).text
    assert "Study('small', 2,000 episodes, sell 1,200 shares in 12 steps, 6 strategies)" == repr(things["study"])
    assert repr(things["results"]) == "Results('small', 2,000 episodes, 6 strategies)"
    shown = things["agent"].in_words
    assert shown[0].startswith("agent a: rule backward")
    mean = things["results"].to_pandas().groupby("strategy", observed=True)["shortfall_bps"].mean()["vwap"]
    assert f"{mean:,.3f}" in parsed(things["results"]).text


def test_what_slices_are_taken_for_stands_below_both_tables():
    study = fx.Study.from_dict(merged(SMALL, {"episodes": 200}))
    results = fx.simulate(study, slices={"mine": np.full((200, 12), 100.0)})
    for thing in (results, fx.compare(results)):
        assert "mine: given decisions: look-ahead not excluded" in parsed(thing).text


def test_text_of_others_is_text(things):
    from dataclasses import replace

    from fastexec.calibration.calibrate import Calibration

    comparison = replace(things["comparison"], notes=[EVIL], warnings=[EVIL])
    old = things["calibration"]
    calibration = Calibration(**{**vars(old), "head": [EVIL], "notes": [EVIL], "curves": [EVIL]})
    for thing in (comparison, calibration, replace(things["verdict"], faults=[EVIL])):
        page = parsed(thing)
        assert "<script>alert(1)</script>&\"'\\x1b[31m\\u202e" in page.text
        assert "script" not in page.tags


@pytest.mark.parametrize("name", ["results", "comparison", "steps", "calibration", "agent"])
def test_data_frames_of_either_library(things, name):
    import polars

    thing = things[name]
    arrow, frame = thing.to_arrow(), thing.to_polars()
    assert isinstance(frame, polars.DataFrame)
    assert list(thing.to_pandas().columns) == frame.columns == arrow.column_names
    assert frame.shape == arrow.shape
    assert len(thing.to_pandas()) == len(arrow)


def without(monkeypatch, library):
    real = builtins.__import__

    def importing(name, *args, **kwargs):
        if name.split(".")[0] == library:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", importing)


def test_without_a_library_one_line_names_what_to_install(things, monkeypatch):
    without(monkeypatch, "polars")
    with pytest.raises(fx.FastexecError, match=r"^to_polars: Polars is not installed; `pip install polars`$"):
        things["comparison"].to_polars()
    without(monkeypatch, "matplotlib")
    with pytest.raises(
        fx.FastexecError, match=r"^plot: matplotlib is not installed; `pip install 'fastexec\[report\]'`"
    ):
        things["comparison"].plot()


@pytest.mark.parametrize("name", ["comparison", "scenarios", "groups", "many savings"])
def test_a_picture_of_savings(things, name):
    import matplotlib as mpl

    mpl.use("Agg")
    comparison = things[name]
    axes = comparison.plot()
    axes.figure.canvas.draw()
    assert len(axes.get_yticklabels()) == len(comparison.table)
    assert "saving against twap" in axes.get_xlabel() or name == "many savings"
    assert comparison.plot(ax=axes) is axes
    if name == "comparison":
        column = comparison.table.to_pandas().set_index("strategy")["saving_cv_bps"]
        shown = dict(zip([t.get_text() for t in axes.get_yticklabels()], axes.lines[0].get_xdata(), strict=True))
        assert shown == column.to_dict()
    from matplotlib import pyplot

    pyplot.close("all")


def test_an_agent_is_kept_and_shown_again(things, tmp_path):
    agent = things["agent"]
    agent.save(tmp_path / "agent.parquet")
    again = fx.show(tmp_path / "agent.parquet")
    assert again.to_arrow().equals(agent.to_arrow())
    assert again.in_words == agent.in_words
    with pytest.raises(fx.RefusedError) as caught:
        agent.save(tmp_path / "agent.parquet")
    assert str(caught.value).endswith("agent.parquet': is there already; name another file, or overwrite=True")
    agent.save(tmp_path / "agent.parquet", overwrite=True)
    study = fx.Study.from_dict({
        **SMALL, "episodes": 50,
        "strategies": [{"model": "twap"}, {"model": "qtable", "agent": str(tmp_path / "agent.parquet")}],
    })  # fmt: skip
    assert fx.simulate(study).strategies == ["twap", "qtable"]


REFUSED = {
    "no results": (lambda t: fx.replay(t["results"], 1), "replay: results in memory have no files; fastexec.run(study, out="),
    "no files": (lambda t: fx.verify(t["results"]), "verify: results in memory have no files"),
    "no page": (lambda t: fx.report(t["results"]), "report: results in memory have no files"),
    "a folder": (lambda t: fx.replay(3, 1), "results: must be a path, not 3"),
    "an episode": (lambda t: fx.replay(t["run"], 1.5), "episode: must be a whole number of at least 0, not 1.5"),
    "beyond": (lambda t: fx.replay(t["run"], 60, scenario="shares_600"), "episode=60: the study has episodes 0 to 59"),
    "a scenario": (lambda t: fx.replay(t["run"], 1), "scenario: the study has a sweep; name one"),
    "a sample": (lambda t: fx.verify(t["run"], sample="all"), "sample: must be a whole number of at least 0, not 'all'"),
    "trust": (lambda t: fx.verify(t["run"], trust="yes"), "trust: must be True or False, not 'yes'"),
    "a page that is none": (lambda t: fx.report(t["run"], out="nowhere/r.html"), "out='nowhere/r.html': the folder nowhere"),
    "no agent": (lambda t: fx.train(t["study"]), "agent: name one of the keys of train: there is none"),
    "another agent": (lambda t: fx.train(t["study"].changed(AGENT), agent=3), "agent: must be a text, not 3"),
    "agents of a sweep": (lambda t: fx.train(t["a sweep"]), 'study.changed({"sweep": None}) is the study without it'),
    "no file": (lambda t: fx.show("nowhere.parquet"), "nowhere.parquet"),
    "an agent of a number": (lambda t: fx.show(3), "agent: must be a path, not 3"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_verb_refuses_in_pythons_words(things, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, said = REFUSED[what]
    with pytest.raises(fx.FastexecError) as caught:
        call(things)
    assert said in str(caught.value)
    assert not any(word in str(caught.value) for word in ("\n", "--", "[sweep]", "[train"))


def test_a_verdict_counts_as_true_where_all_is_well(things, tmp_path):
    import shutil

    verdict = fx.verify(things["run"], sample=1)
    assert verdict
    assert verdict.simulated == 1
    shutil.copytree(things["run"].folder.local, tmp_path / "r")
    file = next((tmp_path / "r" / "episodes").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    verdict = fx.verify(tmp_path / "r")
    assert not verdict
    assert "has" in parsed(verdict).text


def test_steps_are_those_of_the_command_line(things):
    steps = fx.replay(things["run"], np.int64(3), strategy="vwap", scenario="shares_600").to_pandas()
    whole = things["steps"].to_pandas()
    assert steps["shares"].sum() == 600.0
    np.testing.assert_array_equal(whole[whole.strategy == "vwap"]["price"], steps["price"])


def test_a_report_says_where_it_is(things, tmp_path):
    study = fx.Study.from_dict(merged(SMALL, {"episodes": 300}))
    page = fx.report(fx.run(study, out=tmp_path / "r"))
    assert page.local == tmp_path / "r" / "report.html"
    assert page.is_file()
