"""Which code of a study may run: all of a person's own study, and of a folder of results only what that person vouches for.

Whoever runs or trains a study of his own has its code recorded, by SHA-256, in a state folder that only he can write. Later the
same bytes may run wherever they lie.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from fastexec.host import CAREFULLY, belongs_to_another, is_open_to_others

_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Trust:
    """everything: whatever the study names may run. named: files and modules that the call itself names (--plugin). digests:
    SHA-256s of code that may run. remembered: so may what the user's own runs recorded.
    """

    everything: bool = False
    named: tuple[str, ...] = ()
    digests: frozenset[str] = frozenset()
    remembered: bool = False

    #: A study of the user's own.
    OWN: ClassVar[Trust]
    #: For those who only read: no code at all.
    NOTHING: ClassVar[Trust]

    @classmethod
    def of(cls, plugins: Sequence[str], trust: bool) -> Trust:
        """What a study found in a folder of results may run: what is named, what was recorded, all of it under ``trust``."""
        return cls(everything=trust, named=tuple(plugins), remembered=True)

    def may_run(self, entry: str, digest: str) -> bool:
        """Whether the code of an entry of `plugins` may run; ``digest``: SHA-256 of its text."""
        return (
            self.everything
            or entry in self.named
            or digest in self.digests
            or (self.remembered and is_recorded(digest))
        )

    def naming(self, plugins: Iterable[str]) -> Trust:
        """The same, where the call names these files and modules too."""
        return replace(self, named=tuple(dict.fromkeys([*self.named, *plugins])))

    @property
    def is_own(self) -> bool:
        """Whether the study is the user's own, not one found in a folder of results."""
        return self.everything and not self.remembered


Trust.OWN = Trust(everything=True)
Trust.NOTHING = Trust()


def record(digests: Iterable[str]) -> None:
    """Keep SHA-256s as the user's own, an empty file each; a warning where that cannot be: it fails no run."""
    folder = _folder()
    if folder is None:
        return
    home = folder / "plugins"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for made in (folder, home):
            made.mkdir(mode=0o700, exist_ok=True)
        if not _is_ours(folder) or not _is_ours(home):
            return
        for digest in filter(_DIGEST.fullmatch, digests):
            os.close(os.open(home / digest, os.O_CREAT | os.O_WRONLY | CAREFULLY, 0o600))
    except OSError as error:
        _warn(folder, f"cannot be written ({error.strerror})")


def is_recorded(digest: str) -> bool:
    """Whether a run or training of the user's own used the code of this SHA-256."""
    folder = _folder()
    if folder is None or _DIGEST.fullmatch(digest) is None:
        return False
    home = folder / "plugins"
    try:
        return home.is_dir() and _is_ours(folder) and _is_ours(home) and (home / digest).is_file()
    except OSError as error:
        _warn(folder, f"cannot be read ({error.strerror})")
        return False


def _folder() -> Path | None:
    """The user's state folder; None where no absolute path is known for it."""
    given, state = os.environ.get("FASTEXEC_STATE_DIR", ""), os.environ.get("XDG_STATE_HOME", "")
    if given:
        if not os.path.isabs(given):
            _warn(Path(given), "is no absolute path (FASTEXEC_STATE_DIR)")
            return None
        return Path(given)
    home = (
        state if os.path.isabs(state) else os.path.expanduser("~/.local/state")
    )  # a relative one does not count (XDG)
    return Path(home) / "fastexec" if os.path.isabs(home) else None


def _is_ours(folder: Path) -> bool:
    """Whether only the user himself can write there: anybody else could call his code the user's."""
    found = folder.stat()
    if belongs_to_another(found):
        _warn(folder, "belongs to somebody else")
    elif is_open_to_others(found):
        _warn(folder, f"can be written by others; chmod go-w {folder}")
    else:
        return True
    return False


def _warn(folder: Path, why: str) -> None:
    warnings.warn(f"the record of your own plugins, {folder}, is not used: it {why}", stacklevel=3)
