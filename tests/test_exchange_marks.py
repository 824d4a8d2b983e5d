"""Export and import of all that is about notes: facts, the journal, conversations, and what the user marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakePlugin
from lives import NOW
from nights import note, open_memory, texts
from secrets_set import positives

from secondme.assistant import Assistant
from secondme.exchange import BATCH, Imported, export, import_lines, read_lines
from secondme.ids import number_in


@pytest.fixture
def me(lived: Assistant) -> Assistant:
    """A memory that lived."""
    return lived


def lines_of(me: Assistant) -> list[str]:
    return [json.dumps(item, ensure_ascii=False) for item in export(me.store)]


def take_in(me: Assistant, lines: list[str]) -> Imported:
    return import_lines(me.store, lines)


def changed(lines: list[str], kind: str, values: dict[str, Any]) -> list[str]:
    """The lines with other values in the first line of a type."""
    items = [json.loads(line) for line in lines]
    next(item for item in items if item["type"] == kind).update(values)
    return [json.dumps(item, ensure_ascii=False) for item in items]


def test_all_of_a_memory_comes_out_of_another_byte_for_byte(me: Assistant, tmp_path: Path) -> None:
    lines = lines_of(me)
    types = {json.loads(line)["type"] for line in lines}
    assert types >= {"note", "release", "run", "fact", "change", "rejection", "read", "pin", "chat", "turn", "folder"}
    assert types >= {"salts", "tombstone", "conflict"}
    with open_memory(tmp_path / "other") as other:
        done = take_in(other, lines)
        assert done.skipped == ()
        assert lines_of(other) == lines
        assert texts(other.store.facts.all()) == texts(me.store.facts.all())
        again = take_in(other, lines)
        assert (again.added, again.more, again.skipped) == (0, {}, ())
        assert lines_of(other) == lines
        other.store.index.check()


def test_changes_out_of_order_or_twice_leave_the_journal_whole(me: Assistant, tmp_path: Path) -> None:
    lines = lines_of(me)
    places = [place for place, line in enumerate(lines) if json.loads(line)["type"] == "change"]
    mixed = [*lines]
    for place, other_place in zip(places, reversed(places), strict=True):
        mixed[place] = lines[other_place]
    with open_memory(tmp_path / "other") as other:
        done = take_in(other, [*mixed, lines[places[0]]])
        assert ["twice" in skipped.why for skipped in done.skipped] == [True]
        assert take_in(other, mixed).skipped == ()
        other.store.index.check()


def test_a_night_is_undone_elsewhere_as_it_is_here(me: Assistant, tmp_path: Path) -> None:
    with open_memory(tmp_path / "other") as other:
        take_in(other, lines_of(me))
        for memory in (me, other):
            with memory.store.writing():
                memory.store.journal.undo_run(2, now=NOW)
        assert lines_of(other) == lines_of(me)
        for memory in (me, other):
            with memory.store.writing():
                memory.store.journal.undo_run(1, now=NOW)
        assert lines_of(other) == lines_of(me)
        assert other.store.facts.all() == []


def test_facts_of_two_memories_come_together_and_none_is_there_twice(
    me: Assistant, tmp_path: Path, scripted: FakePlugin
) -> None:
    lines = lines_of(me)
    with open_memory(tmp_path / "other", scripted) as other:
        other.add_many([note("My brother Paul sells boats.", "2024-01-01"), note("I went to the gym.", "2024-02-02")])
        take_in(other, [line for line in lines if json.loads(line)["type"] == "note"])
        other.sleep()
        mine = texts(other.store.facts.all())
        done = take_in(other, lines)
        assert done.skipped == ()
        found = texts(other.store.facts.all())
        assert set(found) == {*mine, *texts(me.store.facts.all())}
        before = lines_of(other)
        assert take_in(other, lines).more == {}
        assert lines_of(other) == before


def test_undoing_a_night_of_another_memory_leaves_what_was_learned_here(
    me: Assistant, tmp_path: Path, scripted: FakePlugin
) -> None:
    lines = lines_of(me)
    with open_memory(tmp_path / "other", scripted) as other:
        other.add_many([note("My brother Paul sells boats.", "2024-01-01")])
        other.sleep()
        with other.store.writing():
            other.store.db.conn.execute("update runs set started_at = '2020-01-01T00:00:00Z'")
        done = take_in(other, lines)
        assert done.more["run"] == 2
        for run in (3, 2):
            with other.store.writing():
                other.store.journal.undo_run(run, now=NOW)
        assert texts(other.store.facts.all()) == ["My brother Paul sells boats."]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_a_file_that_was_cut_off_is_taken_as_far_as_it_goes_and_the_whole_one_adds_the_rest(
    me: Assistant, tmp_path: Path, share: float
) -> None:
    whole = "\n".join(lines_of(me)).encode()
    path = tmp_path / "cut.jsonl"
    path.write_bytes(whole[: int(len(whole) * share)])
    with open_memory(tmp_path / "other") as other:
        with path.open("rb") as file:
            done = import_lines(other.store, read_lines(file))
        assert [skipped.why[:8] for skipped in done.skipped if "not JSON" in skipped.why] == ["not JSON"]
        assert take_in(other, lines_of(me)).skipped == ()
        assert texts(other.store.facts.all()) == texts(me.store.facts.all())
        kinds = [[json.loads(line)["type"] for line in lines_of(one)] for one in (me, other)]
        assert kinds[0] == kinds[1]


HOSTILE: list[tuple[str, dict[str, Any], str]] = [
    ("fact", {"id": -1}, "id must be a whole number"),
    ("fact", {"id": 2**70}, "id must be a whole number"),
    ("fact", {"id": True}, "id must be a whole number"),
    ("fact", {"kind": "dream"}, "kind must be one of"),
    ("fact", {"text": "\x1b[1m"}, "text must not be empty"),
    ("fact", {"certainty": 7}, "certainty must be a number"),
    ("fact", {"certainty": float("nan")}, "certainty must be a number"),
    ("fact", {"certainty": 10**400}, "certainty must be a number"),
    ("fact", {"evidence": []}, "it rests on no line"),
    ("fact", {"evidence": {}}, "evidence must be a list"),
    ("fact", {"valid_from": "long ago"}, "valid_from is not a date"),
    ("change", {"verb": "drop table"}, "verb must be one of"),
    ("change", {"operations": {"added": {}, "set": []}}, "operations added memories must be a list"),
    ("change", {"run": 99}, "run 99 is not in this file"),
    ("conflict", {"facts": [1, 99]}, "is not in this file, or could not"),
    ("conflict", {"facts": [1]}, "facts must be lists of 2"),
    ("release", {"digest": "0" * 64}, "not in this memory"),
    ("pin", {"uri": "nowhere"}, "not in this memory"),
    ("turn", {"note": {"uri": "nowhere", "digest": "0" * 64}}, "not in this memory"),
    ("turn", {"chat": 9}, "chat 9 is not in this file"),
    ("folder", {"path": "own"}, "path must be a whole path"),
    ("folder", {"path": "/own/../etc"}, "path must be a whole path"),
    ("salts", {"salts": ["ab"] * 3}, "salts must be 1 to"),
    ("tombstone", {"fingerprint": "x"}, "fingerprint must be a SHA-256"),
    ("run", {"report": [1]}, "report must be an object"),
    ("run", {"report": {"calls": 10**400}}, "report holds what no report does"),
    ("run", {"report": {"calls": float("nan")}}, "report holds what no report does"),
    ("rejection", {"start": 5, "end": 4}, "no stretch of its note"),
    ("read", {"passages": [[1]]}, "passages must be lists of 2"),
]


def test_a_hostile_line_is_named_and_the_rest_is_taken_in(me: Assistant, tmp_path: Path) -> None:
    lines = lines_of(me)
    notes = sum(json.loads(line)["type"] == "note" for line in lines)
    for number, (kind, values, reason) in enumerate(HOSTILE):
        with open_memory(tmp_path / str(number)) as other:
            done = take_in(other, changed(lines, kind, values))
            assert any(reason in one.why and one.what.startswith("line ") for one in done.skipped), (kind, values)
            assert done.added == notes
            assert other.store.db.conn.execute("pragma foreign_key_check").fetchall() == []
            other.store.facts.all()


@pytest.mark.parametrize(("start", "end"), [(0, 10_000), (3, 3), (1, 3), (51, 52)])
def test_a_line_outside_of_its_note_or_within_a_letter_is_no_evidence(
    me: Assistant, tmp_path: Path, start: int, end: int
) -> None:
    lines = lines_of(me)
    fact = next(json.loads(line) for line in lines if json.loads(line)["type"] == "fact")
    [place, *_] = fact["evidence"]
    text = next(json.loads(line)["text"] for line in lines if place["uri"] == json.loads(line).get("uri"))
    is_stretch = start < end <= len(text.encode()) and _decodes(text.encode(), start, end)
    with open_memory(tmp_path / "other") as other:
        done = take_in(other, changed(lines, "fact", {"evidence": [{**place, "start": start, "end": end}]}))
        assert any("no stretch" in skipped.why for skipped in done.skipped) is not is_stretch
        other.store.facts.all()


def _decodes(text: bytes, start: int, end: int) -> bool:
    try:
        text[start:end].decode()
        text[:start].decode()
    except UnicodeDecodeError:
        return False
    return True


def test_an_undone_change_that_names_facts_of_others_takes_none_of_this_memory(
    me: Assistant, tmp_path: Path, scripted: FakePlugin
) -> None:
    with open_memory(tmp_path / "other", scripted) as other:
        other.add_many([note("My brother Paul sells boats.", "2024-01-01")])
        other.sleep()
        [fact] = other.store.facts.all()
        operations = {"added": {"memories": [number_in(fact.id, "m")], "evidence": [1], "conflicts": []}, "set": []}
        run = {
            "id": 1,
            "started_at": "2024-01-01T00:00:00Z",
            "ended_at": None,
            "state": "done",
            "model": "",
            "report": {},
        }
        change = {
            "id": 1,
            "run": 1,
            "verb": "keep",
            "fact": 1,
            "reason": "",
            "operations": operations,
            "undone_at": None,
        }
        lines = [{"type": "run", **run}, {"type": "change", **change, "made_at": run["started_at"], "review": ""}]
        assert take_in(other, [json.dumps({"v": 1, **line}) for line in lines]).skipped == ()
        with other.store.writing():
            other.store.journal.undo_run(2, now=NOW)
        assert other.store.facts.all() == [fact]


def test_a_line_too_long_is_named_and_not_read_into_memory(
    me: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secondme.exchange.LONGEST", 5_000)
    path = tmp_path / "long.jsonl"
    path.write_text('{"v": 1, "text": "' + "a" * 50_000 + '"}\n' + "\n".join(lines_of(me)) + "\n")
    with open_memory(tmp_path / "other") as other, path.open("rb") as file:
        assert max(map(len, read_lines(file))) <= 5_001
        file.seek(0)
        done = import_lines(other.store, read_lines(file))
        assert [skipped.what for skipped in done.skipped] == ["line 1"]
        assert lines_of(other) == lines_of(me)


def test_an_import_that_was_cut_off_leaves_free_no_number_that_a_change_names(me: Assistant, tmp_path: Path) -> None:
    """Else a fact that is learned afterwards would go where the night that was taken in is undone."""
    items = [json.loads(line) for line in lines_of(me)]
    change = next(item for item in reversed(items) if item["type"] == "change")
    added = change["operations"]["added"]
    added["memories"], added["evidence"] = [*added["memories"], 500], [*added["evidence"], 600]

    def ending() -> Iterator[str]:
        for item in [*items, *[{"type": "none"}] * BATCH]:
            yield json.dumps({"v": 1, **item})
        raise KeyboardInterrupt

    with open_memory(tmp_path / "other") as other:
        with pytest.raises(KeyboardInterrupt):
            import_lines(other.store, ending())
        given = dict(other.store.db.conn.execute("select name, seq from sqlite_sequence").fetchall())
        assert (given["memories"], given["evidence"]) == (500, 600)


def test_a_pinned_fact_that_ended_elsewhere_holds_on_here(me: Assistant, tmp_path: Path) -> None:
    ended = [json.loads(line) for line in lines_of(me)]
    fact = next(item for item in ended if item["type"] == "fact" and item["text"] == "I live in Lisbon.")
    assert fact["retired_at"]
    notes = [json.dumps(item) for item in ended if item["type"] == "note"]
    held = {**fact, "id": 1, "retired_at": None, "valid_to": None, "superseded_by": None}
    with open_memory(tmp_path / "other") as other:
        take_in(other, [*notes, json.dumps(held)])
        other.pin("m1")
        take_in(other, lines_of(me))
        assert other.facts(["m1"])[0].retired_at is None


def test_what_was_forgotten_here_stays_out_whatever_salts_an_import_brings(me: Assistant, tmp_path: Path) -> None:
    text = "Something long enough to be told from all else, and forgotten here."
    with open_memory(tmp_path / "other") as other:
        other.add_many([note(text, "2024-01-01", uri="own")])
        kept = lines_of(other)
        other.forget(["n1"])
        take_in(other, lines_of(me))
        take_in(other, kept)
        assert not [one for one in other.notes() if one.text == text]


def test_secrets_in_conversations_and_facts_of_an_import_are_masked(me: Assistant, tmp_path: Path) -> None:
    [key] = [secret for kind, text, secret in positives() if kind == "aws-key" and text == secret][:1]
    lines = changed(lines_of(me), "turn", {"text": f"what is {key}", "answer": f"{key} [1]"})
    lines = changed(lines, "chat", {"name": key})
    with open_memory(tmp_path / "other") as other:
        take_in(other, lines)
        assert key not in "".join(lines_of(other))
        assert "masked: aws-key" in "".join(lines_of(other))
