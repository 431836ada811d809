#!/usr/bin/env python3
"""Set up where needed, then measure: ``python3 scripts/bench.py [--quick] [--against FILE] [--readme] [--out FILE]``.

bench/README.md says what is measured and how to read it. JAX and Gymnasium are installed for it (scripts/bench.lock).
"""

import sys

from setup_environment import ROOT, restart

if __name__ == "__main__":
    restart(["-P", str(ROOT / "bench")] + sys.argv[1:], layer="bench")
