#!/usr/bin/env python3
"""Does POV beat VWAP when volume is noisy?

VWAP follows the volume that was expected, POV the one that comes. The noisier the volume, the more there is to follow; but
POV does not know when the order will be done, and what is left at the end is traded at once. So POV runs at the rate that
should finish just in time and at one that leaves room, in markets noisy within the hour alone, and from day to day too.
"""

from setup_environment import enter
from story import draw, options, savings

NOISES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
RATES = {"just in time": 1.0, "half again as fast": 1.5}
KINDS = {"noise within the hour": 0.0, "and between days": 0.5}  # sd between days over that within
SHARE = 0.05  # of the market's expected volume


def study_for(noise, between, episodes):
    """Minutes whose volume has this sd of the log; the impact grows with the rate to the power 0.6."""
    from fastexec.studies.study import Study

    pov = [{"model": "pov", "name": f"pov_{factor:g}", "rate": SHARE * factor} for factor in RATES.values()]
    keys = {
        "name": "pov_or_vwap",
        "seed": 7,
        "episodes": episodes,
        "order": {"shares": 30_000, "steps": 60},
        "market": {
            "price": {"volatility": 0.0005},
            "spread": {"mean": 0.0003},
            "volume": {
                "mean": 10_000.0, "curve": [1.4, 1.0, 0.8, 0.8, 1.0, 1.4],
                "volatility": noise, "persistence": 0.5, "day_volatility": between * noise,
            },
        },
        "costs": {"temporary": {"coefficient": 0.0035, "exponent": 0.6}},
        "strategies": [{"model": "vwap"}, *pov],
        "output": {"rows": "none"},
    }  # fmt: skip
    return Study.from_dict(keys)


def main(words=None):
    """Run, draw, say."""
    given = options(__doc__, 20_000, words)
    lines = {f"POV {rate}, {kind}": [] for kind in KINDS for rate in RATES}
    for kind, between in KINDS.items():
        for noise in NOISES:
            out = given.out / f"pov_or_vwap_{between:g}_{noise:g}"
            row = savings(study_for(noise, between, given.episodes), out, "vwap")
            for rate, factor in RATES.items():
                lines[f"POV {rate}, {kind}"].append((noise, row[f"pov_{factor:g}"]))
    path = draw(
        given.out / "pov_or_vwap.png", lines, "Does POV beat VWAP when volume is noisy?",
        "noise of the volume (sd of the log)", "saving against VWAP (bps)",
    )  # fmt: skip
    within, days = (dict(lines[f"POV half again as fast, {kind}"]) for kind in KINDS)
    print(
        f"POV half again as fast as needed saves {within[0.2]} against VWAP where volume is calm (sd of the log 0.2) and "
        f"{within[1.0]} where it is noisy (1.0); with noise between days too, when it may not finish, {days[1.0]}."
    )
    print(f"drawn: {path}")


if __name__ == "__main__":
    enter(__file__)
    main()
