#!/usr/bin/env python3
"""Set up where needed, then check and test: ``python3 scripts/test.py [OPTIONS]``.

Without options ruff, mypy and import-linter, then every test on all cores (scripts/checks.py). Options are those of pytest,
which then runs alone. Either starts in the project's folder.
"""

import os
import sys

from setup_environment import ROOT, restart, start

if __name__ == "__main__":
    os.chdir(str(ROOT))
    if sys.argv[1:]:
        start("pytest", sys.argv[1:], layer="test")
    restart(["-P", str(ROOT / "scripts" / "checks.py")], layer="test")
