"""The second form of own strategies: what its orders may be, what it sees by name, and how a fault of it is told."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import fastexec as fx
from cells import ORDERS
from conftest import small_study
from fastexec.errors import FastexecError, InputError
from fastexec.kernels import own_rows
from fastexec.kernels._jit import LANES
from fastexec.models.plugin_files import registered
from fastexec.models.see import ROWS, lacking
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from fastexec.studies.handbook import topic_text
from fastexec.studies.study import Study
from naive import signals as twin
from test_own_strategies import FORMS, STUDY

#: Asks for a row's value, or for one share where there is none.
ASKING = "for i in range(orders.shape[1]):\n        x = see[int(params[0]), i]\n        " \
         "orders[0, i] = 1.0 if x != x else min(params[1] * abs(x) + 2.0, see[0, i])"  # fmt: skip
REGIMES = {"names": ["calm", "wild"], "transition": [[0.9, 0.1], [0.3, 0.7]], "volatility": [1.0, 2.0]}


def mine(place: Path, body: str, head: str = '@fx.strategy("x")', **changes) -> Study:
    (place / "x.py").write_text(
        f"import numpy as np\n\nimport fastexec as fx\n\n\n{head}\ndef x{ORDERS}:\n    {body}\n"
    )
    keys = {"plugins": ["x.py"], "episodes": 50, "strategies": [{"model": "x"}], **changes}
    return Study.from_dict(small_study().model_dump() | keys, folder=place)


def of_rows(place: Path, scales: dict[str, float], paths=None, **changes) -> dict[str, np.ndarray]:
    """What strategies are given that ask for a row each, float64[e, t] by name."""
    asked = [
        {"model": "x", "name": name, "row": getattr(own_rows, name), "scale": scale} for name, scale in scales.items()
    ]
    order = {"shares": 1e6, "steps": 6, "lot": 0, "at_horizon": "leave"}
    study = mine(place, ASKING, '@fx.strategy("x", row=0.0, scale=1.0)', strategies=asked, order=order, **changes)
    found = prepare(study, paths=paths).steps(0, 40)
    shares, mid, spread, volume = (
        found[name].reshape(40, len(asked), 6) for name in ("shares", "mid", "spread", "volume")
    )
    rows = {name: shares[:, k] for k, name in enumerate(scales)}
    return rows | {"mid": mid[:, 0], "spread": spread[:, 0], "volume": volume[:, 0]}


def test_both_forms_of_a_strategy_trade_alike_to_the_bit(tmp_path):
    (tmp_path / "mine.toml").write_text(STUDY)
    found = []
    for text in FORMS.values():
        (tmp_path / "own.py").write_text(text)
        found.append(simulate(Study.load(tmp_path / "mine.toml")).episodes["shortfall_bps"])
    np.testing.assert_array_equal(*found)


def test_rows_hold_what_their_names_say(tmp_path):
    """As the step begins: nothing of its own move or volume."""
    market = {"price": {"volatility": 0.01}, "spread": {"model": "mean_reverting", "mean": 1e-3, "volatility": 0.3},
              "volume": {"model": "lognormal", "mean": 1000.0, "volatility": 0.5}}  # fmt: skip
    scales = {"MID": 1.0, "SPREAD": 1e5, "LAST_VOLUME": 1.0, "ELAPSED": 60.0, "RETURN": 1e4, "VOLATILITY": 1e5,
              "RELATIVE_SPREAD": 100.0, "RELATIVE_VOLUME": 100.0}  # fmt: skip
    found = of_rows(tmp_path, scales, market=market)
    mid, spread, volume = found["mid"], found["spread"], found["volume"]
    before = np.arange(1, 6)
    moves = np.diff(mid, axis=1) / mid[:, :-1]
    so_far = np.cumsum(volume, axis=1)[:, :-1] / before
    wanted = {
        "MID": mid, "SPREAD": spread, "ELAPSED": np.broadcast_to(np.arange(6) / 6, mid.shape),
        "LAST_VOLUME": np.column_stack((np.zeros(40), volume[:, :-1])), "RETURN": np.abs(mid / mid[:, :1] - 1.0),
        "VOLATILITY": np.column_stack((np.zeros(40), np.sqrt(np.cumsum(moves**2, axis=1) / before))),
        "RELATIVE_SPREAD": spread / (np.cumsum(spread, axis=1) / np.arange(1, 7)),
        "RELATIVE_VOLUME": np.column_stack((np.ones(40), volume[:, :-1] / so_far)),
    }  # fmt: skip
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], scales[name] * values + 2.0, rtol=1e-9, atol=1e-3, err_msg=name)


SCALES = dict.fromkeys(ROWS, 0.0)


@pytest.mark.parametrize(
    ("market", "there"),
    [
        ({}, set()),
        ({"regimes": REGIMES}, set()),
        ({"regimes": {**REGIMES, "known": True}}, {"REGIME"}),
        ({"noise": {"sd": 1e-4}}, {"NOISE"}),
    ],
    ids=["plain", "hidden regimes", "known regimes", "noise"],
)
def test_what_a_study_lacks_is_not_a_number_and_check_says_so(tmp_path, market, there):
    always = set(ROWS) - {"IMBALANCE", "DEPTH_OWN", "DEPTH_OTHER", "QUEUE", "SIGNAL", "FORECAST", "REGIME", "NOISE"}
    found = of_rows(tmp_path, SCALES, market=market)
    assert {name for name in ROWS if np.all(found[name] != 1.0)} == always | there
    assert {name for name in ROWS if np.all(found[name] == 1.0)} == set(ROWS) - always - there
    study = mine(tmp_path, "pass", market=market)
    assert set(lacking(study)) == set(ROWS) - always - there
    (told,) = [text for label, text in examine(study).known if label == "see"]
    assert told.startswith("NaN here: IMBALANCE, DEPTH_OWN, DEPTH_OTHER, QUEUE (no market has an order book); SIGNAL (")
    for name in ("REGIME", "NOISE"):
        assert (f"; {name} (" in told) == (name not in there)


SHOWN = "for i in range(orders.shape[1]):\n        x = see[int(params[0]), i]\n        " \
        "orders[0, i] = 1.0 if x != x else x + 10.0"  # fmt: skip
SIGNALS = (
    {"name": "flow", "predicts": "move", "correlation": 0.3, "persistence": 0.8},
    {"name": "heat", "predicts": "volatility", "correlation": -0.4, "levels": 3},
    {"name": "wide", "predicts": "spread", "correlation": 0.5, "persistence": 0.5},
    {"name": "busy", "predicts": "volume", "correlation": {"low": -0.4, "high": 0.4}},
)
LISTED = {"name": "side", "predicts": "move", "correlation": -0.1, "levels": [-1.0, 2.0],
          "transition": [[0.9, 0.1], [0.2, 0.8]]}  # fmt: skip


@pytest.mark.parametrize(
    ("signals", "side", "market"),
    [
        (SIGNALS[:1], "buy", {}),
        (SIGNALS, "sell", {}),
        (SIGNALS[::-1], "buy", {"price": {"model": "arithmetic"}, "jumps": {"rate": 0.5, "volatility": 0.1}}),
        ((LISTED, SIGNALS[0]), "buy", {"regimes": REGIMES, "variance": {"volatility": 0.4}, "noise": {"sd": 1e-3}}),
        ((), "buy", {}),
    ],
    ids=["one", "four", "turned round beside jumps", "a listed chain beside regimes and noise", "none"],
)  # fmt: skip
def test_signals_are_seen_as_the_market_has_them_and_beyond_them_nothing(tmp_path, signals, side, market):
    market = {"spread": {"model": "mean_reverting", "mean": 1e-3, "volatility": 0.3}, **market,
              "volume": {"model": "lognormal", "mean": 1000.0, "volatility": 0.5}, "signals": list(signals)}  # fmt: skip
    order = {"shares": 1e6, "side": side, "steps": 6, "lot": 0, "at_horizon": "leave"}
    asked = [{"model": "x", "name": f"s{j}", "row": fx.see.SIGNAL + j} for j in range(4)]
    study = mine(tmp_path, SHOWN, '@fx.strategy("x", row=0.0)', strategies=asked, order=order, market=market)
    found = {name: values.reshape(40, 4, 6) for name, values in prepare(study).steps(0, 40).items()}
    for j, one in enumerate(signals):
        values = found[f"signal_{one['name']}"][:, j]
        np.testing.assert_allclose(found["shares"][:, j] - 10.0, values, rtol=0.0, atol=1e-12)
        if "levels" not in one:
            wanted = [twin.path(study.seed, e, 6, one["name"], one.get("persistence", 0.9)) for e in range(40)]
            np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found["shares"][:, len(signals) :], 1.0)
    (told,) = [text for label, text in examine(study).known if label == "see"]
    said = {0: "; SIGNAL (the market has no signals)", 1: "; SIGNAL + 1, SIGNAL + 2, SIGNAL + 3 (the market has 1 signal)",
            2: "; SIGNAL + 2, SIGNAL + 3 (the market has 2 signals)"}  # fmt: skip
    assert ("SIGNAL" in told) == (len(signals) < 4)
    assert said.get(len(signals), "") in told


def test_given_paths_have_no_regimes(tmp_path):
    paths = fx.MarketPaths(np.full((40, 6), 100.0), np.full((40, 6), 1e-3), np.full((40, 6), 500.0))
    found = of_rows(tmp_path, {"REGIME": 0.0, "MID": 1.0}, paths, market={"regimes": {**REGIMES, "known": True}})
    np.testing.assert_array_equal(found["REGIME"], 1.0)
    np.testing.assert_array_equal(found["MID"], 102.0)


def test_the_observed_mid_is_seen_where_there_is_noise(tmp_path):
    still = {"price": {"volatility": 0.0}, "noise": {"sd": 0.01}}
    found = of_rows(tmp_path, {"MID": 1.0}, market=still)["MID"] - 2.0
    assert 0.5 < found.std() < 2.0  # 1 % of 100


LEVEL = r"every order crosses here: leave orders\[fx\.orders\.LEVEL\] as it is, fx\.orders\.CROSS"


FAULTS = (
    ("orders[fx.orders.SHARES, 9] = np.nan if step == 3 else 0.0", "episode 9, step 3: the slice is no number"),
    ("orders[0, 0] = -1.0", "episode 0, step 0: the slice is negative"),
    ("orders[0, 4] = 2.0 * see[0, 4]", "episode 4, step 0: the slice is more than what remains"),
    ("orders[3 + step, 0] = 1.0", "episode 0, step 0: the slice is no number .*outside its arrays"),
    ("orders[0, 0] = see[99 + step, 0]", "episode 0, step 0: the slice is no number .*outside its arrays"),
    ("orders[fx.orders.LEVEL, 7] = 0.0 if step == 2 else fx.orders.CROSS",
     f"episode 7, step 2: the level of its order is 0; {LEVEL}"),
    ("orders[1, 2] = np.nan", f"episode 2, step 0: the level of its order is nan; {LEVEL}"),
    ("orders[fx.orders.LEVEL, 5] += 1.0; orders[fx.orders.VENUE, 5] = 3.0 * step",
     r"episode 5, step 1: the venue of its order is 3; there is one venue here: leave orders\[fx\.orders\.VENUE\]"),
)  # fmt: skip


def test_an_order_that_cannot_be_had_is_named_with_its_value(tmp_path):
    """All cases in one function, so that it is compiled once."""
    body = "\n    ".join(f"if params[0] == {j}:\n        {text}" for j, (text, _) in enumerate(FAULTS))
    study = mine(tmp_path, body, '@fx.strategy("x", case=0.0)')
    for j, (_, said) in enumerate(FAULTS):
        with pytest.raises(FastexecError, match=f"strategy 'x', {said}") as caught:
            simulate(study.with_overrides([f"strategies.x.case={j}"]))
        assert "\n" not in str(caught.value)


def test_of_episodes_that_are_not_asked_for_nobody_hears(tmp_path):
    study = mine(tmp_path, "orders[1, 9:] = 0.0")
    prepare(study).run(0, 9)
    with pytest.raises(FastexecError, match="episode 9, step 0: the level"):
        prepare(study).run(0, 10)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("see[0, 0] = 1.0", r"x\.py, line 8: .* it writes to one of its inputs; only orders may be written"),
        ("params[0] = 1.0", r"x\.py, line 8: .* it writes to one of its inputs; only orders may be written"),
        ("see -= 1.0", r"x\.py, line 8: strategy 'x' changes its input see; only orders may be written"),
        ("orders[0] = fx.see.SPRAED", r"x\.py: strategy 'x' cannot be compiled: .*has no attribute 'SPRAED'"),
        ("orders[0] = np.random.rand()", r"x\.py, line 8: strategy 'x' draws random numbers"),
    ],
)
def test_what_cannot_be_a_strategy_is_one_line_that_says_where(tmp_path, body, said):
    with pytest.raises(InputError, match=said) as caught:
        prepare(mine(tmp_path, body))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments", ["orders, see", "orders, see, params, step, *steps", "a, b, c, d, e, f", ""])
def test_a_function_of_neither_form_is_told_both(tmp_path, arguments):
    (tmp_path / "few.py").write_text(f'import fastexec as fx\n\n@fx.strategy("few")\ndef few({arguments}):\n    pass\n')
    both = (
        r"\(shares, remaining, mid, spread, last_volume, params, step, steps\) or \(orders, see, params, step, steps\)"
    )
    with pytest.raises(InputError, match=rf"few\.py, line 3: strategy 'few' must take {both}"):
        registered(["few.py"], lambda name: [tmp_path / name])


def test_interpreted_its_inputs_cannot_be_written_either(tmp_path):
    study = mine(tmp_path, "see[0, 0] = 1.0")
    own = study.own_strategies()["x"]
    arrays = [np.zeros((3, LANES)), np.zeros((own_rows.SEE_ROWS, LANES)), np.zeros(32)]
    with pytest.raises(FastexecError, match=r"x\.py, line 8: strategy 'x': assignment destination is read-only"):
        own._interpreted(*arrays, 0, 4)


def test_one_of_a_notebook_is_stored_runs_and_is_verified(notebook, tmp_path):
    notebook.cell("W = np.array([0.5, 0.25, 0.5, 1.0])\nfrom fastexec import see as rows")
    body = "orders[fx.orders.SHARES] = see[rows.REMAINING] * W[step]"
    notebook.strategy(body, signature=ORDERS)
    study = notebook.study()
    shares = prepare(study).steps(0, 1)["shares"]
    np.testing.assert_array_equal(shares, [500.0, 125.0, 187.5, 187.5])
    fx.run(study, out=tmp_path / "r")
    assert (tmp_path / "r" / "plugins" / "mine.py").read_text().count("import fastexec.see as rows") == 1
    assert fx.verify(tmp_path / "r", sample=5)
    replayed = fx.replay(tmp_path / "r", episode=0).to_pandas()
    np.testing.assert_array_equal(replayed["shares"], shares)


def test_names_are_those_of_the_kernels_and_the_guide_tells_each():
    assert {name: getattr(fx.see, name) for name in fx.see.__all__} == {name: getattr(own_rows, name) for name in ROWS}
    taken = [fx.see.SIGNAL + j for j in range(4)] + [fx.see.FORECAST + j for j in range(4)]
    others = [getattr(fx.see, name) for name in ROWS if name not in ("SIGNAL", "FORECAST")]
    assert sorted(taken + others) == list(range(own_rows.SEE_ROWS))
    assert (fx.orders.SHARES, fx.orders.LEVEL, fx.orders.VENUE, fx.orders.CROSS) == (0, 1, 2, -math.inf)
    text = topic_text("own-strategy")
    for name, row in ROWS.items():
        assert f"| `{name}` | {row.meaning} |" in text
