"""Reads the export of ChatGPT: the conversations as they were last shown, one note a message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from secondme.hookspecs import hookimpl
from secondme.records import Note, Skipped
from secondme_plugins.chats import conversations, is_export, moment, text_in

ASSISTANT = "ChatGPT"
"""Known to be an assistant, so that nothing it said is ever learned as a fact about you."""


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the messages of all conversations, or None for a file of another kind."""
    return _messages(path) if is_export(path, b'"mapping"') else None


def _messages(path: Path) -> Iterator[Note | Skipped]:
    for one in conversations(path):
        if isinstance(one, Skipped):
            yield one
        elif not isinstance(one.get("mapping"), dict):
            yield Skipped(f"{path}#{one.get('id', '')}", "not a conversation")
        else:
            yield from _conversation(path, one)


def _conversation(path: Path, found: dict[str, Any]) -> Iterator[Note]:
    id = str(found.get("conversation_id") or found.get("id") or "")
    title = found.get("title") if isinstance(found.get("title"), str) else ""
    for node_id, message in reversed(list(_shown(found["mapping"], found.get("current_node")))):
        author = message.get("author")
        role = author.get("role") if isinstance(author, dict) else ""
        content = message.get("content")
        text = text_in(content.get("parts")) if isinstance(content, dict) else ""
        if role in ("user", "assistant") and text:
            at = moment(message.get("create_time")) or moment(found.get("create_time"))
            said_by = ASSISTANT if role == "assistant" else ""
            uri, thread = f"{path}#{id}/{message.get('id') or node_id}", f"chatgpt:{id or title}"
            yield Note(text, uri, thread, said_by, at, "import", title or "")


def _shown(nodes: dict[str, Any], last: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the messages from the last one shown back to the first: what was rephrased since lies on other branches."""
    seen: set[str] = set()
    at = last if isinstance(last, str) and last in nodes else next(reversed(nodes), None)
    while isinstance(at, str) and at not in seen and isinstance(node := nodes.get(at), dict):
        seen.add(at)
        if isinstance(message := node.get("message"), dict):
            yield at, message
        at = node.get("parent")
