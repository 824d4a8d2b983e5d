"""Frames, the private socket, and locks."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondme import frames
from secondme.config import load_config
from secondme.daemon import wire
from secondme.errors import Locked, UsageError
from secondme.locks import daemon_lock, inhibiting, is_inhibited
from secondme.paths import Paths, find_paths

messages: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
)


@given(st.lists(messages))
def test_messages_come_out_as_they_went_in(given: list[dict[str, Any]]) -> None:
    stream = io.BytesIO(b"".join(map(frames.pack, given)))
    assert [frames.read(stream) for _ in given] == given
    assert frames.read(stream) is None


@given(messages, st.data())
def test_a_stream_that_was_cut_ends(message: dict[str, Any], data: st.DataObject) -> None:
    packed = frames.pack(message)
    assert frames.read(io.BytesIO(packed[: data.draw(st.integers(0, len(packed) - 1))])) is None


@pytest.mark.parametrize(
    "content", [b"\xff\xff\xff\xff", b"\0\0\0\1x", b"\0\0\0\2[]", b"\0\0\0\4null", b"\0\0\0\2\xff\xfe"]
)
def test_what_is_no_frame_is_refused(content: bytes) -> None:
    with pytest.raises(frames.BadFrame):
        frames.read(io.BytesIO(content))

    async def receive() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(content)
        reader.feed_eof()
        await frames.receive(reader)

    with pytest.raises(frames.BadFrame):
        asyncio.run(receive())


def test_a_frame_is_bounded() -> None:
    with pytest.raises(frames.BadFrame, match="8,388,6"):
        frames.pack({"text": "x" * frames.LARGEST})
    with pytest.raises(frames.BadFrame):
        frames.read(io.BytesIO(struct.pack(">I", frames.LARGEST + 1)))


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paths]:
    """Paths with a runtime folder short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield find_paths()


def test_only_the_owner_can_reach_the_socket(paths: Paths) -> None:
    path = wire.socket_path(paths)
    with wire.bound_socket(paths) as listening:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        connection = wire.connect(path)
        assert connection is not None
        accepted, _ = listening.accept()
        assert wire.peer_is_me(accepted)
        assert wire.peer_is_me(connection)
        accepted.close()
        connection.close()
    assert not path.exists()


def test_a_socket_that_somebody_listens_to_is_not_taken(paths: Paths) -> None:
    with wire.bound_socket(paths), pytest.raises(Locked), wire.bound_socket(paths):
        pass


def test_a_socket_that_nobody_listens_to_is_replaced(paths: Paths) -> None:
    path = wire.socket_path(paths)
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    assert wire.connect(path) is None
    with wire.bound_socket(paths):
        found = wire.connect(path)
        assert found is not None
        found.close()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_may_enter_is_refused(paths: Paths, mode: int) -> None:
    folder = wire.socket_path(paths).parent
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(UsageError, match="only you may enter"), wire.bound_socket(paths):
        pass
    assert wire.connect(wire.socket_path(paths)) is None


def test_a_folder_that_is_a_link_is_refused(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    wire.socket_path(paths).parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError), wire.bound_socket(paths):
        pass


def test_each_memory_has_a_socket_of_its_own(paths: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = wire.socket_path(paths)
    monkeypatch.setenv("SECONDME_HOME", str(tmp_path / "other"))
    assert wire.socket_path(find_paths()) != first


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECONDME_ME_NAME", "Ann"),
        ("SECONDME_NOW", "2024-06-01"),
        ("SECONDME_PLUGINS", "off"),
        ("SECONDME_MODELS", "/x"),
    ],
)
def test_what_would_answer_otherwise_has_another_fingerprint(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    before = wire.fingerprint(load_config(paths.config), paths)
    assert wire.fingerprint(load_config(paths.config), paths) == before
    monkeypatch.setenv(name, value)
    found = find_paths()
    assert wire.fingerprint(load_config(found.config), found) != before


def test_one_daemon_holds_the_lock_and_is_named(paths: Paths) -> None:
    with daemon_lock(paths), pytest.raises(Locked, match=f"process {os.getpid()}"), daemon_lock(paths):
        pass
    with daemon_lock(paths):
        pass


def test_several_commands_may_inhibit_at_once(paths: Paths) -> None:
    assert not is_inhibited(paths)
    with inhibiting(paths):
        with inhibiting(paths):
            assert is_inhibited(paths)
        assert is_inhibited(paths)
    assert not is_inhibited(paths)
