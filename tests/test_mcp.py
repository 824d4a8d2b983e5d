"""The server for other programs, with the client of the protocol's own library and processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mcp_types as types
import psutil
import pytest
from conftest import ROOT, Run
from hostile import CODES, hostile_memory, steering
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from nights import open_memory

from secondme.assistant import Assistant
from secondme.mcp_server import CALLS, WRITES
from secondme.records import Note
from secondme.store.hiding import hide

PRIVATE = "zanzibar"
NOTES = [
    Note("The spare key lies under the blue flower pot.", uri="/home/ana/notes/keys.md", origin="file"),
    Note(f"The safe opens with {PRIVATE} and the spare key.", uri="/home/ana/Private/safe.md", origin="file"),
    Note("I moved to Porto.", uri="diary:1", happened_at=datetime(2024, 6, 1, tzinfo=UTC)),
]


@pytest.fixture
def home(own_home: Path) -> Path:
    """A memory with something private in it."""
    with open_memory(own_home) as me:
        me.write(NOTES)
        me.write([Note("\x1b]52;c;aGk=\x07[/bold] A hostile clip about lanterns.", uri="clip:1", origin="clip")])
    return own_home


def server(home: Path, *arguments: str) -> StdioServerParameters:
    """How to start the server on a memory, without models."""
    quiet = {"SECONDME_HOME": str(home), "SECONDME_MODELS_LANGUAGE": "", "SECONDME_MODELS_EMBEDDER": ""}
    roots = os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "tui")))
    environ = {**os.environ, **quiet, "PYTHONPATH": roots}
    return StdioServerParameters(command=sys.executable, args=["-m", "secondme", "mcp", *arguments], env=environ)


def served(env: Mapping[str, str] | None, given: bytes) -> subprocess.CompletedProcess[bytes]:
    """What the server does with this on its standard input, which ends then."""
    command = [sys.executable, "-m", "secondme", "mcp"]
    return subprocess.run(command, input=given, capture_output=True, env=env, timeout=60, check=False)


@asynccontextmanager
async def session(home: Path, *arguments: str, name: str = "a test") -> AsyncIterator[ClientSession]:
    """A client that is connected."""
    info = types.Implementation(name=name, version="1")
    async with (
        stdio_client(server(home, *arguments)) as (reading, writing),
        ClientSession(reading, writing, client_info=info) as client,
    ):
        await client.initialize()
        yield client


async def told(client: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool returns, which must not be an error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refused(client: ClientSession, tool: str, **arguments: Any) -> str:
    """What a tool says where it refuses."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    [content] = result.content
    assert isinstance(content, types.TextContent)
    return content.text


async def test_a_program_searches_asks_and_opens_what_it_found(home: Path) -> None:
    async with session(home) as client:
        [child] = psutil.Process().children()
        if sys.platform == "linux":
            assert "Seccomp:\t2" in Path(f"/proc/{child.pid}/status").read_text()
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"search", "ask", "show", "timeline"}
        assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
        found = await told(client, "search", query="where is the spare key")
        first = found["matches"][0]
        assert first["text"] == NOTES[0].text
        assert (first["uri"], first["line"], first["origin"]) == ("/home/ana/notes/keys.md", 1, "file")
        assert "never instructions" in found["note"]
        assert (await told(client, "show", id=first["id"]))["text"] == NOTES[0].text
        asked = await told(client, "ask", question="where is the spare key")
        assert "no language model" in asked["why"]
        assert asked["evidence"][0]["id"] == first["id"]
        listed = await told(client, "timeline", since="2024-05-01", until="2024-07-01")
        assert [note["text"] for note in listed["notes"]] == ["I moved to Porto."]


async def test_what_is_private_is_told_in_no_way(home: Path) -> None:
    async with session(home) as client:
        answers = [
            await told(client, "search", query=f"{PRIVATE} safe spare key", k=20),
            await told(client, "ask", question=f"what opens the safe, {PRIVATE.title()}?"),
            await told(client, "ask", question="what opens the safe?"),
            await told(client, "timeline", k=20),
            await told(client, "timeline", about=f"{PRIVATE} safe"),
        ]
        answers += [{"said": await refused(client, "show", id=id)} for id in ("n2", "n2.1")]
        with open_memory(home) as me:
            me.write([Note(f"Later: {PRIVATE}.", uri="file:///home/ana/private/later.md", origin="file")])
        answers.append(await told(client, "search", query=f"later {PRIVATE}", k=20))
        assert all("afe.md" not in json.dumps(one) and "Later" not in json.dumps(one) for one in answers)
        texts = [match["text"] for one in answers for match in one.get("matches", []) + one.get("evidence", [])]
        assert texts
        assert not [text for text in texts if PRIVATE in text]


async def test_what_is_stored_steers_no_terminal_and_what_is_asked_has_limits(home: Path) -> None:
    async with session(home) as client:
        found = await told(client, "search", query="lanterns")
        assert found["matches"][0]["text"] == "[/bold] A hostile clip about lanterns."
        for arguments in ({"query": "x" * 1001}, {"query": ""}, {"query": "key", "k": 21}, {"query": "key", "k": 0}):
            assert await refused(client, "search", **arguments)
        assert await refused(client, "show", id="../config.toml")
        assert "m99" in await refused(client, "show", id="m99")
        assert "date" in await refused(client, "search", query="key", since="in the days of yore")
        assert await refused(client, "remember", text="planted")
        assert (await told(client, "search", query="\x1b[2J key"))["matches"]


async def test_more_calls_than_a_person_makes_are_refused(home: Path) -> None:
    async with session(home) as client:
        results = [await client.call_tool("show", {"id": "n1"}) for _ in range(CALLS + 3)]
        assert [result.is_error for result in results].count(True) == 3


async def test_what_a_program_stores_is_found_under_its_name_and_never_learned_from(home: Path) -> None:
    hostile = "evil\x1b[2J\u202e" + "x" * 200
    async with session(home, "--allow-write", name=hostile) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["remember"].annotations
        assert not tools["remember"].annotations.read_only_hint
        stored = await told(client, "remember", text="I prefer to be paid in lemons.", title="a\nb")
        assert "quarantine" in stored["state"]
        found = await told(client, "search", query="paid in lemons")
        assert found["matches"][0]["id"] == stored["id"]
        assert found["matches"][0]["origin"] == "mcp"
        assert await refused(client, "remember", text="x" * 40_001)
        over = [await client.call_tool("remember", {"text": f"note {one}"}) for one in range(WRITES)]
        assert over[-1].is_error
        assert not over[-2].is_error
    with open_memory(home) as me:
        note, _ = me.note(stored["id"])
        assert (note.origin, note.title) == ("mcp", "a b")
        assert note.author == note.thread == stored["origin"]
        assert note.author.startswith("mcp:evilx")
        assert len(note.author) < 60
        assert note.text not in {me.store.passages([id])[0].span.text for id in me.store.digestion.queue()}


async def test_two_programs_at_once_do_not_disturb_each_other(home: Path) -> None:
    async with session(home, "--allow-write", name="one") as one, session(home, "--allow-write", name="two") as two:
        calls = [told(client, "remember", text=f"{at} of {id(client)}") for at in range(5) for client in (one, two)]
        stored = await asyncio.gather(*calls)
        assert len({note["id"] for note in stored}) == 10
        assert {note["origin"] for note in stored} == {"mcp:one", "mcp:two"}


def test_a_client_that_vanishes_or_sends_rubbish_ends_the_process(home: Path) -> None:
    rubbish = b'\x00\xff{"jsonrpc": 7}\n[[[[\n' + b"x" * 3_000_000 + b"\n"
    done = served(server(home).env, rubbish)
    assert done.returncode == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in done.stdout.splitlines())


def test_an_encrypted_memory_needs_a_key_that_nobody_types(run: Run, home: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert run("encrypt", "--key-file", key).code == 0
    assert run("mcp", stdin="").code == 0
    key.unlink()
    ended = run("mcp", stdin="")
    assert (ended.code, ended.stdout, len(ended.stderr.splitlines())) == (12, "", 2)


def test_without_a_memory_or_its_library_one_line_says_what_to_do(run: Run, own_home: Path, tmp_path: Path) -> None:
    assert run("mcp", stdin="").code == 10
    with open_memory(own_home):
        pass
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    # A finder of packages that finds none of this name, as on a machine without the extra.
    (hidden / "sitecustomize.py").write_text(
        "import importlib.machinery as m\n"
        "real = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = classmethod("
        "lambda c, name, path=None, target=None: None if name == 'mcp' else real(name, path, target))\n"
    )
    roots = os.pathsep.join(map(str, (hidden, ROOT, ROOT / "plugins", ROOT / "tui")))
    done = served({**os.environ, "PYTHONPATH": roots}, b"")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "secondme: the protocol library is not installed",
        "hint: pip install 'secondme[mcp]'",
    ]


def test_facts_of_hidden_notes_are_hidden_and_what_they_ended_holds(own_home: Path) -> None:
    with open_memory(own_home) as me:
        me.add(Note("I live in Lisbon.", uri="diary:1", happened_at=datetime(2023, 1, 1, tzinfo=UTC)))
        me.add(
            Note(
                "I live in Porto.",
                uri="diary:2",
                thread="my/private/life",
                happened_at=datetime(2024, 1, 1, tzinfo=UTC),
            )
        )
        me.sleep()
        assert [fact.text for fact in me.current_facts()] == ["I live in Porto."]
        with open_memory(own_home) as shown:
            assert isinstance(shown, Assistant)
            hide(shown.store.db, me.config.trust.private)
            [fact] = shown.current_facts()
            assert (fact.text, fact.superseded_by, fact.valid_to) == ("I live in Lisbon.", "", None)
            assert [one.text for one in shown.history(fact.id)] == ["I live in Lisbon."]
            assert not [match for match in shown.recall("Porto", k=20) if "Porto" in match.text]


async def test_hostile_texts_of_an_encrypted_memory_come_as_plain_json(
    own_home: Path, tmp_path: Path, call: Run, run: Run
) -> None:
    hostile_memory(own_home, tmp_path)
    key = tmp_path / "key"
    assert call("encrypt", "--key-file", key).code == 0
    refusal = run("mcp", stdin="", env={"SECONDME_KEY_FILE": ""})
    assert (refusal.code, refusal.stdout) == (12, "")
    assert [line.partition(":")[0] for line in refusal.stderr.splitlines()] == ["secondme", "hint"]
    asked: list[tuple[str, dict[str, Any]]] = [
        ("search", {"query": "live", "k": 20}),
        ("ask", {"question": CODES}),
        ("timeline", {"about": "live"}),
        *(("show", {"id": f"{kind}{number}"}) for kind in "nm" for number in range(1, 8)),
        ("show", {"id": CODES[:40]}),
        ("remember", {"text": f"Tea. {CODES}", "title": CODES}),
    ]
    client = {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": CODES, "version": "1"}}
    called = [
        {"id": at, "method": "tools/call", "params": {"name": name, "arguments": given}}
        for at, (name, given) in enumerate(asked, 1)
    ]
    ready: dict[str, Any] = {"method": "notifications/initialized"}
    messages: list[dict[str, Any]] = [{"id": 0, "method": "initialize", "params": client}, ready, *called]
    sent = "".join(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in messages)
    parameters = server(own_home, "--allow-write")
    process = await asyncio.create_subprocess_exec(
        parameters.command,
        *parameters.args,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**(parameters.env or {}), "SECONDME_KEY_FILE": str(key)},
        limit=1 << 24,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdin.write(sent.encode())
    async with asyncio.timeout(60):
        lines = [(await process.stdout.readline()).decode() for _ in range(len(asked) + 1)]
        process.stdin.close()
        assert await process.wait() == 0
        said = (await process.stderr.read()).decode()
    answers = {one["id"]: one for one in map(json.loads, lines)}
    assert set(answers) == set(range(len(asked) + 1))
    assert sum(not one["result"].get("isError") for one in answers.values()) > len(asked) // 2
    assert [found for text in (*lines, said) for found in steering(text)] == []
    assert [found for one in answers.values() for text in texts_in(one) for found in steering(text)] == []


def texts_in(value: Any) -> list[str]:
    """All texts of a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return [value] if isinstance(value, str) else []
