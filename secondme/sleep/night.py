"""One night: read what waits, select, verify, consolidate, and note every decision so that it can be taken back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from secondme.clock import now
from secondme.errors import NoModel, SecondmeError
from secondme.locks import sleep_lock
from secondme.models.protocols import Usage
from secondme.records import Passage, SleepReport
from secondme.sleep.consolidate import decide
from secondme.sleep.extract import Extractor, Proposal, Reading, add_up, choose_extractor, held, read
from secondme.sleep.limits import Limits, TooMuch
from secondme.sleep.outdating import find_outdated
from secondme.sleep.settle import (
    carry_out,
    fact_from,
    judged_before,
    known_from,
    marked_by,
    neighbours,
    place_of,
    spared,
    within_zones,
)
from secondme.sleep.turns import Turn, assistant_turns
from secondme.sleep.verdicts import Echo, Keep, Known, Supersede
from secondme.sleep.verify import problem_with
from secondme.store.copies import back_up_for_night
from secondme.store.digestion import Judged
from secondme.store.edit import Edit
from secondme.store.facts import Place
from secondme.store.journal import State
from secondme.store.zones import REPEATED, reopen

if TYPE_CHECKING:
    from secondme.assistant import Assistant

T = TypeVar("T")
Progress = Callable[[int, int], None]

ALWAYS_ALLOWED = 10
"""So many earlier facts may change in a night however few there are."""


@dataclass(slots=True)
class Night:
    """A run of sleep over one memory."""

    me: Assistant
    extractor: Extractor
    limits: Limits
    now: datetime
    started: float
    """When it began, on the monotonic clock: what it waited for before counts as well."""
    usage: Usage = field(default_factory=Usage)
    run: int = 0
    passages: int = 0
    changes: int = 0
    earlier: int = 0
    """The highest number of a fact that was there before this night."""
    earlier_changed: int = 0
    allowed: float = float("inf")
    turns: dict[int, Sequence[Turn]] = field(default_factory=dict)

    def sleep(self, progress: Progress | None = None) -> SleepReport:
        """Read until nothing waits or a limit is reached; an interrupt ends it after what is stored so far."""
        total = self.me.store.digestion.waiting()
        self._begin()
        state: State = "failed"
        why = ""
        try:
            why = self._read_all(total, progress)
            state = "stopped" if why else "done"
        except KeyboardInterrupt:
            state, why = "interrupted", "it was interrupted"
        except SecondmeError as error:
            why = str(error)
            raise
        finally:
            with self.me.store.writing():
                self.me.store.journal.report(self.run, {**self._figures(), "why": why})
                self.me.store.journal.end(self.run, state, now=self.now)
        return self._report(state, why)

    def _begin(self) -> None:
        store = self.me.store
        with store.writing():
            self.run = store.journal.start(self.extractor.model.name, now=self.now)
        self.earlier, count = store.facts.extent()
        if self.limits.share is not None:
            self.allowed = max(ALWAYS_ALLOWED, self.limits.share * count)

    def _read_all(self, total: int, progress: Progress | None) -> str:
        """Return what stopped it, "" where nothing is left."""
        # Asking for what waits before each batch would read all that is done again and again.
        while queue := self.me.store.digestion.queue():
            for start in range(0, len(queue), self.extractor.batch):
                if why := self._exhausted():
                    return why
                for reading, judged, proposals in self._read(queue[start : start + self.extractor.batch]):
                    if why := self._digest(reading, judged, proposals):
                        return why
                    if progress:
                        progress(self.passages, max(total, self.passages))
        return ""

    def _read(self, passages: Sequence[int]) -> Iterator[tuple[Reading, Mapping[int, Judged], list[Proposal]]]:
        """Return what is proposed for each of these passages, and what was decided on its lines before."""
        # What was forgotten or replaced since the queue was read is not among them.
        found, topics = self.me.store.passages(passages), self.me.store.topics.of(passages)
        me, zones = self.me.config.me.name, self.me.store.facts.zones()
        # A long note is read in many batches.
        self.turns = {one.note_id: self._turns_of(one.note_id) for one in found}
        readings = [
            replace(
                read(one, me=me, trust=zones.trust_in(one), turns=self.turns[one.note_id]), topic=topics.get(one.id, 0)
            )
            for one in found
        ]
        known = [judged_before(reading, self.me.store) for reading in readings]
        fresh = [reading.without(judged) for reading, judged in zip(readings, known, strict=True)]
        return zip(readings, known, _twice(lambda: self.extractor.extract(fresh, self.usage)), strict=True)

    def _turns_of(self, note_id: int) -> Sequence[Turn]:
        note = None if note_id in self.turns else self.me.store.note(note_id)
        return assistant_turns(note.text, me=self.me.config.me.name) if note else self.turns.get(note_id, ())

    def _exhausted(self) -> str:
        spent = self.usage.tokens_evaluated + self.usage.tokens_written
        return self.limits.reached(seconds=time.monotonic() - self.started, tokens=spent, changes=self.changes)

    def _digest(self, reading: Reading, known: Mapping[int, Judged], proposals: list[Proposal]) -> str:
        """Decide on all of a passage and note that it is read; return what stopped it."""
        store, passage = self.me.store, reading.passage
        rejected = [(place_of(passage, clause), "", why) for clause, why in reading.unfit]
        for draft in reading.drafts:
            if judged := known.get(draft.clause.start):
                place = place_of(passage, draft.clause)
                if judged.memory_id is None:
                    rejected.append((place, "", judged.reason))
                else:
                    self._repeat(passage, judged.memory_id, place)
        for clause, line in groupby(proposals, key=lambda one: one.clause):
            place = place_of(passage, clause)
            proposed = [replace(one, rejected=one.rejected or self._problem(reading, one)) for one in line]
            if all(one.rejected for one in proposed):
                rejected += [(place, one.text, one.rejected) for one in proposed]
            elif stopped := self._exhausted() or self._settle(reading, proposed, place):
                return stopped
        with store.writing():
            if store.digestion.is_waiting(passage):
                for place, text, why in rejected:
                    store.digestion.reject(place, text, why, self.run)
                store.digestion.finish(passage, self.run)
                self.passages += 1
                store.journal.report(self.run, self._figures())
        return ""

    def _problem(self, reading: Reading, proposal: Proposal) -> str:
        # The passage stands for its note: that it is still there unchanged is made sure of when it is stored.
        passage, clause = reading.passage, proposal.clause
        span = passage.span
        problem = problem_with(
            proposal.text,
            quote=clause.text,
            note=span.text,
            start=clause.start - span.start,
            end=clause.end - span.start,
            author=passage.author,
            me=self.me.config.me.name,
            said_at=passage.happened_at,
        )
        return problem or held(reading, proposal.text, proposal.kind, me=self.me.config.me.name)

    def _repeat(self, passage: Passage, memory_id: int, place: Place) -> None:
        store = self.me.store
        with store.writing():
            edit = Edit(store.db, now=self.now)
            if store.digestion.is_waiting(passage) and edit.add_evidence(memory_id, place):
                store.journal.record(self.run, "repeat", memory_id, "the same line", edit, now=self.now)
                self.changes += 1

    def _settle(self, reading: Reading, line: Sequence[Proposal], place: Place) -> str:
        """Decide on all that is proposed of a line, in one transaction; return why the night has to stop before it."""
        store, passage = self.me.store, reading.passage
        # Models are asked before the lock is taken.
        good = [one.text for one in line if not one.rejected]
        codes = {text: self.me.codes_of(text) for text in good}
        outdated = {text: self._outdated(reading, text) for text in good}
        changes = marked = 0
        try:
            with store.writing():
                if not store.digestion.is_waiting(passage):
                    return ""
                for one in line:
                    if one.rejected:
                        store.digestion.reject(place, one.text, one.rejected, self.run)
                        continue
                    made, olds = self._store(reading, one, place, codes[one.text], outdated[one.text])
                    changes, marked = changes + made, marked + len(olds)
                    if self.earlier_changed + marked > self.allowed:
                        raise TooMuch
        except TooMuch:
            return f"more than {self.allowed:.0f} earlier facts would change"
        self.changes += changes
        self.earlier_changed += marked
        return ""

    def _outdated(self, reading: Reading, text: str) -> Known | None:
        """Return the fact that a new one makes untrue as far as a model can tell, where no rule says anything."""
        me, passage = self.me.config.me.name, reading.passage
        new = known_from(passage, text, reading.trust, me=me)
        # In talk, "now" and "started" hardly ever end anything: all three it was told so in 788 messages were errors.
        earlier = neighbours(self.me.store, new, me=me) if passage.origin in ("typed", "file") else []
        if not isinstance(decide(new, earlier), Keep):
            return None
        used = Usage()
        found, asked = _twice(lambda: find_outdated(new, earlier, model=self.extractor.model, usage=used))
        add_up(self.usage, used)
        self.extractor.calls += asked
        return found

    def _store(
        self, reading: Reading, proposal: Proposal, place: Place, codes: bytes | None, outdated: Known | None
    ) -> tuple[bool, Sequence[int]]:
        """Store a proposal as its verdict says; return whether that changed anything, and the earlier facts retired."""
        store, me, passage = self.me.store, self.me.config.me.name, reading.passage
        new = known_from(passage, proposal.text, reading.trust, me=me)
        earlier = neighbours(store, new, me=me)
        verdict = within_zones(decide(new, earlier), new, earlier)
        if isinstance(verdict, Echo):
            store.digestion.reject(place, proposal.text, REPEATED, self.run)
            return False, ()
        if outdated is not None and isinstance(verdict, Keep) and store.facts.is_current(outdated.id):
            verdict = Supersede((outdated.id,), new.said_at, new.said_at, None, None)
        verdict = spared(verdict, store.pins.facts())
        fact = fact_from(passage, proposal, new.statement)
        edit = Edit(store.db, now=self.now)
        verb, memory_id = carry_out(verdict, fact, place, store=store, edit=edit, codes=codes)
        if not edit.is_empty:
            store.journal.record(self.run, verb, memory_id, proposal.reason, edit, now=self.now)
        return not edit.is_empty, [id for id in marked_by(verdict) if id <= self.earlier]

    def _figures(self) -> dict[str, Any]:
        return {
            "passages": self.passages,
            "calls": self.extractor.calls,
            "tokens_sent": self.usage.tokens_sent,
            "tokens_evaluated": self.usage.tokens_evaluated,
            "tokens_written": self.usage.tokens_written,
            "seconds": round(time.monotonic() - self.started, 2),
        }

    def _report(self, state: str, why: str) -> SleepReport:
        journal, waiting = self.me.store.journal, self.me.store.digestion.waiting()
        made = Counter[str](change.verb for change in journal.changes(self.run))
        return SleepReport(
            run=f"r{self.run}",
            state=state,
            why=why,
            waiting=waiting,
            changes=dict(made),
            rejected=journal.rejected(self.run),
            **self._figures(),
        )


def _twice(ask: Callable[[], T]) -> T:
    """Ask a model once more where it failed: a server may have been busy or have started anew."""
    try:
        return ask()
    except NoModel:
        return ask()


def sleep(me: Assistant, limits: Limits, *, progress: Progress | None = None) -> SleepReport:
    """Read what waits in the memory of `me`, once it is copied. Raises NoModel, and IntegrityError without a copy."""
    with sleep_lock(me.paths):
        with me.store.writing():
            reopen(me.store.db, me.store.facts.zones())
        if not me.store.digestion.waiting():
            return SleepReport("", "done", "", 0, 0, {}, {}, 0, 0, 0, 0, 0.0)
        started = time.monotonic()
        me.embed_waiting(seconds=float("inf") if limits.seconds is None else limits.seconds, progress=progress)
        extractor = choose_extractor(me.model(), me.config.sleep, me=me.config.me.name)
        back_up_for_night(me.store.db, me.store.path, now=now())
        return Night(me, extractor, limits, now(), started).sleep(progress)
