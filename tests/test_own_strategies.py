"""Own strategies from the user's side: a file, a study that names it, the command line; what it signs, what it refuses."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from commands import typed
from conftest import ROOT, small_study
from fastexec.errors import InputError, RefusedError
from fastexec.runs.replay import replay_episode
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from test_cli import tree

SIGNATURE = "(shares, remaining, mid, spread, last_volume, params, step, steps)"
PATIENT = f'''
import fastexec as fx


@fx.strategy("patient", tight=0.0004, fast=2.0, slow=0.5)
def patient{SIGNATURE}:
    """More while the spread is tight."""
    tight, fast, slow = params[0], params[1], params[2]
    for i in range(shares.size):
        pace = fast if spread[i] <= tight else slow
        shares[i] = min(pace * remaining[i] / (steps - step), remaining[i])


@fx.strategy("twin")
def twin{SIGNATURE}:
    """TWAP."""
    shares[:] = remaining / (steps - step)
'''
#: The same two in the second form.
ORDERS = '''
import fastexec as fx
from fastexec.orders import SHARES


@fx.strategy("patient", tight=0.0004, fast=2.0, slow=0.5)
def patient(orders, see, params, step, steps):
    """More while the spread is tight."""
    tight, fast, slow = params[0], params[1], params[2]
    for i in range(orders.shape[1]):
        pace = fast if see[fx.see.SPREAD, i] <= tight else slow
        orders[SHARES, i] = min(pace * see[fx.see.REMAINING, i] / (steps - step), see[fx.see.REMAINING, i])


@fx.strategy("twin")
def twin(orders, see, params, step, steps):
    """TWAP."""
    orders[fx.orders.SHARES] = see[fx.see.REMAINING] / (steps - step)
'''
FORMS = {"first form": PATIENT, "second form": ORDERS}
STUDY = """
name = "mine"
seed = 3
episodes = 400
plugins = ["own.py"]
[order]
shares = 1200
steps = 12
[market.volume]
mean = 1000.0
[[strategies]]
model = "twap"
[[strategies]]
model = "patient"
[[strategies]]
name = "waits"
model = "patient"
slow = 0.0
"""


def plugin(body: str, head: str = '@fx.strategy("x")') -> str:
    return f"import numpy as np\n\nimport fastexec as fx\n\n\n{head}\ndef x{SIGNATURE}:\n    {body}\n"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "own.py").write_text(PATIENT)
    (tmp_path / "mine.toml").write_text(STUDY)
    return tmp_path


@pytest.fixture(params=FORMS)
def either(place, request):
    """Each form in its turn."""
    (place / "own.py").write_text(FORMS[request.param])
    return place


def load(place: Path, *overrides: str) -> Study:
    return Study.load(place / "mine.toml", overrides)


def own(place: Path, body: str, head: str = '@fx.strategy("x")', **changes) -> Study:
    (place / "x.py").write_text(plugin(body, head))
    keys = {"plugins": ["x.py"], "episodes": 50, "strategies": [{"model": "x"}], **changes}
    return Study.from_dict(small_study().model_dump() | keys, folder=place)


def test_parameters_have_defaults_and_order_whatever_the_file_says(place):
    study = load(place)
    assert study.strategies[1].parameters == {"tight": 0.0004, "fast": 2.0, "slow": 0.5}
    assert list(study.strategies[2].parameters) == ["tight", "fast", "slow"]
    assert study.strategies[2].parameters["slow"] == 0.0
    levels = prepare(study).arrays[1].levels
    np.testing.assert_array_equal(levels[1:, :3], [[0.0004, 2.0, 0.5], [0.0004, 2.0, 0.0]])
    assert load(place, "strategies.waits.tight=1").strategies[2].parameters["tight"] == 1.0


def test_it_decides_as_its_text_says(either):
    """Recomputed from the steps: whole lots, rounded down, and what is left joins the last step."""
    steps = prepare(load(either)).steps(0, 40)
    rows = {name: steps[name].reshape(40, 3, 12)[:, 1] for name in ("shares", "remaining", "spread")}
    left = rows["remaining"] + rows["shares"]
    pace = np.where(rows["spread"] <= 0.0004, 2.0, 0.5)
    wanted = np.floor(np.minimum(pace * left / (12 - np.arange(12)), left) + 1e-9)
    np.testing.assert_array_equal(rows["shares"][:, :-1], wanted[:, :-1])
    np.testing.assert_array_equal(rows["shares"][:, -1], left[:, -1])


def test_a_twin_of_twap_trades_what_twap_trades(place):
    study = load(place, 'strategies.patient.model="twin"', "order.lot=0")
    found = simulate(study.changed({"strategies": [s.model_dump() for s in study.strategies[:2]]}))
    shortfall = found.episodes["shortfall_bps"].reshape(-1, 2)
    np.testing.assert_allclose(shortfall[:, 0], shortfall[:, 1], rtol=1e-10, atol=1e-10)


def test_same_bits_on_threads_cuts_alone_and_interpreted(either):
    study = load(either, "episodes=3000")
    one, two = (simulate(study, threads=threads).episodes for threads in (1, 2))
    prepared = prepare(study)
    cut = np.concatenate(
        [prepared.run(a, b - a).episodes["shortfall_bps"] for a, b in ((0, 131), (131, 1000), (1000, 3000))]
    )
    np.testing.assert_array_equal(one["shortfall_bps"], two["shortfall_bps"])
    np.testing.assert_array_equal(one["shortfall_bps"], cut)
    alone = simulate(study.changed({"strategies": [study.strategies[1].model_dump()]})).episodes["shortfall_bps"]
    np.testing.assert_array_equal(alone, one["shortfall_bps"][1::3])
    code = (
        "import sys; from fastexec.studies.study import Study; from fastexec.simulation import simulate\n"
        "print(simulate(Study.load(sys.argv[1]), episodes=100).episodes['shortfall_bps'].tobytes().hex())"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code, str(either / "mine.toml")], text=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"}, timeout=300,
    )  # fmt: skip
    assert ended.stdout.strip() == one["shortfall_bps"][:300].tobytes().hex(), ended.stderr


def test_timing_has_mean_zero_as_declared_even_for_one_that_chases_the_price(place):
    """It sees S_t, which the moves that follow do not know; a drift ends that."""
    wanted = "remaining[i] if mid[i] > 100.05 or last_volume[i] > 1500.0 else 0.0"
    body = f"for i in range(shares.size):\n        shares[i] = {wanted}"
    market = {
        "price": {"volatility": 0.01},
        "volume": {"model": "lognormal", "mean": 1000.0, "volatility": 0.5},
        "correlation": {"price_volume": 0.5},
    }
    study = own(place, body, episodes=40_000, market=market)
    prepared = prepare(study)
    timing = simulate(study).episodes["timing_bps"]
    assert prepared.control_variate == [True]
    assert abs(timing.mean()) < 4 * timing.std() / np.sqrt(timing.size)
    rising = study.with_overrides(["market.price.drift=0.001"])
    assert prepare(rising).control_variate == [True]
    rest = simulate(rising).episodes["timing_unexpected_bps"]
    assert abs(rest.mean()) < 4 * rest.std() / np.sqrt(rest.size)


def test_footer_summary_and_identity_hold_it(place):
    result = run(load(place), out=place / "r")
    footer = json.loads(pq.read_metadata(place / "r" / "summary.parquet").metadata[b"fastexec"])
    source = load(place).strategies[1].source
    assert footer["inputs"] == {"own.py": source}
    assert source in footer["study"]
    assert result.summary["model"].to_pylist() == ["twap", "patient", "patient"]
    before = load(place).identity()
    shutil.copy(place / "own.py", place / "same.py")
    assert load(place, 'plugins=["same.py"]').identity() == before
    (place / "own.py").write_text(PATIENT + "\n# another\n")
    assert load(place).identity() != before


def test_a_changed_file_is_refused_on_resume_and_results_keep_their_own_copy(place, monkeypatch):
    run(load(place), out=place / "r")
    (place / "own.py").write_text(PATIENT.replace("0.0004", "0.0009"))
    with pytest.raises(RefusedError, match=r"own\.py: has changed since"):
        run(load(place, "episodes=800"), out=place / "r", resume=True)
    stored = prepare(Study.load(place / "r" / "study.toml")).run(7, 1).episodes["shortfall_bps"]
    np.testing.assert_array_equal(pq.read_table(place / "r" / "episodes")["shortfall_bps"].to_numpy()[21:24], stored)
    monkeypatch.chdir(place / "r")
    assert replay_episode(place / "r", 7, "patient").num_rows == 12


def test_results_without_the_file_can_be_compared_and_the_missing_one_is_named(place, monkeypatch):
    monkeypatch.chdir(place / "..")
    run(load(place), out=place / "r")
    shutil.rmtree(place / "r" / "plugins")
    shutil.move(place / "own.py", place / "moved.py")
    assert fx.compare(place / "r").table.num_rows == 2
    with pytest.raises(InputError, match=r"own\.py: there is no such plugin file.*plugins"):
        replay_episode(place / "r", 7)
    (place / "other").mkdir()
    shutil.move(place / "moved.py", place / "other" / "own.py")
    assert replay_episode(place / "r", 7, plugins=[str(place / "other" / "own.py")]).num_rows == 36
    (place / "other" / "own.py").write_text(PATIENT + "\n")
    with pytest.raises(RefusedError, match=r"has changed since 'patient' was resolved"):
        replay_episode(place / "r", 7, plugins=[str(place / "other" / "own.py")])


@pytest.mark.processes
def test_a_worker_that_was_sent_the_study_finds_the_file(either, tmp_path_factory):
    """Pickled, or read from the folder of results: in a process of another folder, the same bits."""
    study = load(either)
    run(study, out=either / "r")
    (either / "study.pickle").write_bytes(pickle.dumps(study))
    code = (
        "import pickle, sys; from pathlib import Path; from fastexec.simulation import prepare\n"
        "from fastexec.studies.study import Study; place = Path(sys.argv[1])\n"
        "for study in (pickle.loads((place / 'study.pickle').read_bytes()), Study.load(place / 'r' / 'study.toml')):\n"
        "    print(prepare(study).run(0, 50).episodes['shortfall_bps'].tobytes().hex())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(either)], text=True, capture_output=True, timeout=300,
        cwd=tmp_path_factory.mktemp("elsewhere"), env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    wanted = prepare(study).run(0, 50).episodes["shortfall_bps"].tobytes().hex()
    assert ended.stdout.split() == [wanted, wanted], ended.stderr


def test_one_registered_in_the_running_program_needs_no_file_in_the_study(place):
    @fx.strategy("here", part=0.25)
    def here(shares, remaining, mid, spread, last_volume, params, step, steps):
        shares[:] = params[0] * remaining

    study = small_study(strategies=[{"model": "here", "part": 0.5}])
    steps = prepare(study).steps(0, 1)
    np.testing.assert_array_equal(steps["shares"][:3], [600, 300, 150])
    assert list(prepare(study).inputs) == ["here.py"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "strategies.patient.tigth=1"], "strategies.patient.tigth: unknown key; did you mean 'tight'?"),
        (["--set", "strategies.waits.tight='wide'"], "strategies.waits.tight: must be a number, not 'wide'"),
        (["--set", "strategies.waits.tight=inf"], "strategies.waits.tight: must be a finite number"),
        (["--set", "strategies.patient.model='patent'"], "unknown model 'patent'; did you mean 'patient'?"),
        (["--plugin", "nowhere.py"], "nowhere.py: there is no such plugin file"),
        (
            ["--plugin", "nowhere"],
            "nowhere: cannot be imported (No module named 'nowhere'); a file is named with its ending",
        ),
    ],
)
def test_bad_words_are_status_2_and_write_nothing(place, words, said):
    before = tree(place)
    status, out, error = typed("run", "mine.toml", *words, cwd=place)
    assert (status, out) == (2, "")
    assert said in error
    assert error.count("\n") == 1
    assert tree(place) == before


def test_from_the_command_line(either):
    (either / "bare.toml").write_text(STUDY.replace('plugins = ["own.py"]\n', ""))
    status, out, error = typed("run", "bare.toml", "--plugin", "own.py", cwd=either)
    assert (status, error) == (0, "")
    assert "waits" in out
    status, out, _ = typed("check", "mine.toml", cwd=either)
    assert status == 0
    assert "timing has mean zero for twap, patient, waits" in out
    assert "own.py, SHA-256" in out
    status, out, _ = typed("schema", "--plugin", "own.py", cwd=either)
    assert status == 0
    assert "More while the spread is tight." in out
    assert "slow = 0.5" in out
    status, out, _ = typed(
        "replay", "results/mine", "--episode", 3, "--strategy", "waits", "--format", "csv", cwd=either
    )
    assert (status, len(out.splitlines())) == (0, 13)
    status, _, error = typed("run", "bare.toml", "--out", "s", cwd=either)
    assert status == 2
    assert "unknown model 'patient'" in error
