"""What the agents learned: learning curves, completion over training, heat maps of policy, cost to go and visits."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from fastexec.analysis.agents import amounts
from fastexec.analysis.report.charts import Chart, Heat, Line, Panel, absent
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.styles import NEUTRAL, Style
from fastexec.errors import InputError
from fastexec.learning.agent import FEWEST_VISITS, Agent
from fastexec.learning.agent_file import read_agent
from fastexec.learning.training import agent_path
from fastexec.models.features import declared
from fastexec.runs.agents import agent_in
from fastexec.runs.layout import AGENTS, home_name
from fastexec.statistics.paired import moves_of
from fastexec.wording import counted

_MOST_LABELS = 40
_GREY = Style(NEUTRAL, "dash")
_ACTION_UNITS = {"fractions": "share of the rest", "multiples": "TWAP slices", "lots": "lots"}


def agents_of(material: Material) -> dict[str, Agent | str]:
    """The agent of each qtable strategy, or why it cannot be read."""
    found: dict[str, Agent | str] = {}
    for strategy in material.study.agents:
        try:
            found[strategy.name] = (
                read_agent(agent_path(material.study, strategy))
                if strategy.train is None
                else agent_in(material.folder, home_name(AGENTS, material.swept.name), strategy.train).agent
            )
        except InputError as error:
            found[strategy.name] = str(error)
    return found


def training_charts(material: Material) -> list[Chart]:
    """Curve and heat maps of each agent; nothing where the study has none."""
    charts: list[Chart] = []
    for number, (name, agent) in enumerate(agents_of(material).items()):
        if isinstance(agent, str):
            charts.append(absent(f"agent_{number}", f"Agent {name}", agent))
            continue
        charts += [_curve(material, name, agent, number), _heat_maps(name, agent, number)]
    return charts


def _curve(material: Material, name: str, agent: Agent, number: int) -> Chart:
    """Cost and completion after each round, beside what the evaluation found."""
    import pyarrow as pa

    title = f"Learning curve of {name}"
    if len(agent.curve) < 2:
        return absent(
            f"learning_curve_{number}", title, "it was trained in one round; give train.NAME.rounds more than one"
        )
    rule, style = agent.training["train"]["rule"], material.style(name)
    x = _column(agent, "episodes")
    training = Line("training (the table's own estimate)", x, _column(agent, "training_bps"), _GREY, marked=True)
    note = f"Rule {rule}, {counted(len(agent.curve), 'round')}. Training is what the table itself expects"
    if rule == "program":
        cost = Panel([training], "", "cost to go", share=2.0)
        note += ", by its own reckoning."
    else:
        validation = Line("validation (held-out episodes)", x, _column(agent, "validation_bps"), style, marked=True)
        row = material.rows[material.strategies.index(name)]
        found = row["shortfall_mean_bps"] - moves_of(row)
        cost = Panel([training, validation], "", "cost (bps)", levels=[(found, f"evaluation {found:.3f}")], share=2.0)
        note += (
            "; validation plays the table of each round on episodes of their own; the dotted line is what this study's "
            "episodes cost. All without the price's moves, but for what was expected of them."
        )
    panels, completion = [cost], 100.0 * _column(agent, "completion")
    if np.isfinite(completion).all():
        line = Line("completion by its own decisions", x, completion, style, marked=True)
        panels.append(Panel([line], "", "completion (%)", levels=[(100.0, "")]))
    panels[-1] = replace(panels[-1], x_label="episodes of training")
    table = pa.table({key: _column(agent, key) for key in agent.curve[0]})
    return Chart(f"learning_curve_{number}", title, note, {"": panels}, table, height=480)


def _column(agent: Agent, key: str) -> np.ndarray:
    return np.array([row.get(key, np.nan) for row in agent.curve], np.float64)


def _heat_maps(name: str, agent: Agent, number: int) -> Chart:
    """Mean action and mean cost to go over each pair of features, over the others as often as they were visited."""
    import pyarrow as pa

    axes = ["step", *(cut.name for cut in agent.cuts if cut.bins > 1)]
    action_unit = _ACTION_UNITS[agent.actions.set]
    q_unit = "its own reckoning" if agent.training["train"]["rule"] == "program" else "bps"
    q = np.where(np.isnan(agent.q), np.inf, agent.q)
    action = amounts(agent).reshape(agent.visits.shape)
    value = np.take_along_axis(q, agent.learned.best[..., None].astype(np.int64), axis=2)[..., 0]
    value = np.where(np.isfinite(value), value, q.min(axis=2))
    views, tables = {}, []
    for first, second in combinations(axes, 2):
        place, texts = _cells(agent, first, second)
        visits, mean_action, mean_value = _means(place, agent.visits, (action, value), [len(t) for t in texts])
        seen = visits >= FEWEST_VISITS
        views[f"{_said(second)} and {_said(first)}"] = [
            Panel(
                [Heat(f"trades ({action_unit})", texts[0], texts[1], np.where(seen, mean_action, np.nan), visits, "visits")],
                "", _axis(agent, second),
            ),
            Panel(
                [Heat(f"cost to go ({q_unit})", texts[0], texts[1], np.where(seen, mean_value, np.nan), visits, "visits")],
                "", _axis(agent, second),
            ),
            Panel(
                [Heat("visits (log10)", texts[0], texts[1], np.log10(np.where(visits > 0, visits, np.nan)), visits, "visits")],
                _axis(agent, first), _axis(agent, second),
            ),
        ]  # fmt: skip
        shape = visits.shape
        tables.append(
            pa.table(
                {
                    "x": [first] * visits.size, "x_cell": np.tile(texts[0], shape[0]), "y": [second] * visits.size,
                    "y_cell": np.repeat(texts[1], shape[1]), "mean_action": mean_action.ravel(),
                    "mean_cost_to_go": mean_value.ravel(), "visits": visits.ravel(),
                }
            )
        )  # fmt: skip
    note = (
        f"What its table says, averaged over the other features as often as training visited them; cells with fewer than "
        f"{FEWEST_VISITS} visits are left open. {100 * agent.known:.1f} % of its states were visited that often."
    )
    return Chart(
        f"policy_{number}",
        f"Policy of {name}",
        note,
        views,
        pa.concat_tables(tables),
        view_label="features",
        height=820,
    )


def _said(name: str) -> str:
    return name.replace("_", " ")


def _axis(agent: Agent, name: str) -> str:
    if name == "step":
        return "step"
    return f"{_said(name)} ({declared(name).unit})"


def _cells(agent: Agent, first: str, second: str) -> tuple[np.ndarray, tuple[list[str], list[str]]]:
    """For each step and state the cell of the map (row by row), int64[t, state], and the axes' texts; long ones merged."""
    steps, states = agent.visits.shape
    found, texts = [], []
    for name in (first, second):
        number, labels = _coordinate(agent, name, steps, states)
        merge = -(-len(labels) // _MOST_LABELS)
        found.append(number // merge)
        texts.append(labels[::merge])
    return found[1] * len(texts[0]) + found[0], (texts[0], texts[1])


def _coordinate(agent: Agent, name: str, steps: int, states: int) -> tuple[np.ndarray, list[str]]:
    if name == "step":
        return np.broadcast_to(np.arange(steps)[:, None], (steps, states)), [str(t) for t in range(steps)]
    stride = 1
    for cut in agent.cuts:
        if cut.name == name:
            break
        stride *= cut.bins
    number = np.broadcast_to(np.arange(states) // stride % cut.bins, (steps, states))
    if name == "inventory":
        return number, [f"{declared(name).scale * j / (cut.bins - 1):.3g}" for j in range(cut.bins)]
    scale = declared(name).scale
    edges = [f"{edge * scale:.3g}" for edge in cut.edges.tolist()]
    return number, [f"to {edges[0]}", *(f"to {edge}" for edge in edges[1:]), f"over {edges[-1]}"]


def _means(
    place: np.ndarray, visits: np.ndarray, values: tuple[np.ndarray, ...], shape: list[int]
) -> tuple[np.ndarray, ...]:
    """(visits, mean of each value weighted by them) in each cell, [y, x]."""
    size = shape[0] * shape[1]
    flat, weight = np.ascontiguousarray(place).ravel(), visits.ravel().astype(np.float64)
    total = np.bincount(flat, weight, size)
    found: list[np.ndarray] = [total]
    for value in values:
        counted = np.where(weight > 0.0, value.ravel(), 0.0)  # a cell never tried may be infinite
        with np.errstate(invalid="ignore"):
            found.append(np.bincount(flat, weight * counted, size) / np.where(total > 0.0, total, np.nan))
    return tuple(x.reshape(shape[1], shape[0]) for x in found)
