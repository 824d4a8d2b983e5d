"""Questions through the daemon: the same answers as without it, from models that are loaded once."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from daemons import Background, background, is_alive, wait_for

from secondme import frames
from secondme.daemon import wire
from secondme.paths import find_paths

__all__ = ["background"]

NOTE = "The spare key lies under the blue flower pot."
ANSWER = "Under the blue flower pot. [1]"
QUESTION = "Where is the spare key?"


@pytest.fixture
def asked(background: Background) -> Background:
    """A daemon over a memory with a note, whose model has an answer or two."""
    background.replies = [ANSWER] * 4
    background.run("add", NOTE)
    background.run("add", "Tea is best with milk.")
    return background


def started(background: Background, **env: str) -> Background:
    background.start(**env)
    return background


def without_times(found: Any) -> Any:
    """The record without how long things took."""
    if isinstance(found, dict):
        return {key: without_times(value) for key, value in found.items() if "seconds" not in key and key != "ms"}
    return [without_times(one) for one in found] if isinstance(found, list) else found


COMMANDS = (
    ("search", QUESTION),
    ("search", QUESTION, "-k", "1"),
    ("search", "nothing of the kind zzz"),
    ("search", QUESTION, "--since", "2031"),
    ("ask", QUESTION),
    ("ask", QUESTION, "--brief"),
    ("ask", QUESTION, "--no-llm"),
    ("ask", "zzz", "--author", "nobody"),
)


def test_the_answer_is_the_same_with_and_without_a_daemon(asked: Background) -> None:
    def answers() -> list[Any]:
        said = [asked.run(*command) for command in COMMANDS]
        as_json = [asked.run(*command, "--json") for command in COMMANDS]
        return [*said, *((done.code, without_times(done.json)) for done in as_json)]

    plain = answers()
    started(asked)
    assert answers() == plain
    assert asked.status()["models"]["loaded"]
    assert "blue flower pot" in asked.run("search", QUESTION, "--explain").stdout


def test_the_second_question_loads_nothing(asked: Background) -> None:
    started(asked)
    asked.run("ask", QUESTION)
    first = asked.status()["models"]["pid"]
    assert asked.run("ask", QUESTION).stdout.startswith("Under the blue")
    assert asked.status()["models"]["pid"] == first


def test_models_that_nobody_uses_are_unloaded(asked: Background) -> None:
    started(asked, SECONDME_DAEMON_KEEP_ALIVE="1")
    asked.run("search", QUESTION)
    asked.wait(lambda status: not status["models"]["loaded"])
    assert asked.run("search", QUESTION).code == 0


def test_a_command_with_other_settings_does_its_own_work(asked: Background) -> None:
    started(asked)
    assert asked.run("search", QUESTION, env={"SECONDME_ME_NAME": "Ann"}).code == 0
    assert not asked.status()["models"]["loaded"]


def test_a_crash_of_the_models_costs_one_question(asked: Background) -> None:
    pid = started(asked).pid()
    asked.run("search", QUESTION)
    models = asked.status()["models"]["pid"]
    os.kill(models, signal.SIGKILL)
    wait_for(lambda: not is_alive(models))
    assert asked.run("ask", QUESTION).stdout.startswith("Under the blue")
    assert asked.pid() == pid
    assert asked.status()["models"]["pid"] != models


def test_what_the_daemon_cannot_do_is_told_as_if_it_had_happened_here(asked: Background) -> None:
    asked.replies = None
    plain = asked.run("ask", QUESTION)
    started(asked)
    assert asked.run("ask", QUESTION) == plain
    assert plain.code == 13


def test_a_memory_that_is_not_there_yet_is_no_reason_to_fail(background: Background) -> None:
    started(background)
    background.run("add", NOTE)
    assert background.run("search", QUESTION).code == 0


def test_it_is_started_by_a_question_where_the_user_wants_that(asked: Background) -> None:
    asked.env["SECONDME_DAEMON_AUTOSTART"] = "true"
    assert asked.run("search", QUESTION).code == 0
    wait_for(lambda: asked.run("daemon", "status").code == 0)
    assert asked.run("search", QUESTION).code == 0
    assert asked.status()["models"]["loaded"]


def test_it_sleeps_when_nobody_asks_and_says_why_it_does_not(asked: Background) -> None:
    started(asked)
    why_not = asked.status()["sleep"]["why_not"]
    assert any("it waits for 10" in why for why in why_not)
    asked.run("daemon", "stop")
    started(asked, SECONDME_DAEMON_IDLE_MINUTES="0")
    asked.wait(lambda status: status["sleep"]["waiting"] == 0)
    runs = asked.run("log", "--json").json
    assert runs
    assert "work_begun kind=sleep" in asked.run("daemon", "logs").stdout


@pytest.fixture
def connection(asked: Background) -> Iterator[socket.socket]:
    started(asked)
    found = wire.connect(wire.socket_path(find_paths()))
    assert found is not None
    found.settimeout(20)
    yield found
    found.close()


def say(connection: socket.socket, message: dict[str, Any]) -> dict[str, Any]:
    connection.sendall(frames.pack(message))
    with connection.makefile("rb") as stream:
        return frames.read(stream) or {}


def test_each_reply_names_the_protocol_and_the_version(connection: socket.socket) -> None:
    for op in ("hello", "status", "wake", "nonsense"):
        reply = say(connection, {"op": op})
        assert (reply["v"], reply["protocol"]) == (1, wire.PROTOCOL)
        assert reply["version"]
    assert say(connection, {"op": 7})["type"] == "error"
    assert say(connection, {})["type"] == "error"


@pytest.mark.parametrize(
    "junk", [b"\xff\xff\xff\xff", b"\0\0\0\5hello", b"\0\0\0\2[]", b"GET / HTTP/1.1\r\n\r\n", b"\0\0"]
)
def test_who_speaks_something_else_is_left_alone(connection: socket.socket, asked: Background, junk: bytes) -> None:
    connection.sendall(junk)
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(100) == b""
    assert asked.run("daemon", "status").code == 0


def test_who_leaves_in_the_middle_ends_the_work_on_the_answer(asked: Background, connection: socket.socket) -> None:
    fields = {"question": QUESTION, "k": None, "brief": False}
    filters = {"since": None, "until": None, "source": "", "author": "", "kind": "", "as_of": None}
    connection.sendall(frames.pack({"op": "ask", **fields, "filters": filters}))
    connection.close()
    asked.wait(lambda status: status["doing"] == ["waiting"])
    assert asked.run("ask", QUESTION).stdout.startswith("Under the blue")


def test_all_its_processes_end_with_it(asked: Background) -> None:
    pid = started(asked).pid()
    asked.run("search", QUESTION)
    family = psutil.Process(pid).children(recursive=True)
    assert family
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)
    assert not [one.pid for one in family if is_alive(one.pid)]


def test_the_folder_of_the_socket_has_to_be_private(asked: Background) -> None:
    with tempfile.TemporaryDirectory() as short:
        folder = Path(short) / "secondme"
        folder.mkdir(mode=0o755)
        refused = asked.run("daemon", "run", env={"XDG_RUNTIME_DIR": short})
    assert refused.code == 2
    assert f"chmod 700 {folder}" in refused.stderr


def test_the_path_of_the_socket_fits_whatever_the_name_of_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 40)))
    assert len(os.fsencode(wire.socket_path(find_paths()))) <= wire.LONGEST_PATH
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/x")
    assert wire.socket_path(find_paths()).parent == Path("/run/x/secondme")
