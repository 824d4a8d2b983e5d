"""Tells apart what in an answer is taken from evidence, what is inferred from it, and what only the model says."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from secondme.recall.words import FUNCTION_WORDS, WORD

Ink = Literal["evidence", "inference", "own"]

SIGNS: Mapping[Ink, str] = {"evidence": "", "inference": "≈", "own": "°"}
"""What stands before a sentence, so that its ink is seen without colours."""
LEGEND: Mapping[Ink, str] = {
    "evidence": "",
    "inference": "≈ inferred from its sources",
    "own": "° the model's own words, from no source",
}
TAKEN = 0.7
"""The share of a sentence's words that its sources have to hold for it to be taken from them."""
_STEM = 5
"""Letters of a word without its ending that have to be the same: "moved" is "move"."""

# A model that runs wild may write a number of a thousand digits.
_MARK = re.compile(r"\[(\d{1,6})\]")
_SPACED_MARK = re.compile(r"([ \t]*)\[(\d{1,6})\]")
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|e|s)$")
_LIST = r"(?:[-*+>#]+|\d{1,2}[.)])[ \t]+"
_BULLET = re.compile(_LIST)
# The point behind the number of a list is no end.
_SENTENCE = re.compile(
    rf"(?:{_LIST})?\S.*?(?:[.!?…][\"')\]*_]*(?=\s|$)|(?=\n)|$)(?:[ \t]*\[\d+\])*[.!?]?", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sentence of an answer, or the space between two."""

    text: str
    ink: Ink | None
    """None for space and for the marks of a list."""


def marks_in(answer: str, known: Container[int]) -> list[int]:
    """Return the known numbers of the marks in an answer, each once, in their order."""
    return [number for number in dict.fromkeys(map(int, _MARK.findall(answer))) if number in known]


def renumbered(answer: str, numbers: Mapping[int, int]) -> str:
    """Return an answer with other numbers in its marks; a mark that has none goes."""
    return _SPACED_MARK.sub(
        lambda found: f"{found[1]}[{numbers[n]}]" if (n := int(found[2])) in numbers else "", answer
    )


def inked(answer: str, evidence: Mapping[int, str]) -> Iterator[Stretch]:
    """Yield an answer in stretches that together are its text; `evidence` holds what each mark in it stands for."""
    end = 0
    for found in _SENTENCE.finditer(answer):
        start = found.start()
        if bullet := _BULLET.match(answer, start, found.end()):
            start = bullet.end()
        if start > end:
            yield Stretch(answer[end:start], None)
        if found.end() > start:
            sentence = answer[start : found.end()]
            yield Stretch(sentence, _ink_of(sentence, evidence))
        end = max(found.end(), start)
    if end < len(answer):
        yield Stretch(answer[end:], None)


def _ink_of(sentence: str, evidence: Mapping[int, str]) -> Ink:
    marks = [int(number) for number in _MARK.findall(sentence)]
    held = [evidence[number] for number in marks if number in evidence]
    if not held:
        return "own"
    words, there = stems(_MARK.sub("", sentence)), stems(" ".join(held))
    return "evidence" if words and len(words & there) >= TAKEN * len(words) else "inference"


def stems(text: str) -> set[str]:
    """Return the words of a text that carry meaning, without their endings."""
    words = set(WORD.findall(text.lower())) - FUNCTION_WORDS
    # A number is only itself.
    return {word if any(map(str.isdigit, word)) else _ENDING.sub("", word)[:_STEM] for word in words}
