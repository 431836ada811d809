"""The tables that a walk is given and the rows that it fills: a study, its strategies and given paths as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Of a network: features, layers (three hidden ones and the last), units of a layer; see ``network`` for its fields.
MOST_OBSERVED, MOST_LAYERS, MOST_UNITS, NETWORK_FIELDS = 64, 4, 128, 5


class Plan(NamedTuple):
    """A study as numbers: ``switches`` int64, ``numbers`` float64, ``ranges`` [parameter, (low, high, log)], ``drawn`` int64[d,
    DRAWN_FIELDS]: the parameters with a range, ``curves`` [4, t], ``chains`` float64[CHAINS_SIZE].
    """

    switches: np.ndarray
    numbers: np.ndarray
    ranges: np.ndarray
    drawn: np.ndarray
    curves: np.ndarray
    chains: np.ndarray


class Strategies(NamedTuple):
    """``kinds`` int64[k, KIND_FIELDS]; ``levels`` float64[k, 32]: a POV's rate, a random's actions, a plugin's parameters;
    ``fractions`` float64[k, g, t + 1]: done by the start of step t; ``groups`` int64[e]: g of a row of the given paths;
    of agents: ``features`` int64[k, f, 4], ``edges`` float64[k, f, EDGES], ``policy`` uint16: each step's and state's action.
    ``last_volume`` float64[g]: of the last step as it is expected, for what is valued at the end. ``rules`` float64[slot, t,
    RULE_FIELDS]: of those that follow signals. Of networks: ``networks`` int64[slot, NETWORK_FIELDS], ``layers`` int64[slot, l,
    (inputs, outputs)], ``observed`` int64[slot, f, 4]: features, ``scales`` float64[slot, f, (mean, sd)], ``weights`` float32:
    of all of them, one behind the other.
    """

    kinds: np.ndarray
    levels: np.ndarray
    fractions: np.ndarray
    groups: np.ndarray
    features: np.ndarray
    edges: np.ndarray
    policy: np.ndarray
    last_volume: np.ndarray
    rules: np.ndarray
    networks: np.ndarray = np.zeros((0, NETWORK_FIELDS), np.int64)
    layers: np.ndarray = np.zeros((0, MOST_LAYERS, 2), np.int64)
    observed: np.ndarray = np.zeros((0, MOST_OBSERVED, 4), np.int64)
    scales: np.ndarray = np.zeros((0, MOST_OBSERVED, 2))
    weights: np.ndarray = np.zeros(0, np.float32)


class Paths(NamedTuple):
    """Given markets: ``mid`` and ``spread`` float64[e, t + 1], ``volume`` float64[e, t], ``arrival`` float64[e]. To be
    joined from blocks: ``block_first`` and ``block_count`` int64[e], the rows of the same time of day. ``rate_volume``
    float64[e, t]: what the rates of slices are taken against, ``volume`` where there is one; 0: nobody trades. ``signals``
    float64[j, e, t]: each signal when step t begins.
    """

    mid: np.ndarray
    spread: np.ndarray
    volume: np.ndarray
    arrival: np.ndarray
    block_first: np.ndarray
    block_count: np.ndarray
    rate_volume: np.ndarray
    signals: np.ndarray


def no_paths() -> Paths:
    """Paths for a market that needs none."""
    one = np.zeros(1, np.int64)
    return Paths(
        np.ones((1, 2)), np.zeros((1, 2)), np.zeros((1, 1)), np.ones(1), one, one, np.zeros((1, 1)), np.zeros((0, 1, 1))
    )


class Output(NamedTuple):
    """Rows to fill: ``markets`` [column, e], ``parameters`` [drawn parameter, e], ``episodes`` and ``counts``
    [column, e * K + k], ``steps`` [column, (e * K + k) * N + t] (none: not wanted), ``fault`` int64[5]: episode, strategy,
    step of a bad slice; no number (0), negative (1), more than remains (2), of a level (3) or venue (4); bits of the value.
    """

    markets: np.ndarray
    parameters: np.ndarray
    episodes: np.ndarray
    counts: np.ndarray
    steps: np.ndarray
    fault: np.ndarray


class DecidedOutput(NamedTuple):
    """``Output``, and behind it ``slices`` float64[slot, e, t]: decisions made elsewhere, shares, of all episodes from 0 on."""

    markets: np.ndarray
    parameters: np.ndarray
    episodes: np.ndarray
    counts: np.ndarray
    steps: np.ndarray
    fault: np.ndarray
    slices: np.ndarray
