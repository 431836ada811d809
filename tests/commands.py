"""The command line within the tests' own process: a process of its own takes a second to import what it needs."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

from fastexec.cli.main import main


def typed(*words: object, cwd: Path) -> tuple[int, str, str]:
    """(status, standard output, standard error) of ``fastexec WORDS`` in the folder ``cwd``; a warning of Python's is an error."""
    out, error = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    status: object = 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                status = main([str(word) for word in words])
            except SystemExit as ended:
                status = ended.code
    texts = [stream.buffer.getvalue().decode("utf-8") for stream in (out, error)]  # type: ignore[attr-defined]
    assert isinstance(status, int)
    return status, texts[0], texts[1]
