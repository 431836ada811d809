#!/usr/bin/env python3
"""Set up where needed, then run the tests: ``python3 scripts/test.py [OPTIONS]``.

The options are those of pytest, which starts in the project's folder.
"""

import os
import sys

from setup_environment import ROOT, start

if __name__ == "__main__":
    os.chdir(str(ROOT))
    start("pytest", sys.argv[1:])
