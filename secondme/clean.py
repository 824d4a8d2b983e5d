"""The one place where text is made safe to store and to show: no byte of it can steer a terminal or hide a word."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = "\u200b\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\ud800-\udfff"
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SUSPECT = re.compile(f"[{_CONTROL}{_HIDDEN}]")
_UNSHOWN = re.compile(f"[\x7f-\x9f{_HIDDEN}]")
"""What JSON text may hold as it is, and a terminal should not see."""
# Every repetition is possessive and a payload stops at the next escape, so no input makes this slower than linear.
# A string sequence without its terminator loses only its introducer: what follows may be the user's words.
_SEQUENCE = re.compile(
    rf"""
    (?: \x1b[PX\]^_k] | [\x90\x98\x9d-\x9f] ) [^\x07\x18\x1a\x1b\x80-\x9f]*+ (?: \x07 | \x1b\\ | \x9c )  # a string
    | (?: \x1b\[ | \x9b ) [0-?]*+ [ -/]*+ [@-~]?  # CSI
    | \x1b (?: [ -/]*+ [0-~] )?  # another escape
    | [{_CONTROL}{_HIDDEN}]
    """,
    re.VERBOSE,
)


def clean(text: str) -> str:
    """Return `text` without escape sequences, control, override and invisible characters, its lines ended by newlines.

    Newline, tab and the joiners that emoji and some scripts need (ZWJ, ZWNJ) stay. Cleaning twice changes nothing.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not _SUSPECT.search(text):
        return text
    return _SEQUENCE.sub("", text)


def escaped(json: str) -> str:
    """Return JSON text in which what `clean` takes away is written as escapes: lossless, and harmless to show."""
    return _UNSHOWN.sub(lambda found: _units(found[0]), json) if _UNSHOWN.search(json) else json


def _units(character: str) -> str:
    """Return the escapes of JSON for a character, two of them above U+FFFF."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def one_line(text: str, width: int) -> str:
    """Return the cleaned `text` as one line of at most `width` terminal columns, ending in an ellipsis where cut."""
    line = " ".join(clean(text).split())
    used = cut = 0
    for index, character in enumerate(line):
        used += _columns(character)
        if used > width:
            return line[:cut].rstrip() + "…" if width > 0 else ""
        if used < width:
            cut = index + 1
    return line


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
