"""Coverage of the intervals that are printed, against truths that are planted: simulated data, none of the product's engine.

Real days: strategies' costs are clustered by day, and days are few. ``--days`` measures how often the intervals over all pairs
of strategies hold *together*, for 3, 6 and 10 strategies on 5, 10 and 20 days, each of: days alike (equal); days of uneven
length and strategies of uneven variance (uneven); strategies that correlate with .9 (correlated); days whose effects follow
Student's t with 3 degrees of freedom, half of it common to all strategies (heavy). It fails outside 93.5 % to 98.5 %.
"""

import argparse
import sys

import numpy as np

KINDS = ("equal", "uneven", "correlated", "heavy")
STRATEGIES, DAYS = (3, 6, 10), (5, 10, 20)
EPISODES = 40  # of a day, in the mean
LOWEST, HIGHEST = 0.935, 0.985


def day_costs(kind, generator, sets, days, strategies):
    """(numbers of episodes [day], sums of costs [set, day, strategy], true costs [strategy]): costs of a day have an effect in
    common, and within it each episode its own noise.
    """
    counts = np.full(days, EPISODES)
    effects = generator.standard_normal((sets, days, strategies))
    if kind == "uneven":
        counts = np.round(np.linspace(0.25, 1.75, days) * EPISODES).astype(int)
        effects *= np.linspace(1.0, 4.0, strategies)
    elif kind == "correlated":
        effects = np.sqrt(0.1) * effects + np.sqrt(0.9) * generator.standard_normal((sets, days, 1))
    elif kind == "heavy":
        common = generator.standard_t(3, (sets, days, 1)) * np.linspace(0.0, 1.5, strategies)
        effects = generator.standard_t(3, (sets, days, strategies)) + common
    true = np.linspace(5.0, 6.0, strategies)
    noise = generator.standard_normal((sets, days, strategies)) * np.sqrt(counts)[:, None]
    return counts, (true + effects) * counts[:, None] + noise, true


def covers_all(found, names, true):
    """Whether every pair's interval holds what it should."""
    return all(
        found.against(a, b).low <= true[i] - true[j] <= found.against(a, b).high
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i < j
    )


def coverage_of_days(kind, sets, days, strategies, seed):
    """Share of the sets in which all intervals hold together, and their multiplier in the last."""
    from fastexec.analysis.simultaneous import simultaneous
    from fastexec.studies.paired import Paired

    generator = np.random.default_rng([seed, days, strategies, KINDS.index(kind)])
    counts, sums, true = day_costs(kind, generator, sets, days, strategies)
    names, count, none = [f"s{k}" for k in range(strategies)], int(counts.sum()), np.zeros(strategies)
    unknown = np.full((2 * strategies, 2 * strategies), np.nan)
    covered = 0
    for own in sums:
        material = Paired(
            names, count, own.sum(axis=0) / count, none, unknown, np.zeros((strategies, strategies)), none + 1.0,
            [False] * strategies, counts.astype(float), own, False, ["twap"] * strategies,
        )  # fmt: skip
        found = simultaneous(material, draws=10_000)
        covered += covers_all(found, names, true)
    return covered / sets, found.critical


def check_days(sets, seed):
    """A line for each cell; whether all are within their bounds."""
    print(f"simultaneous coverage over all pairs, {sets:,} data sets a cell (multiplier of the errors)")
    sound = True
    for strategies in STRATEGIES:
        for days in DAYS:
            cells = [coverage_of_days(kind, sets, days, strategies, seed) for kind in KINDS]
            told = [f"{kind} {100 * x:5.1f} % ({c:.2f})" for kind, (x, c) in zip(KINDS, cells, strict=True)]
            print(f"{strategies:3d} strategies, {days:2d} days: {'  '.join(told)}", flush=True)
            sound &= all(LOWEST <= x <= HIGHEST for x, _ in cells)
    return sound


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=4_000, help="data sets of each cell (default 4,000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sound = check_days(options.sets, options.seed)
    print("sound" if sound else "NOT SOUND")
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
