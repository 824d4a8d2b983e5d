"""One run of measurements of the engine, over a memory, and what is chosen on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice, pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from secondme import measuring
from secondme.errors import NoDatabase, NoModel, UsageError
from secondme.laying import fresh_count, in_order
from secondme.models.prompts import answer_prompt, evidence_line
from secondme.models.protocols import Prompt, ReadsAhead
from secondme.store.connect import key_of
from secondme.store.pages import PageStore
from secondme.tuning import (
    BUSY,
    FirstWord,
    Measured,
    OfKind,
    OfThreads,
    Speed,
    choose_fresh,
    choose_kind,
    choose_threads,
    fewest_fresh,
    thread_counts,
    with_fresh,
)

if TYPE_CHECKING:
    from secondme.assistant import Assistant, Progress
    from secondme.config import ModelsConfig
    from secondme.measuring import Asked, Timed, TrialShelf
    from secondme.models.protocols import LanguageModel

KINDS = ("f16", "q8_0", "q4_0")
"""The values of models.kv."""
REPEATS = 3
"""Each figure is the median of so many."""
READ, WRITTEN = 128, 16
"""Tokens by which a speed is measured."""
PAGES = 3
"""Put together to measure how long one takes."""
NUMBERS = range(5)
"""How many passages are read anew, to be compared; what has to be and what is in force come to them."""
TALK = 60
"""Tokens of a question and what stands around it, about."""
WRITING_COSTS = 3
"""A token that is written takes as long as so many that are read, about."""
_ROOM = 1 << 40
_COUNTING = "Go on with the count."


def measure(me: Assistant, *, asked: int | None, progress: Progress) -> Measured:
    """Measure the configured model on this memory, which takes a minute or three; `progress` is told percents.

    `asked` is how many passages the user wants to have read anew at least. Raises NoDatabase where nothing is stored,
    NoModel, and UsageError where the model is not run here.
    """
    with (
        TemporaryDirectory(dir=me.store.path.parent, prefix=".secondme-tune-") as folder,
        PageStore(Path(folder, "memory.db"), key_of(me.store.db), budget_bytes=_ROOM) as disk,
    ):
        return Trial(me, measuring.TrialShelf(disk), progress).run(asked)


class Trial:
    """Measures one model after the other: there may not be memory for two."""

    def __init__(self, me: Assistant, shelf: TrialShelf, progress: Progress) -> None:
        """Find questions and their evidence; raises as `measure` does."""
        self._me, self._shelf, self._progress = me, shelf, progress
        self._load = measuring.load_meter()
        self._spent, self._planned, self._slowness, self._count = 0.0, 1.0, 1.0, 0
        questions = measuring.recent_questions(me)
        model = self._model(me.config.models)
        asked = (measuring.ask(me, question, model) for question in questions)
        self._asked = [one for one in asked if one.best_first]
        if not self._asked:
            raise NoDatabase("what is stored holds no words, so there is nothing to measure with", hint=measuring.ADD)
        self._lines = [evidence_line(match) for match in self._asked[0].best_first]
        self._text = _of_length(" ".join(self._lines), READ, model.count)

    def run(self, asked: int | None) -> Measured:
        """Measure everything, and choose."""
        models, settings = self._me.config.models, self._me.config.answer
        cores = measuring.usual_threads()
        fewest = fewest_fresh(models, asked) if models.page_budget else None
        counts = thread_counts(cores, os.cpu_count() or cores, models.threads or cores)
        numbers = sorted({*NUMBERS, fewest or 0, fresh_count(models) or 0}, reverse=True) if models.page_budget else []
        self._plan([max(cores / count, 1.0) for count in counts], numbers)
        threads = [self._of_threads(count, slowness=max(cores / count, 1.0)) for count in counts]
        in_force = models.threads or cores
        best = choose_threads(threads, in_force) if self._load() <= BUSY else in_force
        if best != in_force:
            models = replace(models, threads=0 if best == cores else best)
        known = {models.kv: next(row.speed for row in threads if row.threads == best)}
        kinds = [self._of_kind(replace(models, kv=kv), known.get(kv)) for kv in KINDS]
        if self._load() <= BUSY:
            models = replace(models, kv=choose_kind(kinds, models.kv))
        first_words = self._first_words(models, numbers)
        is_small = self._me.store.counts()["passages"] < settings.evidence
        if not is_small:
            models = with_fresh(models, choose_fresh(first_words, fewest, models.first_word_ms / 1000))
        return Measured(
            cores,
            tuple(threads),
            tuple(kinds),
            tuple(first_words),
            passages=round(median(len(one.best_first) for one in self._asked)),
            tokens=round(median(one.tokens for one in self._asked)),
            fewest=fewest,
            is_small=is_small,
            load=self._load(),
            chosen=models,
        )

    def _of_threads(self, count: int, *, slowness: float) -> OfThreads:
        self._slowness = slowness
        model = self._model(replace(self._me.config.models, threads=count))
        try:
            return OfThreads(count, self._speed(model))
        finally:
            self._slowness = 1.0

    def _of_kind(self, models: ModelsConfig, known: Speed | None) -> OfKind:
        """Measure a way to keep what was read; its speed, unless it is known, and its pages."""
        model = self._model(models)
        speed = known or self._speed(model)
        # Of a memory with few passages, one is a page more than once.
        lines = tuple(islice(cycle(self._lines), PAGES))
        prompt = Prompt(_COUNTING, lines, lead="1, 2, 3,", shelf=self._shelf)
        self._timed(model, prompt)
        takes = []
        for _ in range(REPEATS):
            self._shelf.moments.clear()
            self._timed(model, prompt)
            takes += [after - before for before, after in pairwise(self._shelf.moments)]
        if not takes:
            return OfKind(models.kv, speed)
        # A line that comes again is no page of its own.
        kept = self._shelf.sizes
        sizes = [kept[at] / model.count(f"{line}\n") for at, line in enumerate(lines) if at in kept]
        return OfKind(models.kv, speed, token_bytes=median(sizes), load_seconds=median(takes))

    def _first_words(self, models: ModelsConfig, numbers: Sequence[int]) -> list[FirstWord]:
        model = self._model(models)
        fewest_pages = min(len(one.best_first) for one in self._asked)
        self._shelf.sizes.clear()
        rows: dict[int | None, list[tuple[float, int]]] = {}
        for one in self._asked:
            assert isinstance(model, ReadsAhead)
            for _ in model.read_ahead(self._prompt(one, 0)):
                pass
            self._spend(one.tokens)
            # A model that cannot put pages together made none. All are read first, for behind pages nothing of the
            # question before can be used again, as it is not where one asks something else.
            able = [number for number in numbers if number < fewest_pages and self._shelf.sizes]
            for fresh in (None, *able):
                timed = self._timed(model, self._prompt(one, fresh))
                rows.setdefault(fresh, []).append((one.seconds + timed.seconds, timed.read))
        return [
            FirstWord(fresh, median(seconds for seconds, _ in found), round(median(read for _, read in found)))
            for fresh, found in rows.items()
        ]

    def _prompt(self, one: Asked, fresh: int | None) -> Prompt:
        evidence = in_order(one.best_first, len(one.best_first) if fresh is None else fresh)
        mark = self._me.store.meta("fence") or ""
        prompt = answer_prompt(one.question, evidence, mark=mark, brief=False)
        return prompt if fresh is None else replace(prompt, shelf=self._shelf, fresh=fresh)

    def _speed(self, model: LanguageModel) -> Speed:
        """Measure how fast a model reads and writes."""
        self._timed(model, Prompt(_COUNTING, lead="1, 2, 3,"))  # the first reply brings the file into memory
        found = []
        for _ in range(REPEATS):
            # What differs from the first token on has to be read.
            self._count += 1
            prompt = Prompt(_COUNTING, (f"{self._count}: {self._text}",), lead="1, 2, 3, 4, 5,")
            found.append(self._timed(model, prompt, written=WRITTEN))
        if any(one.written < WRITTEN // 2 for one in found):
            raise NoModel(f"{model.name} writes too little to be measured", hint="secondme model verify")
        return Speed(
            median(one.read / one.seconds for one in found), median(one.written / one.writing for one in found)
        )

    def _timed(self, model: LanguageModel, prompt: Prompt, *, written: int = 1) -> Timed:
        timed = measuring.time_reply(model, prompt, written=written)
        self._spend(timed.read + WRITING_COSTS * timed.written)
        return timed

    def _model(self, models: ModelsConfig) -> LanguageModel:
        model = self._me.plugins.language_model(models)
        if model is None:
            raise NoModel("no language model is configured", hint="secondme model list")
        if not isinstance(model, ReadsAhead):
            raise UsageError(
                f"{model.name} is not run by llama.cpp in secondme, so there is nothing to tune",
                hint="tune the program that runs it; or choose a model: secondme model list",
            )
        return model

    def _plan(self, slowness: Sequence[float], numbers: Sequence[int]) -> None:
        """Estimate what there is to do, as tokens to be read."""
        evidence = sum(one.tokens for one in self._asked)
        line = evidence / max(sum(len(one.best_first) for one in self._asked), 1)
        speed = REPEATS * (READ + TALK + WRITING_COSTS * WRITTEN) + TALK
        pages = PAGES * line + (REPEATS + 1) * TALK
        words = 2 * evidence + len(self._asked) * sum(number * line + TALK for number in (0, *numbers))
        self._planned = speed * (sum(slowness) + len(KINDS) - 1) + pages * len(KINDS) + words

    def _spend(self, tokens: float) -> None:
        self._spent += tokens * self._slowness
        self._progress(min(99, int(100 * self._spent / self._planned)), 100)


def _of_length(text: str, tokens: int, count: Callable[[str], int]) -> str:
    """Return a text of about so many tokens: the beginning of `text`, said again where it is too short."""
    found = text
    while (size := count(found)) < tokens:
        found = f"{found} {text}"
    return found[: len(found) * tokens // size]
