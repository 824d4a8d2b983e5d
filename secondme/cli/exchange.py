"""`secondme export` and `import`."""

from __future__ import annotations

import json as json_lines
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal, Protocol

import typer

from secondme.clean import clean, escaped
from secondme.cli.importing import import_kind
from secondme.cli.intake import STDIN, fill_vectors
from secondme.cli.options import Json, open_memory
from secondme.cli.output import Progress, counted, print_json, report_masked, report_skipped, say
from secondme.errors import IntegrityError, UsageError
from secondme.records import Skipped

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.exchange import Imported

NAMED = 20
"""So many skipped lines are named one by one."""

Target = Annotated[
    str, typer.Argument(metavar="FILE|FOLDER|-", help="The file to write, or the folder, or - for stdout.")
]
Source = Annotated[
    list[str],
    typer.Argument(
        metavar="[KIND] FILE|FOLDER|-", help="A file that export wrote, or - for stdin; or a kind and what is of it."
    ),
]
Format = Annotated[
    Literal["jsonl", "markdown"],
    typer.Option("--format", help="jsonl: one file of lines; markdown: a folder that Obsidian opens."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Of a kind: say what would be added, and add nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Replace a file of that name without asking.")]

Encrypt = Annotated[bool, typer.Option("--encrypt", help="Into an encrypted file; its key is asked for, or key.file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export_notes)
    app.command("import")(import_notes)


def export_notes(
    context: typer.Context,
    target: Target,
    format: Format = "jsonl",
    encrypt: Encrypt = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Write everything you ever stored, as JSON lines or as a folder of Markdown.

    Earlier versions, facts with their lines, the journal, conversations, pins, releases and watched folders are in it.
    A folder that was exported before is brought up to date; what you changed in it stays.
    """
    if format == "markdown":
        if target == STDIN or encrypt:
            raise UsageError("Markdown is a folder of plain files", hint="secondme export --format markdown FOLDER")
        _export_vault(context, Path(target).expanduser().absolute(), json=json)
        return
    to_stdout = target == STDIN
    if to_stdout and encrypt:
        raise UsageError("an encrypted export is a file", hint="secondme export --encrypt FILE")
    if to_stdout and json:
        raise UsageError("stdout is taken by the notes", hint="give a file, or leave out --json")
    with open_memory(context) as me:
        if to_stdout:
            _write(me, sys.stdout.buffer)
            return
        path = Path(target).expanduser().resolve()
        _may_replace(path, me.paths.database, yes=yes)
        with _sealed(path) if encrypt else _replacing(path) as file:
            written = _write(me, file)
    versions = written.pop("note", 0)
    if json:
        print_json(file=str(path), versions=versions, more=written)
    else:
        say(f"{versions:,} versions of notes are in {path}{_and(written)}")


def _export_vault(context: typer.Context, folder: Path, *, json: bool) -> None:
    from secondme.exchange import export
    from secondme.vault import check_target, write_vault

    with open_memory(context) as me:
        check_target(folder)
        progress = Progress("lines")
        try:
            with closing(export(me.store)) as items:
                done = write_vault(progress.over(items), folder)
        finally:
            progress.close()
    if json:
        print_json(folder=str(folder), versions=done.notes, more=done.more, kept=done.kept)
    else:
        say(f"{done.notes:,} versions of notes are in {folder}{_and(done.more)}; secondme import takes the folder in")
        for name in done.kept[:NAMED]:
            say(f"kept as you changed it: {clean(name)}")


def _write(me: Assistant, file: IO[bytes]) -> dict[str, int]:
    """Write the lines, and return how many of each type."""
    from secondme.exchange import export

    written: Counter[str] = Counter()
    progress = Progress("lines")
    try:
        # Where the disk is full, the reading ends before the memory is closed.
        with closing(export(me.store)) as items:
            for item in progress.over(items):
                file.write(escaped(json_lines.dumps(item, ensure_ascii=False)).encode() + b"\n")
                written[item["type"]] += 1
        file.flush()
    finally:
        progress.close()
    return dict(written)


def _and(more: Mapping[str, int]) -> str:
    facts = more.get("fact", 0)
    others = sum(more.values()) - facts
    parts = [counted(facts, "fact")] * bool(facts) + [counted(others, "other line")] * bool(others)
    return f", with {' and '.join(parts)}" if parts else ""


def _may_replace(path: Path, database: Path, *, yes: bool) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}")
    if path.exists() and (not path.is_file() or path == database.resolve()):
        raise UsageError(f"{path} cannot be replaced by an export", hint="name another file, or - for stdout")
    if not path.exists() or yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{path} exists and export cannot ask here", hint="--yes replaces it")
    if not typer.confirm(f"replace {path}?", err=True):
        say("nothing was written")
        raise typer.Exit(1)


def _sealed(path: Path) -> AbstractContextManager[IO[bytes]]:
    from secondme.cli.encryption import configured, new_key
    from secondme.config import load_config
    from secondme.paths import find_paths
    from secondme.store.sealed import writing_sealed

    config = load_config(find_paths().config)
    return writing_sealed(path, new_key(configured(config), config.key.command))


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a private file that takes the name `path` once it is whole and on the disk."""
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        raise IntegrityError(
            f"{path}: {(error.strerror or str(error)).lower()}", hint="nothing was exported"
        ) from error
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def import_notes(context: typer.Context, source: Source, dry_run: DryRun = False, json: Json = False) -> None:
    """Take in what `export` wrote, or what other programs wrote: secondme import mail Archive.mbox.

    Doing it twice adds nothing. The kinds are the plugins that read files: secondme plugins.
    """
    match source:
        case [kind, path]:
            import_kind(context, kind, Path(path).expanduser(), dry_run=dry_run, json=json)
        case [path] if path in context.obj.kinds():
            raise UsageError(f"import which {path} file?", hint=f"secondme import {path} FILE")
        case [_] if dry_run:
            raise UsageError("--dry-run goes with a kind", hint="secondme import --help")
        case [path]:
            _import_exported(context, path, json=json)
        case _:
            raise UsageError("import takes one file, or a kind and a path", hint="secondme import --help")


def _import_exported(context: typer.Context, source: str, *, json: bool) -> None:
    with _opened(source) as reading, open_memory(context, create=True) as me:
        done = _read(me, reading.lines())
    done = replace(done, skipped=(*reading.skipped, *done.skipped))
    if json:
        skipped = [{"what": item.what, "why": item.why} for item in done.skipped]
        masked = [asdict(one) for one in done.masked]
        print_json(added=done.added, known=done.known, more=done.more, skipped=skipped, masked=masked)
    else:
        print(f"{done.added:,} versions of notes added, {done.known:,} already known{_and(done.more)}")
    report_masked(done.masked)
    report_skipped(done.skipped[:NAMED])
    if more := len(done.skipped[NAMED:]):
        say(f"skipped {more:,} more lines")
    if any(not item.is_harmless for item in done.skipped):
        raise typer.Exit(3)


def _read(me: Assistant, lines: Iterator[bytes]) -> Imported:
    from secondme.exchange import import_lines

    progress = Progress("lines")
    try:
        kept = me.config.secrets.keep
        done = import_lines(me.store, lines, keep=kept, progress=lambda count: progress(count, 0))
    except KeyboardInterrupt:
        progress.close()
        say("import the same file again to go on")
        raise
    progress.close()
    if done.added:
        fill_vectors(me)
    return done


class Reading(Protocol):
    """An export that is read."""

    skipped: list[Skipped]

    def lines(self) -> Iterator[bytes]:
        """Yield its lines."""


@dataclass(slots=True)
class FileReading:
    """The lines of one file."""

    file: IO[bytes]
    skipped: list[Skipped] = field(default_factory=list)

    def lines(self) -> Iterator[bytes]:
        """Yield them."""
        from secondme.exchange import read_lines

        return read_lines(self.file)


@contextmanager
def _opened(source: str) -> Iterator[Reading]:
    if source == STDIN:
        yield FileReading(sys.stdin.buffer)
        return
    path = Path(source).expanduser()
    from secondme.store.sealed import is_sealed_export, reading_sealed
    from secondme.vault import VaultReading, is_vault

    if is_vault(path):
        from secondme.clock import now

        yield VaultReading(path, now())
        return
    if path.is_dir():
        raise UsageError(f"{source} is a folder that export did not write", hint=f"its notes: secondme add {source}")
    if is_sealed_export(path):
        from secondme.config import load_config
        from secondme.keys import find_key
        from secondme.paths import find_paths

        paths = find_paths()
        with reading_sealed(path, find_key(paths, load_config(paths.config), of=path)) as lines:
            yield FileReading(lines)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{source}: {(error.strerror or 'cannot be read').lower()}") from error
    with file:
        yield FileReading(file)
