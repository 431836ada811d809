"""The real days that an agent has seen: those that the market of its training was fitted to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fastexec.errors import InputError
from fastexec.files import open_local
from fastexec.learning.agent import KEY
from fastexec.models.market import Fitted
from fastexec.models.study import StudyModel

#: Where an agent's file keeps the days of the agent that it began from.
OF_START = "start_fitted"


def fitted_before(path: Path) -> dict[str, Any]:
    """For the origin of an agent that goes on from the one in the file: the days that this one has seen."""
    seen = _seen_by(path)
    return {OF_START: [fitted.model_dump() for fitted in seen]} if seen else {}


def agents_that_saw(study: StudyModel, days: Iterable[int]) -> list[str]:
    """A line for each agent of a file whose market was fitted to days that the study replays."""
    if study.real_days is None:
        return []
    found, replayed = [], set(days)
    for strategy in study.agents:
        if strategy.agent is None:
            continue
        seen = [
            fitted for fitted in _seen_by(study.file_path(strategy.agent)) if fitted.symbol == study.real_days.symbol
        ]
        both = sorted(replayed & {day for fitted in seen for day in fitted.days})
        if both:
            found.append(
                f"{strategy.name}: its agent was trained on a market fitted to {len(both)} of the {len(replayed)} days that it "
                f"meets here ({both[0]}{f' to {both[-1]}' if len(both) > 1 else ''}): what it saves on them is no test"
            )
    return found


def _seen_by(path: Path) -> list[Fitted]:
    """Of an agent's file that is known to be one."""
    import pyarrow.parquet as pq

    training = json.loads(pq.read_schema(open_local(path)).metadata[KEY])["training"]
    market = training.get("market")
    own = market.get("fitted") if isinstance(market, dict) else None
    before = training.get(OF_START, [])
    try:
        return [Fitted.model_validate(seen, strict=False) for seen in [*before, *([] if own is None else [own])]]
    except (ValidationError, TypeError):
        raise InputError(f"{path}: is no agent of fastexec (the days of its market are none); train it anew") from None
