"""The code of a study's own strategies: where it is, what of it may run, and how it goes with the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fastexec.models._base import Model
from fastexec.models.plugin_code import Code, read_file
from fastexec.models.plugin_files import captured_code, digests_of, registered, require_source
from fastexec.models.plugin_places import places_of
from fastexec.models.plugins import OwnStrategy
from fastexec.models.strategies import Own, Strategy
from fastexec.models.trust import Trust, record


class OwnCode(Model):
    """A part of a study; the rest of it is ``StudyModel``."""

    if TYPE_CHECKING:
        plugins: tuple[str, ...]
        strategies: tuple[Strategy, ...]
        _folder: Path | None
        _trust: Trust
        _texts: dict[str, Code]

    def __getstate__(self) -> dict[Any, Any]:
        """Pickled, for a worker: there just the code may run that is meant here, wherever it finds it."""
        sent = self.carrying_code()
        state = super(OwnCode, sent).__getstate__()
        sources = self._meant if self._trust.everything else frozenset()
        carried = Trust(digests=sources | sent.code_digests())
        return {**state, "__pydantic_private__": {**(state["__pydantic_private__"] or {}), "_trust": carried}}

    def plugin_code(self, name: str) -> Code | None:
        """The text of a plugin file that the study names; of results only one that a strategy means, else None.

        InputError where there is none.
        """
        found = read_file(name, self._places(name), self._meant)
        return found if self._trust.is_own or found.sha256 in self._meant else None

    def code_digests(self) -> frozenset[str]:
        """SHA-256 of the plugin files and modules that it names, as far as they are at hand and may run."""
        return digests_of(self.plugins, self._places, self._trust, self._meant)

    def remember_code(self) -> None:
        """Record the code of a study of the user's own, so that its results can be replayed, verified and resumed unasked."""
        if self.plugins and self._trust.is_own:
            record(self.code_digests())

    def carrying_code(self) -> Self:
        """The study with the texts of those of its strategies that this process itself defined, as plugins: what its results
        keep and workers are sent.
        """
        own = [strategy for strategy in self.strategies if isinstance(strategy, Own)]
        missing = {strategy.source for strategy in own} - self.code_digests() if own else set()
        found = captured_code([strategy for strategy in own if strategy.source in missing], self.plugins)
        study = self.model_copy(update={"plugins": (*self.plugins, *found)})
        study._texts = self._texts | found
        return study

    @property
    def _meant(self) -> frozenset[str]:
        return frozenset(strategy.source for strategy in self.strategies if isinstance(strategy, Own))

    def _places(self, entry: str) -> list[Path | Code]:
        there = places_of(entry, self._folder, self._trust)
        return [self._texts[entry], *there] if entry in self._texts else [*there]

    def own_strategies(self) -> dict[str, OwnStrategy]:
        """The functions behind its own strategies, by model, in the order of their first use.

        Raises InputError where one is not at hand or may not run, RefusedError where its file is no longer the one that the
        study means.
        """
        used = [strategy for strategy in self.strategies if isinstance(strategy, Own)]
        asked = bool(used or self.plugins)
        known = registered(self.plugins, self._places, self._trust, self._meant, self._folder) if asked else {}
        return {strategy.model: require_source(strategy, known) for strategy in used}
