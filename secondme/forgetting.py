"""What the user wants to have forgotten: chosen by ids, words, places or days, and removed for good."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from secondme.errors import NotFound, UsageError
from secondme.ids import is_id, parse_id
from secondme.records import Forgotten
from secondme.store.choosing import notes_matching

if TYPE_CHECKING:
    from secondme.assistant import Assistant


@dataclass(frozen=True, slots=True)
class Choice:
    """Which notes are meant: those for which all of this is true."""

    words: str = ""
    """Each of these words is in the title or text of a version, as a whole word."""
    source: str = ""
    """This is part of the uri or thread."""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


def chosen(me: Assistant, choice: Choice) -> list[str]:
    """Return the ids of the notes that are meant, the newest version of each. Raises NotFound where there is none."""
    found = notes_matching(me.store, choice.words, choice.source, choice.since, choice.until)
    if not found:
        raise NotFound("nothing found that is to be forgotten", hint="secondme list; secondme search")
    return [f"n{id}" for id in found]


def forget(me: Assistant, ids: Sequence[str], *, dry_run: bool) -> Forgotten:
    """Remove notes for good. Raises NotFound and UsageError before anything is removed."""
    for id in ids:
        if is_id(id, "m"):
            raise _not_alone(me, id)
        number, position = parse_id(id)
        if position is not None:
            whole = id.partition(".")[0]
            raise UsageError(f"{id} is part of a note", hint=f"forget all of it: secondme forget {whole}")
        if me.store.note(number) is None:
            raise NotFound(f"there is no {id}", hint="secondme list")
    done = me.store.forget([parse_id(id)[0] for id in ids], dry_run=dry_run)
    files = dict.fromkeys(path for uri in done.uris if os.path.isfile(path := uri.partition("#")[0]))
    return replace(done, files=tuple(path for path in files if os.path.isabs(path)))


def _not_alone(me: Assistant, id: str) -> UsageError:
    """Return what to say where somebody wants to forget a fact. Raises NotFound."""
    [fact] = me.facts([id])
    notes = " ".join(dict.fromkeys(f"n{source.note_id}" for source in fact.sources))
    made = [change.id for change in me.store.journal.changes() if change.fact == id and not change.undone_at]
    ways = [f"forget what it rests on: secondme forget {notes}"]
    ways += [f"or drop it alone: secondme review --reject {made[0]}"] if made else []
    return UsageError(f"{id} is a fact, and facts go with their notes", hint="; ".join(ways))
