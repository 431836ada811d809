"""Files of networks: read as they were written, or refused in one line; nothing is written of what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from commands import typed
from conftest import small_study
from fastexec.errors import InputError, RefusedError
from fastexec.learning.network_file import KEY, network_table, read_network
from networks import ACTIONS, SEEN, layers_of, network, playing

GONE = object()


@pytest.fixture(scope="module")
def made():
    return network(small_study(), seed=1, name="first", note="trained elsewhere")


def test_a_network_is_read_as_it_was_written(made, tmp_path):
    made.save(tmp_path / "net.parquet")
    again = read_network(tmp_path / "net.parquet")
    assert again.policy._replace(layers=()) == made.learned.policy._replace(layers=())
    assert again.origin == made.learned.origin
    for one, other in zip(again.policy.layers, made.learned.policy.layers, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.bias, other.bias)
    assert fx.show(tmp_path / "net.parquet").in_words == made.in_words


def test_the_same_network_has_the_same_bytes(made, tmp_path):
    for name in ("a", "b"):
        made.save(tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    with pytest.raises(RefusedError, match="is there already"):
        made.save(tmp_path / "a.parquet")


def test_show_says_in_words_what_it_holds(made, tmp_path):
    made.save(tmp_path / "net.parquet")
    status, text, error = typed("show", "net.parquet", cwd=tmp_path)
    assert (status, error) == (0, "")
    assert text.splitlines() == made.in_words
    for part in (
        "4 features",
        "16 and 16 (tanh)",
        "6 outputs",
        "12 steps",
        "sees spread",
        "bps",
        "of the rest",
        "elsewhere",
    ):
        assert part in text


def test_scales_are_found_by_a_pilot_where_none_are_given():
    study = small_study()
    seen = ["time", {"name": "spread", "mean": 0.0, "sd": 1.0}, "inventory"]
    layers = layers_of((3, 2))
    policy = fx.Network.from_layers(
        layers, observation=seen, actions={"set": "fractions", "levels": [0.0, 1.0]}, study=study
    )
    time, spread, inventory = policy.learned.policy.observation
    assert (spread.mean, spread.sd) == (0.0, 1.0)
    np.testing.assert_allclose((time.mean, time.sd), (11 / 24, np.std(np.arange(12) / 12)), rtol=1e-12)
    np.testing.assert_allclose(inventory.mean, 1.0 - 11 / 24, rtol=1e-3)


LAYERS = layers_of((4, 8, 6))
GIVEN = {"observation": [{"name": name, "mean": 0.0, "sd": 1.0} for name in SEEN], "actions": ACTIONS}
WRONG = {
    "no layers": ({"layers": []}, "layers: there are 0"),
    "five layers": ({"layers": layers_of((4, 4, 4, 4, 4, 6))}, "layers: there are 5"),
    "too wide": ({"layers": layers_of((4, 129, 6))}, "129"),
    "no pair": ({"layers": [np.zeros((6, 4))]}, "layer 1"),
    "turned weights": ({"layers": [(w.T, b) for w, b in LAYERS]}, "layer 1 has weights"),
    "layers that do not follow": ({"layers": [LAYERS[0], layers_of((7, 6))[0]]}, "layer 2 has 7 inputs for 8 outputs"),
    "NaN": (
        {"layers": [LAYERS[0], (np.full((6, 8), np.nan), LAYERS[1][1])]},
        "layer 2 holds a weight that is no finite",
    ),
    "infinite": ({"layers": [LAYERS[0], (LAYERS[1][0], np.full(6, np.inf))]}, "layer 2 holds a weight"),
    "beyond float32": ({"layers": [LAYERS[0], (LAYERS[1][0], np.full(6, 1e39))]}, "layer 2 holds a weight"),
    "unknown feature": (
        {"observation": [*GIVEN["observation"][:3], {"name": "spred", "mean": 0.0, "sd": 1.0}]},
        "spread",
    ),
    "too few features": ({"observation": GIVEN["observation"][:3]}, "4 inputs for 3 features"),
    "named twice": ({"observation": [*GIVEN["observation"][:3], GIVEN["observation"][0]]}, "inventory"),
    "no scale": ({"observation": SEEN}, "inventory has no mean and sd"),
    "an sd of 0": ({"observation": [{"name": name, "mean": 0.0, "sd": 0.0} for name in SEEN]}, "sd: must be above 0"),
    "an unknown key": ({"observation": [{**one, "scale": 1} for one in GIVEN["observation"]]}, "unknown key 'scale'"),
    "too many actions": ({"actions": {"set": "fractions", "levels": [0.0, 1.0]}}, "6 outputs for 2 levels"),
    "an unknown set": ({"actions": {"set": "pieces", "levels": [0.0, 1.0]}}, "actions.set"),
    "a share of six": ({"actions": "share"}, "a share of what is left is one"),
    "no such activation": ({"activation": "gelu"}, "activation"),
    "no such mode": ({"mode": "best"}, "mode"),
    "a mode of shares": ({"mode": "clip"}, "mode"),
    "no steps": ({"steps": 0}, "steps"),
    "an unknown word": ({"colour": "red"}, "from_layers"),
}


@pytest.mark.parametrize("what", list(WRONG))
def test_what_does_not_fit_is_refused_in_one_line(what):
    changes, said = WRONG[what]
    with pytest.raises(InputError) as caught:
        fx.Network.from_layers(**{"layers": LAYERS, **GIVEN, **changes})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


META = {
    "another version": (["version"], 2),
    "no name": (["name"], GONE),
    "other sizes": (["sizes"], [4, 16, 16, 5]),
    "sizes of nothing": (["sizes"], []),
    "far too large": (["sizes"], [4, 10**9, 6]),
    "an unknown activation": (["activation"], "gelu"),
    "an observation less": (["observation"], []),
    "an sd below 0": (["observation", 0, "sd"], -1.0),
    "a mean that is no number": (["observation", 0, "mean"], float("nan")),
    "looks back too far": (["observation", 0, "steps"], 10**6),
    "other actions": (["actions", "levels"], [0.0, 1.0]),
    "no steps": (["steps"], 0),
    "an unknown key": (["colour"], "red\nline"),
    "origin no table": (["origin"], 3),
}
COLUMNS = {
    "a weight missing": lambda t: t.slice(0, len(t) - 1),
    "a weight more": lambda t: pa.concat_tables([t, t.slice(0, 1)]),
    "in another order": lambda t: t.take(np.arange(len(t))[::-1]),
    "no number": lambda t: t.set_column(3, t.schema.field(3), [pa.array(np.full(len(t), np.nan, np.float32))]),
    "infinite": lambda t: t.set_column(3, t.schema.field(3), [pa.array(np.full(len(t), np.inf, np.float32))]),
    "null": lambda t: t.set_column(3, t.schema.field(3), [pa.nulls(len(t), pa.float32())]),
    "in float64": lambda t: t.set_column(3, pa.field("weight", pa.float64()), [t["weight"].cast(pa.float64())]),
    "without a column": lambda t: t.drop_columns(["input"]),
}


@pytest.mark.parametrize("what", list(META))
def test_metadata_that_does_not_fit(made, tmp_path, what):
    table = network_table(made.learned)
    meta = json.loads(table.schema.metadata[KEY])
    (*outer, last), value = META[what]
    here = meta
    for key in outer:
        here = here[key]
    if value is GONE:
        del here[last]
    else:
        here[last] = value
    pq.write_table(table.replace_schema_metadata({KEY: json.dumps(meta)}), tmp_path / "net.parquet")
    refused(tmp_path / "net.parquet")


@pytest.mark.parametrize("what", list(COLUMNS))
def test_columns_that_do_not_fit(made, tmp_path, what):
    pq.write_table(COLUMNS[what](network_table(made.learned)), tmp_path / "net.parquet")
    refused(tmp_path / "net.parquet")


def refused(path):
    with pytest.raises(InputError) as caught:
        read_network(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_files_that_are_none(made, tmp_path):
    (tmp_path / "text.parquet").write_text("no table")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    for name in ("text", "other", "absent"):
        refused(tmp_path / f"{name}.parquet")
    made.save(tmp_path / "net.parquet")
    study = small_study()
    table = study.changed({"strategies": [{"model": "qtable", "agent": str(tmp_path / "net.parquet")}]})
    with pytest.raises(InputError, match='it is a network: model = "network"'):
        fx.simulate(fx.Study.from_dict(json.loads(table.model_dump_json(exclude_none=True))))
    assert playing(study, tmp_path / "net.parquet").files() == [str(tmp_path / "net.parquet")]
