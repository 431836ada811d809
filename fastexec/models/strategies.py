"""The strategies of a study, and what each declares.

KIND: the name of the kernels' way of deciding. SCHEDULE: of one that does not look at the market, the name of its trajectory in
``planning.schedules``. The other class variables say what a strategy is to a comparison.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from fastexec.errors import in_study
from fastexec.models._base import Model
from fastexec.models.actions import Actions
from fastexec.models.declarations import OfStrategy
from fastexec.models.names import Name

_BLIND = OfStrategy(sees_volume=False, fills_at_next=False)


class _Named(Model):
    DECLARES: ClassVar[OfStrategy]  # of each class by itself
    KIND: ClassVar[str] = "SCHEDULE"
    SCHEDULE: ClassVar[str] = "even"
    #: What others are compared with unless a baseline is named.
    is_baseline: ClassVar[bool] = False
    #: An adaptive policy must beat it, not only TWAP.
    is_control: ClassVar[bool] = False
    is_agent: ClassVar[bool] = False
    is_exact_optimum: ClassVar[bool] = False
    #: Its trajectory is that of a linear temporary cost; a power law is replaced by the one that equals it at the TWAP rate.
    linearises: ClassVar[bool] = False

    name: Name = Field("", description="name in the results; the model's by default")

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" not in data and "model" in data:
            return {**data, "name": data["model"]}
        return data

    def numbers(self) -> tuple[float, ...]:
        """What its kernel is told: a rate, or the levels of its actions."""
        return ()

    def chance(self) -> Actions | None:
        """The actions of which chance chooses; None where it does not."""
        return None

    def policy(self) -> str | None:
        """The strategy whose policy it plays, or whose mean schedule; None where there is none."""
        return None

    def plays_mean_of(self) -> str | None:
        """The agent whose own mean schedule it plays without looking; None where it plays none."""
        return None

    def minimises_with(self) -> float | None:
        """Of a schedule of least expected cost + risk aversion * variance the risk aversion, else None. Against 0 it is
        measured what adapting is worth.
        """
        return None


class Immediate(_Named):
    """Everything in step 0."""

    SCHEDULE = "at_once"
    DECLARES = _BLIND

    model: Literal["immediate"]


class Twap(_Named):
    """Equal slices."""

    is_baseline = True
    DECLARES = _BLIND

    model: Literal["twap"]


class Vwap(_Named):
    """Slices along the expected volume curve."""

    SCHEDULE = "along_volume"
    DECLARES = _BLIND

    model: Literal["vwap"]


class Pov(_Named):
    """A share of the market's volume; a step's slice fills at the step's end, at the quote there."""

    KIND = "POV"
    DECLARES = OfStrategy(sees_volume=True, fills_at_next=True)

    model: Literal["pov"]
    rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="shares over market volume, in (0, 1]")

    def numbers(self) -> tuple[float, ...]:
        return (self.rate,)


_RiskAversion = Annotated[float, Field(ge=0)]


class AlmgrenChriss(_Named):
    """Almgren and Chriss (2000), closed form with the price's drift (eq. 26), never against the order's side; for a power cost
    the linear one that equals it at the TWAP rate.
    """

    SCHEDULE = "almgren_chriss"
    linearises = True
    DECLARES = _BLIND

    model: Literal["almgren_chriss"]
    risk_aversion: _RiskAversion = Field(1e-6, description="1/currency")


class StaticOptimum(_Named):
    """The schedule of least expected cost + risk_aversion * variance for the study's own costs; the best one found where costs
    are not convex in the slices, or chance decides which steps have a volume.
    """

    SCHEDULE = "static_optimum"
    is_control = True
    DECLARES = _BLIND

    model: Literal["static_optimum"]
    risk_aversion: _RiskAversion = Field(0.0, description="1/currency")

    def minimises_with(self) -> float | None:
        return self.risk_aversion


class ObizhaevaWang(_Named):
    """Obizhaeva and Wang (2013): the optimum under linear transient impact."""

    SCHEDULE = "obizhaeva_wang"
    DECLARES = _BLIND

    model: Literal["obizhaeva_wang"]


class Schedule(_Named):
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


class Random(_Named):
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


class Qtable(_Named):
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


class BlindTwin(_Named):
    """A control: the mean schedule of an agent of the study, played without looking."""

    is_control = True
    DECLARES = _BLIND

    model: Literal["blind_twin"]
    of: Name = Field(description="name of the qtable strategy")

    def policy(self) -> str | None:
        return self.of

    def plays_mean_of(self) -> str | None:
        return self.of


class Optimum(_Named):
    """The optimum of a Markov market, by dynamic programming over whole lots: exact, but numerical under an AR(1) signal."""

    KIND = "TABLE"
    is_exact_optimum = True
    DECLARES = OfStrategy(sees_volume=True, fills_at_next=False)

    model: Literal["optimum"]
    actions: Actions | None = Field(None, description="its action set; any number of lots if left out")

    def policy(self) -> str | None:
        return self.name


class Own(_Named):
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
    | Random
    | Qtable
    | BlindTwin
    | Optimum,
    Field(discriminator="model"),
]
_CLASSES: dict[str, type[_Named]] = {
    get_args(member.model_fields["model"].annotation)[0]: member for member in get_args(get_args(BuiltIn)[0])
}
#: The models that ship, by name.
BUILT_IN = tuple(_CLASSES)
#: Keys that every strategy of one's own has besides its parameters.
RESERVED = tuple(Own.model_fields)


def strategy_class(model: str) -> type[_Named]:
    """The class behind a name of a model, as a table of results has it; one that does not ship is somebody's own."""
    return _CLASSES.get(model, Own)


def _kind(value: Any) -> str:
    own = isinstance(value, Own) or (
        isinstance(value, dict) and "source" in value and value.get("model") not in BUILT_IN
    )
    return "own" if own else "built-in"


Strategy = Annotated[Annotated[BuiltIn, Tag("built-in")] | Annotated[Own, Tag("own")], Discriminator(_kind)]
