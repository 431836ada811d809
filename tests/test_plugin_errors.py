"""What cannot be a strategy, or gives slices that cannot be traded: one line that says where."""

from __future__ import annotations

import pytest

from fastexec.errors import FastexecError, InputError
from fastexec.models.plugin_files import registered
from fastexec.simulation import prepare, simulate
from test_own_strategies import PATIENT, own


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("shares[9:] = np.nan if step == 3 else 0.0", "episode 9, step 3: the slice is no number"),
        ("shares[:] = -1.0", "episode 0, step 0: the slice is negative"),
        ("shares[4:] = 2.0 * remaining[4:]", "episode 4, step 0: the slice is more than what remains"),
    ],
)
def test_a_bad_slice_is_named(tmp_path, body, said):
    with pytest.raises(FastexecError, match=f"strategy 'x', {said}"):
        simulate(own(tmp_path, body))


def test_a_bad_slice_of_an_episode_that_is_not_asked_for_stops_nobody(tmp_path):
    study = own(tmp_path, "shares[9:] = np.nan")
    prepare(study).run(0, 9)
    with pytest.raises(FastexecError, match="episode 9, step 0"):
        prepare(study).run(0, 10)


@pytest.mark.parametrize(
    ("body", "head", "said"),
    [
        ("mid[0] = 1.0", '@fx.strategy("x")', r"x\.py, line 8: .* cannot be compiled: it writes to one of its inputs"),
        ("remaining -= 1.0", '@fx.strategy("x")', r"x\.py, line 8: strategy 'x' changes its input remaining"),
        ("shares[:] = helper(mid)", '@fx.strategy("x")', r"x\.py: .* cannot be compiled: .*'helper' is not defined"),
        ("shares[:] = mid.foo()", '@fx.strategy("x")', r"x\.py, line 8: .*Unknown attribute 'foo'"),
        ("shares[:] = np.random.rand()", '@fx.strategy("x")', r"x\.py, line 8: strategy 'x' draws random numbers"),
        ("assert step < 3", '@fx.strategy("x")', r"x\.py, line 8: strategy 'x' raises or asserts"),
        ("pass", '@fx.strategy("twap")', r"x\.py, line 6: strategy\('twap'\): is built in"),
        ("pass", "@fx.strategy", r"x\.py, line 6: strategy\(.*\): is no name"),
        ("pass", '@fx.strategy("x", tight="no")', r"x\.py, line 6: strategy\('x'\): tight: default must be a finite number"),
        ("pass", '@fx.strategy("x", model=1)', r"model: is a key of every strategy"),
        ("pass", "", r"x\.py: registers no strategy"),
        ("pass", "import nothing_of_that_name", r"x\.py, line 6: the plugin cannot be run: ModuleNotFoundError"),
        ("pass", "raise SystemExit(0)", r"x\.py, line 6: the plugin cannot be run: SystemExit"),
        ("pass", "def broken(", r"x\.py, line 6: the plugin cannot be run: SyntaxError"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_strategy_is_one_line_that_says_where(tmp_path, body, head, said):
    with pytest.raises(InputError, match=said) as caught:
        prepare(own(tmp_path, body, head))
    assert "\n" not in str(caught.value)


def test_a_function_of_other_arguments_and_a_name_registered_twice(tmp_path):
    (tmp_path / "few.py").write_text(
        'import fastexec as fx\n\n@fx.strategy("few")\ndef few(shares, remaining):\n    pass\n'
    )
    with pytest.raises(InputError, match=r"few\.py, line 3: strategy 'few' must take \(shares, remaining, mid"):
        registered(["few.py"], lambda name: [tmp_path / name])
    (tmp_path / "own.py").write_text(PATIENT)
    (tmp_path / "again.py").write_text(PATIENT + "\n")
    with pytest.raises(InputError, match=r"both own\.py and again\.py register 'patient'"):
        registered(["own.py", "again.py"], lambda name: [tmp_path / name])


def test_files_of_one_name_and_files_that_are_no_text(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("own.py", "sub/own.py"):
        (tmp_path / name).write_text(PATIENT)
    with pytest.raises(InputError, match=r"plugins: two are named own\.py"):
        registered(["own.py", "sub/own.py"], lambda name: [tmp_path / name])
    (tmp_path / "own.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(InputError, match=r"own\.py: cannot be read \(it is no UTF-8 text\)"):
        registered(["own.py"], lambda name: [tmp_path / name])
    with pytest.raises(InputError, match="there is no such plugin file"):
        registered(["sub.py", "sub"], lambda name: [tmp_path / name])
