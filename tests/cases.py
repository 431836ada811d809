"""One table of the kernels' stages: of each its naive twin, what both are tried on, how close they must be, and a property.

``tests/test_stages.py`` runs it. A stage without a row stands in ``WITHOUT`` until it gets one.
"""

from __future__ import annotations

from rows import books, decide, given, learning, ledger, market, numbers, parameters, program, programmes, summaries
from trials import Lanes, Plain

PARTS = (numbers, parameters, market, given, decide, ledger, books, learning, program, programmes, summaries)
ROWS: tuple[Lanes | Plain, ...] = tuple(row for part in PARTS for row in part.ROWS)
#: Stages that still lack a row.
WITHOUT = """
    account.account account.derive_columns account.derive_costs account.describe_market account.write_rows
    explore.charge explore.charge_rest explore.choose explore.price_share fill.charge_step fill.close_horizon
    fill.fill fill.open_ledger fill.push fill.raise_rates gather.add_costs gather.count_transitions
    gather.remember_states market.advance market.begin market.draw market.roll record.own_cost record.record
    state.add_four state.encode state.measure strategy.decide strategy.decide_otherwise strategy.look_up
    walk.close_block walk.open_block watch.note
"""
