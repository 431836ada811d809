"""``python -m fastexec``."""

from fastexec.cli import main

main()
