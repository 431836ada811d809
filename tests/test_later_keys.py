"""What a later version brings, off by default, changes no study of today; the names that it will use are kept free."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import Field

import fastexec as fx
import lights
from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.models import reserved
from fastexec.models._base import Model, default_model, written
from fastexec.models.costs import Costs, Permanent, Transient
from fastexec.models.declarations import OFF, OfMarket, Slot
from fastexec.models.market import SyntheticMarket
from fastexec.models.price import GeometricPrice
from fastexec.models.scalar import NonNegative, Range, is_zero
from fastexec.models.study import StudyModel
from fastexec.models.sweep import Sweep, Tied
from fastexec.models.tree import members, models_below
from fastexec.planning.parameters import draw_number
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from fastexec.studies.study_schema import schema_text


class LaterPrice(GeometricPrice):
    """A price with a key more that feeds the kernels, and a choice of which the first means nothing."""

    jump_rate: Annotated[NonNegative, Slot("later_rate")] = Field(0.0, description="jumps a step")
    shape: Annotated[Literal["none", "heavy"], OFF] = "none"


class Outages(Model):
    """A section that is off by one of its keys, whatever the others are by default."""

    rate: NonNegative = 0.0
    length: NonNegative = 5.0

    def declares(self) -> OfMarket:
        return OfMarket(martingale=True, follows_move=False, idle=not self.is_off)

    @property
    def is_off(self) -> bool:
        return is_zero(self.rate)


class LaterMarket(SyntheticMarket):
    """A market with a section more, one that may be absent, and a later price."""

    price: Annotated[LaterPrice, default_model("geometric")] = Field(default_factory=LaterPrice)
    outages: Outages = Field(default_factory=Outages)
    weather: Outages | None = None


class LaterStudy(Study):
    """A study of a later version."""

    market: Annotated[LaterMarket, default_model("synthetic")] = Field(default_factory=LaterMarket)
    plan_of_the_day: tuple[str, ...] = ()


PRICE = {"volatility": 0.001, "drift": {"low": -0.0001, "high": 0.0001}}
STUDY = {
    "episodes": 300,
    "order": {"shares": {"low": 500, "high": 900}, "steps": 6},
    "market": {"price": PRICE, "volume": {"mean": 2_000.0}},
    "strategies": [{"model": "twap"}, {"model": "random"}, {"model": "pov", "rate": 0.2}],
}


@pytest.fixture(autouse=True)
def _a_kernel_that_knows_the_later_parameter(monkeypatch):
    monkeypatch.setattr(fields, "LATER_RATE", fields.further_slots("price", 1)[0], raising=False)


def results(study):
    return prepare(study).run(0, 300)


def test_keys_and_sections_that_are_off_change_no_identity_text_or_result():
    today, later = Study.from_dict(STUDY), LaterStudy.from_dict(STUDY)
    assert later.identity() == today.identity()
    assert later.to_toml() == today.to_toml()
    assert lights.digest(results(later)) == lights.digest(results(today))
    assert later.market.outages.length == 5.0  # it is there


@pytest.mark.parametrize(
    "market", [{"price": {**PRICE, "jump_rate": 0.1}}, {"price": {**PRICE, "shape": "heavy"}}, {"outages": {"rate": 0.1}},
               {"outages": {"length": 6.0}}, {"weather": {}}],
    ids=["key", "choice", "section", "key of a section that is off", "section that may be absent"],
)  # fmt: skip
def test_what_is_set_counts_and_is_written(market):
    today, later = Study.from_dict(STUDY), LaterStudy.from_dict({**STUDY, "market": {**STUDY["market"], **market}})
    assert later.identity() != today.identity()
    again = LaterStudy.from_toml(later.to_toml())
    assert again == later
    assert again.identity() == later.identity()


def test_a_later_parameter_that_is_drawn_draws_nothing_of_the_others():
    price = {**PRICE, "jump_rate": {"low": 1.0, "high": 2.0}}
    later = results(LaterStudy.from_dict({**STUDY, "market": {**STUDY["market"], "price": price}}))
    today = results(Study.from_dict(STUDY))
    assert [name for name in later.markets if name not in today.markets] == ["market.price.jump_rate"]
    drawn = later.markets["market.price.jump_rate"]
    assert ((drawn >= 1.0) & (drawn <= 2.0)).all()
    for name, column in today.markets.items():
        np.testing.assert_array_equal(column, later.markets[name], err_msg=name)
    for name in ("order.shares", "market.price.drift"):
        assert abs(np.corrcoef(today.markets[name], drawn)[0, 1]) < 0.25
    for name, column in today.episodes.items():
        np.testing.assert_array_equal(column, later.episodes[name], err_msg=name)


def test_parameters_have_slots_of_their_own():
    for slot, name in enumerate(fields.PARAMETERS):
        at = getattr(fields, name.upper(), slot * fields.LANES)  # further slots of a role have no name there
        assert at == slot * fields.LANES, name
    assert fields.PARAMETERS[fields.LATER_RATE // fields.LANES] == "price_0"


def test_a_draw_goes_by_the_name_of_its_key():
    """Known answers: the first four bytes of `printf order.shares | sha256sum`."""
    assert [draw_number(key) for key in ("order.shares", "market.price.volatility")] == [0x8B161F9E, 0x5B28D2A2]


def test_no_two_keys_are_drawn_alike():
    keys = set(drawn_below(LaterStudy))
    assert {"order.shares", "market.price.jump_rate", "market.correlation.price_spread", "costs.fees.per_share"} <= keys
    assert len({draw_number(key) for key in keys}) == len(keys)


def drawn_below(model, place=""):
    """Dotted keys of whatever may be drawn for an episode, in any market and with any costs."""
    for key, field in model.model_fields.items():
        if any(isinstance(mark, Slot) for mark in field.metadata):
            yield place + key
        for inner in members(field.annotation):
            yield from drawn_below(inner, f"{place}{key}.")


@pytest.mark.parametrize("costs", [{}, {"permanent": {"coefficient": 1e-6}}, {"permanent": {"own": 0.2}},
                                   {"transient": {"coefficient": 1e-6}}, {"fees": {"per_share": 0.01}}])  # fmt: skip
def test_what_is_left_out_is_found_again(costs):
    found = written(Costs.model_validate(costs))
    assert Costs.model_validate(found) == Costs.model_validate(costs)
    assert ("permanent" in found, "transient" in found, "fees" in found) == tuple(
        key in costs for key in ("permanent", "transient", "fees")
    )
    assert Permanent().is_off
    assert not Transient(coefficient=1e-9).is_off


def test_the_schema_explains_every_key_of_every_model():
    """Of a later version's too, though nobody told it of them."""
    for study in (StudyModel, LaterStudy):
        text = schema_text(study=study)
        lacking = [
            f"{model.__name__}.{key}"
            for model in models_below(study)
            if model not in (Range, Sweep, Tied)
            for key in model.model_fields
            if not re.search(rf"^{key} = |^\[.*\b{key}\b.*\]", text, re.MULTILINE)
        ]
        assert lacking == []
    assert "jump_rate = 0.0    # jumps a step" in text
    assert "[market.outages]    # A section that is off" in text


@pytest.mark.parametrize("model", reserved.MODELS)
def test_models_of_a_later_version_are_refused(model):
    said = f"strategies.{model}.model: '{model}' is reserved for a later version"
    for further in ({}, {"source": "0" * 64}):
        with pytest.raises(InputError, match=said) as caught:
            Study.from_dict({"strategies": [{"model": model, **further}]})
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="is reserved for a later version; choose another name"):
        fx.strategy(model)
    assert Study.from_dict({"strategies": [{"model": "twap", "name": model}]}).strategies[0].name == model


@pytest.mark.parametrize("key", reserved.KEYS)
def test_strategy_keys_of_a_later_version_are_refused(key):
    for model in ({"model": "twap"}, {"model": "mine", "source": "0" * 64}):
        with pytest.raises(InputError, match=rf"strategies.a.{key}: is reserved for a later version") as caught:
            Study.from_dict({"strategies": [{**model, "name": "a", key: 1.0}]})
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=f"{key} is reserved for a later version"):
        fx.strategy("mine", **{key: 1.0})
