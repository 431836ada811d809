"""Random numbers, elementary functions, quantiles of the normal law."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from naive import elementary, normals
from naive.philox import philox4x32
from trials import Lanes, Plain, W, arrays, real

word = st.integers(0, 2**32 - 1)


def words_of(v):
    episode = v.block * W + v.i
    key = (v.seed & 0xFFFFFFFF, v.seed >> 32)
    found = philox4x32((episode & 0xFFFFFFFF, episode >> 32, v.step, v.stream), key)
    return {f"w{j}": found[j] for j in range(4)}


def others_draw_others(given, found, again):
    """No lane has another's words, and none keeps a word where seed, block, step or stream is another."""
    assert len(set(found.buffers["words"].tolist())) > 0.99 * 4 * W
    for name in ("seed", "block", "step", "stream"):
        other = again(**{name: getattr(given, name) ^ 1})
        assert (found.buffers["words"] == other.buffers["words"]).mean() < 0.01


def normals_of(v):
    found = normals.normals(np.array([v.w0, v.w1, v.w2, v.w3], np.uint32))
    return {f"e{j}": found[j] for j in range(4)}


def a_pair_has_its_radius(given, found, again):
    """Box and Muller: the squares of a pair add up to -2 log u, whatever the angle; half a turn on changes both signs."""
    for radius, one, other in ((given.w0, found.e0, found.e1), (given.w2, found.e2, found.e3)):
        u = (np.floor(radius / 2) + 0.5) / 2.0**31
        square = one.astype(float) ** 2 + other.astype(float) ** 2
        np.testing.assert_allclose(square, -2 * np.log(u), rtol=4e-6, atol=2e-7)
    turned = again(w1=given.w1 ^ 0x80000000)
    np.testing.assert_array_equal(turned.e0, -found.e0)
    np.testing.assert_array_equal(turned.e1, -found.e1)


def pair_is_the_first_of_four(given, found, again):
    square = found.e0.astype(float) ** 2 + found.e1.astype(float) ** 2
    u = (np.floor(given.w0 / 2) + 0.5) / 2.0**31
    np.testing.assert_allclose(square, -2 * np.log(u), rtol=4e-6, atol=2e-7)
    np.testing.assert_array_equal(again(w2=given.w2 ^ 1, w3=given.w3 ^ 1).e0, found.e0)


def elementary_twin(function, x, exponent, out):
    out[:] = elementary.evaluate(function, x, exponent)


def obeys_its_law(call, function, x, exponent, out):
    """Sums turn into products, products into sums, half a turn changes the cosine's sign."""
    call(function, x, exponent, out)
    other = np.empty_like(x)
    if function == 0:
        call(0, -x, 0.0, other)
        np.testing.assert_allclose(out * other, 1.0, rtol=1e-15)
    elif function == 1:
        call(1, 1.0 / x, 0.0, other)
        np.testing.assert_allclose(other, -out, rtol=1e-13, atol=1e-15)
    elif function == 2:
        call(2, x, -exponent, other)
        np.testing.assert_allclose((out * other)[x > 0], 1.0, rtol=1e-13)
    else:
        call(3, x + 0.5, 0.0, other)
        np.testing.assert_allclose(other, -out, atol=1e-15)


def elementary_values(rng):
    function = int(rng.integers(4))
    low, high = ((-700.0, 700.0), (-300.0, 300.0), (-20.0, 20.0), (-64.0, 64.0))[function]
    x = np.round(rng.uniform(low, high, 24) * 2.0**20) / 2.0**20  # so that x + 1/2 is exact
    x = 10.0**x if function in (1, 2) else x
    return function, x, float(rng.uniform(-1.5, 1.5)), np.empty(x.size)


def quantile_twin(p, out):
    out[:] = [elementary.normal_quantile(value) for value in p]


def the_law_gives_it_back(call, p, out):
    call(p, out)
    order = np.argsort(p)
    assert (out[order][1:] >= out[order][:-1]).all()
    inside = (p > 0) & (p < 1)
    back = np.array([elementary.normal_law(z) for z in out[inside]])
    np.testing.assert_allclose(back, p[inside], rtol=1e-13)
    mirrored = np.empty(p.size)
    call(1.0 - p, mirrored)
    exact = 1.0 - (1.0 - p) == p
    np.testing.assert_allclose(mirrored[exact], -out[exact], rtol=1e-14, atol=1e-300)


def probabilities(rng):
    tail = 10.0 ** rng.uniform(-40, -1, 6)
    p = np.concatenate(
        [tail, rng.uniform(0, 1, 8), np.round(rng.uniform(0, 1, 4) * 64) / 64, [-0.5, 0.0, 1.0, 1.5, 0.5]]
    )
    return p, np.empty(p.size)


def between_its_ends(call, coefficients, x):
    """Coefficients are positive: the value rises with x from the first of them to their sum."""
    assert call(coefficients, 0.0) == coefficients[0]
    np.testing.assert_allclose(call(coefficients, 1.0), sum(coefficients), rtol=1e-14)
    assert coefficients[0] <= call(coefficients, x) <= sum(coefficients) * (1 + 1e-15)


ROWS = (
    Lanes(
        "philox.draw_words", lambda x: (np.uint64(x.seed), x.block, x.step, np.uint32(x.stream), x.words), words_of,
        {}, others_draw_others, rtol=0.0,
        others={"seed": st.integers(0, 2**64 - 1), "block": st.integers(0, 2**40), "step": word, "stream": word}, each=True,
    ),
    Lanes("philox.gaussians", lambda x: (x.words, x.raw), normals_of, dict.fromkeys(("w0", "w1", "w2", "w3"), word),
          a_pair_has_its_radius, rtol=0.0),
    Lanes(
        "philox.gaussian_pair", lambda x: (x.words, x.raw), lambda v: {name: normals_of(v)[name] for name in ("e0", "e1")},
        dict.fromkeys(("w0", "w1", "w2", "w3"), word), pair_is_the_first_of_four, rtol=0.0,
    ),
    # One unit in the last place, but where a logarithm or a cosine passes through 0: 2e-16 there.
    Plain("elementary.evaluate", elementary_twin, arrays(elementary_values), obeys_its_law, rtol=1e-14, atol=2.3e-16),
    Plain("quantile.normal_quantiles", quantile_twin, arrays(probabilities), the_law_gives_it_back, rtol=1e-14,
          tries=4),
    Plain(
        "quantile._horner", elementary.polynomial,
        st.tuples(st.tuples(*[real(1e-6, 1e3)] * 8), real(0.0, 1.0)), between_its_ends, rtol=1e-14,
    ),
)  # fmt: skip
