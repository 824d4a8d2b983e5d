"""The terminal interface as a program of its own on a real terminal: what it writes, and what one then sees."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pexpect  # type: ignore[import-untyped]
import pyte
from conftest import ROOT, TESTS

PATIENCE = 30.0
PROGRAM = """
import json, sys
from fakes import FakePlugin
from secondme.plugins import load_plugins
from secondme_tui.app import SecondmeApp
plugins = load_plugins(installed=False)
plugins.register(FakePlugin(json.loads(sys.argv[1])), "fake")
SecondmeApp(plugins=plugins).run()
"""
PASTE = "\x1b[200~{}\x1b[201~"


class Terminal:
    """A terminal with the program in it."""

    def __init__(self, process: pexpect.spawn, size: tuple[int, int]) -> None:
        self.process = process
        self.raw = b""
        """All that the program wrote."""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.lines)

    def send(self, keys: str) -> None:
        """Type."""
        self.process.send(keys.encode())

    def read(self, seconds: float = 0.05) -> bool:
        """Take in what was written; return whether there was anything."""
        try:
            block = self.process.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return False
        except pexpect.EOF:
            return False
        self.raw += block
        self._stream.feed(block)
        return True

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so, and until nothing more is written."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"it never happened; on the screen is:\n{self.text}"
            self.read()
        while self.read(0.2):
            assert time.monotonic() < deadline, "it never stops writing"

    def until_shown(self, words: str) -> None:
        """Wait until words are on the screen."""
        self.until(lambda: words in self.text)


@contextmanager
def terminal(
    *, replies: Sequence[str] = (), size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run the interface with the fake models on a terminal of (columns, lines)."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "tui", TESTS)))
    environ = {**os.environ, "PYTHONPATH": path, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
    process = pexpect.spawn(
        sys.executable,
        ["-c", PROGRAM, json.dumps(replies)],
        env=environ,
        dimensions=size[::-1],
        timeout=PATIENCE,
    )
    # Long texts are pasted, and a pause before each would be long.
    process.delaybeforesend = None
    try:
        found = Terminal(process, size)
        found.until(lambda: "Threads" in found.text and "opening the memory" not in found.text)
        yield found
    finally:
        process.close(force=True)
