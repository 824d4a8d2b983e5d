"""What browsing asks for and finds, as queries give it and widgets show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, as it was typed."""

    words: str = ""
    kind: str = ""
    """"passage" or "fact"; both where it is empty."""
    since: str = ""
    until: str = ""
    author: str = ""
    source: str = ""
    thread: str = ""

    @property
    def filters(self) -> Asked:
        """The same without the words."""
        return replace(self, words="")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was found."""

    id: str
    kind: str
    day: str
    author: str
    where: str
    text: str
    """One line of it, with the first word that was looked for."""
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found."""

    rows: Sequence[Row]
    said: str
    """How many these are, or why there are none."""
    problem: str = ""
    """What cannot be read of what was typed."""
    has_vectors: bool = False
    """True where a longer look may compare by meaning."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a text."""

    first: int
    """The number of the first of them."""
    lines: Sequence[str]
    asked: tuple[int, int]
    """The first and last of the lines that matched; (0, 0) where all of the text did."""
    before: int
    """How many lines of the text come before these."""
    behind: int


@dataclass(frozen=True, slots=True)
class Section:
    """Lines with a title."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that was found, and what hangs together with it."""

    id: str
    words: Sequence[str]
    """What is said of it in short: day, author and so on."""
    where: str
    about: Sequence[str]
    """Where it comes from: origin, title, thread."""
    text: str
    """The words of a fact; a note is in its excerpt."""
    excerpt: Excerpt
    sections: Sequence[Section]
    is_pinned: bool
