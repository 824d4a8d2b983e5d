"""Has the language model read passages before anybody asks, so that an answer finds them read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.laying import AROUND_TOKENS, PassageShelf, lay, takes_pages
from secondme.models.prompts import answer_prompt, evidence_line
from secondme.models.protocols import ReadsAhead
from secondme.search import as_match
from secondme.standing import Standing
from secondme.surroundings import Surroundings

if TYPE_CHECKING:
    from secondme.assistant import Assistant, Progress
    from secondme.models.protocols import Prompt
    from secondme.records import Match, Passage

BATCH = 32
"""Passages that are looked at together."""


def read_ahead(me: Assistant, *, seconds: float = float("inf"), progress: Progress | None = None) -> int:
    """Have the passages read that have no page, for about `seconds`; return how many pages were kept.

    Those go first that answers have used and another model has read, then those stored last. It ends where only pages
    that are more likely to serve would have to go. Raises ConfigError and NoModel.
    """
    if not takes_pages(me.config.models):
        return 0
    model = me.model()
    if not isinstance(model, ReadsAhead):
        return 0
    around = Surroundings(me)
    stop, total = time.monotonic() + seconds, me.store.counts()["passages"]
    made = looked_at = 0
    for batches in (_used(me), _newest(me)):
        for passages in batches:
            prompt, shelf = _prompt(me, around, [as_match(passage) for passage in passages])
            for _ in model.read_ahead(prompt):
                if time.monotonic() >= stop:
                    break
            made += shelf.kept
            looked_at += len(passages)
            if progress:
                progress(min(looked_at, total), total)
            if time.monotonic() >= stop:
                return made
            if shelf.is_full:
                break
    return made


def read_pages(me: Assistant, passages: Sequence[Passage], *, brief: bool) -> int:
    """Have these passages read that have no page, for answers of this form; return how many pages were kept."""
    model = me.model()
    if not isinstance(model, ReadsAhead):
        return 0
    prompt, shelf = _prompt(me, Surroundings(me), [as_match(passage) for passage in passages], brief=brief)
    for _ in model.read_ahead(prompt):
        pass
    return shelf.kept


def _used(me: Assistant) -> Iterator[list[Passage]]:
    used = me.pages().used(me.store)
    for start in range(0, len(used), BATCH):
        yield me.store.passages(used[start : start + BATCH])


def _newest(me: Assistant) -> Iterator[list[Passage]]:
    before: int | None = None
    while passages := me.store.newest_passages(BATCH, before=before):
        yield passages
        before = passages[-1].id


def _prompt(
    me: Assistant, around: Surroundings, matches: Sequence[Match], *, brief: bool = False
) -> tuple[Prompt, PassageShelf]:
    """Return a prompt with those pages that an answer with this evidence would keep, and where they are kept."""
    most, model = me.config.answer.evidence_tokens, me.model()
    # What is longer is cut for an answer.
    whole = [match for match in matches if model.count(evidence_line(match)) <= most]
    laid = lay(me, whole, Standing(me, whole, moment=now()))
    prompt = answer_prompt("", laid.read, mark=me.store.meta("fence") or "", brief=brief)
    behind = around.behind(laid.found)
    room = model.context - model.count(prompt.prefix) - AROUND_TOKENS
    wanted = [
        (page, one.pages, sources)
        for page, one, sources in zip(prompt.pages, behind, laid.sources(behind), strict=True)
        if sources and sum(map(model.count, (page, *one.pages))) <= room
    ]
    # What is read behind the same is read together.
    wanted.sort(key=lambda one: (*one[1], one[0]))
    pages, before, sources = zip(*wanted, strict=True) if wanted else ((), (), ())
    shelf = PassageShelf(me.pages(), sources, is_ahead=True)
    return replace(prompt, pages=pages, behind=before, shelf=shelf), shelf
