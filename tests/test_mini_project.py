"""What the preset `mini_project` keeps of the small program that this project grew from, and why its answer was wrong."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from conftest import small_study
from fastexec.analysis.comparison import compare
from fastexec.data.paths import MarketPaths
from fastexec.models.study import StudyModel
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study

EPISODES, STEPS = 400, 50


def study(**changes):
    """The preset without its learner (``test_program.py``)."""
    preset = Study.preset("mini_project", [f"{key}={value}" for key, value in changes.items()])
    return preset.changed({"strategies": [strategy.model_dump() for strategy in preset.strategies[:2]], "train": {}})


def given(episodes=3, steps=STEPS, seed=4):
    rng = np.random.default_rng(seed)
    mid = 100 + rng.normal(size=(episodes, steps + 1)).cumsum(axis=1) * 0.1
    return MarketPaths(
        mid[:, :-1],
        rng.uniform(5e-4, 2e-3, (episodes, steps)),
        rng.uniform(100, 1500, (episodes, steps)),
        arrival=np.full(episodes, 100.0),
        last_mid=mid[:, -1],
    )


def program(paths, e, slices, order=10_000.0):
    """The program's cost of an episode, by its own formula."""
    total, left = 0.0, order
    for t, q in enumerate(slices):
        if left > 0:
            total += paths.mid[e, t] * (paths.spread[e, t] / 2 + 0.01 * q / (paths.volume[e, t] / 1000))
        left -= q
    return total


def with_strategies(*strategies, **changes):
    return StudyModel.model_validate(study().model_dump() | {"strategies": strategies} | changes)


def test_the_cost_of_a_step_is_the_programs():
    """price * (spread / 2 + 0.01 * shares / (volume / 1000)): not multiplied by the shares."""
    paths = given()
    found = simulate(with_strategies({"model": "twap"}, {"model": "pov", "rate": 0.1}), paths=paths)
    twap, pov = found.episodes["program_cost"].reshape(3, 2).T
    for e in range(3):
        assert twap[e] == pytest.approx(program(paths, e, [200.0] * STEPS), rel=1e-12)
        slices = np.diff(np.floor(0.1 * np.concatenate(([0.0], paths.volume[e].cumsum())) + 1e-9))
        assert pov[e] == pytest.approx(program(paths, e, slices), rel=1e-12)


def test_it_is_charged_until_nothing_is_left_also_when_nothing_trades():
    paths = given()
    waiting = {"model": "schedule", "weights": [0.0] * (STEPS - 1) + [1.0]}
    found = simulate(with_strategies(waiting, {"model": "immediate"}), paths=paths)
    late, at_once = found.episodes["program_cost"].reshape(3, 2).T
    for e in range(3):
        spreads = (paths.mid[e] * paths.spread[e] / 2).sum()
        impact = paths.mid[e, -1] * 0.01 * 10_000 / (paths.volume[e, -1] / 1000)
        assert late[e] == pytest.approx(spreads + impact, rel=1e-12)
        one = paths.mid[e, 0] * (paths.spread[e, 0] / 2 + 0.01 * 10_000 / (paths.volume[e, 0] / 1000))
        assert at_once[e] == pytest.approx(one, rel=1e-12)


def test_the_basis_points_are_null_and_the_files_say_so(tmp_path):
    result = run(study(episodes=300), out=tmp_path / "r")
    table = pq.read_table(tmp_path / "r" / "episodes")
    assert table["program_cost"].null_count == 0
    for name in table.column_names:
        if name.endswith("_bps"):
            assert table[name].null_count == len(table)
    summary = result.summary.to_pylist()
    costs = table["program_cost"].to_numpy().reshape(300, 2)
    np.testing.assert_allclose([row["program_cost_mean"] for row in summary], costs.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose([row["program_cost_sd"] for row in summary], costs.std(axis=0, ddof=1), rtol=1e-9)
    assert summary[0]["shortfall_mean_bps"] is None
    assert result.comparison["saving_bps"].null_count == 1
    assert any("not an execution cost" in note for note in compare(tmp_path / "r", by="market_volume:2").notes)


def test_other_studies_have_no_such_column():
    assert "program_cost" not in simulate(small_study(episodes=10)).episodes


def test_the_volume_was_an_inverted_u():
    steps = prepare(study()).steps(0, EPISODES)
    volume = steps["volume"].reshape(EPISODES, 2, STEPS)[:, 0].mean(axis=0)
    assert volume[STEPS // 2] > 2.5 * volume[0]
    assert volume[STEPS // 2] > 2.5 * volume[-1]


def test_the_spread_was_a_reflected_walk_that_reverts_to_nothing():
    """The change of the spread does not depend on its level (away from 0), and its variance grows with time."""
    steps = prepare(study()).steps(0, 4_000)
    spread = steps["spread"].reshape(4_000, 2, STEPS)[:, 0]
    assert (spread >= 0.0).all()
    here, change = spread[:, 10:-1].ravel(), np.diff(spread[:, 10:], axis=1).ravel()
    away = here > 0.001
    slope = np.polyfit(here[away], change[away], 1)[0]
    assert abs(slope) < 4 * change[away].std() / (here[away].std() * np.sqrt(away.sum()))
    assert spread[:, 49].var() > 2 * spread[:, 12].var()


def test_the_volume_of_the_step_was_seen_before_the_trade():
    """known = during: POV's slice is its rate of the same step's volume, and it fills at the price of the step's begin."""
    steps = prepare(study(**{"order.lot": 0})).steps(0, 50)
    rows = {name: steps[name].reshape(50, 2, STEPS)[:, 1] for name in ("shares", "volume", "price", "mid")}
    np.testing.assert_allclose(rows["shares"], 0.1 * rows["volume"], rtol=1e-9)
    honest = prepare(Study.preset("mini_project_honest")).study
    assert honest.market.volume.known == "after"


def test_other_paths_for_each_strategy_hide_what_a_strategy_saves():
    """The program drew a path for each: the noise of the difference is then that of both, here many times larger."""
    honest = Study.preset("mini_project_honest", ["episodes=4000", 'order.at_horizon="complete"'])
    same = simulate(honest).episodes["shortfall_bps"].reshape(-1, 2)
    other = simulate(honest, seed=99).episodes["shortfall_bps"].reshape(-1, 2)
    paired = (same[:, 0] - same[:, 1]).std()
    unpaired = (same[:, 0] - other[:, 1]).std()
    assert unpaired > 2 * paired


def test_pov_stopped_at_half_and_looked_cheapest_for_that_reason_alone():
    half = simulate(study(episodes=EPISODES))
    completion = half.episodes["completion"].reshape(-1, 2)
    cost = half.episodes["program_cost"].reshape(-1, 2)
    assert completion[:, 1].mean() == pytest.approx(0.495, abs=0.005)
    assert (cost[:, 1] < cost[:, 0]).all()
    # The order finished, honestly priced: POV is the dearer of the two.
    honest = Study.preset("mini_project_honest", [f"episodes={20 * EPISODES}"])
    complete = honest.with_overrides(['order.at_horizon="complete"'])
    left, done = (simulate(s).episodes["shortfall_bps"].reshape(-1, 2) for s in (honest, complete))
    assert left[:, 1].mean() < left[:, 0].mean()
    difference = done[:, 1] - done[:, 0]
    assert difference.mean() > 4 * difference.std() / np.sqrt(len(difference))


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"temporary": {"model": "linear"}}, "needs temporary.model = power"),
        ({"fees": {"per_share": 0.1}}, "knows no fees.per_share"),
        ({"permanent": {"coefficient": 0.1}}, "knows no permanent.coefficient"),
    ],
)
def test_what_the_rule_does_not_know(costs, said):
    with pytest.raises(ValidationError, match=said):
        StudyModel.model_validate({"costs": {"rule": "per_step", **costs}, "strategies": [{"model": "twap"}]})
