#!/usr/bin/env python3
"""How wrong may the impact model be?

A schedule is planned under one temporary impact and paid under another. It is the static optimum for cost + risk aversion *
variance: who thinks impact dearer than it is trades too slowly and bears risk, who thinks it cheaper trades too fast. The loss
is counted in that same objective, against the schedule planned with the truth, on the same paths.
"""

import numpy as np
from setup_environment import enter
from story import Saving, draw, options

FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
EXPONENTS = (0.4, 0.6, 0.8, 1.0)
COEFFICIENT, EXPONENT, RATE = 0.0035, 0.6, 0.05  # the truth, and the participation at which the exponents agree
RISK_AVERSION = 2e-5


def keys_for(coefficient, exponent, episodes):
    """The study of a planner who believes in these."""
    return {
        "name": "wrong_impact",
        "seed": 7,
        "episodes": episodes,
        "order": {"shares": 30_000, "steps": 60, "lot": 0},
        "market": {
            "price": {"volatility": 0.0005},
            "spread": {"model": "constant", "initial": 0.0003},
            "volume": {"mean": 10_000.0, "volatility": 0.5},
        },
        "costs": {"temporary": {"coefficient": coefficient, "exponent": exponent}},
        "strategies": [{"model": "static_optimum", "risk_aversion": RISK_AVERSION}],
    }


def planned(factor, exponent):
    """Slices of who takes the impact at the usual rate for ``factor`` times what it is, and the exponent for another."""
    from fastexec.planning.expectation import expect
    from fastexec.planning.schedules import fractions
    from fastexec.studies.study import Study

    study = Study.from_dict(keys_for(factor * COEFFICIENT * RATE ** (EXPONENT - exponent), exponent, 1))
    return np.diff(fractions(study.strategies[0], study, expect(study)[0])).tolist()


def main(words=None):
    """Simulate all plans under the truth at once, draw, say."""
    from fastexec.simulation import simulate
    from fastexec.studies.study import Study

    given = options(__doc__, 100_000, words)
    plans = {(factor, exponent): f"{factor:g}_{exponent:g}" for exponent in EXPONENTS for factor in FACTORS}
    keys = keys_for(COEFFICIENT, EXPONENT, given.episodes)
    keys["strategies"] = [
        {"model": "schedule", "name": name, "weights": planned(*plan)} for plan, name in plans.items()
    ]
    study = Study.from_dict(keys)
    rows = simulate(study).episodes
    shape = (given.episodes, len(plans))
    shortfall, timing = (rows[name].reshape(shape) for name in ("shortfall_bps", "timing_bps"))
    per_bp = 1e-4 * study.order.shares * study.market.initial_price  # currency
    # Timing has mean zero, so it counts by its variance alone: less noise, the same mean.
    truth = list(plans).index((1.0, EXPONENT))
    objective = shortfall - timing + RISK_AVERSION * per_bp * timing**2
    loss = objective - objective[:, [truth]]
    error = 1.96 * loss.std(axis=0, ddof=1) / np.sqrt(given.episodes)
    found = {plan: Saving(m, m - e, m + e) for plan, m, e in zip(plans, loss.mean(axis=0), error, strict=True)}
    lines = {f"exponent taken for {x:g}": [(factor, found[factor, x]) for factor in FACTORS] for x in EXPONENTS}
    path = draw(
        given.out / "wrong_impact.png", lines, "How wrong may the impact model be? (the truth: factor 1, exponent 0.6)",
        "impact believed, times the true one", "loss in cost + risk aversion * variance (bps)", logarithmic=True,
    )  # fmt: skip
    right = [found[factor, EXPONENT] for factor in FACTORS]
    print(
        f"Of {objective[:, truth].mean():.1f} bps of cost and risk, who takes impact for half of what it is loses "
        f"{right[2]}, for twice {right[4]}; for an eighth {right[0]}, for eight times {right[-1]}. Too cheap is the dearer "
        f"error. The exponent 1 in place of 0.6, right at the usual rate, loses {found[1.0, 1.0]}."
    )
    print(f"drawn: {path}")


if __name__ == "__main__":
    enter(__file__)
    main()
