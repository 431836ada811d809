"""Markov spreads and volumes: stationary law, autocorrelation, first step, correlations; bad matrices."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from conftest import small_study
from fastexec.kernels.quantile import normal_quantiles
from fastexec.models.chains import closed_classes, stationary_law
from fastexec.planning.expectation import expect
from fastexec.simulation import prepare, simulate

EPISODES = 20_000
SPREAD = {
    "model": "markov",
    "levels": [0.0001, 0.0002, 0.0004, 0.001],
    "transition": [[0.7, 0.2, 0.1, 0.0], [0.3, 0.5, 0.1, 0.1], [0.0, 0.4, 0.4, 0.2], [0.1, 0.1, 0.3, 0.5]],
}
VOLUME = {
    "model": "markov",
    "levels": [200.0, 1000.0, 4000.0],
    "transition": [[0.6, 0.4, 0.0], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]],
}


def paths(**market):
    """spread and volume, float64[e, t]."""
    study = small_study(episodes=EPISODES, strategies=[{"model": "twap"}], market=market)
    steps = prepare(study).steps(0, EPISODES)
    return tuple(steps[name].reshape(EPISODES, -1) for name in ("spread", "volume"))


def law_and_matrix(chain):
    """By numpy's eigenvectors: a witness that shares nothing with the elimination."""
    p = np.array(chain["transition"])
    values, vectors = np.linalg.eig(p.T)
    law = np.real(vectors[:, np.argmin(np.abs(values - 1))])
    return law / law.sum(), p


def test_quantiles_of_the_normal_law():
    p = np.concatenate((np.logspace(-300, -1, 800), np.linspace(0.01, 0.99, 800)))
    z = np.empty_like(p)
    normal_quantiles(p, z)
    np.testing.assert_allclose(z, stats.norm.ppf(p), rtol=2e-15, atol=1e-16)
    ends = np.empty(2)
    normal_quantiles(np.array([0.0, 1.0]), ends)
    assert ends.tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("chain", [SPREAD, VOLUME])
def test_stationary_law_equals_the_eigenvector(chain):
    law, _ = law_and_matrix(chain)
    np.testing.assert_allclose(stationary_law(tuple(map(tuple, chain["transition"]))), law, rtol=1e-12)


def test_stationary_law_keeps_tiny_probabilities_and_leaves_transient_states_at_zero():
    rare = ((1 - 1e-14, 1e-14), (0.5, 0.5))
    np.testing.assert_allclose(stationary_law(rare)[1], 2e-14 / (1 + 2e-14), rtol=1e-14)
    assert stationary_law(((0.5, 0.5), (0.0, 1.0))).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("which", "chain"), [(0, SPREAD), (1, VOLUME)])
def test_stationary_law_transitions_and_autocorrelation_are_met(which, chain):
    x = paths(**{("spread", "volume")[which]: chain})[which]
    law, p = law_and_matrix(chain)
    levels = np.array(chain["levels"])
    assert np.isin(x, levels).all()
    for t in (0, 5, 11):
        for j, level in enumerate(levels):
            assert abs((x[:, t] == level).mean() - law[j]) < 4 * np.sqrt(law[j] * (1 - law[j]) / EPISODES)
    for i, here in enumerate(levels):
        follows = x[:, 4][x[:, 3] == here]
        for j, there in enumerate(levels):
            share = (follows == there).mean()
            assert abs(share - p[i, j]) <= 4 * np.sqrt(p[i, j] * (1 - p[i, j]) / follows.size)
    centred = levels - law @ levels
    for lag in (1, 2, 3):
        wanted = (law * centred) @ np.linalg.matrix_power(p, lag) @ centred
        products = (x[:, 2] - law @ levels) * (x[:, 2 + lag] - law @ levels)
        assert abs(products.mean() - wanted) < 4 * products.std() / np.sqrt(EPISODES)


def test_the_first_step_follows_initial():
    spread, volume = paths(spread={**SPREAD, "initial": [0, 0, 0.25, 0.75]}, volume={**VOLUME, "initial": [0, 1.0, 0]})
    assert set(np.unique(spread[:, 0])) == {0.0004, 0.001}
    assert abs((spread[:, 0] == 0.001).mean() - 0.75) < 4 * np.sqrt(0.1875 / EPISODES)
    assert (volume[:, 0] == 1000.0).all()


def test_correlations_reach_the_chains_and_leave_their_laws_alone():
    spread, volume = paths(spread=SPREAD, volume=VOLUME, correlation={"spread_volume": 0.8})
    assert np.corrcoef(volume[:, 0], spread[:, 1])[0, 1] > 0.2
    law, _ = law_and_matrix(SPREAD)
    shares = np.array([(spread[:, 7] == level).mean() for level in SPREAD["levels"]])
    assert np.all(np.abs(shares - law) < 4 * np.sqrt(law * (1 - law) / EPISODES))
    plain = paths(spread=SPREAD, volume=VOLUME)
    assert abs(np.corrcoef(plain[1][:, 0], plain[0][:, 1])[0, 1]) < 4 / np.sqrt(EPISODES)


def test_expectations_follow_the_chain_from_its_first_step():
    study = small_study(market={"spread": SPREAD, "volume": {**VOLUME, "initial": [1.0, 0, 0]}})
    spread, volume = paths(spread=SPREAD, volume={**VOLUME, "initial": [1.0, 0, 0]})
    (market,) = expect(study)
    for sample, expected in (
        (0.5 * 100 * spread, market.half_spread),
        (volume, market.volume),
        (volume**-0.6, market.inverse_volume),
    ):
        error = sample.std(axis=0) / np.sqrt(EPISODES)
        assert np.all(np.abs(sample.mean(axis=0) - expected) <= 4 * error + 1e-9 * expected)


def test_nobody_trades_at_a_level_of_no_volume():
    halting = {"model": "markov", "levels": [0.0, 1000.0], "transition": [[0.5, 0.5], [0.5, 0.5]]}
    study = small_study(market={"volume": halting}, strategies=[{"model": "twap"}, {"model": "pov", "rate": 0.1}])
    prepared = prepare(study)
    steps = prepared.steps(0, 100)
    assert (steps["shares"][steps["volume"] == 0.0] == 0.0).all()
    assert (steps["volume"] == 0.0).any()
    assert prepared.control_variate == [True, True]
    correlated = small_study(market={"volume": halting, "correlation": {"price_volume": 0.3}})
    assert prepare(correlated).control_variate[0] is False  # a schedule's slice then knows of the coming move


def test_one_level_is_a_constant():
    constant = small_study(market={"spread": {"model": "constant", "initial": 0.0004}})
    one = small_study(market={"spread": {"model": "markov", "levels": [0.0004], "transition": [[1.0]]}})
    a, b = (simulate(study).episodes["shortfall_bps"] for study in (constant, one))
    np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"transition": [[0.5, 0.4], [0.5, 0.5]]}, "transition, row 1 adds up to 0.9"),
        ({"transition": [[1.5, -0.5], [0.5, 0.5]]}, "less than or equal to 1"),
        ({"transition": [[0.5, 0.5]]}, "2 rows and 2 columns"),
        ({"transition": [[0.5, 0.5], [1.0]]}, "2 rows and 2 columns"),
        ({"levels": [2.0, 1.0]}, "levels must rise"),
        ({"levels": []}, "at least 1"),
        ({"levels": [float(j) for j in range(33)], "transition": [[1.0] * 33] * 33}, "at most 32"),
        ({"initial": [0.5, 0.6]}, "initial adds up to 1.1"),
        ({"initial": [1.0]}, "1 probabilities for 2 levels"),
        ({"transition": [[1.0, 0.0], [0.0, 1.0]]}, "no single stationary law"),
        ({"levels": [0.0], "transition": [[1.0]]}, "all 0"),
    ],
)
def test_a_bad_chain_is_refused(changes, said):
    chain = {"model": "markov", "levels": [100.0, 200.0], "transition": [[0.5, 0.5], [0.5, 0.5]], **changes}
    with pytest.raises(ValidationError, match=said):
        small_study(market={"volume": chain})


def test_sizes_of_moves_cannot_drive_a_chain():
    with pytest.raises(ValidationError, match="volume_absolute_return must be 0"):
        small_study(market={"volume": VOLUME, "correlation": {"volume_absolute_return": 0.2}})


def test_closed_classes():
    assert closed_classes(((0.5, 0.5), (0.5, 0.5))) == [[0, 1]]
    assert closed_classes(((0.0, 0.5, 0.5), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))) == [[1], [2]]
