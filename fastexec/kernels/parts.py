"""Parts of the cost that a study has only where it asks for them; ``execute`` and ``account`` have those of every study.

A part is a stage that charges each slice between its outcome and the ledger, and its charge is in the price of the fill. A
study calls the stages of its own parts and no others.
"""

from typing import Any

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, inlined, stage
from fastexec.kernels.execute import execution
from fastexec.kernels.timing import close_split


@inlined
def charge(part, i, share, b):
    """A part charges the slice of lane i ``share``, in currency a share."""
    cost = b[f.SLICE + i] * share
    b[f.CHARGED + i] += share
    b[f.SUM_CHARGED + i] += cost
    b[f.SUM_FURTHER + part * LANES + i] += cost


@bound
@stage
def forget_charges(b):
    """Of the slice before."""
    for i in range(LANES):
        b[f.CHARGED + i] = 0.0


@bound
@stage
def close_parts(plan, lanes):
    """The parts into the rows behind the columns that every study has, and onto the shortfall, in their order."""
    p, m, further = lanes.parameters, lanes.market, plan.switches[f.FURTHER]
    for k in range(lanes.ledgers.shape[0]):
        b, row, at = lanes.ledgers[k], lanes.rows[k], f.ROW_FURTHER
        for part in range(f.MOST_FURTHER):
            if further >> part & 1:
                for i in range(LANES):
                    cost = b[f.SUM_FURTHER + part * LANES + i] * (1e4 / (p[f.SHARES + i] * m[f.ARRIVAL + i]))
                    row[at + i] = cost
                    row[f.ROW_SHORTFALL + i] += cost
                at += LANES


ADVERSARY = 0


@bound
@stage
def adversary(b):
    """A market maker who foresees nothing yet, and charges nothing."""
    for i in range(LANES):
        charge(ADVERSARY, i, 0.0, b)


#: By the number of the part, which is its place in the sum.
PARTS: dict[int, Any] = {
    ADVERSARY: adversary,
}


def outcome(switches, alike=False):
    """What a walk calls for the outcome of a strategy's slices (``execution``) and what the study's parts charge for it."""
    stages = tuple(PARTS[part] for part in f.further_parts(switches))
    return (*execution(switches, alike), *((forget_charges, *stages) if stages else ()))


def closing(switches):
    """What a walk calls behind ``account``."""
    parts, split = (close_parts,) if switches[f.FURTHER] else (), (close_split,) if switches[f.SPLIT] else ()
    return (*parts, *split)
