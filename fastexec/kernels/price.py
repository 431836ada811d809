"""Models of the mid's moves, each a stage that makes NEXT, S_{t+1}, from MID, and adds the squared relative move."""

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, bound, chained, stage
from fastexec.kernels.elementary import exp


@bound
@chained
def geometric(t, curves, normals, p, m):
    """NEXT from MID, and the squared relative move; corrected by -volatility^2 / 2, so drift 0 is a martingale."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        growth = exp(p[f.DRIFT + i] - 0.5 * v * v + v * normals[f.Z_PRICE + i])
        m[f.NEXT + i] = m[f.MID + i] * growth
        m[f.SUM_SQUARED_MOVES + i] += (growth - 1.0) * (growth - 1.0)


@bound
@chained
def arithmetic(t, curves, normals, p, m):
    """NEXT from MID, and the squared relative move."""
    curve = curves[f.PRICE_CURVE, t]
    for i in range(LANES):
        v = p[f.VOLATILITY + i] * curve * m[f.VOLATILITY_FACTOR + i]
        step = p[f.DRIFT + i] + v * normals[f.Z_PRICE + i]
        m[f.NEXT + i] = m[f.MID + i] + step
        move = step / m[f.MID + i]
        m[f.SUM_SQUARED_MOVES + i] += move * move


@bound
@stage
def begin_moved(m):
    """Where the price has moved once, the order begins."""
    for i in range(LANES):
        m[f.MID + i] = m[f.NEXT + i]
        m[f.SUM_SQUARED_MOVES + i] = 0.0


#: By the number of the model.
PRICES = {
    f.GEOMETRIC: geometric,
    f.ARITHMETIC: arithmetic,
}
