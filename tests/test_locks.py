"""The locks: every requirement, each layer within the next, few packages for a run, and ends where the tests end."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from itertools import chain, pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("run", "report", "test", "bench")
LOCKS = {layer: (ROOT / "scripts" / f"{layer}.lock").read_text(encoding="utf-8") for layer in LAYERS}


def pins(layer: str) -> set[str]:
    """The pins of a lock: name, version, and where they hold."""
    return set(re.findall(r"^[\w-]+==[^\\\n]+", LOCKS[layer], re.MULTILINE))


def names_of(requirements: Iterable[str]) -> set[str]:
    return {re.match(r"[\w-]+", requirement).group().lower() for requirement in requirements} - {"fastexec"}


def test_locks_pin_every_requirement_and_name_no_address() -> None:
    """What only the benchmarks need (JAX) is pinned in a lock of their own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    run = [*project["project"]["dependencies"], *project["dependency-groups"]["setup"]]
    assert set(project["build-system"]["requires"]) <= set(run)
    rest = chain(*(requirements for extra, requirements in extras.items() if extra != "bench"))
    wanted = {"run": run, "report": extras["report"], "test": rest, "bench": extras["bench"]}
    assert set(wanted) == set(LOCKS)
    for layer, requirements in wanted.items():
        assert names_of(requirements) <= names_of(pins(layer)), layer
    assert "jax" not in names_of(pins("test"))
    assert re.findall(r"://|file:|index-url|find-links|^[./]", "".join(LOCKS.values()), re.MULTILINE) == []


def test_each_lock_lies_within_the_next() -> None:
    """With equal versions and hashes: what a layer adds leaves alone what is there."""
    for inner, outer in pairwise(LAYERS):
        assert pins(inner) < pins(outer), f"{inner}.lock, {outer}.lock"
        assert set(LOCKS[inner].splitlines()[1:]) <= {*LOCKS[outer].splitlines()} | {
            line.removesuffix(" \\") for line in LOCKS[outer].splitlines()
        }


def test_a_run_needs_few_packages() -> None:
    """A new user waits for them: under 25, and neither the report's nor a plotting library among them."""
    few = names_of(pin for pin in pins("run") if "win32" not in pin)
    assert len(few) < 25
    assert not {"matplotlib", "plotly", "jinja2", "itables", "pytest", "distributed"} & few


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def test_requirements_end_where_the_tests_end() -> None:
    """From a floor that the lock may not go below to the version whose interface may differ from the lock's: the next major
    one, of 0.x the next minor one. Numba's private parts are used, and it has never been 1.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", LOCKS["test"], re.MULTILINE))
    for requirement in project["project"]["dependencies"]:
        if requirement.startswith("tzdata>="):  # data, numbered by years: no interface may differ
            continue
        name, floor, cap = re.fullmatch(r"([\w-]+)>=([\d.]+),<([\d.]+)", requirement).groups()
        tested = numbers(locked[name])
        following = (tested[0] + 1,) if tested[0] else (0, tested[1] + 1)
        assert numbers(floor) <= tested, requirement
        assert numbers(cap) == following, f"{requirement}: the lock has {locked[name]}"
