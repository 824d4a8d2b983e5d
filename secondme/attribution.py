"""What an answer takes from words of others is said as their words where it is an order, or would be about the user.

Only the file of notes is told as it stands, with its source: whoever wrote "I" there is nearly always the user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from secondme.models.quoting import LEFT_OUT, QUOTATION, may_be_order, sentences_of
from secondme.recall.query import FIRST_PERSON
from secondme.recall.words import FUNCTION_WORDS, WORD
from secondme.records import Match
from secondme.sleep.drafts import is_hostile, kind_of
from secondme.sleep.holding import why_held

Whose = Literal["own", "notes", "others"]
"""The user's own words; a file of notes by nobody named, in which "I" most likely is the user; words of others."""
LONGEST_QUOTE = 200
LONGEST_NAME = 60
_USER = FIRST_PERSON | {"you", "your", "yours", "yourself"}
_NAME_OR_FIGURE = re.compile(r"(?<=[\w,;:'’-]\s)[^\W\d_a-z]\w*|\w*\d\w*")


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence of others that is only quoted."""

    number: int
    """The evidence it stands in, from 1."""
    text: str
    words: frozenset[str]
    is_order: bool
    author: str
    """Whose words it is, where somebody is named."""
    title: str

    @property
    def quotation(self) -> str:
        """The line as it is shown."""
        said = " ".join(self.text.split()).strip("> ").rstrip(".!?")
        cut = f"{said[:LONGEST_QUOTE]}…" if len(said) > LONGEST_QUOTE else said
        who = " ".join((self.author or self.title or "A text of others").split())[:LONGEST_NAME]
        return f"{who}: “{cut}”"


class Attribution:
    """Knows the words by which a sentence of an answer is told to rest on what is only quoted."""

    def __init__(self, shown: Sequence[Match], whose: Sequence[Whose], question: str, *, me: str) -> None:
        """Look through the evidence of an answer; `whose` says whose words each piece is."""
        self._asks_of_user = bool(set(WORD.findall(question.lower())) & FIRST_PERSON)
        found: list[_Line] = []
        self._stated: list[tuple[int, frozenset[str]]] = []
        """The words of each sentence that an answer may say as its own, and in which evidence it stands."""
        for number, (match, one) in enumerate(zip(shown, whose, strict=True), 1):
            author = "" if match.author == me else match.author
            for text, is_quoted in _sentences(match, is_own=one == "own"):
                is_order = is_quoted and (may_be_order(text) or is_hostile(text))
                is_anothers = is_quoted and one != "notes"
                if is_order or (is_anothers and _is_of_user(text, match, author=author, me=me)):
                    found.append(_Line(number, text, _words(text), is_order, author, match.title))
                else:
                    self._stated.append((0 if not is_quoted else number, _words(text)))
        self._asked = _words(question)
        self._lines = [line for line in found if line.words]
        self._has_orders = any(line.is_order for line in self._lines)
        self._quoted: set[_Line] = set()

    def holds(self, begun: str) -> bool:
        """True if a sentence may have to be a quotation, as far as it has come."""
        return self._has_orders or (bool(self._lines) and self._concerns_user(_said(begun)))

    def instead(self, sentence: str) -> tuple[str, list[int]] | None:
        """Return the quotations to be shown in the place of a sentence, and which evidence they are from.

        None where the sentence may stand. A line is quoted once: what says it again is left out, as "".
        """
        said = _said(sentence)
        rests_on = [
            line for line in self._lines if self._rests_on(said, line) or (line.is_order and LEFT_OUT in sentence)
        ]
        if not rests_on:
            return None
        rests_on.sort(key=lambda line: -len(line.words & said))
        new = [line for line in rests_on[:2] if line not in self._quoted]
        self._quoted.update(new)
        return "; ".join(line.quotation for line in new), list(dict.fromkeys(line.number for line in new))

    def _rests_on(self, said: frozenset[str], line: _Line) -> bool:
        # A text that orders something may state the same beside it.
        elsewhere = [words for number, words in self._stated if not line.is_order or number != line.number]
        only_there = (said & line.words - self._asked).difference(*elsewhere)
        if line.is_order:
            return bool(only_there)
        if not only_there or not self._concerns_user(said) or (line.author and _words(line.author) & said):
            return False
        telling = {found.lower() for found in _NAME_OR_FIGURE.findall(line.text)}
        shared = len(said & line.words)
        return bool(only_there & telling) or shared > max((len(said & words) for words in elsewhere), default=0)

    def _concerns_user(self, said: frozenset[str]) -> bool:
        return self._asks_of_user or bool(said & _USER)


def _sentences(match: Match, *, is_own: bool) -> Iterator[tuple[str, bool]]:
    """Yield the sentences of a piece of evidence and whether they are words of others."""
    # Of a word or two, it is a name and says nothing.
    if not is_own and (len(match.title.split()) > 2 or may_be_order(match.title)):
        yield match.title, True
    for line in match.text.splitlines():
        is_quoted = not is_own or bool(QUOTATION.match(line))
        yield from ((sentence, is_quoted) for sentence in sentences_of(line))


def _is_of_user(text: str, match: Match, *, author: str, me: str) -> bool:
    """True if words of others would speak of the user once "you" is put in the place of whomever they mean."""
    if author and set(WORD.findall(text.lower())) & _USER:
        return True
    kind = kind_of(text, said_at=match.happened_at)
    return bool(why_held(text, kind, author=author, me=me, said_at=match.happened_at))


def _said(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower()))


def _words(text: str) -> frozenset[str]:
    return _said(text) - FUNCTION_WORDS
