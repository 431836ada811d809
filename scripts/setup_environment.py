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
from typing import Deque, Dict, List, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "scripts" / "requirements.lock"
ENVIRONMENT = ROOT / ".venv"


def python_of(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


PYTHON = python_of(ENVIRONMENT)
#: Marks the environment as ours; holds the fingerprints of what is installed, nothing while that is under way.
STAMP = ENVIRONMENT / "fastexec-setup.txt"

OLDEST = (3, 11)
NEW_ENOUGH = ("python3.14", "python3.13", "python3.12", "python3.11")


class SetupError(Exception):
    """The environment cannot be made; the message says why, and what would help where that is known."""


def start(module: str, arguments: Sequence[str]) -> None:
    """Become ``python -m module arguments`` in the environment, which is made first if need be."""
    restart(["-P", "-m", module, *arguments])


def enter(script: str) -> None:
    """Return where ``script`` has what it needs; otherwise start it again in the environment, made first if need be."""
    if all(map(has, ("fastexec", "numba", "matplotlib"))):
        return
    restart([script, *sys.argv[1:]])


def restart(words: Sequence[str], further: Optional[Path] = None) -> None:
    """Become the environment's Python with other words behind it; ``further``: a lock to install besides ours."""
    try:
        require_python()
        prepare()
        if further is not None:
            add(further)
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
    """Bring the environment to what the lock and pyproject.toml say; quick where it is there already."""
    lock, project = fingerprint(LOCK), fingerprint(ROOT / "pyproject.toml")
    installed = read_stamp()
    # Asked, since a Python that was removed or replaced by another leaves the files of its environments in place.
    alive = succeeds([str(PYTHON), "-c", "from importlib.metadata import version; version('numba')"])
    if not alive or installed[:1] != [lock]:
        make_environment()
        install_packages()
    elif installed == [lock, project]:
        return
    STAMP.write_text(f"{lock}\n")
    say("installing fastexec itself")
    pip_install("--no-deps", "--no-build-isolation", "--editable", ".")
    STAMP.write_text(f"{lock}\n{project}\n")


def add(lock: Path) -> None:
    """Install what a further lock names besides; noted in the environment, and forgotten with it."""
    note = ENVIRONMENT / f"fastexec-{lock.stem}.txt"
    if not note.exists() or note.read_text() != fingerprint(lock):
        say(f"installing what {lock.name} names besides (about 150 MB, once)")
        install(lock)
        note.write_text(fingerprint(lock))


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


def create(environment: Path) -> Path:
    """Make a virtual environment where there is none; its Python."""
    if not has("venv") or not (has("ensurepip") or has("pip")):
        raise SetupError("this Python has no venv or no pip (Debian, Ubuntu: apt install python3-venv)")
    options = [] if has("ensurepip") else ["--without-pip"]
    run_quietly([sys.executable, "-m", "venv", *options, str(environment)])
    return python_of(environment)


def install_packages() -> None:
    """Install what our lock names."""
    names = {line.split("==")[0] for line in LOCK.read_text().splitlines() if "==" in line and "win32" not in line}
    say(f"installing {len(names)} packages (about 300 MB, once)")
    started = time.monotonic()
    install(LOCK)
    say(f"installed in {time.monotonic() - started:.0f} s")


def install(lock: Path) -> None:
    """Install a lock's packages, each file checked against its hash."""
    pip_install("--require-hashes", "--only-binary", ":all:", "--requirement", str(lock))


def pip_install(*arguments: str, python: Path = PYTHON) -> None:
    """Run ``pip install`` in the environment of ``python``."""
    # Where Debian has split ensurepip off, the environment has no pip of its own: the caller's installs into it.
    pip = [str(python), "-m", "pip"] if has("ensurepip") else [sys.executable, "-m", "pip", "--python", str(python)]
    run_quietly([*pip, "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", *arguments])


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
