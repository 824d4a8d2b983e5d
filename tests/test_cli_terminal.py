"""What only happens on a terminal: questions, colours, progress."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import ROOT, TESTS, Run


def on_terminal(*arguments: str, typed: str = "", env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run `secondme` on a terminal of its own, with the fake embedder; return the exit code and what the screen got."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", TESTS, TESTS / "fake-plugin")))
    models = {"SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": "hashing"}
    environ = {**os.environ, **models, "PYTHONPATH": path, "TERM": "xterm", **(env or {})}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "secondme", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        screen = b""
        try:
            while block := os.read(ours, 65536):
                screen += block
        except OSError:
            pass  # how a terminal says that nobody writes to it any more
        os.close(ours)
    return process.returncode, screen.decode().replace("\r\n", "\n")


@pytest.fixture
def note(call: Run) -> Run:
    """One note, n1."""
    call("add", "green tea")
    return call


def test_forget_asks_and_a_no_removes_nothing(note: Run) -> None:
    code, screen = on_terminal("forget", "n1", typed="n\n")
    assert code == 1
    assert "would remove n1: 1 passage\n" in screen
    assert "forget this for good? It cannot be taken back [y/N]" in screen
    assert "nothing was removed" in screen
    assert note("show", "n1").code == 0


def test_forget_asks_and_a_yes_removes(note: Run) -> None:
    code, screen = on_terminal("forget", "n1", typed="y\n")
    assert (code, "removed n1: 1 passage\n" in screen) == (0, True)
    assert note("show", "n1").code == 1


@pytest.mark.parametrize("command", [("list",), ("search", "tea"), ("show", "n1"), ("ask", "tea", "--no-llm")])
def test_colours_are_for_terminals_and_can_be_turned_off(note: Run, command: tuple[str, ...]) -> None:
    assert "\x1b[1mn1\x1b[0m" in on_terminal(*command, env={"NO_COLOR": ""})[1]
    assert "\x1b" not in on_terminal(*command, env={"NO_COLOR": "1"})[1]
    assert "\x1b" not in on_terminal(*command, "--plain", env={"NO_COLOR": ""})[1]


def test_the_best_evidence_is_shown_before_the_answer(note: Run, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('"You drink green tea."')
    asked = {"SECONDME_MODELS_LANGUAGE": "scripted", "SECONDME_SCRIPT": str(script), "NO_COLOR": "1"}
    code, screen = on_terminal("ask", "which tea?", env=asked)
    assert code == 0
    found, _, answer = screen.partition("You drink")
    assert found.startswith("1 passage of evidence, the best:\n  n1 · ")
    assert found.endswith("\n  green tea\n")
    assert answer.startswith(" green tea [1].\n")


def test_escape_codes_of_a_note_do_not_reach_the_terminal(call: Run) -> None:
    call("add", "red \x1b]52;c;aGk=\x07alert\x9b2J")
    screen = on_terminal("show", "n1", env={"NO_COLOR": "1"})[1]
    assert "red alert" in screen
    assert "\x1b" not in screen
    assert "\x9b" not in screen


def test_progress_is_shown_and_removed(call: Run, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.md").write_text(f"tea number {number}", encoding="utf-8")
    code, screen = on_terminal("add", str(tmp_path))
    assert code == 0
    assert "vectors: 3 of 3" in screen
    assert screen.rpartition("\x1b[K")[2] == "n1\nn2\nn3\n"
