"""From real bars to a market section: what the data say, what the model makes of it, where it does not fit."""
