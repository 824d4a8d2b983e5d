"""`secondme search` and `secondme ask`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.cli import answering, intake
from secondme.cli.options import AsOf, Author, Json, Kind, Plain, Since, Source, Until, filters_of, open_memory
from secondme.cli.output import DIM, match_head, match_record, paint, print_json, say, snippet
from secondme.errors import NoModel
from secondme.records import Filters, Match

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.cli.explain import Expected

Question = Annotated[list[str], typer.Argument(metavar="QUESTION", help="Words or a question, in quotes or not.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show what each part of the ranking added.")]
Expect = Annotated[str, typer.Option(metavar="ID", help="Say why this note is or is not among the matches.")]
Brief = Annotated[bool, typer.Option("--brief", help="A short phrase without sources, for scripts.")]
NoLanguageModel = Annotated[bool, typer.Option("--no-llm", help="Show the evidence instead of an answer.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(search)
    app.command()(ask)


def search(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    query: Question,
    k: Annotated[int, typer.Option("-k", min=1, help="How many matches.")] = 10,
    since: Since = "",
    until: Until = "",
    source: Source = "",
    author: Author = "",
    kind: Kind = None,
    as_of: AsOf = "",
    json: Json = False,
    plain: Plain = False,
    explained: Explain = False,
    expect: Expect = "",
) -> None:
    """Find what was said or written, by words and by meaning. No language model."""
    from secondme.chat import asking
    from secondme.cli import explain

    question, filters = " ".join(query), filters_of(since, until, source, author, kind, as_of)
    expected = None
    # Why something is not among the matches takes the memory itself to tell.
    found = None if expect else asking.search(question, k=k, filters=filters)
    if found is None:
        with open_memory(context) as me:
            matches, trace, expected = _search(me, question, k=k, filters=filters, expect=expect)
    else:
        matches, trace = found
    intake.say_if_words_only(trace["no_vectors"])
    if json:
        extra = {"expected": explain.expected_record(expected)} if expected else {}
        print_json(matches=[match_record(match) for match in matches], trace=trace, **extra)
    else:
        lines = [*(explain.trace_lines(trace) if explained else []), *(expected.lines() if expected else [])]
        _print_matches(matches, lines, explained=explained, plain=plain)
    if not matches:
        say("nothing found")
        raise typer.Exit(1)


def _search(
    me: Assistant, question: str, *, k: int, filters: Filters, expect: str
) -> tuple[list[Match], dict[str, Any], Expected | None]:
    from secondme.cli import explain
    from secondme.trace import trace_of

    started = time.monotonic()
    found = me.search(question, k=k, filters=filters)
    trace = trace_of(me, question, found, seconds=time.monotonic() - started)
    return found.matches, trace, explain.expected(me, found, expect, filters=filters) if expect else None


def _print_matches(matches: list[Match], lines: list[str], *, explained: bool, plain: bool) -> None:
    from secondme.cli.explain import shares

    for match in matches:
        print(match_head(match, plain=plain))
        print(f"  {snippet(match.text)}")
        if explained:
            print(paint(f"  {shares(match.score, match.arms)}", DIM, plain=plain))
    for line in lines:
        print(paint(line, DIM, plain=plain))


def ask(  # noqa: PLR0913  each one is an option
    context: typer.Context,
    question: Question,
    k: Annotated[int | None, typer.Option("-k", min=1, help="How many passages to answer from.")] = None,
    since: Since = "",
    until: Until = "",
    source: Source = "",
    author: Author = "",
    kind: Kind = None,
    as_of: AsOf = "",
    brief: Brief = False,
    no_llm: NoLanguageModel = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Answer a question from memory, with the sources. Exit code 1 where memory does not hold it."""
    from secondme.chat import asking

    words, filters = " ".join(question), filters_of(since, until, source, author, kind, as_of)
    try:
        stream = None if no_llm else asking.ask(words, k=k, filters=filters, brief=brief)
        if stream is not None:
            code = answering.show_answer(stream, brief=brief, json=json, plain=plain)
        else:
            with open_memory(context) as me:
                if no_llm:
                    code = answering.show_evidence(me, words, k=k, filters=filters, json=json, plain=plain)
                else:
                    own = me.ask_stream(words, k=k, filters=filters, brief=brief)
                    code = answering.show_answer(own, brief=brief, json=json, plain=plain)
    except NoModel as error:
        raise answering.with_way_out(error) from error
    raise typer.Exit(code)
