"""The exports of ChatGPT and Claude."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import at_most
from secondme_plugins import chatgpt, chats, claude, heads

from secondme.records import Note, Skipped

Reader = Callable[[Path], Iterator[Note | Skipped] | None]


def node(id: str, parent: str | None, role: str, text: str, at: float | None = 1717231800.0) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    message = {"id": f"msg-{id}", "author": {"role": role}, "create_time": at, "content": content}
    return {"id": id, "parent": parent, "message": message}


def openai(*nodes: dict[str, Any], current: str) -> list[dict[str, Any]]:
    mapping = {"root": {"id": "root", "parent": None, "message": None}, **{one["id"]: one for one in nodes}}
    return [{"mapping": mapping, "current_node": current, "title": "Boats", "conversation_id": "c1"}]


GPT = openai(
    node("a", "root", "system", "You are helpful"),
    node("b", "a", "user", "Which knot?"),
    node("old", "b", "assistant", "A granny knot"),
    node("c", "b", "assistant", "A bowline"),
    current="c",
)
CLAUDE = [
    {
        "uuid": "c1",
        "name": "Boats",
        "created_at": "2024-06-01T08:00:00Z",
        "chat_messages": [
            {"uuid": "m1", "sender": "human", "text": "Which knot?", "created_at": "2024-06-01T08:30:00.5Z"},
            {"uuid": "m2", "sender": "assistant", "content": [{"type": "text", "text": "A bowline"}]},
            {"uuid": "m3", "sender": "assistant", "text": ""},
            {"uuid": "m4", "sender": "tool", "text": "ran"},
        ],
    }
]


def read(reader: Reader, path: Path, content: Any) -> list[Note | Skipped]:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    found = reader(path)
    assert found is not None
    return list(found)


def test_a_conversation_with_chatgpt_is_read_as_it_was_last_shown(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    moment = datetime(2024, 6, 1, 8, 50, tzinfo=UTC)
    assert read(chatgpt.read_document, path, GPT) == [
        Note("Which knot?", f"{path}#c1/msg-b", "chatgpt:c1", "", moment, "import", "Boats"),
        Note("A bowline", f"{path}#c1/msg-c", "chatgpt:c1", "ChatGPT", moment, "import", "Boats"),
    ]


def test_a_conversation_with_claude_is_read(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    first, second = datetime(2024, 6, 1, 8, 30, 0, 500_000, UTC), datetime(2024, 6, 1, 8, tzinfo=UTC)
    assert read(claude.read_document, path, CLAUDE) == [
        Note("Which knot?", f"{path}#c1/m1", "claude:c1", "", first, "import", "Boats"),
        Note("A bowline", f"{path}#c1/m2", "claude:c1", "Claude", second, "import", "Boats"),
    ]


def test_each_export_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    for content, mine, other in ((GPT, chatgpt, claude), (CLAUDE, claude, chatgpt)):
        path.write_text(json.dumps(content), encoding="utf-8")
        assert mine.read_document(path) is not None
        assert other.read_document(path) is None
    path.write_text('{"name": "package"}', encoding="utf-8")
    assert chatgpt.read_document(path) is claude.read_document(path) is None
    assert chatgpt.read_document(tmp_path / "missing.json") is None


def test_the_archive_as_it_is_downloaded_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", json.dumps(CLAUDE))
        archive.writestr("users.json", "[]")
    found = claude.read_document(path)
    assert found is not None
    assert [item.text for item in found if isinstance(item, Note)] == ["Which knot?", "A bowline"]
    assert chatgpt.read_document(path) is None


def test_messages_that_lead_in_a_circle_are_read_once(tmp_path: Path) -> None:
    circle = openai(node("a", "b", "user", "One"), node("b", "a", "assistant", "Two"), current="b")
    found = read(chatgpt.read_document, tmp_path / "a.json", circle)
    assert [item.text for item in found if isinstance(item, Note)] == ["One", "Two"]


@pytest.mark.parametrize(
    ("reader", "content", "why"),
    [
        (chatgpt.read_document, '[{"mapping": {}, "id', "not a readable export: JSONDecodeError"),
        (chatgpt.read_document, '[7, {"mapping": {}}]', "not a conversation"),
        (chatgpt.read_document, '[{"mapping": 7}]', "not a conversation"),
        (claude.read_document, '[{"chat_messages": null}]', "not a conversation"),
    ],
)
def test_what_is_no_conversation_is_said(tmp_path: Path, reader: Reader, content: str, why: str) -> None:
    [found] = read(reader, tmp_path / "a.json", content)
    assert isinstance(found, Skipped)
    assert found.why == why


def test_an_export_larger_than_the_memory_of_a_reader_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats, "LARGEST", 100)
    [found] = read(claude.read_document, tmp_path / "a.json", CLAUDE)
    assert isinstance(found, Skipped)
    assert "do not fit" in found.why


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _spoilt(found: Any, data: st.DataObject) -> Any:
    """The value with something else in one place."""
    if not isinstance(found, dict | list) or not found or data.draw(st.integers(0, 4)) == 0:
        return data.draw(_values)
    place = data.draw(st.sampled_from([*found] if isinstance(found, dict) else range(len(found))))
    found[place] = _spoilt(found[place], data)
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_export_of_another_shape_gives_notes_or_reasons_and_never_a_crash(
    tmp_path: Path, data: st.DataObject
) -> None:
    for reader, mark, good in ((chatgpt, "mapping", GPT), (claude, "chat_messages", CLAUDE)):
        spoilt = _spoilt(json.loads(json.dumps(good[0])), data)
        found = read(reader.read_document, tmp_path / "a.json", [{mark: None}, spoilt])
        assert all(isinstance(item, Note | Skipped) for item in found)


def _zip(path: Path, content: bytes, how: int = zipfile.ZIP_DEFLATED, before: str = "") -> bytearray:
    with zipfile.ZipFile(path, "w", how) as archive:
        if before:
            archive.writestr(before, b"words")
        archive.writestr("conversations.json", content)
    return bytearray(path.read_bytes())


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("front", [b"", b"#!/bin/sh\n"])
def test_an_archive_is_known_by_what_is_in_it(tmp_path: Path, how: int, front: bytes) -> None:
    path = tmp_path / "export.zip"
    content = _zip(path, json.dumps(GPT).encode(), how, before="first")
    path.write_bytes(front + content)
    assert chatgpt.read_document(path) is not None
    assert claude.read_document(path) is None


def test_a_long_archive_is_known_by_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = tmp_path / "export.zip"
    _zip(path, json.dumps(GPT).encode(), before="first")
    assert b"PK\6\6" in path.read_bytes()
    assert chatgpt.read_document(path) is not None


def _broken_archives(path: Path) -> dict[str, bytes]:
    good = json.dumps(GPT).encode()
    begin = 30 + len("conversations.json")
    deflated, packed = _zip(path, good), _zip(path, good, zipfile.ZIP_LZMA)
    named = _zip(path, good, before="caf\u00e9.txt").replace(b"caf\xc3\xa9", b"caf\xff\xff")
    deflated[begin : begin + 8], packed[begin + 4 : begin + 9] = b"\xff" * 8, b"\xff" * 5
    return {"deflated": bytes(deflated), "lzma": bytes(packed), "named": bytes(named), "cut": good[:-30]}


@pytest.mark.parametrize("kind", ["deflated", "lzma", "named"])
def test_a_malformed_archive_is_said_to_be_one(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(_broken_archives(path)[kind])
    found = chatgpt.read_document(path)
    assert found is not None
    assert list(found) == [Skipped(str(path), "not a readable archive")]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_archive_gives_notes_or_reasons_and_never_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "export.zip"
    content = _zip(path, json.dumps(GPT).encode())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for item in chatgpt.read_document(path) or ():
        assert isinstance(item, Note | Skipped)


def test_the_list_of_a_large_archive_is_not_read_to_tell_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "export.zip"
    _zip(path, json.dumps(GPT).encode(), before="first")
    assert chatgpt.read_document(path) is not None
    for limit in ("MOST_ENTRIES", "MOST_DIRECTORY"):
        with monkeypatch.context() as patch:
            patch.setattr(heads, limit, 1)
            assert chatgpt.read_document(path) is None


@pytest.mark.parametrize("name", ["a.json", "a.zip"])
def test_a_pipe_is_no_export_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with at_most(1):
        assert chatgpt.read_document(tmp_path / name) is claude.read_document(tmp_path / name) is None
