"""Reads a web page as Markdown, without scripts, styles and embedded pictures."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from secondme.clean import one_line
from secondme.ingest.dates import date_in, day_in, file_time
from secondme.records import Note, Skipped

NEEDED = "needs more than the plain install: pip install 'secondme[docs]'"
DEEPEST = 400
"""Elements within each other; what is nested deeper is no page for people."""
# Every repetition is possessive or has a limit: a page that repeats the beginning of something costs no more for that.
_TITLE = re.compile(r"<title\b[^<>]{0,200}+>(.{0,500}?)</title", re.IGNORECASE | re.DOTALL)
_META = re.compile(r"<meta\b([^<>]{0,1000}+)", re.IGNORECASE)
_DATED = re.compile(r"published|date|modified", re.IGNORECASE)
_CONTENT = re.compile(r"content\s*+=\s*+[\"']([^\"']{8,40})", re.IGNORECASE)
_TIME = re.compile(r"<time\b[^<>]{0,200}?datetime\s{0,5}=\s{0,5}[\"']([^\"']{8,40})", re.IGNORECASE)
_DROPPED = ("script", "style", "svg", "noscript", "template", "head")
_OPENING = re.compile(rf"<({'|'.join(_DROPPED)})\b", re.IGNORECASE)
_CLOSING = {name: re.compile(rf"</{name}\s*+>", re.IGNORECASE) for name in _DROPPED}
_DATA = re.compile(r"data:[\w/+.-]++;base64,[A-Za-z0-9+/=\s]++")
_PICTURE = re.compile(r"!\[([^\]]{0,500}+)\]\([^)]{0,1000}+\)")
_TAG = re.compile(r"<(/?+)([a-zA-Z][\w-]*+)[^<>]*+>")
_EMPTY = {
    "br",
    "img",
    "hr",
    "input",
    "meta",
    "link",
    "area",
    "base",
    "col",
    "embed",
    "source",
    "track",
    "wbr",
    "p",
    "li",
}
_HEAD = 100_000


def read_page(path: Path) -> Iterator[Note | Skipped]:
    """Yield the page as one note, or why it is none."""
    text = _decoded(path.read_bytes())
    try:
        content = markdown_of(text)
    except ImportError:
        yield Skipped(str(path), NEEDED)
        return
    except ValueError as error:
        yield Skipped(str(path), str(error))
        return
    if not content:
        yield Skipped(str(path), "no text in it")
        return
    head = text[:_HEAD]
    title = one_line(unescape(found[1]), 200) if (found := _TITLE.search(head)) else path.stem
    dated = date_in(found[1]) if (found := _meta(head) or _TIME.search(head)) else None
    uri = str(path)
    yield Note(content, uri, uri, "", dated or day_in(path.stem) or file_time(path), "clip", title)


def markdown_of(page: str) -> str:
    """Return what a page says as Markdown. Raises ImportError without the library, ValueError for a monstrous page."""
    if _depth(page) > DEEPEST:
        raise ValueError("nested too deeply")
    import html_to_markdown

    try:
        found = html_to_markdown.convert(_DATA.sub("", _without_dropped(page)))
    except html_to_markdown.ConversionError as error:
        raise ValueError("not a readable page") from error
    text = found if isinstance(found, str) else found.content
    return re.sub(r"\n{3,}", "\n\n", _PICTURE.sub(r"\1", text or "")).strip()


def _meta(head: str) -> re.Match[str] | None:
    """Return the content of the first property that is a date."""
    for tag in _META.finditer(head):
        dated = _DATED.search(tag[1])
        if dated and (found := _CONTENT.search(tag[1], dated.end())):
            return found
    return None


def _without_dropped(page: str) -> str:
    """Return the page without the elements that hold no words; one that is not closed stays."""
    kept: list[str] = []
    unclosed: set[str] = set()
    at = end = 0
    while found := _OPENING.search(page, end):
        name, end = found[1].lower(), found.end()
        closing = None if name in unclosed else _CLOSING[name].search(page, end)
        if closing is None:
            unclosed.add(name)
            continue
        kept.append(page[at : found.start()])
        at = end = closing.end()
    return "".join([*kept, page[at:]])


def _depth(page: str) -> int:
    depth = deepest = 0
    for found in _TAG.finditer(page):
        if found[2].lower() in _EMPTY or found[0].endswith("/>"):
            continue
        depth = max(depth + (-1 if found[1] else 1), 0)
        deepest = max(deepest, depth)
    return deepest


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    charset = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", data[:2048], re.IGNORECASE)
    for name in (charset[1].decode("ascii") if charset else "utf-8", "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue  # it says one thing and is another
    return data.decode("cp1252", "replace")
