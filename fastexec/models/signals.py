"""Signals: what is known when a step begins and predicts something of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Discriminator, Field, PrivateAttr, Tag, model_validator
from pydantic_core import PydanticCustomError

from fastexec.exact import exp_of, plain_sum
from fastexec.kernels.normal import MEAN_ABSOLUTE, MOST_OF_SIZE, STRONGEST
from fastexec.models._base import Model
from fastexec.models.chains import MOST_LEVELS, Row, closed_classes, require_sum, stationary_law
from fastexec.models.declarations import MarkovLaw, OfMarket, Slot
from fastexec.models.names import Name, owner
from fastexec.models.scalar import Range, Scalar, bounds, is_zero, limited, mean_of
from fastexec.models.signal_names import require_free, signal_error as _error

_HAIR = 1e-9


def _kind(value: object) -> str:
    return "list" if isinstance(value, list | tuple) else "number"


_Levels = Annotated[
    Annotated[int, Field(ge=2, le=MOST_LEVELS), Tag("number")]
    | Annotated[tuple[float, ...], Field(strict=False, min_length=2), Tag("list")],
    Discriminator(_kind),
]


class Signal(Model):
    """A value of mean 0 and variance 1 in each step, known when it begins."""

    LISTED: ClassVar[bool] = True

    name: Name = Field(description="its name: a feature of agents, and signal_NAME of the steps")
    predicts: Literal["move", "volatility", "volume", "spread"] = Field(
        description="what it correlates with: the step's move | its size | its volume (model lognormal or cosine) | the spread "
        "quoted at its end (model mean_reverting)"
    )
    persistence: Annotated[Scalar, limited(least=0.0, most=0.999), Slot("signal_persistence_{number}", of="memory")] = (
        Field(0.9, description="lag-1 autocorrelation; a matrix has its own")
    )
    correlation: Annotated[Scalar, limited(least=-1.0, most=1.0), Slot("signal_correlation_{number}")] = Field(
        description="with the standard normal of what it predicts; with the size of a move at most .569"
    )
    levels: _Levels | None = Field(
        None,
        description="a chain in place of an AR(1): how many levels (Rouwenhorst 1995), or the levels themselves, scaled to "
        "mean 0 and variance 1",
    )
    transition: Annotated[tuple[Row, ...], Field(strict=False)] = Field(
        (), description="of levels that are listed: row i is the law of the next level after level i"
    )

    _number: int = PrivateAttr(0)  # its place in the market

    @model_validator(mode="before")
    @classmethod
    def _is_no_column(cls, data: Any) -> Any:
        if isinstance(data, dict) and "column" in data:
            hint = "only bars of real days have columns; say what the signal predicts, or use model replay or bootstrap"
            raise PydanticCustomError("unknown_key", "{hint}", {"key": "column", "hint": hint})
        return data

    @model_validator(mode="after")
    def _has_a_name_of_its_own(self) -> Signal:
        require_free(self.name)
        return self

    @model_validator(mode="after")
    def _is_a_chain_if_any(self) -> Signal:
        if isinstance(self.levels, tuple):
            _check_matrix(self.levels, self.transition)
        elif self.transition:
            raise _error("transition", "it needs levels, a list of as many numbers")
        if self.levels is not None:
            if isinstance(self.persistence, Range):
                raise _error("persistence", "that of a chain is one number, not a range")
            if self.predicts in ("volume", "spread"):
                raise _error(
                    "levels",
                    f"a chain predicts a move or its size: it would bend the law of the {self.predicts}; leave it out",
                )
        return self

    @model_validator(mode="after")
    def _is_attainable(self) -> Signal:
        most = max(map(abs, bounds(self.correlation)))
        if self.predicts != "volatility":
            return self
        if (law := self.law) is not None and isinstance(self.correlation, Range):
            raise _error("correlation", "that of a chain with the size of a move is one number, not a range")
        best = MOST_OF_SIZE if law is None else max(_of_size(law, k)[0] for k in np.linspace(0.0, 2.0, 201).tolist())
        if most > best:
            raise _error("correlation", f"with the size of a move at most {best:.3g} is attainable, not {most:g}")
        return self

    @property
    def number(self) -> int:
        """Its place in the market, from 0."""
        return self._number

    @property
    def law(self) -> MarkovLaw | None:
        """Of a chain: levels of mean 0 and variance 1, transition, stationary law."""
        if self.levels is None:
            return None
        if isinstance(self.levels, int):
            return rouwenhorst(self.levels, bounds(self.persistence)[0])
        return _standard(self.levels, self.transition)

    @property
    def memory(self) -> Scalar:
        """Its lag-1 autocorrelation."""
        if not isinstance(self.levels, tuple):
            return self.persistence
        law = _standard(self.levels, self.transition)
        ahead = np.add.accumulate(law.transition * law.levels, axis=1)[:, -1]
        return plain_sum(law.first * law.levels * ahead)

    def chain(self) -> tuple[str, MarkovLaw] | None:
        law = self.law
        return None if law is None else (f"SIGNAL_CHAIN_{self.number}", law)

    def switches(self) -> Mapping[str, int | str]:
        law, n = self.law, self.number
        return {
            "SIGNALS": n + 1,
            "SIGNALS_VARY": self.varies,
            "CORRELATED": self.predicts != "volatility",
            f"SIGNAL_LEVELS_{n}": 0 if law is None else law.levels.size,
            f"SIGNAL_PREDICTS_{n}": f"PREDICTS_{self.predicts.upper()}",
            f"SIGNAL_OWNER_{n}": owner(self.name),
        }

    def tables(self) -> Mapping[str, Sequence[float]]:
        if self.law is None or self.predicts != "volatility":
            return {}
        return {f"SIGNAL_EFFECT_{self.number}": _effects(self.law, bounds(self.correlation)[0]).tolist()}

    def declares(self) -> OfMarket:
        """What predicts the move makes it foreseeable; the rest of the move has mean zero."""
        return OfMarket(martingale=not self.foretells, follows_move=False, idle=False)

    @property
    def varies(self) -> bool:
        """Whether it changes the volatility."""
        return self.predicts == "volatility" and not is_zero(self.correlation)

    @property
    def foretells(self) -> bool:
        """Whether it tells of moves to come."""
        return self.predicts == "move" and not is_zero(self.correlation)

    def volatility_at(self, levels: np.ndarray) -> np.ndarray:
        """What makes of the volatility each of its levels, or, of an AR(1), each of these values."""
        if not self.varies:
            return np.ones(levels.size)
        if (law := self.law) is not None:
            return _effects(law, bounds(self.correlation)[0])
        k = strength_of(bounds(self.correlation)[0])
        return exp_of(k * levels - k * k)

    def mean(self, power: float) -> float:
        """E[(volatility of a step / that of the price)^power] for its sake."""
        if not self.varies or power == 0.0:
            return 1.0
        if (law := self.law) is not None:
            scaled = exp_of(power * _logs(_effects(law, bounds(self.correlation)[0])))
            return plain_sum(law.first * scaled)
        half = 0.5 * power * power - power

        def given(correlation: float) -> float:
            k = strength_of(correlation)
            return float(exp_of(np.array([half * k * k]))[0])

        return float(mean_of(given, self.correlation))


def rouwenhorst(levels: int, persistence: float) -> MarkovLaw:
    """A chain with the mean, variance and autocorrelation of an AR(1), and its linear conditional mean (Rouwenhorst 1995)."""
    stay, matrix = 0.5 * (1.0 + persistence), np.array([[1.0]])
    for n in range(2, levels + 1):
        grown = np.zeros((n, n))
        grown[:-1, :-1] += stay * matrix
        grown[:-1, 1:] += (1.0 - stay) * matrix
        grown[1:, :-1] += (1.0 - stay) * matrix
        grown[1:, 1:] += stay * matrix
        grown[1:-1] *= 0.5
        matrix = grown
    law = [1.0]
    for n in range(1, levels):
        law.append(law[-1] * (levels - n) / n)
    weights = np.array(law) / plain_sum(np.array(law))
    places = (2.0 * np.arange(levels) / (levels - 1.0) - 1.0) * np.sqrt(levels - 1.0)
    return MarkovLaw(places, matrix, weights)


def strength_of(correlation: float) -> float:
    """The k by which sigma exp(k x - k^2), x a standard normal, makes |move| correlate so with x."""
    return _halved(lambda k: MEAN_ABSOLUTE * k * _exp(-0.5 * k * k) / np.sqrt(1.0 - _squared(k)), correlation)


def _squared(k: float) -> float:
    return MEAN_ABSOLUTE * MEAN_ABSOLUTE * _exp(-k * k)


def _exp(x: float) -> float:
    return float(exp_of(np.array([x]))[0])


def _logs(x: np.ndarray) -> np.ndarray:
    from fastexec.exact import log_of

    return log_of(x)


def _halved(correlation_of: object, wanted: float, most: float = STRONGEST) -> float:
    """The k at which a rising function has a value, by bisection, with the sign of ``wanted``."""
    assert callable(correlation_of)
    low, high = 0.0, most
    for _ in range(60):
        k = 0.5 * (low + high)
        low, high = (k, high) if correlation_of(k) < abs(wanted) else (low, k)
    k = 0.5 * (low + high)
    return 0.0 if wanted == 0.0 else k if wanted > 0.0 else -k


def _of_size(law: MarkovLaw, k: float) -> tuple[float, np.ndarray]:
    """Of a chain: the correlation of its level with |move|, and what each makes of the volatility."""
    effects = exp_of(k * law.levels)
    effects = effects / np.sqrt(plain_sum(law.first * effects * effects))
    mean = MEAN_ABSOLUTE * plain_sum(law.first * effects)
    return MEAN_ABSOLUTE * plain_sum(law.first * law.levels * effects) / float(np.sqrt(1.0 - mean * mean)), effects


def _effects(law: MarkovLaw, correlation: float) -> np.ndarray:
    """What each level makes of the volatility, of mean square 1."""
    grid = np.linspace(0.0, 2.0, 201).tolist()
    best = max(grid, key=lambda k: _of_size(law, k)[0])
    return _of_size(law, _halved(lambda k: _of_size(law, k)[0], correlation, best))[1]


def _standard(levels: tuple[float, ...], transition: tuple[tuple[float, ...], ...]) -> MarkovLaw:
    """Listed levels, of mean 0 and variance 1."""
    places, law = np.array(levels), stationary_law(transition)
    places = places - plain_sum(law * places)
    return MarkovLaw(places / np.sqrt(plain_sum(law * places * places)), np.array(transition), law)


def _check_matrix(levels: tuple[float, ...], transition: tuple[tuple[float, ...], ...]) -> None:
    n = len(levels)
    if n > MOST_LEVELS:
        raise _error("levels", f"{n} of them; at most {MOST_LEVELS}")
    if any(low >= high for low, high in zip(levels, levels[1:], strict=False)):
        raise _error("levels", "they must rise from one to the next")
    if len(transition) != n or any(len(row) != n for row in transition):
        raise _error("transition", f"must be a matrix of {n} rows and {n} columns, one of each a level")
    for i, row in enumerate(transition):
        require_sum(f"transition, row {i + 1}", row)
    if len(closed := closed_classes(transition)) > 1 or len(closed[0]) < 2:
        raise _error(
            "transition", "the chain must come from each of its levels to each that it stays among, of two at least"
        )
    law = _standard(levels, transition)
    ahead = np.add.accumulate(law.transition * law.levels, axis=1)[:, -1]
    memory = plain_sum(law.first * law.levels * ahead)
    if not 0.0 <= memory <= 0.999 or float(np.abs(ahead - memory * law.levels).max()) > _HAIR * n:
        raise _error(
            "transition",
            "the mean of the next level must be a share, at least 0, of the level: give levels = a number for such a chain",
        )
