"""Whatever is done in whatever order, a word that was forgotten is never seen again."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from nights import note, open_memory

from secondme.errors import UsageError
from secondme.traces import pattern_of

NAMES = ("Alba", "Boris", "Cyra", "Doro", "Elin")


class Forgetting(RuleBasedStateMachine):
    """A memory beside a plain table of what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.me = open_memory(Path(self.folder.name))
        self.kept: dict[str, str] = {}
        """By id, the word that only this note has."""
        self.gone: list[str] = []
        self.count = 0

    @rule(name=st.sampled_from(NAMES), city=st.booleans(), thread=st.sampled_from(("", "t")))
    def add(self, name: str, city: bool, thread: str) -> None:
        """Add a note with a word of its own, on a matter that others speak of too."""
        self.count += 1
        word = f"Zyz{self.count}q"
        text = f"I live in {word}." if city else f"My sister {name} keeps {word} bees."
        added = self.me.add(note(text, f"2024-01-{1 + self.count % 28:02}", uri=f"diary:{self.count}", thread=thread))
        self.kept[added.id] = word

    @rule(name=st.sampled_from(NAMES))
    def add_same(self, name: str) -> None:
        """Add a line that was said in the same words before."""
        self.count += 1
        self.me.add(note(f"My brother {name} keeps goats.", "2024-02-01", uri=f"diary:{self.count}"))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """Put another text in the place of one."""
        id = data.draw(st.sampled_from(sorted(self.kept)))
        self.count += 1
        word = f"Zyz{self.count}q"
        changed = self.me.rewrite(id, f"I live in {word}.")
        self.kept[changed.id] = f"{self.kept.pop(id)} {word}"

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        """Forget one."""
        id = data.draw(st.sampled_from(sorted(self.kept)))
        self.me.forget([id])
        self.gone += self.kept.pop(id).split()

    @rule()
    def sleep(self) -> None:
        """Sleep."""
        self.me.sleep()

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """Take back a night or a change, where nothing rests on it."""
        ids = [run.id for run in self.me.store.journal.runs()] + [one.id for one in self.me.store.journal.changes()]
        if ids:
            # Something may rest on it, or it was taken back before.
            with suppress(UsageError):
                self.me.undo(data.draw(st.sampled_from(ids)))

    @invariant()
    def nothing_that_was_forgotten_is_there(self) -> None:
        """Look through every byte, and whether every fact still rests on a line with its words."""
        patterns = [pattern_of(word) for word in self.gone]
        for path in Path(self.folder.name).rglob("*"):
            data = path.read_bytes() if path.is_file() and patterns else b""
            assert not [pattern for pattern in patterns if pattern.search(data)]
        for fact in self.me.store.facts.all():
            assert fact.sources
        (lost,) = self.me.store.db.conn.execute(
            "select count(*) from memories where id not in (select memory_id from evidence where is_wording)"
        ).fetchone()
        assert lost == 0

    def teardown(self) -> None:
        """Close the memory."""
        self.me.store.index.check()
        self.me.close()
        self.folder.cleanup()


Forgetting.TestCase.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
TestForgetting = Forgetting.TestCase
