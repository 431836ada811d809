"""Between which steps a schedule that catches up trades, where chance decides whether a step has a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastexec.exact import power_of
from fastexec.models.chains import laws_of
from fastexec.models.declarations import MarkovLaw
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import Expectation

_NEVER = 1e-14  # a gap as improbable is not counted


@dataclass(frozen=True)
class Gaps:
    """By lag, from 1 on, float64[t]. chance: step t has a volume, and the last before it that had one was step t - lag (-1:
    none before); inverses: for each exponent E[v_t^-e] then; stays: likewise, but step t has none. traded: P(v_t > 0).
    end float64[t + 1]: the last step of all that had a volume was step t - 1. typical float64[j, t]: E[v_t^-e | v_t > 0].
    """

    chance: list[np.ndarray]
    inverses: list[list[np.ndarray]]
    stays: list[np.ndarray]
    traded: np.ndarray
    end: np.ndarray
    typical: np.ndarray


def gaps_of(study: StudyModel, market: Expectation) -> Gaps | None:
    """None where each step has a volume for sure, or has none for sure."""
    if not ((market.traded > 0.0) & (market.traded < 1.0)).any():
        return None
    synthetic = study.synthetic
    volume, halts = (None, None) if synthetic is None else (synthetic.volume.law(), synthetic.halts.law())
    if volume is not None:
        law = volume if halts is None else _both(halts, volume)
        open_ = law.levels > 0.0
        powers = [power_of(1.0 / np.where(open_, law.levels, 1.0), e) * open_ for e in market.exponents]
        inverses = [power * of[:, None] for power, of in zip(powers, market.impact, strict=True)]
        return _of_chain(law, 1.0 * open_, inverses, market)
    if halts is not None and synthetic is not None:
        shares = np.zeros((market.traded.size, 2))
        shares[:, 0] = market.traded / synthetic.halts.open_steps(market.traded.size)
        return _of_chain(halts, shares, [inverse[:, None] * shares for inverse in market.inverses], market)
    return _of_independent(market)


def _both(halts: MarkovLaw, volume: MarkovLaw) -> MarkovLaw:
    """A chain of volumes, 0 in halts."""
    levels, first = np.kron(halts.levels, volume.levels), np.kron(halts.first, volume.first)
    return MarkovLaw(levels, np.kron(halts.transition, volume.transition), first)


def _of_independent(market: Expectation) -> Gaps:
    """Steps whose volumes know nothing of each other."""
    p, steps = market.traded, market.traded.size
    before = np.concatenate(([1.0], p[:-1]))
    found = Gaps([], [], [], p, np.zeros(steps + 1), market.inverses)
    for lag in range(1, steps + 1):
        stays = before * (1.0 - p)
        _add(found, lag, before * p, [*market.inverses], stays)
        before = np.concatenate(([0.0], stays[:-1]))
        if not before.max() > _NEVER:
            break
    return found


def _of_chain(law: MarkovLaw, traded: np.ndarray, inverses: list[np.ndarray], market: Expectation) -> Gaps:
    """Steps by the states of a chain: ``traded`` the chance that there is a volume, float64[s] or [t, s]; of each exponent
    ``inverses`` float64[t, s]: E[v^-e] over what has one, 0 in other states.
    """
    steps = market.traded.size
    chances, closed_share = laws_of(law, steps), 1.0 - traded
    left = traded if traded.ndim == 1 else traded[:-1]
    before = np.concatenate((law.first[None], _moved(chances[:-1] * left, law.transition)))
    found = Gaps([], [], [], _sum(chances * traded), np.zeros(steps + 1), market.inverses)
    for lag in range(1, steps + 1):
        chance, closed = _sum(before * traded), before * closed_share
        sure = np.where(chance > 0.0, chance, 1.0)
        _add(found, lag, chance, [_sum(before * inverse) / sure for inverse in inverses], _sum(closed))
        before = np.concatenate((np.zeros((1, law.first.size)), _moved(closed[:-1], law.transition)))
        if not before.max() > _NEVER:
            break
    return found


def _add(found: Gaps, lag: int, chance: np.ndarray, inverses: list[np.ndarray], stays: np.ndarray) -> None:
    found.chance.append(chance)
    found.inverses.append(inverses)
    found.stays.append(stays)
    found.end[chance.size - lag] = stays[-1]


def _sum(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.add.accumulate(x, axis=-1)[..., -1])


def _moved(law: np.ndarray, transition: np.ndarray) -> np.ndarray:
    """Laws one step on, float64[t, level]."""
    found = np.zeros_like(law)
    for i, row in enumerate(transition):
        found = found + law[:, i : i + 1] * row
    return found
