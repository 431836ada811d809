"""Folders on any filesystem: whole files or none, names that say where, sizes that are read as meant."""

from __future__ import annotations

import os
import pickle

import pyarrow as pa
import pytest

from fastexec.errors import FastexecError, InputError
from fastexec.place import Place
from fastexec.runs.chunks import bytes_of


def test_paths_join_and_pickle(tmp_path):
    place = Place.of(tmp_path) / "episodes" / "part-1.parquet"
    assert (place.name, place.local, str(place)) == ("part-1.parquet", tmp_path / "episodes/part-1.parquet", place.path)
    assert str(pickle.loads(pickle.dumps(place))) == str(place)
    assert (Place.of("results/x") / "a").absolute() == os.path.abspath("results/x/a")


def test_uris_keep_their_options_at_the_end():
    place = Place.of("s3://bucket/prefix/?region=eu-west-1&scheme=http") / "episodes" / "part-1.parquet"
    assert place.path == "bucket/prefix/episodes/part-1.parquet"
    assert str(place) == "s3://bucket/prefix/episodes/part-1.parquet?region=eu-west-1&scheme=http"
    assert place.local is None
    assert str(Place.of("s3://key:secret@bucket/prefix?region=eu-west-1")) == "s3://bucket/prefix?region=eu-west-1"


@pytest.mark.parametrize("uri", ["xx://a/b", "s3://", "memory://x", ""])
def test_what_is_no_place_is_one_line(uri):
    with pytest.raises(InputError, match="give a folder or s3://bucket/prefix") as caught:
        Place.of(uri)
    assert "\n" not in str(caught.value)


def test_a_file_is_replaced_as_a_whole_or_stays(tmp_path, monkeypatch):
    place = Place.of(tmp_path) / "below" / "file"
    place.write(b"first")
    place.write(pa.py_buffer(b"second"))
    assert place.read_text() == "second"

    def failing(handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(FastexecError, match=r"file: cannot be written \(Input/output error\)"):
        place.write(b"third")
    assert [entry.name for entry in (tmp_path / "below").iterdir()] == ["file"]
    assert place.read_text() == "second"


def test_children_of_nothing_and_removing_nothing(tmp_path):
    place = Place.of(tmp_path) / "absent"
    assert place.children() == []
    assert not place.is_file()
    assert not place.is_folder()
    place.remove()


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 10**9), ("500 MiB", 500 * 2**20), ("1.5g", 1_500_000_000), ("1000000", 10**6)]
)
def test_sizes(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "2 XB", "-1GB", "0", "GB", "1e9", "1/0"])
def test_what_is_no_size(text):
    with pytest.raises(InputError, match="is no size; write for example 2GB"):
        bytes_of(text)
