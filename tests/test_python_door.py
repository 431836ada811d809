"""Who writes Python gives NumPy's numbers as Python's, and is answered in Python's words."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
from commands import typed
from conftest import SMALL
from fastexec.errors import FastexecError, at_command_line, option, run_again
from fastexec.runs.verify import verify

STUDY = fx.Study.from_dict({**SMALL, "episodes": 50})
KINDS = (np.int8, np.int64, np.uint16, np.float32, np.float64, np.float16, int, float)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_of_any_kind_are_numbers(kind):
    whole = kind if np.issubdtype(kind, np.integer) else int
    for shares in (kind(96), np.array(kind(96)), np.array([kind(96)])[0]):
        study = STUDY.changed({"order": {"shares": shares, "steps": whole(12)}, "seed": whole(3)})
        assert study == STUDY.changed({"order": {"shares": 96.0, "steps": 12}, "seed": 3})
        assert study.identity() == STUDY.changed({"order": {"shares": 96.0, "steps": 12}, "seed": 3}).identity()


def test_a_study_of_numpys_scalars_and_arrays_is_that_of_numbers_and_lists():
    weights = np.arange(1, 13)
    given = {
        **SMALL,
        "seed": np.uint64(2**64 - 1),
        "episodes": np.int32(40),
        "order": {
            "side": np.str_("sell"),
            "shares": {"low": np.float64(600), "high": np.int64(1200)},
            "steps": np.int16(12),
        },
        "strategies": (
            {"model": "twap"},
            {"model": "schedule", "weights": weights},
            {"model": "pov", "rate": np.float64(0.25)},
        ),
        "sweep": {"market.price.volatility": np.array([0.001, 0.002])},
    }
    plain = {
        **SMALL,
        "seed": 2**64 - 1,
        "episodes": 40,
        "order": {"side": "sell", "shares": {"low": 600.0, "high": 1200.0}, "steps": 12},
        "strategies": [
            {"model": "twap"}, {"model": "schedule", "weights": weights.tolist()}, {"model": "pov", "rate": 0.25},
        ],
        "sweep": {"market.price.volatility": [0.001, 0.002]},
    }  # fmt: skip
    assert fx.Study.from_dict(given).to_toml() == fx.Study.from_dict(plain).to_toml()


def test_options_take_them_too(tmp_path):
    for seed in np.arange(2):
        one = fx.simulate(STUDY, episodes=np.int64(20), seed=seed, threads=np.int8(1))
        two = fx.simulate(STUDY, episodes=20, seed=int(seed))
        np.testing.assert_array_equal(one.episodes["shortfall_bps"], two.episodes["shortfall_bps"])
    result = fx.run(STUDY, out=tmp_path / "r", threads=np.int64(1), chunk=np.uint8(25), episodes=np.int16(50))
    assert result.summary["episodes"].to_pylist() == [50] * 6
    assert verify(str(tmp_path / "r")).chunks == 2


SAID = {
    "a number of a text": (lambda: STUDY.changed({"order": {"shares": "many"}}), "order.shares: must be a number, not 'many'"),
    "half an episode": (lambda: fx.simulate(STUDY, episodes=np.float64(0.5)), "episodes: must be a whole number"),
    "an array of them": (lambda: STUDY.changed({"seed": np.arange(2)}), "seed: must be a whole number"),
    "a date": (lambda: STUDY.changed({"order": {"shares": np.datetime64("2020-01-01")}}), "order.shares: must be a number"),
    "not a number": (lambda: STUDY.changed({"order": {"shares": np.float32("nan")}}), "order.shares: must be a finite number"),
    "a list of a number": (lambda: STUDY.changed({"order": np.int64(3)}), "order: must be a dict"),
    "a key": (lambda: STUDY.changed({"shares": 3}), "shares: unknown key"),
    "a bool": (lambda: STUDY.changed({"market": {"model": "replay", "bars": "b", "symbol": "S", "auction": 1}}),
               "market.auction: must be True or False, not 1"),
    "no strategies": (lambda: fx.Study.from_dict({"strategies": []}), "there is none; add one such as {'model': 'twap'}"),
    "a model": (lambda: fx.Study.from_dict({"strategies": [{"model": "mine"}]}),
                "unknown model 'mine'; it is one of"),
    "an agent": (lambda: fx.Study.from_dict({"strategies": [{"model": "qtable", "train": "a"}]}),
                 "strategies.qtable.train: no key 'a' of train"),
    "no study": (lambda: fx.simulate("study.toml"), "study: must be a Study, as Study.load(...) gives it, not str"),
    "no study to run": (lambda: fx.run({"episodes": 3}), "study: must be a Study"),
    "a path": (lambda: fx.Study.load(3), "path: must be a path, not 3"),
    "an override": (lambda: fx.Study.preset("large_cap", ["order.shares"]), "overrides=['order.shares']: is not KEY=VALUE"),
    "an option": (lambda: fx.run(STUDY, thread=2), "run: unknown option 'thread'; did you mean 'threads'?"),
    "threads": (lambda: fx.run(STUDY, threads=np.float64(2)), "threads: must be a whole number from 1 to 1024"),
    "chunk": (lambda: fx.run(STUDY, chunk="500"), "chunk: must be a whole number of at least 1, not '500'"),
    "workers": (lambda: fx.run(STUDY, workers=0), "workers: must be a whole number from 1 to 1024, not 0"),
    "a shard": (lambda: fx.run(STUDY, first_episode=-1), "first_episode: must be a whole number of at least 0, not -1"),
    "two": (lambda: fx.run(STUDY, threads=1, workers=1), "threads and workers: give one"),
    "memory": (lambda: fx.run(STUDY, out="x", max_memory="lots"), "max_memory='lots': is no size"),
    "a name": (lambda: fx.Study.from_dict({"strategies": [{"model": "twap", "name": np.arange(3)}]}), "name: must be a text"),
    "a key to sweep": (lambda: fx.Study.from_dict({**SMALL, "sweep": {1: [2]}}), "1: is no key"),
    "a preset": (lambda: fx.Study.preset(None), "name: must be a text, not None"),
    "one override": (lambda: fx.Study.preset("large_cap", "seed=1"), "overrides: must be a list of texts, not 'seed=1'"),
    "a plugin": (lambda: fx.Study.preset("large_cap", [], [None]), "plugins: must be a text, not None"),
    "a switch": (lambda: fx.run(STUDY, resume="yes"), "resume: must be True or False, not 'yes'"),
    "a folder of data": (lambda: fx.run(STUDY, data=5), "data: must be a path, not 5"),
    "a baseline": (lambda: fx.compare("r", baseline=5), "baseline: must be a text, not 5"),
    "a metric": (lambda: fx.compare("r", metric=None), "metric: must be a text, not None"),
    "what is negligible": (lambda: fx.compare("r", negligible="small"), "negligible='small': must be a number of bps"),
    "a threads array": (lambda: fx.simulate(STUDY, threads=np.arange(2)), "threads: must be a whole number"),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID)
def test_a_fault_is_one_line_in_pythons_words(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, said = SAID[what]
    with pytest.raises(FastexecError) as caught:
        call()
    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert not any(word in text for word in ("--", "[[", "[train", "true or", "a table", "pydantic"))
    assert list(tmp_path.iterdir()) == []


def test_what_a_folder_refuses_is_said_in_pythons_words(tmp_path):
    folder = tmp_path / "r"
    fx.run(STUDY, out=folder, chunk=25)
    told = []
    for study, options in (
        (STUDY.changed({"seed": 6}), {}), (STUDY.changed({"output": {"steps": 1}}), {}),
        (STUDY.changed({"episodes": 60}), {}), (STUDY, {"chunk": 5, "resume": True, "episodes": 50}),
        (STUDY.changed({"episodes": 60}), {"resume": True, "chunk": 5}), (STUDY, {"first_episode": 20, "chunk": 25}),
    ):  # fmt: skip
        try:
            fx.run(study, out=folder, **options)
        except FastexecError as error:
            told.append(str(error))
    assert len(told) >= 5
    assert not [line for line in told if "--" in line or "[" in line.replace(str(folder), "")]
    assert "choose another out, or overwrite=True" in told[0]


def test_the_command_line_keeps_its_own_words(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY.to_toml())
    assert typed("run", "tiny.toml", "--out", "r", "--quiet", cwd=tmp_path)[0] == 0
    status, _, error = typed("run", "tiny.toml", "--out", "r", "--set", "seed=9", cwd=tmp_path)
    assert status == 3
    assert "choose another --out, or --overwrite" in error
    status, _, error = typed("run", "tiny.toml", "--set", "strategies.random.actions=3", cwd=tmp_path)
    assert status == 2
    assert "must be a table" in error


@pytest.mark.parametrize(("name", "value", "typed", "written"), [
    ("out", "r s", "--out r s", "out='r s'"), ("max-memory", "2GB", "--max-memory 2GB", "max_memory='2GB'"),
    ("chunk", 5, "--chunk 5", "chunk=5"), ("resume", None, "--resume", "resume=True"), ("out", None, "--out", "out"),
    ("plugin", "a.py", "--plugin a.py", "plugins=['a.py']"), ("set", "a=1", "--set a=1", "overrides=['a=1']"),
])  # fmt: skip
def test_an_option_in_the_words_of_either_door(name, value, typed, written):
    assert option(name, value) == written
    with at_command_line():
        assert option(name, value) == typed
        assert run_again("r") == "`fastexec run STUDY --out r --resume`"
    assert run_again("r") == "fastexec.run(study, out='r', resume=True)"
