"""A strategy of our own: ahead of TWAP while the spread is tight, behind it while it is wide, and in time at the end."""

import fastexec as fx


@fx.strategy("tight_spread", threshold=0.0006, fast=1.5, slow=0.5)
def tight_spread(shares, remaining, mid, spread, last_volume, params, step, steps):
    """``fast`` times the even slice under the threshold (a fraction of the mid), ``slow`` times it above."""
    threshold, fast, slow = params[0], params[1], params[2]
    for i in range(shares.size):
        even = remaining[i] / (steps - step)
        pace = fast if spread[i] <= threshold else slow
        shares[i] = remaining[i] if step == steps - 1 else min(pace * even, remaining[i])
