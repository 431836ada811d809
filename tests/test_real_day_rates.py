"""What a schedule is expected to cost on real days: sums over the days that it may know, not the cost at their mean volume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastexec.data.bars import read_bars
from fastexec.data.replay import Wanted, replay_windows
from fastexec.models.study import StudyModel
from fastexec.planning.expectation import expect
from fastexec.planning.schedules import cheaper_than_optimum, fractions
from fastexec.simulation import prepare
from naive.rates import inverse_volumes, mean_cost
from real_days import some_days, write

STEPS = 6
BLIND = ["static_optimum", "twap", "vwap", "immediate", "almgren_chriss", "obizhaeva_wang"]


def uneven(seed: int, lengths=(14,) * 6, empty: float = 0.3):
    """Days whose volumes differ by orders of magnitude, more so at some times of day, so that a mean says little of them."""
    rng = np.random.default_rng(seed)
    return {
        day: [
            bar._replace(volume=float(round(bar.volume * np.exp((0.3 + 0.4 * (t % 4)) * rng.normal()))))
            for t, bar in enumerate(bars)
        ]
        for day, bars in some_days(seed, lengths, empty).items()
    }


def study_of(path: Path, market: dict, exponent, **order) -> StudyModel:
    return StudyModel.model_validate(
        {
            "order": {"shares": 3_000, "steps": STEPS, "lot": 0, **order},
            "market": {"bars": str(path), "symbol": "S", **market},
            "costs": {"temporary": {"coefficient": 0.02, "exponent": exponent}},
            "strategies": [{"model": model} for model in BLIND],
        }
    )


def known_to(day: int, days: dict, which: str) -> dict:
    return {d: bars for d, bars in days.items() if which == "all" or (d < day if which == "earlier" else d != day)}


@pytest.mark.parametrize("exponent", [0.6, 0.5, 1.0, 0.13])
@pytest.mark.parametrize("which", ["others", "earlier", "all"])
def test_inverse_volumes_are_the_means_over_the_known_days(tmp_path, which, exponent):
    """Empty bars, times at which only one day or none traded, and a time that one day alone has."""
    days = uneven(3, (14, 14, 15, 14, 13))
    for number, (day, bars) in enumerate(days.items()):
        days[day] = [
            bar._replace(volume=0.0) if t == 4 or (t == 9 and number != 3) else bar for t, bar in enumerate(bars)
        ]
    bars = read_bars(write(days, tmp_path / "b.parquet"), "S")
    wanted = Wanted(curve_days=tuple(days) if which == "all" else which)
    windows = replay_windows(bars, 7, 1, wanted)
    found = windows.rates.inverse(exponent)
    assert len(found) > 20
    for e, (day, start) in enumerate(zip(windows.day.tolist(), windows.start_second.tolist(), strict=True)):
        seconds, known = [start + 60 * t for t in range(7)], known_to(day, days, which)
        naive = inverse_volumes(seconds, known, windows.expected_volume[e].tolist(), exponent)
        np.testing.assert_allclose(found[e], naive, rtol=1e-13, err_msg=f"{day} {start}")


MARKETS = [
    ({"model": "replay"}, 0.6, "others"),
    ({"model": "replay", "curve_days": "earlier"}, 0.6, "earlier"),
    ({"model": "replay"}, 0.3, "others"),
    ({"model": "bootstrap"}, 0.6, "all"),
    ({"model": "bootstrap"}, 1.0, "all"),
    ({"model": "replay"}, {"low": 0.3, "high": 0.9}, "others"),
]


@pytest.mark.parametrize(("market", "exponent", "which"), MARKETS)
def test_static_optimum_is_the_cheapest_schedule_over_the_days_it_may_know(tmp_path, market, exponent, which):
    """Seen with (E v)^-e in place of E[v^-e]: dearer than a schedule one move away in nearly every window."""
    days = uneven(7)
    prepared = prepare(study_of(write(days, tmp_path / "b.parquet"), market, exponent))
    windows, study = prepared.windows, prepared.study
    low, high = (exponent["low"], exponent["high"]) if isinstance(exponent, dict) else (exponent, exponent)
    exponents = [low + (high - low) * (j + 0.5) / 40 for j in range(40)] if high > low else [low]
    for e, expected in enumerate(expect(study, windows)):
        day, start = int(windows.day[e]), int(windows.start_second[e])
        if market["model"] == "bootstrap":
            start = sorted(set(windows.start_second.tolist()))[e]
        seconds, known = [start + 60 * t for t in range(STEPS)], known_to(day, days, which)
        place = next(k for k in range(len(windows.day)) if windows.start_second[k] == start and windows.day[k] == day)
        volume = windows.expected_volume[place].tolist()

        def cost(slices, seconds=seconds, known=known, volume=volume):
            return mean_cost(list(3_000 * slices), seconds, known, volume, 0.02, exponents)

        tables = [np.diff(fractions(strategy, study, expected)) for strategy in study.strategies]
        best, *others = (cost(table) for table in tables)
        assert all(best <= other * (1 + 1e-9) for other in others), (best, others)
        for i, j in ((i, j) for i in range(STEPS) for j in range(STEPS) if i != j and tables[0][i] > 1e-3):
            moved = tables[0].copy()
            moved[i] -= 1e-3
            moved[j] += 1e-3
            assert best <= cost(moved) * (1 + 1e-9), (i, j)
        assert cheaper_than_optimum(study, expected) == []


def test_a_range_of_exponents_is_the_mean_over_it(tmp_path):
    """Quadrature of 12 nodes against Simpson's rule of 401, of volumes from 1 share to 10 million."""
    days, rng = uneven(5, empty=0.0), np.random.default_rng(1)
    days = {d: [bar._replace(volume=float(10 ** rng.integers(0, 8))) for bar in bars] for d, bars in days.items()}
    study = study_of(write(days, tmp_path / "b.parquet"), {"model": "replay"}, {"low": 0.05, "high": 1.0})
    windows = prepare(study).windows
    weights = np.array([1.0, *[4.0, 2.0] * 199, 4.0, 1.0]) / 1_200.0
    exact = sum(w * windows.rates.inverse(0.05 + 0.95 * j / 400) for j, w in enumerate(weights))
    for market, one in zip(expect(study, windows), exact, strict=True):
        mixed = sum(w * inverse for w, inverse in zip(market.weights, market.inverses, strict=True))
        np.testing.assert_allclose(mixed, one, rtol=1e-8)
