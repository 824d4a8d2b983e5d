"""`secondme doctor`, `stats` and `reindex`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from secondme.clean import clean
from secondme.cli.options import Json, open_memory
from secondme.cli.output import Progress, day, iso, print_json, say
from secondme.errors import NoModel

if TYPE_CHECKING:
    from secondme.doctor import Check
    from secondme.store.page_room import PageNumbers
    from secondme.store.statistics import Statistics


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(doctor)
    app.command()(stats)
    app.command()(reindex)


def doctor(context: typer.Context, json: Json = False) -> None:
    """Look whether everything works: database, models, disk, settings. No note is shown."""
    from secondme.cli.models import showing_bytes
    from secondme.doctor import check, exit_code

    with showing_bytes() as progress:
        # Settings that cannot be read leave no plugins but the built-in ones in the context: let the doctor say why.
        checks = check(plugins=context.obj, progress=progress)
    code = exit_code(checks)
    if json:
        print_json(ok=code == 0, checks=[{**asdict(one), "level": _level(one)} for one in checks])
    for one in () if json else checks:
        print(f"{_level(one):<7}  {one.name}: {clean(one.detail)}")
        if one.hint and not one.ok:
            print(f"{'':<7}  hint: {clean(one.hint)}")
    if code:
        raise typer.Exit(code)


def _level(check: Check) -> str:
    if check.ok:
        return "ok"
    return "wrong" if check.exit_code else "warning"


def stats(context: typer.Context, json: Json = False) -> None:
    """Show how much is stored: notes, passages, vectors, facts, pages, bytes, by origin and by month."""
    from secondme.store.pages import PageStore
    from secondme.store.statistics import measure

    with open_memory(context) as me:
        found = measure(me.store)
        with PageStore.of(me.store) as store:
            pages = store.statistics()
    if json:
        moments = {"oldest": iso(found.oldest), "newest": iso(found.newest)}
        per_passage = round(found.bytes_per_passage, 1)
        print_json(**{**asdict(found), **moments, "bytes_per_passage": per_passage, "pages": asdict(pages)})
    else:
        _print_statistics(found, pages)


def _print_statistics(found: Statistics, pages: PageNumbers) -> None:
    served = f"hits {pages.hits:,}, misses {pages.misses:,}"
    rows = [
        ("notes", f"{found.notes:,}"),
        ("earlier versions", f"{found.earlier_versions:,}"),
        ("passages", f"{found.passages:,}"),
        ("with vectors", f"{found.with_vectors:,}" + (f" of {found.embedder}" if found.embedder else "")),
        ("facts", f"{found.facts:,}"),
        ("retired facts", f"{found.retired_facts:,}"),
        ("on disk", f"{found.bytes:,} bytes, {found.bytes_per_passage:,.0f} a passage"),
        ("pages", f"{pages.pages:,}, {pages.bytes:,} bytes on disk; {served}"),
        ("oldest, newest", f"{day(found.oldest)} {day(found.newest)}".strip() or "-"),
        *((f"origin {name}", f"{count:,}") for name, count in found.by_origin.items()),
        *((name, f"{count:,}") for name, count in found.by_month.items()),
    ]
    for name, value in rows:
        print(f"{name:<16}  {clean(value)}")


def reindex(context: typer.Context) -> None:
    """Rebuild what finds notes, words and vectors, from the notes. Interrupted, it goes on the next time."""
    progress = Progress("vectors")
    with open_memory(context) as me:
        try:
            waiting = me.reindex(progress=progress)
        except NoModel as error:
            say(f"words are rebuilt; {me.store.index.waiting():,} passages wait for vectors: {error}")
            say(f"hint: {error.hint}")
            raise typer.Exit(3) from error
        except KeyboardInterrupt:
            progress.close()
            say("words are rebuilt; run it again to go on with the vectors")
            raise
        counts = me.store.counts()
    progress.close()
    say(f"{counts['passages']:,} passages can be found by words, {counts['passages'] - waiting:,} by vectors")
