#!/usr/bin/env python3
"""An agent that Stable-Baselines3 trains, played here: ``python scripts/stable_baselines.py [--steps N] [--seed S]``.

PPO of Stable-Baselines3 trades orders of a study as Gymnasium environments; its policy's layers become a network of fastexec,
whose decisions are the same on ten thousand observations; then it is compared with TWAP and the best schedule, and with the
exact optimum. Needs ``pip install 'fastexec[gym]' stable-baselines3``, which brings torch.
"""

import argparse
import sys
import tempfile
from pathlib import Path

CHAIN = [[0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]]
STUDY = {
    "name": "elsewhere",
    "seed": 1,
    "order": {"shares": 2_000, "lot": 100, "steps": 20},
    "market": {
        "price": {"volatility": 0.001},
        "spread": {"model": "markov", "levels": [0.0002, 0.0008, 0.002], "transition": CHAIN},
        "volume": {"model": "markov", "levels": [500.0, 1_000.0, 3_000.0], "transition": CHAIN},
    },
    "costs": {"temporary": {"coefficient": 0.001, "exponent": 1.0}},
    "strategies": [{"model": "twap"}, {"model": "static_optimum"}, {"model": "optimum"}],
}
FEATURES = ["inventory", "time", "spread", "volume"]
ACTIONS = {"set": "lots", "levels": [float(n) for n in range(9)]}


def trained(study, steps, seed):
    """PPO of Stable-Baselines3 after so many steps of 256 environments."""
    from stable_baselines3 import PPO

    from fastexec.gym import ExecutionVectorEnv, StableBaselinesVecEnv

    # Moves that nobody could expect are no matter of the agent's: without them it learns sooner.
    env = ExecutionVectorEnv(
        study, 256, features=FEATURES, actions=ACTIONS, autoreset_mode="SameStep", unexpected=False
    )
    model = PPO(
        "MlpPolicy", StableBaselinesVecEnv(env), n_steps=20, batch_size=1_280, n_epochs=4, gamma=1.0, ent_coef=0.01,
        learning_rate=lambda left: 3e-3 * left, policy_kwargs={"net_arch": [32, 32]}, seed=seed, device="cpu",
    )  # fmt: skip
    return model.learn(steps), env.task.observed


def network_of(model, observed, study):
    """Its policy as a network; the environment's observations are scaled already, by means and sds that go with it."""
    import fastexec as fx

    parts = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    layers = [(part.weight.detach().numpy(), part.bias.detach().numpy()) for part in parts if hasattr(part, "weight")]
    observation = [{"name": one.name, "mean": one.mean, "sd": one.sd} for one in observed]
    return fx.Network.from_layers(layers, observation=observation, actions=ACTIONS, study=study, name="sb3")


def played_by(model, study, episodes):
    """The shortfalls of the study's first episodes, decided on by Stable-Baselines3 itself."""
    from fastexec.gym import ExecutionVectorEnv

    env = ExecutionVectorEnv(study, episodes, features=FEATURES, actions=ACTIONS, phase="evaluation")
    seen, _ = env.reset()
    for _ in range(study.order.steps):
        seen, _, _, _, infos = env.step(model.predict(seen, deterministic=True)[0])
    return infos["shortfall_bps"]


def main(words=None):
    """Train, hand over, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300_000, help="environment steps to learn from")
    parser.add_argument("--seed", type=int, default=1, help="of Stable-Baselines3")
    given = parser.parse_args(words)
    try:
        import stable_baselines3  # noqa: F401
    except ImportError:
        sys.exit("stable_baselines.py: needs Stable-Baselines3: pip install 'fastexec[gym]' stable-baselines3")
    import fastexec as fx

    study = fx.Study.from_dict(STUDY)
    model, observed = trained(study, given.steps, given.seed)
    network = network_of(model, observed, study)
    with tempfile.TemporaryDirectory() as folder:
        network.save(file := Path(folder) / "sb3.parquet")
        both = study.changed(
            {"strategies": [*STUDY["strategies"], {"model": "network", "name": "sb3", "agent": str(file)}]}
        )
        results = fx.simulate(both, episodes=20_000)
    rows = results.to_pandas()
    ours = rows.loc[rows["strategy"] == "sb3", "shortfall_bps"].to_numpy()[:500]
    alike = (ours == played_by(model, study, 500)).sum()
    print(f"{alike} of 500 orders of 20 decisions cost the same to the bit, decided here and by Stable-Baselines3")
    table = fx.compare(results, baseline="twap").to_pandas()
    print(table[["strategy", "saving_bps", "ci_low_bps", "ci_high_bps", "captured"]].to_string(index=False))
    print(f"its exact cost: {network.expected_cost(study):.4f} bps")


if __name__ == "__main__":
    main()
