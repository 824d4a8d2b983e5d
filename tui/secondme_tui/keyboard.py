"""What terminals send for keys, where Textual reads something else from it than was pressed."""

from __future__ import annotations

from typing import cast

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.keys import Keys


def mend() -> None:
    """Have Alt with a number, and Alt with Enter, read as such where the terminal has no newer keyboard protocol."""
    # Typed as one that cannot be changed; there is no other place to say it.
    sequences = cast("dict[str, object]", ANSI_SEQUENCES_KEYS)
    for number in "123456789":
        # It stands for the sign that some Macs type with these keys.
        sequences.pop(f"\x1b{number}", None)
    # It was Enter alone, which sends what is typed. There is no member for Alt with Enter: both mean a new line.
    sequences["\x1b\r"] = (Keys.ControlJ,)
