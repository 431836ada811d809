"""Markov chains over a few levels, of spreads and of volumes."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, stage


@stage
def step_chain(chains, chain, levels, places, normals, m):
    """The next level of a Markov chain: as many thresholds of its state's row as its normal lies above.

    A normal instead of a uniform number, so that the study's correlations reach the chains too (a Gaussian copula).
    """
    state, value = places
    for i in range(LANES):
        row = chain + np.int64(m[state + i]) * f.MOST_LEVELS
        z, above = np.float64(normals[i]), np.int64(0)
        for j in range(levels - 1):
            above += np.int64(z > chains[row + j])
        m[state + i] = np.float64(above)
        m[value + i] = chains[chain + f.LEVEL_ROW * f.MOST_LEVELS + above]
