"""Windows of real days: which quote belongs to which step, where windows begin, what the other days lead to expect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastexec.data.bars import Bars, read_bars
from fastexec.data.replay import ReplayWindows, Wanted, replay_windows as cut_windows
from fastexec.errors import InputError

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = DATA / "us_bars_1min.parquet"
needs_data = pytest.mark.skipif(not REAL.exists(), reason="no sample of real bars beside the project")
OPEN = 34_200
MONDAY, TUESDAY, WEDNESDAY = 20131007, 20131008, 20131009


def replay_windows(bars: Bars, steps: int, stride: int, **wanted: Any) -> ReplayWindows:
    return cut_windows(bars, steps, stride, Wanted(**wanted))


def bars_of(days: dict[int, Sequence[int]], seed: int = 5, **changes: Any) -> Bars:
    """Bars at the given minutes of each day, with random quotes and volumes."""
    day = np.repeat(list(days), [len(minutes) for minutes in days.values()]).astype(np.int32)
    minute = np.concatenate([np.asarray(minutes) for minutes in days.values()])
    rng = np.random.default_rng(seed)
    middle = 100.0 + rng.normal(size=day.size).cumsum() * 0.05
    half = rng.uniform(0.005, 0.03, day.size)
    arrays: dict[str, Any] = {
        "bid": middle - half,
        "ask": middle + half,
        "volume": rng.integers(1, 1_000, day.size).astype(float),
    }
    second = (OPEN + 60 * minute).astype(np.int32)
    return Bars(
        **{"source": "b", "symbol": "S", "sha256": "", "day": day, "second": second, "tick": 0.01} | arrays | changes
    )


def naive_steps(bars: Bars, days: Sequence[int]) -> dict[int, list[tuple[float, float, float]]]:
    """For each time of day the (volume, spread, squared move) of the days, by plain loops."""
    found: dict[int, list[tuple[float, float, float]]] = {}
    for i in range(1, bars.day.size):
        if bars.day[i] == bars.day[i - 1] and bars.second[i] == bars.second[i - 1] + 60 and bars.day[i] in days:
            before, after = (0.5 * (bars.bid[j] + bars.ask[j]) for j in (i - 1, i))
            spread = (bars.ask[i - 1] - bars.bid[i - 1]) / before
            found.setdefault(int(bars.second[i]), []).append((bars.volume[i], spread, (after / before - 1) ** 2))
    return found


def refusal(bars: Bars, *arguments: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        replay_windows(bars, *arguments, **options)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_which_quote_belongs_to_which_step(tmp_path: Path) -> None:
    """Four bars make three steps: each trades at the closing quotes of the bar before, in its own bar's volume."""
    path = tmp_path / "four.parquet"
    table = {
        "symbol": ["S"] * 4,
        "date": [MONDAY] * 4,
        "sec": [34_200, 34_260, 34_320, 34_380],
        "volume": [11.0, 22.0, 33.0, 44.0],
        "bid_px_1": [99.0, 199.0, 299.0, 399.0],
        "ask_px_1": [101.0, 203.0, 305.0, 407.0],
    }
    pq.write_table(pa.table(table), path)
    windows = replay_windows(read_bars(path, "S"), 3, 3)
    np.testing.assert_array_equal(windows.paths.mid, [[100.0, 201.0, 302.0]])
    np.testing.assert_array_equal(windows.paths.spread, [[2 / 100, 4 / 201, 6 / 302]])
    np.testing.assert_array_equal(windows.paths.volume, [[22.0, 33.0, 44.0]])
    np.testing.assert_array_equal(windows.paths.arrival, [100.0])
    np.testing.assert_array_equal(windows.paths.last_mid, [403.0])
    assert (windows.day.tolist(), windows.start_second.tolist(), windows.step_seconds) == ([MONDAY], [34_260], 60)
    assert len(windows.sha256) == 64

    shorter = replay_windows(read_bars(path, "S"), 2, 1)
    np.testing.assert_array_equal(shorter.paths.mid, [[100.0, 201.0], [201.0, 302.0]])
    np.testing.assert_array_equal(shorter.paths.volume, [[22.0, 33.0], [33.0, 44.0]])
    np.testing.assert_array_equal(shorter.paths.last_mid, [302.0, 403.0])


@pytest.mark.parametrize(
    ("steps", "stride", "starts"), [(3, 3, [1, 4, 7]), (3, 2, [1, 3, 5, 7]), (4, 9, [1]), (9, 1, [1])]
)
def test_where_windows_begin(steps: int, stride: int, starts: list[int]) -> None:
    windows = replay_windows(bars_of({MONDAY: range(10), TUESDAY: range(10)}), steps, stride)
    assert windows.day.tolist() == [MONDAY] * len(starts) + [TUESDAY] * len(starts)
    assert windows.start_second.tolist() == [OPEN + 60 * minute for minute in starts] * 2


def test_no_window_crosses_a_gap() -> None:
    minutes = [0, 1, 2, 3, 4, 7, 8, 9, 10, 12]  # runs of 5, 4 and 1 bars
    windows = replay_windows(bars_of({MONDAY: minutes, TUESDAY: range(13)}), 2, 2, days=(MONDAY,))
    assert ((windows.start_second - OPEN) // 60).tolist() == [1, 3, 8]
    assert windows.warnings == (f"gaps in the bars of {MONDAY}: no window crosses one",)


def test_windows_of_a_day_do_not_depend_on_other_days() -> None:
    bars = bars_of({MONDAY: range(10), TUESDAY: range(12), WEDNESDAY: range(10)})
    every, one = replay_windows(bars, 3, 2), replay_windows(bars, 3, 2, days=(TUESDAY,))
    at = every.day == TUESDAY
    np.testing.assert_array_equal(every.paths.mid[at], one.paths.mid)
    np.testing.assert_array_equal(every.expected_volume[at], one.expected_volume)
    np.testing.assert_array_equal(every.expected_volatility[at], one.expected_volatility)


def test_expectations_come_from_all_other_days() -> None:
    bars = bars_of({MONDAY: range(10), TUESDAY: [0, 1, 2, 3, 5, 6, 7, 8, 9], WEDNESDAY: range(10)})
    windows = replay_windows(bars, 4, 4)
    assert windows.day.tolist() == [MONDAY, MONDAY, TUESDAY, WEDNESDAY, WEDNESDAY]
    for e, day in enumerate(windows.day.tolist()):
        curve = naive_steps(bars, {MONDAY, TUESDAY, WEDNESDAY} - {day})
        times = (windows.start_second[e] + 60 * np.arange(4)).tolist()
        np.testing.assert_allclose(
            windows.expected_volume[e], [np.mean([x[0] for x in curve[t]]) for t in times], 1e-14
        )
        np.testing.assert_allclose(
            windows.expected_spread[e], [np.mean([x[1] for x in curve[t]]) for t in times], 1e-14
        )
        squares = np.mean([x[2] for t in times for x in curve[t]])
        np.testing.assert_allclose(windows.expected_volatility[e], np.full(4, np.sqrt(squares)), 1e-14)


def test_given_curve_days_are_used() -> None:
    bars = bars_of({MONDAY: range(10), TUESDAY: range(10), WEDNESDAY: range(10)})
    windows = replay_windows(bars, 9, 9, days=(MONDAY,), curve_days=(WEDNESDAY,))
    np.testing.assert_array_equal(windows.expected_volume, bars.volume[None, 21:])
    np.testing.assert_array_equal(windows.expected_spread, bars.spread[None, 20:29])
    assert windows.warnings == ()


def test_nothing_of_the_replayed_day_enters_its_expectations() -> None:
    bars = bars_of({MONDAY: range(10), TUESDAY: range(10)})
    other = bars_of({MONDAY: range(10), TUESDAY: range(10)}, volume=np.where(bars.day == MONDAY, 7.0, bars.volume))
    first, second = (replay_windows(x, 3, 3, days=(MONDAY,)) for x in (bars, other))
    assert not np.array_equal(first.paths.volume, second.paths.volume)
    np.testing.assert_array_equal(first.expected_volume, second.expected_volume)


def test_curve_and_replayed_days_that_overlap_are_told() -> None:
    bars = bars_of({MONDAY: range(10), TUESDAY: range(10)})
    line = f"curve and replayed days overlap ({MONDAY}): there the schedules know the volume that they will meet"
    assert replay_windows(bars, 3, 3, curve_days=(MONDAY,)).warnings == (line,)
    alone = replay_windows(bars_of({MONDAY: range(10)}), 3, 3)
    assert alone.warnings == (line,)
    np.testing.assert_array_equal(alone.expected_volume, alone.paths.volume)


def test_times_of_day_that_no_curve_day_has() -> None:
    """The mean of the window's other steps, or of the whole curve, stands in."""
    bars = bars_of({MONDAY: range(10), TUESDAY: range(6)})
    windows = replay_windows(bars, 3, 3, days=(MONDAY,))
    curve = bars.volume[11:]
    np.testing.assert_array_equal(windows.expected_volume[0], curve[:3])
    np.testing.assert_allclose(windows.expected_volume[1], [curve[3], curve[4], curve[3:].mean()], 1e-15)
    np.testing.assert_allclose(windows.expected_volume[2], [curve.mean()] * 3, 1e-15)
    moves = np.diff(bars.mid[10:]) / bars.mid[10:-1]
    np.testing.assert_allclose(windows.expected_volatility[2], np.sqrt(np.mean(moves**2)), 1e-12)
    assert windows.warnings == (
        "at a time that no curve day has: 4 steps of 2 windows; the mean of the window's other steps, or of the "
        "curve, stands in",
    )


def test_a_curve_without_volume_at_the_windows_times() -> None:
    volume = np.array([5.0] * 10 + [9.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, 3.0])
    windows = replay_windows(bars_of({MONDAY: range(10), TUESDAY: range(10)}, volume=volume), 3, 3, days=(MONDAY,))
    np.testing.assert_array_equal(windows.expected_volume, [[1.0, 1.0, 1.0], [6.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    assert windows.warnings == (
        "at times at which the curve's days have no volume: 1 window; their mean volume stands in",
    )


def test_a_curve_without_any_volume() -> None:
    bars = bars_of({MONDAY: range(4), TUESDAY: range(4)}, volume=np.array([1.0] * 4 + [2.0, 0.0, 0.0, 0.0]))
    assert refusal(bars, 3, 3) == "b, 'S': no volume on the curve's days; name others in market.curve_days"


def test_a_curve_without_steps() -> None:
    bars = bars_of({MONDAY: range(4), TUESDAY: [0, 2]})
    line = refusal(bars, 3, 3, days=(MONDAY,), curve_days=(TUESDAY,))
    assert line == "b, 'S': no step on the curve's days; name others in market.curve_days"


def test_short_days_are_left_out_and_told() -> None:
    bars = bars_of({MONDAY: range(10), TUESDAY: range(4), WEDNESDAY: [0]})
    windows = replay_windows(bars, 4, 4)
    assert windows.day.tolist() == [MONDAY, MONDAY]
    assert windows.warnings[0] == f"too short for a window and left out: {TUESDAY}, {WEDNESDAY}"


def test_no_day_holds_a_window() -> None:
    line = refusal(bars_of({MONDAY: range(4), TUESDAY: [0, 1, 2, 4, 5]}), 4, 4)
    assert line == (
        "b, 'S': a window of 4 steps needs 5 bars of one day without a gap, and the replayed days hold at most 4; make "
        "order.steps smaller"
    )
    assert refusal(bars_of({MONDAY: [0], TUESDAY: [0]}), 1, 1).startswith("b, 'S': the replayed days have one bar each")


def test_days_with_bars_of_another_length() -> None:
    bars = bars_of({MONDAY: range(6), TUESDAY: range(0, 12, 2)})
    line = f"b, 'S': bars of 60 s on day {MONDAY}, of 120 s on day {TUESDAY}; replay days of one kind, by market.days"
    assert refusal(bars, 2, 2) == line
    assert replay_windows(bars, 2, 2, days=(TUESDAY,)).step_seconds == 120


@pytest.mark.parametrize("key", ["days", "curve_days"])
def test_days_that_are_not_there(key: str) -> None:
    bars = bars_of({MONDAY: range(4), TUESDAY: range(4)})
    line = refusal(bars, 3, 3, **{key: (MONDAY, 20131012, 20131005)})
    assert line == (f"b, 'S': no day 20131005, 20131012, which market.{key} names; the days are {MONDAY}, {TUESDAY}")


def test_a_day_that_cannot_be_used() -> None:
    bars = bars_of({MONDAY: range(4), TUESDAY: range(4), WEDNESDAY: range(4)}, faults={TUESDAY: "no quotes"})
    assert refusal(bars, 3, 3) == "b, 'S', day 20131008: no quotes; leave it out: name the days to use in market.days"
    assert (
        refusal(bars, 3, 3, days=(TUESDAY,))
        == "b, 'S', day 20131008: no quotes; leave it out: name the days to use in market.days"
    )
    line = refusal(bars, 3, 3, days=(MONDAY,), curve_days=(TUESDAY,))
    assert line == "b, 'S', day 20131008: no quotes; leave it out: name the days to use in market.curve_days"
    windows = replay_windows(bars, 3, 3, days=(MONDAY,))
    np.testing.assert_array_equal(windows.expected_volume, bars.volume[None, 9:])
    assert windows.warnings == (f"left out of the curve, for they cannot be used: {TUESDAY}",)


def test_locked_quotes_are_told() -> None:
    bars = bars_of({MONDAY: range(200), TUESDAY: range(200)}, locked=2, crossed=1)
    assert replay_windows(bars, 3, 3).warnings == (
        "S: 2 locked and 1 crossed quotes (0.75 % of its bars) are read as one tick (0.01) wide",
    )


@needs_data
def test_ibm_has_six_hours_a_day() -> None:
    """A day of 390 bars has 389 steps: six windows of 60, and 29 steps are left."""
    bars = read_bars(REAL, "IBM")
    windows = replay_windows(bars, 60, 60)
    days, counts = np.unique(windows.day, return_counts=True)
    assert days.tolist() == [20131004, 20131007, 20131008, 20131009, 20131010]
    assert counts.tolist() == [6] * 5
    assert windows.start_second[:6].tolist() == [34_260 + 3_600 * j for j in range(6)]
    assert windows.warnings == (
        "closing auction: 5 bars of 15:59:00 left out of the windows (15 times the volume of the minutes before); "
        "market.auction = true takes them in",
        "bars with quotes and no volume: 1; orders may cross there, their impact by the volume that other days lead to expect",
    )
    # The sample's own description measures 2.59 bps of spread, 4.10 bps of volatility and 9.3 thousand shares a minute.
    assert 1e4 * windows.expected_spread.mean() == pytest.approx(2.59, rel=0.1)
    assert 1e4 * np.sqrt((windows.expected_volatility**2).mean()) == pytest.approx(4.10, rel=0.1)
    assert windows.expected_volume.mean() == pytest.approx(9_300, rel=0.1)


@needs_data
def test_a_real_half_day_gives_fewer_windows() -> None:
    bars = read_bars(REAL, "GOOG")
    assert "20151223: 390 of 390 bars have no positive bid and ask" in refusal(bars, 60, 60)
    windows = replay_windows(bars, 60, 60, days=(20151224, 20151228))
    assert np.unique(windows.day, return_counts=True)[1].tolist() == [3, 6]
    assert any(line.endswith("cannot be used: 20151223") for line in windows.warnings)
