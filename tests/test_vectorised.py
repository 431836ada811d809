"""Every lane stage is vectorised: packed against scalar floating operations in its assembly.

The mere presence of wide registers proves nothing (copies use them); packed arithmetic does. Remainder loops are scalar,
so both kinds occur; a stage that LLVM gave up on has no packed operation at all.
"""

from __future__ import annotations

import os
import re
import types

import numba
import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features

import fastexec.kernels.online
import fastexec.kernels.watch
import fastexec.learning.policy_training
import fastexec.simulation
import fastexec.statistics.summary  # noqa: F401 - with the four above, every room's stages
from fastexec.kernels import _jit, fields
from fastexec.kernels._jit import JIT_DISABLED
from fastexec.kernels.clock import Clock, Span
from fastexec.kernels.environment import example_played
from fastexec.kernels.explore import example_record
from fastexec.kernels.policy_gradient import Objective
from fastexec.kernels.practise import example_practice
from fastexec.kernels.transitions import transitions_for

pytestmark = pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")

LANES64, WORDS, RAW = np.zeros(1), np.zeros(1, np.uint32), np.zeros(1, np.float32)
SWITCHES = np.zeros(1, np.int64)
KIND = np.zeros(1, np.int64)
P = M = B = NORMALS = ROWS = LANES64
SPAN, CLOCK = Span(0, 1, 0), Clock(np.uint64(0), 0, 0, 1)
PLAN = fields.Plan(
    np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 1)), np.zeros(0, np.int64), np.zeros((4, 1)), np.zeros(1)
)  # only types matter
STRATEGIES = fields.Strategies(
    np.zeros((1, 1), np.int64), np.zeros((1, 1)), np.zeros((1, 1, 1)), np.zeros(1, np.int64),
    np.zeros((1, 1, 4), np.int64), np.zeros((1, 1, 1)), np.zeros(1, np.uint16), np.ones(1),
    np.zeros((1, 1, 1)), np.zeros((1, 1), np.int64), np.zeros((1, 1, 2), np.int64), np.zeros((1, 1, 4), np.int64),
    np.zeros((1, 1, 2)), np.zeros(1, np.float32),
)  # fmt: skip
F4 = np.float32(1.0)
RECORD, OBJECTIVE, STEPS = (
    transitions_for(128, 1, 4),
    Objective(0, F4, F4, F4, F4, F4, F4),
    np.zeros((1, 1), np.float32),
)
#: Stages whose lane loops do arithmetic, with arguments of their types.
STAGES = {
    "philox.gaussians": (WORDS, RAW),
    "philox.gaussian_pair": (WORDS, RAW),
    "market.correlate": (RAW, NORMALS, P),
    "market.add_to_sums": (0, M),
    "spread.random_walk_spread": (NORMALS, P, M),
    "spread.mean_reverting_spread": (CLOCK, PLAN.curves, NORMALS, P, M),
    "spread.level_spread": (1.0, P, M, M),
    "price.geometric": (0, PLAN.curves, NORMALS, P, M),
    "price.arithmetic": (0, PLAN.curves, NORMALS, P, M),
    "volume.cosine_volume": (0, PLAN.curves, NORMALS, P, M),
    "volume.lognormal_volume": (0, PLAN.curves, NORMALS, P, M),
    "strategy.follow": (0.5, 1.0, P, M, B),
    "strategy.participate": (0.5, 1.0, 0, P, M, B),
    "follow_signal.follow_signal": (0, KIND, STRATEGIES.rules, SWITCHES, PLAN.numbers, M, B),
    "follow_signal.keep_within": (1.0, M, B),
    "strategy.take_actions": (STRATEGIES, 0, 1.0, 1, P, M, B),
    "strategy.take_amounts": (0, 1.0, 1, P, M, B),
    "bins.add_four": (1.0, LANES64, B),
    "bins.cut_evenly": (1.0, 1.0, B),
    "observe.observe_feature": (CLOCK, SWITCHES, 0, P, M, B),
    "layers.activate": (0, RAW),
    "layers.add_tile": (RAW, 4, RAW, RAW),
    "layers.forward_layer": (RAW, 4, 4, RAW, RAW),
    "layers.forward": (RAW, STRATEGIES.layers[0], 0, RAW),
    "observation.scale": (1.0, 1.0, B, RAW),
    "network.mark_faults": (RAW, RAW),
    "network.draw_output": (WORDS, RAW, RAW, B),
    "network.take_share": (3, RAW, B),
    "network.spoil": (RAW, M, B),
    "orders.look": (CLOCK, KIND, P, M, B, LANES64),
    "execute.find_rates": (M, B),
    "execute.find_proportional_rates": (M, B),
    "execute.find_root_rates": (M, B),
    "execute.raise_rates": (P, M, B),
    "execute.lower_volumes": (P, M),
    "execute.raise_slices": (P, M, B),
    "execute.push": (P, B),
    "execute.push_power": (P, B),
    "execute.find_cost": (P, M, B),
    "observe.observe_volumes": (0, 0, 0, M, B),
    "execute.find_factors": (SWITCHES, P, M, B),
    "timing.expect_growth": (P, M),
    "timing.expect_predicted_growth": (0, PLAN.curves, P, M),
    "timing.expect_predicted_drift": (0, PLAN.curves, P, M),
    "timing.expect_seen": (P, M),
    "timing.book_expected": (KIND, M, B),
    "signals.go_on": (0, 0, M, P, M),
    "signals.predict": (SWITCHES, NORMALS, P, M),
    "signals.add_prediction": (0, 1, NORMALS, P, M),
    "signals.foretell": (0, 0, P, M),
    "signals.lean_on_moves": (0, SWITCHES, PLAN.curves, P, M),
    "signals.scale_by_value": (0, P, M),
    "signals.scale_by_level": (0, 1, LANES64, M),
    "execute.find_move": (LANES64, M, B),
    "jumps.jump_by_factors": (RAW, P, M),
    "jumps.jump_by_amounts": (RAW, P, M),
    "jumps.begin_jumps": (CLOCK, SWITCHES, WORDS, RAW, P, M),
    "jumps.draw_chances": (CLOCK, 0, SWITCHES, WORDS, M),
    "jumps.count_jumps": (P, M),
    "halts.count_seen_move": (M,),
    "noise.bounce": (RAW, P, M),
    "noise.bounce_first": (M,),
    "noise.bounce_next": (M,),
    "noise.observe_bounced": (M,),
    "noise.observe_mid": (M,),
    "observe.observe_moves": (0, 0, 0, M, B),
    "variance.begin_variance": (P, M),
    "variance.vary": (0, P, M),
    "regimes.multiply_by_regime": (PLAN.chains, 1, M),
    "regimes.follow_volatility": (P, M),
    "regimes.scale_volume": (M,),
    "regimes.scale_first_spread": (M,),
    "regimes.scale_spread": (M,),
    "execute.scale_rates": (M, B),
    "execute.scale_factors": (M, B),
    "ledger.book": (0, KIND, P, M, B),
    "parts.adversary": (B,),
    "ledger.add_squares": (B,),
    "ledger.decay_impact": (P, B),
    "ledger.charge_step": (P, M, B),
    "rest.value_at_quote": (PLAN.numbers, P, M, B),
    "rest.find_quote_factors": (M, B),
    "environment.pay_moves": (CLOCK, PLAN, P, M, B, example_played()),
    "environment.pay_expected": (0, PLAN.numbers, P, M, B, example_played()),
    "environment.pay_risk": (0, P, B, example_played()),
    "explore.note_inventory": (0, SPAN, STRATEGIES, P, B, example_record()),
    "explore.charge": (0, SPAN, P, M, B, example_record()),
    "account.derive_costs": (PLAN, P, M, B, ROWS),
    "account.derive_columns": (PLAN, P, M, B, ROWS),
    "parameters.derive": (SWITCHES, P),
    "gradients.add_products": (RAW, RAW, RAW),
    "gradients.add_lanes": (RAW, RAW),
    "gradients.pull_tile": (RAW, 4, RAW, RAW),
    "gradients.through_activation": (0, RAW, RAW),
    "softmax.find_chances": (8, RAW, RAW),
    "policy_gradient.pull_on_choice": (OBJECTIVE, RECORD, (0, 0), 8, RAW, RAW),
    "policy_gradient.find_taken": (8, RAW, RAW, RAW),
    "policy_gradient.pull_on_outputs": (OBJECTIVE, RECORD, (0, 0), 8, RAW, RAW, RAW),
    "policy_gradient.pull_on_value": (F4, RAW, RAW, RAW, RAW, RAW),
    "advantages.look_back": (STEPS, STEPS, F4, F4, STEPS),
    "advantages.add_steps": (STEPS, STEPS, STEPS, LANES64),
    "optimisers.merge": (RAW, RAW),
    "optimisers.scale": (F4, RAW),
    "practise.pay": (0, SPAN, 0, B, example_practice()),
    "practise.pay_move": (0, SPAN, 0, LANES64, P, M, B, example_practice()),
    "practise.add_to_reward": (0, SPAN, 0, B, np.zeros((1, 1, 1), np.float32)),
}
#: Those that look something up in a table, lane by lane: an action's level, a chain's threshold.
LOOK_UP = ("strategy.take_actions",)
#: The others, and why they are not held to it.
EXEMPT = {
    "only calls stages": "gradients.backward gradients.add_gradients gradients.pull_back policy_gradient.add_policy "
    "policy_gradient.add_value practise.practise "
    "account.account market.draw bins.encode strategy.schedule strategy.schedule_of_group strategy.pov "
    "rest.value_as_trades rest.value_at_quotes network.network observation.observe_scaled "
    "strategy.random strategy.table strategy.own strategy.act_randomly strategy.draw_choices volume.volume_chain "
    "spread.spread_chain spread.begin_spread_chain spread.begin_mean_reverting_spread ledger.open_ledgers "
    "episode.check_own gather.observe_state gather.count_step orders.own_orders watch.draw_own_choices jumps.draw_for_jumps "
    "variance.draw_for_variance regimes.draw_for_regimes regimes.change_regime "
    "halts.draw_for_halts noise.draw_for_noise signals.draw_signals signals.change_level "
    "signals.scale_by_signals environment.show environment.show_end",
    "integers": "philox.draw_words strategy.find_actions explore.choose",
    "copies": "policy_gradient.observe_again practise.note_inputs practise.note_decision practise.clear "
    "noise.remember_observed halts.begin_halts halts.begin_underneath halts.go_underneath halts.come_up halts.halt "
    "regimes.plain_factors regimes.begin_regimes regimes.hold_factors spread.repeat_spread "
    "account.write_rows ledger.open_ledger ledger.end_order market.roll market.keep_independent "
    "given.remember_traded signals.hold_signals signals.plain_volatility timing.expect_drift watch.expect_nothing "
    "philox.draw_ahead layers.start_tile "
    "spread.constant_spread spread.roll_spread volume.constant_volume price.begin_moved "
    "spread.quote_arrival volume.begin_volume_chain strategy.ask strategy.check_slices strategy.round_down orders.check_orders "
    "gather.remember_states watch.note_features parts.forget_charges",
    "each lane reads a table or path of its own": "chain.step_chain strategy.follow_own given.begin_given "
    "given.begin_joined given.rejoin given.offer given.follow_given given.follow_joined given.know_signals "
    "episode.as_decided environment.take_in environment.act environment.act_by_share environment.act_by_shares "
    "environment.note_rewards environment.write_observations environment.pay_rest environment.note_closed "
    "gather.count_transitions gather.count_last watch.note rest.find_trade_factors strategy.count_unseen",
    "weights, no lanes: in vectors, with a scalar loop written out for those that are left": "optimisers.adam_step "
    "optimisers.rmsprop_step",
    "compares, in vectors": "softmax.choose bins.note_outside network.find_greatest",
    "once a block or for a look at single episodes": "practise.pay_rest gradients.sum_partials "
    "rest.value_as_trade rest.trade_rest account.describe_market "
    "market.begin parameters.fix_parameters "
    "parameters.draw_parameters parameters.round_order record.record record.note_market explore.charge_rest parts.close_parts "
    "explore.charge_move timing.close_split timing.open_split signals.derive_signals signals.factor_rest signals.strength_of "
    "signals.tie_states",
    "no lanes": "optimisers.norm_of "
    "quantile._horner online.ahead online.ahead_between online.choose_action online.move online.take "
    "gather.add_costs gather.in_units gather.add_moves learning.better_action learning.mean_of_tried learning.merge_cell "
    "learning.noise_of programme.value_of "
    "learning.share_by_visits learning.value_ahead second_moments.second_of second_moments.square_between program.best_of "
    "program.clipped program.program_state programme.interpolate programme.look_ahead "
    "programme.known_cost programme.mark programme.price summary._count_wins summary.bin_of trajectory.descend "
    "trajectory.expand trajectory.find_states trajectory.total_cost trajectory.try_step",
}


def assembly(stage, arguments):
    fresh = numba.njit(**_jit.OPTIONS, **_jit.NO_REFERENCES)(stage.py_func)
    fresh.compile(tuple(numba.typeof(a) for a in arguments))
    return next(iter(fresh.inspect_asm().values()))


def test_every_stage_is_held_to_its_vectors_or_says_why_not():
    exempt = [name for names in EXEMPT.values() for name in names.split()]
    assert sorted([*STAGES, *exempt]) == sorted(_jit.stages)


@pytest.mark.parametrize("name", list(STAGES))
def test_packed_operations_dominate(name):
    text = assembly(_jit.stages[name], STAGES[name])
    packed = len(re.findall(r"\bv?(?:mul|add|sub|div|sqrt)p[sd]\b", text))
    scalar = len(re.findall(r"\bv?(?:mul|add|sub|div|sqrt)s[sd]\b", text))
    assert packed >= 3, f"{name}: {packed} packed, {scalar} scalar"
    # Beside each loop of vectors stands a scalar one, for arrays that overlap; one that branches is written out twice.
    assert packed >= 0.4 * scalar, f"{name}: {packed} packed, {scalar} scalar"
    # An index that may be negative for all that the compiler knows is gathered: a fill took 1.33 ns instead of 0.9.
    assert not re.search(r"gather|scatter", text) or name in LOOK_UP, f"{name}: gathers"


@pytest.mark.skipif(not get_host_cpu_features().get("avx512f"), reason="the processor has no vectors of 512 bits")
@pytest.mark.skipif("NUMBA_CPU_NAME" in os.environ, reason="another processor is asked for")
@pytest.mark.parametrize("name", ["philox.gaussians", "price.geometric", "ledger.book"])
def test_the_widest_vectors_are_used(name):
    assert re.search(r"\bv(?:mul|add)p[sd]\b.*%zmm", assembly(_jit.stages[name], STAGES[name]))


@pytest.mark.parametrize("name", ["philox.gaussians", "price.geometric", "execute.raise_rates"])
def test_chains_are_worked_on_side_by_side(name):
    """Four vectors of a chain in one turn of its loop: four times the multiplications of one."""
    stage = _jit.stages[name]
    plain = types.FunctionType(stage.py_func.__code__, stage.py_func.__globals__)  # without the wish
    several, one = (
        len(re.findall(r"\bv?mulp[sd]\b", assembly(x, STAGES[name])))
        for x in (stage, types.SimpleNamespace(py_func=plain))
    )
    assert several > 1.5 * one


def test_philox_multiplies_in_vectors():
    text = assembly(_jit.stages["philox.draw_words"], (np.uint64(0), 0, 0, np.uint32(0), WORDS))
    assert len(re.findall(r"\bv?pmuludq\b", text)) >= 20


def test_the_check_can_fail():
    def scalar(x):
        for i in range(1, 128):
            x[i] = x[i - 1] * 0.5 + x[i]  # each lane needs the one before

    text = assembly(type("stage", (), {"py_func": staticmethod(scalar)}), (LANES64,))
    assert not re.findall(r"\bv?mulpd\b", text)
