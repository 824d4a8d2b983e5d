"""What may be imported where, and what starting the command line costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SLOW = {
    "textual",
    "llama_cpp",
    "watchdog",
    "numpy",
    "sqlite_utils",
    "sqlcipher3",
    "huggingface_hub",
    "markdown_it",
    "gguf",
}


def environment(root: Path) -> dict[str, str]:
    """The variables under which the packages below `root` are the ones imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(root / one) for one in ("", "plugins", "tui"))}


def loaded_by(code: str) -> set[str]:
    """The top-level names of the modules that running `code` in a new interpreter leaves loaded."""
    tail = "\nimport sys\nprint('loaded:', *sys.modules)"
    command = [sys.executable, "-c", code + tail]
    done = subprocess.run(command, env=environment(ROOT), capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("loaded:"))
    return {name.partition(".")[0] for name in line.split()[1:]}


@pytest.mark.parametrize("module", ["secondme", "secondme.cli", "secondme.cli.app", "secondme.plugins"])
def test_importing_loads_nothing_slow(module: str) -> None:
    assert loaded_by(f"import {module}") & SLOW == set()


def test_help_loads_nothing_slow() -> None:
    code = """
import sys
from secondme.cli import main
sys.argv = ["secondme", "--help"]
try:
    main()
except SystemExit:
    pass
"""
    assert loaded_by(code) & SLOW == set()


def test_loading_the_llama_plugin_does_not_load_its_engine() -> None:
    assert "llama_cpp" not in loaded_by("import secondme_plugins.llama")


def checked_imports(root: Path) -> tuple[int, str]:
    """The exit code and output of import-linter on the packages below `root`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=root, env=environment(root), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and of the contracts, to be spoiled."""
    root = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__")
    for package in ("secondme", "plugins/secondme_plugins", "tui/secondme_tui"):
        shutil.copytree(ROOT / package, root / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def test_the_boundaries_hold(copy: Path) -> None:
    code, output = checked_imports(copy)
    assert code == 0, output


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("secondme/records.py", "import textual", "The core is reachable without a screen"),
        ("secondme/chat/talk.py", "import secondme_tui.app", "The core is reachable without a screen"),
        ("secondme/cli/app.py", "import secondme_tui.app", "The core is reachable without a screen"),
        ("secondme/cli/plain.py", "import textual", "Only the terminal interface knows Textual"),
        ("tui/secondme_tui/widgets/__init__.py", "import secondme.store", "Widgets know neither the memory"),
        ("secondme/plugins.py", "import secondme_plugins.llama", "The core is reachable without a screen"),
        ("plugins/secondme_plugins/markdown.py", "import secondme.store", "Plugins see only the contract"),
        ("plugins/secondme_plugins/markdown.py", "from secondme import Note", "Plugins see only the contract"),
        ("secondme/recall/__init__.py", "import secondme.store", "Recall is free of input and output"),
        ("secondme/assistant.py", "import sqlite_utils", "Only the store knows SQL"),
        ("secondme/store/schema.py", "import sqlcipher3", "Only one module knows the driver"),
        ("secondme/assistant.py", "import pluggy", "Only the hooks know pluggy"),
        ("secondme/assistant.py", "import rich.console", "Only the command line knows typer and rich"),
        ("secondme/models/__init__.py", "import llama_cpp", "Only the llama plugin knows llama.cpp"),
        ("plugins/secondme_plugins/markdown.py", "import gguf", "Only models know hubs and model files"),
    ],
)
def test_a_boundary_that_is_crossed_is_reported(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    code, output = checked_imports(copy)
    assert code == 1
    assert any(report.startswith(contract) and " BROKEN" in report for report in output.splitlines()), output
