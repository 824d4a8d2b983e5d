"""`secondme backup`, `restore` and `verify`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secondme.clean import clean
from secondme.cli.options import Json, open_memory
from secondme.cli.output import Progress, counted, minute, print_json, say
from secondme.errors import IntegrityError, Locked, UsageError, WrongKey
from secondme.paths import Paths, find_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from secondme.assistant import Assistant
    from secondme.store.checks import Check
    from secondme.store.replacement import Replacement

Target = Annotated[Path | None, typer.Argument(metavar="FILE", help="The file to write.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
List = Annotated[bool, typer.Option("--list", help="Show the copies that are known, the newest last.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)
    app.command()(verify)


def backup(context: typer.Context, file: Target = None, list_: List = False, yes: Yes = False) -> None:
    """Write a copy of the whole memory to a file, checked, while everything else goes on."""
    if (file is None) != list_:
        raise UsageError("backup takes the name of a file, or --list", hint="secondme backup --help")
    if file is None:
        _list_copies()
        return
    from secondme.clock import now
    from secondme.store.copies import write_copy

    path = file.expanduser().resolve()
    with open_memory(context) as me:
        _may_replace(path, me, yes=yes)
        progress = Progress("copy", in_bytes=True)
        try:
            write_copy(me.store.db, path, noted_at=now(), progress=progress)
        finally:
            progress.close()
        notes = me.store.counts()["notes"]
    say(f"{counted(notes, 'note')}, {path.stat().st_size:,} bytes, checked: {path}")


def _may_replace(path: Path, me: Assistant, *, yes: bool) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")
    if _is_no_text(str(path)):
        raise UsageError(f"{path} is not a name in UTF-8", hint="name another file")
    ours = (me.paths.database.name, "pages.")
    beside = path.parent == me.paths.database.parent.resolve() and path.name.startswith(ours)
    if path.is_dir() or beside or path == me.paths.config.resolve():
        raise UsageError(f"{path} cannot be replaced by a copy", hint="name another file")
    if path.exists():
        _confirm(f"replace {path}?", f"{path} exists", yes=yes)


def _is_no_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _confirm(question: str, why: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{why}, and nobody can be asked here", hint="--yes does it without asking")
    if not typer.confirm(question, err=True):
        say("nothing was changed")
        raise typer.Exit(1)


def _list_copies() -> None:
    found = _known_copies(find_paths())
    for path, moment in found.items():
        print(f"{minute(moment)}  {path.stat().st_size:>13,} bytes  {clean(str(path))}")
    if not found:
        say("no copy is known")
        raise typer.Exit(1)


def _known_copies(paths: Paths) -> Mapping[Path, datetime]:
    """Return the copies, oldest first; those elsewhere only where the memory can be read."""
    from contextlib import closing

    from secondme.config import load_config
    from secondme.errors import SecondmeError
    from secondme.keys import find_key, is_sealed
    from secondme.store.connect import open_copy
    from secondme.store.copies import backups, made_at, noted

    found = {path: made_at(path) for path in backups(paths.database)}
    try:
        if paths.database.exists():
            key = find_key(paths, load_config(paths.config)) if is_sealed(paths.database) else None
            with closing(open_copy(paths.database, key)) as db:
                found |= noted(db)
    except SecondmeError as error:
        say(f"copies elsewhere are not listed: {error}")
    return dict(sorted(found.items(), key=lambda one: one[1]))


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that backup wrote.")],
    yes: Yes = False,
) -> None:
    """Put a copy in the place of the memory; the present file is kept beside it. Watched folders are read again."""
    from secondme.clock import now
    from secondme.keys import is_sealed, remember
    from secondme.locks import daemon_of
    from secondme.store.replacement import prepared, swap

    paths = find_paths()
    if owner := daemon_of(paths):
        raise Locked(f"the daemon has the memory open ({owner})", hint="secondme daemon stop; then restore again")
    given = file.expanduser().absolute()
    _find_key(given, paths)
    progress = Progress("notes")
    with prepared(given, paths.database, progress=progress) as ready:
        progress.close()
        for line in _meaning(ready):
            say(line)
        if ready.is_present:
            _confirm("put the copy in the place of the memory?", "restore replaces the memory", yes=yes)
        done = swap(ready, paths.database, now=now())
    print(f"restored: {counted(done.notes, 'version')} of notes from {clean(str(file))}")
    if not is_sealed(paths.database):
        remember(paths.database, None)
    if done.aside:
        print(f"the former file is kept: {clean(str(done.aside))}")
    _read_folders(context)


def _find_key(given: Path, paths: Paths) -> None:
    """Find the key of an encrypted copy, or of the memory, to be compared with it; the latter may be lost."""
    from secondme.config import load_config
    from secondme.keys import find_key, is_sealed, remember

    if is_sealed(given):
        remember(paths.database, find_key(paths, load_config(paths.config)))
    elif is_sealed(paths.database):
        say("the copy is not encrypted: restored, the memory is not either, until you run secondme encrypt")
        try:
            remember(paths.database, find_key(paths, load_config(paths.config)))
        except WrongKey as error:
            say(f"the present memory cannot be compared: {error}")


def _meaning(ready: Replacement) -> list[str]:
    """Return what will be different."""
    lines = [f"the copy is sound; it has {counted(ready.notes, 'version')} of notes"]
    if not ready.is_present:
        return [*lines, "there is no memory now"]
    if ready.present is None:
        return [*lines, "the present memory cannot be read; its file will be kept"]
    lines.append(f"the present memory has {ready.present:,}, {ready.only_present:,} of them not in the copy")
    if ready.only_present:
        lines.append(
            "those from watched folders come back from there; the others stay in the file that is kept: "
            "restore it, export, restore this copy again, import"
        )
    return lines


def _read_folders(context: typer.Context) -> None:
    from secondme.cli.watch import bring_in_step

    with open_memory(context) as me:
        if folders := me.store.sources.folders():
            code = bring_in_step(me, folders)
            if code:
                raise typer.Exit(code)


def verify(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out the texts and the word indexes.")] = False,
    json: Json = False,
) -> None:
    """Look whether the memory is whole, down to each note, line and change. No note is shown."""
    from secondme.store.checks import look_through

    progress = Progress("notes")
    with open_memory(context) as me:
        found = list(look_through(me.store.db, quick=quick, progress=progress))
        progress.close()
        hints = _hints(found, me)
    if json:
        print_json(ok=not hints, checks=[{**asdict(one), "ok": one.ok} for one in found], hints=hints)
    for one in () if json else found:
        print(_line(one))
    for hint in hints:
        say(f"hint: {hint}")
    if hints:
        raise typer.Exit(IntegrityError.exit_code)


def _line(one: Check) -> str:
    if one.ok:
        return f"ok     {one.name}: {one.looked_at:,}"
    named = f" ({clean(', '.join(one.ids))}{', ...' if one.wrong > len(one.ids) else ''})" if one.ids else ""
    return f"wrong  {one.name}: {clean(one.problem)}{named}"


def _hints(found: list[Check], me: Assistant) -> list[str]:
    """Return what to do, first about what cannot be made anew."""
    from secondme.store.copies import way_back

    wrong = [one for one in found if not one.ok]
    hints = [way_back(me.paths.database)] if any(not one.is_derived for one in wrong) else []
    return hints + (["secondme reindex"] if any(one.is_derived for one in wrong) else [])
