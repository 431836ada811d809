#!/usr/bin/env python3
"""Set up where needed, then run the default study: ``python3 scripts/run.py [OPTIONS]``.

The options are those of ``fastexec run``. Results go to results/large_cap in the project's folder.
"""

import os
import sys

from setup_environment import ROOT, start

if __name__ == "__main__":
    results = os.path.relpath(str(ROOT / "results" / "large_cap_learned"))
    start("fastexec", ["run", "large_cap_learned", "--out", results] + sys.argv[1:])
