"""A study: an order, a market, costs, strategies, and how many episodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, PrivateAttr, Tag, ValidationError, ValidationInfo, model_validator

from fastexec.errors import InputError
from fastexec.models._base import Model, plain
from fastexec.models.agents import Training
from fastexec.models.changes import with_values
from fastexec.models.costs import ALWAYS, PARTS, SPLIT, Costs
from fastexec.models.declarations import Setting
from fastexec.models.features import FEATURES
from fastexec.models.fit import require_fit
from fastexec.models.follow_signal import FollowSignal
from fastexec.models.market import SyntheticMarket
from fastexec.models.messages import one_line
from fastexec.models.names import Name
from fastexec.models.network import NetworkStrategy
from fastexec.models.order import Order
from fastexec.models.own_code import OwnCode
from fastexec.models.plugin_code import Code
from fastexec.models.plugin_files import fill_in
from fastexec.models.plugin_places import find_beside
from fastexec.models.real_days import BootstrapMarket, RealMarket, ReplayMarket
from fastexec.models.reserved import refuse_reserved
from fastexec.models.scalar import bounds, expected
from fastexec.models.strategies import Optimum, Qtable, Strategy
from fastexec.models.sweep import Sweep
from fastexec.models.tree import sections_of
from fastexec.models.trust import Trust
from fastexec.wording import did_you_mean


class Output(Model):
    """What is written besides summary and comparison."""

    rows: Literal["all", "none"] = Field("all", description="a row for each episode and strategy | summaries only")
    steps: Annotated[int, Field(ge=0)] = Field(0, description="episodes whose every step is written too")


def _market_kind(value: Any) -> str:
    model = value.get("model", "synthetic") if isinstance(value, dict) else getattr(value, "model", None)
    return model if model in ("replay", "bootstrap") else "synthetic"


_Market = Annotated[
    Annotated[SyntheticMarket, Tag("synthetic")]
    | Annotated[ReplayMarket, Tag("replay")]
    | Annotated[BootstrapMarket, Tag("bootstrap")],
    Discriminator(_market_kind),
]


class StudyModel(OwnCode):
    """A whole study; see ``fastexec schema`` for every key."""

    FOLLOWS: ClassVar[Mapping[str, tuple[str, ...]]] = {"market": ("episodes",)}

    name: Name = Field("study", description="name; results go to results/NAME by default")
    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = Field(1, description="root seed, 0 to 2^64 - 1")
    episodes: Annotated[int, Field(ge=1, le=2**52)] | None = Field(
        None, description="number of episodes; 10,000 by default, all windows in a replay"
    )
    plugins: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False)] = Field(
        (), description="own strategies: files (from the study file's folder) or modules that register them"
    )
    order: Order = Field(default_factory=Order)
    market: _Market = Field(default_factory=SyntheticMarket)
    costs: Costs = Field(default_factory=Costs)
    strategies: Annotated[tuple[Strategy, ...], Field(strict=False)] = Field(description="at least one [[strategies]]")
    train: dict[Name, Training] = Field(
        default_factory=dict, description="sections [train.NAME], for qtable strategies"
    )
    output: Output = Field(default_factory=Output)
    sweep: Sweep | None = Field(None, description="section [sweep]: one study becomes many")

    _folder: Path | None = PrivateAttr(None)
    _trust: Trust = PrivateAttr(Trust.OWN)
    _files: dict[str, Path] = PrivateAttr(default_factory=dict)
    _texts: dict[str, Code] = PrivateAttr(default_factory=dict)  # of plugins that lie in no file yet

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The study with some keys replaced, validated anew: ``study.changed({"order.shares": 9000, "seed": 8})``.

        A key is dotted, as in [sweep]; one of a strategy or a training begins with its name (``strategies.pov10.rate``). A
        whole section is replaced by its own key, and a swept key that is set is swept no longer. Raises InputError, one line,
        where a key is unknown or a value does not fit.

        >>> fx.Study.preset("large_cap").changed({"order.shares": 9000, "strategies.pov10.rate": 0.2}).order.shares
        9000.0
        """
        context, data = {"folder": self._folder, "trust": self._trust}, with_values(self, changes)
        try:
            study = type(self).model_validate(data, context=context)
        except ValidationError as error:
            raise InputError(one_line(error, plain(data), type(self))) from None
        return study._placed_as(self)

    def _placed_as(self, other: StudyModel) -> Self:
        """Itself, with the surroundings of another: where it lies, what of its code may run, where its files are, and texts
        that lie in none.
        """
        self._folder, self._trust, self._files, self._texts = other._folder, other._trust, other._files, other._texts
        return self

    @property
    def synthetic(self) -> SyntheticMarket | None:
        """The market if it is made by models; None where it is of real days."""
        return self.market if isinstance(self.market, SyntheticMarket) else None

    @property
    def real_days(self) -> RealMarket | None:
        """The market if it is of real days."""
        return None if isinstance(self.market, SyntheticMarket) else self.market

    @property
    def bootstrap(self) -> BootstrapMarket | None:
        """The market if its episodes are joined from blocks of real days."""
        return self.market if isinstance(self.market, BootstrapMarket) else None

    @property
    def setting(self) -> Setting:
        """What its parts are told of the rest; of real days no price (NaN)."""
        price = float("nan") if self.synthetic is None else self.synthetic.initial_price
        exponent = self.costs.temporary.terms().exponent
        tied = () if self.synthetic is None else self.synthetic.correlation.with_moves()
        return Setting(self.order.steps, expected(price), bounds(price)[0], exponent, *tied)

    def withholds(self, feature: str) -> str | None:
        """Why nobody can see a feature in this market, and what would be right."""
        market = self.synthetic
        if feature not in FEATURES and feature not in self.signals:
            return f"no feature and no signal; {did_you_mean(feature, [*FEATURES, *self.signals])}"
        if feature == "regime" and (market is None or market.regimes is None or not market.regimes.known):
            return "nobody knows one; set market.regimes with known = true"
        if feature == "noise" and (market is None or market.noise.is_off):
            return "the mid is seen as it is; set market.noise.sd"
        return None

    @property
    def cost_parts(self) -> tuple[str, ...]:
        """The parts of its cost, in the order of the sum."""
        asked = {name for _, section in sections_of(self) for name in section.parts()}
        return tuple(name for name in PARTS if name in ALWAYS or name in asked)

    @property
    def signals(self) -> tuple[str, ...]:
        """The names of the market's signals, in their order."""
        return tuple(signal.name for signal in self.market.signals)

    @property
    def splits_timing(self) -> bool:
        """Whether timing is told as what was expected of the price's moves and what was not."""
        market = self.market.declares()
        counts = self.order.at_horizon != "leave" and self.costs.rule == "by_fill"
        return market.foreseen and not market.martingale and counts

    @property
    def cost_columns(self) -> tuple[str, ...]:
        """``cost_parts``, and behind them what timing is split into."""
        return (*self.cost_parts, *(SPLIT if self.splits_timing else ()))

    @property
    def agents(self) -> list[Qtable]:
        """The strategies that play a trained table."""
        return [strategy for strategy in self.strategies if isinstance(strategy, Qtable)]

    @property
    def networks(self) -> list[NetworkStrategy]:
        """The strategies that play a network."""
        return [strategy for strategy in self.strategies if isinstance(strategy, NetworkStrategy)]

    @property
    def optima(self) -> list[Optimum]:
        """The strategies that play the optimum."""
        return [strategy for strategy in self.strategies if isinstance(strategy, Optimum)]

    @property
    def followers(self) -> dict[int, FollowSignal]:
        """The strategies that follow signals, by their places."""
        return {k: strategy for k, strategy in enumerate(self.strategies) if isinstance(strategy, FollowSignal)}

    @property
    def optimum_is_numerical(self) -> bool:
        """Whether the optimum, where one is known, has a grid in place of a signal's values: it is then no exact one."""
        market = self.synthetic
        return market is not None and any(s.levels is None for s in market.telling(self.costs.temporary))

    @property
    def folders(self) -> list[Path]:
        """Where files that the study names are looked for: beside the study file, else from the current folder."""
        return [folder for folder in (self._folder, Path()) if folder is not None]

    def bars_path(self) -> Path:
        """Where the bars of real days are: beside the study file, else from the current folder."""
        assert self.real_days is not None
        return self.file_path(self.real_days.bars)

    def file_path(self, name: str) -> Path:
        """A file that the study names: where it was found, else beside the study file, else from the current folder."""
        return self._files.get(name) or find_beside(name, self._folder)

    def files(self) -> list[str]:
        """The input files that its market and its strategies name, each once."""
        bars = [] if self.real_days is None else [self.real_days.bars]
        agents = [strategy.agent for strategy in self.agents if strategy.agent is not None]
        return list(dict.fromkeys([*bars, *agents, *(network.agent for network in self.networks)]))

    def finding(self, files: Mapping[str, Path]) -> Self:
        """The study whose input files lie where ``files`` says, by the names that it gives them."""
        study = self.model_copy()
        study._files = self._files | {name: path.absolute() for name, path in files.items()}
        return study

    @model_validator(mode="before")
    @classmethod
    def _fill_in_own_strategies(cls, data: Any, info: ValidationInfo) -> Any:
        context = info.context or {}
        folder, trust = context.get("folder"), context.get("trust", Trust.OWN)
        if not isinstance(data, dict):
            return data
        items = data.get("strategies")
        for item in items if isinstance(items, (list, tuple)) else ():
            if isinstance(item, dict):
                refuse_reserved(item)
        return fill_in(data, folder, trust)

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("sweep") == {}:
            data = {**data, "sweep": None}  # every key of it was fixed by --set
        if isinstance(data, dict) and data.get("episodes", 0) is None:
            return {key: value for key, value in data.items() if key != "episodes"}
        return data

    @model_validator(mode="before")  # the last one, which is the first to run
    @classmethod
    def _plain_numbers(cls, data: Any) -> Any:
        return plain(data)

    @model_validator(mode="after")
    def _default_episodes(self) -> StudyModel:
        return self if isinstance(self.market, ReplayMarket) else self.defaulting({"episodes": 10_000})

    @model_validator(mode="after")
    def _parts_fit(self) -> StudyModel:
        require_fit(self)
        return self


def require_study(study: Any) -> None:
    """InputError where it is none."""
    if not isinstance(study, StudyModel):
        raise InputError(f"study: must be a Study, as Study.load(...) gives it, not {type(study).__name__}")
