"""Single episodes, regenerated from the seed: the best, the median and the worst of each strategy."""

from __future__ import annotations

import numpy as np

from fastexec.analysis.report.charts import Area, Bars, Chart, Line, Panel, Points, absent, thinned
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.rows import Rows
from fastexec.analysis.report.styles import NEUTRAL, Style
from fastexec.simulation import Prepared
from fastexec.wording import counted

_TITLE = "Single episodes"
_MOST_VIEWS, _MOST_ROWS = 36, 24_000
_MOST_POINTS = 400
_COLUMNS = ("episode", "step", "mid", "spread", "volume", "shares", "price", "remaining")


def episodes_chart(material: Material, rows: Rows | None, prepared: Prepared | None, why: str) -> Chart:
    """Price with the trades on it, spread, volume beside the trades; a view for each strategy and rank."""
    import pyarrow as pa

    if rows is None or prepared is None:
        reason = why if prepared is None else 'the study wrote no rows (output.rows = "none") to rank episodes by'
        return absent("single_episodes", _TITLE, reason)
    views, tables = {}, []
    most = max(min(_MOST_VIEWS, _MOST_ROWS // material.study.order.steps) // 3, 1)
    for k in np.argsort(material.mean_costs(), kind="stable")[:most].tolist():
        name = material.strategies[k]
        for rank, episodes in rows.extremes.episode.items():
            number, cost = int(episodes[k]), float(rows.extremes.cost[rank][k])
            steps = prepared.steps(number, 1)
            own = {column: values[steps["strategy_index"] == k] for column, values in steps.items()}
            label = f"{name}: {rank}, {cost:,.1f} {material.measure[1]} (episode {number:,})"
            views[label] = _panels(material, name, own)
            names = {"strategy": [name] * own["step"].size, "rank": [rank] * own["step"].size}
            tables.append(pa.table(names | {column: own[column] for column in _COLUMNS}))
    note = (
        "Ranked by cost, which mostly ranks the luck of the price. The line is the un-impacted mid, the marks are the fills, "
        "larger where more was traded; fastexec replay prints every step."
    )
    if most < len(material.strategies):
        note += f" Of the {counted(len(material.strategies), 'strategy')} the {most} cheapest are shown."
    return Chart("single_episodes", _TITLE, note, views, pa.concat_tables(tables), view_label="episode", height=700)


def _panels(material: Material, name: str, own: dict[str, np.ndarray]) -> list[Panel]:
    style, t = material.style(name), own["step"].astype(float)
    traded = own["shares"] > 0.0
    few = thinned(t, _MOST_POINTS)
    fills = Points(
        f"fills of {name}", t[traded], own["price"][traded], style, sizes=own["shares"][traded],
        told=[f"{shares:,.4g} shares" for shares in own["shares"][traded]],
    )  # fmt: skip
    line = Style(NEUTRAL)
    price: list[Line | Points] = [Line("mid", few, thinned(own["mid"], _MOST_POINTS), line, steps=True), fills]
    spread = Line("quoted spread", few, 1e4 * thinned(own["spread"], _MOST_POINTS), line, steps=True)
    volume = Area("market volume", few, thinned(own["volume"], _MOST_POINTS))
    slices = Bars(f"slices of {name}", few, thinned(own["shares"], _MOST_POINTS), style.colour)
    clock = f"step (of {material.study.order.step_seconds:g} s)"
    return [
        Panel(price, "", "price (currency)", share=2.0),
        Panel([spread], "", "spread (bps)"),
        Panel([volume], "", "volume (shares)"),
        Panel([slices], clock, "slice (shares)"),
    ]
