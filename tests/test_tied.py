"""What follows the size of the move has the mean that plain simulation finds: its normals are no normals."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import small_study
from fastexec.exact import curve
from fastexec.models.tied import raised_by

SIZE = (np.sqrt(2.0 / np.pi), np.sqrt(1.0 - 2.0 / np.pi))


def walked(keep, move, size, steps, count, seed):
    """x_t after each step, float64[episode, t], by its definition."""
    rng = np.random.default_rng(seed)
    x, found = rng.standard_normal(count), []
    for _ in range(steps):
        z = rng.standard_normal(count)
        rest = np.sqrt(1.0 - move * move - size * size) * rng.standard_normal(count)
        x = keep * x + np.sqrt(1.0 - keep * keep) * (move * z + size * (np.abs(z) - SIZE[0]) / SIZE[1] + rest)
        found.append(x)
    return np.stack(found, axis=1)


@pytest.mark.parametrize(("u", "keep", "move", "size"), [
    (0.9, 0.4, -0.2, 0.55), (-0.5, 0.0, 0.0, 0.8), (1.2, 0.9, 0.3, -0.6), (0.7, 0.6, 0.5, 0.0),
])  # fmt: skip
def test_the_ratio_is_that_of_a_plain_walk(u, keep, move, size):
    x = np.exp(u * walked(keep, move, size, 12, 200_000, 3) - 0.5 * u * u)
    error = x.std(axis=0) / np.sqrt(len(x))
    assert (np.abs(x.mean(axis=0) - raised_by(u, keep, move, size, 12)) < 4.5 * error).all()


def test_without_a_tie_to_the_size_nothing_is_raised():
    assert raised_by(0.8, 0.5, 0.4, 0.0, 9) == pytest.approx(np.ones(9), abs=1e-12)


@pytest.mark.parametrize("size", [0.55, {"low": 0.2, "high": 0.8}])
def test_volume_and_its_inverse_have_the_means_that_schedules_expect(size):
    """Before, both were those of a log-normal law: 2.2 % and 1 % off."""
    volume = {"volatility": 0.9, "persistence": 0.4, "day_volatility": 0.2, "floor": 0.0, "curve": [1.2, 0.8]}
    study = small_study(market={"volume": volume, "correlation": {"volume_absolute_return": size}})
    found = study.market.volume.moments(study.setting)
    count = 400_000
    if isinstance(size, dict):
        sizes = 0.2 + 0.6 * (np.arange(40) + 0.5) / 40
        x = np.concatenate([walked(0.4, 0.0, one, 12, count // 40, j) for j, one in enumerate(sizes)])
    else:
        x = walked(0.4, 0.0, size, 12, count, 1)
    day = np.random.default_rng(7).standard_normal((len(x), 1))
    level = 1_000.0 * curve((1.2, 0.8), 12)
    v = level * np.exp(0.9 * x + 0.2 * day - 0.5 * (0.81 + 0.04))
    for sample, expected in ((v, found.mean), (v**-0.6, found.inverse)):
        error = sample.std(axis=0) / np.sqrt(len(x))
        assert (np.abs(sample.mean(axis=0) - expected) < 4.5 * error).all()
    assert (found.mean / level).max() > 1.005


def test_the_spread_follows_a_step_later():
    spread = {"mean": 0.0004, "reversion": 0.5, "volatility": 0.8, "floor": 0.0}
    study = small_study(market={"spread": spread, "correlation": {"spread_absolute_return": 0.7, "price_spread": 0.2}})
    sd = 0.8 / np.sqrt(0.75)
    x = walked(0.5, 0.2, 0.7, 11, 200_000, 5)
    s = 0.0004 * np.exp(sd * x - 0.5 * sd * sd)
    found = study.market.spread.moments(study.setting)
    assert found[0] == pytest.approx(0.0004, rel=1e-12)
    assert (np.abs(s.mean(axis=0) - found[1:]) < 4.5 * s.std(axis=0) / np.sqrt(len(x))).all()
