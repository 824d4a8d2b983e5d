"""Reads mail: one note a message, without what it quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

from secondme.clean import one_line
from secondme.ingest.dates import file_time
from secondme.records import Note, Skipped
from secondme_plugins.chats import digest
from secondme_plugins.html_page import NEEDED, markdown_of

LARGEST = 25 << 20
"""Bytes of one message; longer ones are nearly all attachment, and cut."""
STUMBLES = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError)
"""What the parser of the standard library raises over headers that nobody should have written."""
_QUOTED = re.compile(r"[ \t]*+[>|]")
_INTRODUCTION = re.compile(
    r"^(?:On .{5,120} wrote:|Am .{5,120} schrieb .{1,80}:|Le .{5,120} a écrit ?:|-{3,} ?(?:Original Message|"
    r"Forwarded message|Ursprüngliche Nachricht).*+|_{10,}+)[ \t]*+$",
    re.IGNORECASE,
)
_SIGNATURE = "-- "
_REPLY = re.compile(r"^(?:(?:re|fwd?|aw|wg|sv|tr)(?:\[\d+\])?:\s*)+", re.IGNORECASE)
_TITLE = 200


def read_single(path: Path) -> Iterator[Note | Skipped]:
    """Yield the message in a file."""
    with path.open("rb") as file:
        content = file.read(LARGEST)
    yield _note(content, path, 0)


def read_mailbox(path: Path) -> Iterator[Note | Skipped]:
    """Yield the messages of a mailbox, one after the other."""
    said: dict[str, str] = {}
    for number, content in enumerate(_messages(path), 1):
        note = _note(content, path, number)
        if isinstance(note, Note):
            text = digest(note.text.encode("utf-8", "replace"))
            # Two that have one name and say different things are two: the later would take the place of the other.
            if said.setdefault(note.uri, text) != text:
                note = replace(note, uri=f"{note.uri}/{text}")
        yield note


def _messages(path: Path) -> Iterator[bytes]:
    """Yield the messages of a mailbox in order; a line that begins with "From " after an empty one parts them.

    A line of a message that begins so was quoted with ">" when it was put there.
    """
    lines: list[bytes] = []
    size, after_empty, is_begun = 0, True, False
    with path.open("rb") as file:
        for line in file:
            if after_empty and line.startswith(b"From "):
                if is_begun and lines:
                    yield b"".join(lines)
                lines, size, is_begun = [], 0, True
            elif size < LARGEST:
                lines.append(line[1:] if re.match(rb">+From ", line) else line)
                size += len(line)
            after_empty = not line.strip()
    if lines:
        yield b"".join(lines)


def _note(content: bytes, path: Path, number: int) -> Note | Skipped:
    where = f"{path}#{number}" if number else str(path)
    try:
        message = message_from_bytes(content, policy=policy.default)
        return _read(message, content, path, number)
    except ImportError:
        return Skipped(where, NEEDED)
    except STUMBLES as error:
        return Skipped(where, f"not a readable message: {type(error).__name__}")


def _read(message: EmailMessage, content: bytes, path: Path, number: int) -> Note | Skipped:
    where = f"{path}#{number}" if number else str(path)
    name, address = _sender(message)
    subject = one_line(str(message.get("Subject") or ""), _TITLE)
    if not (address or subject or message.get("Date")):
        return Skipped(where, "not a message")
    text = without_quotes(_text(message))
    attached = [one_line(str(part.get_filename() or part.get_content_type()), 100) for part in _attachments(message)]
    parts = [subject, text, f"[attachments: {', '.join(attached)}]" if attached else ""]
    id = one_line(str(message.get("Message-ID") or ""), 200).strip("<> ")
    id = id or digest(content)
    return Note(
        text="\n\n".join(part for part in parts if part),
        uri=f"{path}#{id}" if number else str(path),
        thread=_thread(message, id, subject),
        author=name or address,
        happened_at=_moment(message) or file_time(path),
        origin="clip",
        title=subject,
    )


def _sender(message: Message) -> tuple[str, str]:
    found = getaddresses([str(message.get("From") or message.get("Sender") or "")])
    return (one_line(found[0][0], 100), one_line(found[0][1], 100)) if found else ("", "")


def _thread(message: Message, id: str, subject: str) -> str:
    """Return what all messages of a conversation have in common: the first one referred to, else the subject."""
    referred = re.findall(r"<([^<>\s]+)>", f"{message.get('References') or ''} {message.get('In-Reply-To') or ''}")
    plain = _REPLY.sub("", subject)
    if referred:
        return f"mail:{referred[0]}"
    return f"mail:{id}" if plain == subject else f"mail:{plain}"


def _moment(message: Message) -> datetime | None:
    received = str(message.get("Received") or "").rpartition(";")[2]
    for text in (str(message.get("Date") or ""), received):
        try:
            return parsedate_to_datetime(text.strip()).astimezone()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue  # the next header may tell
    return None


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    if body is None:
        return "" if message.is_multipart() else _decoded(message)
    text = _decoded(body)
    return markdown_of(text) if body.get_content_type() == "text/html" else text


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")


def _attachments(message: EmailMessage) -> Iterator[Message]:
    if message.is_multipart():
        yield from (part for part in message.walk() if part.get_content_disposition() == "attachment")


def without_quotes(text: str) -> str:
    """Return what the sender wrote: without quoted lines, what introduces them, and the signature."""
    kept: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line == _SIGNATURE or re.match(r"-{3,} ?Original Message", line, re.IGNORECASE):
            break
        if not _QUOTED.match(line) and not _INTRODUCTION.match(line):
            kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
