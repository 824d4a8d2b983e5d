"""Makes of a note what will be stored: cleaned, without secrets, named, dated, and cut into passages."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC

from secondme.clean import clean
from secondme.clock import now
from secondme.config import Config
from secondme.ingest.segment import segment
from secondme.records import Note, Skipped, Span
from secondme.secrets import mask


def kept(text: str, config: Config) -> str:
    """Return a text as it may be stored: without what steers terminals, and without secrets."""
    return mask(clean(text), keep=config.secrets.keep)


def prepare(note: Note, config: Config) -> tuple[Note, list[Span]] | Skipped:
    """Return the note as it will be stored, with its passages, or why it cannot be."""
    text = kept(note.text, config)
    if not text.strip():
        return Skipped(note.uri or "text", "nothing to store: the text is empty")
    size = len(text.encode())
    if size > config.ingest.max_file_bytes:
        return Skipped(note.uri or "text", f"{size:,} bytes is more than ingest.max_file_bytes allows")
    moment = (note.happened_at or now()).astimezone(UTC)  # without a zone it is local time
    day = moment.date().isoformat()
    # Two people who say "yes" on one day said two things, and so did one who said it twice.
    said = (note.happened_at and note.happened_at.isoformat(), note.thread, note.author, text)
    digest = hashlib.sha256("\n".join(part for part in said if part).encode(errors="replace")).hexdigest()[:12]
    stored = replace(
        note,
        text=text,
        # The name of a file has to stay what it is: it is how the file is found again.
        uri=clean(note.uri) or f"{note.origin}:{day}:{digest}",
        thread=clean(note.thread) or clean(note.uri) or f"{note.origin}:{day}",
        author=clean(note.author) or (config.me.name if note.origin == "typed" else ""),
        title=kept(note.title, config),
        happened_at=moment,
    )
    return stored, segment(text, markdown=note.origin != "chat")
