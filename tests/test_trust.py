"""Code that a folder of results brings or names runs only where its reader vouches for it."""

from __future__ import annotations

import pytest

from fastexec.errors import InputError
from fastexec.models.trust import Trust, record
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.runs.store import read_study
from fastexec.studies.study import Study
from foreign_results import MARKED, OTHER, PLAIN, STUDY, from_module, has_run, rewrite, say
from manifests import listed_anew

pytestmark = pytest.mark.processes


def unneeded(place):
    rewrite(place, '["own.py", "more.py"]')
    (place / "r" / "plugins" / "more.py").write_text(OTHER)


def absolute(place, source):
    (place / "evil.py").write_text(MARKED)
    rewrite(place, f'["{place / "evil.py"}"]', source)


def in_the_way(place):
    """Beside the study a file of the same name as the copy, and one in the current folder."""
    for home in (place, place / "r"):
        (home / "own.py").write_text(OTHER)
    rewrite(place, source=False)


ATTACKS = {
    "as it is": lambda place: None,
    "no source": lambda place: rewrite(place, source=False),
    "no head": lambda place: rewrite(place, source=False, head=False),
    "other bytes": lambda place: (place / "r" / "plugins" / "own.py").write_text(OTHER),
    "other bytes, no source": lambda place: (rewrite(place, source=False), ATTACKS["other bytes"](place)),
    "module": lambda place: from_module(place, "evil", source=False),
    "module of a source": lambda place: from_module(place, "evil", source=True),
    "dotted module": lambda place: from_module(place, "pack.evil", source=False),
    "dotted module of a source": lambda place: from_module(place, "pack.evil", source=True),
    "absolute path": lambda place: absolute(place, source=False),
    "absolute path of a source": lambda place: absolute(place, source=True),
    "unneeded": unneeded,
    "in the way": in_the_way,
}
READERS = [
    ["compare", "r"], ["report", "r", "--out", "report.html"], ["status", "r"], ["merge", "r", "--out", "m", "--quiet"],
    ["show", "r/study.toml"], ["verify", "r"],
]  # fmt: skip
RUNNERS = [
    ["replay", "r", "--episode", 3], ["verify", "r", "--sample", 1],
    ["run", "r/study.toml", "--out", "r", "--resume", "--set", "episodes=800"], ["run", "r/study.toml", "--resume"],
]  # fmt: skip


@pytest.mark.parametrize("forged", [False, True], ids=["", "and the manifest"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_because_a_folder_of_results_says_so(here, capsys, attack, forged):
    ATTACKS[attack](here)
    if forged:
        listed_anew(here / "r")
    for words in [*READERS, *RUNNERS]:
        status, _, error = say(capsys, *words)
        assert not has_run(here), words
        # verify: 1 where it finds what was changed
        told = {"verify": (1, 2)}.get(words[0], (2, 3)) if words in RUNNERS else (0, 1, 2, 3)
        assert status in told, (words, error)
        assert error.count("\n") <= 1, words
        assert "fault of fastexec" not in error, words


def test_a_study_resumed_into_its_own_folder_is_that_folders_even_without_results(here, capsys):
    (here / "theirs" / "plugins").mkdir(parents=True)
    (here / "theirs" / "plugins" / "own.py").write_text(MARKED)
    (here / "theirs" / "study.toml").write_text(STUDY)
    for out in ("theirs", "link"):
        (here / "link").unlink(missing_ok=True)
        (here / "link").symlink_to(here / "theirs")
        status, _, error = say(capsys, "run", "theirs/study.toml", "--out", out, "--resume")
        assert (status, has_run(here)) == (2, False)
        assert "own.py" in error


def test_resuming_from_python_a_study_of_the_folder_is_no_own_run(here):
    with pytest.raises(InputError, match="is not run"):
        run(Study.load(here / "r" / "study.toml", ["episodes=800"]), out=here / "r", resume=True)
    assert not has_run(here)
    run(Study.load(here / "r" / "study.toml", ["episodes=800"]), out=here / "r", resume=True, trust=True)
    assert has_run(here)


def test_results_as_they_are_can_be_compared_reported_and_looked_at_without_the_code(here, capsys):
    for words in (["compare", "r"], ["report", "r", "--out", "report.html"], ["status", "r"]):
        status, out, error = say(capsys, *words)
        assert (status, error) == (0, ""), words
        assert out
    assert not has_run(here)


@pytest.mark.parametrize("words", RUNNERS[:3])
def test_a_refusal_names_the_code_and_what_would_let_it_run(here, capsys, words):
    digest = read_study(Place.of(here / "r")).strategies[1].source
    status, _, error = say(capsys, *words)
    assert status == 2
    assert f"own.py (SHA-256 {digest[:12]}...): is not run" in error
    assert "--plugin own.py" in error
    assert "--trust" in error


@pytest.mark.parametrize("words", RUNNERS[:3])
@pytest.mark.parametrize("way", ["named", "recorded", "trusted"])
def test_what_the_reader_vouches_for_runs(here, capsys, words, way):
    (here / "mine").mkdir()
    (here / "mine" / "own.py").write_text(MARKED)
    if way == "recorded":
        record([read_study(Place.of(here / "r")).strategies[1].source])
    more = {"named": ["--plugin", "mine/own.py"], "recorded": [], "trusted": ["--trust"]}[way]
    status, out, error = say(capsys, *words, *more)
    assert (status, error) == (0, "")
    assert out
    assert has_run(here)


@pytest.mark.parametrize(
    "attack", ["other bytes", "other bytes, no source", "module", "dotted module", "absolute path"]
)
def test_what_was_recorded_vouches_for_nothing_else(here, capsys, attack):
    ATTACKS[attack](here)
    for path in here.rglob("*.py"):
        path.write_text(path.read_text() + "\n# never recorded\n")
    record(
        [Study.load(here / "r" / "study.toml", trust=Trust.NOTHING).strategies[1].source]
        if attack == "other bytes"
        else []
    )
    for words in RUNNERS:
        status, _, error = say(capsys, *words)
        assert status in ((1, 2) if words[0] == "verify" else (2, 3)), words
        assert error.count("\n") == 1, words
    assert not has_run(here)


def test_a_file_that_is_named_is_just_that_file(here, capsys):
    """Files of the same name among the results do not take its place."""
    (here / "own.py").write_text(PLAIN)
    in_results = ("r/own.py", "r/plugins/own.py")
    for name in in_results:
        (here / name).write_text(OTHER)
    status, _, error = say(capsys, "replay", "r", "--episode", 3, "--plugin", "own.py")
    assert status == 3
    assert "own.py: has changed since 'patient' was resolved from it" in error
    assert not has_run(here)
    (here / "own.py").unlink()
    status, _, error = say(capsys, "replay", "r", "--episode", 3, "--plugin", "own.py")
    assert (status, has_run(here)) == (2, False)
    assert "there is no such plugin file" in error


def test_a_module_within_the_results_does_not_run_even_where_its_text_is_recorded(here, capsys):
    from_module(here, "evil", source=True)
    record([read_study(Place.of(here / "r")).strategies[1].source])
    (here / "evil.py").unlink()
    status, _, error = say(capsys, "replay", "r", "--episode", 3)
    assert (status, has_run(here)) == (2, False)
    assert "within the results" in error
