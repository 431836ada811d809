"""What each rule of learning saves with its default number of episodes, against rule backward; prints a table and a verdict.

    python scripts/verify_learners.py [--episodes 50000] [--threads 2]

Rule backward tries every inventory on every path; with multiples of the even slice, the default, the others must end within
20 % of it. Fractions of the rest, which leave inventories between the bins of the table, are printed beside them.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from fastexec.kernels.philox import EVALUATION
from fastexec.learning.rollout import alone, play
from fastexec.learning.training import train
from fastexec.models.strategies import Twap
from fastexec.models.study import StudyModel

RULES = ("backward", "batched", "online", "double")
WITHIN = 0.2
ACTIONS = {
    "multiples": {"set": "multiples", "levels": [0.0, 0.5, 1.0, 1.5, 2.0, 3.0]},
    "fractions": {"set": "fractions", "levels": [0.0, 0.05, 0.1, 0.2, 0.3, 0.5]},
}


def study(rule: str, actions: str, steps: int) -> StudyModel:
    """An order of a few per cent of the volume, with spreads that come and go."""
    features = [{"name": "inventory", "bins": steps + 1}, {"name": "spread", "bins": 6}]
    return StudyModel.model_validate(
        {
            "name": "learners",
            "seed": 7,
            "episodes": 1,
            "order": {"shares": 20_000, "steps": steps},
            "market": {"spread": {"mean": 0.0006, "volatility": 0.6}, "volume": {"mean": 10_000.0, "persistence": 0.8}},
            "strategies": [{"model": "twap"}],
            "train": {"m": {"rule": rule, "actions": ACTIONS[actions], "features": features}},
        }
    )


def twap_cost(model: StudyModel, episodes: int) -> float:
    """Of TWAP on the same episodes, bps without the moves."""
    runs = alone(model, Twap(model="twap", name="twap"), EVALUATION)
    rows = [runs.steps(first, min(2048, episodes - first)).episodes for first in range(0, episodes, 2048)]
    return float(np.mean(np.concatenate([row[4] - row[9] for row in rows])))  # shortfall less timing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=50_000)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    print(f"{'study':<22}{'rule':<10}{'episodes':>10}{'saving bps':>12}{'of backward':>13}")
    sound = True
    for actions, steps in (("multiples", 15), ("fractions", 15), ("multiples", 10)):
        best = 0.0
        for rule in RULES:
            model = study(rule, actions, steps)
            agent = train(model, "m", threads=asked.threads)
            saving = twap_cost(model, asked.episodes) - play(model, agent.policy, EVALUATION, asked.episodes).cost
            best = saving if rule == "backward" else best
            training = model.train["m"]
            share = saving / best
            sound &= share > 1.0 - WITHIN or actions != "multiples"
            episodes, title = training.rounds * training.batch, f"{steps} steps, {actions}"
            print(f"{title:<22}{rule:<10}{episodes:>10,}{saving:>12.3f}{share:>12.0%}", flush=True)
    print("all within 20 % of rule backward" if sound else "NOT all within 20 % of rule backward")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
