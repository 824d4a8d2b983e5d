"""Reads the export of Claude: one note a message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped
from secondme_plugins.chats import conversations, is_export, moment, text_in

ASSISTANT = "Claude"
"""Known to be an assistant, so that nothing it said is ever learned as a fact about you."""


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the messages of all conversations, or None for a file of another kind."""
    return _messages(path) if is_export(path, b'"chat_messages"') else None


def _messages(path: Path) -> Iterator[Note | Skipped]:
    for one in conversations(path):
        if isinstance(one, Skipped):
            yield one
            continue
        id, title, messages = str(one.get("uuid") or ""), one.get("name"), one.get("chat_messages")
        if not isinstance(messages, list):
            yield Skipped(f"{path}#{id}", "not a conversation")
            continue
        for number, message in enumerate(messages, 1):
            if not isinstance(message, dict):
                continue
            text = text_in(message.get("text")) or text_in(message.get("content"))
            sender = message.get("sender")
            if text and sender in ("human", "assistant"):
                at = moment(message.get("created_at")) or moment(one.get("created_at"))
                uri = f"{path}#{id}/{message.get('uuid') or number}"
                said_by = ASSISTANT if sender == "assistant" else ""
                name = title if isinstance(title, str) else ""
                yield Note(text, uri, f"claude:{id or name}", said_by, at, "import", name)
