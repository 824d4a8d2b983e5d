"""Mail: single messages and mailboxes of any length."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped
from secondme_plugins.heads import beginning

_FIRST = b"From "


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the messages of a mailbox or of a file with one message, or None for a file of another kind."""
    is_single = path.suffix.lower() == ".eml"
    if not is_single and not _is_mailbox(path):
        return None
    from secondme_plugins.mail_messages import read_mailbox, read_single

    return read_single(path) if is_single else read_mailbox(path)


def _is_mailbox(path: Path) -> bool:
    if path.suffix.lower() == ".mbox":
        return True
    return not path.suffix and beginning(path, len(_FIRST)) == _FIRST
