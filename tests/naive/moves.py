"""Log moves whose volatility changes and that jump, drawn and weighed step by step; nothing of the package."""

from __future__ import annotations

import math

import numpy as np


def drawn(rng, days, steps, volatility, sd=0.0, persistence=0.0, rate=0.0, mean=0.0, jump_sd=0.0):
    """float64[d, t]: volatility exp(x - sd^2) z less half the square, and a Poisson number of log-normal jumps of this mean."""
    found = np.empty((days, steps))
    for d in range(days):
        x = sd * rng.standard_normal()
        for t in range(steps):
            own = volatility * math.exp(x - sd * sd)
            move = -0.5 * own * own + own * rng.standard_normal() - rate * mean
            for _ in range(rng.poisson(rate)):
                move += math.log(1.0 + mean) - 0.5 * jump_sd**2 + jump_sd * rng.standard_normal()
            found[d, t] = move
            x = persistence * x + sd * math.sqrt(1.0 - persistence**2) * rng.standard_normal()
    return found


def log_likelihood(move, volatility, sd=0.0, persistence=0.0, rate=0.0, mean=0.0, jump_sd=0.0, most_jumps=3):
    """Of one day of a few moves: the integral over every path of the log volatility, on a grid for each step."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    innovations = np.meshgrid(*[nodes] * len(move), indexing="ij")
    weight = np.ones_like(innovations[0])
    for axis in range(len(move)):
        shape = [1] * len(move)
        shape[axis] = -1
        weight = weight * weights.reshape(shape)
    x, total = sd * innovations[0], weight
    for t, value in enumerate(move):
        if t:
            x = persistence * x + sd * math.sqrt(1.0 - persistence**2) * innovations[t]
        own = volatility * np.exp(x - sd * sd)
        density = 0.0
        for n in range(most_jumps + 1):
            chance = math.exp(-rate) * rate**n / math.factorial(n)
            middle = n * (math.log(1.0 + mean) - 0.5 * jump_sd**2) - rate * mean - 0.5 * own * own
            variance = own * own + n * jump_sd**2
            density = density + chance * np.exp(-0.5 * (value - middle) ** 2 / variance) / np.sqrt(
                2 * math.pi * variance
            )
        total = total * density
    return math.log(total.sum())
