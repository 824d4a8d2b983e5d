"""`secondme tune`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.clean import clean
from secondme.cli.options import Json, open_memory
from secondme.cli.output import Progress, can_ask, counted, print_json, say
from secondme.cli.pausing import tell_daemon
from secondme.config import ModelsConfig, set_value
from secondme.paths import find_paths

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.tuning import Measured

Fresh = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Read at least N passages anew; allows pages for a model not measured."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Write the choice without asking.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tune)


def tune(context: typer.Context, fresh: Fresh = None, yes: Yes = False, json: Json = False) -> None:
    """Measure the language model on this machine and memory, and choose settings by it. Takes a minute or three."""
    from secondme.tuning import changes

    with open_memory(context) as me:
        found, models = _measure(me, fresh), me.config.models
    settings = changes(models, found.chosen)
    if not json:
        _print_tables(found, models)
        for key, value in settings.items():
            print(clean(f"{key}: {value} instead of {getattr(models, key.removeprefix('models.'))}"))
    for remark in _remarks(found, models, settings):
        say(remark)
    is_written = _write(settings, yes=yes, asks=not json and can_ask())
    if json:
        print_json(**_record(found), settings=settings, written=is_written)


def _write(settings: dict[str, str], *, yes: bool, asks: bool) -> bool:
    """Write the settings where the user wants it, and say what was done; return whether they were written."""
    path = find_paths().config
    if not settings:
        say("nothing to change: the settings stay as they are")
        return False
    if not yes and not (asks and typer.confirm(f"write this to {clean(str(path))}?", err=True)):
        say("nothing was written" if asks else "nothing was written; secondme tune --yes writes the choice")
        return False
    for key, value in settings.items():
        set_value(path, key, value)
    say(f"{counted(len(settings), 'setting')} written to {path}")
    if tell_daemon():
        say("the daemon that runs has to be started anew: secondme daemon stop; secondme daemon start")
    return True


def _measure(me: Assistant, fresh: int | None) -> Measured:
    from secondme.trial import measure

    progress = Progress("percent measured")
    try:
        with _quiet_daemon():
            progress(0, 100)
            return measure(me, asked=fresh, progress=progress)
    finally:
        progress.close()


@contextmanager
def _quiet_daemon() -> Iterator[None]:
    """Have the daemon do nothing in the background meanwhile; whom it answers, it answers."""
    from secondme.locks import inhibiting

    try:
        with inhibiting(find_paths()):
            if tell_daemon():
                say("a daemon runs: it rests meanwhile, but what you ask now disturbs the figures")
            yield
    finally:
        tell_daemon()


def _print_tables(found: Measured, models: ModelsConfig) -> None:
    evidence = f"{counted(found.passages, 'passage')} of evidence, {found.tokens:,} tokens"
    print(clean(f"{models.language} on {counted(found.cores, 'core')}; {evidence}"))
    used, chosen = (models.threads or found.cores), (found.chosen.threads or found.cores)
    print("\nthreads    reads   writes")
    for row in found.threads:
        print(_marked(f"{row.threads:<7} {_speeds(row.speed)}", row.threads, used, chosen))
    print("\nkept as    reads   writes   a token    a page   room for")
    for kind in found.kinds:
        line = f"{kind.kv:<7} {_speeds(kind.speed)}"
        if kind.token_bytes:
            room = models.page_budget / (kind.token_bytes * found.tokens / max(found.passages, 1))
            sizes = f"{kind.token_bytes / 1000:>5.1f} KB {1000 * kind.load_seconds:>6.1f} ms"
            line += f"  {sizes}   {counted(round(room), 'passage')}"
        print(_marked(line, kind.kv, models.kv, found.chosen.kv))
    print("\nread anew  first word    tokens read")
    for first in found.first_words:
        line = f"{_named(first.fresh):<9} {first.seconds:>9.2f} s  {first.tokens:>12,}"
        print(_marked(line, first.fresh, _fresh_of(models), _fresh_of(found.chosen)))
    print(f"\n{_verdict(found)}")


def _speeds(speed: Any) -> str:
    return f"{speed.reading:>5.0f}/s  {speed.writing:>5.0f}/s"


def _marked(line: str, value: object, used: object, chosen: object) -> str:
    marks = [mark for mark, which in (("in force", used), ("chosen", chosen)) if value == which]
    return f"{line}   {', '.join(marks) if used != chosen else 'in force' * (value == used)}".rstrip()


def _named(fresh: int | None) -> str:
    return "all" if fresh is None else str(fresh)


def _fresh_of(models: ModelsConfig) -> int | None:
    from secondme.laying import fresh_count

    return fresh_count(models)


def _verdict(found: Measured) -> str:
    """Say how the choice does against the target for the first word."""
    target = found.chosen.first_word_ms / 1000
    fresh = _fresh_of(found.chosen)
    seconds = next((row.seconds for row in found.first_words if row.fresh == fresh), None)
    aim = f"the first word is to come within {target:g} s (models.first_word_ms)"
    if seconds is None:
        return aim
    how = f"with {_named(fresh)} read anew it comes after {seconds:.2f} s"
    if seconds <= target:
        return f"{aim}: {how}"
    why = ", and fewer may make answers worse" if fresh != 0 else ""
    return f"{aim}, which cannot be met: {how}{why}"


def _remarks(found: Measured, models: ModelsConfig, settings: dict[str, str]) -> Iterator[str]:
    """Yield what the reader of the figures has to know."""
    from secondme.tuning import BUSY

    if found.load > BUSY:
        is_left = not {"models.threads", "models.kv"} & set(settings)
        yield (
            f"other programs used {found.load:.0f} % of the processor meanwhile"
            f"{', so threads and models.kv are left as they are' if is_left else ''}: "
            "measure again while the machine is quiet, where all is faster"
        )
    if found.is_small:
        yield (
            "memory holds too few passages to choose how many are read anew: measure again when answers are drawn "
            "from more"
        )
    if not models.page_budget:
        yield "no pages are kept, for models.page_budget is 0"
    elif found.fewest is None:
        yield (
            f"how well {models.language} answers from pages was not measured, so everything is read anew; "
            "--fresh N allows pages all the same"
        )
    for key in settings:
        if (name := f"SECONDME_{key.upper().replace('.', '_')}") in os.environ:
            yield f"{name} is set, which wins over what is written"


def _record(found: Measured) -> dict[str, Any]:
    """Return what was measured under the JSON keys that programs rely on."""
    content = asdict(found)
    chosen = content.pop("chosen")
    return {**content, "chosen": {name: chosen[name] for name in ("threads", "kv", "fresh")}}
