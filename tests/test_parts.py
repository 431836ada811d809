"""Parts of the cost that a study has only where it asks for them: a column where one is on, no trace where it is off."""

from __future__ import annotations

import numpy as np
from pydantic import Field

import lights
from conftest import SMALL, merged
from fastexec.columns import PARTS
from fastexec.kernels import fields
from fastexec.models._base import Model
from fastexec.models.costs import ALWAYS, Costs
from fastexec.models.declarations import OfCost
from fastexec.models.study import StudyModel
from fastexec.planning.names import number
from fastexec.simulation import prepare
from fastexec.statistics.moments import summarise
from fastexec.statistics.summary import SummaryAccumulator

EPISODES = 300


class Maker(Model):
    """A section of a later version that brings the part."""

    strength: float = 0.0

    def declares(self) -> OfCost:
        return OfCost(scales=True, remembers=True)

    def parts(self) -> tuple[str, ...]:
        return ("adversary",) if self.strength else ()


class LaterCosts(Costs):
    """Costs with that section."""

    adversary: Maker = Field(default_factory=Maker)


class LaterStudy(StudyModel):
    """A study of a later version."""

    costs: LaterCosts = Field(default_factory=LaterCosts)


def later(strength=1.0, **changes):
    return LaterStudy.model_validate(merged(SMALL, {"costs": {"adversary": {"strength": strength}}, **changes}))


def summary_of(prepared, results):
    models = [strategy.model for strategy in prepared.study.strategies]
    found = SummaryAccumulator(prepared.strategies, models, parts=prepared.study.cost_parts)
    found.add(summarise(0, results))
    return found.table(prepared.control_variate)


def test_a_part_that_is_on_has_a_column_behind_the_others_and_changes_none():
    on, off = prepare(later()), prepare(StudyModel.model_validate(SMALL))
    ours, plain = on.run(0, EPISODES), off.run(0, EPISODES)
    assert [name for name in ours.episodes if name not in plain.episodes] == ["adversary_bps"]
    assert not ours.episodes["adversary_bps"].any()  # until there is such a market maker
    for name, column in plain.episodes.items():
        np.testing.assert_array_equal(ours.episodes[name], column, err_msg=name)
    names = ours.to_arrow().column_names
    assert names[names.index("residual_bps") + 1] == "adversary_bps"
    assert [name for name in names if name != "adversary_bps"] == plain.to_arrow().column_names
    with_, without = summary_of(on, ours), summary_of(off, plain)
    further = [name for name in with_.column_names if name not in without.column_names]
    assert further
    assert all(name.startswith("adversary_") for name in further)
    assert with_.select(without.column_names).equals(without)


def test_a_part_that_is_off_leaves_no_trace():
    quiet, plain = later(0.0), StudyModel.model_validate(SMALL)
    assert quiet.cost_parts == plain.cost_parts == ALWAYS
    assert lights.digest(prepare(quiet).run(0, EPISODES)) == lights.digest(prepare(plain).run(0, EPISODES))
    assert not [name for name in prepare(quiet).run(0, 10).to_arrow().column_names if "adversary" in name]
    assert prepare(quiet).rows(10).episodes.shape[0] == len(fields.EPISODE_COLUMNS)
    assert prepare(later()).rows(10).episodes.shape[0] == len(fields.EPISODE_COLUMNS) + 1


def test_each_part_has_a_number_of_its_own_in_the_order_of_the_sum():
    numbers = [number(part.kind) for name, part in PARTS.items() if name not in ALWAYS]
    assert numbers == sorted(set(numbers))
    assert max(numbers) < fields.MOST_FURTHER
    assert list(PARTS)[: len(ALWAYS)] == list(ALWAYS)
