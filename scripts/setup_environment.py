"""The virtual environment in which the scripts work: made from nothing, made anew where it is half made.

Standard library only, and readable for Python 3.6: an old ``python3`` finds a newer one or says what is needed.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Deque, Dict, List, Sequence

ROOT = Path(__file__).resolve().parent.parent
#: The locks, each within the next: what a run needs, the report, the tests, the benchmarks (scripts/make_locks.py).
LAYERS = ("run", "report", "test", "bench")
ENVIRONMENT = ROOT / ".venv"


def python_of(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def lock_of(layer: str) -> Path:
    """The lock of a layer."""
    return ROOT / "scripts" / f"{layer}.lock"


PYTHON = python_of(ENVIRONMENT)
#: Marks the environment as ours; holds the fingerprints of what is installed, nothing while that is under way.
STAMP = ENVIRONMENT / "fastexec-setup.txt"

OLDEST = (3, 11)
NEW_ENOUGH = ("python3.14", "python3.13", "python3.12", "python3.11")


class SetupError(Exception):
    """The environment cannot be made; the message says why, and what would help where that is known."""


def start(module: str, arguments: Sequence[str], layer: str = "run") -> None:
    """Become ``python -m module arguments`` in the environment, which is made first if need be."""
    restart(["-P", "-m", module, *arguments], layer)


def enter(script: str) -> None:
    """Return where ``script`` has what it needs; otherwise start it again in the environment, made first if need be."""
    if all(map(has, ("fastexec", "numba", "matplotlib"))):
        return
    restart([script, *sys.argv[1:]], "report")


def restart(words: Sequence[str], layer: str = "run") -> None:
    """Become the environment's Python with other words behind it; ``layer``: what of the locks they need."""
    try:
        require_python()
        prepare()
        if layer != "run":
            add(layer)
        become([str(PYTHON), *words])
    except KeyboardInterrupt:
        say("interrupted; the next run makes good what is missing")
        sys.exit(130)
    except (SetupError, OSError) as error:
        say(f"cannot set up: {error}")
        sys.exit(1)


def require_python() -> None:
    """Go on where this Python is new enough; otherwise start again with one from the PATH that is."""
    if sys.version_info >= OLDEST:
        return
    mine = "{}.{}.{}".format(*sys.version_info)
    for found in filter(None, map(shutil.which, NEW_ENOUGH)):
        if succeeds([found, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
            say(f"this is Python {mine}; going on with {found}")
            become([found, *sys.argv])
    raise SetupError(f"this is Python {mine}; fastexec needs 3.11 or newer, and none is on the PATH")


def prepare() -> None:
    """Bring the environment to what the lock of a run and pyproject.toml say; quick where it is there already."""
    lock, project = fingerprint(lock_of("run")), fingerprint(ROOT / "pyproject.toml")
    installed = read_stamp()
    # Asked, since a Python that was removed or replaced by another leaves the files of its environments in place.
    alive = succeeds([str(PYTHON), "-c", "from importlib.metadata import version; version('numba')"])
    if not alive or installed[:1] != [lock]:
        make_environment()
        install("run")
    elif installed == [lock, project]:
        return
    STAMP.write_text(f"{lock}\n")
    say("installing fastexec itself")
    pip_install("--no-deps", "--no-build-isolation", "--editable", ".")
    STAMP.write_text(f"{lock}\n{project}\n")


def add(layer: str) -> None:
    """Install what a wider layer has besides; noted in the environment, and forgotten with it."""
    wider = LAYERS[LAYERS.index(layer) :]
    if not any(read_note(wide) == fingerprint(lock_of(wide)) for wide in wider):
        install(layer)
        note_of(layer).write_text(fingerprint(lock_of(layer)))


def note_of(layer: str) -> Path:
    """The file in the environment that says which lock of a layer is installed."""
    return ENVIRONMENT / f"fastexec-{layer}.txt"


def read_note(layer: str) -> str:
    """What the note of a layer says; nothing where there is none."""
    return note_of(layer).read_text() if note_of(layer).exists() else ""


def fingerprint(path: Path) -> str:
    """SHA-256 of a file and of the project's folder: an environment does not survive a move."""
    return hashlib.sha256(str(ROOT).encode() + b"\0" + path.read_bytes()).hexdigest()


def read_stamp() -> List[str]:
    """Return the fingerprints of what is installed; none where nothing is, or only a part."""
    if STAMP.exists():
        return STAMP.read_text().split()
    if ENVIRONMENT.exists() and any(ENVIRONMENT.iterdir()):
        raise SetupError(f"{ENVIRONMENT} was not made by this script; move it away, then try again")
    return []


def make_environment() -> None:
    """Make an empty environment, in place of what may be left of an earlier one."""
    say(f"making a virtual environment in {ENVIRONMENT}")
    ENVIRONMENT.mkdir(exist_ok=True)
    STAMP.write_text("")  # first, so that what an interruption leaves is still known as ours
    for entry in ENVIRONMENT.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != STAMP:
            entry.unlink()
    create(ENVIRONMENT)


def create(environment: Path, base: str = sys.executable) -> Path:
    """Make a virtual environment of the Python ``base`` where there is none; its Python."""
    if not has("venv") or not (reaches() or has("ensurepip")):
        raise SetupError("this Python has no venv or no pip (Debian, Ubuntu: apt install python3-venv)")
    options = ["--without-pip"] if reaches() else []
    run_quietly([base, "-m", "venv", *options, str(environment)])
    return python_of(environment)


def reaches() -> bool:
    """Tell whether our own pip can install into another environment: that needs no pip first, and is 5 s quicker."""
    from importlib.metadata import version

    return has("pip") and tuple(map(int, version("pip").split(".")[:2])) >= (22, 3)


def install(layer: str) -> None:
    """Install what the lock of a layer names, each file checked against its hash."""
    say(f"installing what {layer}.lock names, {count(layer)} packages (once)")
    started = time.monotonic()
    pip_install("--require-hashes", "--only-binary", ":all:", "--requirement", str(lock_of(layer)))
    say(f"installed in {time.monotonic() - started:.0f} s")


def count(layer: str) -> int:
    """How many packages a lock names for Linux."""
    lines = lock_of(layer).read_text().splitlines()
    return len({line.split("==")[0] for line in lines if "==" in line and "win32" not in line and "darwin" not in line})


def pip_install(*arguments: str, python: Path = PYTHON) -> None:
    """Run ``pip install`` in the environment of ``python``; what is never imported is never compiled to bytecode."""
    pip = [sys.executable, "-m", "pip", "--python", str(python)] if reaches() else [str(python), "-m", "pip"]
    quiet = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
    run_quietly([*pip, "install", "--no-compile", *quiet, *arguments])


def run_quietly(command: Sequence[str]) -> None:
    """Run ``python -m ...`` in the project's folder; a terminal sees its latest line, a failure shows its last ones."""
    last: Deque[str] = deque(maxlen=30)
    process = subprocess.Popen(
        command, cwd=ROOT, env=child_variables(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        for line in process.stdout:
            last.append(line.rstrip())
            show(last[-1])
        status = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        show("")
    if status:
        raise SetupError("\n  ".join([f"{command[2]} failed with status {status}; its last lines:", *last]))


def succeeds(command: Sequence[str]) -> bool:
    """Tell whether a command can be run and ends with status 0."""
    try:
        quiet = subprocess.run(command, env=child_variables(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return quiet.returncode == 0


def become(command: Sequence[str]) -> None:
    """Replace this process by a command; where there is no such thing, run it and end with its status."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, child_variables())
    sys.exit(subprocess.call(command, env=child_variables()))


def child_variables() -> Dict[str, str]:
    """Return the environment variables without those that would bring packages from outside."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}


def has(module: str) -> bool:
    """Tell whether this Python has a module."""
    return importlib.util.find_spec(module) is not None


def say(text: str) -> None:
    """Write a line about the set-up to standard error; standard output belongs to what runs afterwards."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Write over the last line of a terminal."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)
