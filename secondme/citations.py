"""Marks such as [2] in an answer: put behind each sentence while it streams, by the words it shares with the evidence.

The model is not shown numbers: of 24 answers of a 1.5B model to LoCoMo questions, marks of its own named the right
passage as often as these do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from secondme.recall.words import FUNCTION_WORDS, WORD

if TYPE_CHECKING:
    from secondme.attribution import Attribution

_NUMBERS = r"\[\s*\d[\d\s,;]*\]"
_TOKEN = re.compile(
    rf"(?P<mark>\s*{_NUMBERS})|(?P<end>[.!?]+[\"')]*(?P<late>(?:\s*{_NUMBERS})*)(?=\s|$))|(?P<line>\s*\n\s*)"
    r"|(?P<text>\s+|[^\s\[.!?]+|.)"
)
# What may still turn out to be a mark, or the end of a sentence that a mark follows. Nothing in it is tried twice.
_OPEN_END = re.compile(r"(?:[.!?\"')]|\s*+\[[\d\s,;]*+\]?)*+\s*$")
# Words behind which a full stop ends no sentence; the number of a list item is one.
_ABBREVIATION = re.compile(
    r"^\s*\d{1,2}$|\b(?:[a-z]|mr|mrs|ms|dr|prof|st|vs|(?<=\S )no|approx|e\.g|i\.e|[ap]\.m)$", re.IGNORECASE
)
MOST_MARKS = 3
_VERDICTS = frozenset({"yes", "no", "likely", "probably", "maybe"})


class Citer:
    """Passes an answer on as it comes, word by word, with marks that hold at the end of each sentence."""

    def __init__(
        self, evidence: Sequence[str], question: str, *, best: int = 1, attribution: Attribution | None = None
    ) -> None:
        """Cite from `evidence`, numbered from 1; `best` is what a bare yes or no rests on.

        Sentences for which `attribution` has a quotation are left to it.
        """
        self._asked = _words(question)
        self._evidence = [_words(text) for text in evidence]
        self._best = best
        self._attribution = attribution
        self._open = ""
        self._held = ""
        """The end of the open sentence that is not shown yet."""
        self.cited: list[int] = []
        """The numbers cited so far, in order, each once."""
        self.unsupported = 0
        """Sentences for which no evidence was found."""

    def pieces(self, reply: Iterable[str]) -> Iterator[str]:
        """Yield the reply with its marks; marks that the model writes mean nothing and are left out."""
        held = ""
        for piece in reply:
            held += piece
            tail = _OPEN_END.search(held)
            ready, held = (held[: tail.start()], held[tail.start() :]) if tail else (held, "")
            if shown := self._pass(ready):
                yield shown
        if shown := self._pass(held.rstrip()) + self._close():
            yield shown

    def _pass(self, text: str) -> str:
        shown = []
        for token in _TOKEN.finditer(text):
            if token["mark"]:
                continue
            if token["end"] is not None:
                stop = token["end"][: len(token["end"]) - len(token["late"])]
                shown.append(self._go_on(stop) if _ABBREVIATION.search(self._open) else self._close(stop))
            elif token["line"]:
                shown.append(self._close() + token["line"])
            else:
                shown.append(self._go_on(token["text"]))
        return "".join(shown)

    def _go_on(self, text: str) -> str:
        """Go on with the open sentence and return what can be shown of it."""
        self._open += text
        self._held += text
        if self._attribution and self._attribution.holds(self._open):
            return ""
        shown, self._held = self._held, ""
        return shown

    def _close(self, stop: str = "") -> str:
        """End the open sentence and return what was not shown of it, with its marks; or a quotation in its place."""
        sentence, held = self._open, self._held
        self._open, self._held = "", ""
        if not self._attribution or (instead := self._attribution.instead(sentence)) is None:
            return held + self._marks(sentence) + stop
        quotation, numbers = instead
        self.cited += [number for number in numbers if number not in self.cited]
        space = sentence[: len(sentence) - len(sentence.lstrip())] if held == sentence else " "
        return f"{space}{quotation}{_marked(numbers)}{stop}" if quotation else ""

    def _marks(self, sentence: str) -> str:
        words, is_verdict = _words(sentence), _is_verdict(sentence)
        if not words and not is_verdict:
            return ""
        support = [self._support(words, held) for held in self._evidence]
        if max(support, default=0) > 0:
            best = support.index(max(support)) + 1
            good = [best, *self._also(words - self._asked - self._evidence[best - 1])][:MOST_MARKS]
        else:
            good = [self._best] if is_verdict and support else []
        self.unsupported += not good
        self.cited += [n for n in good if n not in self.cited]
        return _marked(good)

    def _also(self, words: frozenset[str]) -> list[int]:
        """Return what alone has words of a sentence that are not in what supports it best."""
        # Small figures number lists and days.
        telling = [word for word in words if not (word.isdecimal() and len(word) < 3)]
        holding = [[n for n, held in enumerate(self._evidence, 1) if word in held] for word in telling]
        return sorted({found[0] for found in holding if len(found) == 1})

    def _support(self, words: frozenset[str], held: frozenset[str]) -> float:
        """Return how much a sentence shares with a piece of evidence; words that the question brought count little."""
        return len((words - self._asked) & held) + 0.1 * len(words & self._asked & held)


def _marked(numbers: Iterable[int]) -> str:
    marks = "".join(f"[{number}]" for number in numbers)
    return f" {marks}" if marks else ""


def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(text.lower())) - FUNCTION_WORDS


def _is_verdict(sentence: str) -> bool:
    said = set(WORD.findall(sentence.lower()))
    return bool(said) and said <= _VERDICTS
