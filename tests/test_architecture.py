"""The house stands as planned: floors, what kernels may touch, sizes, the top level, the map."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fastexec"
KERNELS = PACKAGE / "kernels"
JIT = tuple(KERNELS / name for name in ("_bind.py", "_cache.py", "_calls.py", "_compiler.py", "_jit.py", "_sources.py"))
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"


TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "fastexec", "bench", "tests", "scripts"}
KERNEL_IMPORTS = {"__future__", "collections", "fastexec.kernels", "numpy", "typing"}
NUMBA = {"numba", "llvmlite"}
SETUP_SCRIPTS = ("run.py", "test.py", "bench.py", "setup_environment.py")
LONGEST_FILE = 300
MOST_IMPORTS = 0.06  # of the lines of the kernels
CODE = ("fastexec", "bench", "scripts", "tests")
MAP_NAME = re.compile(r"[\w./*]+(/|/\w+|\.\w+)|LICENSE")
# Not the same bits on every machine, and not vectorised.
INEXACT = set(
    "exp exp2 expm1 log log2 log10 log1p pow power float_power sin cos tan arcsin arccos arctan arctan2 asin acos atan "
    "atan2 sinh cosh tanh erf erfc gamma lgamma cbrt hypot linalg dot matmul random".split()
)


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a tree imports; ``from a import b`` yields a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, rooms: set[str]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def where(path: Path, node: Any) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def test_imports_point_down_only() -> None:
    """The contracts are in pyproject.toml; the command line stands on top, so nothing below imports it."""
    linter = Path(sys.executable).with_name("lint-imports")
    command = [linter, "--no-cache", "--no-logo", "--config", ROOT / "pyproject.toml"]
    report = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert report.returncode == 0, report.stdout + report.stderr


def test_kernels_import_numpy_and_themselves() -> None:
    found = [
        f"{path.name}: {name}"
        for path in sources(KERNELS)
        for name in imported(parse(path))
        if path not in JIT and not is_within(name, KERNEL_IMPORTS)
    ]
    assert found == []


def test_five_files_import_numba() -> None:
    users = [path for path in sources(PACKAGE) if any(is_within(name, NUMBA) for name in imported(parse(path)))]
    assert users == list(JIT)[:-1]


def test_kernels_have_no_walls_of_imports() -> None:
    lines = imports = 0
    for path in sources(KERNELS):
        lines += len(path.read_text(encoding="utf-8").splitlines())
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports += node.end_lineno - node.lineno + 1
    assert 0 < imports < MOST_IMPORTS * lines, f"{imports} of {lines} lines"


#: The buffers of a block as the kernels call them, and one of the fields that lie there.
BUFFERS = {
    "p": "SHARES",
    "m": "MID",
    "b": "SLICE",
    "words": "FIRST",
    "raw": "FIRST",
    "normals": "Z_PRICE",
    "row": "ROW_FILLED",
}


def fields_of_lanes() -> list[set[str]]:
    """The names in ``fields`` that are offsets in a lane buffer; a set for each group of them, one of all roles' parameters."""
    groups: list[set[str]] = [set()]
    for node in parse(KERNELS / "fields.py").body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        if ast.unparse(node.value.func) == "_offsets":
            names = {name.id for name in node.targets[0].elts}
            if ast.unparse(node.value.args[0]).startswith("_start("):
                groups[0] |= names
            else:
                groups.append(names)
    return groups


def named_fields(tree: ast.AST) -> Iterator[str]:
    """Yield the names of ``fields`` in a tree, without those in brackets of their own."""
    if isinstance(tree, ast.Attribute) and ast.unparse(tree.value) in ("f", "fields"):
        yield tree.attr
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.Subscript):
            yield from named_fields(node)


def test_offsets_and_numbers_are_not_mixed() -> None:
    """In brackets an offset stands in those of its own lane buffer only, and a number in none of these; the rest of the
    package names no offset.
    """
    groups = fields_of_lanes()
    every = set().union(*groups)
    belongs = {buffer: set().union(*(group for group in groups if one in group)) for buffer, one in BUFFERS.items()}
    belongs["p"] |= next(group for group in groups if "LOTS" in group)
    belongs["row"] |= next(group for group in groups if "PART_SPREAD" in group)
    seen, wrong = 0, []
    for path in sources(KERNELS):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Subscript):
                found = set(named_fields(node.slice))
                buffer = ast.unparse(node.value)
                seen += len(found)
                if found - belongs[buffer] if buffer in belongs else found & every:
                    wrong.append(f"{where(path, node)}: {ast.unparse(node)}")
    assert seen > 300
    for path in set(sources(PACKAGE)) - set(sources(KERNELS)):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Attribute) and every & {*named_fields(node)}:
                wrong.append(f"{where(path, node)}: {ast.unparse(node)}")
    assert wrong == []


def inexact(node: ast.AST) -> bool:
    """Tell whether a node is a call of libm, of its like in NumPy, or of BLAS; Python's ``**`` is one too."""
    if isinstance(node, ast.Attribute):
        return node.attr in INEXACT and ast.unparse(node.value) in ("math", "np", "numpy")
    if isinstance(node, ast.ImportFrom):
        return node.module in ("math", "numpy") and any(alias.name in INEXACT for alias in node.names)
    if isinstance(node, ast.BinOp):
        constant = isinstance(node.left, ast.Constant) and isinstance(node.left.value, int)  # 2**64
        return isinstance(node.op, ast.MatMult) or (isinstance(node.op, ast.Pow) and not constant)
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pow"


def test_no_name_of_a_field_is_given_twice() -> None:
    """The later one would silently be the other's: a kind of strategy once took the place of a field of the ledger."""
    given: Counter[str] = Counter()
    for node in ast.walk(parse(KERNELS / "fields.py")):
        if isinstance(node, ast.Assign):
            given.update(name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))
    assert len(given) > 200
    assert [name for name, count in given.items() if count > 1] == []


def test_kernels_and_what_feeds_them_use_exact_arithmetic() -> None:
    """Only + - * / sqrt and integers, on which the promise of the same bits on every machine rests; whether five numbers are a
    correlation matrix is asked of LAPACK, whose answer enters no result.
    """
    found = [
        f"{where(path, node)}: {ast.unparse(node)}"
        for path in [
            *sources(KERNELS, *(PACKAGE / room for room in ("models", "planning", "learning"))),
            PACKAGE / "exact.py",
        ]
        if path != PACKAGE / "models" / "correlation.py"
        for node in ast.walk(parse(path))
        if inexact(node)
    ]
    assert found == []


def test_files_are_short() -> None:
    files = sources(*(ROOT / name for name in CODE))
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_are_small() -> None:
    """A body of fewer than 40 lines in a kernel file and 60 elsewhere, without its docstring; at most 8 arguments."""
    found = []
    for path in sources(PACKAGE):
        longest = 40 if KERNELS in path.parents else 60
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                arguments = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
                if lines >= longest or arguments > 8:
                    found.append(f"{where(path, node)}: {node.name} has {lines} lines, {arguments} arguments")
    assert found == []


def test_top_level_holds_what_is_agreed() -> None:
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert names - ignored <= TOP_LEVEL


def mapped() -> set[str]:
    """Return the paths and patterns that the map in CONTRIBUTING names; its indentation gives the folder."""
    blocks = re.findall(r"^```text\n(.*?)^```", CONTRIBUTING.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (house,) = (block for block in blocks if re.search("^fastexec/", block, re.MULTILINE))
    found: set[str] = set()
    folders = {-1: ""}  # of each indentation
    for line in house.splitlines():
        indent = len(line) - len(line.lstrip())
        folders = {outer: folder for outer, folder in folders.items() if outer < indent}
        parent = folders[max(folders)]
        names = [parent + name for name in takewhile(MAP_NAME.fullmatch, line.split())]
        if names and names[0].endswith("/"):
            folders[indent] = names[0]
            names = names[:1]  # the rest of the line describes the folder
        found.update(names)
    return found


@pytest.mark.skipif(not CONTRIBUTING.exists(), reason="a source tree without its CONTRIBUTING")
def test_contributing_maps_the_tree() -> None:
    named = mapped()
    assert [name for name in sorted(named) if not any(ROOT.glob(name.rstrip("/")))] == []
    modules = {f"fastexec/{path.name}" for path in PACKAGE.glob("*.py")}
    folders = {f"fastexec/{path.name}/" for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert modules | folders <= named


@pytest.mark.parametrize("name", SETUP_SCRIPTS)
def test_setup_scripts_need_nothing_installed(name: str) -> None:
    text = (ROOT / "scripts" / name).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    assert "from __future__ import annotations" not in text, "Python 3.6, which is told what it lacks, cannot read it"
    assert {module.split(".")[0] for module in imported(tree)} <= sys.stdlib_module_names | {"setup_environment"}
