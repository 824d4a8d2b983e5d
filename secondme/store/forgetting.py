"""Forgetting: notes go with all that tells of them, here and in every copy, and what was forgotten stays out."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.errors import SecondmeError
from secondme.records import Copy, Forgotten
from secondme.store.borrowed import AMONG
from secondme.store.elsewhere import clean_copies, copies_with
from secondme.store.pruning import going_with, matching, prune, remove
from secondme.store.tombstones import Fingerprints

if TYPE_CHECKING:
    from secondme.store.store import Store

PATIENCE = 3.0
"""Seconds to wait for others that read, beyond those that the driver waits for them."""
UNFINISHED = "unfinished_forgetting"
"""What in `meta` says that copies or the log of the database may still hold what was removed."""
LEFT = "another process is reading, so what was removed stays in the log of the database until that ends"


@dataclass(frozen=True, slots=True)
class Finished:
    """What was done about what is left of forgotten notes."""

    copies: list[Copy]
    """Those that held some of it or cannot be looked into."""
    pages: int
    """How many were removed."""
    left: str = ""
    """Why something stays; "" where nothing does."""


def forget(store: Store, note_ids: Sequence[int], *, dry_run: bool, is_lasting: bool) -> Forgotten:
    """Remove notes with all their versions and all that tells of them, leaving no byte of them in any file of ours.

    What is `is_lasting` does not come back from files and imports either.
    """
    names = 0
    with store.writing():
        going = going_with(store, note_ids)
        hashes = store.tombstones.made_for(going.notes, now=now())
        query = f"select count(*) from passages where note_id in {AMONG}"
        (passages,) = store.db.conn.execute(query, (json.dumps(going.ids),)).fetchone()
        uris = dict.fromkeys(note.uri for note in going.notes)
        if not dry_run:
            names = remove(store, going)
            if is_lasting:
                store.tombstones.bury(hashes)
            store.db.conn.execute("insert or replace into meta values (?, '')", (UNFINISHED,))
    if dry_run:
        done = Finished(copies_with(store, hashes, uris), _pages_with(store, going.ids))
    else:
        done = finish(store, hashes)
    ids, facts = tuple(f"n{id}" for id in going.ids), tuple(f"m{id}" for id in going.facts)
    told, copies = len(going.turns), tuple(done.copies)
    return Forgotten(ids, tuple(uris), passages, dry_run, facts, copies, told, names, left=done.left, pages=done.pages)


def forget_again(store: Store, others: Fingerprints) -> int:
    """Remove from a memory what another one has forgotten, and keep it out from now on; return how many notes.

    This is for a copy that is about to take the place of the memory whose tombstones `others` are.
    """
    removed = prune(store, matching(store, others, but=lambda note: False))
    store.tombstones.take_over(others)
    return removed


def finish(store: Store, hashes: Fingerprints | None = None) -> Finished:
    """Remove what is left of forgotten notes, or of passages that changed, in copies, pages and the database's log."""
    from secondme.store.page_sweeping import sweep_pages

    copies = clean_copies(store, hashes)
    with store.writing():
        store.db.conn.execute("delete from meta where key = ?", (UNFINISHED,))
    pages, left = 0, ""
    try:
        pages = sweep_pages(store)
    except SecondmeError as error:
        left = f"pages of what was removed stay: {error}"
    deadline = time.monotonic() + PATIENCE
    while not store.checkpoint():
        if time.monotonic() > deadline:
            left = LEFT
            break
        time.sleep(0.1)
    if left:
        store.set_meta(UNFINISHED, "")
    return Finished(copies, pages, left)


def _pages_with(store: Store, note_ids: Sequence[int]) -> int:
    from secondme.store.pages import PageStore

    with PageStore.of(store) as pages:
        return pages.outdated(store, note_ids)


def is_unfinished(store: Store) -> bool:
    """True if something of what was removed may be left in copies or in the log of the database."""
    return store.meta(UNFINISHED) is not None
