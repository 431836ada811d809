"""What a network is, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastexec.learning.network_file import NetworkAgent
from fastexec.models.features import declared
from fastexec.planning.policies import NetworkPolicy, Scaled
from fastexec.wording import counted


def of_network(agent: NetworkAgent) -> list[str]:
    """One line each: what it is, what it sees and by which scales, what it may do, where it comes from."""
    policy = agent.policy
    hidden = " and ".join(map(str, agent.sizes[1:-1]))
    middle = f"hidden layers of {hidden} ({policy.activation})" if hidden else "no hidden layer"
    weights = sum(layer.weights.size + layer.bias.size for layer in policy.layers)
    clock = "orders of any number of steps" if policy.steps is None else f"orders of {counted(policy.steps, 'step')}"
    return [
        f"network {agent.name}: {counted(agent.sizes[0], 'feature')}, {middle}, {counted(agent.sizes[-1], 'output')}; "
        f"{weights:,} weights; for {clock}",
        *(_seen(one) for one in policy.observation),
        _acts(policy, agent.sizes[-1]),
        *_made(agent.origin),
    ]


def _seen(one: Scaled) -> str:
    known = declared(one.name)
    back = f" over {one.steps} steps" if one.steps else ""
    unit = f" {known.unit}" if known.unit else ""
    return f"sees {one.name}{back}: mean {one.mean * known.scale:.6g}, sd {one.sd * known.scale:.6g}{unit}"


def _acts(policy: NetworkPolicy, outputs: int) -> str:
    if policy.actions is None:
        how = "held between 0 and 1" if policy.mode == "clip" else "(1 + tanh of the output) / 2"
        return f"trades a share of what is left, {how}"
    unit = {"fractions": "of the rest", "multiples": "of the TWAP slice", "lots": "lots"}[policy.actions.set]
    how = "the greatest output" if policy.mode == "greedy" else "one drawn by the outputs' exponentials"
    levels = ", ".join(f"{level:g}" for level in policy.actions.levels)
    all_left = " or all that is left" if outputs > len(policy.actions.levels) else ""
    return f"trades {levels} {unit}{all_left}: {how}"


def _made(origin: Mapping[str, Any]) -> list[str]:
    """Of what its maker says."""
    study = origin.get("study")
    named = study.get("name") if isinstance(study, dict) else None
    told = [f"scales of the study {named}"] if isinstance(named, str) else []
    told += [f"seed {origin['seed']}"] if isinstance(origin.get("seed"), int) else []
    told += [origin["note"]] if isinstance(origin.get("note"), str) else []
    trained = origin.get("trained")
    return ([] if not told else ["; ".join(told)]) + (_trained(trained) if isinstance(trained, dict) else [])


def _trained(told: Mapping[str, Any]) -> list[str]:
    """How it was trained, what its seeds saved, and what the best of them saves on paths by which nothing was chosen."""
    rule, seeds, fresh = told["rule"], told["seeds"], told["fresh"]
    saved = sorted(one["validation"]["mean"] for one in seeds)
    lines = [f"trained by rule {rule}: {counted(len(seeds), 'seed')} of {counted(told['episodes'], 'episode')}"]
    if len(seeds) > 1:
        lines.append(
            f"against TWAP its seeds saved {saved[0]:.3f} to {saved[-1]:.3f} bps in validation, without the moves; of as many "
            f"that were all alike the best would seem {told['by_luck_bps']:.3f} bps better by luck"
        )
    lines.append(
        f"seed {told['chosen']} was kept: it saves {fresh['mean']:.3f} bps (standard error {fresh['error']:.3f}) on paths by "
        f"which nothing was chosen, and trades {100 * fresh['completion']:.1f} % by itself"
    )
    return lines
