"""Reads the text of PDF files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from secondme.clean import one_line
from secondme.hookspecs import hookimpl
from secondme.ingest.dates import day_in, file_time
from secondme.records import Note, Skipped

MOST_PAGES = 2_000
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?")


@hookimpl
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return the text of all pages as one note, or None for a file of another kind."""
    return _pages(path) if path.suffix.lower() == ".pdf" else None


def _pages(path: Path) -> Iterator[Note | Skipped]:
    from secondme_plugins.html_page import NEEDED

    try:
        import pypdfium2
    except ImportError:
        yield Skipped(str(path), NEEDED)
        return
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        yield Skipped(str(path), "it has a password" if "assword" in str(error) else "not a readable PDF")
        return
    with document:
        count = len(document)
        texts = [_text(document, at) for at in range(min(count, MOST_PAGES))]
        properties = document.get_metadata_dict()
    broken = texts.count(None)
    text = "\n\n".join(page for page in texts if page is not None).strip()
    if not text:
        yield Skipped(str(path), "not a readable PDF" if broken else "no text in it: only pictures of pages")
        return
    title = one_line(properties.get("Title") or path.stem, 200)
    made = day_in(path.stem) or pdf_moment(properties.get("CreationDate") or "") or file_time(path)
    uri = str(path)
    yield Note(text, uri, uri, "", made, "clip", title)
    if broken:
        yield Skipped(uri, f"{broken:,} of its {count:,} pages cannot be read")
    if count > MOST_PAGES:
        yield Skipped(uri, f"only its first {MOST_PAGES:,} of {count:,} pages are taken")


def _text(document: Any, at: int) -> str | None:
    """Return the text of a page, None where it cannot be read."""
    import pypdfium2

    try:
        return str(document[at].get_textpage().get_text_bounded()).replace("\r\n", "\n").strip()
    except (pypdfium2.PdfiumError, ValueError):
        return None


def pdf_moment(text: str) -> datetime | None:
    """Return the moment in the form of PDF, such as D:20240601120000+01'00', or None where it is none."""
    found = _DATE.match(text)
    if not found:
        return None
    year, *rest = (int(part) if part else None for part in found.groups()[:6])
    month, day, hour, minute, second = (
        part if part is not None else least for part, least in zip(rest, (1, 1, 0, 0, 0), strict=True)
    )
    sign = {"+": 1, "-": -1, None: 0}[found[8]]
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0)) * sign
    try:
        moment = datetime(year or 0, month, day, hour, minute, second, tzinfo=timezone(offset))
        return moment if moment.year >= 1980 else None
    except ValueError:
        return None
