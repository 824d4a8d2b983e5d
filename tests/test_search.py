"""Search: what is found, how filters, time, names and neighbours change it, and that no question is too odd for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from fakes import FakePlugin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.errors import UsageError
from secondme.plugins import load_plugins
from secondme.records import Filters, Match, Note

DAY = datetime(2024, 6, 1, 12, tzinfo=UTC)

Open = Callable[..., Assistant]


def open_assistant(home: Path, *, embedder: str = "hashing") -> Assistant:
    plugins = load_plugins(installed=False)
    plugins.register(FakePlugin(), "fake")
    return Assistant.open(home, config=Config(models=ModelsConfig("", embedder)), plugins=plugins)


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    """An empty memory with the hashing embedder."""
    with open_assistant(own_home) as opened:
        yield opened


@pytest.fixture
def wordy(own_home: Path) -> Iterator[Assistant]:
    """An empty memory without an embedder."""
    with open_assistant(own_home, embedder="") as opened:
        yield opened


def texts(matches: list[Match]) -> list[str]:
    return [match.text for match in matches]


def chat(*lines: str, thread: str = "chat", start: datetime = DAY) -> list[Note]:
    """Messages such as "ana: hello", a minute apart."""
    said = [line.partition(": ") for line in lines]
    return [
        Note(
            text,
            uri=f"{thread}:{number}",
            thread=thread,
            author=author,
            happened_at=start + timedelta(minutes=number),
            origin="chat",
        )
        for number, (author, _, text) in enumerate(said)
    ]


def test_an_empty_memory_finds_nothing(me: Assistant) -> None:
    found = me.search("where is the key?")
    assert (found.matches, found.passages, found.candidates) == ([], 0, 0)
    assert me.recall("where?", filters=Filters(author="ana")) == []


def test_the_only_passage_is_found_with_all_that_is_known_of_it(me: Assistant) -> None:
    note = Note("# Keys\n\nThe key is under the mat.", "notes/keys.md", "home", "Ana", DAY, "file", "Keys")
    [id] = me.add_many([note]).ids
    [match] = me.recall("where is the key?")
    assert match.id == id
    assert (match.kind, match.text, match.uri, match.thread) == ("passage", note.text, "notes/keys.md", "home")
    assert (match.author, match.happened_at, match.title) == ("Ana", DAY, "Keys")
    assert (match.line_start, match.line_end) == (1, 3)


def test_the_shares_of_a_score_add_up_to_it(me: Assistant) -> None:
    me.add_many(chat("ana: the key is under the mat", "ben: why is it there?", "ana: so that you find it"))
    for match in me.recall("what did ana say of the key?"):
        assert match.score == pytest.approx(sum(match.arms.values()), abs=0.01)


def test_matches_come_best_first_and_k_limits_them(me: Assistant) -> None:
    me.add_many([Note(f"the number {number} bus", uri=f"bus:{number}", happened_at=DAY) for number in range(30)])
    found = me.search("number 17", k=5)
    scores = [match.score for match in found.matches]
    assert found.matches[0].text == "the number 17 bus"
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert found.passages == 30
    assert len(me.recall("number 17")) == 10
    assert len(me.recall("number 17", k=1000)) == 30


@pytest.mark.parametrize("k", [0, -1])
def test_less_than_one_match_is_refused(me: Assistant, k: int) -> None:
    with pytest.raises(UsageError, match=f"k must be at least 1, not {k}"):
        me.recall("key", k=k)


@pytest.mark.parametrize("question", ["", " ", "\n\t", "\u3000"])
def test_a_blank_question_is_refused(me: Assistant, question: str) -> None:
    with pytest.raises(UsageError, match="the question is empty"):
        me.recall(question)


@pytest.mark.parametrize("question", ["鍵は", "鍵は机", "漢字", "漢字の本を読む", "열쇠", "カギ"])
def test_text_without_spaces_is_found_by_two_characters_or_more(wordy: Assistant, question: str) -> None:
    lines = (
        "私の鍵は机の上にある",
        "漢字の本を読むのが好き",
        "열쇠는책상위에있다",
        "そのカギを探す",
        "plain words",
        "雨が降った",
    )
    wordy.add_many([Note(text, happened_at=DAY) for text in lines])
    assert question in wordy.recall(question)[0].text


def test_a_character_alone_is_looked_up_too(wordy: Assistant) -> None:
    wordy.add_many([Note(text, happened_at=DAY) for text in ("雨が降った", "鍵は机の上", "plain words")])
    assert wordy.recall("鍵")[0].text == "鍵は机の上"


@pytest.mark.parametrize("question", ["what is it", "Who are you?", "it"])
def test_question_words_alone_search_for_themselves(wordy: Assistant, question: str) -> None:
    wordy.add_many([Note(text, happened_at=DAY) for text in ("bread and tea", "who are you and what is it", "rain")])
    assert wordy.recall(question)[0].text == "who are you and what is it"


@pytest.mark.parametrize(
    "question", ["'", '"', "*", "'\"*()-", "key*", '"key', "(key", "key) OR -", "NEAR(key", "🔑 key", "🔑"]
)
@pytest.mark.parametrize("embedder", ["hashing", ""])
def test_signs_are_no_syntax(own_home: Path, question: str, embedder: str) -> None:
    with open_assistant(own_home, embedder=embedder) as me:
        me.add_many([Note("bread and tea", happened_at=DAY), Note("the key is under the mat", happened_at=DAY)])
        found = me.recall(question)
        if "key" in question:
            assert found[0].text == "the key is under the mat"


@pytest.mark.parametrize("piece", ["key ", "k{} ", "鍵", "鍵a{}", "?", "in May "])
def test_a_question_of_100_000_characters_is_answered_in_time(me: Assistant, piece: str) -> None:
    me.add_many([Note(text, happened_at=DAY) for text in ("bread and tea", "the key is under the mat", "鍵は机")])
    question = "".join(piece.format(number) for number in range(100_000 // len(piece)))[:100_000]
    started = time.perf_counter()
    assert len(me.recall("key " + question)) == 3
    assert time.perf_counter() - started < 10


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Assistant]]:
    """Two memories with the same notes, with and without vectors, that no test changes."""
    lines = (
        "ana: the key is under the mat",
        'ben: "why"? (*)',
        "ana: 漢字仮名交じり文",
        "ben: 🙂 100% [/b] \\",
        "now: x",
    )
    with (
        open_assistant(tmp_path_factory.mktemp("with")) as one,
        open_assistant(tmp_path_factory.mktemp("without"), embedder="") as other,
    ):
        for me in (one, other):
            me.add_many(chat(*lines))
        yield {"with": one, "without": other}


any_text = st.text(st.characters(codec=None), max_size=40) | st.text(
    "kéyn漢字 '\"*()-:^{}?.0123456789\x00\x1b\u200b\ud800", max_size=30
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=any_text, source=any_text, vectors=st.sampled_from(["with", "without"]))
def test_no_string_makes_search_raise(filled: dict[str, Assistant], question: str, source: str, vectors: str) -> None:
    me = filled[vectors]
    if not question.strip():
        with pytest.raises(UsageError):
            me.search(question)
        return
    assert len(me.recall(question)) <= 5
    assert len(me.recall(question, filters=Filters(source=source, author=question))) <= 5
    assert len(me.ask_stream(question).evidence) <= 10


FILTERED = [
    Note("key", uri="a.md", thread="home", author="Ana", happened_at=DAY),
    Note("key", uri="b.md", thread="home", author="Ben", happened_at=DAY + timedelta(days=1)),
    Note("key", uri="c.md", thread="work", author="Ana", happened_at=DAY + timedelta(days=2)),
    Note("key", uri="d.md", thread="work", author="Ben", happened_at=DAY + timedelta(days=3)),
]
RESTRICTIONS: dict[str, tuple[dict[str, object], set[str]]] = {
    "since": ({"since": DAY + timedelta(days=1)}, {"b.md", "c.md", "d.md"}),
    "until": ({"until": DAY + timedelta(days=3)}, {"a.md", "b.md", "c.md"}),
    "thread": ({"source": "WORK"}, {"c.md", "d.md"}),
    "author": ({"author": "ana"}, {"a.md", "c.md"}),
    "kind": ({"kind": "passage"}, {"a.md", "b.md", "c.md", "d.md"}),
    "uri": ({"source": "b.md"}, {"b.md"}),
    "facts": ({"kind": "fact"}, set()),
}


@pytest.mark.parametrize("embedder", ["hashing", ""])
def test_filters_restrict_alone_and_together(own_home: Path, embedder: str) -> None:
    with open_assistant(own_home, embedder=embedder) as me:
        me.add_many(FILTERED)
        for size in (1, 2, 3, 4, 5):
            for names in combinations(RESTRICTIONS, size):
                options: dict[str, object] = {}
                wanted = {note.uri for note in FILTERED}
                for name in names:
                    restriction, left = RESTRICTIONS[name]
                    if not restriction.keys() & options.keys():
                        options |= restriction
                        wanted &= left
                found = me.search("key", filters=Filters(**options))  # type: ignore[arg-type]
                assert {match.uri for match in found.matches} == wanted, names
                assert found.passages == 4


def test_a_passage_from_the_time_the_question_names_comes_first(me: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-06-12T12:00:00Z")
    me.add_many(
        Note("ate soup with bread", uri=f"soup:{day}", happened_at=datetime(2024, month, day, 12, tzinfo=UTC))
        for month, day in ((5, 30), (6, 4), (6, 11))
    )
    for question, uri in (
        ("What did I eat last week?", "soup:4"),
        ("soup in May 2024", "soup:30"),
        ("soup yesterday", "soup:11"),
    ):
        found = me.search(question)
        assert found.matches[0].uri == uri
        assert [match.arms["in_time"] > 0 for match in found.matches] == [True, False, False]
        assert found.time is not None
        assert len(found.matches) == 3
    assert me.search("soup").time is None


def test_who_is_named_moves_the_ranking(wordy: Assistant) -> None:
    wordy.add_many(chat("ana: tea please", "ben: tea please", "oda: tea please"))
    for name in ("ana", "ben", "oda"):
        found = wordy.recall(f"What does {name.title()} drink, tea?")
        assert found[0].author == name
        assert [match.arms["named"] > 0 for match in found] == [True, False, False]
    assert "named" not in wordy.recall("tea please")[0].arms


def test_i_am_the_author_of_what_i_typed(wordy: Assistant) -> None:
    wordy.add_many([*chat("ana: tea please", "ben: tea please"), Note("tea please", happened_at=DAY)])
    assert wordy.recall("What do I drink, tea?")[0].author == "me"


def test_an_answer_is_found_by_the_question_before_it(me: Assistant) -> None:
    me.add_many(chat("ana: where is the piano tuner?", "ben: in Lisbon", "ana: good", "ben: it rains"))
    me.add_many(chat("ana: how are you?", "ben: in Bergen", "ana: good", "ben: it rains", thread="other"))
    found = texts(me.recall("Where is the piano tuner?"))
    assert found.index("in Lisbon") < found.index("in Bergen")


def test_neighbours_are_those_of_the_same_thread(me: Assistant) -> None:
    me.add_many(chat("ana: the piano tuner came", thread="a"))
    me.add_many(chat("ben: Lisbon", thread="b"))
    me.add_many(chat("ben: Bergen", "ana: the piano tuner left", thread="c"))
    found = {match.text: match.arms for match in me.recall("the piano tuner")}
    assert found["Bergen"]["tokens_next"] > found["Lisbon"]["tokens_next"]
    assert found["Lisbon"]["tokens_previous"] < 0


def test_filters_leave_the_neighbours_their_say_but_do_not_show_them(me: Assistant) -> None:
    me.add_many(chat("ana: where is the piano tuner?", "ben: Lisbon", "ana: good", "ben: rain", "ben: tea"))
    found = me.recall("where is the piano tuner", filters=Filters(author="ben"))
    assert texts(found)[0] == "Lisbon"
    assert {match.author for match in found} == {"ben"}


def test_a_note_of_several_passages_gives_ids_with_their_number(me: Assistant) -> None:
    parts = [f"# Part {number}\n\n" + f"Words about subject{number} and more. " * 30 for number in range(1, 5)]
    [id] = me.add_many([Note("\n\n".join(parts), uri="long.md", origin="file", happened_at=DAY)]).ids
    best = me.recall("subject3")[0]
    assert best.id.startswith(f"{id}.")
    note, passage = me.note(best.id)
    assert passage is not None
    assert passage.span.text == best.text
    assert "subject3" in best.text
    lines = note.text.splitlines()
    assert "subject3" in "\n".join(lines[best.line_start - 1 : best.line_end])


def test_of_a_large_memory_the_promising_part_is_ranked(me: Assistant) -> None:
    me.write(chat(*(f"ana: message {number} about word{number % 50} and so on" for number in range(4000))))
    me.write(chat("ben: the piano tuner lives in Lisbon", thread="other"))
    found = me.search("Where does the piano tuner live?")
    assert found.matches[0].text == "the piano tuner lives in Lisbon"
    assert found.candidates < found.passages == 4001


def test_what_another_process_adds_or_takes_away_is_seen_at_once(own_home: Path) -> None:
    with open_assistant(own_home) as one, open_assistant(own_home) as other:
        one.add_many(chat("ana: the key is under the mat"))
        assert len(other.recall("key")) == 1
        added = other.add(Note("another key", happened_at=DAY))
        assert texts(one.recall("another key"))[0] == "another key"
        one.forget([added.id])
        assert texts(other.recall("another key")) == ["the key is under the mat"]
