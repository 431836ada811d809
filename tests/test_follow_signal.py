"""``follow_signal``: its rule against a naive twin, its saving against the closed form and other rules, what it refuses."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from conftest import ROOT, small_study
from fastexec.planning.follow_signal import Problem, solve
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive import decide, follow_signal as twin
from test_market_signals import signal

EPISODES = 40_000


@pytest.mark.parametrize("signals", [0, 1, 3])
@pytest.mark.parametrize("steps", [1, 2, 9])
def test_the_rule_is_the_best_next_slice(steps, signals):
    """Of costs, drifts and risks that differ from step to step, from any rest and any signals."""
    rng = np.random.default_rng(steps + 10 * signals)
    half, drift = rng.uniform(0.0, 1.0, steps), rng.normal(size=steps)
    slope, risk = rng.uniform(0.5, 2.0, steps), rng.uniform(0.0, 1.0, steps)
    told, memory = rng.normal(size=(signals, steps)), rng.uniform(0.0, 0.99, signals).tolist()
    rule = solve(Problem(half, slope, drift, risk, told, memory, np.ones(steps, bool)))
    for t in range(steps):
        for left in (0.0, 10.0):
            x = rng.normal(size=signals)
            tail = (array[..., t:] for array in (half, slope, drift, risk, told))
            wanted = twin.first_slice(left, x, *tail, memory)
            assert decide.by_rule(*rule[t, :2], rule[t, 2:], x, left) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_steps_in_which_nobody_trades_are_waited_through():
    """Their slope is as if it were beyond all others; behind the last step with some nothing is left."""
    some, slope = np.array([1, 1, 0, 1, 0], bool), np.array([1.0, 2.0, 1.0, 1.0, 1.0])
    half, drift, risk = np.array([0.1, 0.3, 0.2, 0.0, 0.0]), np.full(5, 0.2), np.full(5, 0.1)
    told, memory = np.array([[0.3, 0.4, 0.5, 0.6, 0.7]]), [0.8]
    rule = solve(Problem(half, slope, drift, risk, told, memory, some))
    closed = np.where(some, slope, 1e12)[:4]
    wanted = solve(Problem(half[:4], closed, drift[:4], risk[:4], told[:, :4], memory, np.ones(4, bool)))
    np.testing.assert_allclose(rule[[0, 1, 3]], wanted[[0, 1, 3]], rtol=1e-9)
    assert not rule[[2, 4]].any()
    assert rule[3].tolist() == [1.0, 0.0, 0.0]


def linear(*signals, side="buy", **keys):
    """An arithmetic price, a linear cost, no spread: the market of the closed form."""
    return Study.from_dict({
        "seed": 6, "episodes": EPISODES, "order": {"side": side, "shares": 48_000, "steps": 12, "lot": 0},
        "market": {"price": {"model": "arithmetic", "volatility": 0.05}, "signals": list(signals),
                   "spread": {"model": "constant", "initial": 0.0}, "volume": {"model": "constant", "mean": 1e4}},
        "costs": {"temporary": {"model": "linear", "coefficient": K}},
        "strategies": [{"model": "twap"}, {"model": "follow_signal"}], **keys,
    })  # fmt: skip


WEAK, K = signal("move", correlation=0.02, persistence=0.9), 1e-5


def currency(study, results=None):
    """What orders cost, the unexpected moves left out, currency float64[e, k]."""
    found = (results or simulate(study)).episodes
    bps = found["shortfall_bps"] - found["timing_unexpected_bps"]
    return bps.reshape(EPISODES, -1) * study.order.shares * 100.0 / 1e4


def closed_form(study, *followed):
    """The gain over even slices, currency, of signals (correlation, persistence) that do not tell of each other: in step t,
    m steps before the last, b^2 m / (4 k (m + 1)), b = sum of volatility rho phi^s (m - s) / m over the steps s ahead.
    """
    gain, last = 0.0, study.order.steps - 1
    for rho, phi in followed:
        for m in range(last, 0, -1):
            b = study.market.price.volatility * rho * sum(phi**s * (m - s) / m for s in range(m))
            gain += b * b * m / (4.0 * K * (m + 1))
    return gain


def saved(study):
    """Mean and standard error."""
    cost = currency(study)
    saving = cost[:, 0] - cost[:, 1]
    return saving.mean(), saving.std() / math.sqrt(EPISODES)


OTHER = signal("move", "y", correlation=-0.015, persistence=0.6, levels=5)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    ("signals", "followed"),
    [
        ((WEAK,), [(0.02, 0.9)]),
        ((signal("volatility", "v"), OTHER), [(-0.015, 0.6)]),
        ((WEAK, OTHER), [(0.02, 0.9), (-0.015, 0.6)]),
    ],
    ids=["one", "beside another", "two"],
)
def test_where_no_bound_binds_it_saves_what_the_closed_form_says(signals, followed, side):
    study = linear(*signals, side=side)
    saving, error = saved(study)
    gain = closed_form(study, *followed)
    varied = study.market._varied(1.0) ** 2  # of the volatility, where a signal scales it: only its mean is known
    assert gain * varied > 20.0 * error
    assert abs(saving - gain * varied) < 4.0 * error


def test_what_it_is_told_not_to_follow_it_does_not():
    study = linear(WEAK, OTHER, strategies=[{"model": "twap"}, {"model": "follow_signal", "signals": ["y"]}])
    saving, error = saved(study)
    assert abs(saving - closed_form(study, (-0.015, 0.6))) < 4.0 * error
    assert closed_form(study, (0.02, 0.9)) > 20.0 * error


def shares_of(study):
    """What it trades and the signals, float64[e, t] and [j, e, t]."""
    steps = prepare(study).steps(0, EPISODES)
    n, k = study.order.steps, len(study.strategies)
    x = [steps[f"signal_{name}"].reshape(EPISODES, k, n)[:, 0] for name in study.signals]
    return steps["shares"].reshape(EPISODES, k, n)[:, -1], np.array(x)


def played(rule, x, shares):
    """A rule without bounds, float64[e, t]."""
    slices, left = np.empty_like(x[0]), np.full(x.shape[1], shares)
    for t in range(x.shape[2]):
        slices[:, t] = rule[t, 0] * left + sum(rule[t, 2 + j] * x[j, :, t] for j in range(len(x)))
        left = left - slices[:, t]
    return slices


def test_no_other_linear_rule_is_cheaper():
    """On the same paths: weights of the signal times a number, or by another persistence; faster and slower ones."""
    study = linear(WEAK)
    own, x = shares_of(study)
    rule, n = prepare(study).arrays[1].rules[0], study.order.steps
    np.testing.assert_allclose(played(rule, x, 48_000.0), own, rtol=1e-9, atol=1e-6)
    others = {}
    for times in (0.0, 0.5, 0.8, 1.25, 1.5):
        others[f"times_{times}"] = rule * np.array([1.0, 1.0, times, 1.0, 1.0, 1.0])
    for phi in (0.5, 0.8, 0.99):
        others[f"persistence_{phi}"] = rule.copy()
        others[f"persistence_{phi}"][:-1, 2] *= np.array(
            [
                sum(phi**s * (m - s) for s in range(m)) / sum(0.9**s * (m - s) for s in range(m))
                for m in range(n - 1, 0, -1)
            ]
        )
    for pace in (0.9, 1.1):
        others[f"pace_{pace}"] = rule.copy()
        others[f"pace_{pace}"][:-1, 0] *= pace
    slices = {name: played(other, x, 48_000.0) for name, other in others.items()}
    assert min(one.min() for one in slices.values()) > 0.0
    cost = currency(study, simulate(study, slices=slices))
    for k in range(2, cost.shape[1]):
        dearer = cost[:, k] - cost[:, 1]
        assert dearer.mean() > 4.0 * dearer.std() / math.sqrt(EPISODES), list(others)[k - 2]


# ---- 20 lots of 15 % of a step's volume in 60 steps of 5 bp, half spread 3.6 bp: 6.80 bp without looking


def lots(rho, phi, side):
    """A chain of 9 levels."""
    return Study.from_dict({
        "seed": 3, "episodes": EPISODES, "order": {"side": side, "shares": 30_000, "steps": 60, "lot": 1_500},
        "market": {"price": {"volatility": 0.0005}, "spread": {"model": "constant", "initial": 0.00072},
                   "volume": {"model": "constant", "mean": 10_000.0},
                   "signals": [signal("move", correlation=rho, persistence=phi, levels=9)]},
        "costs": {"temporary": {"coefficient": 0.001, "exponent": 0.6}},
        "strategies": [{"model": "twap"}, {"model": "follow_signal"}],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("rho", "phi", "side", "worth", "share"),
    [
        (0.05, 0.9, "buy", 1.6982, 0.85),
        (0.05, 0.9, "sell", 1.6982, 0.85),
        (0.02, 0.9, "buy", 0.6761, 0.5),
        (0.05, 0.97, "sell", 2.9944, 0.85),
        (0.1, 0.9, "buy", 3.5532, 0.9),
    ],
)
def test_of_few_lots_it_saves_much_of_what_the_optimum_does_and_no_more(rho, phi, side, worth, share):
    """``worth``: by an exact programme over step, lots left and level that shares no code with the project."""
    cost = currency(lots(rho, phi, side)) / 300.0  # bp of 30,000 shares at 100
    error = cost.std(axis=0) / math.sqrt(EPISODES)
    saved = 6.8 + 0.0042 - cost[:, 1].mean()  # a lot in a step's volume costs 10 bp * .15^.6 = 3.2042
    assert abs(cost[:, 0].mean() - 6.8042) < 4.0 * error[0]
    assert share * worth < saved < worth + 4.0 * error[1]


def test_its_signed_recursion_is_that_of_oracles_4(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("verify_signals")
    assert script.report(20_000, 3)
    monkeypatch.setattr(script, "REVERSION", 2.1)
    assert not script.report(20_000, 3)
    assert "oracle 0.39275005" in capsys.readouterr().out


@pytest.mark.parametrize("lot", [0, 100, 750])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_slices_are_the_rules_kept_within_bounds(side, lot):
    order = {"side": side, "shares": 3_000, "steps": 12, "lot": lot}
    strong = [signal("move", correlation=0.4), signal("spread", "s"), signal("move", "y", levels=3, correlation=-0.2)]
    study = small_study(
        episodes=60, order=order, market={"signals": strong, "price": {"volatility": 0.01, "drift": 1e-4}},
        strategies=[{"model": "follow_signal", "risk_aversion": 1e-5}], costs={"temporary": {"coefficient": 0.002}},
    )  # fmt: skip
    steps, rule = prepare(study).steps(0, 60), prepare(study).arrays[1].rules[0]
    shares, x = steps["shares"].reshape(60, 12), np.array([steps[f"signal_{name}"].reshape(60, 12) for name in "xsy"])
    assert not rule[:, 3].any()
    bound = 0
    for e in range(60):
        left = 3_000.0
        for t in range(12):
            wanted = decide.by_rule(rule[t, 0], rule[t, 1], rule[t, 2:5], x[:, e, t], left)
            kept = decide.kept_within(wanted, float(lot), left)
            bound += wanted < 0.0 < left or 0.0 < left < wanted
            assert shares[e, t] == pytest.approx(kept, abs=1e-6)
            left -= kept
        assert left == 0.0
    assert bound > 60
