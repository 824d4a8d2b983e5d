"""How results look: lines for people, JSON for programs, progress for a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from secondme.clean import clean, escaped, one_line
from secondme.places import place
from secondme.records import Masked, Match, Note, Passage, Skipped

T = TypeVar("T")

BOLD, DIM = "1", "2"
NAMED = 10
"""So many masked secrets are named one by one."""
SNIPPET_LINES = 3
"""How many lines of a terminal a passage may take in a list."""


def paint(text: str, code: str, *, plain: bool = False) -> str:
    """Return `text` in a style of the terminal, where stdout is one and colours are wanted."""
    if plain or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def say(message: str) -> None:
    """Print a line for people to stderr."""
    sys.stdout.flush()  # where both go to one place, they come in the order they were said
    try:
        print(clean(message), file=sys.stderr)
    except BrokenPipeError:
        # That nobody hears it ends no work half done, and makes no success of a failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def can_ask() -> bool:
    """True if somebody is there to answer a question."""
    return sys.stdin.isatty()


def print_json(**content: Any) -> None:
    """Print one JSON object with the version of its form."""
    print(escaped(json.dumps({"v": 1, **content}, ensure_ascii=False)))


def report_masked(masked: Sequence[Masked]) -> None:
    """Say on stderr where secrets were masked, the first of them one by one."""
    for one in masked[:NAMED]:
        say(f"masked: {one.kind} in {one.id}, line {one.line}")
    if more := len(masked[NAMED:]):
        say(f"masked: {counted(more, 'more secret')}; all of them: secondme secrets")


def report_skipped(skipped: tuple[Skipped, ...]) -> None:
    """Say on stderr what was not taken in, and why."""
    for item in skipped:
        say(f"skipped {one_line(item.what, 300)}: {item.why}")


def match_record(match: Match) -> dict[str, Any]:
    """Return a match under the JSON keys that programs rely on."""
    return {
        "id": match.id,
        "kind": match.kind,
        "text": clean(match.text),
        "uri": clean(match.uri),
        "thread": clean(match.thread),
        "author": clean(match.author),
        "title": clean(match.title),
        "happened_at": iso(match.happened_at),
        "line_start": match.line_start,
        "line_end": match.line_end,
        "score": match.score,
        "arms": dict(match.arms),
    }


def note_record(note: Note) -> dict[str, Any]:
    """Return a note under the JSON keys that programs rely on."""
    return {
        "id": note.id,
        "text": clean(note.text),
        "uri": clean(note.uri),
        "thread": clean(note.thread),
        "author": clean(note.author),
        "happened_at": iso(note.happened_at),
        "origin": note.origin,
        "title": clean(note.title),
    }


def passage_record(note: Note, passage: Passage) -> dict[str, Any]:
    """Return one passage of a note, as `note_record` returns all of it."""
    span = passage.span
    lines = {"line_start": span.line_start, "line_end": span.line_end, "heading": clean(span.heading)}
    return {**note_record(note), "id": passage.name, "text": clean(span.text), **lines}


def iso(moment: datetime | None) -> str | None:
    """Return a moment as ISO text in UTC."""
    from secondme.clock import to_text

    return to_text(moment) if moment else None


def day(moment: datetime | None) -> str:
    """Return the local day of a moment."""
    return moment.astimezone().date().isoformat() if moment else ""


def minute(moment: datetime) -> str:
    """Return the local day and time of a moment, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def match_head(match: Match, *, plain: bool = False) -> str:
    """Return one line that names a match: id, day, author, place."""
    parts = (day(match.happened_at), match.author, place(match.uri, match.line_start))
    rest = " · ".join(one_line(part, 500) for part in parts if part)
    return f"{paint(match.id, BOLD, plain=plain)} · {paint(rest, DIM, plain=plain)}"


def note_head(note: Note, *, plain: bool = False) -> str:
    """Return one line that names a note: id, time, author, title, uri."""
    at = minute(note.happened_at) if note.happened_at else ""
    rest = " · ".join(one_line(part, 500) for part in (at, note.author, note.title, note.uri) if part)
    return f"{paint(note.id, BOLD, plain=plain)} · {paint(rest, DIM, plain=plain)}"


def note_line(note: Note, *, plain: bool = False) -> str:
    """Return a note as one line of a list: id, day, author, title or first words."""
    rest = " · ".join(one_line(part, 80) for part in (day(note.happened_at), note.author) if part)
    what = one_line(note.title or note.text[:1000], 100)
    return f"{paint(note.id, BOLD, plain=plain)} · {paint(rest, DIM, plain=plain)} · {what}"


def snippet(text: str) -> str:
    """Return `text` as one line, cut to a few lines of a terminal and uncut for a pipe."""
    columns = shutil.get_terminal_size().columns - 2
    return one_line(text, SNIPPET_LINES * columns if sys.stdout.isatty() else len(text) * 2 + 2)


class Progress:
    """A line on stderr that is written again as work goes on; nothing where stderr is no terminal."""

    def __init__(self, what: str = "", *, in_bytes: bool = False) -> None:
        """Begin to measure `what`."""
        self.what = what
        self.in_bytes = in_bytes
        self._started = time.monotonic()
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done, and how long the rest takes; a total of 0 is unknown."""
        now = time.monotonic()
        if not sys.stderr.isatty() or (now - self._last < 0.1 and done != total):
            return
        self._last = now
        share = f"{self._amount(done)} of {self._amount(total)}" if total else self._amount(done)
        left = (now - self._started) / done * (total - done) if done and total > done else 0
        self._write(f"{self.what}: {share}" + (f", {duration(left)} left" if left >= 1 else ""))

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, and show now and then how many they were so far."""
        for done, item in enumerate(items, start=1):
            yield item
            if done % 500 == 0:
                self(done, 0)

    def step(self, what: str, done: int, total: int) -> None:
        """Show the progress of one of several things, measured from its first call on."""
        if what != self.what:
            self.what, self._started = what, time.monotonic()
        self(done, total)

    def close(self) -> None:
        """Remove the line."""
        if self._last:
            self._write("")

    def _amount(self, number: int) -> str:
        return f"{number / 1e6:,.0f} MB" if self.in_bytes else f"{number:,}"

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where there are several."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Return a time a person can grasp."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def nonzero(arms: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the shares that change a score, the largest first."""
    return sorted(((name, value) for name, value in arms.items() if round(value, 2)), key=lambda arm: -abs(arm[1]))
