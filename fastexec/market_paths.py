"""market(): the paths that a study's strategies would meet, as arrays, with nobody trading on them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fastexec.arguments import require_one_of
from fastexec.data.paths import MarketPaths
from fastexec.kernels.philox import EVALUATION, TRAINING
from fastexec.kernels.record import Recorded, record_markets, recorded_for
from fastexec.kernels.walk import Episodes
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel, require_study
from fastexec.simulation import Prepared, prepare, ranges_of
from fastexec.threads import default_threads, require_threads

_PHASES = {"evaluation": EVALUATION, "training": TRAINING}


def market(
    study: StudyModel,
    *,
    episodes: int | None = None,
    seed: int | None = None,
    phase: str = "evaluation",
    threads: int | None = None,
) -> MarketPaths:
    """The study's own market paths, as ``simulate`` meets them: mid, spread and volume float64[e, t], with arrival prices, and
    mid and spread when the last step ends.

    episodes, seed: instead of the study's own. phase: "evaluation", the episodes that strategies are compared on, or
    "training", others, to learn from; real days are the same in both. threads: default all processors.

    Given back to the study, ``simulate(study, paths=market(study))``, they give the same episodes to the bit; only
    ``realised_volatility`` is computed from the prices and may differ in its last digits. A study on real days takes no given
    paths, and its bars without a trade, in which a quote may be crossed, are paths without volume here. One with signals takes
    none either. What regimes and volatility do to the costs themselves (``impact``, ``volatility_exponent``) is no part of
    paths.

    Raises InputError where the study does not fit its bars, or has a sweep.

    >>> fx.market(fx.Study.preset("large_cap"), episodes=50, phase="training").mid.shape
    (50, 60)
    """
    require_study(study)
    workers = require_threads(threads) or default_threads()
    number = _PHASES[require_one_of("phase", phase, *_PHASES)]
    changes = {key: value for key, value in (("episodes", episodes), ("seed", seed)) if value is not None}
    # Nobody trades, so nothing is trained or solved for.
    study = study.changed(changes).model_copy(update={"strategies": (Twap(model="twap"),), "train": {}})
    prepared = prepare(study, phase=number)
    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(lambda part: _recorded(prepared, *part), ranges_of(prepared.episodes, workers)))
    mid, spread, volume, arrival = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return MarketPaths(mid[:, :-1], spread[:, :-1], volume, arrival, mid[:, -1], spread[:, -1])


def _recorded(prepared: Prepared, first: int, count: int) -> Recorded:
    """Episodes ``first <= e < first + count``; one thread, the interpreter lock released."""
    recorded = recorded_for(count, prepared.study.order.steps)
    record_markets.over(Episodes(np.uint64(prepared.study.seed), first, count, first), prepared.arrays, recorded)
    return recorded
