"""The shape of the code: short modules, short functions, words on everything public, narration in one place only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted(
    path
    for folder in ("secondme", "plugins", "tui")
    for path in (ROOT / folder).rglob("*.py")
    if "build" not in path.relative_to(ROOT).parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
CATCHES_EVERYTHING = {
    "secondme/keys.py",
    "secondme/plugins.py",
    "secondme/daemon/host.py",
    "secondme/daemon/ingesting.py",
    "tui/secondme_tui/session.py",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """The public functions and classes of a module with their methods; a hook's words are in its specification."""
    for item in node.body:
        if not isinstance(item, Function | ast.ClassDef) or item.name.startswith("_"):
            continue
        if any(ast.unparse(decorator).startswith("hookimpl") for decorator in item.decorator_list):
            continue
        yield prefix + item.name, item
        if isinstance(item, ast.ClassDef):
            yield from public(item, prefix=f"{item.name}.")


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of all modules imported anywhere in the tree."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def passes_on(handler: ast.ExceptHandler) -> bool:
    """True if the handler only cleans up: it ends by raising the same exception again."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The names of the exceptions a handler catches; a bare one catches BaseException."""
    if handler.type is None:
        return {"BaseException"}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(kind) for kind in kinds}


def test_the_product_is_found() -> None:
    assert "secondme/records.py" in map(name_of, PRODUCT)


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, Function))
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = parsed(path)
    assert tree.body == [] or ast.get_docstring(tree)
    assert [name for name, node in public(tree) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_only_the_command_line_prints(path: Path) -> None:
    calls = (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))
    printed = [call.lineno for call in calls if ast.unparse(call.func) == "print"]
    assert printed == [] or name_of(path).startswith("secondme/cli/")


@pytest.mark.parametrize("path", PRODUCT + TESTS, ids=name_of)
def test_the_sqlite_of_the_interpreter_is_not_used(path: Path) -> None:
    """Many lack extension loading, and old ones can corrupt a write-ahead log under several connections."""
    assert "sqlite3" not in imported(parsed(path))


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_only_the_edges_catch_everything(path: Path) -> None:
    handlers = (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ExceptHandler))
    broad = [node for node in handlers if caught(node) & {"Exception", "BaseException"}]
    everything = [node.lineno for node in broad if not passes_on(node)]
    assert everything == [] or name_of(path) in CATCHES_EVERYTHING


def test_no_process_runs_modules_from_the_folder_it_is_started_in() -> None:
    """A folder of downloads may hold a json.py."""
    for path in PRODUCT:
        code = path.read_text(encoding="utf-8")
        assert not re.search(r'sys\.executable,\s*"-(?!P")', code), path
