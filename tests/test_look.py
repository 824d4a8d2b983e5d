"""Which theme and which keys the user gets: from the settings, from the terminal, or told what is wrong with them."""

from __future__ import annotations

import os
import pty
import select
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO

import pytest
from secondme_tui import look
from secondme_tui.app import SecondmeApp
from secondme_tui.look import action_ids, keymap, theme_for
from textual.binding import Binding
from textual.theme import BUILTIN_THEMES

from secondme.errors import ConfigError

QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
ATTRIBUTES = b"\x1b[?62;22c"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("dark", "textual-dark"),
        ("light", "textual-light"),
        ("ansi", "ansi-dark"),
        ("nord", "nord"),
        ("auto", "textual-dark"),
    ],
)
def test_a_theme_is_named_or_follows_the_terminal(wanted: str, name: str) -> None:
    assert theme_for(wanted) == name
    assert name in BUILTIN_THEMES


def test_a_theme_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ConfigError, match="no theme 'pink'") as refused:
        theme_for("pink")
    for name in ("auto", "dark", "light", "ansi", "nord"):
        assert name in refused.value.hint


def test_keys_are_read_by_the_names_of_their_actions() -> None:
    first, second = sorted(action_ids())[:2]
    assert keymap([]) == {}
    assert keymap([f"{first} = ctrl+l", f" {second}=f9,ctrl+t "]) == {first: "ctrl+l", second: "f9,ctrl+t"}


@pytest.mark.parametrize("line", ["", "chat.threads", "chat.threads =", "= ctrl+l", "ctrl+l"])
def test_a_line_that_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="is no key") as refused:
        keymap([line])
    assert "chat.threads = ctrl+l" in refused.value.hint


def test_an_action_that_does_not_exist_is_refused_with_those_of_its_screen() -> None:
    group = sorted(action_ids())[0].split(".")[0]
    with pytest.raises(ConfigError, match="no action") as refused:
        keymap([f"{group}.nothing = f9"])
    assert refused.value.hint
    assert all(one.startswith(f"{group}.") for one in refused.value.hint.split(", "))
    with pytest.raises(ConfigError) as refused:
        keymap(["nothing = f9"])
    assert set(refused.value.hint.split(", ")) == action_ids()


def test_every_action_of_every_screen_can_have_another_key() -> None:
    own = {one.id for one in SecondmeApp.BINDINGS if isinstance(one, Binding) and one.id}
    assert own
    assert own <= action_ids()
    assert {one.split(".")[0] for one in action_ids()} >= {"chat"}


@dataclass
class Terminal:
    """A terminal that stdin and stdout are, from its other side."""

    ours: int
    stream: FileIO
    patch: pytest.MonkeyPatch

    def theme(self) -> str:
        """The theme for it."""
        # Not before the test is under way: pytest puts its own streams there between set-up and test.
        with self.patch.context() as patch:
            patch.setattr(sys, "stdin", self.stream)
            patch.setattr(sys, "stdout", self.stream)
            return theme_for("auto")

    def asked(self, *replies: bytes) -> str:
        """The theme where it answers with these bytes, piece by piece."""
        heard = b""

        def answer() -> None:
            nonlocal heard
            while QUESTION not in heard and select.select([self.ours], [], [], 5)[0]:
                heard += os.read(self.ours, 1024)
            for reply in replies:
                os.write(self.ours, reply)
                time.sleep(0.03)  # so that they are read as they were sent

        other = threading.Thread(target=answer)
        other.start()
        theme = self.theme()
        other.join(10)
        assert heard == QUESTION
        return theme

    def waiting(self) -> bytes:
        """What is left to be read as if it had been typed."""
        tty.setcbreak(self.stream.fileno(), termios.TCSANOW)
        return os.read(self.stream.fileno(), 1024) if select.select([self.stream], [], [], 0)[0] else b""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal of which nothing is known."""
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLORFGBG", raising=False)
    with FileIO(theirs, "r+") as stream:
        yield Terminal(ours, stream, monkeypatch)
    os.close(ours)


@pytest.mark.parametrize(
    ("colour", "theme"),
    [
        (b"rgb:ffff/ffff/ffff", "textual-light"),
        (b"rgb:fdfd/f6f6/e3e3", "textual-light"),
        (b"rgb:ff/ff/ff", "textual-light"),
        (b"rgba:ffff/ffff/ffff/ffff", "textual-light"),
        (b"rgb:0000/0000/0000", "textual-dark"),
        (b"rgb:1e1e/1e1e/2e2e", "textual-dark"),
        (b"rgb:0000/0000/ffff", "textual-dark"),
    ],
)
@pytest.mark.parametrize("end", [b"\x1b\\", b"\x07"])
def test_the_theme_follows_the_background(terminal: Terminal, colour: bytes, theme: str, end: bytes) -> None:
    assert terminal.asked(b"\x1b]11;" + colour + end + ATTRIBUTES) == theme


def test_an_answer_that_comes_in_pieces_is_read_to_its_end(terminal: Terminal) -> None:
    """A piece may end in a "c", which is a digit of a colour as well as the end of what every terminal answers."""
    assert terminal.asked(b"\x1b]11;rgb:cccc", b"/cccc/cc", b"cc\x1b\\", b"\x1b[?6", b"2c") == "textual-light"
    assert terminal.waiting() == b""


def test_a_terminal_that_does_not_know_its_background_is_not_waited_for(terminal: Terminal) -> None:
    began = time.monotonic()
    assert terminal.asked(ATTRIBUTES) == "textual-dark"
    assert time.monotonic() - began < look.PATIENCE + 1


def test_a_terminal_that_says_nothing_is_dark_or_as_its_variable_says(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert terminal.asked() == "textual-dark"
    for colours, theme in (("0;15", "textual-light"), ("0;default;7", "textual-light"), ("15;0", "textual-dark")):
        monkeypatch.setenv("COLORFGBG", colours)
        assert terminal.theme() == theme


def test_the_terminal_is_left_as_it_was(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal.stream)
    terminal.asked(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\" + ATTRIBUTES)
    assert termios.tcgetattr(terminal.stream) == before


@pytest.mark.parametrize("kind", ["dumb", "linux"])
def test_a_terminal_that_would_print_the_question_is_not_asked(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("TERM", kind)
    assert terminal.theme() == "textual-dark"
    assert select.select([terminal.ours], [], [], 0)[0] == []
