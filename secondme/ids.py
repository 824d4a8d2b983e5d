"""The ids people see: `n12` and `n12.3` for notes, `m7` for facts, `r3` for nights, `c12` for changes."""

from __future__ import annotations

import re

from secondme.errors import UsageError

KINDS = {"m": "a fact, such as m7", "r": "a run, such as r3", "c": "a change, such as c12"}
_NOTE = re.compile(r"n([0-9]{1,18})(?:\.([0-9]{1,9}))?")


def parse_id(id: str) -> tuple[int, int | None]:
    """Return the number of the note, and of the passage from 1 where the id names one; raises UsageError."""
    found = _NOTE.fullmatch(id)
    if not found:
        raise UsageError(
            f"{id!r} is not an id of a note",
            hint="ids look like n12, n12.3 or, for facts, m7; secondme list and secondme facts show them",
        )
    return int(found[1]), int(found[2]) if found[2] else None


def number_in(id: str, letter: str) -> int:
    """Return the number in an id of the kind that begins with `letter`; raises UsageError."""
    if not is_id(id, letter):
        raise UsageError(f"{id!r} is not the id of {KINDS[letter]}", hint="secondme log; secondme facts")
    return int(id[1:])


def is_id(id: str, letter: str) -> bool:
    """True if an id is of the kind that begins with `letter`."""
    return re.fullmatch(rf"{letter}[0-9]{{1,18}}", id) is not None
