"""Arrow arrays from NumPy's memory: what pyarrow itself would make, and no pandas for it."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from conftest import ROOT
from fastexec.arrow import to_arrow

CASES = {
    "numbers": (np.array([1.5, -2.0, 3.0]), pa.float64(), False),
    "NaN in a column that is never null": (np.array([1.0, np.nan]), pa.float64(), False),
    "narrower": (np.arange(9), pa.int32(), False),
    "strided": (np.arange(10.0)[::2], pa.float64(), False),
    "truths": ([True, False, True], pa.bool_(), False),
    "a list of numbers": ([3, 4], pa.int64(), False),
    "texts": (["a", "", "é"], pa.string(), False),
    "a dictionary": (["a", "b", "a"], pa.dictionary(pa.int32(), pa.string()), False),
    "lists": ([[1.0], [], [2.0, 3.0]], pa.list_(pa.float64()), False),
    "lists that are null": ([None, [7, 8], None], pa.list_(pa.int64()), True),
    "whole numbers, some null": ([3, None, 0], pa.int64(), True),
    "numbers, some null": ([0.5, None, 2.0], pa.float64(), True),
    "nothing": (np.zeros(0), pa.float64(), True),
    "no rows of lists": ([], pa.list_(pa.int32()), True),
}


@pytest.mark.parametrize("name", list(CASES))
def test_it_equals_what_pyarrow_makes(name):
    values, kind, nullable = CASES[name]
    made = to_arrow(values, kind, nullable)
    made.validate(full=True)
    if pa.types.is_dictionary(kind):
        assert made.equals(pa.array(values).dictionary_encode().cast(kind))
    else:
        np.testing.assert_equal(made.to_pylist(), pa.array(values, kind).to_pylist())


def test_nan_is_null_where_a_column_may_be_null():
    values = np.where(np.arange(20) % 3 == 0, np.nan, np.arange(20.0))
    assert to_arrow(values, pa.float64(), True).equals(pa.array(values, pa.float64(), from_pandas=True))


def test_an_arrow_array_passes_through():
    array = pa.array([1, 2])
    assert to_arrow(array, pa.int64(), False) is array


def test_pandas_stays_at_home():
    code = (
        "import sys, numpy as np, pyarrow as pa; from fastexec.arrow import to_arrow; "
        "to_arrow(np.arange(3.0), pa.float64(), True); to_arrow(['a'], pa.string(), False); "
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_whole_run_imports_no_pandas(tmp_path):
    """It takes a third of a second and 28 MB of each start; pyarrow asks for it where it is given lists."""
    program = f"""
import sys
from fastexec.runs.run import run
from fastexec.studies.study import Study
keys = {{"episodes": 50, "order": {{"steps": 4}}, "output": {{"steps": 2}}}}
study = Study.from_dict({{"strategies": [{{"model": "twap"}}], **keys}})
run(study, out={str(tmp_path / "r")!r})
run(study, out={str(tmp_path / "r")!r})
assert "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
