"""The conversation line by line: the same commands and answers, no screen, no cursor, nothing that moves."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from secondme.chat import commands
from secondme.chat.inks import LEGEND, SIGNS, inked
from secondme.chat.lines import match_line, source_line
from secondme.chat.reading import read_answer
from secondme.chat.talk import Heard, Talk, ask, keep_answer, what_came
from secondme.clean import clean
from secondme.cli.options import open_memory
from secondme.cli.output import can_ask, counted, say
from secondme.errors import IntegrityError, Locked, NoModel, SecondmeError
from secondme.records import Answer, Match

if TYPE_CHECKING:
    from secondme.chat.commands import Reply

NEAREST = 3
"""How many passages are named where memory does not hold the answer."""


def converse(context: typer.Context, number: int | None) -> None:
    """Read lines from stdin until its end and say what becomes of each; Ctrl-C stops an answer, and then leaves.

    Where nobody watches, the exit code tells that a line could not be kept.
    """
    code = 0
    with open_memory(context, create=True) as me:
        talk = Talk(me, number)
        if can_ask():
            say("secondme, line by line. /help lists the commands, /quit leaves")
        for line in _lines():
            try:
                if _does_leave(talk, line):
                    break
            except SecondmeError as error:
                say(f"{error}{f'; {error.hint}' if error.hint else ''}")
                if isinstance(error, IntegrityError | Locked):
                    code = error.exit_code
    if code and not can_ask():
        raise typer.Exit(code)


def _lines() -> Iterator[str]:
    while True:
        if can_ask():
            say("you:")
        line = sys.stdin.buffer.readline()
        if not line:
            return
        if words := clean(line.decode("utf-8", errors="replace")).strip():
            yield words


def _does_leave(talk: Talk, line: str) -> bool:
    """Do what a line says; return whether it is time to leave."""
    if line.startswith("/"):
        return _obey(talk, commands.run(talk, line))
    heard = talk.hear(line)
    if heard.note:
        print(f"kept as {heard.note}; to take it back: /forget {heard.note}", flush=True)
    if heard.question:
        _answer(talk, heard)
    return False


def _obey(talk: Talk, reply: Reply) -> bool:
    if reply.text:
        print(clean(reply.text), flush=True)
    if reply.confirm:
        if can_ask() and typer.confirm(reply.confirm, err=True):
            return _obey(talk, commands.confirmed(reply))
        say("nothing was done")
    match reply.effect:
        case "quit":
            return True
        case "copy":
            say("a screen is needed to copy; the answer stands above")
        case "opened":
            name = talk.me.store.chats.get(talk.chat).name if talk.chat else "another conversation"
            print(clean(name), flush=True)
        case "sleep":
            _sleep()
    return False


def _sleep() -> None:
    from secondme.chat.nap import Nap
    from secondme.cli.output import Progress

    nap, progress = Nap(), Progress("passages")
    try:
        found = nap.run(progress)
    except KeyboardInterrupt:
        nap.stop()
        nap.wait()
        found = {"run": "", "state": "interrupted", "why": ""}
    finally:
        progress.close()
    why = f": {found['why']}" if found.get("why") else ""
    print(f"{found.get('run') or 'the night'} {found['state']}{why}", flush=True)


def _answer(talk: Talk, heard: Heard) -> None:
    stream = ask(talk.me, heard)
    say(f"reading {counted(len(stream.evidence), 'passage')}")
    text, is_whole = "", False
    try:
        for piece in stream:
            text += piece
        is_whole = True
    except KeyboardInterrupt:
        say("stopped")
    except NoModel:
        _print_nearest(stream.evidence)
        raise
    finally:
        # What is kept is what came, however it ended.
        stream.close()
        answer = what_came(stream, text, is_whole=is_whole)
        if answer.text:
            keep_answer(talk.me, heard, answer, stream.evidence, is_whole=is_whole)
    if not answer.text:
        return
    talk.answered(heard, answer)
    _print_answer(answer)
    if answer.abstained:
        _print_nearest(stream.evidence)


def _print_answer(answer: Answer) -> None:
    read = read_answer(answer)
    if answer.abstained:
        print(clean(read.text), flush=True)
        return
    stretches = list(inked(clean(read.text), {number: match.text for number, match in read.sources.items()}))
    print("".join(f"{SIGNS[one.ink]} {one.text}" if one.ink and SIGNS[one.ink] else one.text for one in stretches))
    for number, match in read.sources.items():
        print(source_line(number, match), flush=True)
    inks = dict.fromkeys(one.ink for one in stretches if one.ink)
    if legend := " · ".join(LEGEND[ink] for ink in inks if LEGEND[ink]):
        say(legend)


def _print_nearest(evidence: Sequence[Match]) -> None:
    for match in evidence[:NEAREST]:
        print(f"closest: {match_line(match)}", flush=True)
