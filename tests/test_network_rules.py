"""Rules ppo and a2c of [train.NAME]: their keys, their defaults, what comes of a training, and what it says of itself."""

from __future__ import annotations

import numpy as np
import pytest

import deep
import fastexec as fx
from commands import typed
from fastexec.errors import InputError
from fastexec.exact import expected_maximum
from fastexec.kernels import _jit
from fastexec.learning.network_file import read_network
from fastexec.models._base import written
from fastexec.models.agents import Training

SMALL = {"rule": "ppo", "rounds": 3, "batch": 256, "minibatch": 128, "hidden": [8], "seeds": 2,
         "actions": {"set": "lots", "levels": [0.0, 1.0, 2.0]}}  # fmt: skip
compiled = pytest.mark.skipif(_jit.JIT_DISABLED, reason="minutes, interpreted")


def study_of(**section):
    return fx.Study.from_dict({**deep.SMALL, "episodes": 200, "train": {"net": {**SMALL, **section}}})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"rule": "backward", "hidden": [8]}, "hidden is for rules ppo and a2c, and rule is backward; leave it out"),
        ({"rule": "batched", "clip": 0.1}, "clip is for rule ppo, and rule is batched; leave it out"),
        ({"rule": "ppo", "epsilon": 0.1}, "epsilon is for rules of tables, and rule is ppo; leave it out"),
        ({"rule": "a2c", "passes": 2}, "passes is for rule ppo, and rule is a2c; leave it out"),
        ({"rule": "ppo", "batch": 1000}, "batch = 1000 is no multiple of 128"),
        ({"rule": "ppo", "minibatch": 64}, "minibatch = 64 is no multiple of 128"),
        ({"rule": "ppo", "hidden": []}, "hidden must not be 0 or empty"),
        ({"rule": "ppo", "hidden": [8, 8, 8, 8]}, "hidden"),
        ({"rule": "ppo", "hidden": [129]}, "hidden"),
        ({"rule": "ppo", "clip": 0.0}, "clip must not be 0 or empty"),
        ({"rule": "backward", "features": [{"name": "inventory"}, {"name": "time"}]}, "time"),
        (
            {"rule": "ppo", "features": [{"name": "inventory", "bins": 7}]},
            "features: inventory: bins, edges and between are for",
        ),
        (
            {"rule": "a2c", "features": [{"name": "inventory"}, {"name": "spread", "between": [0.0, 1.0]}]},
            "features: spread: ",
        ),
    ],
)
def test_keys_that_do_not_fit_the_rule_are_one_line(section, said):
    with pytest.raises(InputError) as refused:
        fx.Study.from_dict({**deep.SMALL, "train": {"net": section}})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("rule", ["ppo", "a2c", "backward"])
def test_what_is_written_is_read_again(rule):
    training = Training(rule=rule)
    assert Training.model_validate(written(training)) == training
    assert ("clip" in written(training)) == (rule == "ppo")
    assert ("hidden" in written(training)) == (rule != "backward")
    assert ("epsilon" in written(training)) == (rule == "backward")


def test_defaults_of_the_rules():
    ppo, a2c = Training(rule="ppo"), Training(rule="a2c")
    assert (ppo.batch, ppo.minibatch, ppo.passes, ppo.clip, ppo.learning_rate, ppo.seeds) == (
        1_024,
        256,
        4,
        0.2,
        3e-3,
        10,
    )
    assert (a2c.batch, a2c.hidden, a2c.entropy, a2c.trace, a2c.gradient_norm) == (256, (64, 64), 0.03, 0.95, 0.5)
    assert [one.name for one in ppo.features] == ["inventory", "time", "spread", "volume"]


def test_a_table_is_not_played_by_a_network():
    with pytest.raises(InputError, match="rule ppo trains a network, no table") as refused:
        fx.Study.from_dict(
            {**deep.SMALL, "strategies": [{"name": "a", "model": "qtable", "train": "net"}], "train": {"net": SMALL}}
        )
    assert "\n" not in str(refused.value)


@compiled
@pytest.mark.parametrize("rule", ["ppo", "a2c"])
def test_a_trained_network_plays(rule, tmp_path):
    section = {"rule": rule} if rule == "ppo" else {"rule": rule, "minibatch": None}
    asked = {key: value for key, value in {**SMALL, **section}.items() if value is not None}
    study, told = fx.Study.from_dict({**deep.SMALL, "episodes": 200, "train": {"net": asked}}), []
    network = fx.train(study, threads=1, progress=lambda *args: told.append(args))
    assert [args[:3] for args in told] == [("net", number, 6) for number in range(1, 7)]
    assert all(np.isfinite(args[3]) and args[4] is None for args in told)
    assert deep.digest(fx.train(study, threads=2).learned.policy) == deep.digest(network.learned.policy)
    network.save(tmp_path / "net.parquet")
    read = read_network(tmp_path / "net.parquet")
    assert deep.digest(read.policy) == deep.digest(network.learned.policy)
    trained = read.origin["trained"]
    assert len(trained["seeds"]) == 2
    best = max(trained["seeds"], key=lambda one: one["validation"]["mean"])
    assert trained["seeds"][trained["chosen"]] == best
    np.testing.assert_array_equal(np.array(best["layers"][0][0], np.float32), read.policy.layers[0].weights)
    assert [update for update, _ in best["curve"]] == [0, 1, 2]
    words = fx.show(tmp_path / "net.parquet").in_words
    assert f"trained by rule {rule}: 2 seeds of 768 episodes" in words
    assert any("by luck" in line for line in words)
    players = [{"model": "twap"}, {"name": "net", "model": "network", "agent": str(tmp_path / "net.parquet")}]
    results = fx.simulate(study.changed({"strategies": players}))
    assert results.strategies == ["twap", "net"]
    assert np.isfinite(results.episodes["shortfall_bps"]).all()


@compiled
def test_the_command_trains_one(tmp_path):
    (tmp_path / "study.toml").write_text(study_of(rounds=1, seeds=1).to_toml(), "utf-8")
    status, out, error = typed("train", "study.toml", "--out", "net.parquet", cwd=tmp_path)
    assert status == 0, error
    assert 'model = "network", agent = "net.parquet"' in out
    status, out, error = typed("show", "net.parquet", cwd=tmp_path)
    assert status == 0, error
    assert "trained by rule ppo: 1 seed of 256 episodes" in out


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(2, 0.56418958), (3, 0.84628438), (5, 1.16296447), (10, 1.53875273), (20, 1.86747506), (50, 2.24907363)],
)
def test_expected_maximum_of_normals(count, wanted):
    """Tabulated: the mean of the largest of so many standard normals."""
    assert expected_maximum(count) == pytest.approx(wanted, abs=1e-8)
