"""A study as a file: read from TOML, overridden key by key, written out resolved, named by a hash."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from fastexec.arguments import require_path, require_text, require_texts, whole_number
from fastexec.errors import InputError, of_toml, option, said
from fastexec.models._base import plain, written
from fastexec.models.changes import without_following, without_key
from fastexec.models.messages import one_line
from fastexec.models.plugin_places import joined
from fastexec.models.study import StudyModel
from fastexec.models.trust import Trust
from fastexec.studies.catalogue import preset_text, presets
from fastexec.studies.ownership import trust_for
from fastexec.studies.shown import as_html, in_a_line
from fastexec.studies.sweep import MOST_UNASKED, require_same_columns, value_at, written_out
from fastexec.wording import did_you_mean

_LARGEST = 16_000_000


class Study(StudyModel):
    """A study that can be loaded and saved; see ``StudyModel`` for its keys and ``fastexec schema`` for all of them."""

    @classmethod
    def load(
        cls,
        path: str | Path,
        overrides: Iterable[str] = (),
        plugins: Iterable[str] = (),
        trust: Trust | bool = False,
    ) -> Self:
        """Read a TOML file. ``overrides``: texts KEY=VALUE, the value as TOML or else a text; ``plugins``: files or modules of
        own strategies beside those that the study names; ``trust``: whether all code may run that the study names also where
        it lies in a folder of results, of which else only ``plugins`` runs and what a run of yours recorded.

        Raises InputError, one line, where the file is missing, no TOML, or no valid study.
        """
        path, plugins = require_path("path", path), require_texts("plugins", plugins)
        try:
            if path.exists() and (not path.is_file() or path.stat().st_size > _LARGEST):
                raise InputError(f"{path}: is no text file of at most {_LARGEST // 10**6} MB; {_instead_of(path)}")
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise InputError(f"{path}: cannot be read ({reason}); {_instead_of(path)}") from None
        allowed = trust if isinstance(trust, Trust) else trust_for(path.parent, None, plugins, trust)
        return cls.from_toml(text, str(path), overrides, plugins, path.parent, allowed)

    @classmethod
    def preset(cls, name: str, overrides: Iterable[str] = (), plugins: Iterable[str] = ()) -> Self:
        """A study that ships with the package, by name."""
        return cls.from_toml(preset_text(require_text("name", name)), name, overrides, plugins)

    @classmethod
    def resolve(
        cls, name: str, overrides: Iterable[str] = (), plugins: Iterable[str] = (), trust: Trust = Trust.OWN
    ) -> Self:
        """A file if it looks like one or exists, else a preset."""
        if require_text("name", name).endswith(".toml") or "/" in name or Path(name).is_file():
            return cls.load(name, overrides, plugins, trust)
        return cls.preset(name, overrides, plugins)

    @classmethod
    def from_toml(
        cls,
        text: str,
        source: str = "study",
        overrides: Iterable[str] = (),
        plugins: Iterable[str] = (),
        folder: Path | None = None,
        trust: Trust = Trust.OWN,
    ) -> Self:
        """Read TOML text; ``source`` is what errors name, ``folder`` where files that it names are looked for first, ``trust``
        what of the code that it names may run, beside that of ``plugins``.
        """
        overrides, plugins = require_texts("overrides", overrides), require_texts("plugins", plugins)
        try:
            data = tomllib.loads(require_text("text", text))
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            raise InputError(f"{source}: is no TOML: {str(error).splitlines()[0]}") from None
        if not data:
            raise InputError(f"{source}: is empty; a study needs at least one [[strategies]] section")
        for override in overrides:
            _override(data, override)
        trust = trust.naming(plugins)
        if trust.named:
            own = data.get("plugins", [])
            data["plugins"] = (
                joined(own, trust) if isinstance(own, list) and all(isinstance(x, str) for x in own) else own
            )
        with of_toml():
            return cls.from_dict(data, source, folder, trust)

    @classmethod
    def from_dict(
        cls, data: dict[str, Any], source: str = "study", folder: Path | None = None, trust: Trust = Trust.OWN
    ) -> Self:
        """Validate nested keys; ``folder`` is where files that they name are looked for first, ``trust`` what of the code that
        they name may run.

        Raises InputError, one line, where they are no study.
        """
        try:
            study = cls.model_validate(data, context={"folder": folder, "trust": trust})
        except ValidationError as error:
            raise InputError(f"{source}: {one_line(error, plain(data), cls)}") from None
        study._folder, study._trust = folder, trust
        if study.sweep is not None and study.sweep.count <= MOST_UNASKED:
            try:
                swept_studies(study)
            except InputError as error:
                raise InputError(f"{source}: {error}") from None
        return study

    def scenarios(self) -> list[Swept]:
        """The studies that the sweep makes of this one, each with its name and values; this one alone without a sweep."""
        return swept_studies(self)

    def to_toml(self, without: Iterable[str] = ()) -> str:
        """The resolved study, every default written out but what is off, and what depends on a swept key; loads to an equal
        study. ``without``: top-level keys left out.
        """
        import tomli_w

        data = written(self) if self.sweep is None else without_following(self, written(self), self.sweep.keys)
        text = tomli_w.dumps({key: value for key, value in data.items() if key not in ("sweep", *without)})
        return text if self.sweep is None else f"{text}\n{self.sweep.to_toml()}"

    def __repr__(self) -> str:
        return in_a_line(self)

    __str__ = __repr__  # pydantic's prints every key

    def _repr_html_(self) -> str:
        return as_html(self)

    def identity(self) -> str:
        """SHA-256 (hex) of the resolved study without episodes and output: what two runs must share to be one study.

        What is off counts for nothing, so a key that a later version brings changes no identity. Own strategies count by the
        hash of their files, not by where these lie.
        """
        elsewhere = ("episodes", "output", "plugins", "sweep")
        data = {key: value for key, value in written(self).items() if key not in elsewhere}
        if self.sweep is not None:
            data["sweep"] = self.sweep.to_toml()  # the order of its keys is that of the scenarios
        return hashlib.sha256(json.dumps(data, sort_keys=True, allow_nan=False).encode()).hexdigest()

    def with_overrides(self, overrides: Iterable[str]) -> Self:
        """The study with KEY=VALUE texts applied."""
        overrides = require_texts("overrides", overrides)
        data = without_following(
            self, tomllib.loads(self.to_toml()), [text.partition("=")[0].strip() for text in overrides]
        )
        for override in overrides:
            _override(data, override)
        with of_toml():
            return type(self).from_dict(data, self.name, self._folder, self._trust)._placed_as(self)


@dataclass(frozen=True)
class Swept:
    """One study of a sweep. ``name``: None where the study has no sweep; ``values``: of the swept keys, as validated."""

    name: str | None
    study: Study
    values: dict[str, Any] = field(default_factory=dict)


def swept_studies(study: Study, report: Callable[[int, int], None] | None = None) -> list[Swept]:
    """The scenarios in order, validated, each a study of its own as if it were run alone; the study itself without a sweep.

    A scenario's study has the swept study's name and seed, so all meet the same random numbers, and its rows and its identity
    are those of the same study with the values written in. report: called with the number of each, from 1, and how many there
    are. Raises InputError, one line, naming the scenario that is no valid study, or whose tables would have other columns.
    """
    if study.sweep is None:
        return [Swept(None, study)]
    found: dict[str, Swept] = {}
    for number, (name, place, data, values) in enumerate(written_out(study, study.sweep), 1):
        if report is not None:
            report(number, study.sweep.count)
        alone = type(study).from_dict(data, place, study._folder, study._trust)._placed_as(study)
        found[name] = Swept(name, alone, {key: value_at(alone, key) for key in values})
    require_same_columns({name: scenario.study for name, scenario in found.items()})
    return list(found.values())


def _instead_of(path: Path) -> str:
    """What to give where a path is no study file; the name of a preset is none."""
    if str(path) in (name for name, _ in presets()):
        return f"the preset of that name is {said(str(path), f'Study.preset({str(path)!r})')}"
    return "give a study file or a preset"


def _override(data: dict[str, Any], text: str) -> None:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InputError(f"{option('set', text)}: is not KEY=VALUE; write for example order.shares=5000")
    if key.strip().startswith("sweep."):
        _section(data, "sweep", text)[key.strip().removeprefix("sweep.").strip('"')] = _value(value.strip())
        return
    *parents, last = key.strip().split(".")
    here: Any = data
    names: list[str] = []
    for part in parents:
        here = _enter(here, part, text)
        names.append(here.get("name", part) if names[-1:] == ["strategies"] else part)
    if not isinstance(here, dict):
        raise InputError(
            f"{option('set', text)}: {'.'.join(parents)} is no section of the study; see `fastexec schema`"
        )
    here[last] = _value(value.strip())
    _fix(data, ".".join([*names, last]), text)


def _section(data: dict[str, Any], name: str, text: str) -> dict[str, Any]:
    found = data.setdefault(name, {})
    if not isinstance(found, dict):
        raise InputError(f"{option('set', text)}: {name} is no section of the study; see `fastexec schema`")
    return found


def _fix(data: dict[str, Any], key: str, text: str) -> None:
    """A value that is set wins over the sweep: its key is swept no longer."""
    if isinstance(data.get("sweep"), dict):
        data["sweep"] = without_key(data["sweep"], key, option("set", text)) or {}


def _enter(here: Any, part: str, text: str) -> Any:
    """The section ``part``: a table's key (made where absent), or a strategy by name or model."""
    if isinstance(here, list):
        for item in here:
            if isinstance(item, dict) and part in (item.get("name"), item.get("model")):
                return item
        names = [item.get("name", item.get("model")) for item in here if isinstance(item, dict)]
        raise InputError(f"{option('set', text)}: no strategy {part!r}; {did_you_mean(part, map(str, names))}")
    if not isinstance(here, dict):
        raise InputError(f"{option('set', text)}: {part!r} lies in no section of the study; see `fastexec schema`")
    return here.setdefault(part, {})


def _value(text: str) -> Any:
    if "e" in text.lower() and (count := whole_number(text)) is not None:
        return count  # 1e6, which is a whole number to people and none to TOML
    try:
        found = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return text
    return found["value"] if len(found) == 1 else text  # of several lines only a text
