"""Observations: each feature against a naive twin, with every part of the cost; the states and the pilot are made of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from conftest import small_study
from fastexec.errors import InputError
from fastexec.kernels import fields
from fastexec.kernels.explore import Experience, explore_range
from fastexec.kernels.philox import PILOT, TRAINING
from fastexec.learning.features import cuts_of, outside_of
from fastexec.learning.rollout import alone
from fastexec.models.features import FEATURES as DECLARED
from fastexec.models.strategies import Pov, Qtable, Twap
from fastexec.planning.plan import known_after
from fastexec.planning.policies import Cut, TablePolicy, cut_of
from naive.market import MarketPath
from naive.observe import FEATURES, observe

EPISODES, STEPS, LOOK_BACK = 150, 9, 3  # more than a block of lanes
TEMPORARY = {
    "power": {"model": "power", "coefficient": 0.004, "exponent": 0.6},
    "root": {"model": "power", "coefficient": 0.004, "exponent": 0.5},
    "proportional": {"model": "power", "coefficient": 0.004, "exponent": 1.0},
    "linear": {"model": "linear", "fixed": 0.01, "coefficient": 2e-5},
}
TRANSIENT = {
    "off": {"coefficient": 0.0, "exponent": 1.0, "resilience": 0.5},
    "linear": {"coefficient": 1e-4, "exponent": 1.0, "resilience": 0.4},
    "power": {"coefficient": 1e-3, "exponent": 0.6, "resilience": 0.2},
}
TWAP, POV = Twap(model="twap", name="twap"), Pov(model="pov", name="pov", rate=0.1)
#: Of each feature: relative, and absolute error of what is a difference of nearly equal numbers.
TOLERANCES = {"momentum": (0.0, 1e-14), "volatility": (1e-10, 1e-10), "inventory": (1e-12, 1e-14)}


def every_cost(temporary="power", transient="power", own=0.3):
    return {
        "temporary": TEMPORARY[temporary],
        "permanent": {"coefficient": 3e-5, "own": own},
        "transient": TRANSIENT[transient],
        "fees": {"per_share": 0.003},
    }


def study(known="after", costs=None, **changes):
    volume = {"model": "cosine", "mean": 500.0, "amplitude": -0.6, "noise": 250.0, "floor": 0.0, "known": known}
    base = {
        "order": {"shares": 1_000, "steps": STEPS},
        "market": {"price": {"volatility": 0.003}, "volume": volume},
        "costs": every_cost() if costs is None else costs,
    }
    return small_study(**base | changes)


def paths_of(steps):
    """The recorded steps of each episode as a path, without the mid at the end, and its slices; [e, t]."""
    mid, spread, volume, shares = (
        steps[fields.STEP_COLUMNS.index(name)].reshape(EPISODES, -1) for name in ("mid", "spread", "volume", "shares")
    )
    return [MarketPath(mid[e], spread[e], volume[e], mid[e, 0]) for e in range(EPISODES)], shares


def naive(model, steps, fills_after=False):
    """{feature: float64[e, t]}"""
    data = model.model_dump()
    known = data["market"]["volume"]["known"]
    paths, slices = paths_of(steps)
    rows = [
        observe(path, data["order"], data["costs"], slices[e].tolist(), fills_after, known, LOOK_BACK)
        for e, path in enumerate(paths)
    ]
    return {name: np.array([row[name] for row in rows]) for name in FEATURES}


def observed(model, strategy):
    """{feature: float64[e, t]} of the kernels, and the steps of the same episodes."""
    runs = alone(model, strategy, PILOT)
    found = {}
    for names in (FEATURES[:4], FEATURES[4:]):  # a strategy sees at most six
        cuts = [Cut(name, 1, np.zeros(0), LOOK_BACK) for name in names]
        found |= dict(zip(names, runs.observe(cuts, not known_after(model), 0, EPISODES), strict=True))
    return found, runs.steps(0, EPISODES).steps


def agree(model, strategy):
    ours, steps = observed(model, strategy)
    fills_after = strategy.model == "pov" and known_after(model)
    for name, values in naive(model, steps, fills_after).items():
        relative, absolute = TOLERANCES.get(name, (1e-12, 0.0))
        np.testing.assert_allclose(ours[name], values, relative, absolute, err_msg=name)


@pytest.mark.parametrize(("temporary", "transient"), list(product(TEMPORARY, TRANSIENT)))
def test_every_feature_equals_its_twin_under_every_cost(temporary, transient):
    agree(study(costs=every_cost(temporary, transient)), TWAP)


@pytest.mark.parametrize(("known", "strategy"), list(product(["after", "during"], [TWAP, POV])))
def test_every_feature_equals_its_twin_whatever_is_known(known, strategy):
    agree(study(known), strategy)


def test_features_of_an_arithmetic_market_with_a_range_of_orders():
    changed = study(order={"shares": 800, "steps": STEPS, "lot": 0, "side": "buy", "at_horizon": "mark"},
                    market={"price": {"model": "arithmetic", "volatility": 0.2}})  # fmt: skip
    agree(changed, TWAP)


@pytest.mark.parametrize("known", ["after", "during"])
def test_a_feature_tells_nothing_before_its_first_step(known):
    ours, _ = observed(study(known), TWAP)
    for name, values in ours.items():
        first = DECLARED[name].first_told(known == "during")
        assert np.ptp(values[:, :first]) < 1e-8 if first else True, name
        if name not in ("inventory", "relative_volume"):
            assert np.ptp(values[:, first]) > 1e-8, name


# ---- what is made of them


EDGES = {
    "spread": (0.0003, 0.0005), "volume": (200.0, 480.5), "relative_volume": (0.9, 1.1), "momentum": (-0.002, 0.0015),
    "relative_spread": (0.9, 1.05), "volatility": (0.002, 0.003), "shortfall": (3.0, 11.0, 20.0), "impact": (0.5, 2.0),
}  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [("spread", "volume", "momentum", "shortfall"), ("relative_spread", "relative_volume", "volatility", "impact")],
)
def test_a_state_is_the_mixed_radix_of_the_bins_of_the_observations(names):
    """An agent that always does the same is seen twice: by the kernels as states, by the twin as values cut here."""
    actions = {"set": "multiples", "levels": [0.7]}
    features = [{"name": name, "edges": EDGES[name], "steps": LOOK_BACK} for name in names]
    features.append({"name": "inventory", "bins": 6})
    training = {"rule": "batched", "features": features, "actions": actions}
    model = study(strategies=[{"model": "qtable", "name": "q", "train": "a"}], train={"a": training})
    cuts = tuple(cut_of(feature) for feature in model.train["a"].features)
    states = int(np.prod([cut.bins for cut in cuts]))
    policy = TablePolicy(cuts, model.train["a"].actions, np.zeros((STEPS, states), np.uint16), np.zeros(STEPS + 1))
    agent = alone(model, Qtable(model="qtable", name="q", agent="-"), TRAINING, {"q": policy})
    shape = (STEPS, EPISODES)
    record = Experience(np.empty(shape, np.int32), np.empty(shape, np.uint8), np.empty(shape),
                        np.empty(shape, np.float32), np.zeros(1))  # fmt: skip
    explore_range(agent.seed, (0, EPISODES, 0), agent.plan, agent.strategies, fields.no_paths(), record)
    values = naive(model, agent.steps(0, EPISODES).steps)
    code, stride = np.zeros((EPISODES, STEPS), np.int64), 1
    for cut in cuts:
        if cut.name == "inventory":
            bins = np.floor(values["inventory"] * (cut.bins - 1) + 0.5).astype(np.int64)
        else:
            bins = np.searchsorted(cut.edges, values[cut.name], side="left")
        assert np.unique(bins).size == cut.bins or cut.name == "inventory", cut.name
        code += stride * bins
        stride *= cut.bins
    np.testing.assert_array_equal(record.states, code.T)


def learning(features, **changes):
    return study(train={"a": {"rule": "batched", "features": [{"name": "inventory"}, *features]}}, **changes)


@pytest.mark.parametrize("known", ["after", "during"])
def test_the_pilots_bins_are_met_equally_often(known):
    """Of the very values that the kernels observe: also of those that the agent moves itself."""
    names = ("shortfall", "impact", "relative_spread", "relative_volume", "volatility")
    model = learning([{"name": name, "bins": 4, "steps": LOOK_BACK} for name in names], known=known)
    ours, _ = observed(model, TWAP)
    for cut in cuts_of(model, model.train["a"], "a")[:-1]:
        first = DECLARED[cut.name].first_told(known == "during")
        counts = np.bincount(np.searchsorted(cut.edges, ours[cut.name][:, first:].ravel()), minlength=cut.bins)
        assert cut.bins == 4
        np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=0.05, err_msg=cut.name)


def test_impact_is_transient_alone():
    """Permanent impact does not make it vary."""
    model = learning([{"name": "impact", "bins": 3}], costs=every_cost(transient="off"))
    with pytest.raises(InputError, match="impact: it does not vary"):
        cuts_of(model, model.train["a"], "a")


def test_the_ends_given_to_shortfall_are_held_against_all_of_it():
    """Under linear costs alone nothing used to be seen of it."""
    costs = {**every_cost("linear", "off"), "permanent": {"coefficient": 0.0}}
    model = learning([{"name": "shortfall", "bins": 3, "between": [0.0, 1e-6]}], costs=costs)
    outside = outside_of(model, model.train["a"])["shortfall"]
    assert outside > 0.9 * 400_000 * (STEPS - 1) / STEPS


def test_an_order_of_one_step_has_nothing_to_look_back_to():
    training = {"rule": "batched", "features": [{"name": "inventory"}, {"name": "volume", "bins": 3}]}
    model = small_study(order={"shares": 100, "steps": 1}, train={"a": training})
    with pytest.raises(InputError, match="volume: it does not vary"):
        cuts_of(model, model.train["a"], "a")
