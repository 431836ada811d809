"""Summaries and paired comparisons against independent recomputation; intervals that cover; conditions."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

import fastexec as fx
from conftest import SMALL
from fastexec.analysis.format import formatted
from fastexec.columns import QUANTILES
from fastexec.errors import InputError
from fastexec.models.costs import PARTS
from fastexec.results import Results
from fastexec.simulation import prepare
from fastexec.statistics.moments import COSTS, summarise
from fastexec.statistics.paired import comparison_table, from_summary
from fastexec.statistics.sketch import RELATIVE_ERROR
from fastexec.statistics.summary import SummaryAccumulator
from fastexec.statistics.verdict import Judge, single
from fastexec.studies.study import Study

EPISODES = 9000


@pytest.fixture(scope="module")
def results():
    return prepare(Study.from_dict({**SMALL, "episodes": EPISODES})).run(0, EPISODES)


def summarised(results, cuts=(0, EPISODES), flags=None):
    accumulator = SummaryAccumulator(results.strategies, ["twap"] * len(results.strategies))
    k = len(results.strategies)
    for low, high in zip(cuts, cuts[1:], strict=False):
        part = Results(
            results.strategies,
            {name: values[low:high] for name, values in results.markets.items()},
            {name: values[low * k : high * k] for name, values in results.episodes.items()},
        )
        accumulator.add(summarise(low, part))
    return accumulator.table(flags or [True] * k)


def by_strategy(results, column):
    return results.episodes[column].reshape(-1, len(results.strategies))


def test_summary_equals_numpy(results):
    rows = summarised(results).to_pylist()
    for part in ("shortfall", *(name for name in PARTS if f"{name}_bps" in results.episodes)):
        x = by_strategy(results, f"{part}_bps")
        np.testing.assert_allclose([r[f"{part}_mean_bps"] for r in rows], x.mean(axis=0), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose([r[f"{part}_sd_bps"] for r in rows], x.std(axis=0, ddof=1), rtol=1e-10, atol=1e-13)
        np.testing.assert_array_equal([r[f"{part}_minimum_bps"] for r in rows], x.min(axis=0))
        np.testing.assert_array_equal([r[f"{part}_maximum_bps"] for r in rows], x.max(axis=0))
        for q in QUANTILES:
            exact = np.sort(x, axis=0)[int(np.floor(q / 100 * (EPISODES - 1)))]
            np.testing.assert_allclose(
                [r[f"{part}_p{q:02d}_bps"] for r in rows], exact, rtol=RELATIVE_ERROR, atol=2.0**-20
            )
    shares = np.repeat(results.markets["order_shares"], len(rows)).reshape(-1, len(rows))
    filled = by_strategy(results, "filled_shares") / shares
    np.testing.assert_allclose([r["filled"] for r in rows], filled.mean(axis=0), rtol=1e-12)
    value = (shares * by_strategy(results, "arrival_price")).mean(axis=0)
    np.testing.assert_allclose([r["order_value"] for r in rows], value, rtol=1e-12)
    x = by_strategy(results, "shortfall_bps")
    tail = np.sort(x, axis=0)[-EPISODES // 20 :].mean(axis=0)
    np.testing.assert_allclose([r["shortfall_cvar95_bps"] for r in rows], tail, rtol=RELATIVE_ERROR)
    both = np.hstack((x, by_strategy(results, "timing_bps")))
    products = np.cov(both.T) * (EPISODES - 1)
    np.testing.assert_allclose([r["shortfall_comoments"] for r in rows], products[: x.shape[1]], rtol=1e-9)
    np.testing.assert_allclose([r["timing_comoments"] for r in rows], products[x.shape[1] :], rtol=1e-9)


@pytest.mark.parametrize(
    "cuts", [range(0, EPISODES + 1, 1000), (0, 1, 4095, 4096, 4097, 8192, EPISODES), (0, 5000, EPISODES)]
)
def test_the_same_bits_for_any_cut(results, cuts):
    assert summarised(results).equals(summarised(results, tuple(cuts)))


def test_comparison_equals_a_paired_test(results):
    table = comparison_table(from_summary(summarised(results)), "vwap").to_pylist()
    x, timing = by_strategy(results, "shortfall_bps"), by_strategy(results, "timing_bps")
    names = results.strategies
    assert [row["strategy"] for row in table] == [n for n in names if n != "vwap"]
    for row in table:
        k, b = names.index(row["strategy"]), names.index("vwap")
        d = x[:, b] - x[:, k]
        expected = stats.ttest_1samp(d, 0).confidence_interval(0.95)
        assert row["saving_bps"] == pytest.approx(d.mean(), rel=1e-9, abs=1e-12)
        assert row["standard_error_bps"] == pytest.approx(d.std(ddof=1) / np.sqrt(EPISODES), rel=1e-8)
        assert (row["ci_low_bps"], row["ci_high_bps"]) == pytest.approx(tuple(expected), rel=1e-6, abs=1e-9)
        assert row["win_rate"] == pytest.approx(np.mean((d > 0) + 0.5 * (d == 0)))
        assert row["episodes_for_0_1_bps"] == pytest.approx((28 * d.std(ddof=1)) ** 2, abs=1)
        c = timing[:, b] - timing[:, k]
        fit = stats.linregress(c, d) if c.std() > 0 else None
        if fit is not None:
            beta = fit.slope
            adjusted = d.mean() - beta * c.mean()
            residual = d - d.mean() - beta * (c - c.mean())
            error = np.sqrt(residual @ residual / (EPISODES - 2) / EPISODES)
            assert row["saving_cv_bps"] == pytest.approx(adjusted, rel=1e-7, abs=1e-9)
            assert row["standard_error_cv_bps"] == pytest.approx(error, rel=1e-5)


def planted(rng, n, saving, noise=1.0):
    """Two strategies whose paired difference has a planted mean; NaN where nothing was traded must not matter."""
    base = rng.normal(10, 20, n)
    cost = np.column_stack((base, base - saving + rng.normal(0, noise, n)))
    zeros = np.zeros(2 * n)
    episodes = {name: zeros for name in COSTS}
    episodes |= {
        "shortfall_bps": cost.ravel(),
        "timing_bps": zeros,
        "filled_shares": zeros + 1,
        "arrival_price": zeros + 100,
        "completion": zeros + 1,
    }
    return Results(["a", "b"], {"order_shares": np.ones(n)}, episodes)


def verdict(results, judge=Judge(), cv=False):  # noqa: B008 - frozen
    """Of strategy b against a."""
    accumulator = SummaryAccumulator(results.strategies, ["twap", "pov"])
    accumulator.add(summarise(0, results))
    return judge.verdict(single(from_summary(accumulator.table([cv, cv])), 0, 1))


def row_of(results, cv=False):
    n = len(results.markets["order_shares"])
    accumulator = SummaryAccumulator(results.strategies, ["twap", "pov"])
    accumulator.add(summarise(0, results))
    assert n == len(results.markets["order_shares"])
    return comparison_table(from_summary(accumulator.table([cv, cv])), "a").to_pylist()[0]


@pytest.mark.slow
def test_intervals_cover_the_planted_saving_95_times_in_100():
    rng = np.random.default_rng(2)
    rows = [row_of(planted(rng, 12, 0.3)) for _ in range(600)]
    covered = np.mean([row["ci_low_bps"] <= 0.3 <= row["ci_high_bps"] for row in rows])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 600)


def test_verdicts():
    rng = np.random.default_rng(1)
    assert verdict(planted(rng, 500, 1.0)) == "cheaper"
    assert verdict(planted(rng, 500, -1.0)) == "dearer"
    assert verdict(planted(rng, 50, 0.0)) == "no difference shown"
    assert verdict(planted(rng, 1, 1.0)) == "no interval"


def test_identical_strategies_save_exactly_nothing():
    same = planted(np.random.default_rng(3), 5000, 0.0, noise=0.0)
    row = row_of(same, cv=True)
    assert (row["saving_bps"], row["standard_error_bps"], row["ci_low_bps"], row["ci_high_bps"]) == (0.0, 0.0, 0.0, 0.0)
    assert (row["saving_cv_bps"], row["standard_error_cv_bps"]) == (0.0, 0.0)
    assert row["win_rate"] == 0.5
    assert row["episodes_for_0_1_bps"] == 0.0
    assert verdict(same, cv=True) == "no difference shown"


def test_one_episode_has_a_saving_and_no_interval():
    row = row_of(planted(np.random.default_rng(3), 1, 1.0))
    assert row["saving_bps"] is not None
    assert row["standard_error_bps"] is None
    assert row["ci_low_bps"] is None
    assert row["episodes_for_0_1_bps"] is None


def test_control_variate_is_null_unless_valid_for_both(results):
    flags = [True, False, True, True, True, True]
    rows = {
        r["strategy"]: r for r in comparison_table(from_summary(summarised(results, flags=flags)), "twap").to_pylist()
    }
    assert rows["vwap"]["saving_cv_bps"] is None
    assert rows["pov10"]["saving_cv_bps"] is not None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("comparison") / "r"
    study = Study.from_dict(
        {**SMALL, "episodes": 5000, "market": {**SMALL["market"], "initial_price": {"low": 50, "high": 150}}}
    )
    fx.run(study, out=place, chunk=2000)
    return place


def test_compare_reads_the_files_alone(folder):
    found = fx.compare(folder)
    assert found.table.equals(
        pq.read_table(folder / "comparison.parquet").replace_schema_metadata(found.table.schema.metadata)
    )
    other = fx.compare(folder, baseline="pov10")
    a = {r["strategy"]: r["saving_bps"] for r in found.table.to_pylist()}
    b = {r["strategy"]: r["saving_bps"] for r in other.table.to_pylist()}
    assert b["twap"] == pytest.approx(-a["pov10"], rel=1e-12)
    assert b["vwap"] == pytest.approx(a["vwap"] - a["pov10"], rel=1e-9)


def test_conditions_split_the_episodes_and_add_up(folder):
    found = fx.compare(folder, by="market_volume:4")
    whole = {r["strategy"]: r for r in fx.compare(folder).table.to_pylist()}
    rows = [r for r in found.table.to_pylist() if r["strategy"] == "pov10"]
    assert len(rows) == 4
    assert sum(r["episodes"] for r in rows) == 5000
    assert all(1200 <= r["episodes"] <= 1300 for r in rows)
    assert sum(r["saving_bps"] * r["episodes"] for r in rows) / 5000 == pytest.approx(
        whole["pov10"]["saving_bps"], rel=1e-9
    )
    assert all(r["saving_cv_bps"] is None for r in rows)  # formed by what the path did later
    arrival = fx.compare(folder, by="market.initial_price:2").table.to_pylist()
    assert all(r["saving_cv_bps"] is not None for r in arrival)
    assert len(fx.compare(folder, by="side").summaries) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "twp"}, "baseline='twp': no strategy of that name; did you mean 'twap'?"),
        ({"by": "market_volum:4"}, "no column 'market_volum'; did you mean 'market_volume'?"),
        ({"by": "market_volume"}, "more than 32 different values; write market_volume:4"),
        ({"by": "market_volume:x"}, "behind the colon stands the number of groups"),
        ({"by": "market_volume:1"}, "behind the colon stands the number of groups"),
        ({"by": "market_volume:\u00b2"}, "behind the colon stands the number of groups"),
        ({"by": "side:4"}, "side is no number"),
    ],
)
def test_what_is_not_there_is_named(folder, options, message):
    with pytest.raises(InputError) as caught:
        fx.compare(folder, **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folders_without_results(tmp_path, folder):
    with pytest.raises(InputError, match="holds no results"):
        fx.compare(tmp_path)
    (tmp_path / "study.toml").write_text((folder / "study.toml").read_text())
    with pytest.raises(InputError, match="its run is not complete"):
        fx.compare(tmp_path)
    (tmp_path / "manifest.parquet").write_bytes((folder / "manifest.parquet").read_bytes())
    with pytest.raises(InputError, match="summary.parquet: is missing"):
        fx.compare(tmp_path)
    (tmp_path / "summary.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="bytes where the manifest says"):
        fx.compare(tmp_path)
    (tmp_path / "manifest.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match="is damaged, or no manifest"):
        fx.compare(tmp_path)


def test_formats(folder):
    found = fx.compare(folder)
    data = json.loads(formatted(found.table, "json", {"baseline": found.baseline, "notes": found.notes}))
    assert data["baseline"] == "twap"
    assert len(data["rows"]) == 5
    assert data["rows"][0]["optimum_bps"] is None
    lines = formatted(found.table, "csv", {}).splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("strategy,baseline,metric,episodes,saving_bps")
    assert formatted(found.table, "markdown", {}).count("\n") == 7
    assert "did not finish" in " ".join(found.notes)
    assert "control" in " ".join(found.notes)
