"""Which strategies' timing part, or the unexpected part of it where it is split, is known to have mean zero, so that it may
serve as a control variate.

Write s for the time of a fill. If the whole order Q is accounted for, timing is Q (S_N - S_0) - sum q (S_N - S_s), and each
term has mean zero where the mid is a martingale and the slice q depends on nothing later than s. So has the unexpected part,
whatever the price: there S is the mid less what was expected of its moves, a martingale. A schedule, or a policy that looks
back (a strategy of the user's own can do no more), fills at S_t; POV follows v_t but fills at S_{t+1}, so it may correlate
with the move out of step t as it likes. What may not be: a slice at S_t that depends on v_t (POV and agents under
``known = "during"``; anybody where the volume may be 0, but for halts, which know nothing of moves) while v_t correlates with
the coming move. Declaring too few costs precision; one too many would be a lie, and a test watches.
"""

from __future__ import annotations

from fastexec.models.strategies import Strategy
from fastexec.models.study import StudyModel


def timing_has_mean_zero(study: StudyModel, strategy: Strategy) -> bool:
    """Whether E[timing] = 0, or that of its unexpected part, holds exactly for this strategy in this study's market, by what
    they declare.
    """
    market, own = study.market.declares(), strategy.DECLARES
    if not market.foreseen or study.order.at_horizon == "leave" or study.costs.rule == "per_step":
        return False
    fills_later = own.fills_at_next and market.known_after
    volume_decides = (own.sees_volume and not market.known_after) or market.volume_idles
    return fills_later or not volume_decides or not market.volume_tells_move
