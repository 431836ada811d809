"""What ``calibrate`` says of costs, which it does not fit, and of few days, which tell little."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import nct, t

from conftest import data_file
from fastexec.calibration.calibrate import calibrate
from fastexec.calibration.comparison import FEW_DAYS, TOO_FEW, in_words
from fastexec.calibration.costs import CostBasis, basis_of, costs_section
from fastexec.calibration.document import seconds_of
from fastexec.calibration.market_fit import fit
from fastexec.calibration.panel import Panel, session_of
from fastexec.data.bars import read_bars
from fastexec.errors import InputError

DAY = {"volatility": 0.02, "daily_volume": 4e6, "price": 50.0}
CALIBRATED = ("large_cap_ibm", "large_cap_aig", "large_tick_bac", "crypto_btc")


@pytest.mark.parametrize(
    ("basis", "turnover", "said"),
    [
        (CostBasis(), 263.0, "that of IBM in the paper, the same for every symbol: --turnover gives this one's"),
        (CostBasis(turnover=100.0), 100.0, "over daily volume 100 (given)"),
        (CostBasis(shares_outstanding=8e8), 200.0, "over daily volume 200 (of the shares outstanding that were given)"),
    ],
)
def test_costs_are_those_of_the_paper_and_say_so(basis: CostBasis, turnover: float, said: str) -> None:
    """Almgren et al. (2005), section 4, with numbers put in by hand."""
    costs, notes = costs_section(basis, **DAY)
    assert costs["temporary"]["coefficient"] == pytest.approx(0.142 * 0.02, rel=1e-5)
    assert costs["temporary"]["exponent"] == 0.6
    assert costs["permanent"]["coefficient"] == pytest.approx(0.314 * 0.02 * 50 / 4e6 * turnover**0.25, rel=1e-5)
    assert said in notes[0]
    assert notes[1].startswith("costs are not fitted to these data, and no statistic here tests them")


def test_given_costs_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "costs.toml"
    path.write_text(
        '[costs.temporary]\nmodel = "linear"\nfixed = 0.01\ncoefficient = 1e-6\n[costs.fees]\nper_share = 0.002\n'
    )
    costs, notes = costs_section(basis_of(None, None, path), **DAY)
    wanted = {"temporary": {"model": "linear", "fixed": 0.01, "coefficient": 1e-6}, "fees": {"per_share": 0.002}}
    assert {key: costs[key] for key in wanted} == wanted
    assert notes == ["costs: given (costs.toml), not fitted to these data, and no statistic here tests them"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("costs = 3", r"has no section \[costs\]"),
        ("[costs", "cannot be read"),
        ("[costs.temporary]\nmodel = 'powr'", "unknown model 'powr'; did you mean 'power'"),
        ("[costs.fees]\nper_shares = 1.0", "did you mean 'per_share'"),
    ],
)
def test_costs_that_are_none_are_refused_in_a_line(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "costs.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        basis_of(None, None, path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"turnover": 0.0}, "--turnover 0.0: must be a number above 0"),
        ({"turnover": float("nan")}, "must be a number above 0"),
        ({"shares_outstanding": -1.0}, "--shares-outstanding -1.0: must be"),
        ({"turnover": 5.0, "shares_outstanding": 1e6}, "--turnover and --shares-outstanding"),
        ({"turnover": 5.0, "costs": {}}, "--turnover and --costs"),
    ],
)
def test_one_basis_of_costs_above_0(given: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        CostBasis(**given)


@pytest.mark.slow
def test_the_command_line_takes_a_turnover(tmp_path: Path) -> None:
    words = ["calibrate", data_file("us_bars_1min.parquet"), "--symbol", "IBM", "--window", "10:30-11:30"]
    options = ["--episodes", "100", "--turnover", "500", "--out", tmp_path / "m.toml"]
    command = [sys.executable, "-P", "-m", "fastexec", *map(str, [*words, *options])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "over daily volume 500 (given)" in done.stdout
    assert TOO_FEW in done.stdout
    written = (tmp_path / "m.toml").read_text()
    assert "# costs are not fitted to these data" in written
    usual = tomllib.loads(files("fastexec").joinpath("studies/presets/large_cap_ibm.toml").read_text("utf-8"))
    ratio = tomllib.loads(written)["costs"]["permanent"]["coefficient"] / usual["costs"]["permanent"]["coefficient"]
    assert ratio == pytest.approx((500 / 263) ** 0.25, rel=1e-3)


def test_few_days_are_those_in_which_a_difference_of_one_sd_is_missed() -> None:
    """Power of a t test of 5 % against a difference as large as the sd between days."""

    def power(days: int) -> float:
        return float(nct.sf(t.ppf(0.975, days - 1), days - 1, np.sqrt(days)))

    assert power(FEW_DAYS - 1) < 0.8 <= power(FEW_DAYS) + 0.005


def test_what_fits_on_few_days_is_not_called_a_fit() -> None:
    assert [in_words(within, True) for within in (True, False, None)] == [TOO_FEW, "NO", None]
    assert [in_words(within, False) for within in (True, False, None)] == ["yes", "NO", None]
    bars = read_bars(data_file("us_bars_1min.parquet"), "IBM")
    found = calibrate(bars, window=seconds_of("10:30-11:30"), episodes=200)
    rows = found.table.to_pylist()
    assert {row["fits"] for row in rows} <= {TOO_FEW, "NO", None}
    assert all((row["fits"] == "NO") == (row["within"] is False) for row in rows)


@pytest.mark.parametrize("name", CALIBRATED)
def test_presets_show_later_days_beside_their_fit(name: str) -> None:
    text = files("fastexec").joinpath(f"studies/presets/{name}.toml").read_text("utf-8")
    (head,) = (line for line in text.splitlines() if line.startswith("# statistic "))
    assert head.endswith("later days: data, simulated, fits")
    (note,) = (line for line in text.splitlines() if line.startswith("# later days: "))
    assert "tested on 2 later days" in note
    table = [line for line in text.splitlines() if line.startswith("# ") and len(line) > 100 and TOO_FEW in line]
    assert len(table) > 10
    assert not [line for line in table if line.split()[-1] == "yes"]
    assert "# costs are not fitted to these data" in text


def test_a_spread_whose_log_varies_too_much_does_not_run_away() -> None:
    """One tick most of the time and far wider at others: no log-normal with a floor at the tick varies as much."""
    rng = np.random.default_rng(4)
    shape = (2, 60)
    wide = np.where(rng.random(shape) < 0.3, 2e-3, 2e-6)
    panel = Panel(
        np.full(shape, 100.0), 1e-3 * rng.standard_normal(shape), wide, np.exp(rng.standard_normal(shape)) * 20
    )
    found = fit(panel, 2, 2e-4, steps_a_round=20_000)
    assert found.spread_sd == 2.5
    assert 0.5 < found.spread_mean / wide.mean() < 2.0


@pytest.mark.slow
def test_the_days_of_bitcoin_calibrate_in_parts() -> None:
    """Its first days in 2017: the sd of the log of their spread is 2.8."""
    bars = read_bars(data_file("crypto_bars_1min.parquet"), "coinbase:BTCUSD")
    window = seconds_of("14:00-15:00")
    days = session_of(bars, window).days
    found = calibrate(bars, window=window, until=days[1], test=True, episodes=200)
    spread = found.market["spread"]
    assert spread["model"] == "markov"  # one tick most of the time: no log-normal law has that
    assert 0.0 < min(spread["levels"]) < max(spread["levels"]) < 0.05
