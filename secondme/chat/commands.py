"""What can be typed behind a slash in a conversation, on a screen as in line mode."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from secondme.chat import lines
from secondme.clean import clean
from secondme.errors import NotFound, SecondmeError, UsageError
from secondme.ingest.prepare import kept
from secondme.records import Filters
from secondme.store.forgetting import LEFT

if TYPE_CHECKING:
    from secondme.chat.talk import Talk

MOST_FOUND = 10
Effect = Literal["", "copy", "quit", "opened", "sleep"]
"""What only the screen or the line mode can do: copy the last answer, leave, show another conversation, sleep."""


LONGEST_NUMBER = 1000
"""Digits; Python makes no number of several thousand."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command says."""

    text: str = ""
    confirm: str = ""
    """A question that has to be answered with yes before `confirmed` is called."""
    confirmed: Callable[[], Reply] | None = None
    effect: Effect = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be typed behind a slash."""

    name: str
    argument: str
    """What comes behind its name, in capitals; in brackets where it may be left out."""
    help: str
    run: Callable[[Talk, str], Reply]


def run(talk: Talk, line: str) -> Reply:
    """Do what a line such as "/search porto" says. Raises SecondmeError."""
    name, argument = [*clean(line).strip().removeprefix("/").split(maxsplit=1), "", ""][:2]
    command = COMMANDS.get(name.lower())
    if command is None:
        near = [f"/{one}" for one in COMMANDS if name and one.startswith(name[:2].lower())]
        raise UsageError(f"there is no /{name}", hint=f"{' '.join(near) or '/help'}")
    if command.argument and not command.argument.startswith("[") and not argument.strip():
        raise UsageError(f"/{command.name} needs {command.argument}", hint=command.help)
    return command.run(talk, argument.strip())


def completions(line: str) -> list[Command]:
    """Return the commands that a line may become, all of them for a lone slash."""
    if not line.startswith("/") or " " in line or "\n" in line:
        return []
    return [command for name, command in COMMANDS.items() if name.startswith(line[1:].lower())]


def _remember(talk: Talk, text: str) -> Reply:
    heard = talk.remember(text)
    return Reply(f"kept as {heard.note}")


def _forget(talk: Talk, words: str) -> Reply:
    ids = words.split()
    if not all(id[:1] in "nm" and id[1:2].isdigit() for id in ids):
        matches = talk.me.recall(words, k=MOST_FOUND, filters=Filters(kind="passage"))
        if not matches:
            raise NotFound("nothing found", hint="/forget takes ids such as n12, or words to look for")
        return Reply("\n".join(["which one? /forget ID", *map(lines.match_line, matches)]))
    planned = talk.me.forget(ids, dry_run=True)
    return Reply(
        lines.forgotten_lines(planned),
        confirm="forget this for good? It cannot be taken back",
        # What was said of it may stand in the conversation in hand.
        confirmed=lambda: Reply(lines.forgotten_lines(talk.me.forget(ids)), effect="opened"),
    )


def _search(talk: Talk, words: str) -> Reply:
    matches = talk.me.recall(words, k=MOST_FOUND, filters=Filters(as_of=talk.as_of))
    if not matches:
        raise NotFound("nothing found")
    return Reply("\n".join(map(lines.match_line, matches)))


def _facts(talk: Talk, about: str) -> Reply:
    facts = talk.me.current_facts(about, as_of=talk.as_of)
    if not facts:
        raise NotFound("no fact is known", hint="/sleep makes facts of notes")
    return Reply("\n".join(map(lines.fact_line, facts)))


def _sleep(talk: Talk, _: str) -> Reply:
    if not talk.me.store.digestion.waiting():
        return Reply("nothing waits to be slept over")
    return Reply(effect="sleep")


def _undo(talk: Talk, id: str) -> Reply:
    if not id:
        run = next((one for one in talk.me.store.journal.runs() if one.state != "undone"), None)
        if run is None:
            raise NotFound("there is nothing to undo", hint="/sleep makes facts, /undo takes a night back")
        id = run.id

    def undo() -> Reply:
        return Reply(f"took back {id}: {lines.counted(len(talk.me.undo(id)), 'change')}")

    return Reply(confirm=f"take back {id}?", confirmed=undo) if id.startswith("r") else undo()


def _as_of(talk: Talk, day: str) -> Reply:
    if not day or day.lower() in ("now", "today"):
        talk.as_of = None
        return Reply("questions are about now")
    from secondme.moments import moment_of

    talk.as_of = moment_of(day)
    return Reply(f"questions are about {lines.day(talk.as_of)}, as it was known then; /as-of now ends this")


def _off(talk: Talk, _: str) -> Reply:
    if talk.keeps:
        talk.pause_keeping()
    return Reply("nothing is kept until /on")


def _on(talk: Talk, _: str) -> Reply:
    if not talk.keeps:
        talk.resume_keeping()
    return Reply("what you say is kept")


def _export(talk: Talk, name: str) -> Reply:
    if talk.chat is None:
        raise UsageError("nothing was said yet")
    from secondme.chat.export import write_chat

    path = write_chat(talk, Path(os.path.expanduser(name)) if name else None)
    return Reply(f"written to {path}")


def _threads(talk: Talk, words: str) -> Reply:
    found = talk.chats(words)
    if not found:
        raise NotFound("no conversation is kept" if not words else "no conversation has these words in it")
    return Reply("\n".join(lines.chat_line(one, is_here=one.id == talk.chat) for one in found))


def _open(talk: Talk, number: str) -> Reply:
    chat = _number(number)
    talk.open(chat)
    return Reply(effect="opened")


def _new(talk: Talk, _: str) -> Reply:
    talk.new()
    return Reply(effect="opened")


def _name(talk: Talk, name: str) -> Reply:
    if talk.chat is None:
        raise UsageError("nothing was said yet")
    with talk.me.store.writing():
        talk.me.store.chats.rename(talk.chat, kept(" ".join(name.split()), talk.me.config)[:80])
    return Reply(f"this conversation is called {talk.me.store.chats.get(talk.chat).name}")


def _delete(talk: Talk, number: str) -> Reply:
    if not number and talk.chat is None:
        raise UsageError("nothing was said yet", hint="/threads lists conversations, /delete NUMBER deletes one")
    chat = talk.me.store.chats.get(_number(number) if number else talk.chat or 0)

    def delete() -> Reply:
        with talk.me.store.writing():
            talk.me.store.chats.delete(chat.id)
        left = "" if talk.me.store.checkpoint() else f"; {LEFT}"
        if talk.chat == chat.id:
            talk.new()
            return Reply(f"deleted {chat.name!r}{left}", effect="opened")
        return Reply(f"deleted {chat.name!r}{left}")

    question = f"delete {chat.name!r} ({lines.counted(chat.turns, 'turn')})? The notes it left stay"
    return Reply(confirm=question, confirmed=delete)


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise UsageError(f"{text!r} is no number of a conversation", hint="/threads lists them")
    return int(text)


def _help(talk: Talk, _: str) -> Reply:
    width = max(len(one.name) + len(one.argument) for one in COMMANDS.values()) + 4
    return Reply("\n".join(f"{f'/{one.name} {one.argument}':<{width}}{one.help}" for one in COMMANDS.values()))


def _by_name(commands: Iterable[Command]) -> dict[str, Command]:
    return {command.name: command for command in commands}


COMMANDS = _by_name(
    (
        Command("remember", "TEXT", "keep a text as it is", _remember),
        Command("forget", "ID or WORDS", "remove a note for good, after showing what goes with it", _forget),
        Command("search", "WORDS", "find passages and facts", _search),
        Command("facts", "[ABOUT]", "what is known, or known about something", _facts),
        Command("sleep", "", "make facts of what was added", _sleep),
        Command("undo", "[ID]", "take back the last night, or a change such as c12", _undo),
        Command("as-of", "[DATE]", "ask about another day; now ends it", _as_of),
        Command("off", "", "keep nothing until /on", _off),
        Command("on", "", "keep what is said again", _on),
        Command("threads", "[WORDS]", "list conversations, or find those with words in them", _threads),
        Command("open", "NUMBER", "go on with a conversation", _open),
        Command("new", "", "begin another conversation", _new),
        Command("name", "NAME", "name this conversation", _name),
        Command("delete", "[NUMBER]", "delete a conversation; its notes stay", _delete),
        Command("copy", "", "copy the last answer", lambda talk, _: Reply(effect="copy")),
        Command("export", "[FILE]", "write this conversation as Markdown, with its sources", _export),
        Command("help", "", "list the commands", _help),
        Command("quit", "", "leave", lambda talk, _: Reply(effect="quit")),
    )
)
"""By name, in the order of their help."""


def attempt(talk: Talk, line: str) -> Reply:
    """Do what a line says, and return what went wrong as words."""
    try:
        return run(talk, line)
    except SecondmeError as error:
        return Reply(f"{error}{f'; {error.hint}' if error.hint else ''}")


def confirmed(reply: Reply) -> Reply:
    """Do what was asked about, now that the answer is yes. Raises SecondmeError."""
    return reply.confirmed() if reply.confirmed else replace(reply, confirm="")
