"""fastexec.gym as Gymnasium takes environments: its own checks, wrappers, makers, and every autoreset mode's known answers."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.utils.performance import benchmark_vector_step
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import NormalizeObservation, NormalizeReward, RecordEpisodeStatistics

from conftest import small_study
from fastexec.gym import ExecutionEnv, ExecutionVectorEnv
from fastexec.kernels._jit import LANES
from fastexec.kernels.philox import TRAINING
from fastexec.learning.scales import scales_of
from fastexec.simulation import prepare

FEATURES = ["time", "inventory", "spread", "relative_spread", "volume", "volatility", "shortfall", "impact",
            {"name": "momentum", "steps": 3}]  # fmt: skip
LEVELS = {"set": "multiples", "levels": [0.0, 0.5, 1.0, 2.0]}
STEPS = 12
MODES = list(AutoresetMode)


def vector(num_envs=5, mode=AutoresetMode.NEXT_STEP, **setup):
    return ExecutionVectorEnv(
        small_study(), num_envs, autoreset_mode=mode, **{"features": FEATURES, "actions": LEVELS, **setup}
    )


def actions_of(env, step=0):
    return (np.arange(env.num_envs) + step) % 4


@pytest.mark.parametrize("actions", [LEVELS, "share"])
def test_gymnasiums_own_check(actions):
    env = gymnasium.make("fastexec/Execution-v0", study=small_study(), features=FEATURES, actions=actions)
    check_env(env.unwrapped)


@pytest.mark.parametrize("mode", MODES)
def test_made_by_its_name_without_a_warning(mode):
    env = gymnasium.make_vec(
        "fastexec/Execution-v0", num_envs=3, study="large_cap", features=["time", "inventory"], actions=LEVELS,
        autoreset_mode=mode, phase="validation",
    )  # fmt: skip
    assert isinstance(env, ExecutionVectorEnv)
    assert env.metadata["autoreset_mode"] is mode
    assert env.spec.id == "fastexec/Execution-v0"
    assert env.observation_space.shape == (3, 2)
    observations, _ = env.reset(seed=1)
    assert observations in env.observation_space
    assert env.step(env.action_space.sample())[0].dtype == np.float32
    env.close()
    env.close()


def test_every_array_lies_in_its_space_and_is_the_callers():
    for actions in (LEVELS, "share", "shares"):
        env = vector(actions=actions)
        env.action_space.seed(1)
        kept = [env.reset(seed=4)[0]]
        before = [kept[0].copy()]
        for _ in range(2 * STEPS + 2):
            observations, rewards, terminated, truncated, _ = env.step(env.action_space.sample())
            assert observations in env.observation_space
            assert all(one in env.single_observation_space for one in observations)
            assert (rewards.dtype, terminated.dtype, truncated.dtype) == (np.float64, np.bool_, np.bool_)
            assert rewards.shape == terminated.shape == truncated.shape == (5,)
            kept.append(observations)
            before.append(observations.copy())
        for one, other in zip(kept, before, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("actions", [LEVELS, "share", "shares"])
def test_as_gymnasiums_vector_of_one(mode, actions):
    """The same observations, rewards, ends and infos as its SyncVectorEnv makes of a single environment."""
    ours = vector(1, mode, actions=actions)
    theirs = SyncVectorEnv(
        [lambda: ExecutionEnv(small_study(), features=FEATURES, actions=actions)], autoreset_mode=mode
    )
    assert ours.single_observation_space == theirs.single_observation_space
    assert (ours.observation_space, ours.action_space) == (theirs.observation_space, theirs.action_space)
    theirs.action_space.seed(2)
    assert data_equivalence(ours.reset(seed=5), theirs.reset(seed=5), exact=True)
    for step in range(3 * STEPS):
        action = theirs.action_space.sample()
        one, other = ours.step(action), theirs.step(action)
        assert data_equivalence(one, other, exact=True), (step, one, other)


def test_next_step_resets_in_the_step_behind_the_end():
    env = vector(4)
    first, infos = env.reset()
    np.testing.assert_array_equal(infos["episode_number"], [0, 1, 2, 3])
    for t in range(STEPS):
        last, rewards, terminated, _, infos = env.step(actions_of(env, t))
        assert (terminated == (t == STEPS - 1)).all()
    assert (infos["shortfall_bps"] != 0.0).all()
    assert infos["_shortfall_bps"].all()
    np.testing.assert_array_equal(last[:, 0], env.single_observation_space.high[0])  # the time is over
    observations, rewards, terminated, _, infos = env.step(actions_of(env))
    assert not rewards.any()
    assert not terminated.any()
    assert "shortfall_bps" not in infos
    np.testing.assert_array_equal(infos["episode_number"], [4, 5, 6, 7])
    np.testing.assert_array_equal(observations[:, 0], first[:, 0])
    eight = vector(8)
    np.testing.assert_array_equal(observations, eight.reset()[0][4:])


def test_same_step_hands_out_both():
    next_step, same_step = vector(4), vector(4, AutoresetMode.SAME_STEP)
    np.testing.assert_array_equal(next_step.reset()[0], same_step.reset()[0])
    for t in range(STEPS):
        one, other = next_step.step(actions_of(next_step, t)), same_step.step(actions_of(same_step, t))
        np.testing.assert_array_equal(one[1], other[1])
        np.testing.assert_array_equal(one[2], other[2])
        assert ("final_obs" in other[4]) == (t == STEPS - 1)
    infos = other[4]
    np.testing.assert_array_equal(np.stack(infos["final_obs"]), one[0])
    np.testing.assert_array_equal(infos["final_info"]["shortfall_bps"], one[4]["shortfall_bps"])
    assert infos["_final_obs"].all()
    assert infos["_final_info"].all()
    assert not infos["completed"].any()
    assert infos["final_info"]["completed"].all()
    np.testing.assert_array_equal(other[0], next_step.step(actions_of(next_step))[0])


def test_same_step_with_environments_of_two_ages():
    env = vector(4, AutoresetMode.SAME_STEP)
    env.reset()
    for t in range(STEPS + 6):
        if t == 5:
            _, infos = env.reset(options={"reset_mask": np.array([False, True, False, True])})
            assert infos["episode_number"][[1, 3]].tolist() == [4, 5]
        _, _, terminated, _, infos = env.step(actions_of(env, t))
        wanted = {STEPS - 1: [0, 2], STEPS + 4: [1, 3]}.get(t, [])
        assert np.flatnonzero(terminated).tolist() == wanted
        if wanted:
            assert np.flatnonzero(infos["_final_obs"]).tolist() == wanted
            assert [infos["final_obs"][e] is None for e in range(4)] == [e not in wanted for e in range(4)]
            assert infos["episode_number"][wanted].tolist() == ([6, 7] if t == STEPS - 1 else [8, 9])


def test_disabled_waits_for_a_mask():
    env = vector(3, AutoresetMode.DISABLED)
    env.reset()
    for t in range(STEPS):
        if t == 4:
            env.reset(options={"reset_mask": np.array([False, True, False])})
        last, _, terminated, _, _ = env.step(actions_of(env, t))
    assert terminated.tolist() == [True, False, True]
    with pytest.raises(gymnasium.error.ResetNeeded, match="^the episode of environment 0 has ended; call reset"):
        env.step(actions_of(env))
    observations, infos = env.reset(options={"reset_mask": terminated})
    np.testing.assert_array_equal(observations[1], last[1])
    assert infos["episode_number"].tolist() == [4, 3, 5]
    assert infos["_episode_number"].tolist() == [True, False, True]
    _, _, terminated, _, _ = env.step(actions_of(env))
    assert not terminated.any()


def test_resets_without_a_step_between_them_share_blocks():
    """Environments that are reset one after the other lie side by side, and see what they would have seen together."""
    together, apart = vector(6, AutoresetMode.DISABLED), vector(6, AutoresetMode.DISABLED)
    wanted, _ = together.reset()
    for e in range(6):
        found, _ = apart.reset(options={"reset_mask": np.arange(6) == e})
    np.testing.assert_array_equal(found, wanted)
    assert len(apart._blocks._jobs) == 1
    for t in range(STEPS):
        one, other = together.step(actions_of(together, t)), apart.step(actions_of(apart, t))
        assert data_equivalence(one, other, exact=True)


def test_no_block_is_of_two_ages_and_memory_does_not_grow():
    env, rng = vector(3 * LANES, AutoresetMode.DISABLED), np.random.default_rng(1)
    env.reset()
    ended, most = np.zeros(env.num_envs, bool), 0
    for t in range(12 * STEPS):
        mask = ended | (rng.random(env.num_envs) < 0.02)
        if mask.any():
            env.reset(options={"reset_mask": mask})
        _, _, ended, _, _ = env.step(actions_of(env, t))
        most = max(most, len(env._blocks._places))
        live = [place.members[place.members >= 0] for place in env._blocks._places]
        every = np.sort(np.concatenate(live))
        np.testing.assert_array_equal(every, np.flatnonzero(~ended))
    assert most <= 8 * STEPS


def test_an_order_that_is_complete_waits_for_the_end():
    env = vector(2, actions="share")
    env.reset()
    for t in range(STEPS):
        action = np.array([[1.0 if t == 2 else 0.0], [0.3]], np.float32)
        _, rewards, terminated, _, infos = env.step(action)
        assert infos["completed"].tolist() == [t >= 2, t == STEPS - 1]
        assert (rewards[0] == 0.0) == (t > 2 or t == -1)
    assert terminated.all()
    assert infos["last_step"][0] == 2 if "last_step" in infos else infos["completion"][0] == 1.0


def test_observations_are_the_features_less_their_means_over_their_sds():
    """Against the steps that the simulator records of a TWAP order."""
    study = small_study(strategies=[{"model": "twap"}])
    env = ExecutionVectorEnv(study, 50, features=["inventory", "spread", "volume", "time"], actions="shares")
    steps = prepare(study, phase=TRAINING).steps(0, 50)
    names = {name: steps[name].reshape(50, STEPS) for name in ("spread", "volume", "shares", "remaining")}
    scales = scales_of(study, [(name, 0) for name in ("inventory", "spread", "volume", "time")])
    shown, _ = env.reset()
    for t in range(STEPS):
        before = (names["remaining"] + names["shares"])[:, t] / 1200.0
        last = names["volume"][:, t - 1] if t else np.zeros(50)
        for j, values in enumerate((before, names["spread"][:, t], last, np.full(50, t / STEPS))):
            np.testing.assert_array_equal(shown[:, j], ((values - scales[j].mean) / scales[j].sd).astype(np.float32))
        shown, *_ = env.step(names["shares"][:, t][:, None])
    pilot = np.array([(one.mean, one.sd) for one in scales])
    np.testing.assert_allclose(pilot[3], (np.arange(STEPS).mean() / STEPS, np.arange(STEPS).std() / STEPS), rtol=1e-9)
    np.testing.assert_allclose(pilot[0, 0], (1 + 1 / STEPS) / 2, rtol=1e-9)


def test_wrappers_of_gymnasium():
    env = RecordEpisodeStatistics(vector(4))
    env.reset(seed=1)
    for t in range(STEPS):
        *_, infos = env.step(actions_of(env, t))
    np.testing.assert_allclose(infos["episode"]["r"], -infos["shortfall_bps"], rtol=1e-6)
    np.testing.assert_array_equal(infos["episode"]["l"], STEPS)
    normal = NormalizeReward(NormalizeObservation(vector(200)))
    normal.reset(seed=2)
    for t in range(5 * STEPS):
        observations, rewards, *_ = normal.step(actions_of(normal, t))
        assert np.isfinite(observations).all()
        assert np.isfinite(rewards).all()
    assert 0.2 < observations.std() < 5.0
    record = RecordEpisodeStatistics(vector(3, AutoresetMode.DISABLED))
    record.reset(options={"reset_mask": np.ones(3, bool)})
    assert benchmark_vector_step(vector(64, AutoresetMode.DISABLED), target_duration=0) > 0.0


def test_a_single_environment_is_the_first_of_many():
    one, many = ExecutionEnv(small_study(), features=FEATURES, actions=LEVELS), vector(1)
    for _ in range(2):
        np.testing.assert_array_equal(one.reset()[0], many.reset()[0][0])
        for t in range(STEPS):
            found, wanted = one.step(t % 4), many.step(np.array([t % 4]))
            np.testing.assert_array_equal(found[0], wanted[0][0])
            assert found[1:4] == (wanted[1][0], wanted[2][0], False)
        assert found[4]["shortfall_bps"] == wanted[4]["shortfall_bps"][0]
