"""The speed that the project promises, as ratios of medians measured in one run, alternating the jobs.

    python bench/ratios.py [--rounds 15]

Each job is warmed up first; compilation is not timed. Noise: half the distance between the quartiles over the median.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent))
from baselines import numpy_mini_project, python_q_learning
from jobs import draws_alone, engine_job, on_threads, training_rounds

EPISODES = 16_384  # what the runner puts into a chunk of eight strategies


def jobs() -> dict[str, tuple[object, int]]:
    """Name -> (function, path-steps)."""
    mini = "mini_project_honest"
    large = engine_job("large_cap", None, EPISODES)
    steps = EPISODES * 50
    return {
        "normals": (lambda: draws_alone(EPISODES, 50), steps),
        "one": (engine_job(mini, ["twap"], EPISODES), steps),
        "eight": (engine_job(mini, ["twap", "pov"] * 4, EPISODES), steps),
        "numpy": (lambda: numpy_mini_project(EPISODES), steps),
        "large_cap": (large, EPISODES * large.steps),
        "training": (training_rounds(1), 65_536 * 50),
        "on two": (training_rounds(2), 65_536 * 50),
        "python": (lambda: python_q_learning(400), 400 * 50),
        "one thread": (on_threads(mini, ["twap"], 16 * EPISODES, 1), 16 * steps),
        "two threads": (on_threads(mini, ["twap"], 16 * EPISODES, 2), 16 * steps),
    }


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Name -> (median nanoseconds a path-step, noise)."""
    work = jobs()
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(rounds + 1):
        for name, (function, _) in work.items():
            started = perf_counter()
            function()
            if round_:  # the first round warms up
                seconds[name].append(perf_counter() - started)
    found = {}
    for name, (_, steps) in work.items():
        low, middle, high = statistics.quantiles(seconds[name], n=4)
        found[name] = (middle / steps * 1e9, (high - low) / 2 / middle)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    ns = measure(parser.parse_args().rounds)
    for name, (median, noise) in ns.items():
        print(f"{name:12s} {median:7.2f} ns a path-step   noise {noise:.1%}")
    one, further = ns["one"][0], (ns["eight"][0] - ns["one"][0]) / 7
    print(f"one strategy / its normals            {one / ns['normals'][0]:6.2f}   (to reach: at most 1.7)")
    print(f"numpy twin / one strategy             {ns['numpy'][0] / one:6.2f}   (at least 3)")
    print(f"a further strategy                    {further:6.2f} ns (at most 2.2)")
    print(f"one thread / two threads              {ns['one thread'][0] / ns['two threads'][0]:6.2f}   (at least 1.9)")
    print(f"large_cap, six strategies             {1e3 / ns['large_cap'][0]:6.1f} M path-steps/s a core (at least 17)")
    rate, draws = 1e3 / ns["training"][0], ns["training"][0] / ns["normals"][0]
    print(
        f"training, batched rule                {rate:6.1f} M transitions/s, {draws:.1f} times its draws (30; at most 5)"
    )
    print(f"plain Python Q-learning / training    {ns['python'][0] / ns['training'][0]:6.1f}")
    print(f"training, one thread / two threads    {ns['training'][0] / ns['on two'][0]:6.2f}   (at least 1.7)")


if __name__ == "__main__":
    main()
