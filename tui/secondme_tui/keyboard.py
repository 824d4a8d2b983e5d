"""What terminals send for keys and pastes, where Textual reads something else from it than was meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers import linux_driver
from textual.keys import Keys

if TYPE_CHECKING:
    from textual.message import Message

ESCAPE = "\x1b"


class Parser(XTermParser):
    """Reads what a terminal sends; nothing that is pasted can press a key.

    Where an escape is among it, Textual reads what follows as keys: a paste could send a command and confirm it. Most
    terminals leave escapes out, not all.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._is_pasting = False
        self._last = ""
        """The last characters outside of a paste: they may be the beginning of the mark of one."""
        self._held = ""
        """The last characters of a paste, not read yet: they may be the beginning of the mark of its end."""

    def feed(self, data: str) -> Iterable[Message]:
        """Read some more; nothing at all stands for the end."""
        if not data:
            return super().feed(data)
        harmless = self._harmless(data)
        return super().feed(harmless) if harmless else ()

    def _harmless(self, data: str) -> str:
        parts: list[str] = []
        while data:
            if self._is_pasting:
                pasted, mark, data = (self._held + data).partition(BRACKETED_PASTE_END)
                self._held = "" if mark else _beginning_of(BRACKETED_PASTE_END, pasted)
                parts += [pasted[: len(pasted) - len(self._held)].replace(ESCAPE, ""), mark]
                self._is_pasting = not mark
            else:
                typed, mark, rest = (self._last + data).partition(BRACKETED_PASTE_START)
                parts.append(data[: len(data) - len(rest)])
                self._last = "" if mark else typed[1 - len(BRACKETED_PASTE_START) :]
                self._is_pasting, data = bool(mark), rest
        return "".join(parts)


def mend() -> None:
    """Have pastes read by us, and Alt with a number or Enter as such where a terminal has no newer protocol."""
    linux_driver.XTermParser = Parser  # type: ignore[attr-defined]
    # Typed as one that cannot be changed; there is no other place to say it.
    sequences = cast("dict[str, object]", ANSI_SEQUENCES_KEYS)
    for number in "123456789":
        # It stands for the sign that some Macs type with these keys.
        sequences.pop(f"{ESCAPE}{number}", None)
    # It was Enter alone, which sends what is typed. There is no member for Alt with Enter: both mean a new line.
    sequences[f"{ESCAPE}\r"] = (Keys.ControlJ,)


def _beginning_of(mark: str, text: str) -> str:
    """Return the end of a text that a mark may begin with."""
    return next((mark[:length] for length in range(len(mark) - 1, 0, -1) if text.endswith(mark[:length])), "")
