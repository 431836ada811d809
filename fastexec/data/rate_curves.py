"""What the other days lead to expect of v^-e, v the volume that the rate of a slice is taken against: a temporary cost
(q / v)^e costs q^e E[v^-e] on average, which is more than q^e (E v)^-e.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.data.known_days import KnownDays
from fastexec.exact import power_of


@dataclass(frozen=True, eq=False)
class RateCurves:
    """The volumes of the curve days by time of day, of which each window may know some.

    known: the curve days. volume: float64[d, j], shares. expected: float64[e, t], shares, what the windows' steps are expected
    to have; at: k[e, 1], j[e, t], the replayed day and the time of day of each.
    """

    known: KnownDays
    volume: np.ndarray
    expected: np.ndarray
    at: tuple[np.ndarray, np.ndarray]

    def inverse(self, exponent: float) -> np.ndarray:
        """E[v^-exponent] in each step of the windows, float64[e, t], v in shares: the mean over the bars that a window may know
        at the step's time of day. An empty one counts with what an order would meet in it: the mean of the other days that
        are known or, where they have no volume either, of the window's steps.

        Where no curve day has the time of day, the mean of the window's other steps stands in, else that of all times.
        """
        some = self.volume > 0.0
        powers = np.where(some, power_of(1.0 / np.where(some, self.volume, 1.0), exponent), 0.0)
        known, count = self.known, self.known.count
        met, volume = known.sums(powers), known.sums(self.volume)
        empty = count - known.sums(1.0 * some)
        others = volume / np.maximum(count - 1.0, 1.0)  # an empty bar adds nothing to the sum: only the number is less
        mean = np.add.accumulate(self.expected, axis=1)[:, -1:] / self.expected.shape[1]
        quiet = power_of(1.0 / np.where(volume[self.at] > 0.0, others[self.at], mean), exponent)
        means = (met[self.at] + empty[self.at] * quiet) / np.maximum(count[self.at], 1.0)
        return known.filled(means, self.at, power_of(1.0 / mean, exponent)[:, 0])
