"""An environment's episode is that episode of the simulator, to the bit, whoever plays beside it; rewards are the shortfall."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
from environments import NAMES, STUDIES, decisions_of, driven, study_of
from fastexec.gym import ExecutionVectorEnv
from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES
from fastexec.kernels.philox import TRAINING, VALIDATION
from fastexec.simulation import prepare

PARTS = [f"{part}_bps" for part in ("spread", "temporary", "permanent", "transient", "timing", "fees", "residual")]


def environments(study, num_envs, **setup):
    return ExecutionVectorEnv(
        study, num_envs, **{"autoreset_mode": "Disabled", "actions": "shares", "phase": "evaluation", **setup}
    )


def rows_of(results, name):
    """The columns of a strategy's episodes."""
    k = results.strategies.index(name)
    return {column: values[k :: len(results.strategies)] for column, values in results.episodes.items()}


def assert_same(found, rows, columns):
    assert found
    for number, episode in found.items():
        for name in columns:
            np.testing.assert_array_equal(episode[name], rows[name][number], err_msg=f"episode {number}, {name}")


def assert_paid(found, rows, cost="shortfall_bps"):
    """Minus the shortfall, of sums whose parts are as large as they are."""
    for number, episode in found.items():
        parts = sum(abs(values[number]) for name, values in rows.items() if name in PARTS) + 1.0
        np.testing.assert_allclose(episode["reward"], -rows[cost][number], rtol=1e-9, atol=1e-9 * parts)


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_played_as_it_is_simulated(name, tmp_path):
    study = study_of(name, tmp_path, episodes=2 * LANES)
    decided = decisions_of(study)
    given = fx.simulate(study, slices={f"my_{one}": shares for one, shares in decided.items()}, threads=1)
    for one, shares in decided.items():
        env = environments(study, 100)
        found = driven(env, shares, 2 * study.order.steps)
        assert set(found) == set(range(min(200, len(shares)))), "of a replay every window, some twice"
        rows = rows_of(given, f"my_{one}")
        assert_same(found, rows, env.task.columns)
        assert_paid(found, rows)


@pytest.mark.parametrize("num_envs", [1, 7, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("strategy", NAMES)
def test_however_many_there_are_and_whoever_is_reset(num_envs, strategy, tmp_path):
    """Environments that begin anew in the middle of others' episodes, some of them time and again."""
    study = study_of("small", tmp_path, episodes=8_000)
    shares = decisions_of(study)[strategy]
    rows = rows_of(fx.simulate(study, slices={"mine": shares}), "mine")
    env = environments(study, num_envs)

    def some(step, rng):
        return rng.random(num_envs) < 0.05 if step % 3 else np.zeros(num_envs, bool)

    found = driven(env, shares, 48, some)
    assert_same(found, rows, env.task.columns)
    assert_paid(found, rows)
    if num_envs > 1:
        assert len({number for number in range(max(found)) if number not in found}) > 0, "some were left half-way"
    own = rows_of(fx.simulate(study), strategy)
    if strategy not in ("pov", "random"):  # which fill at the step's end, and are priced by another formula
        assert_same(found, own, set(env.task.columns) - {"completion"})


@pytest.mark.parametrize(("phase", "number"), [("training", TRAINING), ("validation", VALIDATION)])
def test_each_phase_has_its_own_episodes(phase, number, tmp_path):
    study = study_of("lognormal", tmp_path, episodes=40)
    env = environments(study, 40, phase=phase)
    shares = decisions_of(study, number)["twap"]
    found = driven(env, shares, study.order.steps)
    prepared = prepare(study, phase=number)
    assert_same(found, rows_of(prepared.run(0, 40), "twap"), set(env.task.columns) - {"completion"})
    other = rows_of(fx.simulate(study), "twap")
    assert all(found[e]["timing_bps"] != other["timing_bps"][e] for e in range(40))
    usual = ExecutionVectorEnv(study, 1, actions="shares").task.plan.switches[f.PHASE]
    assert usual == TRAINING


def test_a_seed_is_the_studys_and_begins_anew(tmp_path):
    study = study_of("small", tmp_path, episodes=50)
    env = environments(study, 25)
    for seed in (7, 2**64 - 1, 0):
        other = study.changed({"seed": seed})
        shares = decisions_of(other)["twap"]
        env.reset(seed=seed)
        for t in range(study.order.steps):
            *_, infos = env.step(shares[:25, t][:, None])
        rows = rows_of(prepare(other).run(0, 25), "twap")
        np.testing.assert_array_equal(infos["shortfall_bps"], rows["shortfall_bps"])
    _, infos = env.reset()
    np.testing.assert_array_equal(infos["episode_number"], np.arange(25, 50))


def test_threads_change_nothing(tmp_path):
    study = study_of("signals", tmp_path, episodes=10)
    first, second = (environments(study, 700, threads=threads, actions="share") for threads in (1, 2))
    rng = np.random.default_rng(1)
    for env in (first, second):
        env.reset(seed=3)
    for step in range(25):
        actions = rng.random((700, 1)).astype(np.float32)
        both = [env.step(actions) for env in (first, second)]
        for one, other in zip(both[0][:4], both[1][:4], strict=True):
            assert one.tobytes() == other.tobytes()
        assert both[0][4].keys() == both[1][4].keys()
        ended = both[0][2] | (rng.random(700) < 0.1)
        if step % 2 or ended.all():
            shown = [env.reset(options={"reset_mask": ended})[0] for env in (first, second)]
            assert shown[0].tobytes() == shown[1].tobytes()
    second.close()


def test_windows_of_real_days_come_again_and_again(tmp_path):
    """More environments than windows: each window is several environments' own."""
    study = study_of("replay", tmp_path)
    windows, steps = prepare(study).episodes, study.order.steps
    env = environments(study, 2 * windows + 3)
    _, infos = env.reset()
    np.testing.assert_array_equal(infos["episode_number"], np.arange(2 * windows + 3) % windows)
    shares = np.zeros((steps, env.num_envs, 1))
    shares[0, windows:] = 1.0
    for t in range(steps):
        *_, infos = env.step(shares[t])
    cost = infos["shortfall_bps"]
    np.testing.assert_array_equal(cost[windows : 2 * windows][:3], cost[2 * windows :])
    assert (cost[:windows] != cost[windows : 2 * windows]).all()


def test_what_nobody_could_expect_may_be_left_out(tmp_path):
    """Then the rewards sum to minus the shortfall less the unexpected timing; on a martingale less all of it."""
    for name, left_out in (("signals", "timing_unexpected_bps"), ("small", "timing_bps")):
        study = study_of(name, tmp_path, episodes=100)
        env = environments(study, 100, unexpected=False)
        shares = decisions_of(study)["twap"]
        found = driven(env, shares, study.order.steps)
        rows = rows_of(fx.simulate(study, slices={"mine": shares}), "mine")
        rows["cost"] = rows["shortfall_bps"] - rows[left_out]
        assert_paid(found, rows, "cost")


@pytest.mark.parametrize("horizon", [{"at_horizon": "mark", "mark_penalty": 0.01}, {"at_horizon": "leave"}])
@pytest.mark.parametrize("start", ["arrival", "moved"])
def test_rewards_are_the_shortfall_under_every_horizon(horizon, start, tmp_path):
    changes = {f"order.{key}": value for key, value in horizon.items()} | {"market.price.start": start}
    study = study_of("small", tmp_path, episodes=64, **changes)
    shares = 0.5 * decisions_of(study)["late"]
    shares = np.floor(shares)
    env = environments(study, 64)
    found = driven(env, shares, study.order.steps)
    rows = rows_of(fx.simulate(study, slices={"mine": shares}), "mine")
    assert_same(found, rows, env.task.columns)
    assert_paid(found, rows)


def test_risk_is_charged_for_what_is_held(tmp_path):
    study = study_of("small", tmp_path, episodes=20)
    shares = decisions_of(study)["late"]
    plain, risky = (driven(environments(study, 20, risk_aversion=a), shares, 12) for a in (0.0, 1e-3))
    left = 1.0 - shares.cumsum(axis=1) / 1200.0
    variance = (100.0 * 0.001) ** 2  # of a move, currency squared
    charged = 1e-3 * variance * 1200.0 / 100.0 * 1e4 * (left * left).sum(axis=1)
    for e in range(20):
        np.testing.assert_allclose(plain[e]["reward"] - risky[e]["reward"], charged[e], rtol=1e-3)
