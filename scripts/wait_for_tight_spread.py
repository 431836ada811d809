#!/usr/bin/env python3
"""When is it worth waiting for a tight spread?

A strategy of our own trades ahead of TWAP while the spread is under a threshold and behind it while it is over: it saves half
spreads and pays for uneven slices. What it comes to depends on how much spreads vary and on how long a wide one lasts.
"""

from pathlib import Path

from setup_environment import enter
from story import draw, options, savings

HALF_LIVES = (1, 2, 4, 8, 16)  # steps in which a deviation of the log spread halves
#: (sd of the log spread, by how much the slices are raised and lowered)
CASES = ((0.3, 0.2), (0.6, 0.2), (0.9, 0.2), (0.9, 0.4))
MEAN = 0.0006


def study_for(half_life, swing, bold, episodes):
    """The same mean spread always; its log has this sd and half-life. The threshold is its median."""
    from math import exp

    from fastexec.studies.study import Study

    own = {"threshold": MEAN * exp(-0.5 * swing * swing), "fast": 1.0 + bold, "slow": 1.0 - bold}
    keep = 0.5 ** (1.0 / half_life)
    keys = {
        "name": "wait_for_tight_spread",
        "seed": 7,
        "episodes": episodes,
        "plugins": ["tight_spread.py"],
        "order": {"shares": 20_000, "steps": 60},
        "market": {
            "price": {"volatility": 0.0005},
            "spread": {"mean": MEAN, "reversion": 1.0 - keep, "volatility": swing * (1.0 - keep * keep) ** 0.5},
            "volume": {"mean": 10_000.0, "volatility": 0.5},
        },
        "costs": {"temporary": {"coefficient": 0.0035, "exponent": 0.6}},
        "strategies": [{"model": "twap"}, {"model": "tight_spread", **own}],
        "output": {"rows": "none"},
    }
    return Study.from_dict(keys, folder=Path(__file__).resolve().parent)


def main(words=None):
    """Run, draw, say."""
    given = options(__doc__, 20_000, words)
    lines = {}
    for swing, bold in CASES:
        lines[f"sd of the log spread {swing:g}, slices {bold:+.0%} and {-bold:.0%}"] = points = []
        for half_life in HALF_LIVES:
            out = given.out / f"wait_{swing:g}_{bold:g}_{half_life}"
            points.append(
                (half_life, savings(study_for(half_life, swing, bold, given.episodes), out, "twap")["tight_spread"])
            )
    path = draw(
        given.out / "wait_for_tight_spread.png", lines, "When is it worth waiting for a tight spread? (mean spread 6 bps)",
        "half-life of the spread (steps)", "saving against TWAP (bps)", logarithmic=True,
    )  # fmt: skip
    gentle, bold = list(lines.values())[-2:]
    worth = sum(saving.low > 0.0 for points in lines.values() for _, saving in points)
    print(
        f"It is worth waiting in {worth} of {len(CASES) * len(HALF_LIVES)} markets: where spreads vary much and wide ones pass "
        f"soon, {gentle[0][1]} (half-life of a step); where they last 16 steps, {gentle[-1][1]} if slices change by a "
        f"fifth, and {bold[-1][1]} if by two fifths."
    )
    print(f"drawn: {path}")


if __name__ == "__main__":
    enter(__file__)
    main()
