"""Two memories, one of which holds private notes that are hidden: a client of the server can tell no difference."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import FakePlugin
from nights import note, open_memory

from secondme import search
from secondme.assistant import Assistant
from secondme.errors import SecondmeError
from secondme.exchange import export, import_lines
from secondme.mcp_server import LONGEST_TEXT, MATCHES, Tools
from secondme.records import Note
from secondme.store.hiding import hide

PATTERNS = ("*/private/*", "*/ärzte/*")
OPEN = [
    note("I live in Lisbon.", "2022-01-10", uri="diary:1"),
    note("I live in Faro.", "2024-05-10", uri="diary:2"),
    note("I worked at Nortel until March 2021.", "2022-01-11", uri="diary:3"),
    note("My sister is called Ines.", "2022-02-01", uri="diary:4"),
    note("My favourite tea is oolong.", "2022-02-02", uri="diary:5"),
    note("東京の天気は晴れです。", "2022-03-01", uri="diary:6"),
    note("Nora keeps bees behind the old barn.", "2023-03-01", uri="diary:7", thread="talk"),
    note("She sells the honey on Fridays.", "2023-03-02", uri="diary:8", thread="talk"),
]
PRIVATE = [
    note("I live in Porto.", "2023-02-10", uri="/h/private/1.md", thread="p"),
    note("I worked at Nortel.", "2022-06-11", uri="/h/Private/2.md", thread="p"),
    note("My sister is called Zora.", "2023-02-01", uri="/h/ÄRZTE/3.md", thread="p"),
    note("My favourite tea is sencha.", "2024-02-02", uri="diary:x", thread="my/private/life"),
    note("東京の病院の天気。", "2022-03-02", uri="/h/a\u0308rzte/4.md", thread="p"),
    note("Zanzibar Quimby keeps bees and honey.", "2023-03-01", uri="/h/private/5.md", thread="talk"),
]
QUESTIONS = (
    "Where do I live?",
    "Where did I live before?",
    "Where did I work?",
    "What is my sister called?",
    "What is my favourite tea?",
    "東京の天気",
    "病院",
    "Who is Quimby?",
    "Who keeps bees and honey?",
    "What happened in February 2023?",
)
_OWN = re.compile(r"\b([nm])\d+(\.\d+)?")


def memory(home: Path, notes: list[Note]) -> Assistant:
    """A memory over whose notes a night has gone, one after the other."""
    me = open_memory(home, FakePlugin(["I do not know."] * 50))
    in_order = sorted(notes, key=lambda one: str(one.happened_at))
    me.add_many(in_order)
    me.sleep()
    me.embed_waiting()
    me.model().prompts.clear()  # type: ignore[attr-defined]
    hide(me.store.db, PATTERNS)
    return me


async def answers(me: Assistant) -> dict[str, Any]:
    """What each tool says to each question, without ids."""
    tools = Tools(me, writer=None)
    found: dict[str, Any] = {}
    for question in QUESTIONS:
        found[f"search {question}"] = await tools.search(question, k=20)
        found[f"ask {question}"] = await tools.ask(question)
        found[f"about {question}"] = await tools.timeline(about=question)
        found[f"prompt {question}"] = [repr(prompt) for prompt in me.model().prompts]  # type: ignore[attr-defined]
    found["timeline"] = await tools.timeline()
    found["span"] = await tools.timeline(since="2023-01-01", until="2023-12-31")
    shown = []
    for number in range(1, 40):
        for kind in "nm":
            try:
                shown.append(await tools.show(f"{kind}{number}"))
            except SecondmeError:
                continue
    found["show"] = sorted(map(repr, map(plain, shown)))
    return {name: plain(one) for name, one in found.items()}


def plain(value: Any) -> Any:
    """A value without ids, marks and moments of the night."""
    if isinstance(value, dict):
        return {
            key: bool(one) if key in ("id", "retired_at", "superseded_by") else plain(one) for key, one in value.items()
        }
    if isinstance(value, list):
        return [plain(one) for one in value]
    return re.sub(r"\bq[0-9a-f]{8}\b", "q", _OWN.sub(r"\1", value)) if isinstance(value, str) else value


@pytest.mark.parametrize("few", [search.FEW, 50])
def test_hidden_notes_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "NEAREST", 3)
    with memory(tmp_path / "with", OPEN + PRIVATE) as me, memory(tmp_path / "without", OPEN) as other:
        assert me.store.db.conn.execute("select count(*) from main.notes").fetchone() == (len(OPEN + PRIVATE),)
        told, expected = asyncio.run(answers(me)), asyncio.run(answers(other))
    for name in told:
        assert told[name] == expected[name], name


@pytest.mark.parametrize("pattern", ["/h/diary", "/h/diary/", "/h/*ary", "file:///H/diary"])
def test_a_folder_is_hidden_with_all_that_is_in_it(tmp_path: Path, pattern: str) -> None:
    uris = ("/h/diary/1.md", "/h/diary/deep/2.md", "/h/diary-of-a-ship.md", "/h/other.md")
    with open_memory(tmp_path) as me:
        me.write([note(f"Of {uri}.", "2024-01-01", uri=uri) for uri in uris])
        hide(me.store.db, [pattern, ""])
        assert {one.uri for one in me.notes()} == {*uris[2:]}


def test_a_fact_with_very_long_lines_is_told_in_part(tmp_path: Path) -> None:
    with open_memory(tmp_path) as me:
        me.write([note("I live in Porto. " + "x" * 50_000, "2024-01-01", uri="diary:1")])
        items = list(export(me.store))
        [text] = [item["text"] for item in items]
        place = {"uri": "diary:1", "digest": hashlib.sha256(text.encode()).hexdigest(), "is_wording": True}
        lines = [{**place, "id": at, "start": 0, "end": len(text) - at} for at in range(1, 40)]
        fact = {"id": 1, "kind": "semantic", "stance": "evidence", "text": "y" * 50_000, "evidence": lines}
        fact |= {"subject": "", "attribute": "", "value": "", "certainty": 0.5, "recorded_at": items[0]["added_at"]}
        assert import_lines(me.store, [json.dumps({"v": 1, "type": "fact", **fact})]).more == {"fact": 1}
        told = asyncio.run(Tools(me, writer=None).show("m1"))
        assert len(told["sources"]) == MATCHES
        assert {len(one["quote"]) for one in told["sources"]} == {len(told["text"])} == {LONGEST_TEXT}


@pytest.mark.parametrize(
    ("uri", "thread"), [("diary", "private/life"), ("private/a.md", ""), ("file:///h/private/a.md", "")]
)
def test_a_folder_of_that_name_is_hidden_wherever_it_stands(tmp_path: Path, uri: str, thread: str) -> None:
    with open_memory(tmp_path) as me:
        me.add(note("Zanzibar keeps bees.", "2024-01-01", uri=uri, thread=thread))
        hide(me.store.db, ("*/private/*",))
        assert not list(me.notes())
        assert not me.recall("Zanzibar")
