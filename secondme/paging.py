"""Which of the evidence of an answer comes from pages, and what is shown beside it because that takes no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from secondme.clock import now
from secondme.laying import Laid, PassageShelf, fresh_count, in_order, lay
from secondme.models.prompts import evidence_line
from secondme.models.protocols import Prompt, ReadsAhead
from secondme.records import Match
from secondme.standing import Standing
from secondme.surroundings import Surroundings

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.store.pages import Source


class Paging:
    """Puts the evidence of one answer on pages."""

    def __init__(self, me: Assistant, model: ReadsAhead, fresh: int) -> None:
        """Have `fresh` of the best passages read anew, and those that have no page."""
        self._me, self._model, self._fresh = me, model, fresh
        self._around = Surroundings(me)
        self._anew = 0

    @classmethod
    def of(cls, me: Assistant) -> Paging | None:
        """Return one for the configured model; None where everything is read anew. Raises ConfigError and NoModel."""
        fresh, model = fresh_count(me.config.models), me.model()
        return cls(me, model, fresh) if fresh is not None and isinstance(model, ReadsAhead) else None

    def arrange(
        self,
        best_first: Sequence[Match],
        *,
        room: int,
        standing: Standing,
        as_prompt: Callable[[Laid], Prompt],
    ) -> list[Match]:
        """Return the evidence in the order it is read: what comes from pages, then what is read anew.

        Passages right beside it in its threads are shown too, where they have a page and fit into `room` tokens.
        `as_prompt` makes the prompt of an answer.
        """
        beside = list(self._beside(best_first, room))
        laid = lay(self._me, [*best_first[self._fresh :], *beside], standing)
        behind = self._around.behind(laid.found)
        sources = laid.sources(behind)
        prompt = self.on_pages(as_prompt(laid), laid)
        paged: list[Match] = []
        wanted: list[Source] = []
        for at, has_page in enumerate(self._model.has_read(prompt)):
            is_beside = at >= len(laid.found) - len(beside)
            if not sources[at]:
                continue
            # What stands behind nothing is made a page while it is read.
            if has_page or not (behind[at].pages or is_beside):
                paged.append(laid.found[at])
            else:
                wanted.append(sources[at][0])
        self._me.pages().want(wanted)
        anew = [match for match in best_first if match not in paged]
        self._anew = len(anew)
        return in_order([*anew, *paged], self._anew)

    def on_pages(self, prompt: Prompt, laid: Laid) -> Prompt:
        """Return the prompt of the evidence that was arranged, with its pages."""
        behind = self._around.behind(laid.found)
        shelf = PassageShelf(self._me.pages(), laid.sources(behind))
        return replace(prompt, shelf=shelf, fresh=self._anew, behind=tuple(one.pages for one in behind))

    def _beside(self, best_first: Sequence[Match], room: int) -> Iterator[Match]:
        """Yield the passages beside the evidence that fit and hold whole."""
        found = self._around.beside(best_first) if room > 0 else []
        standing, count = Standing(self._me, found, moment=now()), self._me.model().count
        for match in found:
            if standing.annotated(match) is match and (size := count(evidence_line(match))) <= room:
                room -= size
                yield match
