"""Reads a chat from WhatsApp: one note a message, in whatever form of date the phone wrote."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from secondme.clean import clean, one_line
from secondme.records import Note, Skipped
from secondme_plugins.archives import BROKEN
from secondme_plugins.chats import digest

HEAD_LINES = 20
"""A chat is known by a message among the first lines."""
MOST_BYTES = 100 << 20
"""The text in an archive may have so many bytes."""
_SPACES = re.compile("[\u00a0\u202f\u2009]")
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\ufeff]")
_MESSAGE = re.compile(
    r"\[?(?P<date>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}),?\s(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?"
    r"(?:\s?(?P<half>[AaPp])\.?\s?[Mm]\.?)?(?:\]|\s-)\s(?P<rest>.*)"
)
_NAMED = re.compile(r"(?P<author>[^:\n]{1,60}):\s?(?P<text>.*)", re.DOTALL)
_OMITTED = re.compile(
    r"<[^<>\n]{3,30}>|(?:image|video|audio|sticker|gif|document|contact card) omitted|null", re.IGNORECASE
)
_SYSTEM = re.compile(r"end-to-end encrypt|This message was deleted|You deleted this message", re.IGNORECASE)
_EDITED = "<This message was edited>"
_NAME = re.compile(r"WhatsApp Chat (?:with|-) (?P<name>.+?)(?: ?\(\d+\))?|(?P<other>.+)")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    """Of its first line, from 1."""
    date: tuple[int, int, int]
    time: tuple[int, int, int]
    author: str
    text: str


def read_archive(path: Path) -> Iterator[Note | Skipped]:
    """Yield the messages of the chat in an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            chats = [item for item in archive.infolist() if item.filename.lower().endswith(".txt")]
            if not chats or chats[0].file_size > MOST_BYTES:
                yield Skipped(str(path), "no chat in it" if not chats else "the chat in it is too large")
                return
            with archive.open(chats[0]) as file:
                text = clean(file.read(MOST_BYTES).decode("utf-8", "replace"))
    except (*BROKEN, OSError):
        yield Skipped(str(path), "not a readable archive")
        return
    yield from read_chat(path, text)


def is_chat(text: str) -> bool:
    """True if the first lines of a text are messages."""
    head = _SPACES.sub(" ", _MARKS.sub("", text[:4000])).split("\n")[:HEAD_LINES]
    return sum(bool(_MESSAGE.match(line)) for line in head) >= min(2, sum(bool(line.strip()) for line in head)) > 0


def _chat_name(path: Path) -> str:
    found = _NAME.fullmatch(path.stem)
    name = (found["name"] or found["other"]) if found else path.stem
    return path.parent.name if name == "_chat" else name


def read_chat(path: Path, text: str) -> Iterator[Note | Skipped]:
    """Yield the messages of a chat, and what of it cannot be told."""
    chat = _chat_name(path)
    lines = list(_lines(text))
    order, doubt = _date_order(lines)
    if doubt:
        yield Skipped(f"{path}#dates", doubt, is_harmless=True)
    seen = Counter[str]()
    omitted = 0
    for line in lines:
        said = line.text.strip().removesuffix(_EDITED).strip()
        if not line.author or _SYSTEM.search(said):
            continue
        if _OMITTED.fullmatch(said):
            omitted += 1
            continue
        if not said:
            continue
        try:
            moment = _moment(line, order)
        except ValueError:
            yield Skipped(f"{path}:{line.number}", "its date does not exist")
            continue
        key = f"{moment.isoformat()}\n{line.author}\n{said}"
        seen[key] += 1
        id = digest(f"{key}\n{seen[key]}".encode())
        # Exported again, the file has another name and more in it; what was said, by whom and when, stays.
        yield Note(said, f"{path}#{id}", f"whatsapp:{one_line(chat, 100)}", line.author, moment, "import")
    if omitted:
        why = f"{omitted:,} pictures, films and other media are not in the export"
        yield Skipped(f"{path}#media", why, is_harmless=True)


def _lines(text: str) -> Iterator[_Line]:
    """Yield the messages, each with the lines that follow it."""
    begun: tuple[int, re.Match[str]] | None = None
    more: list[str] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = _MARKS.sub("", raw)
        if found := _MESSAGE.match(_SPACES.sub(" ", line)):
            if begun:
                yield _line(*begun, more)
            begun, more = (number, found), []
        elif begun:
            more.append(line)
    if begun:
        yield _line(*begun, more)


def _line(number: int, found: re.Match[str], more: Sequence[str]) -> _Line:
    first, second, third = (int(part) for part in re.split(r"[./-]", found["date"]))
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"].lower() == "p")
    time = hour, int(found["minute"]), int(found["second"] or 0)
    named = _NAMED.match("\n".join((found["rest"], *more)))
    author, text = (named["author"], named["text"]) if named else ("", found["rest"])
    return _Line(number, (first, second, third), time, author.strip(), text)


def _date_order(lines: Iterable[_Line]) -> tuple[str, str]:
    """Return which number is the year, month and day, such as "dmy", decided over all dates; and what is doubtful."""
    dates = [line.date for line in lines]
    if not dates or max(date[0] for date in dates) > 31:
        return "ymd", ""
    firsts, seconds, thirds = ({date[at] for date in dates} for at in range(3))
    if max(seconds) > 12:
        return "mdy", ""
    if max(firsts) > 12:
        # 15-01-20 may begin with the year; a chat has many days but few years.
        return ("ymd" if len(firsts) < len(thirds) and max(thirds) <= 31 else "dmy"), ""
    if not _goes_back(dates, "dmy"):
        return "dmy", "" if _goes_back(dates, "mdy") else "day and month could be the other way round: day first"
    return "mdy", ""


def _goes_back(dates: Sequence[tuple[int, int, int]], order: str) -> bool:
    """True if the dates read in this order are not in the order of time, as messages in a chat are."""
    keys = [tuple(date[order.index(part)] for part in "ymd") for date in dates]
    return any(later < earlier for earlier, later in pairwise(keys))


def _moment(line: _Line, order: str) -> datetime:
    year, month, day = (line.date[order.index(part)] for part in "ymd")
    return datetime(year + 2000 * (year < 100), month, day, *line.time).astimezone()
