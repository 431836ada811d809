"""Preset `signal` under ten seeds, each with training and evaluation of its own; prints them all and a verdict.

    python scripts/verify_preset_signal.py [--episodes 100000] [--seeds 10]

What the optimum saves of the best static schedule's cost, what share of that the agent that sees the signal captures, what
adapting is worth to its twin that sees neither signal nor price, and to the one that sees momentum alone. No agent that sees
prices only can save more than .172 bps (the optimum for the best forecast from all past moves, by an independent programme).
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import fastexec as fx

MOST_BY_PRICES = 0.172


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args(words)
    print(f"{'seed':>4}{'worth bps':>11}{'of cost':>9}{'captured':>10}{'blind bps':>18}{'momentum bps':>18}")
    sound = True
    for seed in range(1, asked.seeds + 1):
        rows, worth, share = savings(seed, asked.episodes)
        learned, blind, momentum = (rows[name] for name in ("learned", "blind", "momentum"))
        sound &= worth >= 1.0 and 0.1 <= share <= 0.3 and learned["captured"] >= 0.97
        sound &= abs(blind["saving_cv_bps"]) <= 3.0 * blind["standard_error_cv_bps"]
        found, error = momentum["saving_cv_bps"], momentum["standard_error_cv_bps"]
        sound &= 3.0 * error < found < MOST_BY_PRICES + 3.0 * error and found < worth
        print(
            f"{seed:>4}{worth:>11.3f}{share:>9.1%}{learned['captured']:>10.2%}{told(blind):>18}{told(momentum):>18}",
            flush=True,
        )
    print("all as they should be" if sound else "NOT all as they should be")
    return 0 if sound else 1


def savings(seed: int, episodes: int) -> tuple[dict[str, dict[str, Any]], float, float]:
    """Rows of the comparison with the best static schedule, what the optimum saves, and what share of its cost that is."""
    study = fx.Study.preset("signal").changed({"seed": seed, "episodes": episodes})
    found = fx.compare(fx.simulate(study), baseline="static_optimum")
    rows = {row["strategy"]: row for row in found.table.to_pylist()}
    worth = rows["optimum"]["saving_cv_bps"]
    return rows, worth, worth / (rows["optimum"]["optimum_bps"] + worth)


def told(row: dict[str, Any]) -> str:
    """A saving with its standard error."""
    return f"{row['saving_cv_bps']:+.3f} +- {row['standard_error_cv_bps']:.3f}"


if __name__ == "__main__":
    sys.exit(main())
