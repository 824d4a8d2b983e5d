"""The sample vault can be read whole, keeps within its two years, and still holds what the bench asks about."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from secondme_plugins import jsonl, markdown

from secondme.demo import QUESTIONS, vault
from secondme.records import Note

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LAST = datetime(2025, 11, 1, tzinfo=UTC)
NOTES = sorted(vault().rglob("*.md"))
CHAT = vault() / "chat-with-ines.jsonl"
BENCH = tomllib.loads((Path(__file__).parent / "bench" / "demo_questions.toml").read_text(encoding="utf-8"))


def lines(file: str) -> list[str]:
    return (vault() / file).read_text(encoding="utf-8").split("\n")


def test_the_vault_is_a_few_dozen_notes_of_different_length() -> None:
    lengths = {len(path.read_text(encoding="utf-8").split()) for path in NOTES}
    assert 40 <= len(NOTES) <= 60
    assert min(lengths) < 20
    assert 100 < max(lengths) <= 250


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_every_note_is_dated_by_its_name_or_properties(path: Path) -> None:
    notes = markdown.read_notes(path, path.read_text(encoding="utf-8"))
    assert notes is not None
    assert [FIRST <= note.happened_at < LAST for note in notes if note.happened_at] == [True]


def test_every_line_of_the_chat_is_a_message() -> None:
    text = CHAT.read_text(encoding="utf-8")
    messages = [item for item in jsonl.read_notes(CHAT, text) or [] if isinstance(item, Note)]
    assert len(messages) == text.count("\n") >= 40
    assert len({message.uri for message in messages}) == len(messages)
    assert len({message.thread for message in messages}) == 2
    assert {message.author for message in messages} == {"Maren", "Ines", "Oda"}
    moments = [message.happened_at for message in messages if message.happened_at]
    assert all(FIRST <= moment < LAST for moment in moments)
    assert moments == sorted(moments)
    keys = {"text", "uri", "thread", "author", "happened_at"}
    assert all(json.loads(line).keys() == keys for line in text.splitlines())


def test_the_bench_asks_thirty_questions_and_six_without_an_answer() -> None:
    asked = [entry["question"] for entry in BENCH["questions"]] + BENCH["unanswerable"]
    assert (len(BENCH["questions"]), len(BENCH["unanswerable"]), len(set(asked))) == (30, 6, 36)


def test_the_demo_asks_three_questions_the_bench_knows() -> None:
    assert len(QUESTIONS) == 3
    assert set(QUESTIONS) <= {entry["question"] for entry in BENCH["questions"]}


@pytest.mark.parametrize("entry", BENCH["questions"], ids=lambda entry: entry["question"])
def test_the_lines_named_as_evidence_hold_the_expected_words(entry: dict[str, Any]) -> None:
    evidence = [lines(source["file"])[source["line"] - 1] for source in entry["evidence"]]
    assert evidence
    for source, line in zip(entry["evidence"], evidence, strict=True):
        assert source["holds"] in line
    if not entry.get("computed", False):
        found = "\n".join(evidence).casefold()
        assert [word for word in entry["expected"] if word.casefold() not in found] == []
