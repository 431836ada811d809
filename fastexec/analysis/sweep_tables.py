"""What the report of a sweep shows: the keys that span its scenarios, and frontiers of mean cost against risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastexec.statistics.paired import moves_of

if TYPE_CHECKING:
    import pyarrow as pa

RISKS = {"sd": "shortfall_sd_bps", "cvar95": "shortfall_cvar95_bps"}
_AVERSION = ".risk_aversion"


def axes_of(scenarios: pa.Table) -> list[str]:
    """The swept keys that span the scenarios: of two values and more, and not tied to a key before.

    scenarios: the `scenarios` table.
    """
    found: list[str] = []
    columns = {key: [_hashed(v) for v in scenarios[key].to_pylist()] for key in scenarios.column_names[1:]}
    for key, values in columns.items():
        if len(set(values)) > 1 and not any(_tied(columns[axis], values) for axis in found):
            found.append(key)
    return found


def frontier(summary: pa.Table, scenarios: pa.Table, risk: str = "sd") -> pa.Table:
    """Mean cost against risk over risk aversion: scenario, panel (the other swept values in words), strategy,
    risk_aversion (null: a strategy without one, for reference), mean_bps, risk_bps; sorted by panel, strategy and risk
    aversion.

    mean_bps leaves the price moves out where they have mean zero, since their sampling error would hide the frontier.
    risk: "sd" or "cvar95" of the shortfall. Where no risk aversion is swept, each panel has a point a strategy.
    """
    import pyarrow as pa

    axes = axes_of(scenarios)
    aversions = {
        key.removeprefix("strategies.").removesuffix(_AVERSION): key for key in axes if key.endswith(_AVERSION)
    }
    others = [key for key in axes if key not in aversions.values()]
    values = {row["scenario"]: row for row in scenarios.to_pylist()}
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in summary.to_pylist():
        point = values[row["scenario"]]
        aversion = point[aversions[row["strategy"]]] if row["strategy"] in aversions else None
        panel = ", ".join(f"{key} = {shown(point[key])}" for key in others)
        moves = moves_of(row) if row["control_variate"] else 0.0
        found.setdefault(
            (panel, row["strategy"], aversion),  # the first of those that differ in another strategy's aversion only
            {
                "scenario": row["scenario"],
                "panel": panel,
                "strategy": row["strategy"],
                "risk_aversion": aversion,
                "mean_bps": row["shortfall_mean_bps"] - moves,
                "risk_bps": row[RISKS[risk]],
            },
        )
    panels = list(dict.fromkeys(row["panel"] for row in found.values()))
    names = list(dict.fromkeys(row["strategy"] for row in found.values()))
    rows = sorted(
        found.values(), key=lambda r: (panels.index(r["panel"]), names.index(r["strategy"]), r["risk_aversion"] or 0.0)
    )
    texts = [(name, pa.string()) for name in ("scenario", "panel", "strategy")]
    return pa.Table.from_pylist(
        rows, pa.schema([*texts, *((name, pa.float64()) for name in ("risk_aversion", "mean_bps", "risk_bps"))])
    )


def undominated(mean: list[float], risk: list[float]) -> list[int]:
    """Places of those that no other beats in both, by rising risk."""
    order = sorted(range(len(mean)), key=lambda j: (risk[j], mean[j]))
    kept: list[int] = []
    for j in order:
        if not kept or mean[j] < mean[kept[-1]]:
            kept.append(j)
    return kept


def shown(value: Any) -> str:
    """A swept value in words."""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _tied(first: list[Any], second: list[Any]) -> bool:
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len(set(first)) == len(set(second))


def _hashed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
