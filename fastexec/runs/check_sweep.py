"""What a sweep means and costs before it is run: its scenarios, and the sum over them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastexec.models.sweep import inline
from fastexec.runs.caveats import lines_of, said_once
from fastexec.runs.check import Cost, Examination, examine, told
from fastexec.studies.study import Study, swept_studies
from fastexec.studies.sweep import MOST_UNASKED

#: Called with (what is done, number, how many).
Report = Callable[[str, int, int], None]
_LOOKED_AT = 4  # scenarios that are prepared and timed; each may have an agent to train
_LISTED = 12


def examine_any(study: Study, report: Report | None = None) -> Examination:
    """Examine a study; of a sweep every scenario is validated, some are prepared and timed, and the costs are of all.

    report: called with (what is done, number, how many) as scenarios are validated and looked at.
    """
    if study.sweep is None:
        return examine(study)
    count = study.sweep.count
    scenarios = swept_studies(study, None if report is None else partial(report, "validating scenario"))
    places = sorted({j * (count - 1) // max(_LOOKED_AT - 1, 1) for j in range(_LOOKED_AT)})
    looked = {}
    for number, j in enumerate(places, 1):
        if report is not None:
            report("preparing and timing scenario", number, len(places))
        looked[str(scenarios[j].name)] = examine(scenarios[j].study)
    cost = _total([found.cost for found in looked.values()], count)
    listed = [(str(s.name), ", ".join(f"{k} = {inline(v)}" for k, v in s.values.items())) for s in scenarios[:_LISTED]]
    if count > _LISTED:
        listed.append(("...", f"{count - _LISTED:,} more"))
    costs = [
        ("scenarios", f"{count:,}; prepared and timed here: {len(looked)}; the costs below are of all"),
        *listed,
        ("rows", f"{cost.rows:,}"),
        *told(cost),
    ]
    facts = said_once({name: found.known for name, found in looked.items()})
    known = [(label, f"{names}: {text}" if names else text) for (label, text), names in facts]
    warnings = lines_of({name: found.warnings for name, found in looked.items()})
    if count > MOST_UNASKED:
        warnings.append(f"more than {MOST_UNASKED:,} scenarios: fastexec run needs --yes")
    return Examination(study, costs, known, warnings, cost)


def _total(costs: list[Cost], count: int) -> Cost:
    """Of all scenarios, from some of them; chunks of several scenarios share the memory."""
    mean = [sum(numbers) / len(costs) * count for numbers in zip(*costs, strict=True)]
    return Cost(
        rows=round(mean[0]),
        seconds=mean[1],
        memory=max(cost.memory for cost in costs),
        files=round(mean[3]),
        chunk=min(cost.chunk for cost in costs),
    )
