from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fakes import FakePlugin, HashingEmbedder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondme.assistant import Assistant
from secondme.clean import clean
from secondme.config import Config
from secondme.plugins import load_plugins
from secondme.recall.codes import encode, encode_pooled
from secondme.records import Filters, Note
from secondme.store.index import conditions

DAY = datetime(2024, 6, 1, tzinfo=UTC)
NASTY = [
    "'",
    '"',
    "*",
    "(",
    ")",
    "-",
    "^",
    ":",
    "NEAR",
    "AND",
    "OR",
    "NOT",
    "\x00",
    "🙂",
    "漢字",
    "[/b]",
    "\\",
    "%",
    "_",
    "?",
]

anything = st.text(max_size=60) | st.lists(st.sampled_from([*NASTY, "note ", " "]), max_size=12).map("".join)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """A memory with some notes and vectors that no test changes."""
    plugins = load_plugins(installed=False)
    plugins.register(FakePlugin(), "scripted")
    with Assistant.open(tmp_path_factory.mktemp("filled"), config=Config(), plugins=plugins) as opened:
        texts = ("note one on cats", 'Ana: "I\'m off" (again)', "漢字仮名交じり文", "Ünïcode 🙂 100% [/b] \\", "now?")
        opened.add_many([Note(text=text, thread=f"t{len(text) % 2}", happened_at=DAY) for text in texts])
        yield opened


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    """An empty memory with the hashing embedder."""
    plugins = load_plugins(installed=False)
    plugins.register(FakePlugin(), "scripted")
    with Assistant.open(own_home, config=Config(), plugins=plugins) as opened:
        yield opened


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=anything)
def test_no_string_makes_searching_raise(filled: Assistant, text: str) -> None:
    for query in (text, clean(text)):
        assert all(isinstance(term, str) for term in filled.store.index.terms(clean(query)))
    if clean(text).strip():
        filled.recall(text)
        filled.recall(text, filters=Filters(source=clean(text), author=clean(text)))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=anything.map(clean))
def test_every_character_sequence_can_be_looked_up(filled: Assistant, text: str) -> None:
    assert filled.store.index.holding(text) is not None
    for term in filled.store.index.terms(text):
        filled.store.index.postings(term, limit=10)


def test_words_are_known_by_their_stems_in_the_order_they_stand(me: Assistant) -> None:
    assert me.store.index.terms("Running dogs, the café's RUNNER") == ["run", "dog", "the", "cafe", "s", "runner"]
    assert me.store.index.terms("again") == ["again"]
    assert me.store.index.terms("") == []


def test_postings_tell_how_often_a_word_stands_in_each_passage(me: Assistant) -> None:
    me.add_many([Note(text=text, happened_at=DAY) for text in ("cats and cats", "dogs", "one cat")])
    [cat] = me.store.index.terms("cat")
    ids, times = me.store.index.postings(cat, limit=100)
    assert [me.store.passages([int(id)])[0].span.text for id in ids] == ["cats and cats", "one cat"]
    assert list(times) == [2, 1]


def test_a_beginning_is_completed_to_the_words_of_most_passages(me: Assistant) -> None:
    for text in ("a sister sails", "my sister sings", "a sisal rope", "nothing"):
        me.add(Note(text))
    assert me.store.index.completions("sis", limit=8) == ["sister", "sisal"]
    assert me.store.index.completions("SIS", limit=1) == ["sister"]
    assert me.store.index.completions("%", limit=8) == []


@pytest.mark.parametrize("characters", ["漢字", "漢字仮", "字仮名交"])
def test_text_without_spaces_is_found_by_its_characters(me: Assistant, characters: str) -> None:
    me.add_many([Note(text="これは漢字仮名交じり文です"), Note(text="東京"), Note(text="plain")])
    [id] = me.store.index.holding(characters)
    assert characters in me.store.passages([int(id)])[0].span.text
    assert not len(me.store.index.holding("京都"))


def test_the_layout_is_in_reading_order(me: Assistant) -> None:
    said = [("b", 2, "ben"), ("a", 1, "ana"), ("b", 1, "ana"), ("a", 3, "ben")]
    me.add_many(
        Note(text=f"{thread}{day}?", thread=thread, author=author, happened_at=DAY.replace(day=day), origin="chat")
        for thread, day, author in said
    )
    layout = me.store.index.layout()
    texts = [passage.span.text for passage in me.store.passages(layout.ids.tolist())]
    assert texts == ["a1?", "a3?", "b1?", "b2?"]
    assert list(layout.threads) == [0, 0, 1, 1]
    assert [layout.author_names[author] for author in layout.authors] == ["ana", "ben", "ana", "ben"]
    assert layout.asks.all()
    assert list(layout.lengths) == [3, 3, 3, 3]
    assert list(layout.rows(layout.ids[[2, 0]])) == [2, 0]


def test_an_empty_memory_has_an_empty_layout(me: Assistant) -> None:
    layout = me.store.index.layout()
    assert len(layout.ids) == len(layout.threads) == 0
    assert layout.author_names == ()


def test_the_nearest_passage_is_the_one_with_the_same_words(me: Assistant) -> None:
    me.add_many([Note(text=text) for text in ("red green blue", "one two three", "yesterday it rained")])
    code = encode_pooled(HashingEmbedder().tokens("three two one"))
    ids, closeness = me.store.index.nearest(code, k=2)
    assert me.store.passages(ids.tolist())[0].span.text == "one two three"
    assert len(ids) == 2
    assert closeness[0] > closeness[1]


def test_without_vectors_nothing_is_near(me: Assistant) -> None:
    me.write([Note(text="one")])
    assert (me.store.index.waiting(), me.store.index.embedder, me.store.index.width) == (1, None, 0)
    assert [len(found) for found in me.store.index.nearest(b"\x00" * 48, k=5)] == [0, 0]


def test_vectors_of_a_note_forgotten_meanwhile_are_not_stored(me: Assistant) -> None:
    me.add_many([Note(text="stays")])
    gone = me.add(Note(text="goes"))
    [(id, _, text)] = me.store.index.without_vectors(10)
    rows = HashingEmbedder().tokens(text)
    me.forget([gone.id])
    with me.store.writing():
        me.store.index.save_vectors([(id, encode(rows), encode_pooled(rows))])
    assert me.store.counts()["with_vectors"] == 1
    me.store.index.check()


def test_a_changed_text_has_a_vector_of_its_own(me: Assistant) -> None:
    me.add_many([Note(text="red green blue", uri="diary")])
    me.add_many([Note(text="one two three", uri="diary")])
    [id] = me.store.index.layout().ids.tolist()
    own = HashingEmbedder().tokens("me: one two three")
    assert me.store.index.codes(np.array([id], dtype=np.int64)) == {id: encode(own)}
    ids, closeness = me.store.index.nearest(encode_pooled(own), k=5)
    assert (ids.tolist(), closeness.tolist()) == ([id], [1.0])
    me.store.index.check()


def test_starting_vectors_anew_leaves_all_passages_waiting(me: Assistant) -> None:
    me.add_many([Note(text=f"note {number}") for number in range(3)])
    assert me.store.index.embedder == "hashing:384"
    with me.store.writing():
        me.store.index.start_vectors("other", 64)
    assert (me.store.index.waiting(), me.store.index.width) == (3, 64)
    assert me.reindex() == 0
    assert me.store.index.embedder == "hashing:384"
    me.store.index.check()


def test_an_interrupted_reindex_goes_on_where_it_stopped(me: Assistant) -> None:
    count = 100
    me.write([Note(text=f"note {number}") for number in range(count)])

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        me.reindex(progress=interrupt)
    left = me.store.index.waiting()
    assert 0 < left < count
    seen: list[tuple[int, int]] = []
    assert me.reindex(progress=lambda *step: seen.append(step)) == 0
    assert seen[-1] == (left, left)
    me.store.index.check()


def test_filters_become_conditions_on_current_notes(me: Assistant) -> None:
    where, values = conditions(Filters(since=DAY + timedelta(days=1), source="x", author="Ana", as_of=DAY))
    assert len(values) == where.count("?") == 6
    assert re.search("replaced_at is null", where)
    me.add_many([Note(text="a", author="Ana", uri="x:1", happened_at=DAY), Note(text="b", happened_at=DAY)])
    assert len(me.store.index.passages_with(*conditions(Filters(author="ana", source="X")))) == 1
    assert not len(me.store.index.passages_with(where, values))
