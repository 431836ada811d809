"""Rows of the arrays of own strategies of the second form: of ``orders``, which they write, of ``see``, what they know."""

#: Of ``orders``: shares, ticks behind one's own touch (0 joins, negative improves, CROSS crosses), number of the venue.
(SHARES, LEVEL, VENUE) = range(3)
CROSS = float("-inf")
ORDER_ROWS = VENUE + 1

#: Of ``see``; ``models.see`` says what each is. Of signals and forecasts there are four each.
(REMAINING, MID, SPREAD, LAST_VOLUME, IMBALANCE, DEPTH_OWN, DEPTH_OTHER, QUEUE) = range(8)
MOST_SIGNALS = 4  # of a market, for all kernels
SIGNAL, FORECAST = 8, 8 + MOST_SIGNALS
(ELAPSED, RETURN, INVENTORY, VOLATILITY, RELATIVE_SPREAD, RELATIVE_VOLUME, SHORTFALL, IMPACT, REGIME, NOISE) = range(
    FORECAST + 4, FORECAST + 14
)
SEE_ROWS = NOISE + 1
