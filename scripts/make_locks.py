"""Make the locks of scripts/ from pyproject.toml: ``python scripts/make_locks.py [--upgrade]``; needs uv on the PATH.

From the widest to the narrowest, each held to the pins of the one before: so every layer lies within the next.
"""

import argparse
import re
import subprocess
import sys

from setup_environment import LAYERS, ROOT, lock_of

#: The extras of each layer; all have what setting up needs.
EXTRAS = {"run": (), "report": ("report",), "test": ("dev",), "bench": ("dev", "bench")}
WORDS = "uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header --quiet".split()
HEAD = "# Made by scripts/make_locks.py: {}, with the pins of every layer around it.\n"


def make(layer, around, upgrade):
    """Write one lock; ``around``: the layer that holds it, None of the widest."""
    lock, extras = lock_of(layer), [word for extra in EXTRAS[layer] for word in ("--extra", extra)]
    held = ["--constraint", str(lock_of(around))] if around else ["--upgrade"] if upgrade else []
    words = [*WORDS, "--group", "setup", *extras, *held, "pyproject.toml"]
    if around is not None:
        lock.unlink(missing_ok=True)  # its own pins of before hold nothing
    subprocess.run([*words, "--output-file", str(lock)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    text = lock.read_text(encoding="utf-8")
    lock.write_text(HEAD.format(", ".join(EXTRAS[layer]) or "no extra") + text, encoding="utf-8")
    print(f"{lock.name}: {len(re.findall('^[a-z0-9-]+==', text, re.MULTILINE))} pins")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--upgrade", action="store_true", help="to the newest versions, not those of before")
    asked = options.parse_args()
    for number in reversed(range(len(LAYERS))):
        make(LAYERS[number], LAYERS[number + 1] if number + 1 < len(LAYERS) else None, asked.upgrade)
    sys.exit(0)
