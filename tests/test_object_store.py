"""A whole study on an object store (a local S3 server): objects are whole or not there, whatever fails on the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastexec as fx
from conftest import ROOT, SMALL
from fastexec.errors import FastexecError, InputError, RefusedError
from fastexec.place import Place
from fastexec.runs import layout
from fastexec.runs.merge import merge
from fastexec.runs.replay import replay_episode
from fastexec.runs.status import status
from fastexec.runs.verify import verify
from fastexec.studies.study import Study
from test_own_strategies import PATIENT, STUDY as OWN

pytest.importorskip("moto.server")
pytestmark = [pytest.mark.processes, pytest.mark.filterwarnings("default")]  # of the server

STUDY = Study.from_dict({**SMALL, "episodes": 1500, "output": {"steps": 7}})


class Faulty:
    """The server's application, which refuses the PUT requests that ``refuses`` says."""

    def __init__(self):
        from moto.server import DomainDispatcherApplication, create_backend_app

        self._app = DomainDispatcherApplication(create_backend_app)
        self.refuses = lambda path, query: False
        self.puts = 0

    def __call__(self, environ, start_response):
        if environ["REQUEST_METHOD"] == "PUT":
            self.puts += 1
            if self.refuses(environ["PATH_INFO"], environ["QUERY_STRING"]):
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start_response("403 Forbidden", [("Content-Type", "text/plain")])
                return [b"refused"]
        return self._app(environ, start_response)


@pytest.fixture(scope="module")
def server():
    from werkzeug.serving import make_server

    app = Faulty()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    app.address = f"127.0.0.1:{server.server_port}"
    yield app
    server.shutdown()
    thread.join()


@pytest.fixture
def bucket(server, request, monkeypatch):
    """``bucket(prefix)``: the URI of a folder in an empty bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    options = f"scheme=http&endpoint_override={server.address}&region=us-east-1"
    name = f"bucket{zlib.crc32(request.node.nodeid.encode())}"
    root = Place.of(f"s3://{name}/root?{options}&allow_bucket_creation=true")
    root.filesystem.create_dir(name)
    server.refuses = lambda path, query: False
    return lambda prefix: f"s3://{name}/{prefix}?{options}"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    fx.run(STUDY, out=folder / "r", chunk=500)
    return folder / "r"


def assert_same_objects(folder, uri):
    """Every Parquet file of a local folder, and no other, is on the store, with equal tables and metadata."""
    names = {str(p.relative_to(folder)) for p in folder.rglob("*.parquet")} - {"manifest.parquet"}
    place = Place.of(uri)
    there = {f"{t}/{part.name}" for t in layout.TABLES for part in layout.all_parts(place, t)}
    assert there == {name for name in names if "/" in name}
    for name in names:
        with (place / name).open() as stream:
            assert pq.read_table(stream).equals(pq.read_table(folder / name), check_metadata=True), name


def test_plugin_files_are_kept_on_the_store(bucket, tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(PATIENT)
    (tmp_path / "mine.toml").write_text(OWN)
    uri = bucket("own")
    fx.run(Study.load(tmp_path / "mine.toml"), out=uri)
    place = Place.of(uri)
    assert (place / "plugins" / "own.py").read_text() == PATIENT
    with pytest.raises(InputError, match=r"own.py: there is no such plugin file .*plugins"):
        replay_episode(uri, 7)
    assert replay_episode(uri, 7, plugins=[str(tmp_path / "own.py")]).num_rows == 36
    monkeypatch.chdir(tmp_path)
    assert verify(uri, sample=1).faults == []
    layout.remove_results(place, ["plugins/own.py"])
    assert not (place / "plugins" / "own.py").is_file()


def test_a_run_compared_verified_merged_and_shown(bucket, local, tmp_path):
    uri = bucket("results/r")
    result = fx.run(STUDY, out=uri, chunk=500)
    assert_same_objects(local, uri)
    assert "testing" not in str(result.folder)
    assert fx.run(STUDY, out=uri).finished_before
    assert fx.compare(uri).table.equals(fx.compare(local).table)
    assert len(fx.compare(uri, by="market_volume:2").summaries) == 2
    assert verify(uri, sample=1).faults == []
    assert status(uri).state == "complete"
    with pytest.raises(RefusedError, match="holds another study"):
        fx.run(STUDY.changed({"seed": 6}), out=uri)
    fx.run(STUDY.changed({"seed": 6}), out=uri, overwrite=True)
    fx.run(STUDY, out=bucket("a"), chunk=500, episodes=500, first_episode=0)
    fx.run(STUDY, out=tmp_path / "b", chunk=500, first_episode=500)
    merge([bucket("a"), tmp_path / "b"], bucket("merged"))
    assert_same_objects(local, bucket("merged"))


def test_an_error_while_a_chunk_is_built_leaves_no_object_and_resume_goes_on(bucket, local, monkeypatch):
    uri, whole = bucket("r"), pq.write_table

    def failing(table, stream, **options):
        if table.num_rows == 3000 and table["episode"][0].as_py() == 500:
            pq.ParquetWriter(stream, table.schema).write_table(table.slice(0, 100))
            raise OSError("a fault in the midst of it")
        whole(table, stream, **options)

    monkeypatch.setattr(pq, "write_table", failing)
    with pytest.raises(FastexecError, match="a fault in the midst of it"):
        fx.run(STUDY, out=uri, chunk=500, threads=1)
    monkeypatch.setattr(pq, "write_table", whole)
    assert [part.name for part in layout.parts(Place.of(uri) / "episodes")][:1] == ["part-000000000000.parquet"]
    assert not (Place.of(uri) / "episodes" / "part-000000000500.parquet").is_file()
    with pytest.raises(RefusedError, match="incomplete; resume=True goes on"):
        fx.run(STUDY, out=uri)
    fx.run(STUDY, out=uri, resume=True)
    assert_same_objects(local, uri)


def test_an_error_while_a_chunk_is_sent_leaves_no_object_and_resume_goes_on(bucket, local, server):
    uri = bucket("r")
    server.refuses = lambda path, query: path.endswith("episodes/part-000000000500.parquet")
    with pytest.raises(FastexecError, match="episodes/part-000000000500.parquet") as caught:
        fx.run(STUDY, out=uri, chunk=500, threads=1)
    assert "\n" not in str(caught.value)
    assert not (Place.of(uri) / "episodes" / "part-000000000500.parquet").is_file()
    server.refuses = lambda path, query: False
    fx.run(STUDY, out=uri, resume=True)
    assert_same_objects(local, uri)


def test_a_large_object_whose_second_part_is_refused_is_not_there(bucket, server):
    place = Place.of(bucket("large"))
    server.refuses = lambda path, query: "partNumber=2" in query
    with pytest.raises(FastexecError, match=r"cannot be written \(When uploading part for key 'large'"):
        place.write(pa.py_buffer(bytes(25_000_000)))
    assert not place.is_file()
    server.refuses = lambda path, query: False
    place.write(pa.py_buffer(bytes(25_000_000)))
    with place.open() as stream:
        assert stream.size() == 25_000_000


def test_what_is_not_there_is_one_line_and_writes_nothing(bucket, server):
    for uri in (bucket("nothing"), bucket("r").replace("s3://bucket", "s3://nobucket")):
        with pytest.raises(InputError, match="holds no results") as caught:
            fx.compare(uri)
        assert "\n" not in str(caught.value)
    with pytest.raises(FastexecError, match="cannot be written") as caught:
        fx.run(STUDY, out=bucket("r").replace("s3://bucket", "s3://nobucket"), chunk=500)
    assert "\n" not in str(caught.value)


def test_from_the_command_line(bucket, local, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.to_toml())
    words = [sys.executable, "-m", "fastexec", "run", "study.toml", "--out", bucket("cli/r"), "--chunk", "500"]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120,
                           env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "s3://bucket" in ended.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["study.toml"]
    assert_same_objects(local, bucket("cli/r"))
