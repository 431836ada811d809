"""What no signal foretells cannot be earned, what costs do not depend on is worth nothing, and a sale mirrors a purchase."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from test_market_signals import signal

EPISODES = 40_000
#: Trades twice the even slice where a signal is above 0, and waits where it is below: the other way round for a purchase.
WAITING = """
import fastexec as fx

@fx.strategy("waiting", row=0.0, side=1.0)
def waiting(orders, see, params, step, steps):
    for i in range(orders.shape[1]):
        left = see[fx.see.REMAINING, i]
        x = params[1] * see[fx.see.SIGNAL + int(params[0]), i]
        orders[fx.orders.SHARES, i] = left if step == steps - 1 else min(left, 2.0 * left / (steps - step)) if x < 0.0 else 0.0
"""
SPREADS = {"constant": {"model": "constant", "initial": 0.0004},
           "unpaid": {"mean": 1e-12, "reversion": 0.2, "volatility": 0.3, "floor": 0.0}}  # fmt: skip
VOLUMES = {"constant": {"model": "constant", "mean": 1_000.0}, "changing": {"mean": 1_000.0, "volatility": 0.5}}


def study(place, *signals, side="sell", temporary=0.0, spread="constant", volume="constant", strategies=(), **price):
    """No temporary cost unless one is asked for: then uneven slices cost nothing by themselves."""
    (place / "own.py").write_text(WAITING)
    return Study.from_dict({
        "seed": 12, "episodes": EPISODES, "plugins": ["own.py"],
        "order": {"side": side, "shares": 1_200, "steps": 12, "lot": 0},
        "market": {"price": {"model": "arithmetic", "volatility": 0.1, **price}, "spread": SPREADS[spread],
                   "volume": VOLUMES[volume], "signals": list(signals)},
        "costs": {"temporary": {"model": "linear", "coefficient": temporary}},
        "strategies": [{"model": "twap"}, *(strategies or [{"model": "waiting"}])],
    }, folder=place)  # fmt: skip


def savings(made):
    """Against TWAP, of each other strategy in standard errors."""
    cost = simulate(made).episodes["shortfall_bps"].reshape(EPISODES, -1)
    saving = cost[:, :1] - cost[:, 1:]
    return saving.mean(axis=0) / (saving.std(axis=0) / math.sqrt(EPISODES))


@pytest.mark.parametrize("model", [{"persistence": 0.9}, {"persistence": 0.9, "levels": 3}])
@pytest.mark.parametrize("correlation", [0.0, 0.2])
def test_a_signal_saves_only_where_it_foretells_the_move(correlation, model, tmp_path):
    """A sale waits while x is above 0. Without correlation it earns nothing."""
    (found,) = savings(study(tmp_path, signal("move", correlation=correlation, **model)))
    assert found > 30.0 if correlation else abs(found) < 4.0


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_followed_without_correlation_it_is_the_base_schedule(side, tmp_path):
    follow = [{"model": "follow_signal"}]
    none, some = (
        study(tmp_path, signal("move", correlation=rho), side=side, temporary=1e-5, strategies=follow)
        for rho in (0.0, 0.1)
    )
    cost = simulate(none).episodes["shortfall_bps"].reshape(EPISODES, 2)
    np.testing.assert_allclose(cost[:, 1], cost[:, 0], atol=1e-7)
    assert savings(some)[0] > 30.0


@pytest.mark.parametrize(
    ("made", "market"),
    [
        (signal("volume", correlation=0.6), {"volume": "changing"}),
        (signal("spread", correlation=0.6), {"spread": "unpaid"}),
        (signal("volatility", correlation=0.5), {}),
    ],
    ids=["volume", "spread", "volatility"],
)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_what_costs_do_not_depend_on_is_worth_nothing(made, market, side, tmp_path):
    """Whichever way it is followed."""
    waiting = [{"model": "waiting", "side": side}]
    assert abs(savings(study(tmp_path, made, strategies=waiting, **market))[0]) < 4.0


def test_what_costs_do_depend_on_is_worth_something(tmp_path):
    """The same signal of the spread, where there is one to pay: a signal above 0 foretells a wide one."""
    wide = signal("spread", correlation=0.9, persistence=0.5)
    made = study(tmp_path, wide, spread="unpaid", strategies=[{"model": "waiting", "side": -1.0}])
    paid = made.changed({"market.spread.mean": 0.002, "market.price.volatility": 0.001})
    assert abs(savings(paid)[0]) > 8.0


def test_a_signal_of_the_move_beside_another_is_worth_nothing_to_who_looks_at_the_other(tmp_path):
    two = signal("move", correlation=0.2), signal("move", "y", correlation=0.0)
    asked = [{"model": "waiting", "name": f"row_{row}", "row": float(row)} for row in (0, 1)]
    first, second = savings(study(tmp_path, *two, strategies=asked))
    assert first > 30.0
    assert abs(second) < 4.0


@pytest.mark.parametrize("model", [{"persistence": 0.9}, {"persistence": 0.5, "levels": 5}])
def test_a_sale_mirrors_a_purchase_with_the_signals_turned(model, tmp_path):
    """Slices and every part of the cost but the unexpected one, whose sign is the other: it is of the same draws."""
    follow = [{"model": "follow_signal", "risk_aversion": 1e-5}]
    found = []
    for side, rho in (("buy", 0.1), ("sell", -0.1)):
        made = study(tmp_path, signal("move", correlation=rho, **model), side=side, temporary=1e-5, spread="unpaid",
                     strategies=follow, drift=0.001 if side == "buy" else -0.001)  # fmt: skip
        prepared = prepare(made)
        found.append((prepared.steps(0, 300)["shares"], prepared.run(0, 300).episodes))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12, atol=1e-9)
    assert np.ptp(found[0][0]) > 100.0
    for name in ("temporary_bps", "timing_expected_bps"):
        np.testing.assert_allclose(found[0][1][name], found[1][1][name], rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(
        found[0][1]["timing_unexpected_bps"], -found[1][1]["timing_unexpected_bps"], rtol=1e-7, atol=1e-7
    )
    assert np.abs(found[0][1]["timing_expected_bps"]).max() > 1.0
