"""Measure export and import, as lines and as a folder of Markdown: python tests/bench/exchange.py [NOTES] [FOLDER ...].

Notes are made up, or those in folders. What comes out of the second memory has to be what came out of the first.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from secondme.assistant import Assistant
from secondme.config import Config, IngestConfig, ModelsConfig
from secondme.exchange import export, import_lines
from secondme.ingest.folder import Reader, walk
from secondme.plugins import load_plugins
from secondme.records import Note
from secondme.vault import VaultReading, write_vault

T = TypeVar("T")
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print seconds, and whether nothing was lost."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        with _memory(root / "one") as one:
            notes = _found([Path(name) for name in sys.argv[2:]], one) or [_made(number) for number in range(count)]
            for start in range(0, len(notes), 500):
                one.write(notes[start : start + 500])
            size = one.paths.database.stat().st_size / 1e6
            print(f"{len(notes):,} notes, {size:.0f} MB")
            lines = _timed("export of lines", lambda: [json.dumps(item).encode() for item in export(one.store)])
            _timed("export of Markdown", lambda: write_vault(export(one.store), root / "vault"))
            _timed("the same again", lambda: write_vault(export(one.store), root / "vault"))
        with _memory(root / "two") as two:
            _timed("import of lines", lambda: import_lines(two.store, lines))
            _timed("the same again", lambda: import_lines(two.store, lines))
            print("identical:", [json.dumps(item).encode() for item in export(two.store)] == lines)
        with _memory(root / "three") as three:
            reading = VaultReading(root / "vault", BEGIN)
            _timed("import of Markdown", lambda: import_lines(three.store, reading.lines()))
            print("identical:", [json.dumps(item).encode() for item in export(three.store)] == lines, reading.skipped)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB, the lines included")


def _memory(home: Path) -> Assistant:
    return Assistant.open(home, config=Config(models=ModelsConfig(language="", embedder="")), plugins=load_plugins())


def _found(folders: list[Path], me: Assistant) -> list[Note]:
    with Reader(me.plugins, IngestConfig()) as reader:
        paths = [path for folder in folders for path in walk(folder, ignore=(), home=me.paths.data)]
        items = [item for path in paths if isinstance(path, Path) for item in reader.read(path)]
    return [item for item in items if isinstance(item, Note)]


def _made(number: int) -> Note:
    words = " ".join(f"word{(number * 7 + at * 13) % 5000}" for at in range(40))
    return Note(f"Note {number}: {words}.", uri=f"made:{number}", happened_at=BEGIN + timedelta(hours=number))


def _timed(what: str, work: Callable[[], T]) -> T:
    began = time.perf_counter()
    done = work()
    print(f"{what:<20} {time.perf_counter() - began:6.2f} s")
    return done


if __name__ == "__main__":
    main()
