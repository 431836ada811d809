"""Small studies that cross every feature with every other, two by two, for the pass with checked array bounds.

A case takes one level of each factor; the cases together hold every pair of levels that a study can have. The pairs that no
study can have are listed with what the product says of them.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastexec.studies.study import Study
from networks import NETWORKS

STEPS, EPISODES = 6, 140  # more than a block of lanes
FACTORS: dict[str, tuple[str, ...]] = {
    "agent": ("none", "backward", "batched", "online", "double", "program", "file", "optimum", "network"),
    "source": ("synthetic", "given", "replay", "bootstrap"),
    "ranges": ("none", "order", "market", "costs", "all"),
    "costs": ("power", "linear", "every part", "per_step"),
    "market": ("lognormal", "chains", "walk"),
    "conditions": ("none", "variance", "jumps", "regimes", "halts", "noise", "signals", "seen"),
    "transient": ("none", "linear", "power"),
    "horizon": ("complete", "mark", "leave"),
    "lot": ("0", "1", "10"),
    "known": ("after", "during"),
    "twin": ("no", "yes"),
    "plugin": ("no", "yes"),
    "recorded": ("no", "yes"),
    "sweep": ("no", "yes"),
    "chunks": ("whole", "cut"),
    "threads": ("1", "2"),
}
Pair = tuple[tuple[str, str], tuple[str, str]]
#: Pairs that no study can have: what is said of them.
IMPOSSIBLE: dict[Pair, str] = {}


def _never(first: str, level: str, second: str, levels: str, said: str) -> None:
    for other in levels.split("|"):
        IMPOSSIBLE[_pair((first, level), (second, other))] = said


def _pair(a: tuple[str, str], b: tuple[str, str]) -> Pair:
    order = list(FACTORS)
    return (a, b) if order.index(a[0]) < order.index(b[0]) else (b, a)


for _rule in ("backward", "batched", "online", "double", "program"):
    _never("agent", _rule, "source", "replay|bootstrap", "agents are trained on synthetic markets")
for _rule in ("backward", "online", "double"):
    _never("agent", _rule, "transient", "linear|power", "only rule batched knows transient impact")
_never("agent", "program", "costs", "power|linear|every part", "rule program needs costs.rule")
_never("agent", "program", "known", "after", "rule program needs costs.rule")
_never("agent", "program", "transient", "linear|power", "rule per_step knows no transient.coefficient")
_never("agent", "optimum", "source", "replay|bootstrap", "real days have no known law")
_never("agent", "optimum", "ranges", "order|market|costs|all", "is drawn for each episode")
_never("agent", "optimum", "costs", "every part|linear", "either all costs must scale with the mid")
_never("agent", "optimum", "costs", "per_step", "what is not traded must be paid for")
_never("agent", "optimum", "market", "lognormal|walk", "it must be markov or constant")
_never("agent", "optimum", "transient", "linear|power", "transient impact has a memory")
_never("agent", "optimum", "horizon", "leave", "what is not traded must be paid for")
_never("agent", "optimum", "lot", "0", "the order has more than 400 lots")
_never("agent", "none", "twin", "yes", "is no qtable strategy")
_never("agent", "optimum", "twin", "yes", "is no qtable strategy")
_never("agent", "network", "twin", "yes", "is no qtable strategy")
_never("source", "replay", "ranges", "market|all", "unknown key")
for _days in ("replay", "bootstrap"):
    _never("source", _days, "conditions", "variance|jumps|regimes|halts|noise|seen", "real days have their own")
_never("agent", "optimum", "conditions", "regimes", "market.regimes changes what trading costs")
_never("agent", "optimum", "conditions", "halts", "market.halts changes what trading costs")
_never("source", "given", "conditions", "noise", "what is observed of given paths is their mid")
_never("agent", "optimum", "conditions", "noise", "market.noise is tradable")
_never("agent", "optimum", "conditions", "signals", "market.signals.b changes the volatility")
_never("source", "given", "conditions", "signals|seen", "given paths carry no signals")
_never("source", "given", "sweep", "yes", r"has a \[sweep\]")
_never("costs", "per_step", "transient", "linear|power", "rule per_step knows no transient.coefficient")
#: Of an impossible case, what else it needs so that this is what is said.
NEUTRAL = {factor: levels[0] for factor, levels in FACTORS.items()}


def cases() -> list[dict[str, str]]:
    """Cases that together hold every possible pair: each begins with a pair not met yet and is filled up greedily."""
    everything = [(factor, level) for factor, levels in FACTORS.items() for level in levels]
    missing = dict.fromkeys((a, b) for a, b in combinations(everything, 2) if a[0] != b[0] and (a, b) not in IMPOSSIBLE)
    found = []
    while missing:
        case = dict(next(iter(missing)))
        for factor in FACTORS:
            if factor not in case:
                case[factor] = max(_fitting(case, factor), key=lambda level: _gain(case, factor, level, missing))  # noqa: B023
        met = {_pair(a, b) for a, b in combinations(case.items(), 2)}
        assert not met & set(IMPOSSIBLE), case
        missing = {pair: None for pair in missing if pair not in met}
        found.append({factor: case[factor] for factor in FACTORS})
    return found


def _fitting(case: dict[str, str], factor: str) -> list[str]:
    return [
        level
        for level in FACTORS[factor]
        if not any(_pair((factor, level), taken) in IMPOSSIBLE for taken in case.items())
    ]


def _gain(case: dict[str, str], factor: str, level: str, missing: dict[Pair, None]) -> int:
    return sum(_pair((factor, level), taken) in missing for taken in case.items())


# ---- the study of a case

_INVENTORY = {"name": "inventory", "bins": 7}
_SHARES = [{"name": "shortfall", "edges": [0.5, 2.0]}, {"name": "impact", "edges": [0.1]}]
_SEEN = [{"name": "spread", "bins": 3}, {"name": "volume", "bins": 32}]
_PATH = [{"name": "momentum", "bins": 4, "steps": 16}, {"name": "relative_volume", "bins": 3}]
_WIDE = {"name": "relative_spread", "bins": 2}
_SMALL = {"batch": 200, "rounds": 2}
TRAINING: dict[str, dict[str, Any]] = {
    "backward": {"features": [*_SEEN, {"name": "volatility", "edges": [1e-4]}, _WIDE, _INVENTORY]},
    "batched": {"features": [_INVENTORY, *_SHARES, *_PATH, _SEEN[0]]},
    "online": {"features": [_INVENTORY, _PATH[0]], "actions": {"set": "fractions", "levels": [0.0, 0.3, 1.0]}},
    "double": {"features": [_INVENTORY, _PATH[1]], "actions": {"set": "lots", "levels": [0.0, 1.0, 50.0]}},
    "program": {"features": [_INVENTORY], "actions": {"set": "fractions", "levels": [0.0, 0.5, 1.0]}},
}
_CHAIN = {"model": "markov", "transition": [[0.8, 0.2, 0.0], [0.3, 0.4, 0.3], [0.0, 0.5, 0.5]]}
MARKETS: dict[str, dict[str, Any]] = {
    "lognormal": {
        "price": {"volatility": 0.001, "diurnal": [2.0, 1.0]},
        "spread": {"mean": 0.0004, "floor": 0.0001, "diurnal": [1.5, 1.0]},
        "volume": {"mean": 900.0, "curve": [2.0, 1.0, 1.5], "persistence": 0.4, "day_volatility": 0.2},
        "correlation": {"price_volume": 0.2, "spread_volume": -0.2},
    },
    "chains": {
        "price": {"volatility": 0.001},
        "spread": {**_CHAIN, "levels": [0.0001, 0.0004, 0.0009]},
        "volume": {**_CHAIN, "levels": [0.0, 500.0, 1500.0]},
    },
    "walk": {
        "price": {"model": "arithmetic", "volatility": 0.1, "start": "moved"},
        "spread": {"model": "random_walk", "initial": 0.0004, "volatility": 0.0001},
        "volume": {"model": "cosine", "mean": 900.0, "amplitude": 0.5, "noise": 100.0, "floor": 10.0},
    },
}
CONDITIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "variance": {"variance": {"persistence": 0.9, "volatility": 0.5}},
    "jumps": {"jumps": {"rate": 0.4, "mean": -0.01, "volatility": 0.02}},
}
CONDITIONS["regimes"] = {
    "regimes": {"names": ["calm", "wild"], "transition": [[0.9, 0.1], [0.3, 0.7]], "volatility": [0.8, 2.0],
                "spread": [0.9, 1.5], "volume": [1.1, 0.6]},
}  # fmt: skip
#: Of each the key that becomes a range where those of the market do.
CONDITIONS["noise"] = {"noise": {"sd": 0.001, "tradable": True}}
CONDITIONS["signals"] = {
    "signals": [
        {"name": "a", "predicts": "move", "correlation": 0.2},
        {"name": "b", "predicts": "volatility", "correlation": 0.2, "levels": 4},
    ]
}
#: The same of real days.
COLUMNS = [{"name": "a", "column": "index"}, {"name": "b", "column": "volume"}]
CONDITIONS["seen"] = {
    "regimes": {**CONDITIONS["regimes"]["regimes"], "known": True, "volatility": []},
    "signals": [{"name": "c", "predicts": "move", "correlation": 0.2, "levels": 3}],
}
CONDITIONS["halts"] = {"halts": {"rate": 0.2, "length": 2.0}}
SCALARS = {"variance": "volatility", "jumps": "rate", "halts": "rate", "noise": "sd"}
COSTS: dict[str, dict[str, Any]] = {
    "power": {"temporary": {"model": "power", "coefficient": 0.002, "exponent": 0.6}},
    "linear": {"temporary": {"model": "linear", "fixed": 0.01, "coefficient": 1e-5}},
    "every part": {
        "temporary": {"model": "power", "coefficient": 0.002, "exponent": 0.5},
        "permanent": {"coefficient": 1e-5},
        "fees": {"per_share": 0.002},
    },
    "per_step": {"rule": "per_step", "temporary": {"model": "power", "coefficient": 0.002, "exponent": 1.0}},
}
TRANSIENT = {
    "none": {"coefficient": 0.0},
    "linear": {"coefficient": 1e-4},
    "power": {"coefficient": 1e-3, "exponent": 0.7},
}
PLUGIN = '''
import fastexec as fx


@fx.strategy("evenly", pace=1.0)
def evenly(shares, remaining, mid, spread, last_volume, params, step, steps):
    """TWAP, one lane after the other."""
    for i in range(shares.size):
        shares[i] = min(params[0] * remaining[i] / (steps - step), remaining[i])


@fx.strategy("by_rows")
def by_rows(orders, see, params, step, steps):
    """The same of the second form, and every row that is seen."""
    for i in range(orders.shape[1]):
        seen = 0.0
        for row in range(see.shape[0]):
            seen += 0.0 * see[row, i]
        orders[fx.orders.SHARES, i] = (seen if seen > 0.0 else 0.0) + see[fx.see.REMAINING, i] / (steps - step)
'''


def study(case: dict[str, str], folder: Path) -> Study:
    """The study of a case; its bars, plugin and agent lie in ``folder``."""
    order: dict[str, Any] = {"shares": 400, "steps": STEPS, "lot": float(case["lot"]), "at_horizon": case["horizon"]}
    costs = {**COSTS[case["costs"]], "transient": TRANSIENT[case["transient"]]}
    market = _market(case, folder)
    if case["ranges"] in ("order", "all"):
        order["shares"] = {"low": 250, "high": 750}
    if case["ranges"] in ("costs", "all"):
        costs["temporary"] = {**costs["temporary"], "coefficient": {"low": 1e-5, "high": 2e-3, "scale": "log"}}
    if case["ranges"] in ("market", "all"):
        market["initial_price"] = {"low": 50.0, "high": 150.0}
        for key, scalar in SCALARS.items():
            if key in market:
                market[key] = {**market[key], scalar: {"low": 0.5 * market[key][scalar], "high": market[key][scalar]}}
        if case["source"] in ("synthetic", "given"):
            market["price"] = {**market["price"], "volatility": {"low": 1e-4, "high": 1e-3, "scale": "log"}}
    keys: dict[str, Any] = {
        "name": "bounds", "seed": 11, "order": order, "market": market, "costs": costs, "strategies": _strategies(case),
        "output": {"steps": 5 if case["recorded"] == "yes" else 0},
    }  # fmt: skip
    if case["source"] != "replay":
        keys["episodes"] = EPISODES
    if case["agent"] in TRAINING:
        keys["train"] = {"mine": {"rule": case["agent"], **_SMALL, **TRAINING[case["agent"]]}}
    if case["plugin"] == "yes":
        keys["plugins"] = ["own.py"]
    if case["sweep"] == "yes":
        keys["sweep"] = {"order.side": ["sell", "buy"]}
    return Study.from_dict(keys, folder=folder)


def _market(case: dict[str, str], folder: Path) -> dict[str, Any]:
    if case["source"] in ("replay", "bootstrap"):
        days = {"model": case["source"], "bars": str(folder / "bars.parquet"), "symbol": "S", "known": case["known"]}
        own = {"signals": COLUMNS} if case["conditions"] == "signals" else CONDITIONS[case["conditions"]]
        return days | ({"block": 2.0} if case["source"] == "bootstrap" else {}) | own
    market = {**MARKETS[case["market"]], **CONDITIONS[case["conditions"]]}
    market["volume"] = {**market["volume"], "known": case["known"]}
    return market


def _strategies(case: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"model": model} for model in ("twap", "vwap", "pov", "almgren_chriss", "static_optimum", "random", "immediate")
    ]
    if case["agent"] in TRAINING:
        found.append({"name": "agent", "model": "qtable", "train": "mine"})
    elif case["agent"] == "file":
        found.append({"name": "agent", "model": "qtable", "agent": "agent.parquet"})
    elif case["agent"] == "network":
        found += [{"name": mode, "model": "network", "agent": f"{mode}.parquet"} for mode in NETWORKS]
    elif case["agent"] == "optimum":
        found.append({"name": "agent", "model": "optimum"})
    if case["conditions"] == "signals" and case["source"] not in ("replay", "bootstrap"):
        found.append({"model": "follow_signal", "risk_aversion": 1e-6})
    if case["twin"] == "yes":
        found.append({"model": "blind_twin", "of": "agent"})
    if case["plugin"] == "yes":
        found += [{"model": "evenly", "pace": 0.5}, {"model": "by_rows"}]
    return found


def write_bars(path: Path) -> None:
    """Three days of forty bars of a minute."""
    rng, days, bars = np.random.default_rng(3), (20131007, 20131008, 20131009), 40
    count = len(days) * bars
    mid = 50.0 * np.exp(rng.normal(size=count).cumsum() * 0.002)
    half = mid * rng.uniform(1e-4, 4e-4, count)
    columns = {
        "symbol": ["S"] * count, "date": np.repeat(days, bars), "sec": np.tile(34_200 + 60 * np.arange(bars), len(days)),
        "volume": rng.integers(100, 2_000, count).astype(float), "bid_px_1": mid - half, "ask_px_1": mid + half,
        "index": rng.normal(size=count),
    }  # fmt: skip
    pq.write_table(pa.table(columns), path)
