"""The verbs of a memory as Python calls them: vectors that follow by themselves, ids, and a change of the embedder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from fakes import FakePlugin, HashingEmbedder

import secondme
from secondme.assistant import Assistant
from secondme.config import Config, IngestConfig, MeConfig, ModelsConfig
from secondme.embedding import BATCH
from secondme.errors import NoDatabase, NoModel, NotFound, UsageError
from secondme.ids import parse_id
from secondme.models.protocols import Matrix
from secondme.plugins import load_plugins
from secondme.records import Added, Note, Skipped

DAY = datetime(2024, 6, 1, 12, tzinfo=UTC)
MODELS = ModelsConfig("scripted", "hashing")


class OtherEmbedder(HashingEmbedder):
    """An embedder of another name and width."""

    name = "other"
    width = 64


class InterruptedEmbedder(HashingEmbedder):
    """An embedder during whose work somebody presses Ctrl-C."""

    def tokens(self, text: str) -> Matrix:
        if self.calls == BATCH + 5:
            raise KeyboardInterrupt
        return super().tokens(text)


def open_assistant(home: Path, *, embedder: HashingEmbedder | None = None, config: Config | None = None) -> Assistant:
    plugin = FakePlugin()
    plugin.hashing = embedder or plugin.hashing
    plugins = load_plugins(installed=False)
    plugins.register(plugin, "fake")
    return Assistant.open(home, config=config or Config(models=MODELS), plugins=plugins)


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    """An empty memory with the fake models."""
    with open_assistant(own_home) as opened:
        yield opened


@pytest.fixture
def no_embedder(own_home: Path) -> Iterator[Assistant]:
    """An empty memory without models."""
    with open_assistant(own_home, config=Config(models=ModelsConfig("", ""))) as opened:
        yield opened


def numbered(count: int) -> list[Note]:
    return [Note(f"note number {number}", uri=f"note:{number}", happened_at=DAY) for number in range(count)]


def test_the_contract_is_importable_from_the_top() -> None:
    assert (secondme.Assistant, secondme.Note) == (Assistant, Note)


def test_without_a_folder_the_memory_of_the_user_is_opened(own_home: Path) -> None:
    with pytest.raises(NoDatabase):
        Assistant.open(create=False)
    with Assistant.open(config=Config(models=ModelsConfig("", ""))) as me:
        me.add(Note("one"))
    assert (own_home / "memory.db").exists()


def test_adding_gives_the_note_as_it_is_stored(me: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-06-03T10:00:00Z")
    note = me.add(Note("I moved \x1b[31mto Porto.", title="T\x00"))
    assert (note.id, note.text, note.author, note.origin, note.title) == ("n1", "I moved to Porto.", "me", "typed", "T")
    assert note.happened_at == datetime(2024, 6, 3, 10, tzinfo=UTC)
    assert note.uri.startswith("typed:2024-06-03:")
    assert note.thread == "typed:2024-06-03"
    assert me.note("n1") == (note, None)


def test_what_is_given_is_kept(me: Assistant) -> None:
    moment = datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    note = me.add(Note("x", "diary:1", "diary", "Ana", moment, "chat", "Title"))
    assert (note.uri, note.thread, note.author, note.origin, note.title) == ("diary:1", "diary", "Ana", "chat", "Title")
    assert note.happened_at == moment
    assert me.add(Note("x", uri="diary:2")).thread == "diary:2"
    assert me.add(Note("x", uri="file:1", origin="file")).author == ""


def test_the_name_of_the_user_is_the_author_of_what_is_typed(own_home: Path) -> None:
    with open_assistant(own_home, config=Config(me=MeConfig("Maren"), models=MODELS)) as me:
        me.add(Note("tea in the garden", happened_at=DAY))
        me.add(Note("tea in the garden", author="Ines", happened_at=DAY))
        assert me.recall("Where do I drink tea?")[0].author == "Maren"


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x1b[0m"])
def test_nothing_to_store_is_refused(me: Assistant, text: str) -> None:
    with pytest.raises(UsageError, match="the text is empty"):
        me.add(Note(text))
    assert list(me.notes()) == []


def test_of_many_notes_those_that_cannot_be_stored_are_named(own_home: Path) -> None:
    config = Config(models=MODELS, ingest=IngestConfig(max_file_bytes=20))
    with open_assistant(own_home, config=config) as me:
        given: list[Note | Skipped] = [
            Note("one", uri="a"),
            Note(" ", uri="b"),
            Skipped("c", "broken"),
            Note("é" * 11, uri="d"),
            Note("one", uri="a"),
        ]
        added = me.add_many(given)
        assert (added.ids, added.added, added.known) == (("n1", "n1"), 1, 1)
        assert [skipped.what for skipped in added.skipped] == ["b", "c", "d"]
        assert "22 bytes is more than ingest.max_file_bytes" in added.skipped[2].why
        assert me.add_many([]) == Added()


def test_adding_again_adds_nothing_and_keeps_the_ids(me: Assistant) -> None:
    first = me.add_many(numbered(3))
    again = me.add_many(numbered(3))
    assert (again.ids, again.added, again.known) == (first.ids, 0, 3)
    assert me.add(Note("typed", happened_at=DAY)) == me.add(Note("typed", happened_at=DAY))


def test_a_changed_file_is_found_by_its_new_words_only(me: Assistant) -> None:
    me.add_many([Note("the door code is 2958", uri="a.md", origin="file"), Note("bread and tea", uri="b.md")])
    me.add_many([Note("the gate opens with a key", uri="a.md", origin="file")])
    assert me.recall("gate key")[0].text == "the gate opens with a key"
    assert {match.text for match in me.recall("the door code is 2958")} == {
        "the gate opens with a key",
        "bread and tea",
    }
    assert len(me.store.versions("a.md")) == 2
    me.add_many([Note("the door code is 2958", uri="a.md", origin="file")])
    assert me.recall("door code")[0].text == "the door code is 2958"
    assert "gate" not in " ".join(match.text for match in me.recall("gate key"))
    assert len(me.store.versions("a.md")) == 2
    assert me.store.index.waiting() == 0


def test_one_note_gets_its_vectors_with_the_next_search(me: Assistant) -> None:
    me.add(Note("the key is under the mat"))
    assert me.store.index.waiting() == 1
    assert "tokens" in me.recall("key")[0].arms
    assert me.store.index.waiting() == 0


def test_what_was_added_without_an_embedder_gets_vectors_by_itself_once_there_is_one(own_home: Path) -> None:
    with open_assistant(own_home, config=Config(models=ModelsConfig("", ""))) as me:
        me.add_many(numbered(5))
        assert "tokens" not in me.recall("note number 3")[0].arms
        assert me.no_embedder == "no embedder is configured (models.embedder)"
        assert me.store.index.waiting() == 5
    with open_assistant(own_home) as me:
        assert me.no_embedder == ""
        found = me.recall("note number 3")
        assert found[0].text == "note number 3"
        assert "tokens" in found[0].arms
        assert me.store.index.waiting() == 0


def test_an_embedder_that_cannot_be_loaded_leaves_the_words_and_a_reason(own_home: Path) -> None:

    plugins = load_plugins(installed=False)
    config = Config(models=ModelsConfig("", str(own_home / "none.gguf")))
    with Assistant.open(own_home, config=config, plugins=plugins) as me:
        me.add_many(numbered(3))
        assert me.recall("number 2")[0].text == "note number 2"
        assert "none.gguf" in me.no_embedder


def test_vectors_take_no_longer_than_they_are_given(me: Assistant) -> None:
    me.write(numbered(3 * BATCH))
    assert me.embed_waiting(seconds=0) == 3 * BATCH
    seen: list[tuple[int, int]] = []
    assert me.embed_waiting(progress=lambda *step: seen.append(step)) == 0
    assert seen == [(BATCH, 3 * BATCH), (2 * BATCH, 3 * BATCH), (3 * BATCH, 3 * BATCH)]


def test_an_interruption_loses_one_batch_at_most_and_no_note(own_home: Path) -> None:
    with open_assistant(own_home, embedder=InterruptedEmbedder()) as me, pytest.raises(KeyboardInterrupt):
        me.add_many(numbered(2 * BATCH))
    with open_assistant(own_home) as me:
        assert me.store.counts()["notes"] == 2 * BATCH
        assert me.store.index.waiting() == BATCH
        assert me.embed_waiting() == 0


def test_what_is_forgotten_before_it_has_vectors_never_gets_any(me: Assistant) -> None:
    ids = me.write(numbered(4)).ids
    done = me.forget(ids[1:3])
    assert (done.ids, done.passages) == (ids[1:3], 2)
    assert {match.id for match in me.recall("note number")} == {ids[0], ids[3]}
    assert me.store.counts()["with_vectors"] == 2
    me.store.index.check()


@pytest.mark.parametrize("width", [64, 384])
def test_vectors_of_another_embedder_are_not_compared_until_a_reindex(own_home: Path, width: int) -> None:
    other = OtherEmbedder()
    other.width = width
    with open_assistant(own_home) as me:
        me.add_many(numbered(3))
    with open_assistant(own_home, embedder=other) as me:
        me.add_many([Note("note number 7", happened_at=DAY)])
        found = me.recall("note number 2")
        assert found[0].text == "note number 2"
        assert "tokens" not in found[0].arms
        assert me.no_embedder == "the stored vectors are of hashing:384, not of other; run: secondme reindex"
        assert (other.calls, me.store.index.waiting()) == (0, 1)
        assert me.reindex() == 0
        assert me.store.index.embedder == f"other:{width}"
        assert "tokens" in me.recall("note number 2")[0].arms
        me.store.index.check()


def test_a_reindex_elsewhere_with_another_embedder_is_noticed(own_home: Path) -> None:
    with open_assistant(own_home) as one, open_assistant(own_home, embedder=OtherEmbedder()) as other:
        one.add_many(numbered(3))
        other.reindex()
        one.add_many([Note("note number 7", happened_at=DAY)])
        found = one.recall("note number 7")
        assert found[0].text == "note number 7"
        assert "tokens" not in found[0].arms
        assert "other:64, not of hashing" in one.no_embedder
        assert other.recall("note number 7")[0].text == "note number 7"
        other.store.index.check()


def test_a_reindex_elsewhere_in_the_middle_of_a_batch_is_noticed(own_home: Path) -> None:
    with open_assistant(own_home, embedder=OtherEmbedder()) as other:
        other.write(numbered(3))

        class Overtaken(HashingEmbedder):
            def tokens(self, text: str) -> Matrix:
                if other.store.index.embedder is None:
                    other.reindex()
                return super().tokens(text)

        with open_assistant(own_home, embedder=Overtaken()) as me:
            me.write([Note("note number 7", happened_at=DAY)])
            me.embed_waiting()
            assert "other:64" in me.no_embedder
        [(size,)] = other.store.db.conn.execute("select distinct length(codes) from passage_tokens").fetchall()
        assert size == 4 * 64 // 8
        other.store.index.check()


def test_an_interrupted_change_of_embedder_goes_on_with_the_next_search(own_home: Path) -> None:
    with open_assistant(own_home, embedder=OtherEmbedder()) as me:
        me.add_many(numbered(2 * BATCH))
    with open_assistant(own_home, embedder=InterruptedEmbedder()) as me, pytest.raises(KeyboardInterrupt):
        me.reindex()
    with open_assistant(own_home) as me:
        assert me.store.index.embedder == "hashing:384"
        assert me.store.index.waiting() == BATCH
        assert "tokens" in me.recall("note number 60")[0].arms
        assert me.store.index.waiting() == 0


def test_reindexing_what_is_whole_computes_nothing(own_home: Path) -> None:
    embedder = HashingEmbedder()
    with open_assistant(own_home, embedder=embedder) as me:
        me.add_many(numbered(3))
        calls = embedder.calls
        assert me.reindex() == 0
        assert embedder.calls == calls


def test_a_memory_is_shared_with_another_process(me: Assistant, own_home: Path) -> None:
    me.add(Note("the key is under the mat", happened_at=DAY))
    code = """
import sys
from secondme import Assistant, Note
from secondme.config import Config, ModelsConfig
with Assistant.open(sys.argv[1], config=Config(models=ModelsConfig("", ""))) as me:
    print(me.recall("key")[0].text)
    print(me.add(Note("the bell is broken")).id)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, own_home], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == ["the key is under the mat", "n2"]
    assert me.recall("bell")[0].text == "the bell is broken"
    assert me.store.index.waiting() == 0


def test_an_id_names_a_note_or_one_of_its_passages(me: Assistant) -> None:
    long = "\n\n".join(f"# Part {number}\n\n" + f"Words about subject{number}. " * 60 for number in (1, 2, 3))
    me.add_many([Note("short", uri="s"), Note(long, uri="l", origin="file")])
    assert me.note("n1")[1] is None
    short = me.note("n1.1")[1]
    assert short is not None
    assert short.name == "n1"
    note, passage = me.note("n2.2")
    assert note.text == long
    assert passage is not None
    assert (passage.name, passage.position) == ("n2.2", 1)
    assert long.encode()[passage.span.start : passage.span.end].decode() == passage.span.text
    with pytest.raises(NotFound, match=r"n2 has \d+ passages, not 99"):
        me.note("n2.99")
    with pytest.raises(NotFound, match="n2 has"):
        me.note("n2.0")
    with pytest.raises(NotFound, match="there is no n77"):
        me.note("n77")


@pytest.mark.parametrize(("id", "numbers"), [("n1", (1, None)), ("n12.3", (12, 3)), ("n007", (7, None))])
def test_ids_are_read(id: str, numbers: tuple[int, int | None]) -> None:
    assert parse_id(id) == numbers


@pytest.mark.parametrize(
    "id", ["", "n", "12", "nn1", "n1.", "n.1", "n1.2.3", "n-1", "n 1", "n1\n", "N1", "n²", "n1.²", "n١", "n" + "9" * 19]
)
def test_what_is_no_id_is_refused(me: Assistant, id: str) -> None:
    with pytest.raises(UsageError, match="is not an id"):
        parse_id(id)
    with pytest.raises(UsageError):
        me.forget([id])


def test_no_number_is_too_large_to_be_looked_up(me: Assistant) -> None:
    with pytest.raises(NotFound):
        me.note("n" + "9" * 18)
    me.add(Note("one"))
    with pytest.raises(NotFound):
        me.note("n1." + "9" * 9)


def test_forgetting_is_of_whole_notes_that_exist_or_of_nothing(me: Assistant) -> None:
    me.add_many(numbered(2))
    with pytest.raises(UsageError, match=r"n1\.1 is part of a note"):
        me.forget(["n1.1"])
    with pytest.raises(NotFound):
        me.forget(["n1", "n9"])
    assert len(list(me.notes())) == 2
    assert me.forget(["n1"], dry_run=True).dry_run
    assert len(list(me.notes())) == 2
    assert me.forget(["n1", "n1"]).uris == ("note:0",)
    assert [note.id for note in me.notes(limit=1)] == ["n2"]


def test_a_model_that_is_not_configured_is_named_with_a_way_out(no_embedder: Assistant) -> None:
    with pytest.raises(NoModel, match="no language model is configured") as caught:
        no_embedder.model()
    assert "--no-llm" in caught.value.hint


def test_models_are_loaded_once(me: Assistant) -> None:
    assert me.model() is me.model()
    assert me.embedder() is me.embedder() is not None


def test_what_is_stored_of_a_passage_is_its_code_with_the_author_before_it(me: Assistant) -> None:
    """The same words by two people are two things."""
    me.add_many([Note("tea", author=name, uri=name, origin="chat", happened_at=DAY) for name in ("ana", "ben")])
    ids = me.store.index.layout().ids
    ana, ben = me.store.index.codes(np.asarray(ids)).values()
    assert ana != ben


def test_a_thread_is_cut_into_topics_as_soon_as_it_has_vectors(me: Assistant) -> None:
    about = ("tea kettle leaves brewing cup", "rocket engine fuel orbit launch")
    notes = [
        Note(about[at // 6], uri=f"talk:{at}", thread="talk", happened_at=DAY + timedelta(minutes=at), origin="chat")
        for at in range(12)
    ]
    me.write(notes)
    assert me.store.topics.of(range(1, 13)) == {}
    me.embed_waiting()
    assert me.store.topics.waiting() == []
    assert list(me.store.topics.of(range(1, 13)).values()) == [1] * 6 + [7] * 6
    me.add_many([Note("yes", uri="talk:12", thread="talk", happened_at=DAY + timedelta(minutes=12), origin="chat")])
    assert set(me.store.topics.of([13])) == {13}
