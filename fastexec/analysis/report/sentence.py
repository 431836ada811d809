"""The answer in words: which strategy was cheapest, how sure that is, what adapting was worth, what the optimum saves."""

from __future__ import annotations

from functools import partial

import numpy as np

from fastexec.analysis.adapting import worth_of_adapting
from fastexec.analysis.report.material import Material
from fastexec.learning.unknown import why_unknown
from fastexec.statistics.verdict import Difference, told_with_interval
from fastexec.wording import these


def bps(value: float, decimals: int = 3) -> str:
    """Basis points, with fewer decimals where they are many."""
    return f"{value:,.{decimals}f}" if abs(value) < 100.0 else f"{value:,.1f}"


def interval(difference: Difference) -> str:
    """``+0.851 bps [+0.845, +0.857]``, of a saving."""
    saving, ends = told_with_interval(difference).split(" ", 1)
    return f"{saving} bps {ends}"


def percent(share: float) -> str:
    """A completion; 100 % only where it is."""
    text = f"{100.0 * share:.1f}"
    return ">99.9 %" if text == "100.0" and share < 1.0 - 1e-9 else f"{text} %"


def answer(material: Material) -> str:
    """The sentence on top."""
    if len(material.strategies) == 1:
        return _alone(material)
    if material.per_step:
        return _program(material)
    if not np.isfinite(material.pairs.critical):
        return _without_interval(material)
    ranked, base = ranking(material), material.baseline
    if not ranked:
        return f"No strategy is called cheapest: {_short(material)}."
    best = ranked[0]
    if best == base:
        of = " of those that finished" if material.judge.short else ""
        text = f"{base}, the baseline, had the lowest cost{of}: {_cost(material, base)} on average."
        return f"{text} {_next(material, ranked)} {_completion(material, best)}"
    saved = material.pairs.against(base, best)
    verdict = material.judge.verdict(saved)
    if not saved.shown:
        text = f"No difference shown: {best} came out lowest ({_cost(material, best)}), but what it saves against {base} is "
        return f"{text}{interval(saved)}. {_completion(material, best)}"
    if saved.saving < 0.0:
        text = f"{best} had the lowest cost of those that finished: {_cost(material, best)} on average."
        return f"{text} {_next(material, ranked)} {_completion(material, best)}"
    text = (
        f"{best} came out cheapest: {_cost(material, best)} on average, and against {base} it saved {interval(saved)}"
        + (
            f", which is negligible (under {material.judge.negligible:g} bps)."
            if verdict.endswith("negligible")
            else "."
        )
    )
    return f"{text} {_next(material, ranked)} {_completion(material, best)}"


def ranking(material: Material) -> list[str]:
    """Strategies, cheapest first, by their printed costs. An optimum is a yardstick, not a candidate, and who left part of the
    order untraded is none either.
    """
    yardsticks = [optimum.name for optimum in material.study.optima]
    costs = dict(zip(material.strategies, material.printed_costs.tolist(), strict=True))
    candidates = [
        name
        for name in material.strategies
        if (name not in yardsticks or name == material.baseline) and name not in material.judge.short
    ]
    return sorted(candidates, key=lambda name: costs[name])


def _short(material: Material) -> str:
    """Who is not called cheapest, whatever it cost, and why."""
    return listed([f"{name} ({_cost(material, name)}) {why}" for name, why in material.judge.short.items()])


def _cost(material: Material, name: str) -> str:
    return f"{material.cost_text(name)} bps"


def _next(material: Material, ranked: list[str]) -> str:
    """Whether anybody else may be as cheap as the first."""
    leads = [material.pairs.against(name, ranked[0]) for name in ranked[1:]]
    level = [lead.base for lead in leads if not lead.shown]
    unfinished = f" Not counted: {_short(material)}." if material.judge.short else ""
    if not leads:
        return unfinished.strip() or "Beside it there is the optimum alone."
    if level:
        return f"Between it and {listed(level)} no difference is shown.{unfinished}"
    whole = len(ranked) == len(material.strategies)
    every = "every other" if whole else "every other that finished" if unfinished else "every other but the optimum"
    return f"It was cheaper than {every}: than {ranked[1]}, the next, by {interval(leads[0])}.{unfinished}"


def _completion(material: Material, best: str) -> str:
    """At what completion, of the best and of the baseline, and what became of the rest."""
    rows = dict(zip(material.strategies, material.rows, strict=True))
    done = rows[best]["completion"]
    if best == material.baseline:
        told = f"Completion {percent(done)}."
    else:
        told = f"Completion {percent(done)} ({material.baseline}: {percent(rows[material.baseline]['completion'])})."
    return told if done >= 1.0 - 1e-9 else f"{told} {_RESTS[material.study.order.rest]}"


_RESTS = {
    "complete": "The rest was completed at the end, and its cost is counted.",
    "trade": "The rest was valued as if it were traded in one step more, and its cost is counted.",
    "quote": "The rest was valued at the last quote, without the cost of its size, which flatters whoever does less.",
    "leave": "What was left untraded costs nothing here, which flatters whoever does less.",
}


def listed(names: list[str]) -> str:
    """``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _alone(material: Material) -> str:
    name, unit = material.strategies[0], material.measure[1]
    return f"{name} cost {material.printed_costs[0]:,.3f} {unit} on average; with one strategy there is nothing to compare."


def _program(material: Material) -> str:
    costs = material.mean_costs()
    best = int(np.argmin(costs))
    return (
        f"No saving is claimed: under the cost rule per_step costs are the mini-project's own reckoning, in currency and not "
        f"paid on shares. By it {material.strategies[best]} comes out lowest with {costs[best]:,.1f}, at a completion of "
        f"{percent(material.rows[best]['completion'])}."
    )


def _without_interval(material: Material) -> str:
    costs = material.printed_costs
    best = int(np.argmin(costs))
    days = material.rows[0]["day_ids"]
    reason = (
        f"{these(len(days), 'day')} {'tells' if len(days) == 1 else 'tell'} no interval"
        if days
        else "one episode tells no interval"
    )
    return (
        f"No saving is claimed: {reason}. On them {material.strategies[best]} came out lowest, {bps(costs[best])} bps on "
        f"average, at a completion of {percent(material.rows[best]['completion'])}."
    )


def adapting(material: Material) -> list[str]:
    """For each agent what it saved over the best static schedule, and over its own mean schedule played blind."""
    if material.per_step:
        return []
    return [
        f"What adapting was worth to {agent.name}: "
        f"{worth_of_adapting(material.study, agent.name, partial(_against, material, agent.name))}."
        for agent in material.study.strategies
        if agent.is_agent
    ]


def _against(material: Material, agent: str, other: str) -> str:
    found = material.pairs.against(other, agent)
    if not found.known:
        return "no interval is known"
    return interval(found) if found.shown else f"{interval(found)} (no difference shown)"


def optimum(material: Material) -> str:
    """What the optimum would have saved, exact or numerical, or why it is not known."""
    if material.per_step:
        return ""
    played = [optimum.name for optimum in material.study.optima]
    if not played:
        reason = why_unknown(material.study)
        if reason:
            return f"The exact optimum is not known here: {reason}."
        known = "A numerical" if material.study.optimum_is_numerical else "The exact"
        return f'{known} optimum is known here; a strategy of model "optimum" would show what it saves.'
    name, base = played[0], material.baseline
    kind = "numerical" if material.study.optimum_is_numerical else "exact"
    if name == base:
        return f"{name}, the {kind} optimum, is the baseline."
    found = material.pairs.against(base, name)
    text = f"The {kind} optimum ({name}) saved {interval(found)} against {base}"
    rows = material.comparison.table.to_pylist()
    agents = [agent.name for agent in material.study.agents]
    told = [
        f"{row['strategy']} captured {100 * row['captured']:.1f} % "
        f"[{100 * row['captured_low']:.1f}, {100 * row['captured_high']:.1f}]"
        for row in rows
        if row["captured"] is not None and row["strategy"] in agents
    ]
    return f"{text}; of that {listed(told)} (each a 95 % interval of its own)." if told else f"{text}."
