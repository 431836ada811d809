"""A study on which networks learn: Markov spread and volume of three levels each, a martingale price, twenty lots in twenty
steps. Called by itself it prints the hash of a small training's network.
"""

from __future__ import annotations

import hashlib
import sys

import numpy as np

from fastexec.learning.policy_gradient import Settings
from fastexec.learning.policy_training import learn_policy, plan_training
from fastexec.models.actions import Actions
from fastexec.studies.study import Study

CHAIN = [[0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]]
STUDY = {
    "seed": 1,
    "order": {"shares": 2_000, "lot": 100, "steps": 20},
    "market": {
        "price": {"model": "geometric", "volatility": 0.001},
        "spread": {"model": "markov", "levels": [0.0002, 0.0008, 0.002], "transition": CHAIN},
        "volume": {"model": "markov", "levels": [500.0, 1_000.0, 3_000.0], "transition": CHAIN},
    },
    "costs": {"temporary": {"model": "power", "coefficient": 0.001, "exponent": 1.0}},
    "strategies": [{"model": "twap"}],
}
FEATURES = [("inventory", 0), ("time", 0), ("spread", 0), ("volume", 0)]
LOTS = Actions(set="lots", levels=tuple(float(n) for n in range(9)))
#: One that is over in a second: eight steps, two batches of 384 episodes.
SMALL = {**STUDY, "order": {"shares": 800, "lot": 100, "steps": 8}}


def plan_of(study=STUDY, updates=400, batch=1_024, **settings):
    return plan_training(Study.from_dict(study), "deep", FEATURES, LOTS, Settings(**settings), updates, batch)


def small_plan(**settings):
    return plan_of(SMALL, updates=2, batch=384, **{"hidden": (8, 8), "minibatch": 128, **settings})


def digest(policy) -> str:
    parts = [np.ascontiguousarray(part).tobytes() for layer in policy.layers for part in layer]
    return hashlib.sha256(b"".join(parts)).hexdigest()


if __name__ == "__main__":
    sys.stdout.write(digest(learn_policy(small_plan(), 0)[0]) + "\n")
