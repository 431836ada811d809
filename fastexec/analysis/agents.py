"""What an agent learned, in words and as a table by time and inventory."""

from __future__ import annotations

import numpy as np

from fastexec.learning.agent import FEWEST_VISITS, Agent
from fastexec.models.features import declared
from fastexec.models.order import Order
from fastexec.models.scalar import expected
from fastexec.wording import counted

_ELSEWHERE = (
    "where it was never, it acts as the schedule that it started from",
    "elsewhere it acts without looking at the market",
)
_DIFFERENT = 3.0  # standard errors
_ROWS = (0.0, 0.25, 0.5, 0.75)


def amounts(agent: Agent) -> np.ndarray:
    """What the policy trades in each step and state, in units of the action set's levels, float64[t, i, x]."""
    (steps, states), inventories = agent.visits.shape, agent.cuts[-1].bins
    order = Order.model_validate(agent.training["order"])
    whole = {"fractions": 1.0, "multiples": float(steps), "lots": expected(order.shares) / (order.lot or 1.0)}
    left = np.arange(inventories) / max(inventories - 1, 1)
    left = np.ones(inventories) if agent.actions.set == "fractions" else left
    chosen = np.asarray(agent.levels)[agent.learned.best].reshape(steps, inventories, states // inventories)
    return np.asarray(np.minimum(chosen, whole[agent.actions.set] * left[:, None]))


def in_words(agent: Agent) -> list[str]:
    """One line each: what it is, how it was trained, what it does when a feature is at its ends."""
    training = agent.training["train"]
    unit = {"fractions": "of the rest", "multiples": "of the TWAP slice", "lots": "lots"}[agent.actions.set]
    all_left = "" if len(agent.levels) == len(agent.actions.levels) else " or all that is left"
    episodes = counted(int(agent.curve[-1]["episodes"]), "episode")
    lines = [
        f"agent {agent.training['name']}: rule {training['rule']}, {episodes} of training",
        f"state: step, {', '.join(f'{cut.name} ({cut.bins} bins)' for cut in agent.cuts)}; "
        f"{counted(len(agent.levels), 'action')}, {unit}{all_left}",
        *_judged(agent),
        f"{100 * agent.known:.1f} % of the states were visited at least {FEWEST_VISITS} times; "
        + _ELSEWHERE[training["rule"] == "backward"],
    ]
    lines += [
        f"{counted(count, 'value')} of {name} in the pilot run lay beyond its bins"
        for name, count in agent.outside.items()
    ]
    return [*lines, *(_ends(agent, f) for f in range(len(agent.cuts) - 1))]


def _judged(agent: Agent) -> list[str]:
    """What the table promised, what it cost where it was chosen, and on fresh episodes; and whether these agree."""
    if agent.training["train"]["rule"] == "program":
        promised = agent.curve[-1]["training_bps"]
        return [f"cost by the mini-project's own reckoning: {promised:,.0f} to go from the first step"]
    row, rounds, (cost, error) = agent.curve[agent.kept], len(agent.curve) - 1, agent.fresh
    if row["training_bps"] is None:
        return [
            f"cost without the moves: {row['validation_bps']:.3f} bps in validation, {cost:.3f} on fresh episodes, of the "
            "start (the best static schedule that its actions can play, or the agent that it goes on from): none of its "
            f"{counted(rounds, 'round')} cost less"
        ]
    kept = f"round {agent.kept} of {rounds} is kept, the best in validation"
    lines = [
        f"cost without the moves: {row['training_bps']:.3f} bps in training, {row['validation_bps']:.3f} in validation, "
        f"{cost:.3f} on fresh episodes; {kept}"
    ]
    gap = cost - row["training_bps"]
    if abs(gap) > _DIFFERENT * error:
        less, what = ("more", "too hopeful") if gap > 0.0 else ("less", "too careful")
        lines.append(
            f"training and validation differ: on fresh episodes it costs {abs(gap):.3f} bps {less} than its table promises "
            f"({abs(gap) / max(error, 1e-300):.0f} standard errors), so the table's values are {what}"
        )
    return lines


def _ends(agent: Agent, f: int) -> str:
    """Mean action with a feature in its lowest and its highest bin, weighted by visits, before the last step."""
    cut, shape = agent.cuts[f], (agent.q.shape[0], agent.cuts[-1].bins, -1)
    code = np.arange(int(np.prod([c.bins for c in agent.cuts[:-1]])))
    stride = int(np.prod([c.bins for c in agent.cuts[:f]], dtype=np.int64))
    bin_of = code // stride % cut.bins
    left = slice(1, None) if agent.cuts[-1].bins > 1 else slice(None)  # with nothing left there is nothing to choose
    before = slice(None, -1) if agent.q.shape[0] > 1 else slice(None)  # of a single step there is no other
    trade, weight = amounts(agent)[before, left], agent.visits.reshape(shape)[before, left]
    low, high = (
        np.average(trade[:, :, bin_of == j], weights=weight[:, :, bin_of == j] + 1e-9) for j in (0, cut.bins - 1)
    )
    seen = declared(cut.name)
    verb = (
        "waits"
        if high < 0.5 * low
        else "trades less"
        if high < low
        else "trades more"
        if high > low
        else "trades alike"
    )
    return (
        f"when {cut.name} is {seen.ends[1]} (above {cut.edges[-1] * seen.scale:.4g} {seen.unit}) it {verb}: {high:.3g} "
        f"against {low:.3g} when {seen.ends[0]} (up to {cut.edges[0] * seen.scale:.4g})"
    )


def by_time_and_inventory(agent: Agent) -> list[list[str]]:
    """Mean action, over market states as often as they were visited: a row a time, a column an inventory."""
    steps, inventories = agent.q.shape[0], agent.cuts[-1].bins
    trade, weight = amounts(agent), agent.visits.reshape(steps, inventories, -1) + 1e-9
    mean = (trade * weight).sum(axis=2) / weight.sum(axis=2)
    columns = [round(share * (inventories - 1)) for share in (0.1, 0.25, 0.5, 0.75, 1.0)] if inventories > 1 else [0]
    table = [
        ["step", *(f"{100 * j / max(inventories - 1, 1):.0f} % left" if inventories > 1 else "any" for j in columns)]
    ]
    for share in (*_ROWS, (steps - 2) / steps if steps > 1 else 0.0):
        t = int(share * steps)
        table.append([str(t), *(f"{mean[t, j]:.3g}" for j in columns)])
    return table
