"""What a measurement of the engine is made of: questions to a memory, pages for a while, and the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from secondme.errors import NoDatabase
from secondme.models.prompts import evidence_line
from secondme.models.protocols import Usage
from secondme.recall.words import content_words
from secondme.records import Filters, Match

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.models.protocols import LanguageModel, Prompt
    from secondme.store.pages import PageStore

RECENT, QUESTIONS = 60, 3
"""Of so many notes, the newest, so many become questions."""
WORDS = 6
"""Of a note that make a question."""
FEWEST_WORDS = 3
"""A note of fewer is no question, where others have more."""
ADD = 'secondme add "..."'


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the memory, and what an answer would be drawn from."""

    question: str
    best_first: list[Match]
    tokens: int
    """Of that evidence."""
    seconds: float
    """What it takes to find it."""


@dataclass(frozen=True, slots=True)
class Timed:
    """How one reply went."""

    seconds: float
    """To the first word."""
    read: int
    """Tokens until then."""
    writing: float
    """Seconds from the first word on."""
    written: int
    """Tokens."""


@dataclass(slots=True)
class TrialShelf:
    """Keeps pages while something is measured: in RAM, and as many zeros in a file that is read as pages are.

    So no file holds words of the memory that nothing would remove from it.
    """

    disk: PageStore
    states: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[int | None, int] = field(default_factory=dict)
    """Bytes of each page of a prompt, as it was kept last."""
    moments: list[float] = field(default_factory=list)
    """When pages were asked for."""

    def load(self, key: str) -> bytes | None:
        """Return the state, after as long as it takes to read it from a file."""
        self.moments.append(time.perf_counter())
        if self.has(key):
            self.disk.load(key)
        return self.states.get(key)

    def has(self, key: str) -> bool:
        """True if there is a state under `key`."""
        return key in self.states

    def takes(self, key: str, page: int) -> bool:
        """True if there is no state under `key`."""
        return not self.has(key)

    def keep(self, key: str, page: int | None, state: bytes) -> None:
        """Keep the state of a page."""
        self.states[key], self.sizes[page] = state, len(state)
        self.disk.keep(key, bytes(len(state)))


def recent_questions(me: Assistant) -> list[str]:
    """Return a few questions about what was stored lately, the same ones each time. Raises NoDatabase."""
    found = [list(dict.fromkeys(content_words(note.text[:1000]))) for note in me.notes(limit=RECENT)]
    if not found:
        raise NoDatabase("nothing is stored yet, so there is nothing to measure with", hint=ADD)
    told = [words for words in found if len(words) >= FEWEST_WORDS] or found
    # Far apart, so that their evidence is not the same.
    return [f"What about {' '.join(words[:WORDS])}?" for words in told[:: -(-len(told) // QUESTIONS)]]


def ask(me: Assistant, question: str, model: LanguageModel) -> Asked:
    """Search for what an answer would be drawn from, as much of it as one is shown."""
    wanted, settings = Filters(kind="passage"), me.config.answer
    me.search(question, k=settings.evidence, filters=wanted)
    # The first search loads what searches.
    began = time.perf_counter()
    found = me.search(question, k=settings.evidence, filters=wanted)
    seconds = time.perf_counter() - began
    chosen: list[Match] = []
    tokens = 0
    for match in found.matches:
        size = model.count(evidence_line(match))
        if size > (left := settings.evidence_tokens - tokens):
            if chosen:
                break
            match = replace(match, text=match.text[: len(match.text) * left // size])
            size = model.count(evidence_line(match))
        chosen.append(match)
        tokens += size
    return Asked(question, chosen, tokens, seconds)


def time_reply(model: LanguageModel, prompt: Prompt, *, written: int) -> Timed:
    """Let the model read a prompt and write so many tokens, and take the time."""
    usage, first, read = Usage(), 0.0, 0
    began = time.perf_counter()
    with closing(model.reply(prompt, max_tokens=written, usage=usage)) as reply:
        for piece in reply:
            if piece and not first:
                first, read = time.perf_counter(), usage.tokens_evaluated
                if written == 1:
                    break
    ended = time.perf_counter()
    # One that has nothing to say has read all the same.
    return Timed((first or ended) - began, read or usage.tokens_evaluated, ended - first, usage.tokens_written)


def load_meter() -> Callable[[], float]:
    """Return a function that returns how many percent of the processor other programs used since now."""
    begun = _processor()

    def load() -> float:
        total, others = (now - then for now, then in zip(_processor(), begun, strict=True))
        return 100 * min(max(others / total, 0.0), 1.0) if total > 0 else 0.0

    return load


def usual_threads() -> int:
    """Return how many threads `models.threads = 0` stands for."""
    import psutil

    return psutil.cpu_count(logical=False) or os.cpu_count() or 1


def _processor() -> tuple[float, float]:
    """Return the seconds of all processor cores so far, and those that others than this process have used."""
    import psutil

    times = psutil.cpu_times()
    total = sum(times[:8])
    return total, total - times.idle - getattr(times, "iowait", 0.0) - time.process_time()
