"""The closing auction's bar: found by one definition, no part of replayed windows unless asked for by name, and said."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import data_file
from fastexec.calibration.panel import session_of
from fastexec.data.auctions import closing_auction
from fastexec.data.bars import read_bars
from fastexec.data.replay import Wanted, replay_windows
from fastexec.errors import InputError
from fastexec.runs.check import examine
from fastexec.runs.run import run
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive.real_days import closing_auctions
from real_days import OPEN, some_days, write
from test_empty_bars import check_against_twin, study_of

LENGTH, LAST = 60, OPEN + 60 * 59
LINE = (
    "closing auction: {bars} left out of the windows ({times} times the volume of the minutes before); market.auction = true "
    "takes {them} in"
)


def found_in(days, path):
    bars = read_bars(write(days, path), "S")
    auction = closing_auction(bars, days[20131007][1].second - days[20131007][0].second)
    rows = [] if auction is None else np.flatnonzero(auction.rows).tolist()
    assert {(int(bars.day[i]), int(bars.second[i])) for i in rows} == closing_auctions(days)
    return auction, rows


def spaced(days, seconds):
    """The same bars with another spacing."""
    return {day: [bar._replace(second=OPEN + seconds * t) for t, bar in enumerate(bars)] for day, bars in days.items()}


@pytest.mark.parametrize("spacing", [1, 60, 300])
def test_found_whatever_a_bar_lasts(tmp_path, spacing):
    days = spaced(some_days(1, [LENGTH] * 3, 0.1, 15.0), spacing)
    auction, rows = found_in(days, tmp_path / "b.parquet")
    assert rows == [59, 119, 179]
    assert auction.second == OPEN + spacing * 59
    assert 10.0 < auction.factor < 25.0


def test_a_half_day_has_one_of_its_own_and_a_day_cut_short_has_none(tmp_path):
    days = some_days(2, [LENGTH, 40, LENGTH, 45, LENGTH], 0.0, 15.0)
    cut = days[20131010]
    cut[-1] = cut[-1]._replace(volume=1_000.0)
    auction, rows = found_in(days, tmp_path / "b.parquet")
    assert rows == [59, 99, 159, 159 + 45 + 60]
    assert auction.second == LAST


def test_days_of_other_bars_do_not_count(tmp_path):
    days = some_days(9, [LENGTH] * 5, 0.0, 15.0)
    days = {day: bars[::2] if day > 20131008 else bars for day, bars in days.items()}
    auction = closing_auction(read_bars(write(days, tmp_path / "b.parquet"), "S"), 60)
    assert np.flatnonzero(auction.rows).tolist() == [59, 119]


@pytest.mark.parametrize("of", ["none", "few days", "short days", "round the clock"])
def test_not_found_where_there_is_none(tmp_path, of):
    lengths = {"short days": [30] * 3, "round the clock": [1_400] * 3}.get(of, [LENGTH] * 5)
    days = some_days(3, lengths, 0.0, 0.0 if of == "none" else 15.0)
    if of == "few days":
        for day in list(days)[:3]:
            days[day][-1] = days[day][-1]._replace(volume=900.0)
    bars = [[bar._replace(second=60 * t) for t, bar in enumerate(day)] for day in days.values()]
    days = {day[0].day: day for day in bars}
    assert closing_auction(read_bars(write(days, tmp_path / "b.parquet"), "S"), 60) is None


@pytest.mark.parametrize("lengths", [[LENGTH] * 4, [LENGTH, 45, LENGTH], [LENGTH]])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_nobody_trades_in_it_unless_asked(tmp_path, lengths, side):
    """VWAP traded 7 % and POV 15 % of the order in such a bar, without a word."""
    days = some_days(4, lengths, 0.1, 15.0)
    path = write(days, tmp_path / "b.parquet")
    study = study_of(path, 29, side=side, shares=20_000, lot=0)
    if len(lengths) > 1:
        check_against_twin(study, days)
        check_against_twin(study.changed({"market": study.market.model_dump() | {"auction": True}}), days, auction=True)
    out = replay_windows(read_bars(path, "S"), 29, 29)
    auctions = closing_auctions(days)
    assert not any(
        (int(day), int(first) + 60 * t) in auctions
        for day, first in zip(out.day, out.start_second, strict=True)
        for t in range(29)
    )


def test_what_was_left_out_is_said_by_check_and_run_in_one_line(tmp_path):
    days = some_days(5, [LENGTH, 45, LENGTH], 0.0, 15.0)
    write(days, tmp_path / "b.parquet")
    data = study_of("b.parquet", 29).model_dump()
    factor = f"{closing_auction(read_bars(tmp_path / 'b.parquet', 'S'), 60).factor:.0f}"
    line = LINE.format(bars="2 bars of 10:29:00, 1 bar of 10:14:00", times=factor, them="them")
    study = Study.from_dict(data, folder=tmp_path)
    assert line in examine(study).warnings
    assert line in run(study, out=tmp_path / "r").warnings
    asked = Study.from_dict(data | {"market": data["market"] | {"auction": True}}, folder=tmp_path)
    for later in (asked, study.with_overrides(['market.times="09:30-10:00"'])):
        assert not any("auction" in warning for warning in examine(later).warnings)
    one = study.with_overrides(["market.days=[20131008]"])
    assert LINE.format(bars="1 bar of 10:14:00", times=factor, them="it") in prepare(one).warnings


def test_a_window_as_long_as_the_day_names_the_bar_that_it_lacks(tmp_path):
    path = write(some_days(6, [LENGTH] * 3, 0.0, 15.0), tmp_path / "b.parquet")
    with pytest.raises(InputError) as caught:
        simulate(study_of(path, 59))
    assert str(caught.value) == (
        f"{path}, 'S': a window of 59 steps needs 60 bars of one day without a gap, and the replayed days hold at most 59, the "
        "closing auction's of 10:29:00 left out; make order.steps smaller, or take that one in by market.auction = true"
    )
    assert simulate(study_of(path, 59, {"auction": True})).markets["episode"].size == 3


def test_bootstrapped_days_do_without_it(tmp_path):
    days = some_days(7, [LENGTH] * 3, 0.0, 40.0)
    path = write(days, tmp_path / "b.parquet")
    volumes = {}
    for auction in (False, True):
        market = {"model": "bootstrap", "block": 3.0, "auction": auction}
        study = study_of(path, 29, market | {"stride": 30}, shares=2_000).changed({"episodes": 500})
        volumes[auction] = prepare(study).steps(0, 500)["volume"].max()
    assert volumes[False] < 1_500.0 < 40_000.0 == volumes[True]


def test_windows_do_not_hang_on_the_bar_that_is_left_out(tmp_path):
    """Quotes, volumes and expectations of all other steps are the same bits with and without it."""
    bars = read_bars(write(some_days(8, [LENGTH] * 4, 0.2, 15.0), tmp_path / "b.parquet"), "S")
    without, whole = (replay_windows(bars, 29, 29, Wanted(auction=auction)) for auction in (False, True))
    assert (without.day.size, whole.day.size) == (8, 8)
    for name in ("mid", "spread", "volume", "last_mid"):
        np.testing.assert_array_equal(getattr(without.paths, name), getattr(whole.paths, name))
    for name in ("expected_volume", "expected_spread", "expected_volatility", "rate_volume"):
        np.testing.assert_array_equal(getattr(without, name), getattr(whole, name))


def test_real_days():
    """The NYSE's and Nasdaq's bars of 15:59 and, on Christmas Eve, of 12:59; calibration leaves out the same."""
    path = data_file("us_bars_1min.parquet")
    for symbol, factor in (("IBM", 15), ("AIG", 16), ("BAC", 15), ("AAPL", 13)):
        bars = read_bars(path, symbol)
        auction = closing_auction(bars, 60)
        assert (auction.second, round(auction.factor)) == (57_540, factor)
        assert (bars.second[auction.rows] == 57_540).all()
        note = f"the bar of 15:59:00 holds a closing auction ({factor} times the volume of the minutes before)"
        assert any(note in line for line in session_of(bars).notes)
        with pytest.raises(InputError, match="hold at most 389, the closing auction's of 15:59:00 left out"):
            replay_windows(bars, 389, 389)
        assert replay_windows(bars, 388, 388).day.size == np.unique(bars.day).size
    google = closing_auction(read_bars(path, "GOOG"), 60)
    assert set(read_bars(path, "GOOG").second[google.rows].tolist()) == {46_740, 57_540}
    crypto = data_file("crypto_bars_1min.parquet")
    assert closing_auction(read_bars(crypto, "coinbase:BTCUSD"), 60) is None
