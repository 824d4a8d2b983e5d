"""Answer a question: choose a regime, gather evidence within a budget, stream words with checked citations."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from secondme.attribution import Attribution
from secondme.citations import Citer
from secondme.clock import now
from secondme.laying import AROUND_TOKENS, Laid, in_order, lay
from secondme.models.prompts import (
    NOT_IN_MEMORY,
    answer_prompt,
    evidence_line,
    is_refusal,
    question_kind,
    without_echo,
)
from secondme.models.protocols import Prompt, Usage
from secondme.paging import Paging
from secondme.recall.evidence import holds_answer, is_of_others
from secondme.records import Answer, Filters, Match, Regime
from secondme.standing import Standing

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.search import Found

BRIEF_TOKENS = 40
_SUM = re.compile(r"[\s\d+\-*/x×÷^().,=?]*\d[\s\d+\-*/x×÷^().,=?]*", re.IGNORECASE)
# Without spaces around it, a dash or a slash may belong to a date; a plus before all figures, to a phone number.
_OPERATOR = re.compile(r"[\d)]\s*[+*x×÷^]|\s[-/]\s", re.IGNORECASE)
_GREETING = re.compile(
    r"(hi|hello|hey|thanks|thank you|good (morning|afternoon|evening|night))"
    r"( there| again| a lot| so much| very much)?\b[\s!.,]*",
    re.IGNORECASE,
)
_ARITHMETIC = re.compile(r"^(what is|what's|how much is|calculate)\b", re.IGNORECASE)


class AnswerStream:
    """An answer in the making: `evidence` is there at once, iterating yields text, then `answer` is whole."""

    def __init__(
        self,
        me: Assistant,
        question: str,
        *,
        k: int,
        filters: Filters | None,
        brief: bool,
        before: tuple[str, str] | None = None,
    ) -> None:
        """Search for evidence; no model is touched before the first piece is asked for."""
        self._me = me
        self._question = question.strip()
        self._brief = brief
        self._before = before
        self._started = time.perf_counter()
        # Facts are the words of passages: they say here which of these hold, and are no evidence of their own.
        wanted = filters or Filters()
        # What "it" is, the question before it says.
        asked = f"{before[0]} {question}" if before else question
        self.found: Found = me.search(asked, k=k, filters=replace(wanted, kind=wanted.kind or "passage"))
        """What the search found."""
        self._alone = is_about_nothing_stored(self._question)
        self.evidence: tuple[Match, ...] = () if self._alone else tuple(self._gather(k, filters))
        """What the answer is drawn from, best first."""
        self._standing = Standing(me, self.evidence, moment=wanted.as_of or now())
        self._trace: dict[str, Any] = {"seconds_to_evidence": self._seconds(), "passages": self.found.passages}
        self._answer: Answer | None = None
        self._is_cancelled = False
        self._mark = me.store.meta("fence") or ""
        self._paging: Paging | None = None
        self._is_whole = filters in (None, Filters())
        """True where all of memory may be shown."""
        self._running = self._run()

    def __iter__(self) -> Iterator[str]:
        """Yield the text piece by piece; raises NoModel where a model is needed."""
        return self._running

    @property
    def answer(self) -> Answer:
        """The whole answer, or what came before `close`."""
        if self._answer is None:
            raise RuntimeError("the answer is not complete: iterate over the stream first")
        return self._answer

    def close(self) -> None:
        """Stop the model at its next token; the answer keeps what came so far."""
        self._running.close()

    def cancel(self) -> None:
        """Do as `close` does while another thread iterates: it comes to the end at the next token."""
        self._is_cancelled = True

    def _run(self) -> Generator[str, None, None]:
        if why := self._why_not_ask():
            yield from self._abstain(why)
            return
        model = self._me.model()
        self._paging = Paging.of(self._me)
        shown = self._within_budget()
        regime = self._regime(shown)
        laid = lay(self._me, shown, self._standing)
        citer = self._citer(laid.read, Attribution(shown, laid.whose, self._question, me=self._me.config.me.name))
        limit = BRIEF_TOKENS if self._brief else self._me.config.answer.max_tokens
        # The mark is never shown: whoever learns it could write it.
        stop = ("\n", self._mark) if self._brief else (self._mark,)
        prompt, usage, text, is_complete = self._prompt(laid), Usage(), "", False
        try:
            # Closing the model's iterator ends its work at the next token, whatever ends ours.
            with closing(model.reply(prompt, max_tokens=limit, stop=stop, usage=usage)) as reply:
                for piece in citer.pieces(self._while_wanted(reply)):
                    self._trace.setdefault("seconds_to_first_word", self._seconds())
                    text += piece
                    if not self._brief:
                        yield piece
            is_complete = not self._is_cancelled
            says_more = is_complete and not is_refusal(text)
            if says_more and (history := self._history(text, shown, citer.cited)) and not self._brief:
                text += history
                yield history
        finally:
            self._trace |= {
                "seconds": self._seconds(),
                **asdict(usage),
                "evidence_shown": [match.id for match in shown],
                "unsupported_sentences": citer.unsupported,
            }
            citations = tuple(shown[number - 1] for number in citer.cited)
            self._answer = self._whole(text.strip(), citations, regime, is_complete=is_complete)
        if self._brief:
            yield self._answer.text
        elif self._answer.abstained and not is_refusal(text):
            yield f"\n{NOT_IN_MEMORY}"

    def _prompt(self, laid: Laid) -> Prompt:
        if not laid.read:
            return Prompt("", (), self._question)
        prompt = self._joined(laid)
        return self._paging.on_pages(prompt, laid) if self._paging else prompt

    def _joined(self, laid: Laid) -> Prompt:
        return answer_prompt(self._question, laid.read, mark=self._mark, brief=self._brief, before=self._before)

    def _while_wanted(self, reply: Iterator[str]) -> Iterator[str]:
        for piece in reply:
            if self._is_cancelled:
                return
            yield piece

    def _citer(self, read: Sequence[Match], attribution: Attribution) -> Citer:
        lines = [evidence_line(match) for match in read]
        best = next((number for number, match in enumerate(read, 1) if match.id == self.evidence[0].id), 1)
        return Citer(lines, self._question, best=best, attribution=attribution)

    def _history(self, text: str, shown: list[Match], cited: list[int]) -> str:
        """Return what was so before, with marks; its sources join those shown and cited."""
        added = []
        for words, match, other in self._standing.history(text, [shown[number - 1] for number in cited]):
            if other.id not in {one.id for one in shown}:
                shown.append(other)
            numbers = [next(n for n, one in enumerate(shown, 1) if one.id == id) for id in (match.id, other.id)]
            cited += [number for number in numbers if number not in cited]
            added.append(f" {words} [{numbers[0]}][{numbers[1]}].")
        return "".join(dict.fromkeys(added))

    def _whole(self, text: str, citations: tuple[Match, ...], regime: Regime, *, is_complete: bool) -> Answer:
        """Return the answer; without a source it does not count as one, unless memory was not asked.

        One that was stopped is what came so far: its last sentence has no marks yet.
        """
        has_source = bool(citations) or self._brief or regime == "none"
        if is_of_others(citations, self.found.named):
            self._trace["why"] = f"only others than {self.found.named[0]} speak of this"
            has_source = False
        if not text or (is_complete and (is_refusal(text) or not has_source)):
            return Answer(NOT_IN_MEMORY, (), True, "abstained", self._trace)
        if self._brief:
            text = without_echo(re.sub(r"\s*\[\d+\]", "", text), self._question)
        return Answer(text, citations, False, regime, self._trace)

    def _gather(self, k: int, filters: Filters | None) -> list[Match]:
        """Return the matches, and the rest of memory behind them where that is not more than `k` passages in all."""
        is_small = self.found.passages <= k and filters in (None, Filters())
        return self.found.matches + (self._me.searcher().rest(self.found) if is_small else [])

    def _why_not_ask(self) -> str:
        """Return why no model needs to be asked: memory does not hold the answer; "" where it may."""
        if self._alone:
            return ""
        if not self.found.passages:
            return "nothing is stored yet"
        if self.found.unknown and question_kind(self._question) != "choice":
            return f"nothing in memory mentions {' or '.join(self.found.unknown)}"
        shows_all = 0 < self.found.passages == len(self.evidence)
        if shows_all or holds_answer(self.found.field, self.found.ranking):
            return ""
        return "nothing in memory comes close to the question"

    def _abstain(self, why: str) -> Iterator[str]:
        self._trace |= {"seconds": self._seconds(), "why": why}
        self._answer = Answer(f"{NOT_IN_MEMORY[:-1]}: {why}.", (), True, "abstained", self._trace)
        yield self._answer.text

    def _regime(self, shown: list[Match]) -> Regime:
        if self._alone:
            return "none"
        return "everything" if len(shown) == self.found.passages else "retrieval"

    def _within_budget(self) -> list[Match]:
        """Return the best evidence that fits the budget, in the order it is read; a long passage is cut to fit.

        What the model could not hold beside the question and its answer is left out, and counted in the trace.
        """
        model, wanted = self._me.model(), self._me.config.answer.evidence_tokens
        room = self._room()
        left = min(wanted, room)
        chosen: list[Match] = []
        names_time = self.found.time is not None
        best = self._standing.up_to_date(self.evidence, self._question, names_time=names_time)
        for match in best:
            size = model.count(evidence_line(match))
            if size > left and chosen:
                break
            while size > left and match.text:
                match = replace(match, text=match.text[: len(match.text) * max(left, 0) // size])
                size = model.count(evidence_line(match))
            left -= size
            chosen.append(match)
        if room < wanted and len(chosen) < len(best):
            self._trace["left_out"] = len(best) - len(chosen)
        if self._paging is None:
            return in_order(chosen, len(chosen))
        # Where not all of it counts, what stands beside it would only distract.
        is_all = self._is_whole and len(best) == len(self.evidence)
        free = room - (min(wanted, room) - left) if is_all else 0
        return self._paging.arrange(chosen, room=free, standing=self._standing, as_prompt=self._joined)

    def _room(self) -> int:
        """Return how many tokens of evidence fit into the window of the model, beside all else."""
        model, config = self._me.model(), self._me.config.answer
        prompt = answer_prompt(self._question, (), mark=self._mark, brief=self._brief, before=self._before)
        written = BRIEF_TOKENS if self._brief else config.max_tokens
        return model.context - written - model.count(prompt.prefix) - model.count(prompt.body) - AROUND_TOKENS

    def _seconds(self) -> float:
        return round(time.perf_counter() - self._started, 3)


def is_about_nothing_stored(question: str) -> bool:
    """True for arithmetic and greetings, which memory has nothing to say to."""
    figures, is_asked = _ARITHMETIC.subn("", question)
    is_sum = _SUM.fullmatch(figures) and (is_asked or _OPERATOR.search(figures))
    return bool(is_sum or _GREETING.fullmatch(question))
