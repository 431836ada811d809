"""Normals on 10^8 draws: moments, tails, Kolmogorov-Smirnov, correlation of the four; prints a table and a verdict.

    python scripts/verify_normals.py [--draws 100000000] [--seed 1]

The KS statistic is taken on a fine grid of counts (2^16 cells), so 10^8 draws need no sorting and no memory.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from scipy import stats

from fastexec.kernels import philox
from fastexec.kernels._jit import LANES, entry
from fastexec.kernels.door import F8, I8, held

CELLS = 1 << 16


def door(seed: np.uint64, first_block: int, blocks: int, powers: np.ndarray, cells: np.ndarray) -> None:
    held("powers", powers, F8, 4, 8)
    held("cells", cells, I8, 4, CELLS)


@entry("void(uint64, int64, int64, float64[:, ::1], int64[:, ::1])", door)
def collect(seed, first_block, blocks, powers, cells):
    """Sums of the first eight powers of each of the four normals, and counts of the cells of width 16 / 2^16."""
    words, normals = np.empty(4 * LANES, np.uint32), np.empty(4 * LANES, np.float32)
    for block in range(first_block, first_block + blocks):
        philox.draw_words(seed, block, 0, np.uint32(0), words)
        philox.gaussians(words, normals)
        for j in range(4):
            for i in range(LANES):
                z = np.float64(normals[j * LANES + i])
                power = 1.0
                for m in range(8):
                    power *= z
                    powers[j, m] += power
                cells[j, np.int64((z + 8.0) * 4096.0)] += 1


def report(powers: np.ndarray, cells: np.ndarray, draws: int) -> bool:
    """Print each statistic in standard errors of its expectation; True where all lie within 4."""
    n, sound = draws * 4, True
    means = powers.sum(axis=0) / n
    expected = [0, 1, 0, 3, 0, 15, 0, 105]
    second = [1, 3, 15, 105, 945, 10395, 135135, 2027025]
    for m in range(8):
        error = np.sqrt((second[m] - expected[m] ** 2) / n)
        score = (means[m] - expected[m]) / error
        sound &= abs(score) < 4
        print(f"moment {m + 1}: {means[m]:+.6f}, expected {expected[m]:4d}, {score:+.2f} standard errors")
    counts = cells.sum(axis=0)
    edges = np.arange(CELLS + 1) / 4096.0 - 8.0
    for bound in (3, 4, 5, 6):
        beyond = counts[: int((8 - bound) * 4096)].sum() + counts[int((8 + bound) * 4096) :].sum()
        p = 2 * stats.norm.sf(bound)
        score = (beyond - n * p) / np.sqrt(n * p)
        sound &= abs(score) < 4.5
        print(f"|z| > {bound}: {beyond} draws, expected {n * p:.1f}, {score:+.2f} standard errors")
    distance = np.max(np.abs(np.concatenate(([0], np.cumsum(counts))) / n - stats.norm.cdf(edges)))
    p = stats.kstwobign.sf(distance * np.sqrt(n))
    sound &= p > 1e-4
    print(f"Kolmogorov-Smirnov on {CELLS} cells: distance {distance:.2e}, p = {p:.3f}")
    return bool(sound)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10**8, help="normals of each kind (default 10^8 in all four)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    blocks = max(options.draws // (4 * LANES), 1)
    powers, cells = np.zeros((4, 8)), np.zeros((4, CELLS), np.int64)
    collect(np.uint64(options.seed), 0, blocks, powers, cells)
    sound = report(powers, cells, blocks * LANES)
    print("sound" if sound else "NOT SOUND")
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
