"""What an agent sees, what it may do, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fastexec.models._base import Model
from fastexec.models.actions import Actions
from fastexec.models.features import DESCRIPTION, MOVED_BY_THE_AGENT, NOT_OF_TABLES, declared
from fastexec.models.names import Name

MOST_BINS = 32
#: Episodes whose gradients are summed before they are merged (``kernels.gradients.LEAF``).
LEAF = 128
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

    @property
    def is_cut(self) -> bool:
        """Whether bins of its own were asked for."""
        return bool(self.bins != type(self).model_fields["bins"].default or self.edges or self.between)


#: What both rules that train networks begin with.
_OF_NETWORKS: dict[str, Any] = {
    "learning_rate": 3e-3, "hidden": (64, 64), "entropy": 0.03, "trace": 0.95, "gradient_norm": 0.5, "seeds": 10,
    "features": tuple(Feature(name=name) for name in ("inventory", "time", "spread", "volume")),
}  # fmt: skip
#: Defaults that a rule has for itself: how many episodes it takes to come within 20 % of what rule backward saves
#: (``scripts/verify_learners.py``), and how often it tries other actions; of networks, what learned.
OF_RULE: dict[str, dict[str, Any]] = {
    "batched": {"rounds": 64, "epsilon": 0.5, "epsilon_last": 0.2},
    "double": {"rounds": 16, "epsilon": 0.6, "epsilon_last": 0.2},
    "ppo": {**_OF_NETWORKS, "rounds": 400, "batch": 1_024, "minibatch": 256, "passes": 4, "clip": 0.2},
    "a2c": {**_OF_NETWORKS, "rounds": 1_600, "batch": 256},
}
#: Keys that mean something to rules of networks only, to ppo alone, and to rules of tables only.
_NETWORKS_ONLY = ("hidden", "minibatch", "passes", "clip", "entropy", "trace", "gradient_norm", "seeds")
_PPO_ONLY = ("minibatch", "passes", "clip")
_TABLES_ONLY = ("epsilon", "epsilon_last", "rate", "start", "patience", "risk_aversion")


class Training(Model):
    """How an agent is trained: on episodes of a phase of its own, which no evaluation ever meets. Of the start (the best
    static schedule that its actions can play) and the tables of all rounds it is the one that costs least in validation.
    """

    FOLLOWS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "rule": ("rounds", "batch", "epsilon", "epsilon_last", "learning_rate", "features", *_NETWORKS_ONLY)
    }

    rule: Literal["backward", "batched", "online", "double", "program", "ppo", "a2c"] = Field(
        "backward",
        description="backward: every inventory on every sampled path, last step first | batched: rounds of Q-learning | "
        "online: Q-learning step by step | double: double Q-learning, step by step | "
        "program: the mini-project's own, with its own features | ppo, a2c: a network, by policy gradients",
    )
    rounds: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        8, description="number of rounds; 64 for rule batched, 16 for double, 400 for ppo, 1600 for a2c"
    )
    batch: Annotated[int, Field(ge=1, le=2**24)] = Field(
        65_536, description="episodes a round; 1024 for rule ppo and 256 for a2c, multiples of 128"
    )
    epsilon: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.3, description="share of random actions in the first round; 0.5 for rule batched, 0.6 for double"
    )
    epsilon_last: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.05, description="and in the last, linear between; 0.2 for rules batched and double"
    )
    learning_rate: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        0.1, description="weight of a new target, at first; of networks Adam's, 0.003 at first and falling to 0"
    )
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
    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=128)], ...], Field(strict=False, max_length=3)] = Field(
        (), description="rules ppo and a2c: units of each hidden layer, of policy and value alike; (64, 64) if left out"
    )
    minibatch: Annotated[int, Field(ge=0)] = Field(
        0, description="rule ppo: episodes of a minibatch, a multiple of 128; 256 if left out"
    )
    passes: Annotated[int, Field(ge=0, le=1000)] = Field(0, description="rule ppo: over each batch; 4 if left out")
    clip: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(0.0, description="rule ppo: of the ratio; 0.2 if left out")
    entropy: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="rules ppo and a2c: weight of the entropy at first, falling to 0; 0.03 if left out"
    )
    trace: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.0, description="rules ppo and a2c: lambda of the generalised advantages; 0.95 if left out"
    )
    gradient_norm: Annotated[float, Field(ge=0.0)] = Field(
        0.0, description="rules ppo and a2c: largest norm of a gradient; 0.5 if left out"
    )
    seeds: Annotated[int, Field(ge=0, le=100)] = Field(
        0, description="rules ppo and a2c: networks, of which the best in validation is kept; 10 if left out"
    )
    features: Annotated[tuple[Feature, ...], Field(strict=False, max_length=6)] = Field(
        (Feature(name="inventory", bins=21), Feature(name="spread"), Feature(name="volume")),
        description="[[train.NAME.features]]; of a table each step of time is a slice of its own, a network sees time and no "
        "bins (inventory, time, spread and volume if left out)",
    )
    actions: Actions = Field(Actions(set="multiples", levels=(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)))

    @model_validator(mode="after")
    def _defaults_of_the_rule(self) -> Training:
        return self.defaulting(OF_RULE.get(self.rule, {}))

    @model_validator(mode="after")
    def _keys_of_the_rule(self) -> Training:
        for key in self.unwritten() or _NETWORKS_ONLY:
            # A study that is changed gives its defaults too.
            if getattr(self, key) != type(self).model_fields[key].default:
                rules = (
                    "rules of tables"
                    if key in _TABLES_ONLY
                    else "rule ppo"
                    if key in _PPO_ONLY
                    else "rules ppo and a2c"
                )
                raise PydanticCustomError(
                    "key", "{key} is for {rules}, and rule is {rule}; leave it out",
                    {"key": key, "rules": rules, "rule": self.rule},
                )  # fmt: skip
        if self.trains_network:
            self._require_leaves()
        return self

    def _require_leaves(self) -> None:
        own = _PPO_ONLY if self.rule == "ppo" else ()
        for key in ("batch", *own[:1]):
            value = getattr(self, key)
            if value % LEAF or not value:
                raise PydanticCustomError(
                    "leaves", "{key} = {value} is no multiple of {leaf}, the episodes that are summed at a time",
                    {"key": key, "value": value, "leaf": LEAF},
                )  # fmt: skip
        for key in ("seeds", "gradient_norm", "hidden", *own):
            if not getattr(self, key):
                raise PydanticCustomError("positive", "{key} must not be 0 or empty", {"key": key})

    @property
    def trains_network(self) -> bool:
        """Whether its rule trains a network, no table."""
        return self.rule in ("ppo", "a2c")

    def unwritten(self) -> tuple[str, ...]:
        """Those that the rule does not know; their defaults are no wish."""
        return (*_TABLES_ONLY, *(_PPO_ONLY if self.rule == "a2c" else ())) if self.trains_network else ()

    @model_validator(mode="after")
    def _features_fit(self) -> Training:
        names = [feature.name for feature in self.features]
        for name in names:
            if names.count(name) > 1:
                raise PydanticCustomError("features", "features: two are named {name}; name each once", {"name": name})
            if not (declared(name).tables or self.trains_network):
                raise PydanticCustomError("features", "features: {name}: {why}", {"name": name, "why": NOT_OF_TABLES})
        if "inventory" not in names:
            raise PydanticCustomError(
                "features", "features: inventory is missing; without it no agent knows what is left"
            )
        if self.trains_network and (cut := [feature.name for feature in self.features if feature.is_cut]):
            raise PydanticCustomError(
                "features", "features: {name}: bins, edges and between are for rules of tables, a network sees the value "
                "itself; leave them out", {"name": cut[0]},
            )  # fmt: skip
        if self.rule not in ("batched", "ppo", "a2c") and (
            own := [name for name in names if name in MOVED_BY_THE_AGENT]
        ):
            raise PydanticCustomError(
                "features", "features: only rule batched knows {name}, which the agent moves itself",
                {"name": own[0]},
            )  # fmt: skip
        return self
