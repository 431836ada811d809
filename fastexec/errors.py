"""The errors a user can meet: each message is one line saying what is wrong, where, and what would be right."""

from __future__ import annotations


class FastexecError(Exception):
    """Failed while running; the command line ends with status 1."""

    exit_status = 1


class InputError(FastexecError):
    """The command line, the study or the data is wrong; status 2, and nothing was written."""

    exit_status = 2


class RefusedError(FastexecError):
    """Refused so that nothing is lost; status 3."""

    exit_status = 3
