"""Code run as a cell of a notebook runs: its text is known to Python, and lies in no file."""

from __future__ import annotations

import linecache
from itertools import count
from typing import Any

import pytest

from fastexec.models.plugins import registry
from fastexec.studies.study import Study

SIGNATURE = "(shares, remaining, mid, spread, last_volume, params, step, steps)"
#: Of the second form.
ORDERS = "(orders, see, params, step, steps)"
_NUMBER = count(1)


class Notebook:
    """``names``: what its cells define."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "a_notebook"}
        self.cell("import numba\nimport numpy as np\n\nimport fastexec as fx")

    def cell(self, text: str) -> None:
        """Run a cell."""
        file = f"/tmp/no_such_folder/{next(_NUMBER)}.py"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), self.names)

    def strategy(self, body: str, name: str = "mine", head: str = "", signature: str = SIGNATURE) -> None:
        """Run a cell that defines a strategy; ``head``: further keys of the decorator."""
        self.cell(f'@fx.strategy("{name}"{head})\ndef {name}{signature}:\n    {body}')

    def study(self, name: str = "mine", **keys: Any) -> Study:
        """A study of 1,000 shares in 4 steps, any part of a share, that plays it alone."""
        order = {"side": "sell", "shares": 1000.0, "steps": 4, "lot": 0}
        return Study.from_dict({"episodes": 20, "order": order, "strategies": [{"model": name}], **keys})


@pytest.fixture
def notebook():
    yield Notebook()
    registry.pop("a_notebook", None)
