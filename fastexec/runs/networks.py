"""A network's file, written."""

from __future__ import annotations

from pathlib import Path

from fastexec.learning.network_file import NetworkAgent, network_table
from fastexec.place import Place
from fastexec.runs import store


def save_network(agent: NetworkAgent, path: Path) -> None:
    """Write a network whole or not at all."""
    Place.of(path).write(store.plain_bytes(network_table(agent)))
