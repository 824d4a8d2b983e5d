"""An answer as it is read: its sources numbered from 1 on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from secondme.chat.inks import marks_in, renumbered
from secondme.records import Answer, Match


@dataclass(frozen=True, slots=True)
class Read:
    """An answer as it is read: its sources have the numbers from 1 on, in the order of their marks."""

    text: str
    sources: Mapping[int, Match]


def read_answer(answer: Answer) -> Read:
    """Return an answer that was just given as it is read."""
    numbers = {id: number for number, id in enumerate(answer.trace.get("evidence_shown", ()), 1)}
    return read(answer.text, {numbers[match.id]: match for match in answer.citations if match.id in numbers})


def read(text: str, sources: Mapping[int, Match]) -> Read:
    """Return an answer with the passages behind the marks in it, both numbered by the order of the marks."""
    order = {number: place for place, number in enumerate(marks_in(text, sources), 1)}
    return Read(renumbered(text, order), {order[number]: sources[number] for number in order})
