"""Spreads that are one tick most of the time, and what a fit says of data that its models cannot hold."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from fastexec.calibration.calibrate import calibrate
from fastexec.calibration.market_fit import fit
from fastexec.calibration.panel import session_of
from fastexec.calibration.spread_levels import chain_of, levels_of
from fastexec.data.bars import read_bars
from fastexec.errors import InputError
from fastexec.models.market import SyntheticMarket
from test_calibration import write_bars
from test_market_files import frame, written

DAYS = tuple(range(20240304, 20240310))


def mostly_one_tick(share: float, middle: float, spread: float, seed: int = 5) -> dict[str, np.ndarray]:
    """Quotes that are one tick wide in a share of the minutes, log-normally many ticks in the others."""
    rng = np.random.default_rng(seed)
    n = 240 * len(DAYS)
    mid = np.round(35_000 * np.exp(rng.normal(0, 1e-3, n).cumsum()))
    ticks = np.where(rng.random(n) < share, 1.0, np.ceil(np.exp(rng.normal(middle, spread, n))))
    bid = np.floor(mid - ticks / 2)
    return {"bid_px_1": bid / 100, "ask_px_1": (bid + ticks) / 100}


@pytest.mark.slow
@pytest.mark.parametrize(("share", "middle", "spread"), [(0.75, 3.0, 1.2), (0.9, 4.0, 0.5), (0.6, 5.0, 1.0)])
def test_levels_stand_in_for_a_law_that_does_not_fit(
    tmp_path: Path, share: float, middle: float, spread: float
) -> None:
    table = frame(minutes=240, days=DAYS).assign(**mostly_one_tick(share, middle, spread))
    found = calibrate(read_bars(written(tmp_path / "b.parquet", table), "ZZZ"), episodes=500)
    assert found.market["spread"]["model"] == "markov"
    assert any("the spread does not fit a log-normal law with a floor" in note for note in found.notes)
    rows = {row["statistic"]: row for row in found.table.to_pylist()}
    for name in ("spread, mean", "spread, sd of the log", "volume, mean", "move, sd"):
        assert rows[name]["simulated"] == pytest.approx(rows[name]["data"], rel=0.08), name
    SyntheticMarket.model_validate(tomllib.loads(found.to_toml())["market"])


def test_a_spread_that_fits_stays_log_normal(tmp_path: Path) -> None:
    table = frame(minutes=240, days=DAYS)
    ticks = np.ceil(np.exp(np.random.default_rng(1).normal(2.0, 0.4, len(table))))
    table["ask_px_1"] = table["bid_px_1"] + ticks / 100
    found = calibrate(read_bars(written(tmp_path / "b.parquet", table), "ZZZ"), episodes=200)
    assert found.market["spread"]["model"] == "mean_reverting"
    assert not any("does not" in note for note in found.notes)


def test_the_chain_is_counted() -> None:
    """Against levels and transitions counted one by one."""
    rng = np.random.default_rng(2)
    ticks = rng.choice([1.0, 4.0, 9.0], p=[0.8, 0.15, 0.05], size=(30, 400))
    ticks[3, 100:120] = np.nan
    chain = chain_of(ticks * 1e-4, 1e-4)
    assert chain["levels"] == pytest.approx([1e-4, 4e-4, 9e-4])
    counts = {(a, b): 0 for a in (1, 4, 9) for b in (1, 4, 9)}
    for day in ticks.tolist():
        for a, b in zip(day, day[1:], strict=False):
            if a == a and b == b:
                counts[(int(a), int(b))] += 1
    for i, a in enumerate((1, 4, 9)):
        whole = sum(counts[(a, b)] for b in (1, 4, 9))
        assert chain["transition"][i] == pytest.approx([counts[(a, b)] / whole for b in (1, 4, 9)], abs=1e-3)
        assert abs(sum(chain["transition"][i]) - 1.0) < 1e-9
    assert (levels_of(ticks * 1e-4, 1e-4)[3, 100:120] == -1).all()


def test_values_outside_the_limits_are_a_line_about_the_data(tmp_path: Path) -> None:
    table = frame(minutes=60, days=DAYS)
    rng = np.random.default_rng(3)
    mid = np.exp(rng.normal(0.0, 3.0, len(table))) * 50  # moves of several hundred percent
    table = table.assign(bid_px_1=mid * 0.999, ask_px_1=mid * 1.001)
    bars = read_bars(written(tmp_path / "b.parquet", table), "ZZZ")
    assert session_of(bars).days
    with pytest.raises(InputError) as caught:
        calibrate(bars, episodes=200)
    line = str(caught.value)
    assert line.startswith("the data do not fit the model: market.price.volatility")
    assert "\n" not in line


@pytest.mark.parametrize(
    "factors",
    [(1.0, 3.0, 20.0), *(pytest.param(one, marks=pytest.mark.slow) for one in ((1.0, 30.0), (1.0, 1.0, 1.0, 50.0)))],
)
def test_the_mean_volume_is_that_of_the_days_however_much_they_differ(
    tmp_path: Path, factors: tuple[float, ...]
) -> None:
    path = write_bars(tmp_path / "b.parquet", len(factors), volume=lambda b: b["volume"] * np.repeat(factors, 40))
    bars = read_bars(path, "S")
    market = fit(session_of(bars).panel, 1, 0.01).market()
    mean = np.nanmean(session_of(bars).panel.volume)
    assert market["volume"]["mean"] == pytest.approx(mean, rel=2e-3)


@pytest.mark.parametrize("spread", [4.0, *(pytest.param(one, marks=pytest.mark.slow) for one in (0.5, 37.0))])
def test_a_given_spread_has_no_statistics_made_of_rounding(tmp_path: Path, spread: float) -> None:
    found = calibrate(read_bars(write_bars(tmp_path / "b.parquet"), "S", spread=spread), episodes=500)
    assert any("the spread never varies" in note for note in found.notes)
    rows = {row["statistic"]: row for row in found.table.to_pylist()}
    for name in ("spread, mean", "spread, median", "spread, 95 %"):
        assert (rows[name]["difference"], rows[name]["standard_error"], rows[name]["within"]) == (0.0, 0.0, True)
        assert rows[name]["data"] == pytest.approx(spread, rel=1e-9)
    assert rows["spread, sd of the log"]["data"] is None
