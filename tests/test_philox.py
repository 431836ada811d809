"""Philox against Random123's known answers and a Python twin; normals against a twin of the documented formulas."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fastexec.kernels import philox
from fastexec.kernels._jit import JIT_DISABLED, LANES, entry
from fastexec.kernels.door import F4, U4, held
from naive.normals import normals as twin_normals
from naive.philox import philox4x32

W = LANES


def door(seed, block, step, stream, words, normals):
    held("words", words, U4, 4 * W)
    held("normals", normals, F4, 4 * W)


def bare_door(counter, out):
    held("counter", counter, U4, 6)
    held("out", out, U4, 4)


@entry("void(uint64, int64, int64, uint32, uint32[::1], float32[::1])", door)
def draw(seed, block, step, stream, words, normals):
    philox.draw_words(seed, block, step, stream, words)
    philox.gaussians(words, normals)


@entry("void(uint32[::1], uint32[::1])", bare_door)
def bare(counter, out):
    w0, w1, w2, w3 = philox.philox(counter[0], counter[1], counter[2], counter[3], counter[4], counter[5])
    out[0], out[1], out[2], out[3] = w0, w1, w2, w3


def block(seed=0, number=0, step=0, stream=0):
    words, normals = np.empty(4 * W, np.uint32), np.empty(4 * W, np.float32)
    draw(np.uint64(seed), number, step, np.uint32(stream), words, normals)
    return words.reshape(4, W), normals.reshape(4, W)


# Salmon et al. (2011), Random123 kat_vectors, philox4x32 10 rounds.
KNOWN = [
    ((0, 0, 0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter_and_key", "answer"), KNOWN)
def test_known_answers(counter_and_key, answer):
    out = np.empty(4, np.uint32)
    bare(np.array(counter_and_key, np.uint32), out)
    assert tuple(int(w) for w in out) == answer


@pytest.mark.parametrize(
    ("seed", "number", "step", "stream"),
    [(0, 0, 0, 0), (7, 3, 59, 0), (2**64 - 1, 1, 2, 3 << 24 | 0xABCDEF), (5, 2**32 // W, 1, 1 << 30)],
)
def test_words_equal_the_twin_also_beyond_2_to_the_32_episodes(seed, number, step, stream):
    words, _ = block(seed, number, step, stream)
    for i in (0, 1, W - 1):
        episode = number * W + i
        counter = (episode & 0xFFFFFFFF, episode >> 32, step, stream)
        assert tuple(int(w) for w in words[:, i]) == philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))


def test_normals_have_the_bits_of_the_documented_formulas():
    for number in range(4):
        words, normals = block(11, number, 5)
        np.testing.assert_array_equal(normals.view(np.uint32), twin_normals(words).view(np.uint32))


def many(count=400):
    return np.concatenate([block(3, number, number % 7)[1] for number in range(count)], axis=1)


@pytest.mark.skipif(JIT_DISABLED, reason="too many draws for interpreted kernels")
def test_normals_moments_tails_and_distribution():
    z = many().astype(np.float64)
    n = z.size
    assert abs(z.mean()) < 4 / np.sqrt(n)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((z**3).mean()) < 4 * np.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 4 * np.sqrt(96 / n)
    beyond = (np.abs(z) > 3).mean()
    p = 2 * stats.norm.sf(3)
    assert abs(beyond - p) < 4 * np.sqrt(p / n)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-4
    correlations = np.corrcoef(z)[np.triu_indices(4, 1)]
    assert np.max(np.abs(correlations)) < 4 / np.sqrt(z.shape[1])


def test_seeds_steps_streams_and_episodes_share_no_word_in_place():
    base = block(0, 0, 0, 0)[0]
    for other in (block(1), block(0, 1), block(0, 0, 1), block(0, 0, 0, 1)):
        assert (base == other[0]).mean() < 0.01
    assert len(set(base.ravel().tolist())) > 0.99 * base.size  # consecutive episodes differ


def test_phases_and_purposes_never_meet():
    streams = {
        philox.stream(phase, purpose, owner) for phase in range(4) for purpose in range(6) for owner in (0, 1, 0xFFFFFF)
    }
    assert len(streams) == 4 * 6 * 3
    assert max(streams) < 2**32
