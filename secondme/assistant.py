"""The verbs of a memory: add, recall, ask, forget, export. This is what Python code and the command line use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from secondme import embedding, forgetting, keeping, keys, review
from secondme.clean import clean
from secondme.clock import now
from secondme.config import Config, load_config
from secondme.errors import NoModel, NotFound, UsageError
from secondme.ids import number_in, parse_id
from secondme.paths import Paths, find_paths
from secondme.plugins import Plugins, load_plugins
from secondme.records import Added, Answer, Fact, Filters, Forgotten, Match, Note, Passage, Skipped, SleepReport
from secondme.store.zones import owned

if TYPE_CHECKING:
    from secondme.answer import AnswerStream
    from secondme.models.protocols import Embedder, LanguageModel
    from secondme.search import Found, Search
    from secondme.store.journal import Change
    from secondme.store.pages import PageStore
    from secondme.store.store import Store

Progress = Callable[[int, int], None]
"""Called with (done, all)."""


class Assistant:
    """One memory, open. It belongs to the thread that opened it."""

    def __init__(self, store: Store, paths: Paths, config: Config, plugins: Plugins) -> None:
        """Use `Assistant.open` instead."""
        self.store = owned(store, config)
        self.paths = paths
        self.config = config
        self.plugins = plugins
        self.no_embedder = ""
        """Why there is no embedder, where there is none."""
        self.loaded_embedder: Embedder | None = None
        """What `embedder` returned last."""
        self._model: LanguageModel | None = None
        self._search: Search | None = None
        self._pages: PageStore | None = None

    @classmethod
    def open(
        cls,
        home: str | os.PathLike[str] | None = None,
        *,
        config: Config | None = None,
        plugins: Plugins | None = None,
        create: bool = True,
    ) -> Assistant:
        """Open the memory in the folder `home`, by default the user's own; raises NoDatabase where it must exist."""
        paths = find_paths(home)
        settings = config or load_config(paths.config)
        store = keys.open_store(paths, settings, create=create)
        return cls(store, paths, settings, plugins or load_plugins(settings.plugins.disabled))

    def close(self) -> None:
        """Close the memory."""
        if self._pages is not None:
            self._pages.close()
        self.store.close()

    def __enter__(self) -> Assistant:
        """Return the open memory."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the memory."""
        self.close()

    def add(self, note: Note) -> Note:
        """Store a note and return it as stored, with its id; it is on the disk when this returns.

        Its vectors follow with the next search. Raises UsageError where there is nothing to store, or where it was
        forgotten and the user did not type it again.
        """
        return keeping.add(self, note)

    def add_many(self, notes: Iterable[Note | Skipped], *, progress: Progress | None = None) -> Added:
        """Store notes in one transaction and then compute their vectors; what cannot be stored is in `skipped`."""
        added = self.write(notes)
        if added.added:
            self.embed_waiting(progress=progress)
        return added

    def write(self, notes: Iterable[Note | Skipped], *, named: bool = False) -> Added:
        """Store notes in one transaction and leave their vectors for later.

        What was forgotten stays out, unless the user typed it or, where they are `named`, named these very notes.
        """
        return keeping.write(self, notes, named=named)

    def embed_waiting(self, *, seconds: float = float("inf"), progress: Progress | None = None) -> int:
        """Compute vectors of passages that have none, for about `seconds`; return how many still wait.

        Without an embedder nothing happens, and `no_embedder` says why.
        """
        return embedding.embed_waiting(self, seconds=seconds, progress=progress)

    def embedder(self) -> Embedder | None:
        """Return the embedder, loaded at the first call; None where there is none or other vectors are stored."""
        return embedding.embedder_of(self)

    def model(self) -> LanguageModel:
        """Return the language model, loading it at the first call; raises NoModel."""
        if self._model is None:
            self._model = self.plugins.language_model(self.config.models)
        if self._model is None:
            raise NoModel("no language model is configured", hint="secondme model list; or ask with --no-llm")
        return self._model

    def pages(self) -> PageStore:
        """Return where states of passages are kept, so that a model need not read them again."""
        from secondme.store.pages import PageStore

        self._pages = self._pages or PageStore.of(self.store, budget_bytes=self.config.models.page_budget)
        return self._pages

    def recall(self, question: str, *, k: int = 10, filters: Filters | None = None) -> list[Match]:
        """Return the `k` passages and facts that answer `question` best, without a language model."""
        return self.search(question, k=k, filters=filters).matches

    def search(self, question: str, *, k: int = 10, filters: Filters | None = None) -> Found:
        """Return what `recall` returns, with how it was found."""
        if not question.strip():
            raise UsageError("the question is empty")
        if k < 1:
            raise UsageError(f"k must be at least 1, not {k}")
        # A few missing vectors are filled in on the way; many are left to add and reindex, which show progress.
        self.embed_waiting(seconds=0.3)
        # Asked as of a day, "last week" is the week before it.
        moment = (filters and filters.as_of) or now()
        return self.searcher().find(clean(question), k=k, now=moment, filters=filters, embedder=self.embedder())

    def searcher(self) -> Search:
        """Return the search over this memory."""
        if self._search is None:
            from secondme.search import Search

            self._search = Search(self.store, me=self.config.me.name)
        return self._search

    def ask_stream(
        self,
        question: str,
        *,
        k: int | None = None,
        filters: Filters | None = None,
        brief: bool = False,
        before: tuple[str, str] | None = None,
    ) -> AnswerStream:
        """Begin to answer; iterate over the stream for pieces of text, then read its `answer`.

        `before` is the question that this one follows, and its answer.
        """
        from secondme.answer import AnswerStream

        wanted = self.config.answer.evidence if k is None else k
        return AnswerStream(self, question, k=wanted, filters=filters, brief=brief, before=before)

    def ask(
        self, question: str, *, k: int | None = None, filters: Filters | None = None, brief: bool = False
    ) -> Answer:
        """Answer from memory; `brief` gives a short phrase without marks. Raises NoModel where a model is needed."""
        stream = self.ask_stream(question, k=k, filters=filters, brief=brief)
        for _ in stream:
            pass
        return stream.answer

    def note(self, id: str) -> tuple[Note, Passage | None]:
        """Return the note of an id such as `n12`, and the passage where the id names one, such as `n12.3`."""
        note_id, position = parse_id(id)
        note = self.store.note(note_id)
        if note is None:
            raise NotFound(f"there is no {id}", hint="secondme list")
        if position is None:
            return note, None
        # Among all passages of a note of megabytes, it would take seconds to find.
        number = self.store.passage_number(note_id, position) if position else None
        if number is None:
            raise NotFound(f"{note.id} has {len(self.store.passages_of(note_id))} passages, not {position}")
        [passage] = self.store.passages([number])
        return note, passage

    def facts(self, ids: Iterable[str]) -> list[Fact]:
        """Return the facts of ids such as `m7`. Raises UsageError and NotFound."""
        wanted = list(ids)
        found = self.store.facts.get([number_in(id, "m") for id in wanted])
        if missing := sorted(set(wanted) - {fact.id for fact in found}):
            raise NotFound(f"there is no {missing[0]}", hint="secondme facts")
        return found

    def current_facts(self, about: str = "", *, as_of: datetime | None = None, k: int | None = None) -> list[Fact]:
        """Return the facts that hold now or did as of a day: those about something best first, else oldest first."""
        from secondme.fact_search import current_facts

        return current_facts(self, about, moment=as_of, k=k)

    def history(self, id: str) -> list[Fact]:
        """Return a fact with those before and after it on the same matter, in the order of time."""
        [fact] = self.facts([id])
        return self.store.facts.timeline(fact)

    def sleep(
        self,
        *,
        budget_seconds: float | None = None,
        budget_tokens: int | None = None,
        max_changes: int | None = None,
        max_share: float | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> SleepReport:
        """Distil what was added since into facts, until all is read or a limit is reached; each run can be undone.

        `max_share` is the part of the facts there were before that may be superseded or merged; whoever can ask the
        user passes what is configured. With `dry_run` nothing is stored. Raises NoModel and Locked.
        """
        from secondme.sleep.limits import Limits
        from secondme.sleep.night import sleep

        limits = Limits(budget_seconds, budget_tokens, max_changes, max_share)
        if dry_run:
            with self.rehearsal() as copy:
                return replace(sleep(copy, limits, progress=progress), run="")
        return sleep(self, limits, progress=progress)

    def rehearsal(self) -> Assistant:
        """Return a copy of this memory that lives in RAM only, to try a night on."""
        copy = Assistant(self.store.copy(), self.paths, self.config, self.plugins)
        copy.loaded_embedder, copy._model, copy.no_embedder = self.loaded_embedder, self._model, self.no_embedder
        return copy

    def codes_of(self, text: str) -> bytes | None:
        """Return the token codes of a text, None without an embedder."""
        return embedding.codes_of(self, text)

    def undo(self, id: str) -> list[Change]:
        """Take back a run (`r3`) or a change (`c12`) exactly; return the changes undone.

        Raises NotFound, Locked, and UsageError where something later rests on it.
        """
        return review.undo(self, id)

    def accept(self, id: str) -> Change:
        """Mark a change (`c12`) as right. Raises NotFound, and UsageError where it was undone."""
        return review.accept(self, id)

    def reject(self, id: str) -> Change:
        """Undo a change (`c12`) and never propose its fact from the same line again. Raises as `undo` does."""
        return review.reject(self, id)

    def edit(self, id: str, text: str) -> Change:
        """Put `text` in the place of a fact (`m7`), or of the one that a change (`c12`) is about; return what did it.

        Raises NotFound, Locked, and UsageError where `text` is empty.
        """
        return review.edit(self, id, text)

    def sleep_report(self, run: str = "") -> SleepReport:
        """Return what a run (`r3`) did, by default the last one that was not undone. Raises NotFound."""
        return review.report_of(self, run)

    def pin(self, id: str, *, is_pinned: bool = True) -> None:
        """Show a note or fact first and let no night retire it, or let go of it. Raises UsageError and NotFound."""
        review.pin(self, id, is_pinned=is_pinned)

    def rewrite(self, id: str, text: str) -> Note:
        """Put `text` in the place of what you typed; the earlier text is kept as a version.

        Raises NotFound, and UsageError for a note that was read from a file, which has to be changed there.
        """
        return review.rewrite(self, id, text)

    def forget(self, ids: Sequence[str], *, dry_run: bool = False) -> Forgotten:
        """Remove notes for good, here and in all copies, with all that tells of them; there is no undo.

        Raises NotFound and UsageError before anything is removed.
        """
        return forgetting.forget(self, ids, dry_run=dry_run)

    def reindex(self, *, progress: Progress | None = None) -> int:
        """Rebuild words and vectors from the notes; return how many passages wait for vectors.

        Interrupted, it goes on where it stopped when vectors are computed the next time.
        """
        return embedding.reindex(self, progress=progress)

    def notes(self, filters: Filters | None = None, *, limit: int = -1) -> Iterator[Note]:
        """Yield current notes, newest event first."""
        return self.store.notes(filters, limit=limit)
