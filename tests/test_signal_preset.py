"""Preset `signal`: its worth by a recursion of its own, what its agents save, and the script that shows ten seeds."""

from __future__ import annotations

import importlib
import math
import re

import numpy as np
import pytest

from conftest import ROOT
from fastexec.learning.optimum import solve_optimum
from fastexec.learning.unknown import why_unknown
from fastexec.planning.expectation import expect
from fastexec.planning.static_cost import schedule_cost
from fastexec.studies.study import Study
from naive import signals as twin
from naive.foreseen import least_cost

BLIND = 3.6 + 10.0 * 0.15**0.6  # one lot in each third step


def test_a_quarter_of_the_blind_cost_is_at_stake():
    """An independent programme has 6.80 -> 5.10 bps, on a price that takes off nothing for what was foretold."""
    study = Study.preset("signal")
    assert why_unknown(study) is None
    places, chances = twin.rouwenhorst(9, 0.9)
    v, rho = 0.0005, 0.05

    def growth(t, x):
        off = v * rho * 0.9 * (1.0 - 0.9**t) / 0.1
        return math.exp(v * rho * (places[x] - off) - 0.5 * v * v * rho * rho)

    def paid(t, x, q):
        return q / 20.0 * (3.6 + 10.0 * (0.15 * q) ** 0.6)

    levels = least_cost(60, 20, chances, paid, lambda t, x, rest: 500.0 * (growth(t, x) - 1.0) * rest, growth)
    law = [math.comb(8, k) / 256.0 for k in range(9)]
    found = solve_optimum(study).expected_bps
    assert found == pytest.approx(np.dot(law, levels), abs=1e-9)
    assert found == pytest.approx(5.1018 + BLIND - 6.8, abs=0.002)
    static = 1e4 * schedule_cost(study, expect(study)[0], 0.0).of(np.arange(61)[None] / 60.0)
    assert static[0] == pytest.approx(BLIND, abs=1e-9)
    assert 0.1 < 1.0 - found / BLIND < 0.3


@pytest.mark.processes
def test_the_script_shows_each_seed_and_judges_it(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    script = importlib.import_module("verify_preset_signal")
    assert script.main(["--seeds", "1", "--episodes", "20000"]) == 0
    head, row, verdict = capsys.readouterr().out.splitlines()
    assert "captured" in head
    assert re.match(r" +1 +1\.\d{3} +2\d\.\d% +(9\d|100)\.\d\d%", row)
    assert verdict == "all as they should be"
    monkeypatch.setattr(script, "MOST_BY_PRICES", 0.0)
    assert script.main(["--seeds", "1", "--episodes", "20000"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "NOT all as they should be"
