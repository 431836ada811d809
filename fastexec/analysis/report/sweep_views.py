"""Numbers of a sweep over its keys: points over one key, heat maps over two, a view for each further value."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from fastexec.analysis.report.charts import Heat, Panel, Points
from fastexec.analysis.report.frame import framed
from fastexec.analysis.report.sweep_material import SweepMaterial
from fastexec.analysis.sweep_tables import shown

_MOST_VIEWS, _MOST_TEXTS = 60, 150


class Number(NamedTuple):
    """A number of a strategy in a scenario, with its interval (NaN: none) and as it is written."""

    value: float
    low: float
    high: float
    text: str


class Measure(NamedTuple):
    """``label``: of the axis; ``number``: of (scenario, strategy), None where it is not known; ``both``: whether the sign is
    what matters.
    """

    label: str
    strategies: list[str]
    number: Callable[[str, str], Number | None]
    both: bool = False


def values_of(material: SweepMaterial, key: str) -> list[Any]:
    """The different values of a key; numbers sorted, else in their order."""
    values: list[Any] = []
    for point in material.points.values():
        if point[key] not in values:
            values.append(point[key])
    return sorted(values) if all(isinstance(v, (int, float)) for v in values) else values


def short_key(key: str) -> str:
    """The key without its outer sections: ``price.volatility``, ``pov10.rate``."""
    return ".".join(key.split(".")[-2:])


def over_keys(material: SweepMaterial, axes: list[str], measure: Measure) -> dict[str, list[Panel]]:
    """Views by name; one without a name over one key."""
    return _over_two(material, axes, measure) if len(axes) > 1 else {"": [_over_one(material, axes, measure)]}


def _over_one(material: SweepMaterial, axes: list[str], measure: Measure) -> Panel:
    key = axes[0] if axes else "scenario"
    values = values_of(material, key)
    marks = []
    for j, strategy in enumerate(measure.strategies):
        found = [(point[key], measure.number(name, strategy)) for name, point in material.points.items()]
        known = [(values.index(value), number) for value, number in found if number is not None]
        place = np.array([at for at, _ in known], np.float64)
        x = place + 0.5 * (j - (len(measure.strategies) - 1) / 2) / len(measure.strategies)
        y, low, high = (np.array([number[i] for _, number in known], np.float64) for i in range(3))
        marks.append(Points(strategy, x, y, material.style(strategy), low, high, along="y", joined=not measure.both))
    inside, ranges, beyond = framed(marks, "y", {"y": [0.0]} if measure.both else {})
    return Panel(
        inside, short_key(key), measure.label, x_names=[shown(v) for v in values], zero="y" if measure.both else "",
        y_range=ranges["y"], note=beyond,
    )  # fmt: skip


def _over_two(material: SweepMaterial, axes: list[str], measure: Measure) -> dict[str, list[Panel]]:
    views: dict[str, list[Panel]] = {}
    for strategy in measure.strategies:
        own = _own_axes(material, strategy, axes)
        further = [[(key, value) for value in values_of(material, key)] for key in own[2:]]
        for rest in islice(product(*further), _MOST_VIEWS // len(measure.strategies) or 1):
            name = ", ".join([strategy, *(f"{short_key(key)} = {shown(value)}" for key, value in rest)])
            heat = _heat(material, strategy, own[:2], dict(rest), measure)
            views[name] = [Panel([heat], short_key(own[1]), short_key(own[0]))]
    return views


def _own_axes(material: SweepMaterial, strategy: str, axes: list[str]) -> list[str]:
    """Without the keys of strategies that are neither this one nor the baseline, if two are left."""
    ours = tuple(f"strategies.{name}." for name in (strategy, material.baseline))
    own = [key for key in axes if not key.startswith("strategies.") or key.startswith(ours)]
    return own if len(own) > 1 else axes


def _heat(material: SweepMaterial, strategy: str, axes: list[str], rest: dict[str, Any], measure: Measure) -> Heat:
    """A number over two keys, at the values ``rest`` of others and the first of what is neither."""
    down, across = (values_of(material, key) for key in axes)
    z, texts = np.full((len(down), len(across)), np.nan), [[""] * len(across) for _ in down]
    for scenario, point in material.points.items():
        i, j = (values.index(point[key]) for values, key in zip((down, across), axes, strict=True))
        number = measure.number(scenario, strategy)
        if number is not None and np.isnan(z[i, j]) and all(point[key] == value for key, value in rest.items()):
            z[i, j], texts[i][j] = number.value, number.text
    x, y = ([shown(v) for v in values] for values in (across, down))
    return Heat(measure.label, x, y, z, both=measure.both, texts=texts if z.size <= _MOST_TEXTS else ())
