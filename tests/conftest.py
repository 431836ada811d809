"""Shared by the tests: one kernel cache for the session's processes, the real data where it is, small studies."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cells import notebook  # noqa: F401
from fastexec.models.plugins import registry
from fastexec.models.study import StudyModel
from foreign_results import foreign, here  # noqa: F401

# What the tests record as the user's own is none of the real user's business; their processes inherit it.
os.environ["FASTEXEC_STATE_DIR"] = tempfile.mkdtemp(prefix="fastexec-state-")
atexit.register(shutil.rmtree, os.environ["FASTEXEC_STATE_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def _the_process_as_it_was() -> Iterator[None]:
    """The command line, called within the process, sets handlers of signals and of warnings for the process it ends; and who
    decorates a function makes a strategy known to every study of the process.
    """
    known = {module: dict(found) for module, found in registry.items()}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    show = warnings.showwarning
    yield
    registry.clear()
    registry.update(known)
    warnings.showwarning = show
    for number, handler in handlers.items():
        signal.signal(number, handler)


ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"


def data_file(name: str) -> Path:
    """A file of real market data; skips the test where the data folder is not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"real market data {name} is not beside the project (../shared/data)")
    return path


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """``base`` with nested ``changes``; a section whose model changes is replaced."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        nested = (
            isinstance(old, dict)
            and isinstance(value, dict)
            and value.get("model", old.get("model")) == old.get("model")
        )
        result[key] = merged(old, value) if nested else value
    return result


SMALL: dict[str, Any] = {
    "name": "small",
    "seed": 5,
    "episodes": 600,
    "order": {"side": "sell", "shares": 1200, "steps": 12},
    "market": {
        "price": {"model": "geometric", "volatility": 0.001},
        "spread": {"model": "mean_reverting", "mean": 0.0004, "floor": 0.0001},
        "volume": {"model": "lognormal", "mean": 1000.0, "volatility": 0.5, "persistence": 0.3, "day_volatility": 0.2},
    },
    "costs": {
        "temporary": {"model": "power", "coefficient": 0.002, "exponent": 0.6},
        "permanent": {"coefficient": 1e-5},
        "transient": {"coefficient": 1e-5, "resilience": 0.3},
        "fees": {"per_share": 0.002},
    },
    "strategies": [
        {"model": "twap"},
        {"model": "vwap"},
        {"model": "pov", "name": "pov10", "rate": 0.1},
        {"model": "almgren_chriss", "risk_aversion": 1e-4},
        {"model": "static_optimum", "risk_aversion": 1e-4},
        {"model": "random"},
    ],
}


def small_study(**changes: Any) -> StudyModel:
    """A study of 600 episodes of 12 steps with every kind of cost; ``changes`` are nested."""
    return StudyModel.model_validate(merged(SMALL, changes))
