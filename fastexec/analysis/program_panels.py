"""The mini-project's six panels: how its agent learned, what the strategies cost, one episode, the learned Q."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastexec.analysis.report.styles import COLOURS
from fastexec.kernels.program import SPREADS
from fastexec.learning.agent import Agent
from fastexec.learning.program import program_history
from fastexec.learning.training import policies_of, train
from fastexec.simulation import prepare
from fastexec.studies.study import Study
from fastexec.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMOOTHED = 20


@dataclass(frozen=True)
class ProgramResults:
    """``history`` float64[e, 2]: reward and completion of each training episode. ``cost``, ``completion`` float64[e, k]: of the
    evaluation, currency and share of the order. ``steps``: the steps of one episode, float64[k, t] each.
    """

    study: Study
    agent: Agent
    history: np.ndarray
    cost: np.ndarray
    completion: np.ndarray
    steps: dict[str, np.ndarray]
    episode: int

    @property
    def strategies(self) -> list[str]:
        """Names, in the order of the columns."""
        return [strategy.name for strategy in self.study.strategies]


def program_results(study: Study, episode: int = 0) -> ProgramResults:
    """Train the agent of a study by rule `program`, evaluate every strategy on other episodes, and look at one of them."""
    name = next(iter(study.train))
    agent = train(study, name)
    prepared = prepare(study, policies=policies_of(study, {name: agent}))
    rows = prepared.run(0, prepared.episodes).episodes
    shape = (prepared.episodes, len(prepared.strategies))
    steps = prepared.steps(episode, 1)
    cut = {key: steps[key].reshape(shape[1], -1) for key in ("mid", "spread", "volume", "shares", "remaining")}
    cost, completion = (rows[key].reshape(shape) for key in ("program_cost", "completion"))
    return ProgramResults(study, agent, program_history(study, name), cost, completion, cut, episode)


def draw_program_panels(found: ProgramResults, path: Path) -> Path:
    """Six panels as PNG at ``path``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 9), layout="constrained")
    axes = figure.subplots(2, 3)
    _learning(axes[0, 0], found.history[:, 0])
    _completion(axes[0, 1], found.history[:, 1])
    _costs(axes[0, 2], found)
    _slices(axes[1, 0], found)
    _market(axes[1, 1], found)
    _values(axes[1, 2], found.agent)
    figure.suptitle("The mini-project, as it was: costs by its own rule, not an execution cost (see completion)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return path


def smoothed(values: np.ndarray, over: int = _SMOOTHED) -> np.ndarray:
    """Mean of each value and those before it, ``over`` in all (fewer at the start)."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    last = np.arange(1, values.size + 1)
    first = np.maximum(last - over, 0)
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _learning(axes: Axes, reward: np.ndarray) -> None:
    axes.plot(reward, color="0.8", lw=0.8, label="an episode")
    axes.plot(smoothed(reward), color=COLOURS[0], lw=2, label=f"mean of {_SMOOTHED}")
    axes.set(title="Learning curve", xlabel="training episode", ylabel="reward (currency, minus the cost)")
    axes.legend(frameon=False)


def _completion(axes: Axes, completion: np.ndarray) -> None:
    axes.plot(100 * smoothed(completion), color=COLOURS[2], lw=2, label=f"mean of {_SMOOTHED}")
    axes.axhline(100.0, color="black", lw=1, ls="--", label="100 %")
    low = min(float(100 * completion.min()), 99.0)
    axes.set(title="Completion over training", xlabel="training episode", ylabel="order done (%)")
    axes.set_ylim(low - 0.05 * (101 - low), 100 + 0.08 * (101 - low))
    axes.legend(frameon=False, loc="lower right")


def _costs(axes: Axes, found: ProgramResults) -> None:
    names = [f"{n}\n{100 * c:.1f} % done" for n, c in zip(found.strategies, found.completion.mean(axis=0), strict=True)]
    drawn = axes.boxplot(
        [column / 1_000 for column in found.cost.T], tick_labels=names, showfliers=False, patch_artist=True
    )
    for box, line, colour in zip(drawn["boxes"], drawn["medians"], COLOURS, strict=False):
        box.set(facecolor=colour, alpha=0.6)
        line.set(color="black")
    axes.set(
        title=f"Cost of {counted(found.cost.shape[0], 'episode')}",
        ylabel="program cost (thousands of currency)",
        ylim=(0, None),
    )


def _slices(axes: Axes, found: ProgramResults) -> None:
    t = np.arange(found.steps["shares"].shape[1])
    for k, name in enumerate(found.strategies):
        axes.step(t, found.steps["shares"][k], where="mid", color=COLOURS[k], label=name, lw=1.5)
    axes.set_yscale("symlog", linthresh=100)
    axes.set(
        title=f"Slices of episode {found.episode}", xlabel="step", ylabel="shares (linear below 100)", ylim=(0, None)
    )
    axes.legend(frameon=False)


def _market(axes: Axes, found: ProgramResults) -> None:
    """Volume and spread, and where the last strategy (the agent) traded."""
    t, spread = np.arange(found.steps["volume"].shape[1]), 1e4 * found.steps["spread"][-1]
    axes.bar(t, found.steps["volume"][-1], color="0.82", width=1.0)
    axes.set(title=f"Episode {found.episode}: where {found.strategies[-1]} traded", xlabel="step")
    axes.set_ylabel("volume (shares, grey)")
    right = axes.twinx()
    right.plot(t, spread, color=COLOURS[3], lw=1.5)
    shares = found.steps["shares"][-1]
    traded = shares > 0
    size = 25 + 175 * shares[traded] / max(float(shares.max()), 1.0)
    right.scatter(t[traded], spread[traded], s=size, color=COLOURS[0], zorder=3, label="a trade, by its size")
    right.set_ylabel("spread (bps)", color=COLOURS[3])
    right.legend(frameon=False, loc="upper right")


def _values(axes: Axes, agent: Agent) -> None:
    """The best Q (reward to go) by step and spread, over the other features as often as they were visited."""
    best = -agent.q.min(axis=2).reshape(agent.q.shape[0], -1, SPREADS)
    visits = agent.visits.reshape(best.shape)
    weight = visits.sum(axis=1)
    mean = np.where(weight > 0, (best * visits).sum(axis=1) / np.maximum(weight, 1), np.nan)
    seen = np.flatnonzero(weight.any(axis=0))
    top = int(seen[-1]) + 1
    image = axes.imshow(mean[:, :top].T, origin="lower", aspect="auto", cmap="viridis", interpolation="nearest")
    axes.set_yticks(range(top), [f"{10 * k} to {10 * k + 10}" for k in range(top)])
    axes.set(title="Learned Q of the best action (blank: never seen)", xlabel="step", ylabel="spread (bps)")
    colours = axes.figure.colorbar(image, ax=axes)
    colours.set_label("reward to go (currency)")
