"""A study with some keys replaced: dotted as in a sweep, validated anew, in Python's words."""

from __future__ import annotations

import numpy as np
import pytest

import fastexec as fx
from conftest import SMALL
from fastexec.errors import FastexecError

STUDY = fx.Study.from_dict(SMALL)
SWEPT = fx.Study.from_dict({
    **SMALL, "sweep": {"order.shares": [600, 1200], "market.price": [{"volatility": 1e-3}, {"volatility": 2e-3}],
                       "list": [{"name": "calm", "market.volume.mean": 900.0}, {"name": "busy", "market.volume.mean": 2000.0}]},
})  # fmt: skip


@pytest.mark.parametrize(("changes", "set_"), [
    ({"order.shares": 9000}, ["order.shares=9000"]),
    ({"order.shares": np.float32(9000), "seed": np.uint8(8)}, ["order.shares=9000", "seed=8"]),
    ({"order.shares": {"low": 600, "high": 900}}, ["order.shares={low=600,high=900}"]),
    ({"strategies.pov10.rate": 0.2, "strategies.twap.name": "even"},
     ["strategies.pov10.rate=0.2", "strategies.twap.name=even"]),
    ({"market.volume": {"model": "constant", "mean": 800}}, ["market.volume={model='constant',mean=800}"]),
    ({"costs.temporary.exponent": 0.5, "episodes": 7}, ["costs.temporary.exponent=0.5", "episodes=7"]),
    ({}, []),
])  # fmt: skip
def test_as_set_on_the_command_line(changes, set_):
    changed = STUDY.changed(changes)
    assert changed == STUDY.with_overrides(set_)
    assert changed.to_toml() == STUDY.with_overrides(set_).to_toml()
    assert STUDY.to_toml() == fx.Study.from_dict(SMALL).to_toml()  # itself it is what it was


def test_whole_sections_and_keys_within_them():
    one = STUDY.changed({"order": {"shares": 700, "steps": 12}, "order.side": "buy", "strategies": [{"model": "pov"}]})
    assert (one.order.side, one.order.shares, [s.name for s in one.strategies]) == ("buy", 700.0, ["pov"])


def test_a_swept_key_that_is_set_is_swept_no_longer():
    assert SWEPT.sweep.count == 8
    assert SWEPT.changed({"order.shares": 800}).sweep.keys == ["market.volume.mean", "market.price"]
    alone = SWEPT.changed(
        {"market.volume.mean": 5.0, "order.shares": 800, "sweep.market.price": [{"volatility": 3e-3}]}
    )
    assert alone.sweep.keys == ["market.price"]
    assert [s.study.market.price.volatility for s in alone.scenarios()] == [3e-3]
    assert SWEPT.changed({"sweep": None}).sweep is None
    none = SWEPT.changed({"market.volume.mean": 5.0, "order.shares": 800, "market.price": {"volatility": 1e-3}})
    assert none.sweep is None
    assert STUDY.changed({"sweep.order.shares": [600, 700]}).sweep.keys == ["order.shares"]


def test_from_toml_reads_what_to_toml_writes():
    for study in (STUDY, SWEPT, fx.Study.preset("large_cap")):
        assert fx.Study.from_toml(study.to_toml()) == study


REFUSED = {
    "a key": ({"order.share": 3}, "order.share: unknown key; did you mean 'shares'?"),
    "a section": ({"orders.shares": 3}, "orders: unknown key; did you mean 'order'?"),
    "a value": ({"order.shares": "many"}, "order.shares: must be a number, not 'many'"),
    "no such strategy": ({"strategies.pov11.rate": 3},
                         "strategies.pov11.rate: no strategy of that name; did you mean 'pov10'?"),
    "no such training": ({"train.a.rounds": 3}, "train.a.rounds: no key 'a' of train; there are none"),
    "below a number": ({"seed.x": 3}, "seed.x: 'x' lies in no section of the study"),
    "no mapping": (3, "changes: must be a dict such as {\"order.shares\": 9000}, not int"),
    "no text": ({3: 3}, "changes: 3 is no key"),
    "a text": ("order.shares=3", "changes: must be a dict such as"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_change(what):
    changes, said = REFUSED[what]
    with pytest.raises(FastexecError) as caught:
        STUDY.changed(changes)
    assert said in str(caught.value)
    assert not any(word in str(caught.value) for word in ("\n", "--", "[train"))


def test_part_of_what_is_swept_as_a_whole():
    with pytest.raises(fx.InputError, match=r"the sweep sets market\.price as a whole; set market\.price or sweep"):
        SWEPT.changed({"market.price.volatility": 0.1})
