"""Networks trained on a study: by the walk's own episodes, to the same bits whatever computes them, near the optimum."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import deep
import fastexec as fx
from conftest import ROOT
from fastexec.kernels import _jit, fields
from fastexec.kernels.transitions import by_episode
from fastexec.learning.network_value import expected_cost
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.policy_gradient import Learner
from fastexec.learning.policy_training import APART, Rollout, learn_policy, policy_of, towards_even
from fastexec.learning.rollout import alone
from fastexec.models.actions import Actions
from fastexec.models.names import owner
from fastexec.models.strategies import Twap
from fastexec.studies.study import Study

pytestmark = pytest.mark.skipif(_jit.JIT_DISABLED, reason="minutes; a light of its own does it once")
#: SHA-256 of the weights of ``deep.small_plan``. A change needs a reason in the changelog.
GOLDEN = "efe7fdaf744ac8cb59846054351b9bd8c9b70fb66a7c0f16a19fa20f92bdabf5"


def pupil_of(plan, number=0):
    bias = towards_even(plan.study, plan.actions)
    return Learner(plan.settings, len(plan.observation), bias, plan.study.seed, owner(plan.name), number)


def practised(plan, first=0):
    pupil = pupil_of(plan)
    rollout = Rollout(plan, pupil, 1)
    rollout.practise(first, ThreadPoolExecutor(1))
    return pupil, rollout.record


def slices_of(record, plan):
    """What was decided, in shares, as the order's rest and its last step leave it."""
    lots = by_episode(record.actions)
    left, found = np.full(lots.shape[1], plan.study.order.shares), []
    for t, wanted in enumerate(lots):
        asked = np.where(wanted == len(plan.actions.levels), np.inf, wanted) * plan.study.order.lot
        q = left if t == len(lots) - 1 else np.minimum(asked, left)
        found.append(q)
        left = left - q
    return np.array(found)


def test_rewards_are_what_the_engine_says_of_the_same_decisions():
    """The decisions of practice played by ``simulate`` on the same paths: TWAP's cost minus their own, without the timing."""
    plan = deep.small_plan()
    _, record = practised(plan)
    slices = slices_of(record, plan)
    paths = fx.market(plan.study, episodes=384, phase="training")
    results = fx.simulate(plan.study, paths=paths, slices={"mine": np.ascontiguousarray(slices.T)})
    cost = (results.episodes["shortfall_bps"] - results.episodes["timing_bps"]).reshape(-1, 2)
    np.testing.assert_allclose(by_episode(record.rewards).sum(axis=0), cost[:, 0] - cost[:, 1], atol=2e-5)
    first = by_episode(record.rewards)[0]
    assert (first != 0.0).any()


def test_what_is_noted_of_practice():
    plan = deep.small_plan()
    pupil, record = practised(plan)
    slices = slices_of(record, plan)
    left = plan.study.order.shares - slices.cumsum(axis=0) + slices
    effects = by_episode(record.effects)
    np.testing.assert_array_equal(effects[:-1], left[:-1] > 0)
    assert (effects[-1] == 0.0).all()  # all that is left joins the last slice
    inventory = by_episode(record.inputs[:, :, : _jit.LANES])
    (scale, *_) = plan.observation
    np.testing.assert_allclose(
        inventory, (left / plan.study.order.shares - scale.mean) / scale.sd, rtol=1e-5, atol=1e-5
    )
    values = by_episode(record.values)
    assert (values[-1] == 0.0).all()
    assert np.isfinite(values).all()
    chances, taken = by_episode(record.chances)[0], by_episode(record.actions)[0].astype(int)
    shares = [np.mean(taken == a) for a in range(9)]
    wanted = [chances[taken == a].mean() if (taken == a).any() else 0.0 for a in range(9)]
    assert np.abs(np.array(shares) - wanted).max() < 5 * np.sqrt(0.25 / 384)
    assert pupil.weights.dtype == np.float32


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_network_on_any_number_of_threads(threads):
    assert deep.digest(learn_policy(deep.small_plan(), 0, threads)[0]) == GOLDEN


def test_the_golden_network():
    assert deep.digest(learn_policy(deep.small_plan(), 0)[0]) == GOLDEN


@pytest.mark.lights
@pytest.mark.parametrize(
    "environment",
    [{"FASTEXEC_LANES": "64"}, {"FASTEXEC_LANES": "256"}, {"NUMBA_CPU_NAME": "generic"}, {"NUMBA_BOUNDSCHECK": "1"}],
)
def test_the_golden_network_in_another_light(environment, tmp_path):
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    own = {**os.environ, **environment, "PYTHONPATH": paths, "FASTEXEC_CACHE_DIR": str(tmp_path / "k")}
    ended = subprocess.run(
        [sys.executable, "-P", str(ROOT / "tests" / "deep.py")], env=own, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == [GOLDEN]


def test_every_seed_is_another():
    plan = deep.small_plan()
    one, other = learn_policy(plan, 0)[0], learn_policy(plan, 1)[0]
    assert deep.digest(one) != deep.digest(other)
    assert APART % 128 == 0


def test_the_first_policy_leans_towards_an_even_slice():
    study = Study.from_dict(deep.STUDY)
    bias = towards_even(study, deep.LOTS)
    assert bias.tolist() == [-1.0, 0.0, -1.0, -2.0, -3.0, -4.0, -4.0, -4.0, -4.0, -4.0]
    multiples = towards_even(study, Actions(set="multiples", levels=(0.0, 1.0, 2.0)))
    assert multiples.tolist() == [-1.0, 0.0, -1.0, -4.0]


def attainable(study):
    output = alone(study, Twap(model="twap", name="twap"), 3).steps(0, 20_000).episodes
    place = fields.EPISODE_COLUMNS.index
    twap = float((output[place("shortfall_bps")] - output[place("timing_bps")]).mean())
    return twap, solve_optimum(study, deep.LOTS).expected_bps


def captured(policy, study):
    twap, best = attainable(study)
    return (twap - expected_cost(study, policy)) / (twap - best)


def test_a_tenth_of_the_way_and_more_in_little_time():
    """Fifty batches: most of what is to be had, by exact evaluation."""
    plan = deep.plan_of(updates=50, hidden=(16, 16), batch=512)
    twap, best = attainable(plan.study)
    assert twap - best > max(0.6, 0.1 * twap)
    policy, curve = learn_policy(plan, 0, 2)
    assert curve[-1].reward > curve[0].reward
    assert captured(policy, plan.study) > 0.6


@pytest.mark.slow
def test_each_of_ten_seeds_captures_97_percent():
    plan = deep.plan_of(hidden=(32, 32))
    found = [captured(learn_policy(plan, number, 2)[0], plan.study) for number in range(10)]
    assert min(found) >= 0.97, found


def test_the_policy_is_what_the_pupil_would_do():
    plan = deep.small_plan()
    pupil = pupil_of(plan)
    policy = policy_of(plan, pupil)
    assert [layer.weights.shape for layer in policy.layers] == [(8, 4), (8, 8), (9, 8)]
    np.testing.assert_array_equal(policy.layers[-1].bias, towards_even(plan.study, plan.actions).astype(np.float32))
