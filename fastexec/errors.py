"""The errors a user can meet: each message is one line saying what is wrong, where, and what would be right."""

from __future__ import annotations

import errno
from collections.abc import Sequence

# What the system says of a path that can be none: whoever wrote it can mend it.
_OF_THE_PATH = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EINVAL}


class FastexecError(Exception):
    """Failed while running; the command line ends with status 1."""

    exit_status = 1


class InputError(FastexecError):
    """The command line, the study or the data is wrong; status 2, and nothing was written."""

    exit_status = 2


class RefusedError(FastexecError):
    """Refused so that nothing is lost; status 3."""

    exit_status = 3


class Interrupted(KeyboardInterrupt):
    """Asked to stop by a signal, ``number``; status 130."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def kind_of(error: OSError) -> type[FastexecError]:
    """What an error of the system is to a user: InputError where the path can be none, such as a name too long."""
    return InputError if error.errno in _OF_THE_PATH else FastexecError


def listed(names: Sequence[object], most: int = 12) -> str:
    """Names for one line: all, or the first ones and how many there are."""
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"
