"""Windows within times of day, curves from earlier days only, and what is said of keys that cannot be met."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.data.bars import read_bars
from fastexec.data.replay import Wanted, replay_windows
from fastexec.errors import InputError
from fastexec.models.study import StudyModel
from fastexec.simulation import prepare, simulate
from fastexec.studies.study import Study
from naive.real_days import windows as naive_windows
from real_days import OPEN, halted, some_days, write
from test_empty_bars import check_against_twin, study_of

DAYS = (20131007, 20131008, 20131009, 20131010)


@pytest.fixture(scope="module")
def days():
    """Four days from 09:30 to 10:30, the second shorter."""
    return some_days(11, [61, 40, 61, 61], 0.1)


@pytest.fixture(scope="module")
def path(days, tmp_path_factory):
    return write(days, tmp_path_factory.mktemp("bars") / "b.parquet")


@pytest.mark.parametrize(
    ("times", "first", "count"),
    [("09:40-10:00", 600, 20), ("9:30-10:31", 60, 60), ("00:00-24:00", 60, 60), ("09:45-09:46", 900, 1)],
)
def test_windows_lie_within_the_times(path, days, times, first, count):
    """The first begins with the first bar inside, at the quotes that the bar before left; the last ends before the end."""
    for steps in {1, count}:
        found = prepare(study_of(path, steps, {"times": times, "days": [20131009]})).windows
        assert (found.start_second - OPEN).tolist() == [first + 60 * steps * j for j in range(count // steps)]
        at = first // 60
        bar, before = days[20131009][at], days[20131009][at - 1]
        assert found.paths.volume[0, 0] == bar.volume
        assert found.paths.arrival[0] == before.mid
    h0, m0, h1, m1 = (int(x) for part in times.split("-") for x in part.split(":"))
    between = (3600 * h0 + 60 * m0, 3600 * h1 + 60 * m1)
    check_against_twin(study_of(path, count, {"times": times}, lot=0), days, times=between)


def test_stride_counts_from_the_first_bar_inside(path):
    bars = read_bars(path, "S")
    found = replay_windows(bars, 5, 7, Wanted(days=(20131007,), times=(OPEN + 600, OPEN + 1_800)))
    assert ((found.start_second - OPEN) // 60).tolist() == [10, 17, 24]
    gap = np.delete(np.arange(61), 20)
    cut = write({20131007: [some_days(11, [61])[20131007][t] for t in gap]}, path.parent / "gap.parquet")
    found = replay_windows(read_bars(cut, "S"), 5, 5, Wanted(times=(OPEN + 900, OPEN + 1_800)))
    assert ((found.start_second - OPEN) // 60).tolist() == [15, 22]


def test_bootstrap_within_the_times(path):
    market = {"model": "bootstrap", "block": 4.0, "times": "09:40-10:00"}
    volumes = prepare(study_of(path, 10, market).changed({"episodes": 300})).steps(0, 300)["volume"]
    bars = read_bars(path, "S")
    inside = (bars.second >= OPEN + 600) & (bars.second < OPEN + 1_800)
    assert set(volumes.tolist()) <= set(bars.volume[inside].tolist())


@pytest.mark.parametrize(
    "times", ["11:30-10:30", "10:30-10:30", "25:00-26:00", "10:30", "10:60-11:00", "10:30-11:30 America/New_York",
              "10:30-11:30+02:00", "10:30:00-11:30:00", "", "١٠:٣٠-١١:٣٠"],
)  # fmt: skip
def test_times_that_are_none(path, times):
    with pytest.raises(InputError) as caught:
        Study.from_dict(study_of(path, 5).model_dump() | {"market": market_of(path, times=times)})
    assert str(caught.value) == f"study: market.times: {times!r} is no part of a day; write for example 10:30-11:30"


def market_of(path, **keys):
    return {"model": "replay", "bars": str(path), "symbol": "S", **keys}


def test_a_number_is_no_time(path):
    with pytest.raises(InputError, match=r"study: market\.times: must be a text, not 1030"):
        Study.from_dict(study_of(path, 5).model_dump() | {"market": market_of(path, times=1030)})


def test_keys_of_real_days_are_unknown_elsewhere(path):
    for key, value in (("times", "10:30-11:30"), ("auction", True), ("curve_days", "earlier")):
        with pytest.raises(InputError, match=f"study: market.{key}: unknown key"):
            Study.from_dict({"market": {key: value}, "strategies": [{"model": "twap"}]})


@pytest.mark.parametrize(
    ("steps", "times", "held"),
    [(11, "09:40-09:50", 11), (1, "12:00-13:00", 1), (1, "09:30-09:31", 1), (3, "09:30-09:33", 3)],
)
def test_no_window_within_the_times(path, steps, times, held):
    with pytest.raises(InputError) as caught:
        simulate(study_of(path, steps, {"times": times}))
    assert str(caught.value) == (
        f"{path}, 'S': a window of {steps} steps needs {steps + 1} bars of one day without a gap, and the replayed days hold "
        f"at most {held}, the first of them before market.times = {times}; make order.steps smaller, or market.times longer"
    )


def test_earlier_days_only(path, days):
    """The first day has none before it and is left out, in a line; nothing of later days is in any expectation."""
    study = study_of(path, 20, {"curve_days": "earlier"}, lot=0)
    check_against_twin(study, days, earlier=True)
    found = prepare(study)
    assert found.warnings[0] == "left out, for no day before them can be used for curves: 20131007"
    assert np.unique(found.windows.day).tolist() == list(DAYS[1:])
    changed = {d: bars if d < DAYS[3] else [b._replace(volume=9.0) for b in bars] for d, bars in days.items()}
    other = prepare(study_of(write(changed, path.parent / "c.parquet"), 20, {"curve_days": "earlier"}, lot=0))
    np.testing.assert_array_equal(found.windows.expected_volume, other.windows.expected_volume)
    for window, wanted in zip(found.windows.expected_volume, naive_windows(days, 20, earlier=True), strict=True):
        np.testing.assert_allclose(window, wanted.expected, rtol=1e-13)


def test_earlier_days_may_be_others_than_those_replayed(path, days):
    late = prepare(study_of(path, 20, {"curve_days": "earlier", "days": [20131010]}))
    whole = prepare(study_of(path, 20, {"curve_days": "earlier"}))
    np.testing.assert_array_equal(
        late.windows.expected_volume, whole.windows.expected_volume[whole.windows.day == 20131010]
    )
    assert not any("left out" in line for line in late.warnings)


def test_no_earlier_day(path):
    with pytest.raises(InputError) as caught:
        simulate(study_of(path, 20, {"curve_days": "earlier", "days": [20131007]}))
    assert str(caught.value) == (
        f"{path}, 'S': market.curve_days = \"earlier\", but there is no day before 20131007 to take them from; replay later "
        'days, or take "others"'
    )


def test_a_halted_day_is_no_earlier_day(tmp_path, days):
    none = write({**days, 20131007: halted(days[20131007], range(61))}, tmp_path / "b.parquet")
    found = prepare(study_of(none, 20, {"curve_days": "earlier"}))
    assert np.unique(found.windows.day).tolist() == list(DAYS[2:])
    assert "left out, for no day before them can be used for curves: 20131007, 20131008" in found.warnings


def test_bootstrap_takes_days_before_its_first(path, days):
    market = {"model": "bootstrap", "curve_days": "earlier", "days": [20131009, 20131010]}
    found = prepare(study_of(path, 20, market))
    known = [bar for day in DAYS[:2] for bar in days[day][1:]]
    wanted = [np.mean([bar.volume for bar in known if bar.second == OPEN + 60 * t]) for t in range(1, 21)]
    np.testing.assert_allclose(found.windows.expected_volume[0], wanted, rtol=1e-13)
    with pytest.raises(InputError, match="no day before 20131007 to take them from"):
        prepare(study_of(path, 20, {"model": "bootstrap", "curve_days": "earlier"}))


@pytest.mark.parametrize("value", ["later", 5, True, ["20131007"], [1.5]])
def test_curve_days_that_are_none(path, value):
    with pytest.raises(InputError) as caught:
        Study.from_dict(study_of(path, 5).model_dump() | {"market": market_of(path, curve_days=value)})
    line = 'study: market.curve_days: must be "others", "earlier" or a list of days such as 20131004'
    assert str(caught.value) == line


def test_what_is_off_is_not_written(path):
    plain = Study.from_dict(study_of(path, 5).model_dump(), folder=path.parent)
    assert not any(word in plain.to_toml() for word in ("curve_days", "times", "auction"))
    asked = plain.with_overrides(['market.curve_days="earlier"', 'market.times="09:30-10:00"', "market.auction=true"])
    assert StudyModel.model_validate(asked.model_dump()) == StudyModel.model_validate(
        Study.from_toml(asked.to_toml()).model_dump()
    )
    assert asked.identity() != plain.identity()
    assert plain.with_overrides(['market.curve_days="others"']).identity() == plain.identity()
