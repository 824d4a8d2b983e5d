"""Reads Word files as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.clean import one_line
from secondme.hookspecs import hookimpl
from secondme.ingest.dates import date_in, day_in, file_time
from secondme.records import Note, Skipped

if TYPE_CHECKING:
    import zipfile


MOST_MEMBERS, MOST_BYTES, MOST_RATIO = 2_000, 100 << 20, 100
"""An archive beyond this is a bomb."""
HARMLESS = 10 << 20
"""One that unpacks to fewer bytes is none, however well it was packed."""
_LONGEST_PROPERTIES = 100_000
_PROPERTIES = "docProps/core.xml"


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the document as one note, or None for a file of another kind."""
    return _document(path) if path.suffix.lower() == ".docx" and not path.name.startswith("~$") else None


def _document(path: Path) -> Iterator[Note | Skipped]:
    import zipfile
    from xml.parsers.expat import ExpatError

    from secondme_plugins.archives import BROKEN
    from secondme_plugins.html_page import NEEDED, markdown_of

    try:
        with zipfile.ZipFile(path) as archive:
            if why := bomb(archive, path.stat().st_size):
                yield Skipped(str(path), why)
                return
            names = archive.namelist()
            properties = ""
            if _PROPERTIES in names:
                with archive.open(_PROPERTIES) as member:
                    properties = member.read(_LONGEST_PROPERTIES).decode("utf-8", "replace")
        import mammoth

        with path.open("rb") as file:
            text = markdown_of(mammoth.convert_to_html(file, convert_image=lambda image: []).value)
    except ImportError:
        yield Skipped(str(path), NEEDED)
        return
    # What is wrong with the parts of it is found by whoever stumbles over it.
    except (*BROKEN, ExpatError, OSError, AttributeError, TypeError, IndexError):
        yield Skipped(str(path), "not a readable Word file")
        return
    if not text:
        yield Skipped(str(path), "no text in it")
        return
    title = one_line(_property(properties, "dc:title") or path.stem, 200)
    created = day_in(path.stem) or date_in(_property(properties, "dcterms:created")) or file_time(path)
    uri = str(path)
    yield Note(text, uri, uri, "", created, "file", title)


def bomb(archive: zipfile.ZipFile, size: int) -> str:
    """Return why an archive of `size` bytes would take more than it should, "" where it does not."""
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS:
        return f"an archive of {len(members):,} files"
    if total > MOST_BYTES or (total > HARMLESS and total > size * MOST_RATIO):
        return f"an archive that unpacks to {total:,} bytes"
    return ""


def _property(properties: str, name: str) -> str:
    found = re.search(rf"<{name}\b[^<>]*+>([^<]*+)<", properties)
    return found[1].strip() if found else ""
