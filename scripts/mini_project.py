#!/usr/bin/env python3
"""The mini-project as it was: trains its agent, prints both tables, draws its six panels as adaptive_execution_rl.png.

python3 scripts/mini_project.py [--episodes N] [--out FOLDER]
"""

import argparse
from pathlib import Path

from setup_environment import enter
from story import count


def main(words=None):
    """Train, evaluate, print, draw."""
    import numpy as np

    from fastexec.analysis.program_panels import draw_program_panels, program_results
    from fastexec.studies.study import Study

    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--episodes", type=count, default=2_000, help="episodes of the evaluation (2,000)")
    options.add_argument("--out", type=Path, default=Path("."), help="folder of the picture (the current one)")
    given = options.parse_args(words)
    found = program_results(Study.preset("mini_project", [f"episodes={given.episodes}"]))

    print(f"{'training episodes':>18} {'mean reward':>12} {'completion %':>13}")
    blocks = np.array_split(np.arange(len(found.history)), 10)
    for block in blocks:
        reward, completion = found.history[block].mean(axis=0)
        print(f"{block[0] + 1:>9,} to {block[-1] + 1:>5,} {reward:>12,.0f} {100 * completion:>13.2f}")

    print(f"\n{'strategy':>18} {'mean cost':>12} {'sd':>9} {'completion %':>13}   ({given.episodes:,} other episodes)")
    for k, name in enumerate(found.strategies):
        cost, completion = found.cost[:, k], found.completion[:, k].mean()
        print(f"{name:>18} {cost.mean():>12,.0f} {cost.std(ddof=1):>9,.0f} {100 * completion:>13.2f}")
    print(
        "\nThe cost is the program's own: not multiplied by the shares, and charged until nothing is left. POV looks cheapest "
        "because it stops at half of the order; the preset mini_project_honest charges what is paid."
    )
    print(f"drawn: {draw_program_panels(found, given.out / 'adaptive_execution_rl.png')}")


if __name__ == "__main__":
    enter(__file__)
    main()
