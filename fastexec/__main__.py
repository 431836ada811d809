"""``python -m fastexec``."""

from fastexec.cli.main import main

main()
