"""The engine: jitted code, arrays in and arrays out.

Letters used throughout: e episode, t step, k strategy, i lane (an episode within a block), g group of schedules.
"""
