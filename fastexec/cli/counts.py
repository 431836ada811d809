"""Counts as people write them on the command line: 10000, 10_000 or 1e4."""

from __future__ import annotations

from typing import Any

import click

from fastexec.arguments import whole_number


class Count(click.ParamType):  # type: ignore[type-arg] # generic from click 8.2 on
    """A whole number from ``least`` to ``most``."""

    name = "count"

    def __init__(self, least: int | None = None, most: int | None = None) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error that says what would be one."""
        number = value if isinstance(value, int) else whole_number(value)
        if number is None:
            self.fail(f"{value!r} is no whole number; write for example 10000, 10_000 or 1e4", param, ctx)
        if (self._least is not None and number < self._least) or (self._most is not None and number > self._most):
            reach = f"from {self._least:,}" + ("" if self._most is None else f" to {self._most:,}")
            self.fail(f"{value} is not in the range {reach}", param, ctx)
        return number
