"""[market.noise]: what is seen and what is paid, realised noise, no gain by waiting unless it is tradable, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from conftest import SMALL, small_study
from fastexec.data.paths import MarketPaths
from fastexec.errors import InputError
from fastexec.kernels.philox import PILOT
from fastexec.learning.rollout import alone
from fastexec.learning.unknown import why_unknown
from fastexec.models.noise import Noise
from fastexec.models.strategies import Twap
from fastexec.planning.policies import Cut
from fastexec.runs.check import examine
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive import halts, noise as twin, observe
from test_control_variate import ALL, declared, scores
from test_market import near, paths

SD, STEPS = 0.002, 12
SEEN, TRADABLE = {"sd": SD}, {"sd": SD, "tradable": True}
TWAP = Twap(model="twap", name="twap")


def bounces(study, episodes, phase=0):
    """float64[e, t + 1]"""
    return np.array([[twin.bounce(study.seed, e, t, SD, phase) for t in range(STEPS + 1)] for e in range(episodes)])


def test_what_is_only_seen_changes_no_cost_and_no_path():
    ours, plain = (simulate(small_study(market={"noise": noise}, strategies=ALL)) for noise in (SEEN, {}))
    for name, column in plain.episodes.items():
        np.testing.assert_array_equal(ours.episodes[name], column, err_msg=name)


@pytest.mark.parametrize("start", ["arrival", "moved"])
def test_tradable_mids_are_the_efficient_ones_times_the_twins_bounce(start):
    price = {"volatility": 0.002, "start": start}
    ours, plain = paths(60, market={"price": price, "noise": TRADABLE}), paths(60, market={"price": price})
    np.testing.assert_allclose(ours[0], plain[0] * bounces(ours[3], 60), rtol=1e-12)
    np.testing.assert_array_equal(ours[2], plain[2])
    realised = prepare(ours[3]).run(0, 60).markets["realised_volatility"]
    np.testing.assert_allclose(
        realised, np.sqrt(((ours[0][:, 1:] / ours[0][:, :-1] - 1.0) ** 2).mean(axis=1)), rtol=1e-9
    )


def test_a_halted_mid_does_not_bounce():
    market = {"price": {"volatility": 0.002}, "halts": {"rate": 0.2, "length": 3.0}}
    (mid, _, _, study), plain = (
        paths(60, market={**market, "noise": TRADABLE}),
        paths(60, market={"price": {"volatility": 0.002}}),
    )
    bounced = plain[0] * bounces(study, 60)
    halted = [halts.path(study.seed, e, STEPS, 0.2, 3.0) for e in range(60)]
    np.testing.assert_allclose(mid, [halts.seen(m, h) for m, h in zip(bounced, halted, strict=True)], rtol=1e-12)


@pytest.mark.parametrize("noise", [SEEN, TRADABLE])
def test_features_are_of_the_observed_mid(noise):
    study = small_study(strategies=[{"model": "twap"}], market={"noise": noise, "price": {"volatility": 0.002}})
    names = ("momentum", "volatility", "noise")
    seen = alone(study, TWAP, PILOT).observe([Cut(name, 1, np.zeros(0), 3) for name in names], False, 0, 40)
    plain = alone(small_study(strategies=[{"model": "twap"}], market={"price": {"volatility": 0.002}}), TWAP, PILOT)
    mid = plain.steps(0, 40).steps[0].reshape(40, STEPS) * bounces(study, 40, PILOT)[:, :-1]
    for found, of in zip(
        seen, (lambda o, t: observe.momentum(o, t, 3), observe.volatility, twin.realised), strict=True
    ):
        np.testing.assert_allclose(found, [[of(m, t) for t in range(STEPS)] for m in mid], rtol=1e-6, atol=1e-9)


def test_realised_noise_is_the_noise_there_is():
    """Minus the covariance of a move and the next, over episodes: sd^2 (Roll 1984)."""
    study = small_study(strategies=[{"model": "twap"}], market={"noise": TRADABLE, "price": {"volatility": 0.001}})
    steps = prepare(study).steps(0, 20_000)["mid"].reshape(20_000, STEPS)
    moves = np.diff(steps, axis=1) / steps[:, :-1]
    near(-(moves[:, 1:] * moves[:, :-1]).mean(axis=1), SD * SD, 5.0)
    near(moves**2, 0.001**2 + 2.0 * SD * SD, 5.0)


PATIENT = """
import fastexec as fx

@fx.strategy("patient", first=100.0)
def patient(shares, remaining, mid, spread, last_volume, params, step, steps):
    for i in range(shares.size):
        shares[i] = remaining[i] if mid[i] > params[0] or step == steps - 1 else 0.0
"""


@pytest.mark.parametrize("noise", [SEEN, TRADABLE])
def test_waiting_for_a_good_draw_pays_only_where_it_is_tradable(noise, tmp_path):
    """A seller who waits for a mid above arrival, the efficient mid nearly still: it sees the bounce, and is paid it or not."""
    (tmp_path / "own.py").write_text(PATIENT)
    market = {**SMALL["market"], "price": {"volatility": 0.0001}, "noise": noise}
    study = Study.from_dict(
        {**SMALL, "episodes": 20_000, "plugins": ["own.py"], "strategies": [{"model": "twap"}, {"model": "patient"}],
         "market": market}, folder=tmp_path,
    )  # fmt: skip
    episodes = simulate(study).episodes
    timing = episodes["timing_bps"].reshape(-1, 2)
    scored = timing.mean(axis=0) / (timing.std(axis=0) / np.sqrt(20_000))
    assert ("timing_unexpected_bps" in episodes) is (noise is TRADABLE)
    assert abs(scored[0]) < 4.0
    assert abs(scored[1]) < 4.0 if noise is SEEN else scored[1] < -50.0


def test_timing_keeps_its_mean_of_zero_where_it_is_only_seen():
    study = small_study(episodes=40_000, strategies=ALL, market={"price": {"volatility": 0.01}, "noise": SEEN})
    assert declared(study) == [True] * 4
    assert np.all(np.abs(scores(study)) < 4)


def test_check_says_what_waiting_is_worth():
    """Two steps: E max(z, 0) = 1 / sqrt(2 pi)."""
    assert Noise(sd=0.001).worth_of_waiting(2) == pytest.approx(0.001 / math.sqrt(2.0 * math.pi))
    z, v = np.random.default_rng(1).standard_normal(400_000), 0.0
    for _ in range(11):
        v = np.maximum(z, v).mean()
    assert Noise(sd=1e-3).worth_of_waiting(12) == pytest.approx(1e-3 * v, rel=0.01)

    def said(noise):
        made = Study.from_dict({"episodes": 50, "order": {"steps": 12}, "strategies": [{"model": "twap"}],
                                "market": {"noise": noise}})  # fmt: skip
        return [line for line in examine(made).warnings if line.startswith("market.noise")]

    assert said(SEEN) == []
    assert len(said(TRADABLE)) == 1
    assert f"is worth {1e4 * SD * v:.2g}"[:12] in said(TRADABLE)[0]


def test_an_optimum_is_known_where_it_is_only_seen():
    chains = {"spread": {"model": "constant"}, "volume": {"model": "constant"}}
    known = [
        why_unknown(Study.from_dict({"order": {"shares": 100}, "strategies": [{"model": "twap"}],
                                     "market": {**chains, "noise": noise}}))
        for noise in (SEEN, TRADABLE)
    ]  # fmt: skip
    assert known[0] is None
    assert known[1] == "market.noise is tradable: fills bounce with a mid that falls back"


def test_given_paths_are_seen_as_they_are():
    shape = (5, 12)
    given = MarketPaths(np.full(shape, 100.0), np.full(shape, 0.0004), np.full(shape, 900.0))
    with pytest.raises(InputError, match=r"^paths: .*set market.noise.sd = 0$"):
        simulate(small_study(episodes=5, market={"noise": SEEN}), paths=given)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"market": {"noise": {"sd": -0.1}}}, "market.noise.sd: must be at least 0"),
        ({"market": {"noise": {"sd": 0.2}}}, "market.noise.sd: must be at most 0.1"),
        ({"market": {"noise": {"sd": "some"}}}, "market.noise.sd: must be a number"),
        ({"market": {"noise": {"sd": {"low": 0.05, "high": 0.5}}}}, "market.noise.sd: must be at most 0.1"),
        ({"market": {"noise": {"tradable": "yes"}}}, "market.noise.tradable: must be True or False"),
        ({"market": {"noise": {"volatility": 0.1}}}, "market.noise.volatility: unknown key"),
        (
            {"train": {"a": {"features": [{"name": "noise"}, {"name": "inventory"}]}}},
            "train.a.features.noise: the mid is seen",
        ),
        (
            {"market": {"model": "replay", "bars": "b", "symbol": "S", "noise": SEEN}},
            "market.noise: real days have their own",
        ),
        ({"market": {"model": "bootstrap", "bars": "b", "symbol": "S", "noise": SEEN}}, "market.noise: real days have"),
    ],
)
def test_what_makes_no_sense_is_one_line(changes, said):
    with pytest.raises(InputError) as found:
        Study.from_dict({"strategies": [{"model": "twap"}], **changes})
    assert said in str(found.value)
    assert "\n" not in str(found.value)
