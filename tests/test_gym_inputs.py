"""What does not fit is said in one line, by the exception that Gymnasium prescribes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from gymnasium import error

from conftest import ROOT, small_study
from fastexec.errors import InputError
from fastexec.gym import ExecutionEnv, ExecutionVectorEnv

BAD = [
    ({"num_envs": 0}, "num_envs: must be a whole number from 1"),
    ({"num_envs": 2.5}, "num_envs: must be a whole number"),
    ({"study": "large_cup"}, "large_cup"),
    ({"study": 7}, "study: must be a text"),
    ({"features": ["spred"]}, "features: spred: no feature and no signal; did you mean 'spread'?"),
    ({"features": ["regime"]}, "features: regime: nobody knows one"),
    ({"features": "spread"}, "features: must be a list of names"),
    ({"features": []}, "features: 0 are named; name 1 to 64"),
    ({"features": ["spread"] * 65}, "features: 65 are named"),
    ({"features": ["spread", "spread"]}, "features: spread is named twice"),
    ({"features": [{"name": "spread", "steps": 3}]}, "features: spread: has no steps"),
    ({"features": [{"name": "momentum", "steps": 40}]}, "features: momentum: steps: must be a whole number from 1 to 31"),
    ({"features": [3]}, "features: 3 is no feature"),
    ({"actions": "lots"}, "actions: must be 'share' or 'shares'"),
    ({"actions": {"set": "fraction"}}, "actions: set: "),
    ({"actions": {"set": "fractions", "levels": [2.0]}}, "actions: levels of fractions lie between 0 and 1"),
    ({"actions": {"set": "lots", "levels": [float(j) for j in range(32)]}}, "actions: with all that is left"),
    ({"actions": 3}, "actions: must be a table"),
    ({"phase": "test"}, "phase: must be 'training' or 'validation' or 'evaluation'"),
    ({"unexpected": "no"}, "unexpected: must be True or False"),
    ({"risk_aversion": -1.0}, "risk_aversion: must be a number of at least 0"),
    ({"risk_aversion": float("nan")}, "risk_aversion: must be"),
    ({"feature": ["spread"]}, "feature: no such argument; did you mean 'features'?"),
    ({"threads": 0}, "threads: must be a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), BAD, ids=[str(wrong)[:40] for wrong, _ in BAD])
def test_arguments(wrong, said):
    with pytest.raises(InputError) as caught:
        ExecutionVectorEnv(**{"study": small_study(), "num_envs": 2, **wrong})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_swept_study_is_many():
    import fastexec as fx

    study = fx.Study.preset("large_cap").changed({"sweep": {"order.shares": [1_000, 2_000]}})
    with pytest.raises(InputError, match=r"^the study has a \[sweep\]"):
        ExecutionVectorEnv(study, 2)


def test_an_autoreset_mode_that_is_none():
    with pytest.raises(InputError, match="must be 'NextStep' or 'SameStep' or 'Disabled', not 'Never'"):
        ExecutionVectorEnv(small_study(), 2, autoreset_mode="Never")


MASKS = [
    ([True, False], TypeError, "must be a numpy array"),
    (np.array([1, 0]), TypeError, "dtype=np.bool_"),
    (np.array([True]), ValueError, r"must have shape `\(2,\)`"),
    (np.array([[True, False]]), ValueError, "must have shape"),
    (np.array([False, False]), ValueError, "at least one True"),
    (None, TypeError, "must be a numpy array"),
]


@pytest.mark.parametrize(("mask", "kind", "said"), MASKS)
def test_masks(mask, kind, said):
    env = ExecutionVectorEnv(small_study(), 2, autoreset_mode="Disabled")
    env.reset()
    with pytest.raises(kind, match=said) as caught:
        env.reset(options={"reset_mask": mask})
    assert "\n" not in str(caught.value)


def test_other_options_and_a_seed_for_some():
    env = ExecutionVectorEnv(small_study(), 2)
    with pytest.raises(ValueError, match=r"^`options\['resetmask'\]` means nothing here"):
        env.reset(options={"resetmask": np.ones(2, bool)})
    with pytest.raises(ValueError, match="^`seed` is that of all environments"):
        env.reset(seed=1, options={"reset_mask": np.array([True, False])})
    env.reset(seed=1, options={"reset_mask": np.array([True, True])})
    for seed in (-1, 2**64, 1.5):
        with pytest.raises(error.Error):
            env.reset(seed=seed)
    one = ExecutionEnv(small_study())
    with pytest.raises(ValueError, match="there are no options"):
        one.reset(options={"reset_mask": np.ones(1, bool)})
    with pytest.raises(error.Error):
        one.reset(seed=2**64)


NUMBERS = {"set": "fractions", "levels": [0.0, 0.5, 1.0]}
ACTIONS = [
    (NUMBERS, np.array([0, 3]), "the action of environment 1 is 3; it must lie between 0 and 2"),
    (NUMBERS, np.array([-1, 0]), "the action of environment 0 is -1"),
    (NUMBERS, np.array([0.0, 1.0]), "actions are float64"),
    (NUMBERS, np.array([0, 1, 2]), r"actions are int64 \(3,\); they must be whole numbers of shape \(2,\)"),
    (NUMBERS, np.array([True, False]), "actions are bool"),
    (NUMBERS, 1, r"actions are int64 \(\)"),
    ("share", np.array([[0.5], [1.5]], np.float32), "the action of environment 1 is 1.5"),
    ("share", np.array([[np.nan], [0.5]]), "the action of environment 0 is nan"),
    ("share", np.array([0.5, 0.5]), r"they must be floats of shape \(2, 1\)"),
    ("share", np.array([[0], [1]]), "actions are int64"),
    ("shares", np.array([[5.0], [-1.0]]), "the action of environment 1 is -1"),
    ("shares", np.array([[5.0], [1201.0]]), "the action of environment 1 is 1201; it must lie between 0 and 1200"),
    ("shares", np.array([["a"], ["b"]]), "actions are <U1"),
]


@pytest.mark.parametrize(("actions", "given", "said"), ACTIONS)
def test_actions_outside_their_space(actions, given, said):
    """And nothing has moved: the next step is the one that would have been."""
    env, other = (ExecutionVectorEnv(small_study(), 2, actions=actions) for _ in range(2))
    env.reset()
    other.reset()
    with pytest.raises(error.InvalidAction, match=said) as caught:
        env.step(given)
    assert "\n" not in str(caught.value)
    right = np.zeros_like(env.action_space.sample())
    for one, two in zip(env.step(right)[:4], other.step(right)[:4], strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_step_before_a_reset_and_behind_the_close():
    env = ExecutionVectorEnv(small_study(), 2, actions="share")
    action = np.zeros((2, 1), np.float32)
    with pytest.raises(error.ResetNeeded, match="^environment 0 has not begun; call reset"):
        env.step(action)
    env.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(error.ResetNeeded, match="^environment 1 has not begun; call reset"):
        env.step(action)
    env.close()
    for call in (lambda: env.step(action), env.reset):
        with pytest.raises(error.ClosedEnvironmentError, match="^the environment is closed"):
            call()
    one = ExecutionEnv(small_study(), actions="share")
    with pytest.raises(error.ResetNeeded):
        one.step(action[0])
    one.reset()
    with pytest.raises(error.InvalidAction, match="the action of environment 0 is 2"):
        one.step(np.array([2.0], np.float32))
    one.close()
    with pytest.raises(error.ClosedEnvironmentError):
        one.reset()


def said_without(package, program):
    """By the ImportError of a program in a process that has no such package."""
    lines = f"import sys\nsys.modules[{package!r}] = None\ntry:\n    {program}\nexcept ImportError as error:\n    print(error)"
    command, environment = [sys.executable, "-P", "-c", lines], {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_without_gymnasium_one_line_says_what_to_install():
    assert (
        said_without("gymnasium", "import fastexec.gym")
        == "fastexec.gym needs Gymnasium 1.1 or later: pip install 'fastexec[gym]'\n"
    )


def test_without_stable_baselines_too():
    told = said_without("stable_baselines3", "import fastexec.gym; fastexec.gym.StableBaselinesVecEnv")
    assert told == "StableBaselinesVecEnv needs Stable-Baselines3: pip install stable-baselines3\n"
