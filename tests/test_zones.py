"""Names of zones where the system has no database of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import ROOT

ASK = """
import sys, zoneinfo
from datetime import datetime
from fastexec.data.reading import Reading
assert zoneinfo.TZPATH == ()
print(datetime(2024, 7, 1, tzinfo=Reading(zone=sys.argv[1]).clock).utcoffset().total_seconds())
"""


@pytest.mark.parametrize(("zone", "hours"), [
    ("US/Eastern", -4), ("America/New_York", -4), ("US/Pacific", -7), ("Europe/Berlin", 2), ("Asia/Calcutta", 5.5), ("UTC", 0),
    ("GB", 1),
])  # fmt: skip
def test_zones_are_known_without_the_systems_database(zone: str, hours: float) -> None:
    words = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONTZPATH": ""}
    command = [sys.executable, "-P", "-c", ASK, zone]
    ended = subprocess.run(command, env=words, capture_output=True, text=True, check=False)
    assert ended.stdout.strip() == str(3600.0 * hours), ended.stderr
