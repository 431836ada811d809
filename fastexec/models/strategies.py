"""The strategies of a study."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.names import Name

Levels = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(strict=False, min_length=1, max_length=32)]


class _Named(Model):
    name: Name = Field("", description="name in the results; the model's by default")

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" not in data and "model" in data:
            return {**data, "name": data["model"]}
        return data


class Immediate(_Named):
    """Everything in step 0."""

    model: Literal["immediate"]


class Twap(_Named):
    """Equal slices."""

    model: Literal["twap"]


class Vwap(_Named):
    """Slices along the expected volume curve."""

    model: Literal["vwap"]


class Pov(_Named):
    """A share of the market's volume."""

    model: Literal["pov"]
    rate: Annotated[float, Field(gt=0, le=1)] = Field(0.1, description="shares over market volume, in (0, 1]")


_RiskAversion = Annotated[float, Field(ge=0)]


class AlmgrenChriss(_Named):
    """Almgren and Chriss (2000), closed form; for a power cost the linear one that equals it at the TWAP rate."""

    model: Literal["almgren_chriss"]
    risk_aversion: _RiskAversion = Field(1e-6, description="1/currency")


class StaticOptimum(_Named):
    """The schedule of least expected cost + risk_aversion * variance for the study's own costs."""

    model: Literal["static_optimum"]
    risk_aversion: _RiskAversion = Field(0.0, description="1/currency")


class ObizhaevaWang(_Named):
    """Obizhaeva and Wang (2013): the optimum under linear transient impact."""

    model: Literal["obizhaeva_wang"]


class Schedule(_Named):
    """Slices in proportion to given weights."""

    model: Literal["schedule"]
    weights: Annotated[tuple[Annotated[float, Field(ge=0, le=1e12)], ...], Field(strict=False)] = Field(
        description="one weight a step, not all 0"
    )

    @model_validator(mode="after")
    def _some_weight(self) -> Schedule:
        if not any(self.weights):
            raise PydanticCustomError("weights", "weights are all 0; give at least one above 0")
        return self


class Actions(Model):
    """What a random strategy or an agent may do in a step."""

    set: Literal["fractions", "multiples", "lots"] = Field(
        "fractions", description="of the rest | of the TWAP slice | so many lots"
    )
    levels: Levels = Field((0.0, 0.25, 0.5, 0.75, 1.0), description="the actions, at most 32")

    @model_validator(mode="after")
    def _levels_fit(self) -> Actions:
        if self.set == "fractions" and max(self.levels) > 1.0:
            raise PydanticCustomError("levels", "levels of fractions lie between 0 and 1")
        return self


class Random(_Named):
    """An action drawn uniformly in each step."""

    model: Literal["random"]
    actions: Actions = Field(default_factory=Actions)


class Qtable(_Named):
    """A trained agent: from a file, or trained by the study's own section [train.NAME]."""

    model: Literal["qtable"]
    agent: str | None = Field(None, description="file of an agent (path, from the study file's folder)")
    train: Name | None = Field(None, description="or the NAME of a section [train.NAME]")

    @model_validator(mode="after")
    def _one_source(self) -> Qtable:
        if (self.agent is None) == (self.train is None):
            raise PydanticCustomError(
                "agent", "give either agent (a file) or train (the name of a [train.NAME] section)"
            )
        return self


class BlindTwin(_Named):
    """The mean schedule of an agent of the study, played without looking: what is left of it is the worth of adapting."""

    model: Literal["blind_twin"]
    of: Name = Field(description="name of the qtable strategy")


class Optimum(_Named):
    """The exact optimum of a Markov market, by dynamic programming over whole lots."""

    model: Literal["optimum"]
    actions: Actions | None = Field(None, description="its action set; any number of lots if left out")


class Own(_Named):
    """A strategy of your own: ``model`` is the name it was registered by, further keys are its parameters."""

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
#: The models that ship, by name.
BUILT_IN = tuple(get_args(member.model_fields["model"].annotation)[0] for member in get_args(get_args(BuiltIn)[0]))
#: Keys that every strategy of one's own has besides its parameters.
RESERVED = tuple(Own.model_fields)


def _kind(value: Any) -> str:
    own = isinstance(value, Own) or (
        isinstance(value, dict) and "source" in value and value.get("model") not in BUILT_IN
    )
    return "own" if own else "built-in"


Strategy = Annotated[Annotated[BuiltIn, Tag("built-in")] | Annotated[Own, Tag("own")], Discriminator(_kind)]
