"""Looks at the beginning of a file to tell whose it is: waits for nothing, and takes little however large the file is.

It runs in the process that reads all the others too, where a file that nobody trusts must cost nothing.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

MOST_ENTRIES, MOST_DIRECTORY = 10_000, 4 << 20
"""Files in an archive, and bytes of the list of them; one with more is no export."""
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_BYTES = 20
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_STORED, _DEFLATED = 0, 8


def beginning(path: Path, size: int) -> bytes:
    """Return the first bytes of a file, none where it is not a regular one or cannot be read."""
    try:
        with _opened(path) as file:
            return file.read(size)
    except OSError:
        return b""


def beginning_in_archive(path: Path, name: str, size: int) -> bytes | None:
    """Return the first bytes of a file in a zip archive, none where they cannot be read; None where it is not in it."""
    try:
        with _opened(path) as file:
            entry = _entry(file, name.encode())
            return None if entry is None else _unpacked(file, *entry, size=size)
    except (OSError, struct.error):
        return None


def _opened(path: Path) -> BinaryIO:
    """Open a regular file. Raises OSError."""
    # A pipe is not even opened: whoever writes to it would notice.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(f"not a regular file: {path}")
    return open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")


def _entry(file: BinaryIO, name: bytes) -> tuple[int, int, int] | None:
    """Return how a file in an archive is packed, where it begins and its bytes there, None where it is not in it."""
    found = _directory(file)
    if found is None:
        return None
    directory, moved = found
    at = 0
    while at + _ENTRY.size <= len(directory):
        entry = _ENTRY.unpack_from(directory, at)
        if entry[0] != b"PK\1\2":
            return None
        method, packed, begins, lengths = entry[4], entry[8], entry[16], entry[10:13]
        at += _ENTRY.size
        if directory[at : at + lengths[0]] == name:
            return method, begins + moved, packed
        at += sum(lengths)
    return None


def _directory(file: BinaryIO) -> tuple[bytes, int] | None:
    """Return the list of the files in an archive, and how far all is moved by what was put in front of it."""
    end = file.seek(0, os.SEEK_END)
    start = file.seek(max(end - _END.size - _LONGEST_COMMENT, 0))
    tail = file.read(_END.size + _LONGEST_COMMENT)
    place = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if place < 0:
        return None
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, place)
    place += start
    longer = _LOCATOR_BYTES + _END_64.size
    if place >= longer and file.seek(place - longer) >= 0 and (record := file.read(_END_64.size))[:4] == b"PK\6\6":
        count, size, offset = _END_64.unpack(record)[7:]
        place -= longer
    if count > MOST_ENTRIES or size > MOST_DIRECTORY or size > place:
        return None
    file.seek(place - size)
    return file.read(size), place - size - offset


def _unpacked(file: BinaryIO, method: int, begins: int, most: int, *, size: int) -> bytes:
    """Return the first bytes of a file in an archive, none where they cannot be read."""
    try:
        file.seek(max(begins, 0))
        local = _LOCAL.unpack(file.read(_LOCAL.size))
        file.seek(local[9] + local[10], os.SEEK_CUR)
        packed = file.read(min(size, most))
        if method == _DEFLATED:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size)
    except (struct.error, zlib.error):
        return b""
    return packed if method == _STORED else b""
