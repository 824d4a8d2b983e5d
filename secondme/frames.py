"""Messages between processes: four bytes of length, then a JSON object."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import asyncio  # a command that only asks a question does without

LARGEST = 8 * 1024 * 1024
"""Bytes in a frame."""

Message = dict[str, Any]

_LENGTH = struct.Struct(">I")


class BadFrame(Exception):
    """What came is no frame of ours: the connection is of no more use."""


def pack(message: Message) -> bytes:
    """Return a message as a frame: four bytes of length, then JSON. Raises BadFrame for one that is too large."""
    content = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
    if len(content) > LARGEST:
        raise BadFrame(f"a message of {len(content):,} bytes")
    return _LENGTH.pack(len(content)) + content


def unpack(content: bytes) -> Message:
    """Return the message in a frame without its length. Raises BadFrame."""
    try:
        message = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadFrame("not JSON") from error
    if not isinstance(message, dict):
        raise BadFrame("not an object")
    return message


async def send(writer: asyncio.StreamWriter, message: Message) -> None:
    """Write a frame."""
    writer.write(pack(message))
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> Message | None:
    """Return the next message, None at the end. Raises BadFrame."""
    try:
        size = _size(await reader.readexactly(_LENGTH.size))
        return unpack(await reader.readexactly(size))
    except EOFError:
        return None


def read(stream: BinaryIO) -> Message | None:
    """Return the next message of a blocking stream, None at the end. Raises BadFrame."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    size = _size(head)
    content = stream.read(size)
    return unpack(content) if len(content) == size else None


def _size(head: bytes) -> int:
    size: int = _LENGTH.unpack(head)[0]
    if size > LARGEST:
        raise BadFrame(f"a frame of {size:,} bytes")
    return size
