"""A study in a few words, for a line or a small table."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from fastexec.frames import table_html
from fastexec.models._base import written
from fastexec.models.study import StudyModel
from fastexec.models.sweep import inline
from fastexec.wording import counted


def in_a_line(study: StudyModel) -> str:
    """Its name, order and size."""
    order = study.order
    shares = f"{order.shares:,g}" if isinstance(order.shares, float) else _valued(order.shares)
    episodes = "all windows" if study.episodes is None else counted(study.episodes, "episode")
    words = [repr(study.name), episodes, f"{order.side} {shares} shares in {counted(order.steps, 'step')}"]
    words.append(counted(len(study.strategies), "strategy"))
    if study.sweep is not None:
        words.append(counted(study.sweep.count, "scenario"))
    return f"Study({', '.join(words)})"


def as_html(study: StudyModel) -> str:
    """Its sections, a row each, without what is off."""
    data = written(study)
    rows = [[key, _valued(data[key])] for key in ("seed", "episodes", "order") if key in data]
    for section in ("market", "costs"):
        flat = {key: value for key, value in data.get(section, {}).items() if not isinstance(value, dict)}
        rows += [[section, _valued(flat)]] if flat else []
        rows += [[f"{section}.{k}", _valued(v)] for k, v in data.get(section, {}).items() if isinstance(v, dict)]
    rows += [[f"strategies.{one['name']}", _valued(_without(one, "name", "source"))] for one in data["strategies"]]
    rows += [[f"train.{name}", _valued(section)] for name, section in data.get("train", {}).items()]
    if study.sweep is not None:
        rows += [["sweep", f"{counted(study.sweep.count, 'scenario')} over {', '.join(study.sweep.keys)}"]]
    return table_html(in_a_line(study), ["key", "value"], rows, ["study.to_toml() writes all of it"])


def _without(section: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in names}


def _valued(value: Any) -> str:
    """Values as TOML writes them, a section's one after the other."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return ", ".join(f"{key} = {inline(one)}" for key, one in value.items())
    return inline(value)
