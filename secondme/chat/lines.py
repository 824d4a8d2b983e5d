"""One line for each thing a conversation tells of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from secondme.clean import one_line
from secondme.places import place
from secondme.records import Copy, Fact, Forgotten, Match

if TYPE_CHECKING:
    from secondme.store.chats import Chat

SNIPPET = 160
NAME = 60
NAMED = 10
"""So many of what goes are named one by one."""


def day(moment: datetime | None) -> str:
    """Return the local day of a moment."""
    return moment.astimezone().date().isoformat() if moment else ""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where there are several."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def match_line(match: Match) -> str:
    """Return a match as one line: id, day, author, text."""
    head = " · ".join(one_line(part, NAME) for part in (match.id, day(match.happened_at), match.author) if part)
    return f"{head} · {one_line(match.text, SNIPPET)}"


def source_line(number: int, match: Match) -> str:
    """Return what stands behind a mark, as one line: mark, id, day, place."""
    parts = (match.id, day(match.happened_at), match.author, place(match.uri, match.line_start))
    return f"[{number}] " + " · ".join(one_line(part, 200) for part in parts if part)


def fact_line(fact: Fact) -> str:
    """Return a fact as one line: id, since when, text."""
    since, until = day(fact.valid_from), day(fact.valid_to)
    when = (
        f"{since} to {until}" if since and until else f"until {until}" if until else f"since {since}" if since else ""
    )
    return " · ".join(part for part in (fact.id, when, one_line(fact.text, SNIPPET)) if part)


def chat_line(chat: Chat, *, is_here: bool) -> str:
    """Return a conversation as one line: number, day, name, turns."""
    here = " · here" if is_here else ""
    return f"{chat.id} · {day(chat.last_at)} · {one_line(chat.name, NAME)} · {counted(chat.turns, 'turn')}{here}"


def forgotten_lines(forgotten: Forgotten) -> str:
    """Return what a forget removes, or did."""
    named = " ".join(forgotten.ids) if len(forgotten.ids) <= NAMED else counted(len(forgotten.ids), "version")
    if len(forgotten.ids) > NAMED:
        named += f" of {counted(len(forgotten.uris), 'note')}"
    found = [f"{'would remove' if forgotten.dry_run else 'removed'} {named}: {counted(forgotten.passages, 'passage')}"]
    found += [f"  {one_line(uri, 200)}" for uri in forgotten.uris[:NAMED]]
    found += [f"  and {counted(more, 'more note')}"] if (more := len(forgotten.uris[NAMED:])) else []
    if forgotten.facts:
        names = " ".join(forgotten.facts[:NAMED]) + (" …" if len(forgotten.facts) > NAMED else "")
        found.append(f"  {counted(len(forgotten.facts), 'fact')}: {names}")
    if forgotten.turns:
        found.append(f"  {counted(forgotten.turns, 'turn')} of conversations")
    if forgotten.names:
        found.append(f"  the name of {counted(forgotten.names, 'conversation')}")
    if forgotten.pages:
        found.append(f"  {counted(forgotten.pages, 'page')}: what the model had read of them")
    found += [f"  {_copy_line(copy, forgotten.dry_run)}" for copy in forgotten.copies]
    found += [f"  stays: your file {one_line(path, 200)}" for path in forgotten.files[:NAMED]]
    found += [f"  and {counted(more, 'more file')} of yours"] if (more := len(forgotten.files[NAMED:])) else []
    found += [f"  stays for now: {forgotten.left}"] if forgotten.left else []
    return "\n".join(found)


def _copy_line(copy: Copy, is_planned: bool) -> str:
    path = one_line(copy.path, 200)
    match copy.became:
        case "cleaned":
            return f"in the copy of the memory at {path}: {counted(copy.notes, 'version')}"
        case "deleted":
            verb = "goes" if is_planned else "is deleted"
            return f"the copy of the whole memory at {path}, which has older tables, {verb}"
        case "out of reach":
            return f"not looked into: the copy of the memory at {path}: {copy.why}"
