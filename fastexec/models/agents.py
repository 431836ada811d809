"""What an agent sees, what it may do, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.actions import Actions
from fastexec.models.features import DESCRIPTION, MOVED_BY_THE_AGENT, NOT_OF_TABLES, declared
from fastexec.models.names import Name

MOST_BINS = 32
Edges = Annotated[tuple[float, ...], Field(strict=False, max_length=MOST_BINS - 1)]


class Feature(Model):
    """A feature of the state, cut into bins; what lies beyond the ends falls into the end bins and is counted."""

    name: Name = Field(description=DESCRIPTION)
    bins: Annotated[int, Field(ge=2, le=1024)] = Field(5, description="number of bins; quantiles of a pilot run")
    edges: Edges = Field((), description="edges between the bins, rising, instead of quantiles (units of the feature)")
    between: Annotated[tuple[float, float], Field(strict=False)] | None = Field(
        None, description="or bins of one width between these two; beyond them the end bins"
    )
    steps: Annotated[int, Field(ge=1, le=16)] = Field(5, description="momentum only: over so many steps")

    @model_validator(mode="after")
    def _edges_rise(self) -> Feature:
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise PydanticCustomError("edges", "edges must rise from one to the next")
        if self.between is not None and (self.edges or not self.between[0] < self.between[1]):
            raise PydanticCustomError("edges", "between needs a lower and a higher number, and no edges beside it")
        if self.name == "inventory" and (self.edges or self.between):
            raise PydanticCustomError("edges", "inventory is cut evenly; give bins")
        if self.name != "inventory" and not self.edges and self.bins > MOST_BINS:
            raise PydanticCustomError("bins", "bins must be at most 32; only inventory may have more")
        return self


#: Defaults that a rule has for itself: how many episodes it takes to come within 20 % of what rule backward saves
#: (``scripts/verify_learners.py``), and how often it tries other actions.
OF_RULE: dict[str, dict[str, float]] = {
    "batched": {"rounds": 64, "epsilon": 0.5, "epsilon_last": 0.2},
    "double": {"rounds": 16, "epsilon": 0.6, "epsilon_last": 0.2},
}


class Training(Model):
    """How an agent is trained: on episodes of a phase of its own, which no evaluation ever meets. Of the start (the best
    static schedule that its actions can play) and the tables of all rounds it is the one that costs least in validation.
    """

    FOLLOWS: ClassVar[Mapping[str, tuple[str, ...]]] = {"rule": ("rounds", "epsilon", "epsilon_last")}

    rule: Literal["backward", "batched", "online", "double", "program"] = Field(
        "backward",
        description="backward: every inventory on every sampled path, last step first | batched: rounds of Q-learning | "
        "online: Q-learning step by step | double: double Q-learning, step by step | "
        "program: the mini-project's own, with its own features",
    )
    rounds: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        8, description="number of rounds; 64 for rule batched, 16 for double"
    )
    batch: Annotated[int, Field(ge=1, le=2**24)] = Field(65_536, description="episodes a round")
    epsilon: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.3, description="share of random actions in the first round; 0.5 for rule batched, 0.6 for double"
    )
    epsilon_last: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.05, description="and in the last, linear between; 0.2 for rules batched and double"
    )
    learning_rate: Annotated[float, Field(gt=0.0, le=1.0)] = Field(0.1, description="weight of a new target, at first")
    rate: Literal["falling", "constant", "visits"] = Field(
        "falling",
        description="1 over 1/learning_rate + (visits - 1)/5, visits of the state and action | learning_rate as it is | 1 over "
        "the visits",
    )
    start: str | None = Field(None, description="file of an agent to go on from, with its features (not rule backward)")
    patience: Annotated[int, Field(ge=0)] = Field(
        0,
        description="stop after so many rounds without a better validation, those that play as the start does not counted; "
        "0: never",
    )
    discount: Annotated[float, Field(gt=0.0, le=1.0)] = Field(1.0, description="weight of what follows, a step")
    risk_aversion: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="1/currency; adds risk_aversion * variance of the step's move * remaining^2 to the cost"
    )
    features: Annotated[tuple[Feature, ...], Field(strict=False, max_length=6)] = Field(
        (Feature(name="inventory", bins=21), Feature(name="spread"), Feature(name="volume")),
        description="[[train.NAME.features]]; each step of time is a slice of its own",
    )
    actions: Actions = Field(Actions(set="multiples", levels=(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)))

    @model_validator(mode="after")
    def _defaults_of_the_rule(self) -> Training:
        return self.defaulting(OF_RULE.get(self.rule, {}))

    @model_validator(mode="after")
    def _features_fit(self) -> Training:
        names = [feature.name for feature in self.features]
        for name in names:
            if names.count(name) > 1:
                raise PydanticCustomError("features", "features: two are named {name}; name each once", {"name": name})
            if not declared(name).tables:
                raise PydanticCustomError("features", "features: {name}: {why}", {"name": name, "why": NOT_OF_TABLES})
        if "inventory" not in names:
            raise PydanticCustomError(
                "features", "features: inventory is missing; without it no agent knows what is left"
            )
        if self.rule != "batched" and (own := [name for name in names if name in MOVED_BY_THE_AGENT]):
            raise PydanticCustomError(
                "features", "features: only rule batched knows {name}, which the agent moves itself",
                {"name": own[0]},
            )  # fmt: skip
        return self
