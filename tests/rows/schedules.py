"""Rows of the search for a static schedule."""

from __future__ import annotations

import numpy as np

from fastexec.kernels import trajectory
from naive import trajectory as schedule
from trials import Plain, arrays


def some_schedule(rng, steps=5):
    """Slices, terms, constants; a mixture of two exponents, of 1 and below, as the models allow."""
    slices = rng.uniform(1.0, 30.0, steps)
    terms = rng.uniform(0.0, 2.0, (trajectory.SCALES + 2, steps))
    terms[trajectory.KEEP] = rng.uniform(0.0, 1.0, steps)
    constants = np.zeros(trajectory.EXPONENTS + 2)
    constants[trajectory.EXPONENTS :] = rng.choice([0.5, 0.6, 1.0], 2)
    constants[trajectory.SQUARE] = rng.uniform(0, 0.1)
    constants[trajectory.PUSH], constants[trajectory.PUSH_EXPONENT] = rng.uniform(0, 0.2), rng.choice([0.6, 1.0])
    return slices / slices.sum(), terms, constants


def named(constants):
    names = ("square", "push", "push_exponent")
    found = {name: float(constants[getattr(trajectory, name.upper())]) for name in names}
    return found | {"exponents": constants[trajectory.EXPONENTS :].tolist()}


def total_cost(slices, terms, constants, barrier):
    return schedule.total_cost(*parts_of(slices, terms, constants), barrier)


def adds_up_and_has_a_wall(call, slices, terms, constants, barrier):
    """Linear in its terms and in the barrier; infinite where a slice is not positive."""
    cost = call(slices, terms, constants, barrier)
    more = terms.copy()
    more[trajectory.LINEAR] += 1.0
    np.testing.assert_allclose(call(slices, more, constants, barrier) - cost, slices.sum(), rtol=1e-9)
    free = call(slices, terms, constants, 0.0)
    np.testing.assert_allclose(cost, free - barrier * np.log(slices).sum(), rtol=1e-12)
    slices[1] = 0.0
    assert call(slices, terms, constants, 0.0) == np.inf


def states_of(rng):
    slices, terms, constants = some_schedule(rng)
    return slices, terms, constants, np.empty(slices.size), np.empty(slices.size)


def find_states(slices, terms, constants, x, y):
    x[:], y[:] = zip(*schedule.states(slices.tolist(), terms[trajectory.KEEP].tolist(), named(constants)), strict=True)


def less_is_left_and_impact_fades(call, slices, terms, constants, x, y):
    call(slices, terms, constants, x, y)
    np.testing.assert_allclose(x - slices, [*x[1:], 0.0], atol=1e-12)
    terms[trajectory.KEEP] = 0.0
    call(slices, terms, constants, x, y)
    assert not y.any()


def tried(rng):
    slices, terms, constants = some_schedule(rng)
    size, feedback = float(rng.choice([1.0, 0.5, 0.01])), rng.normal(0, 0.01, (3, slices.size))
    return size, slices, terms, constants, feedback, np.empty(slices.size)


def try_step(size, slices, terms, constants, feedback, trial):
    keep = terms[trajectory.KEEP].tolist()
    trial[:] = schedule.stepped(size, slices.tolist(), keep, named(constants), feedback.T.tolist())


def adds_up_to_the_order(call, size, slices, terms, constants, feedback, trial):
    call(size, slices, terms, constants, feedback, trial)
    np.testing.assert_allclose(trial.sum(), 1.0, rtol=1e-12)
    call(0.0, slices, terms, constants, feedback, trial)
    np.testing.assert_allclose(trial, slices, rtol=1e-12)


def convex(rng):
    """Linear transient impact; slices add up to 1, a barrier that keeps them positive."""
    slices, terms, constants = some_schedule(rng)
    constants[trajectory.PUSH_EXPONENT] = 1.0
    return slices, terms, constants, float(rng.uniform(0.01, 0.1))


def parts_of(slices, terms, constants):
    """As the twins take them."""
    rows = {name: terms[getattr(trajectory, name.upper())].tolist() for name in ("linear", "risk", "keep")}
    return slices.tolist(), rows, terms[trajectory.SCALES :].tolist(), named(constants)


def expanded(rng):
    slices, terms, constants, barrier = convex(rng)
    return slices, terms, constants, barrier, np.empty((2, slices.size)), np.empty((3, slices.size))


def expand(slices, terms, constants, barrier, before, feedback):
    before[:] = np.transpose(schedule.states(slices.tolist(), terms[trajectory.KEEP].tolist(), named(constants)))
    feedback[:], decrease = schedule.direction(*parts_of(slices, terms, constants), barrier)
    return decrease


def leads_downhill(call, slices, terms, constants, barrier, before, feedback):
    """Also where impact is concave, and the cost with it."""
    for exponent in (1.0, 0.5):
        constants[trajectory.PUSH_EXPONENT], constants[trajectory.PUSH] = exponent, 3.0
        call(slices, terms, constants, barrier, before, feedback)
        parts = parts_of(slices, terms, constants)
        new = schedule.stepped(1e-5, parts[0], parts[1]["keep"], parts[3], feedback.T.tolist())
        assert schedule.total_cost(new, *parts[1:], barrier) < schedule.total_cost(*parts, barrier)


def descended(rng):
    slices, terms, constants, barrier = convex(rng)
    return slices, terms, constants, barrier, np.empty((trajectory.WORK, slices.size))


def descend(slices, terms, constants, barrier, work):
    slices[:] = schedule.minimum(*parts_of(slices, terms, constants), barrier)


def begun_at_the_minimum_it_stays(call, slices, terms, constants, barrier, work):
    call(slices, terms, constants, barrier, work)
    found = slices.copy()
    call(slices, terms, constants, barrier, work)
    np.testing.assert_allclose(slices, found, atol=1e-8)
    np.testing.assert_allclose(slices.sum(), 1.0, rtol=1e-12)


ROWS = (
    Plain("trajectory.total_cost", total_cost, arrays(lambda rng: (*some_schedule(rng), float(rng.uniform(0, 1)))),
          adds_up_and_has_a_wall),
    Plain("trajectory.find_states", find_states, arrays(states_of), less_is_left_and_impact_fades, atol=1e-14),
    Plain("trajectory.try_step", try_step, arrays(tried), adds_up_to_the_order),
    Plain("trajectory.expand", expand, arrays(expanded), leads_downhill, rtol=1e-8, atol=1e-10),
    Plain("trajectory.descend", descend, arrays(descended), begun_at_the_minimum_it_stays, atol=1e-6, scratch=1),
)  # fmt: skip
