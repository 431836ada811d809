"""The study as it may be run into a folder: with the code that its user vouches for."""

from __future__ import annotations

from dataclasses import replace

from fastexec.place import Place
from fastexec.studies.ownership import trust_for
from fastexec.studies.study import Study


def trusted_to_run(study: Study, out: Place, trust: bool) -> Study:
    """The study as it may be run into ``out``."""
    given = study._trust
    copy = study.model_copy()
    if given.is_own:
        copy._trust = trust_for(study._folder, out, given.named, trust)
    else:
        copy._trust = replace(given, everything=given.everything or trust)
    return copy
