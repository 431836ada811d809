"""The mini-project's learner: a plain-Python twin of its description agrees bit for bit on given paths and draws."""

from __future__ import annotations

import numpy as np
import pytest

from fastexec.analysis.agents import by_time_and_inventory, in_words
from fastexec.errors import InputError
from fastexec.kernels.program import learn_program
from fastexec.learning.program import program_history, program_paths
from fastexec.learning.training import policies_of, train
from fastexec.simulation import prepare
from fastexec.studies.study import Study

LEVELS = [0.0, 0.25, 0.5, 0.75, 1.0]


def seen(mid, spread, volume, t):
    """What the program looked at, each cut to an integer towards zero and clipped."""
    momentum = mid[t] / mid[max(t - 5, 0)] - 1.0
    steps = len(mid)
    return (
        min(max(int(10.0 * ((steps - t) / steps)), 0), 10),
        min(max(int((100.0 * momentum + 5.0) * 2.0), 0), 20),
        min(max(int(volume[t] / 1000.0), 0), 5),
        min(max(int(spread[t] * 1000.0), 0), 10),
    )


def original(mid, spread, volume, words, episodes):
    """The program, with a dictionary; unseen states are zero, ties go to the first action. And what each episode came to."""
    outcomes = []
    q: dict[tuple[int, ...], list[float]] = {}

    def values(state):
        return q.setdefault(state, [0.0] * 5)

    for e in range(episodes):
        left, steps, rewarded = 10_000.0, mid.shape[1], 0.0
        for t in range(steps):
            state = seen(mid[e], spread[e], volume[e], t)
            row = values(state)
            if int(words[e, t, 0]) < 0.3 * 2**32:
                action = (int(words[e, t, 1]) * 5) >> 32
            else:
                action = row.index(max(row))
            shares = float(np.floor(LEVELS[action] * left + 1e-9))
            reward = -(mid[e, t] * (0.5 * spread[e, t] + 10.0 * (shares / volume[e, t])))
            if t == steps - 1:
                reward = reward - 100.0 if left > 0 else reward
                target = reward
            else:
                target = reward + 0.95 * max(values(seen(mid[e], spread[e], volume[e], t + 1)))
            row[action] += 0.1 * (target - row[action])
            rewarded += reward
            left -= shares
            if left <= 0:
                break
        outcomes.append([rewarded, 1.0 - left / 10_000.0])
    return q, outcomes


def test_bit_for_bit_the_description():
    rng = np.random.default_rng(8)
    study = Study.preset("mini_project")
    mid, spread, volume = program_paths(study, 0, 200)
    spread, volume = spread * 3.0, volume * 3.0  # reach more bins than the market itself does
    words = rng.integers(0, 2**32, (200, 50, 2), dtype=np.uint32)
    cells = (11 * 6 * 21 * 11, 5)
    q, second, visits = np.zeros(cells), np.zeros(cells), np.zeros(cells, np.int64)
    numbers = np.array([10_000.0, 1.0, 10.0, 0.1, 0.95, 0.3])
    outcomes = np.zeros((200, 2))
    learn_program((mid, spread, volume), words, np.array(LEVELS), numbers, (q, second, visits), outcomes)
    assert (second[visits > 0] > 0.0).all()
    wanted, came_to = original(mid, spread, volume, words, 200)
    assert outcomes.tolist() == came_to
    for (left, momentum, traded, wide), row in wanted.items():
        code = ((left * 21 + momentum) * 6 + traded) * 11 + wide
        assert q[code].tolist() == row
    assert (q != 0.0).any(axis=1).sum() == sum(any(row) for row in wanted.values())


def test_the_engine_plays_the_table_by_the_same_states():
    study = Study.preset("mini_project", ["episodes=50"])
    agent = train(study, "program")
    assert agent.visits.max() > 0
    steps = prepare(study, policies=policies_of(study, {"program": agent})).steps(0, 50)
    rows = {name: steps[name].reshape(50, 3, 50)[:, 2] for name in ("mid", "spread", "volume", "shares", "remaining")}
    table = agent.policy.table
    for e in range(50):
        for t in range(50):
            left, momentum, traded, wide = seen(rows["mid"][e], rows["spread"][e], rows["volume"][e], t)
            before = rows["remaining"][e, t] + rows["shares"][e, t]
            action = table[t, (momentum * 6 + traded) * 11 + wide]
            assert rows["shares"][e, t] == np.floor(LEVELS[action] * before + 1e-9)


def test_what_it_was_really_rewarded_for():
    """Not multiplied by the shares, its cost pays for being done early: it hardly spreads its order over the steps."""
    study = Study.preset("mini_project", ["episodes=400"])
    rows = prepare(study).run(0, 400).episodes
    completion, cost = (rows[name].reshape(400, 3) for name in ("completion", "program_cost"))
    assert completion[:, 2].mean() > 0.9
    assert cost[:, 1].mean() < cost[:, 2].mean()  # POV, at half of the order, still looks cheaper


def test_show_says_what_it_is():
    agent = train(Study.preset("mini_project"), "program")
    assert any("the mini-project's own reckoning" in line for line in in_words(agent))
    assert by_time_and_inventory(agent)[0] == ["step", "any"]


def test_the_history_is_that_of_the_agent_whatever_the_rounds():
    study = Study.preset("mini_project")
    history = program_history(study, "program")
    assert history.shape == (500, 2)
    cut = study.with_overrides(["train.program.batch=100", "train.program.rounds=5"])
    np.testing.assert_array_equal(program_history(cut, "program"), history)


def test_it_is_the_mini_projects_own():
    honest = Study.preset("mini_project_honest").changed(
        {"train": {"p": {"rule": "program", "actions": {"set": "fractions", "levels": LEVELS}}}}
    )
    with pytest.raises(InputError, match="it is the mini-project's own"):
        train(honest, "p")
