"""How an answer reaches the screen: piece by piece, then its sources."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from secondme.clean import clean, one_line
from secondme.cli.output import DIM, counted, day, match_head, match_record, paint, print_json, say, snippet
from secondme.errors import NoModel
from secondme.places import place
from secondme.records import Answer, Filters, Match

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.chat.asking import Stream

NOT_HELD = "memory does not hold anything on this"


def show_answer(stream: Stream, *, brief: bool, json: bool, plain: bool) -> int:
    """Print an answer as it comes, then its sources; return the exit code."""
    if not json and sys.stderr.isatty():
        _show_best(stream.evidence)
    printed = _print_pieces(stream, silent=json)
    answer = stream.answer
    if json:
        _print_answer_json(answer)
    else:
        if not printed and answer.text:
            print(clean(answer.text))
        if not brief:
            _print_sources(answer, plain=plain)
        if left_out := answer.trace.get("left_out"):
            say(f"{counted(left_out, 'passage')} did not fit into the window of the model: models.context is its size")
    return 1 if answer.abstained else 0


def _show_best(evidence: Sequence[Match]) -> None:
    """Say at once what was found, while the model reads it."""
    say(f"{counted(len(evidence), 'passage')} of evidence{', the best:' if evidence else ''}")
    for match in evidence[:1]:
        say(f"  {match_head(match, plain=True)}\n  {one_line(match.text, shutil.get_terminal_size().columns - 2)}")


def _print_pieces(stream: Stream, *, silent: bool) -> bool:
    """Print the pieces unless `silent`; return whether there were any. Interrupted, what came stays."""
    printed = False
    try:
        for piece in stream:
            # Models like to begin with a space.
            text = clean(piece) if printed else clean(piece).lstrip()
            if text and not silent:
                print(text, end="", flush=True)
                printed = True
    finally:
        stream.close()
        if printed:
            print(flush=True)
    return printed


def _print_answer_json(answer: Answer) -> None:
    print_json(
        text=clean(answer.text),
        abstained=answer.abstained,
        citations=[match_record(match) for match in answer.citations],
        regime=answer.regime,
        trace=dict(answer.trace),
    )


def _print_sources(answer: Answer, *, plain: bool) -> None:
    """Print the sources under the numbers they have in the text."""
    numbers = {id: number for number, id in enumerate(answer.trace.get("evidence_shown", ()), start=1)}
    for match in answer.citations:
        parts = (match.id, day(match.happened_at), place(match.uri, match.line_start))
        line = " · ".join(one_line(part, 500) for part in parts if part)
        print(paint(f"[{numbers[match.id]}] {line}", DIM, plain=plain))


def with_way_out(error: NoModel) -> NoModel:
    """Return the error with what to do about it, whoever raised it."""
    hints = [error.hint] if error.hint else []
    if "secondme model pull" not in error.hint:
        hints.append("secondme model pull")
    if "--no-llm" not in error.hint:
        hints.append("for the evidence alone: secondme ask --no-llm")
    return NoModel(str(error), hint="; ".join(hints))


def show_evidence(me: Assistant, question: str, *, k: int | None, filters: Filters, json: bool, plain: bool) -> int:
    """Print the passages an answer would be made of; return the exit code."""
    from secondme.trace import trace_of

    started = time.monotonic()
    stream = me.ask_stream(question, k=k, filters=filters)
    trace = trace_of(me, question, stream.found, seconds=time.monotonic() - started)
    abstained = not stream.evidence
    if json:
        citations = [match_record(match) for match in stream.evidence]
        print_json(text="", abstained=abstained, citations=citations, regime="retrieval", trace=trace)
    elif abstained:
        print(NOT_HELD)
    for number, match in enumerate(() if json else stream.evidence, start=1):
        print(f"[{number}] {match_head(match, plain=plain)}")
        print(f"  {snippet(match.text)}")
    return 1 if abstained else 0
