"""fastexec: does an adaptive execution policy really beat TWAP, VWAP, POV and Almgren-Chriss, and how sure are we?

    import fastexec as fx
    study = fx.Study.preset("large_cap")
    frame = fx.simulate(study, episodes=10_000).to_pandas()

The names below are loaded on first use, so that ``import fastexec`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastexec import orders as orders, see as see
    from fastexec.analysis.compared import Comparison
    from fastexec.analysis.comparison import compare
    from fastexec.analysis.networks import Network
    from fastexec.analysis.trained import Agent, show, train
    from fastexec.analysis.verbs import replay, report, verify
    from fastexec.calibration.calibrate import Calibration, calibrate
    from fastexec.data.bars import read_bars
    from fastexec.data.paths import MarketPaths
    from fastexec.errors import FastexecError, InputError, RefusedError
    from fastexec.market_paths import market
    from fastexec.models.plugins import strategy
    from fastexec.results import Results
    from fastexec.runs.run import run
    from fastexec.simulation import simulate
    from fastexec.studies.study import Study

__version__ = "0.1.0"

_HOMES = {
    "Agent": "analysis.trained",
    "Calibration": "calibration.calibrate",
    "Comparison": "analysis.compared",
    "FastexecError": "errors",
    "InputError": "errors",
    "MarketPaths": "data.paths",
    "Network": "analysis.networks",
    "RefusedError": "errors",
    "Results": "results",
    "Study": "studies.study",
    "calibrate": "calibration.calibrate",
    "compare": "analysis.comparison",
    "market": "market_paths",
    "read_bars": "data.bars",
    "replay": "analysis.verbs",
    "report": "analysis.verbs",
    "run": "runs.run",
    "show": "analysis.trained",
    "simulate": "simulation",
    "strategy": "models.plugins",
    "train": "analysis.trained",
    "verify": "analysis.verbs",
}

#: Modules of rows, for own strategies: ``fx.orders.SHARES``, ``fx.see.MID``.
_ROWS = ("orders", "see")

__all__ = [
    "Agent",
    "Calibration",
    "Comparison",
    "FastexecError",
    "InputError",
    "MarketPaths",
    "Network",
    "RefusedError",
    "Results",
    "Study",
    "calibrate",
    "compare",
    "market",
    "orders",
    "read_bars",
    "replay",
    "report",
    "run",
    "see",
    "show",
    "simulate",
    "strategy",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _ROWS:
        return import_module(f"fastexec.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'fastexec' has no attribute {name!r}")
    value = getattr(import_module(f"fastexec.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
