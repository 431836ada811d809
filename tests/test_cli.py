"""The command line as a person types it: statuses, one-line errors, nothing written on bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands import process, typed
from conftest import ROOT, data_file

STUDY = """
name = "tiny"
episodes = 300
[order]
shares = 600
steps = 6
[market.volume]
mean = 1000.0
[[strategies]]
model = "twap"
[[strategies]]
name = "pov10"
model = "pov"
rate = 0.1
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "tiny.toml").write_text(STUDY)
    return tmp_path


def tree(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_run_compare_replay_check(place):
    status, out, error = process("run", "tiny.toml", cwd=place)
    assert (status, error) == (0, "")
    assert "saving against twap" in out
    assert "no difference shown" in out or "dearer" in out or "cheaper" in out
    assert str(place / "results" / "tiny") in out
    status, again, error = typed("run", "tiny.toml", cwd=place)
    assert (status, error) == (0, "")
    assert "is complete in this folder" in again
    status, out, _ = typed("compare", "results/tiny", "--baseline", "pov10", "--format", "json", cwd=place)
    assert status == 0
    assert json.loads(out)["baseline"] == "pov10"
    status, out, _ = typed("replay", "results/tiny", "--episode", 7, "--strategy", "twap", "--format", "csv", cwd=place)
    assert status == 0
    assert len(out.splitlines()) == 7
    assert (
        out.splitlines()[0].replace('"', "")
        == "episode,strategy,step,mid,spread,volume,shares,price,remaining,own_impact"
    )
    status, out, error = typed("check", "tiny.toml", cwd=place)
    assert (status, error) == (0, "")
    assert "[order]" not in out
    assert "control variate" in out
    status, out, error = typed("run", "tiny.toml", "--seed", 9, cwd=place)
    assert status == 3
    assert "holds another study" in error
    status, _, error = typed("run", "tiny.toml", "--episodes", 400, cwd=place)
    assert status == 3
    status, _, error = typed("run", "tiny.toml", "--episodes", 400, "--resume", "--quiet", cwd=place)
    assert (status, error) == (0, "")


def test_set_overrides_any_key_and_replayed_steps_are_the_stored_ones(place):
    settings = ["--set", "order.shares=1200", "--set", "strategies.pov10.rate=0.2", "--set", "output.steps=5"]
    status, _, error = typed("run", "tiny.toml", *settings, "--out", "r", cwd=place)
    assert (status, error) == (0, "")
    stored = pq.read_table(place / "r" / "steps").to_pandas()
    ended = subprocess.run(
        [sys.executable, "-m", "fastexec", "replay", "r", "--episode", "3", "--format", "parquet"],
        cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=300,
    )  # fmt: skip
    again = pq.read_table(pa.BufferReader(ended.stdout)).to_pandas()
    wanted = stored[stored["episode"] == 3].reset_index(drop=True)
    assert again.equals(wanted) or (again.drop(columns="strategy") == wanted.drop(columns="strategy")).all(axis=None)
    assert (again["shares"].sum(), again["remaining"].min()) == (2400, 0)


@pytest.mark.parametrize("words", [["presets"], ["schema"], ["info"], ["--version"], ["--help"], ["run", "--help"], []])
def test_what_needs_no_study(place, words):
    status, out, error = typed(*words, cwd=place)
    assert (status, error) == (0, "")
    assert out
    assert tree(place) == ["tiny.toml"]


BAD = [
    (["order.shres=5"], "order.shres: unknown key; did you mean 'shares'?"),
    (["ordr.shares=5"], "ordr: unknown key; did you mean 'order'?"),
    (['order.shares="1000"'], "order.shares: must be a number, not '1000'"),
    (["order.shares=true"], "order.shares: must be a number, not True"),
    (["order.steps=6.0"], "order.steps: must be a whole number, not 6.0"),
    (["market.price.volatility=nan"], "market.price.volatility: must be a finite number, not nan"),
    (["market.price.volatility=inf"], "market.price.volatility: must be a finite number, not inf"),
    (["market.price.volatility=-0.1"], "market.price.volatility: must be at least 0, not -0.1"),
    (["market.volume.mean=-5"], "market.volume.mean: must be above 0, not -5"),
    (["order.steps=0"], "order.steps: must be"),
    (["order.shares=0"], "order.shares: must be above 0, not 0"),
    (["episodes=0"], "episodes: must be"),
    (["seed=-1"], "seed: must be"),
    (["seed=18446744073709551616"], "seed: must be"),
    (["strategies.pov10.rate=0"], "strategies.pov10.rate: must be above 0, not 0"),
    (["strategies.pov10.rate=1.5"], "strategies.pov10.rate: must be"),
    (
        ["market.correlation.price_volume=0.9", "market.correlation.volume_absolute_return=0.9"],
        "market.correlation: these five are no correlation matrix",
    ),
    (["strategies.pov10.name='twap'"], "two are named 'twap'"),
    (["strategies=[]"], "there is none; add a [[strategies]] section"),
    (["strategies.pov10.model='pvo'"], "unknown model 'pvo'; did you mean 'pov'?"),
    (["market.volume.model='logn'"], "unknown model 'logn'"),
    (["order.shares={low=5, high=2}"], "order.shares: low must be below high"),
    (["order.steps={low=5, high=9}"], "order.steps: must be a whole number"),
    (["order.lot=7"], "no multiple of lot"),
    (["market.spread.mean=2.0"], "market.spread.mean: must be at most 1"),
    (["order.shares"], "is not KEY=VALUE"),
    (["strategies.pov20.rate=0.1"], "no strategy 'pov20'; did you mean 'pov10'?"),
]


@pytest.mark.parametrize(("settings", "message"), BAD, ids=[" ".join(s) for s, _ in BAD])
def test_bad_keys_are_one_line_status_2_and_write_nothing(place, settings, message):
    status, out, error = typed("run", "tiny.toml", *(w for s in settings for w in ("--set", s)), cwd=place)
    assert (status, out) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert tree(place) == ["tiny.toml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "nothing.toml"], "cannot be read"),
        (["run", "large_cup"], "did you mean 'large_cap'?"),
        (["run", "empty.toml"], "is empty"),
        (["run", "broken.toml"], "is no TOML"),
        (["run", "binary.toml"], "cannot be read"),
        (["run", "tiny.toml", "--thread", "2"], "no option '--thread'; did you mean '--threads'?"),
        (["run", "tiny.toml", "--threads", "0"], "0 is not in the range"),
        (["run"], "Missing argument 'STUDY'"),
        (["rnu", "tiny.toml"], "no command 'rnu'; did you mean 'run'?"),
        (["compare", "nowhere"], "holds no results"),
        (["replay", "nowhere", "--episode", "1"], "holds no results"),
        (["run", ""], "the word behind 'run' is empty"),
        (["run", "tiny.toml", "--out", ""], "the word behind '--out' is empty"),
        (["compare", "nowhere", "--baseline="], "the word behind '--baseline=' is empty"),
        (["report", "nowhere", "--figures", ""], "the word behind '--figures' is empty"),
        (["run", "replay.toml"], "bars"),
    ],
)
def test_bad_words_and_files(place, words, message):
    (place / "empty.toml").write_text("")
    (place / "broken.toml").write_text("[order\nshares=")
    (place / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (place / "bars.parquet").write_text("no parquet")
    (place / "replay.toml").write_text(
        '[market]\nmodel = "replay"\nbars = "bars.parquet"\nsymbol = "X"\n[[strategies]]\nmodel = "twap"\n'
    )
    before = tree(place)
    status, out, error = typed(*words, cwd=place)
    assert (status, out) == (2, "")
    assert message in error
    assert error.count("\n") == 1
    assert error.startswith("fastexec: ")
    assert tree(place) == before


def test_debug_shows_the_traceback(place):
    status, _, error = typed("run", "nothing.toml", "--debug", cwd=place)
    assert status == 2
    assert "Traceback" in error


def test_a_folder_that_cannot_be_written_is_status_1(place):
    status, _, error = typed("run", "tiny.toml", "--out", "/proc/nowhere/r", cwd=place)
    assert status == 1
    assert "cannot be written" in error
    assert error.count("\n") == 1
    assert tree(place) == ["tiny.toml"]


def test_a_reader_that_leaves_is_no_error(place):
    ended = subprocess.run(
        f"{sys.executable} -m fastexec schema | head -1", shell=True, cwd=place, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip
    assert ended.stderr == ""
    assert ended.stdout.count("\n") == 1


def test_replay_of_real_bars_from_the_command_line(place):
    bars = data_file("us_bars_1min.parquet")
    (place / "ibm.toml").write_text(
        f'name = "ibm"\n[order]\nshares = 20000\n[market]\nmodel = "replay"\nbars = "{bars}"\nsymbol = "IBM"\n'
        '[[strategies]]\nmodel = "twap"\n[[strategies]]\nmodel = "vwap"\n'
    )
    status, out, error = typed("run", "ibm.toml", cwd=place)
    assert (status, error) == (0, "")
    assert "Student's t over 5 days" in out
    status, _, error = typed("run", "ibm.toml", "--set", "market.symbol=IBN", "--out", "r", cwd=place)
    assert status == 2
    assert "IBM" in error
    assert not (place / "r").exists()


@pytest.mark.parametrize("module", ["fastexec", "fastexec.cli"])
def test_import_loads_neither_numba_nor_pyarrow_nor_pandas(module):
    code = f"import sys, {module}; print([m for m in ('numba', 'pyarrow', 'pandas', 'pydantic') if m in sys.modules])"
    ended = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert ended.stdout.strip() == "[]"
