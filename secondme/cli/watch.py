"""`secondme watch`: the folders that are kept in step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from secondme.clean import clean
from secondme.cli.options import Json, open_memory
from secondme.cli.output import Progress, can_ask, counted, iso, minute, print_json, report_skipped, say
from secondme.cli.pausing import tell_daemon
from secondme.errors import NotFound, UsageError

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.ingest.sync import Sync
    from secondme.store.sources import Deleted, File, Folder, Kind

Place = Annotated[Path, typer.Argument(metavar="FOLDER")]
As = Annotated[
    Literal["own", "notes", "clips"] | None,
    typer.Option(
        "--as",
        help="own: you alone write in it; notes: others may, so nothing about you is learned from it; clips: found, but"
        " never learned from. notes by default.",
    ),
]
OnDelete = Annotated[
    Literal["keep", "forget"] | None,
    typer.Option("--deleted", help="What happens to notes whose file you delete. keep by default."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Folders whose notes are kept in step; nothing in them is changed.")
    group.command("add")(add)
    group.command("rm")(remove)
    group.command("list")(list_folders)
    group.command("check")(check)
    group.command("scan")(scan)
    group.command("accept")(accept)
    app.add_typer(group, name="watch")


def add(context: typer.Context, folder: Place, kind: As = None, deleted: OnDelete = None) -> None:
    """Keep the notes in a folder in step: new, changed, moved, deleted. Adding it again changes how."""
    from secondme.clock import now
    from secondme.ingest.folder import is_read, walk

    path = _folder(folder)
    with open_memory(context, create=True) as me:
        _refuse_own(path, me)
        known = {one.path: one for one in me.store.sources.folders()}.get(str(path))
        policy = deleted or (known.deleted if known else _ask_once())
        kind = kind or (known.kind if known else _ask_whose())
        me.store.sources.add_folder(str(path), kind=kind, deleted=policy, now=now())
        found = walk(path, ignore=me.config.ingest.ignore, home=me.paths.data)
        count = sum(isinstance(one, Path) and is_read(one, me.plugins) for one in found)
    print(clean(str(path)))
    is_running = tell_daemon()
    say(f"{counted(count, 'file')} to keep in step; notes of deleted files: {policy}")
    if kind == "notes":
        say("nothing about you is learned from them: that takes --as own, for folders in which you alone write")
    say("the daemon reads them now" if is_running else "no daemon runs: secondme daemon start, or secondme watch scan")


def _ask_once() -> Deleted:
    if can_ask() and not typer.confirm("when you delete a file, keep its notes?", default=True, err=True):
        return "forget"
    return "keep"


def _ask_whose() -> Kind:
    """Ask whether the user wrote all of a folder: only of that, facts about the user are learned."""
    asked = "did you alone write all that is in it, so that facts about you may be learned from it?"
    return "own" if can_ask() and typer.confirm(asked, default=False, err=True) else "notes"


def remove(context: typer.Context, folder: Place) -> None:
    """Keep a folder in step no longer; its notes stay."""
    with open_memory(context) as me:
        found = _known(me, folder)
        count = len(me.store.sources.files(found.id))
        me.store.sources.remove_folder(found.id)
    tell_daemon()
    say(f"no longer watched; what is known from its {counted(count, 'file')} stays")


def list_folders(context: typer.Context, json: Json = False) -> None:
    """List the watched folders: how many files, what waits, what is wrong."""
    with open_memory(context) as me:
        sources = me.store.sources
        found = [(one, sources.counts(one.id), sources.problems(folder_id=one.id)) for one in sources.folders()]
    if json:
        print_json(folders=[_record(*one) for one in found])
        return
    for one, counts, problems in found:
        print(f"{clean(one.path)} · {one.kind} · deleted: {one.deleted} · {one.state}")
        if one.why:
            print(f"  {clean(one.why)}; if that is right: secondme watch accept {clean(one.path)}")
        files = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "no files yet"
        looked = f"; looked through {minute(one.scanned_at)}" if one.scanned_at else ""
        print(f"  {files}{looked}")
        for file in problems:
            print(f"  {_problem(file)}")
    if not found:
        say("no folder is watched: secondme watch add FOLDER")


def _problem(file: File) -> str:
    return f"{file.state}{', but' * (file.state == 'present')}: {clean(file.path)}: {clean(file.why)}"


def _record(folder: Folder, counts: dict[str, int], problems: Sequence[File]) -> dict[str, Any]:
    names = ("path", "kind", "deleted", "state", "why")
    moments = {"added_at": iso(folder.added_at), "scanned_at": iso(folder.scanned_at)}
    known = [{"path": file.path, "state": file.state, "why": file.why} for file in problems]
    return {**{name: getattr(folder, name) for name in names}, **moments, "files": counts, "problems": known}


def check(context: typer.Context, path: Annotated[Path, typer.Argument(metavar="PATH")], json: Json = False) -> None:
    """Say why a file is taken or not: which rule, in which file, at which line. Exit code 1 where it is not."""
    place = _named(Path(os.path.abspath(path)))
    with open_memory(context) as me:
        taken, why = _judged(me, place)
        known = me.store.sources.file(str(place))
        ids = [f"n{id}" for id in me.store.sources.notes_at(me.store.sources.items(str(place)))]
    if json:
        print_json(path=str(place), taken=taken, why=why, state=known.state if known else "", ids=ids)
    else:
        print(f"{'taken' if taken else 'not taken'}: {clean(why)}")
        if known:
            state = f"{known.state}, but" if known.state == "present" and known.why else known.state
            print(f"{state}{f': {clean(known.why)}' if known.why else ''} · {' '.join(ids[:5]) or 'no notes'}")
    if not taken:
        raise typer.Exit(1)


def _judged(me: Assistant, path: Path) -> tuple[bool, str]:
    from secondme.ingest.folder import is_read, left_out

    folder = me.store.sources.folder_of(str(path))
    if folder is None:
        return False, "it is in no watched folder"
    if why := left_out(path, Path(folder.path), ignore=me.config.ingest.ignore, home=me.paths.data):
        return False, why
    if path.is_dir():
        return True, f"a folder in {folder.path}"
    if not is_read(path, me.plugins):
        return False, "no plugin reads this kind of file: secondme plugins"
    known = me.store.sources.file(str(path))
    if known and known.state in ("skipped", "quarantined"):
        return False, known.why
    return True, f"in {folder.path}, as {folder.kind}"


def scan(context: typer.Context, folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]")] = None) -> None:
    """Bring watched folders in step now; what the daemon does by itself. Exit code 3 where something was skipped."""
    with open_memory(context) as me:
        folders = [_known(me, folder)] if folder else me.store.sources.folders()
        code = bring_in_step(me, folders)
    raise typer.Exit(code)


def accept(context: typer.Context, folder: Place) -> None:
    """Say that what a paused folder has lost is really deleted."""
    with open_memory(context) as me:
        found = _known(me, folder)
        if found.state != "paused":
            raise UsageError(f"{found.path} is not paused", hint="secondme watch list")
        code = bring_in_step(me, [found], accept=True)
    tell_daemon()
    raise typer.Exit(code)


def bring_in_step(me: Assistant, folders: list[Folder], *, accept: bool = False) -> int:
    """Go through watched folders and read what changed; return the exit code."""
    from secondme.ingest.sync import Sync

    with Sync(me) as sync:
        looks = [sync.rescan(one, accept=accept) for one in folders]
        done = _read_all(sync, sum(look.queued for look in looks))
        sync.settle_missing()
    for one, look in zip(folders, looks, strict=True):
        if look.paused:
            say(f"{one.path} is paused: {look.paused}; if that is right: secondme watch accept {one.path}")
        report_skipped(look.skipped)
    problems = [file for one in folders for file in me.store.sources.problems(folder_id=one.id)]
    missing = sum(look.missing for look in looks)
    print(f"{done:,} read, {sum(look.unchanged for look in looks):,} unchanged, {missing:,} missing")
    for file in problems:
        say(_problem(file))
    return 3 if problems or any(look.paused or look.skipped for look in looks) else 0


def _read_all(sync: Sync, total: int) -> int:
    progress, done = Progress("files"), 0
    try:
        while read := sync.work():
            done += read
            progress(done, max(total, done))
    finally:
        progress.close()
    return done


def _known(me: Assistant, folder: Path) -> Folder:
    path = os.path.realpath(folder)
    for one in me.store.sources.folders():
        if one.path == path:
            return one
    raise NotFound(f"{path} is not watched", hint="secondme watch list")


def _folder(folder: Path) -> Path:
    path = _named(Path(os.path.realpath(folder)))
    if not path.is_dir():
        raise UsageError(f"{folder} is no folder" if path.exists() else f"no such folder: {folder}")
    return path


def _named(path: Path) -> Path:
    """Return the path if it can be stored. Raises UsageError."""
    from secondme.ingest.folder import NOT_TEXT, is_text, printable

    if not is_text(path):
        raise UsageError(f"{printable(path)}: {NOT_TEXT}", hint="rename it")
    return path


def _refuse_own(path: Path, me: Assistant) -> None:
    data = Path(os.path.realpath(me.paths.data))
    if path == data:
        raise UsageError(f"{path} holds the memory itself", hint="give the folder of your notes")
    if path in (Path("/"), Path(os.path.realpath(Path.home()))):
        raise UsageError(f"{path} is more than notes", hint="give the folder of your notes")
