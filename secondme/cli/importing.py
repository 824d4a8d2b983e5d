"""`secondme import KIND PATH`: exports of other programs."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from secondme.clean import one_line
from secondme.cli import intake
from secondme.cli.options import open_memory
from secondme.cli.output import counted, print_json, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from secondme.config import Config
    from secondme.paths import Paths
    from secondme.records import Added, Note, Skipped

EXAMPLE_WIDTH = 200


def import_kind(context: typer.Context, kind: str, path: Path, *, dry_run: bool, json: bool) -> None:
    """Take in the files of one kind at a path, or say what that would do; exit with 3 where not all could be read."""
    from secondme.config import load_config
    from secondme.ingest.imports import known_items, notes_of_kind
    from secondme.paths import find_paths

    paths = find_paths()
    config = load_config(paths.config)
    notes = notes_of_kind(kind, path, plugins=context.obj, config=config, home=paths.data)
    if dry_run:
        done = _rehearse(notes, paths, config)
    else:
        with open_memory(context, create=True) as me:
            done = intake.store(me, known_items(notes, me.store))
    if json:
        skipped = [{"what": item.what, "why": item.why} for item in done.skipped]
        print_json(added=done.added, known=done.known, skipped=skipped, dry_run=dry_run)
    else:
        verb = "would be added" if dry_run else "added"
        print(f"{counted(done.added, 'note')} {verb}, {done.known:,} already known")
    report_reasons(done.skipped)
    if any(not item.is_harmless for item in done.skipped):
        raise typer.Exit(3)
    if not done.added and not done.known:
        say(f"nothing of the kind {kind} is there: {one_line(str(path), EXAMPLE_WIDTH)}")
        raise typer.Exit(1)


def _rehearse(notes: Iterable[Note | Skipped], paths: Paths, config: Config) -> Added:
    from secondme.ingest.imports import known_items, rehearse
    from secondme.keys import open_store

    if not paths.database.exists():
        return rehearse(notes, store=None, config=config)
    with open_store(paths, config, create=False) as store:
        return rehearse(known_items(notes, store), store=store, config=config)


def report_reasons(skipped: Iterable[Skipped]) -> None:
    """Say on stderr how much was not taken in, one line for each reason, with an example."""
    for why, items in groupby(sorted(skipped, key=lambda item: item.why), key=lambda item: item.why):
        found = list(items)
        first = one_line(found[0].what, EXAMPLE_WIDTH)
        more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
        say(f"skipped {first}{more}: {why}")
