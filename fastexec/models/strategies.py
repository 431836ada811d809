"""The strategies of a study; what each declares is explained in ``strategy``."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from fastexec.errors import in_study
from fastexec.models.actions import Actions
from fastexec.models.declarations import OfStrategy
from fastexec.models.follow_signal import FollowSignal
from fastexec.models.names import Name
from fastexec.models.network import NetworkStrategy
from fastexec.models.strategy import Named, RiskAversion

_BLIND = OfStrategy(sees_volume=False, fills_at_next=False)


class Immediate(Named):
    """Everything in step 0."""

    SCHEDULE = "at_once"
    DECLARES = _BLIND

    model: Literal["immediate"]


class Twap(Named):
    """Equal slices."""

    is_baseline = True
    DECLARES = _BLIND

    model: Literal["twap"]


class Vwap(Named):
    """Slices along the expected volume curve."""

    SCHEDULE = "along_volume"
    DECLARES = _BLIND

    model: Literal["vwap"]


class Pov(Named):
    """A share of the market's volume; a step's slice fills at the step's end, at the quote there."""

    KIND = "POV"
    DECLARES = OfStrategy(sees_volume=True, fills_at_next=True)

    model: Literal["pov"]
    rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="shares over market volume, in (0, 1]")

    def numbers(self) -> tuple[float, ...]:
        return (self.rate,)


class AlmgrenChriss(Named):
    """Almgren and Chriss (2000), closed form with the price's drift (eq. 26), never against the order's side; for a power cost
    the linear one that equals it at the TWAP rate.
    """

    SCHEDULE = "almgren_chriss"
    linearises = True
    DECLARES = _BLIND

    model: Literal["almgren_chriss"]
    risk_aversion: RiskAversion = Field(1e-6, description="1/currency")


class StaticOptimum(Named):
    """The schedule of least expected cost + risk_aversion * variance for the study's own costs; the best one found where costs
    are not convex in the slices, or chance decides which steps have a volume.
    """

    SCHEDULE = "static_optimum"
    is_control = True
    DECLARES = _BLIND

    model: Literal["static_optimum"]
    risk_aversion: RiskAversion = Field(0.0, description="1/currency")

    def minimises_with(self) -> float | None:
        return self.risk_aversion


class ObizhaevaWang(Named):
    """Obizhaeva and Wang (2013): the optimum under linear transient impact."""

    SCHEDULE = "obizhaeva_wang"
    DECLARES = _BLIND

    model: Literal["obizhaeva_wang"]


class Schedule(Named):
    """Slices in proportion to given weights."""

    SCHEDULE = "along_weights"
    DECLARES = _BLIND

    model: Literal["schedule"]
    weights: Annotated[tuple[Annotated[float, Field(ge=0, le=1e12)], ...], Field(strict=False)] = Field(
        description="one weight a step, not all 0"
    )

    @model_validator(mode="after")
    def _some_weight(self) -> Schedule:
        if not any(self.weights):
            raise PydanticCustomError("weights", "weights are all 0; give at least one above 0")
        return self


class Random(Named):
    """An action drawn uniformly in each step."""

    KIND = "RANDOM"
    is_control = True
    DECLARES = _BLIND

    model: Literal["random"]
    actions: Actions = Field(default_factory=Actions)

    def numbers(self) -> tuple[float, ...]:
        return self.actions.levels

    def chance(self) -> Actions | None:
        return self.actions


class Qtable(Named):
    """A trained agent: from a file, or trained by the study's own section [train.NAME]."""

    KIND = "TABLE"
    is_agent = True
    DECLARES = OfStrategy(sees_volume=True, fills_at_next=False)

    model: Literal["qtable"]
    agent: str | None = Field(None, description="file of an agent (path, from the study file's folder)")
    train: Name | None = Field(None, description="or the NAME of a section [train.NAME]")

    @model_validator(mode="after")
    def _one_source(self) -> Qtable:
        if (self.agent is None) == (self.train is None):
            of = in_study("a [train.NAME] section", "a key of train")
            raise PydanticCustomError(
                "agent", "{text}", {"text": f"give either agent (a file) or train (the name of {of})"}
            )
        return self

    def policy(self) -> str | None:
        return self.name


class BlindTwin(Named):
    """A control: the mean schedule of an agent of the study, played without looking."""

    is_control = True
    DECLARES = _BLIND

    model: Literal["blind_twin"]
    of: Name = Field(description="name of the qtable strategy")

    def policy(self) -> str | None:
        return self.of

    def plays_mean_of(self) -> str | None:
        return self.of


class Optimum(Named):
    """The optimum of a Markov market, by dynamic programming over whole lots: exact, but numerical under an AR(1) signal."""

    KIND = "TABLE"
    is_exact_optimum = True
    DECLARES = OfStrategy(sees_volume=True, fills_at_next=False)

    model: Literal["optimum"]
    actions: Actions | None = Field(None, description="its action set; any number of lots if left out")

    def policy(self) -> str | None:
        return self.name


class Own(Named):
    """A strategy of your own: ``model`` is the name it was registered by, further keys are its parameters."""

    KIND = "PLUGIN"
    DECLARES = _BLIND

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]

    model: Name
    source: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the file that registers it; filled in"
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        return data  # the keys are its parameters; those of code at hand were checked where they were filled in

    @property
    def parameters(self) -> dict[str, float]:
        """Its parameters by name."""
        return dict(self.__pydantic_extra__)


BuiltIn = Annotated[
    Immediate
    | Twap
    | Vwap
    | Pov
    | AlmgrenChriss
    | StaticOptimum
    | ObizhaevaWang
    | Schedule
    | FollowSignal
    | Random
    | Qtable
    | NetworkStrategy
    | BlindTwin
    | Optimum,
    Field(discriminator="model"),
]
_CLASSES: dict[str, type[Named]] = {
    get_args(member.model_fields["model"].annotation)[0]: member for member in get_args(get_args(BuiltIn)[0])
}
#: The models that ship, by name.
BUILT_IN = tuple(_CLASSES)
#: Keys that every strategy of one's own has besides its parameters.
RESERVED = tuple(Own.model_fields)


def strategy_class(model: str) -> type[Named]:
    """The class behind a name of a model, as a table of results has it; one that does not ship is somebody's own."""
    return _CLASSES.get(model, Own)


def _kind(value: Any) -> str:
    own = isinstance(value, Own) or (
        isinstance(value, dict) and "source" in value and value.get("model") not in BUILT_IN
    )
    return "own" if own else "built-in"


Strategy = Annotated[Annotated[BuiltIn, Tag("built-in")] | Annotated[Own, Tag("own")], Discriminator(_kind)]
