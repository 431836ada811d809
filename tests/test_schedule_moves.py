"""Moving a part of a slice: what each move changes, against the whole cost anew; long studies with several minima."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.moves import SmoothCost
from fastexec.planning.schedules import fractions
from fastexec.planning.static_cost import schedule_cost
from static_schedules import concave

MIXED = {
    "exponent": {"low": 0.4, "high": 0.7},
    "resilience": {"low": 0.05, "high": 0.5},
    "coefficient": {"low": 0.001, "high": 0.004},
}
CASES = [
    {},
    {"costs.transient": MIXED},
    {"costs.transient": {"coefficient": 2e-5, "exponent": 1.0, "resilience": {"low": 0.1, "high": 1.0}}},
    {"costs.transient": {}, "costs.permanent": {"coefficient": 1e-5, "own": 0.8}},
    {"costs.transient": MIXED, "order.shares": {"low": 20_000.0, "high": 80_000.0}},
    {"costs.temporary": {"coefficient": 0.001, "exponent": {"low": 0.3, "high": 1.0}}, "order.side": "sell"},
]


def changed(changes: dict, **more) -> StudyModel:
    """The concave study, whose orders trade in fractions of shares."""
    study = concave().model_dump()
    study["order"]["lot"] = 0
    for path, value in (changes | more).items():
        section, key = path.split(".")
        study[section][key] = {**study[section][key], **value} if section == "costs" and value else value
    return StudyModel.model_validate(study)


@pytest.mark.parametrize("risk_aversion", [0.0, 1e-5])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_what_a_move_changes_is_the_difference_of_whole_costs(case, risk_aversion):
    study, rng = changed(CASES[case]), np.random.default_rng(case)
    cost = schedule_cost(study, expect(study)[0], risk_aversion)
    steps = study.order.steps
    slices = rng.exponential(size=steps) * (rng.random(steps) < 0.7) + 1e-3
    slices /= slices.sum()
    here = SmoothCost(cost).at(slices, np.arange(steps))
    assert here.total == pytest.approx(cost.of(np.concatenate(([0.0], np.cumsum(slices)))[None])[0], rel=1e-12)
    i, j = (
        x[x != y] for x, y in (np.mgrid[:steps, :steps].reshape(2, -1), np.mgrid[:steps, :steps].reshape(2, -1)[::-1])
    )
    size = slices[i] * np.where(rng.random(i.size) < 0.5, 1.0, rng.random(i.size))
    moved = np.tile(slices, (i.size, 1))
    moved[np.arange(i.size), i] -= size
    moved[np.arange(i.size), j] += size
    wanted = cost.of(np.concatenate((np.zeros((i.size, 1)), np.cumsum(moved, axis=1)), axis=1)) - here.total
    np.testing.assert_allclose(here.changes(i, j, size), wanted, rtol=1e-9, atol=1e-13 * abs(here.total))


@pytest.mark.parametrize("case", [0, 1, 4])
@pytest.mark.parametrize("steps", [120, 390])
def test_a_long_schedule_is_no_dearer_than_equal_lumps(case, steps):
    """Seen at 390 steps, when the search ended by its work: 20.38 bps where 20 lumps cost 17.1."""
    study = changed(CASES[case], **{"order.steps": steps})
    market = expect(study)[0]
    cost = schedule_cost(study, market, 0.0)
    lumpy = []
    for count in range(1, steps // 2):
        slices = np.zeros(steps)
        slices[np.linspace(0, steps - 1, count).round().astype(int)] = 1.0 / count
        lumpy.append(np.concatenate(([0.0], np.cumsum(slices))))
    strategy = next(s for s in study.strategies if s.name == "static_optimum")
    assert cost.of(fractions(strategy, study, market)[None])[0] <= cost.of(np.array(lumpy)).min()
