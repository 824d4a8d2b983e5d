"""The private socket between client and daemon: where it is, who may use it, and who fits together."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from secondme import __version__
from secondme.config import Config
from secondme.errors import Locked, UsageError
from secondme.frames import Message
from secondme.paths import Paths
from secondme.privacy import make_folder

PROTOCOL = 1
"""Client and daemon of different numbers do not speak to each other."""
LONGEST_PATH = 100
"""Systems cut the path of a socket after 104 or 108 bytes."""


def reply(message: Message) -> Message:
    """Return a message with what every reply says of the daemon."""
    return {"v": 1, "protocol": PROTOCOL, "version": __version__, **message}


def fingerprint(config: Config, paths: Paths) -> str:
    """Return what two processes have in common that would do the same: settings, models, and the fixed clock if any."""
    # Where the key comes from does not change what is done once there is one.
    settings = {name: table for name, table in asdict(config).items() if name != "key"}
    parts = (settings, str(paths.models), os.environ.get("SECONDME_NOW", ""), os.environ.get("SECONDME_PLUGINS"))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def socket_path(paths: Paths) -> Path:
    """Return where the socket of the memory at `paths` is: in the runtime folder of the user, named after the data."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(paths.data))).hexdigest()[:16] + ".sock"
    path = _runtime_folder() / name
    if len(os.fsencode(path)) > LONGEST_PATH:
        path = _short_folder() / name
    return path


def _runtime_folder() -> Path:
    if given := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(given) / "secondme"
    if os.access(usual := Path(f"/run/user/{os.getuid()}"), os.W_OK):
        return usual / "secondme"
    return _short_folder()


def _short_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"secondme-{os.getuid()}"


def check_folder(folder: Path) -> None:
    """Refuse a runtime folder that another user could have made or may enter. Raises UsageError."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise UsageError(
            f"{folder} is not a folder of yours that only you may enter", hint=f"remove it, or: chmod 700 {folder}"
        )


@contextmanager
def bound_socket(paths: Paths) -> Iterator[socket.socket]:
    """Listen for clients of the memory at `paths`; the socket is removed in the end. Raises Locked and UsageError."""
    path = socket_path(paths)
    make_folder(path.parent)
    check_folder(path.parent)
    if (living := connect(path)) is not None:
        living.close()
        raise Locked("a daemon runs already over this memory", hint="secondme daemon status")
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        before = os.umask(0o177)
        try:
            listening.bind(os.fspath(path))
        finally:
            os.umask(before)
        listening.listen(64)
        try:
            yield listening
        finally:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def connect(path: Path, *, seconds: float = 0.2) -> socket.socket | None:
    """Return a connection to the socket at `path`, None where nobody listens there."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.settimeout(seconds)
    try:
        check_folder(path.parent)
        found.connect(os.fspath(path))
    except (UsageError, OSError):
        found.close()
        return None
    return found


def peer_is_me(connection: socket.socket) -> bool:
    """True if the process at the other end belongs to the same user."""
    if hasattr(socket, "SO_PEERCRED"):
        content = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return bool(struct.unpack("3i", content)[1] == os.getuid())
    # macOS: struct xucred begins with its version and the user.
    try:
        content = connection.getsockopt(0, 1, 76)
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            return False
        raise
    return bool(struct.unpack_from("2I", content)[1] == os.getuid())
