"""The footer that every file signs its work with: enough to rebuild it, and nothing of time, host or threads."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import fastexec
from fastexec.columns import SCHEMA_VERSION
from fastexec.errors import InputError
from fastexec.kernels._sources import kernel_hash
from fastexec.studies.place import Place
from fastexec.studies.study import Study

KEY = b"fastexec"


class _Footer(BaseModel):
    """What a footer must hold, and of which kind."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    schema_version: int
    kind: str
    study: str
    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    first_episode: Annotated[int, Field(ge=0, le=2**53)]
    episodes: Annotated[int, Field(ge=0, le=2**53)]
    versions: dict[str, str]
    kernels: str
    inputs: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


def signature(study: Study, inputs: dict[str, str], kind: str, first: int, count: int) -> dict[str, Any]:
    """What a file's footer says: schema version, study, seed, versions, kernel hash, input hashes, and its episodes.

    inputs: SHA-256 of each file read. The study stands there without episodes and output, so that a run that was extended
    equals one in a single go.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "study": study.to_toml(without=("episodes", "output")),
        "identity": study.identity(),
        "seed": str(study.seed),
        "first_episode": first,
        "episodes": count,
        **_made_by(),
        "inputs": inputs,
    }


@cache
def _made_by() -> dict[str, Any]:
    """Versions and kernel hash of this process; looked up once, since it takes 10 ms."""
    versions = {name: version(name) for name in ("numpy", "numba", "pyarrow")}
    return {"versions": {"fastexec": fastexec.__version__, **versions}, "kernels": kernel_hash()}


def require_schema(place: Place, version: int) -> None:
    """InputError where results were written by another version of the schema: their numbers would not be comparable."""
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{place}: was written by version {version} of the results' schema, and this fastexec reads version "
            f"{SCHEMA_VERSION}; run it again"
        )


def encode(footer: dict[str, Any]) -> bytes:
    """The footer as it stands in a file's metadata."""
    return json.dumps(footer, sort_keys=True, separators=(",", ":")).encode()


def decode(data: bytes) -> dict[str, Any]:
    """A footer out of a file's metadata; TypeError where it is none of ours, ValueError where it is no JSON."""
    found = json.loads(data)
    try:
        _Footer.model_validate(found)
    except ValidationError:
        raise TypeError("no footer of ours") from None
    return dict(found)
