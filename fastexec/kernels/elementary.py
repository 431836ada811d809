"""exp, log and power in float64, and the pieces of a Gaussian in float32: branch-free, the same bits on every machine.

Only + - * / sqrt and integer operations, in one fixed order and never contracted, so a vector unit of any width, a plain
CPU and interpreted Python agree to the last bit, which libm and NumPy's ``exp`` do not. Coefficients are minimax
polynomials; the errors stated were measured against mpmath (``tests/test_elementary.py``).
"""

import numpy as np

from fastexec.kernels._jit import entry, inlined
from fastexec.kernels.door import F8, held, sizes, within

_MAGIC = 6755399441055744.0  # 1.5 * 2^52: adding it leaves a rounded integer in the low bits of the sum
_MAGIC_BITS = np.int64(0x4338000000000000)
_LN2_HIGH, _LN2_LOW = 0.6931467056274414, 4.7493250390316726e-07  # k * high is exact for |k| < 2^11
_LOG2_E = 1.4426950408889634
_EXP_LARGEST, _EXP_SMALLEST = 709.0, -708.0
_ONE_BITS = np.int64(1023)
_FRACTION_BITS = np.int64(52)
_SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)


@inlined
def exp(x):
    """e^x within 1 ulp for -708 <= x <= 709; infinity above, 0 below."""
    shifted = np.float64(x * _LOG2_E + _MAGIC)
    k = shifted - _MAGIC
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    fraction = 1.0 + (r + r * r * p)
    scale = np.int64((shifted.view(np.int64) + _ONE_BITS) << _FRACTION_BITS).view(np.float64)
    value = np.inf if x > _EXP_LARGEST else fraction * scale
    return 0.0 if x < _EXP_SMALLEST else value


@inlined
def log(x):
    """The natural logarithm of a positive normal x, within 1 ulp or 2e-16, whichever is larger."""
    bits = np.float64(x).view(np.int64)
    e = (bits - _SQRT_HALF_BITS) >> _FRACTION_BITS
    m = np.int64(bits - (e << _FRACTION_BITS)).view(np.float64)  # in [sqrt(1/2), sqrt(2))
    k = np.int64(e + _MAGIC_BITS).view(np.float64) - _MAGIC
    f = (m - 1.0) / (m + 1.0)
    z = f * f
    p = 0.13086767009995384
    p = p * z + 0.13268759668555402
    p = p * z + 0.1538624020581371
    p = p * z + 0.18181795630884748
    p = p * z + 0.2222222239180047
    p = p * z + 0.2857142857080323
    p = p * z + 0.4000000000000088
    p = p * z + 0.6666666666666666
    return k * _LN2_HIGH + (k * _LN2_LOW + (f * z * p + 2.0 * f))


@inlined
def power(x, exponent):
    """x^exponent for x >= 0 (0 gives 0, also for exponent 0) within 1e-14 relative for results between 1e-30 and 1e30."""
    positive = x if x > 0.0 else 1.0
    value = exp(exponent * log(positive))
    return value if x > 0.0 else 0.0


@inlined
def cos_turn(turn):
    """cos(2 pi turn) for |turn| <= 2^20, within 2e-16 absolute."""
    quarter = (turn * 4.0 + _MAGIC) - _MAGIC
    y = (turn * 4.0 - quarter) * 1.5707963267948966
    z = y * y
    s = y + y * z * _sine(z)
    c = 1.0 - 0.5 * z + z * z * _cosine(z)
    side = np.int64(quarter) & np.int64(3)
    value = s if side & np.int64(1) else c
    return -value if (side + np.int64(1)) & np.int64(2) else value


@inlined
def _sine(z):
    p = -7.58669711770682e-13
    p = p * z + 1.6058531618986144e-10
    p = p * z - 2.5052106232447578e-08
    p = p * z + 2.7557319219339167e-06
    p = p * z - 0.00019841269841265065
    p = p * z + 0.008333333333333331
    return p * z - 0.16666666666666666


@inlined
def _cosine(z):
    p = 4.745871901988956e-14
    p = p * z - 1.147046088760887e-11
    p = p * z + 2.0876755791080414e-09
    p = p * z - 2.7557319221402824e-07
    p = p * z + 2.4801587301584645e-05
    p = p * z - 0.0013888888888888887
    return p * z + 0.041666666666666664


_F1, _F0 = np.float32(1.0), np.float32(0.0)
_SQRT_HALF_BITS_32 = np.int32(0x3F3504F3)
_FRACTION_BITS_32 = np.int32(23)
_QUARTER_PI_31 = np.float32(3.6572951981821e-10)  # pi/4 / 2^31


@inlined
def radius(word):
    """sqrt(-2 log u), u = (word/2 rounded down + 1/2) / 2^31 in (0, 1]; float32, largest value 6.66.

    Half of the word, as a signed integer, because AVX2 has no conversion of unsigned ones.
    """
    u = (np.float32(np.int32(np.uint32(word) >> np.uint32(1))) + np.float32(0.5)) * np.float32(4.656612873077393e-10)
    bits = np.float32(u).view(np.int32)
    e = np.int32(np.int32(bits - _SQRT_HALF_BITS_32) >> _FRACTION_BITS_32)
    m = np.int32(bits - np.int32(e << _FRACTION_BITS_32)).view(np.float32)
    x = m - _F1
    p = np.float32(0.06971611827611923)
    p = p * x + np.float32(-0.11479733884334564)
    p = p * x + np.float32(0.11685419827699661)
    p = p * x + np.float32(-0.12425687164068222)
    p = p * x + np.float32(0.14249058067798615)
    p = p * x + np.float32(-0.1666780263185501)
    p = p * x + np.float32(0.20000715553760529)
    p = p * x + np.float32(-0.2499999701976776)
    p = p * x + np.float32(0.3333333134651184)
    z = x * x
    k = np.float32(e)
    low = k * np.float32(-2.1219444e-4) + (z * x * p - np.float32(0.5) * z)
    logarithm = k * np.float32(0.693359375) + (x + low)
    return np.float32(np.sqrt(np.float32(-2.0) * np.float32(logarithm)))


_MAGIC_32, _LOG2_E_32 = np.float32(12582912.0), np.float32(1.4426950408889634)  # 1.5 * 2^23
_LN2_HIGH_32, _LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_EXP_LARGEST_32, _EXP_SMALLEST_32 = np.float32(88.0), np.float32(-87.0)
_ONE_BITS_32 = np.int32(127)


@inlined
def exp32(x):
    """e^x in float32 within 1 ulp for -87 <= x <= 88; infinity above, 0 below, no number of none."""
    shifted = np.float32(x * _LOG2_E_32 + _MAGIC_32)
    k = shifted - _MAGIC_32
    r = (x - k * _LN2_HIGH_32) - k * _LN2_LOW_32
    p = np.float32(0.0013814466074109077)
    p = p * r + np.float32(0.008368780836462975)
    p = p * r + np.float32(0.04166839271783829)
    p = p * r + np.float32(0.1666651964187622)
    p = p * r + np.float32(0.4999999403953552)
    fraction = _F1 + (r + r * r * p)
    scale = np.int32((shifted.view(np.int32) + _ONE_BITS_32) << _FRACTION_BITS_32).view(np.float32)
    value = np.float32(np.inf) if x > _EXP_LARGEST_32 else fraction * scale
    return _F0 if x < _EXP_SMALLEST_32 else value


@inlined
def sine_cosine(word):
    """sin and cos of a uniform angle: the word's top two bits choose the quadrant, the rest an angle in [-pi/4, pi/4)."""
    w = np.uint32(word)
    angle = np.float32(np.uint32(w << np.uint32(2)).view(np.int32)) * _QUARTER_PI_31
    z = angle * angle
    s = np.float32(-0.00019587890710681677)
    s = s * z + np.float32(0.008332747966051102)
    s = s * z + np.float32(-0.166666641831398)
    sine = angle + angle * z * s
    c = np.float32(2.454794230288826e-05)
    c = c * z + np.float32(-0.001388830249197781)
    c = c * z + np.float32(0.0416666641831398)
    cosine = _F1 - np.float32(0.5) * z + z * z * c
    swap = (w & np.uint32(0x40000000)) != np.uint32(0)
    a = cosine if swap else sine
    b = sine if swap else cosine
    # The signs are flipped in the sign bit: a select between x and -x costs a blend more.
    flip_a = np.uint32(w & np.uint32(0x80000000))
    flip_b = np.uint32((w ^ np.uint32(w << np.uint32(1))) & np.uint32(0x80000000))
    return (
        np.uint32(np.float32(a).view(np.uint32) ^ flip_a).view(np.float32),
        np.uint32(np.float32(b).view(np.uint32) ^ flip_b).view(np.float32),
    )


def _evaluate_door(function, x, exponent, out):
    within("function", function, 0, 3)
    held("x", x, F8, *sizes("x", x, 1))
    held("out", out, F8, x.size)


@entry("void(int64, float64[::1], float64, float64[::1])", _evaluate_door)
def evaluate(function, x, exponent, out):
    """exp (0), log (1) or the power ``exponent`` (2) or cos(2 pi x) (3) of ``x``, element by element, into ``out``.

    For numbers derived before the kernels run: NumPy's own exp has other bits on other CPUs.
    """
    for j in range(x.shape[0]):
        if function == 0:
            out[j] = exp(x[j])
        elif function == 1:
            out[j] = log(x[j])
        elif function == 2:
            out[j] = power(x[j], exponent)
        else:
            out[j] = cos_turn(x[j])
