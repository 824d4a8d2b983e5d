"""Notes that are hidden from one connection: all it is asked for is as though they had never been stored."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import FakePlugin
from nights import note, open_memory

from secondme.assistant import Assistant
from secondme.mcp_server import Tools
from secondme.store.hiding import hide

SHOWN = [
    note("I live in Lisbon.", "2023-01-10", uri="diary:1"),
    note("My sister Nora keeps bees.", "2023-02-10", uri="diary:2"),
    note("日本語のメモ about the garden gate.", "2023-03-10", uri="diary:3"),
    note("My favourite colour is green.", "2023-04-10", uri="diary:4"),
    note("The rent is 755 euros.", "2023-05-10", uri="diary:5"),
]
PRIVATE = [
    note("I moved to Porto.", "2024-06-10", uri="a/private/1"),
    note("My sister Nora sells boats.", "2024-06-11", uri="a/private/2", thread="a/private/x"),
    note("日本語 zanzibar garden gate.", "2024-06-12", uri="a/private/3"),
    note("My favourite colour is blue.", "2023-04-10", uri="a/private/4"),
    note("The rent is 800 euros. Zebediah told me.", "2024-07-10", uri="a/private/5"),
]
QUESTIONS = [
    "where do I live",
    "what does my sister Nora do",
    "日本語",
    "garden gate",
    "Zebediah",
    "zanzibar",
    "my favourite colour",
    "what is the rent",
    "what happened in June 2024",
    "when did I move",
    "Porto",
    "boats",
]


def told(me: Assistant) -> list[str]:
    """All that the tools say, without ids and scores."""

    async def ask() -> list[Any]:
        tools = Tools(me, writer=None)
        found: list[Any] = []
        for question in QUESTIONS:
            found += [await tools.search(question, k=20), await tools.ask(question)]
            found.append(await tools.timeline(about=question, k=20))
        found += [await tools.timeline(since="2024-01-01", k=20), await tools.timeline(k=20)]
        return found

    return [re.sub(r'"[nm]\d+(\.\d+)?"', '"id"', json.dumps(one, sort_keys=True)) for one in asyncio.run(ask())]


@pytest.mark.parametrize("has_slept", [False, True])
def test_a_memory_with_hidden_notes_answers_as_one_without_them(
    tmp_path: Path, scripted: FakePlugin, monkeypatch: pytest.MonkeyPatch, has_slept: bool
) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2025-01-01T00:00:00Z")
    scripted.model.replies += ["As far as I see [1]."] * 100
    with open_memory(tmp_path / "plain", scripted) as plain, open_memory(tmp_path / "hidden", scripted) as both:
        plain.add_many(SHOWN)
        both.add_many([*SHOWN, *PRIVATE])
        for me in (plain, both):
            if has_slept:
                me.sleep()
        if has_slept:
            assert {fact.text for fact in both.store.facts.all()} > {fact.text for fact in plain.store.facts.all()}
        hide(both.store.db, ("*/private/*",))
        assert told(both) == told(plain)
