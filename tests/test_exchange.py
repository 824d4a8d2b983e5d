from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from secrets_set import positives

from secondme.assistant import Assistant
from secondme.config import Config, ModelsConfig
from secondme.exchange import BATCH, export, import_lines
from secondme.plugins import load_plugins
from secondme.records import Added, Note, Origin
from secondme.secrets import mask

NO_MODELS = Config(models=ModelsConfig(language="", embedder=""))
LINE = {
    "v": 1,
    "type": "note",
    "uri": "diary",
    "title": "A day",
    "text": "I moved to Porto.",
    "thread": "diary",
    "author": "me",
    "origin": "typed",
    "happened_at": "2024-06-01T10:00:00Z",
    "added_at": "2024-06-02T10:00:00Z",
    "replaced_at": None,
}

noted = st.builds(
    Note,
    text=st.text(min_size=1, max_size=80),
    uri=st.sampled_from(["", "diary", "a/b.md", "カフェ"]),
    thread=st.sampled_from(["", "talk"]) | st.text(max_size=5),
    author=st.sampled_from(["", "ana"]) | st.text(max_size=5),
    happened_at=st.integers(0, 3_652_000).map(lambda days: datetime(1, 1, 3, 4, 5, 6, tzinfo=UTC) + timedelta(days)),
    origin=st.sampled_from(get_args(Origin)),
    title=st.text(max_size=5),
)


def open_memory(home: Path) -> Assistant:
    return Assistant.open(home, config=NO_MODELS, plugins=load_plugins(installed=False))


@pytest.fixture
def me(own_home: Path) -> Iterator[Assistant]:
    """A memory without models."""
    with open_memory(own_home) as opened:
        yield opened


def lines_of(me: Assistant) -> list[str]:
    return [json.dumps(item, ensure_ascii=False) for item in export(me.store)]


def take_in(me: Assistant, *items: dict[str, Any]) -> Added:
    return import_lines(me.store, [json.dumps(item) for item in items])


def state(me: Assistant) -> list[tuple[str, str | None]]:
    return [(item["text"], item["replaced_at"]) for item in export(me.store)]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(noted, max_size=4), max_size=5))
def test_what_is_exported_and_imported_is_exported_the_same(
    batches: Sequence[list[Note]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with open_memory(Path(folder, "one")) as one:
            for number, notes in enumerate(batches):
                monkeypatch.setenv("SECONDME_NOW", f"2024-06-01T10:00:{number:02}Z")
                one.write(notes)
            exported = lines_of(one)
        with open_memory(Path(folder, "two")) as two:
            done = import_lines(two.store, [line.encode() for line in exported])
            assert (done.added, done.known, done.skipped) == (len(exported), 0, ())
            assert lines_of(two) == exported
            again = import_lines(two.store, exported)
            assert (again.added, again.known, again.skipped) == (0, len(exported), ())
            assert lines_of(two) == exported
            two.store.index.check()


def test_what_is_imported_is_found_under_its_own_date(me: Assistant) -> None:
    take_in(me, {**LINE, "replaced_at": "2024-06-03T10:00:00Z", "text": "I live in Lisbon."}, LINE)
    [match] = me.recall("where did I move")
    assert (match.text, match.uri, match.happened_at) == (LINE["text"], "diary", datetime(2024, 6, 1, 10, tzinfo=UTC))
    assert state(me) == [("I live in Lisbon.", "2024-06-03T10:00:00Z"), ("I moved to Porto.", None)]


def test_more_lines_than_one_transaction_holds_are_all_taken_in(me: Assistant) -> None:
    done: list[int] = []
    lines = [json.dumps({**LINE, "uri": f"diary:{number}"}) for number in range(BATCH + 1)]
    assert import_lines(me.store, lines, progress=done.append).added == BATCH + 1
    assert done == [BATCH, BATCH + 1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no json", "not JSON"),
        (b"\xff\xfe\xfa", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "not a JSON object"),
        ({**LINE, "v": 2}, "newer secondme"),
        ({**LINE, "type": "dream"}, "type"),
        ({**LINE, "uri": None}, "uri must be text"),
        ({**LINE, "uri": "\x1b[1m"}, "must not be empty"),
        ({**LINE, "text": " \n\x00"}, "must not be empty"),
        ({**LINE, "origin": "elsewhere"}, "origin must be one of typed"),
        ({**LINE, "origin": ["typed"]}, "origin must be one of typed"),
        ({**LINE, "happened_at": "once"}, "happened_at is not a date"),
        ({**LINE, "happened_at": "2024-06-01T10:00:00"}, "happened_at has no time zone"),
        ({**LINE, "added_at": None}, "added_at must be text"),
        ({**LINE, "replaced_at": "0001-01-01T00:00:00+14:00"}, "replaced_at is not a date"),
        ({key: value for key, value in LINE.items() if key != "thread"}, "thread must be text"),
    ],
)
def test_a_broken_line_is_named_and_the_rest_is_taken_in(me: Assistant, line: object, reason: str) -> None:
    broken = line if isinstance(line, str | bytes) else json.dumps(line)
    done = import_lines(me.store, [json.dumps(LINE), "", broken, json.dumps({**LINE, "uri": "next"})])
    assert done.added == 2
    [skipped] = done.skipped
    assert skipped.what == "line 3"
    assert reason in skipped.why


def test_escape_codes_in_a_line_are_not_stored(me: Assistant) -> None:
    take_in(me, {**LINE, "text": "red \x1b[31malert\x1b[0m", "title": "\x1b]0;owned\x07day"})
    [note] = me.notes()
    assert (note.text, note.title) == ("red alert", "day")


EARLIER = {**LINE, "text": "the key is under the mat", "added_at": "2024-01-01T00:00:00Z"}
LATER = {**LINE, "text": "the key is with Ana", "added_at": "2024-02-01T00:00:00Z"}


@pytest.mark.parametrize("order", [(EARLIER, LATER), (LATER, EARLIER)])
def test_of_two_current_versions_the_one_added_later_is_current(
    me: Assistant, order: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    here, there = order
    take_in(me, here)
    assert take_in(me, there).added == 1
    assert sorted(state(me)) == [("the key is under the mat", LATER["added_at"]), ("the key is with Ana", None)]
    assert [match.text for match in me.recall("where is the key")] == ["the key is with Ana"]
    for again in order:
        assert take_in(me, again).known == 1
    assert sorted(state(me)) == [("the key is under the mat", LATER["added_at"]), ("the key is with Ana", None)]
    me.store.index.check()


def test_two_memories_agree_on_versions_of_the_same_second_whichever_imports(tmp_path: Path) -> None:
    one, two = {**LINE, "text": "one"}, {**LINE, "text": "two"}
    outcomes = []
    for number, order in enumerate(((one, two), (two, one))):
        with open_memory(tmp_path / str(number)) as me:
            take_in(me, *order)
            outcomes.append(sorted(state(me), key=str))
    assert outcomes[0] == outcomes[1]


def test_an_item_whose_current_version_was_lost_gets_it_back(me: Assistant) -> None:
    past = {**EARLIER, "replaced_at": "2024-03-01T00:00:00Z"}
    take_in(me, past)
    assert not list(me.notes())
    assert take_in(me, EARLIER).added == 1
    assert state(me) == [("the key is under the mat", None)]
    assert [match.text for match in me.recall("key")] == ["the key is under the mat"]


def test_an_export_is_of_one_moment_whatever_is_written_meanwhile(me: Assistant, own_home: Path) -> None:
    me.write([Note(text=f"note {number}", uri=f"diary:{number}") for number in range(5)])
    items = export(me.store)
    texts = [next(items)["text"]]
    with open_memory(own_home) as other:
        other.write([Note(text="too late", happened_at=datetime.now(UTC) - timedelta(days=1))])
    texts += [item["text"] for item in items]
    assert texts == [f"note {number}" for number in range(5)]


def test_secrets_in_what_is_imported_are_masked(me: Assistant) -> None:
    [key] = [secret for kind, text, secret in positives() if kind == "aws-key" and text == secret][:1]
    done = take_in(me, {**LINE, "text": f"The build uses {key}.", "title": key})
    assert [(one.kind, one.line) for one in done.masked] == [("aws-key", 1)]
    assert key not in "".join(lines_of(me))
    assert take_in(me, {**LINE, "text": f"The build uses {key}.", "title": key}).known == 1
    assert take_in(me, {**LINE, "uri": "other", "text": f"It uses {mask(key)}."}).masked == ()


def test_what_is_masked_is_told_beside_what_was_forgotten(me: Assistant) -> None:
    [key] = [secret for kind, text, secret in positives() if kind == "aws-key" and text == secret][:1]
    take_in(me, {**LINE, "text": "Something that is to be forgotten, and was long enough."})
    me.forget(["n1"])
    gone = {**LINE, "text": "Something that is to be forgotten, and was long enough."}
    done = take_in(me, gone, {**LINE, "uri": "other", "text": f"The build uses {key}."})
    assert [(one.what, one.is_harmless) for one in done.skipped] == [("diary", True)]
    assert [(one.id, one.kind) for one in done.masked] == [(done.ids[0], "aws-key")]
