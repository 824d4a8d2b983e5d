"""Writes a conversation as Markdown, with the sources of its answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.chat.lines import source_line
from secondme.clean import clean
from secondme.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from secondme.chat.talk import Talk


def write_chat(talk: Talk, path: Path | None) -> Path:
    """Write the conversation in hand to a file that must not exist, by default one in the folder we are in.

    Only its owner may read it. Raises UsageError.
    """
    assert talk.chat is not None
    chosen = Path(os.path.abspath(path or f"secondme-chat-{talk.chat}.md"))
    content = "".join(f"{line}\n" for line in _lines(talk))
    try:
        with os.fdopen(os.open(chosen, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError(f"{chosen} is there already", hint="/export OTHER-FILE") from None
    except OSError as error:
        raise UsageError(f"{chosen}: {(error.strerror or 'cannot be written').lower()}", hint="/export FILE") from error
    return chosen


def _lines(talk: Talk) -> Iterator[str]:
    chats = talk.me.store.chats
    chat = chats.get(talk.chat or 0)
    yield f"# {clean(chat.name)}"
    for turn in chats.turns(chat.id):
        at = f"{turn.said_at.astimezone():%Y-%m-%d %H:%M}"
        if turn.kind in ("off", "on"):
            yield f"\n*{at}: {'nothing is kept from here on' if turn.kind == 'off' else 'kept again from here on'}*"
            continue
        yield f"\n**{at}**{f' ({turn.note})' if turn.note else ''}\n"
        yield from (f"> {line}" for line in clean(turn.text).split("\n"))
        if turn.answer:
            read = talk.read(turn)
            yield f"\n{clean(read.text)}{'' if turn.is_whole else ' …'}\n"
            yield from (source_line(number, match) + "  " for number, match in read.sources.items())
