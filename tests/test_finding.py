"""Finding one's way: new study files, parts of the schema, presets, counts as people write them, what `check` says first."""

from __future__ import annotations

import re
import tomllib

import pytest

from commands import typed
from conftest import ROOT
from fastexec.arguments import whole_number
from fastexec.cli.counts import Count
from fastexec.errors import InputError, RefusedError
from fastexec.studies.catalogue import preset_text, presets
from fastexec.studies.lookup import explained
from fastexec.studies.new import commented, study_from, write_new
from fastexec.studies.study import Study
from fastexec.studies.study_schema import schema_text
from test_cli import STUDY
from test_terminal import CODES, in_terminal

COLUMNS = "### episodes\n\n| column |\n|---|\n| completion |\n\n### summary\n\n| column |\n|---|\n| completion |\n"
FITTED = (
    "# for an order of steps = 30, step_seconds = 120.0, from 10:30:00 local time\n[market]\ninitial_price = 50.0\n"
    '[market.volume]\nmodel = "constant"\nmean = 4000.0\n[costs.temporary]\nmodel = "power"\ncoefficient = 0.002\n'
)


@pytest.mark.parametrize("name", [name for name, _ in presets()])
def test_a_new_study_is_the_preset_and_every_key_has_its_meaning(name):
    study = study_from(name, "mine")
    text = commented(study)
    again = Study.from_toml(text)
    assert again == study
    assert again.identity() == Study.from_dict(tomllib.loads(preset_text(name)) | {"name": "mine"}).identity()
    without = [line for line in text.splitlines() if re.match(r"[\w\[]", line) and "    # " not in line]
    assert [line for line in without if not line.startswith(("model = ", "name = ", "scale = "))] == []
    assert re.search(
        r"^shares = \S+ +# size of the order \(shares; may be a range\)$|^\[order.shares\]", text, re.MULTILINE
    )


def test_comments_come_from_the_schema(monkeypatch):
    """So a meaning that changes there changes here: nothing is written twice."""
    field = type(study_from("large_cap", "m").order).model_fields["shares"]
    monkeypatch.setattr(field, "description", "another meaning")
    assert "    # another meaning\n" in commented(study_from("large_cap", "m"))


def test_new_never_overwrites_and_what_it_writes_runs(tmp_path):
    status, out, error = typed("new", "mine", "--from", "mini_project", cwd=tmp_path)
    assert (status, error) == (0, "")
    assert "fastexec run mine.toml" in out
    written = (tmp_path / "mine.toml").read_bytes()
    for name in ("mine", "mine.toml"):
        status, out, error = typed("new", name, cwd=tmp_path)
        assert (status, out, error) == (3, "", "fastexec: mine.toml: is there already; choose another name\n")
    assert (tmp_path / "mine.toml").read_bytes() == written
    assert typed("run", "mine.toml", "--episodes", "1e2", "--quiet", cwd=tmp_path)[::2] == (0, "")
    assert typed("new", "a/b", cwd=tmp_path)[0] == 2
    assert typed("new", "no name", cwd=tmp_path)[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.toml", "results"]


def test_new_takes_a_calibration_and_no_other_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fitted.toml").write_text(FITTED)
    study = study_from("fitted.toml", "mine")
    assert (study.order.steps, study.order.step_seconds, study.order.shares) == (30, 120.0, 6000.0)
    assert study.market.volume.mean == 4000.0
    assert [strategy.name for strategy in study.strategies] == ["twap", "vwap", "pov", "almgren_chriss"]
    write_new(tmp_path / "mine.toml", study, "fitted.toml")
    assert Study.load("mine.toml").to_toml() == study.to_toml()
    (tmp_path / "link.toml").symlink_to("nowhere.toml")
    with pytest.raises(RefusedError, match="is there already"):
        write_new(tmp_path / "link.toml", study, "fitted.toml")
    (tmp_path / "whole.toml").write_text(STUDY)
    for source, message in (
        ("whole.toml", "copy a study"),
        ("none.toml", "cannot be read"),
        ("large_cup", "'large_cap'"),
    ):
        with pytest.raises(InputError, match=message):
            study_from(source, "mine")


@pytest.mark.parametrize(("name", "lines"), [
    ("order", ["[order]"]), ("[order]", ["[order]"]), ("market.price", ["[market.price]"]),
    ("order.shares", ["[order]", "shares = 10000.0"]), ("episodes", ["episodes = ..."]), ("vwap", ['model = "vwap"']),
    ("completion", ["| completion |", "### episodes", "### summary"]), ("summary", ["### summary"]), ("sweep", ["[sweep]"]),
])  # fmt: skip
def test_a_part_of_the_schema(name, lines):
    text = explained(name, schema_text(), COLUMNS)
    found = text.splitlines()
    for line in lines:
        assert any(each.startswith(line) for each in found), (line, text)
    assert len(found) < len(schema_text().splitlines()) / 2


def test_a_key_stands_under_each_section_that_has_it():
    heads = re.findall(r"^\[+([\w.]+)\]+", explained("volatility", schema_text(), COLUMNS), re.MULTILINE)
    assert {"market.price", "market.spread", "market.volume"} <= set(heads)
    whole = explained("market", schema_text(), COLUMNS)
    assert "[market.price]" in whole
    assert "[order]" not in whole


@pytest.mark.parametrize(("name", "near"), [
    ("ordr", "order"), ("volatilty", "volatility"), ("market.prices", "market.price"), ("order.share", "order.shares"),
    ("vwapp", "vwap"), ("completon", "completion"),
])  # fmt: skip
def test_an_unknown_part_is_answered_with_the_nearest(name, near):
    with pytest.raises(InputError, match=f"schema {name}: .*; did you mean '{re.escape(near)}'"):
        explained(name, schema_text(), COLUMNS)
    with pytest.raises(InputError, match="sections are"):
        explained("0", schema_text(), COLUMNS)


def test_schema_and_presets_from_the_command_line(tmp_path):
    assert typed("schema", "order.steps", cwd=tmp_path)[1].splitlines()[1].startswith("steps = 60")
    assert "| spread_bps |" in typed("schema", "spread_bps", cwd=tmp_path)[1]
    assert typed("schema", "ordr", cwd=tmp_path)[::2] == (
        2, "fastexec: schema ordr: no section, key, model or column is called so; did you mean 'order'?\n",
    )  # fmt: skip
    assert typed("presets", "show", "large_cap", cwd=tmp_path)[:2] == (0, preset_text("large_cap"))
    assert "did you mean 'large_cap'?" in typed("presets", "show", "large_cup", cwd=tmp_path)[2]
    assert "did you mean 'show'?" in typed("presets", "shw", cwd=tmp_path)[2]
    assert "large_cap_learned" in typed("presets", cwd=tmp_path)[1]


@pytest.mark.parametrize("verb", ["run", "check", "train"])
def test_a_verb_without_a_study_names_the_presets_in_one_line(verb, tmp_path):
    words = [verb, "--out", "a.parquet"] if verb == "train" else [verb]
    status, out, error = typed(*words, cwd=tmp_path)
    assert (status, out, error.count("\n")) == (2, "", 1)
    assert "Missing argument 'STUDY'" in error
    assert all(name in error for name, _ in presets())


@pytest.mark.parametrize(("text", "number"), [
    ("1e6", 10**6), ("1_000_000", 10**6), ("10000", 10_000), ("1.5e6", 1_500_000), ("1E3", 1_000), ("2.0", 2), ("-3", -3),
    ("1.5", None), ("1e-3", None), ("1e999999999", None), ("nan", None), ("inf", None), ("x", None), ("", None), ("0x10", None),
])  # fmt: skip
def test_counts_as_people_write_them(text, number):
    assert whole_number(text) == number


def test_counts_out_of_reach_are_refused_in_words(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    status, _, error = typed("run", "tiny.toml", "--episodes", "1.5", cwd=tmp_path)
    assert (status, error.count("\n")) == (2, 1)
    assert "'1.5' is no whole number; write for example 10000, 10_000 or 1e4" in error
    assert "1e4 is not in the range from 1 to 1,024" in typed("run", "tiny.toml", "--threads", "1e4", cwd=tmp_path)[2]
    status, _, error = typed("check", "tiny.toml", "--set", "episodes=1.5", cwd=tmp_path)
    assert (status, "episodes: must be a whole number" in error) == (2, True)
    study = Study.from_toml(STUDY, "s", ["episodes=1e6", "order.shares=2e3", "seed=1E1"])
    assert (study.episodes, study.order.shares, study.seed) == (10**6, 2000.0, 10)


def test_every_count_of_the_command_line_is_read_by_one_parser():
    """No option keeps a parser of its own, which would not know 1e6."""
    import click

    from fastexec.cli.main import cli

    def options(group):
        for command in group.commands.values():
            yield from options(command) if isinstance(command, click.Group) else command.params

    assert [o.name for o in options(cli) if isinstance(o.type, (click.types.IntParamType, click.IntRange))] == []
    assert sum(isinstance(option.type, Count) for option in options(cli)) >= 10


def test_check_begins_with_doubts_then_the_optimum_and_the_cost(tmp_path):
    doubtful = STUDY + "[market.spread]\nmean = 0.0002\nfloor = 0.0003\n"
    (tmp_path / "tiny.toml").write_text(doubtful)
    status, out, error = typed("check", "tiny.toml", cwd=tmp_path)
    assert (status, error) == (0, "")
    labels = [line.split()[0] for line in out.splitlines()]
    assert labels[0] == "warning:"
    rest = [label for label in labels if label != "warning:"]
    assert rest[:5] == ["optimum", "episodes", "simulating", "memory", "files"]
    assert "[order]" not in out
    full = typed("check", "tiny.toml", "--full", cwd=tmp_path)[1]
    assert Study.load(tmp_path / "tiny.toml").to_toml().strip() in full
    (tmp_path / "plain.toml").write_text('episodes = 100\n[[strategies]]\nmodel = "twap"\n')
    assert typed("check", "plain.toml", cwd=tmp_path)[1].startswith("nothing doubtful was found\n")


def test_a_pager_shows_what_a_terminal_cannot_hold_and_never_a_pipe(tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho paged\ncat\n")
    pager.chmod(0o755)
    assert CODES.sub("", in_terminal(80, "schema", cwd=tmp_path, PAGER=str(pager))).startswith("paged\n")
    for words in (["schema", "order.shares"], ["presets"]):
        assert "paged" not in in_terminal(80, *words, cwd=tmp_path, PAGER=str(pager))
    assert "paged" not in in_terminal(80, "schema", cwd=tmp_path, PAGER=str(pager), TERM="dumb")
    assert "paged" not in typed("schema", cwd=tmp_path, PAGER=str(pager))[1]


def test_the_readme_names_the_verbs():
    text = (ROOT / "README.md").read_text("utf-8")
    assert all(
        word in text for word in ("`fastexec new NAME", "guide [TOPIC]", "schema [SECTION]", "presets show NAME")
    )
