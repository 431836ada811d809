"""The files and modules that a study names as `plugins`, and its own strategies resolved by what these register.

A file, with those beside it that it imports, is run once for each content, so that its SHA-256 says all about what its
strategies do.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic_core import PydanticCustomError

from fastexec.errors import InputError, RefusedError, option, said
from fastexec.models._base import unknown_key
from fastexec.models.captured import capture, of_process, what_changed
from fastexec.models.names import quoted, shown
from fastexec.models.plugin_code import Code, gathered, import_text, read_file, read_module
from fastexec.models.plugin_places import is_file, named_for, places_of
from fastexec.models.plugin_run import run_code
from fastexec.models.plugins import OwnStrategy, first_line, registry, remember_values
from fastexec.models.strategies import BUILT_IN, RESERVED, Own
from fastexec.models.trust import Trust
from fastexec.models.used_values import changed
from fastexec.wording import nearest

#: Where the file of an entry may be, the best place first; a text at hand is one.
Find = Callable[[str], Sequence[Path | Code]]


def registered(
    entries: Iterable[str],
    find: Find,
    trust: Trust = Trust.OWN,
    meant: Collection[str] | None = None,
    folder: Path | None = None,
) -> dict[str, OwnStrategy]:
    """The strategies at hand, by name: of the files and modules ``entries``, then of this process itself.

    ``find``: where a file may be, the best place first. ``trust`` is asked before anything runs. ``meant``: SHA-256s of the
    code that strategies mean, None where that is to be found out; of a study that is not the user's own no other code runs.
    ``folder``: where such a study was found.

    Raises InputError where an entry is missing, may not run, fails, registers nothing, or two register one name.
    """
    found: dict[str, OwnStrategy] = {}
    files: set[str] = set()
    entries = list(entries)
    own_right = {Path(entry).name for entry in entries}
    for entry in entries:
        if not entry.isprintable():
            raise InputError(f"plugins: {quoted(entry)}: is neither a file nor a module; give the name of one")
        if (file := Path(entry).name) in files:
            raise InputError(f"plugins: two are named {file}; rename one, or name it once")
        files.add(file)
        if is_file(entry):
            brought = _of_file(entry, find(entry), trust, meant)
        else:
            brought = _of_module(entry, trust, meant, folder)
        if brought is None:
            continue
        if not brought:
            raise InputError(f'{entry}: registers no strategy; decorate a function with @fastexec.strategy("name")')
        for name, own in brought.items():
            if is_file(entry) and f"{own.function.__module__.partition('.')[2]}.py" in own_right:
                continue  # a file beside that the study names itself
            if found.get(name, own) != own:
                raise InputError(f"plugins: both {found[name].file} and {entry} register {name!r}; rename one")
            found[name] = own
    return {**of_process(), **found}


def _of_file(
    entry: str, places: Sequence[Path | Code], trust: Trust, meant: Collection[str] | None
) -> dict[str, OwnStrategy] | None:
    """What a file registers; None where no strategy means it and nobody but a folder of results names it."""
    code, named = read_file(entry, places, meant), named_for(entry, trust)
    digest = code.sha256
    if meant is not None and digest not in meant and not (trust.is_own or named):
        return None
    if not trust.may_run(named or entry, digest):
        raise _refusal(entry, f"SHA-256 {digest[:12]}...")
    return run_code(entry, code)


def _refusal(entry: str, what: str) -> InputError:
    how = said(
        f"name it by --plugin {shown(entry)}, or give --trust (replay, verify --sample, run --resume)",
        f"name it by {option('plugin', entry)}, or give trust=True (Study.load, run)",
    )
    return InputError(
        f"{shown(entry)} ({what}): is not run: only results name it, and no run or training of yours recorded it; if you trust "
        f"it, {how}"
    )


def _of_module(
    entry: str, trust: Trust, meant: Collection[str] | None, folder: Path | None
) -> dict[str, OwnStrategy] | None:
    """What a module and its parts register; None where no strategy means any code."""
    before = set(registry)
    if trust.everything or entry in trust.named:
        module = _imported(entry, importlib.import_module)
    elif meant is not None and not meant:
        return None
    else:
        texts = _trusted_texts(entry, trust, folder)
        module = _imported(entry, lambda name: import_text(name, texts))
    inside = [name for name in registry if f"{name}.".startswith(f"{module.__name__}.")]
    for name in inside:
        remember_values(name, name not in before)
    return {name: own for known in inside for name, own in registry[known].items()}


def _trusted_texts(entry: str, trust: Trust, folder: Path | None) -> list[Code]:
    try:
        texts = read_module(entry)
    except LookupError as error:
        raise _refusal(entry, str(error.args[0])) from None
    for text in texts:
        if trust.remembered and folder is not None and text.path.resolve().is_relative_to(folder.resolve()):
            raise _refusal(entry, f"{text.path}, within the results, SHA-256 {text.sha256[:12]}...")
        if not trust.may_run(entry, text.sha256):
            raise _refusal(entry, f"{text.path}, SHA-256 {text.sha256[:12]}...")
    return texts


def _imported(entry: str, how: Callable[[str], ModuleType]) -> ModuleType:
    try:
        return how(entry)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise InputError(
            f"{entry}: cannot be imported ({first_line(error)}); a file is named with its ending: {entry}.py"
        ) from error


def digests_of(entries: Iterable[str], find: Find, trust: Trust, meant: Collection[str]) -> frozenset[str]:
    """SHA-256 of the code behind entries, as far as it is found and may run; nothing is run."""
    found = []
    for entry in entries:
        with contextlib.suppress(InputError, LookupError):  # whoever needs it says what is missing
            codes = [read_file(entry, find(entry), meant)] if is_file(entry) else read_module(entry, running=True)
            found += [code.sha256 for code in codes if trust.may_run(named_for(entry, trust) or entry, code.sha256)]
    return frozenset(found)


def fill_in(data: dict[str, Any], folder: Path | None, trust: Trust) -> dict[str, Any]:
    """Raw keys of a study with its own strategies resolved: parameters complete and in order, ``source`` filled in.

    Those that have a ``source`` are resolved, and need no code at hand to be read. ``folder``: where the study lies. Raises
    InputError where code would have to run that ``trust`` does not let run.
    """
    items, entries = data.get("strategies"), data.get("plugins", ())
    if not isinstance(items, (list, tuple)) or not any(map(_is_unresolved, items)):
        return data
    named = [entry for entry in entries if isinstance(entry, str)] if isinstance(entries, (list, tuple)) else []
    if trust == Trust.NOTHING:
        known = of_process()
        _require_sources(items, known)
    else:
        known = registered(named, lambda entry: places_of(entry, folder, trust), trust, None, folder)
    return {**data, "strategies": [_filled_in(item, known) if _is_unresolved(item) else item for item in items]}


def _is_unresolved(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(model := item.get("model"), str)
        and not (model in BUILT_IN or "source" in item)
    )


def _require_sources(items: Iterable[Any], known: dict[str, OwnStrategy]) -> None:
    """What a run writes says which code each own strategy is; without it, code would have to run to find out."""
    for item in items:
        if _is_unresolved(item) and item["model"] not in known:
            raise InputError(
                f"strategies.{shown(item.get('name', item['model']))}: model {quoted(item['model'])} is not built in and has "
                "no source, the SHA-256 of its code, as a run writes it; put the study of the results back"
            )


def _filled_in(item: dict[str, Any], known: dict[str, OwnStrategy]) -> dict[str, Any]:
    model = item["model"]
    place = f"strategies.{shown(item.get('name', model))}"
    if model not in known:
        if not known:
            return item  # refused as any unknown model
        near = nearest(model, [*known, *BUILT_IN])
        hint = f"did you mean {near!r}?" if near else f"own strategies at hand are {', '.join(known)}"
        raise _error(f"{place}: unknown model {quoted(model)}; {hint}")
    own = known[model] if known[model].sha256 else capture(known[model]).own
    _require_unchanged(own)
    for key in item:
        if key not in own.parameters and key not in RESERVED:
            raise _error(f"{place}.{shown(key)}: {unknown_key(key, [*own.parameters, 'name'])}")
    parameters = {key: item.get(key, default) for key, default in own.parameters.items()}
    return {"name": item.get("name", model), "model": model, "source": own.sha256, **parameters}


def require_source(strategy: Own, known: dict[str, OwnStrategy]) -> OwnStrategy:
    """The function that a resolved strategy means."""
    own = known.get(strategy.model)
    place = f"strategies.{strategy.name}"
    if own is None:
        raise InputError(
            f"{place}: no plugin at hand registers {strategy.model!r}; give {said('--plugin FILE', 'plugins=[FILE]')}, "
            f"the one of SHA-256 {strategy.source[:12]}..."
        )
    if not own.sha256:
        now = capture(own)
        if now.own.sha256 != strategy.source:
            raise RefusedError(f"{own.place}: {what_changed(strategy.source, now)}; build the study again")
        own = now.own
    _require_unchanged(own)
    if own.sha256 != strategy.source:
        raise RefusedError(
            f"{own.file}: has changed since {strategy.name!r} was resolved from it (SHA-256 {strategy.source[:12]}..., now "
            f"{own.sha256[:12]}...); put it back, or use the study without source = ..."
        )
    if set(own.parameters) != set(strategy.parameters):
        raise InputError(
            f"{place}: has the keys {', '.join(strategy.parameters)}; {own.file} wants {', '.join(own.parameters)}"
        )
    return own


def _require_unchanged(own: OwnStrategy) -> None:
    """RefusedError where this process changed what a file's or module's strategy uses: its SHA-256 would sign what did not run,
    and what was compiled before would go on with the old values.
    """
    if names := changed(own.values, own.function):
        raise RefusedError(
            f"{own.file}: {', '.join(names)}, which strategy {own.name!r} uses, changed in this process, and results are "
            "signed by the text of the file; put it back, or change it in the file and begin a new process"
        )


def captured_code(strategies: Iterable[Own], taken: Iterable[str]) -> dict[str, Code]:
    """The texts of strategies that this process registered, by a name of a file that is not ``taken``; not of those that were
    defined anew, or whose values changed.
    """
    here, names, found = of_process(), {Path(entry).name.casefold() for entry in taken}, dict[str, Code]()
    for model, source in {strategy.model: strategy.source for strategy in strategies}.items():
        code = _code_now(here[model]) if model in here else None
        if code is not None and code.sha256 == source:
            free = (f"{model}{'' if number == 1 else f'_{number}'}.py" for number in count(1))
            name = next(name for name in free if name.casefold() not in names)
            names.add(name.casefold())
            found[name] = code
    return found


def _code_now(own: OwnStrategy) -> Code | None:
    """The text of a strategy of this process; None where it cannot be written now, which whoever runs it says."""
    try:
        return capture(own).code
    except InputError:
        return None


def copies_of(codes: dict[str, Code]) -> dict[str, Code]:
    """The files that results keep of plugin files, by name in one folder; InputError where there one would be another's, or
    import what it does not where it lies now.
    """
    found: dict[str, Code] = {}
    for entry, code in codes.items():
        for name, part in {Path(entry).name: code, **{beside.path.name: beside for beside in code.beside}}.items():
            if found.setdefault(name, part).text != part.text:
                raise InputError(
                    f"plugins: two files are named {name}, and results keep one folder of them; rename one"
                )
    for entry, code in codes.items():
        alone = replace(code, path=Path(Path(entry).name), beside=())
        if gathered(alone, lambda name, line: found.get(f"{name}.py")).sha256 != code.sha256:
            raise InputError(
                f"plugins: {entry} imports something that another plugin has as a file beside it, and results keep one folder "
                "of them; rename that file"
            )
    return found


def _error(text: str) -> PydanticCustomError:
    return PydanticCustomError("study", "{text}", {"text": text})
