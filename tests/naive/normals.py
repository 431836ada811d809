"""Standard normals from words, by the formulas that ``kernels/elementary.py`` documents, with numpy's element-wise IEEE
operations in float32.
"""

from __future__ import annotations

import numpy as np

f = np.float32


def radius(w: np.ndarray) -> np.ndarray:
    """sqrt(-2 log u), u = (w / 2 rounded down + 1 / 2) / 2^31."""
    u = ((w >> np.uint32(1)).astype(np.int32).astype(f) + f(0.5)) * f(2.0**-31)
    bits = u.view(np.int32)
    e = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    x = (bits - (e << np.int32(23))).view(f) - f(1)
    p = np.full_like(x, f(0.06971611827611923))
    for c in (-0.11479733884334564, 0.11685419827699661, -0.12425687164068222, 0.14249058067798615,
              -0.1666780263185501, 0.20000715553760529, -0.2499999701976776, 0.3333333134651184):  # fmt: skip
        p = p * x + f(c)
    z, k = x * x, e.astype(f)
    low = k * f(-2.1219444e-4) + (z * x * p - f(0.5) * z)
    return np.sqrt(f(-2) * (k * f(0.693359375) + (x + low)))


def sine_cosine(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of an angle from the word: its top two bits are the quadrant."""
    angle = (w << np.uint32(2)).view(np.int32).astype(f) * f(np.pi / 4 / 2**31)
    z = angle * angle
    s = ((f(-0.00019587890710681677) * z + f(0.008332747966051102)) * z) + f(-0.166666641831398)
    c = ((f(2.454794230288826e-05) * z + f(-0.001388830249197781)) * z) + f(0.0416666641831398)
    sine, cosine = angle + angle * z * s, f(1) - f(0.5) * z + z * z * c
    quadrant = w >> np.uint32(30)
    return (
        np.choose(quadrant, [sine, cosine, -sine, -cosine]),
        np.choose(quadrant, [cosine, -sine, -cosine, sine]),
    )


def normals(words: np.ndarray) -> np.ndarray:
    """float32[4, ...] of uint32[4, ...]: words 0 and 1 make normals 0 and 1, words 2 and 3 the others."""
    (s0, c0), (s1, c1) = sine_cosine(words[1]), sine_cosine(words[3])
    r0, r1 = radius(words[0]), radius(words[2])
    return np.stack([r0 * c0, r0 * s0, r1 * c1, r1 * s1])
