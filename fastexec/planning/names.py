"""Names that models give, as numbers of the kernels: parameters, switches and their values, curves, chains.

A name is that of a constant of ``kernels.fields``, in small letters or capitals; with the name of a kernel file before it one
of that file: ``market.JUMP_RATE``. So a model that brings a name of its own needs its own file and its kernel's alone.
"""

from __future__ import annotations

from importlib import import_module

from fastexec.kernels import fields
from fastexec.kernels._jit import LANES


def number(name: str) -> int:
    """A switch, a value of a switch, a curve or a chain, by its name."""
    file, dot, constant = name.rpartition(".")
    found: int = getattr(import_module(f"fastexec.kernels.{file}") if dot else fields, constant.upper())
    return found


def slot(name: str) -> int:
    """A parameter's row of ``Plan.ranges``, by its name."""
    return number(name) // LANES
