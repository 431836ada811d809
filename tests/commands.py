"""The command line as a person types it, within the tests' own process or in one of its own, which takes a second to import."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from unittest import mock

from conftest import ROOT
from fastexec.cli.main import main


def typed(*words: object, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """(status, standard output, standard error) of ``fastexec WORDS`` in a folder; a warning of Python's is an error."""
    out, error = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.ExitStack() as within:
        for entered in (
            contextlib.chdir(cwd), mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(error), warnings.catch_warnings(action="error"),
        ):  # fmt: skip
            within.enter_context(entered)
        for number in (
            signal.SIGINT,
            signal.SIGTERM,
            signal.SIGHUP,
        ):  # which a process of its own would leave as they are here
            within.callback(signal.signal, number, signal.getsignal(number))
        if "COLUMNS" not in environment:
            os.environ.pop("COLUMNS", None)  # who runs the tests side by side may have set it
        try:
            status = main([str(word) for word in words]) or 0
        except SystemExit as ended:
            status = ended.code
    return status, out.buffer.getvalue().decode("utf-8"), error.buffer.getvalue().decode("utf-8")


def process(*words: object, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """The same in a process of its own: where its streams, its signals or what it has imported are what is tested."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-m", "fastexec", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return ended.returncode, ended.stdout, ended.stderr
