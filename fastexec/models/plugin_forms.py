"""The forms that a user's strategy may have."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import CodeType


@dataclass(frozen=True)
class Form:
    """``arguments``: by position. ``kind``: of the kernels' way of deciding."""

    arguments: tuple[str, ...]
    kind: str

    @property
    def written(self) -> str:
        """The one array that the strategy fills."""
        return self.arguments[0]

    @property
    def inputs(self) -> slice:
        """Where among the arguments the arrays are that it may only read."""
        return slice(1, len(self.arguments) - 2)


FIRST = Form(("shares", "remaining", "mid", "spread", "last_volume", "params", "step", "steps"), "PLUGIN")
#: Rows by name: what is written in ``fastexec.orders``, what is seen in ``fastexec.see``.
SECOND = Form(("orders", "see", "params", "step", "steps"), "OWN_ORDERS")
FORMS = (FIRST, SECOND)
#: For whoever gave a function of neither.
TOLD = " or ".join(f"({', '.join(form.arguments)})" for form in FORMS)


def form_of(code: CodeType) -> Form | None:
    """The form of a function; None of one that has neither."""
    if code.co_kwonlyargcount or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return None
    return next((form for form in FORMS if len(form.arguments) == code.co_argcount), None)
