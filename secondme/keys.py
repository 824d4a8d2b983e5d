"""The key of an encrypted memory: where it comes from, and how our processes hand it on. Alone knows the keyring."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import shlex
import string
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from secondme.errors import UsageError, WrongKey
from secondme.paths import Paths, find_paths

if TYPE_CHECKING:
    from secondme.config import Config
    from secondme.store.store import Store

RAW_DIGITS = 64
SERVICE = "secondme"
"""What the entry in the keyring is called; its user is the path of the database."""
COMMAND_SECONDS = 120.0
"""A command may have to ask the user for something itself."""
PLAIN = b"SQLite format 3\0"
WAYS = (
    "set key.file or key.command (secondme config set, or SECONDME_KEY_FILE, SECONDME_KEY_COMMAND), "
    "or run it on a terminal to be asked"
)

_known: dict[Path, Key] = {}
"""The keys this process has opened databases with, until it ends: threads open them again."""


@dataclass(frozen=True, slots=True)
class Key:
    """A passphrase, or 64 hex digits that are the key itself."""

    text: str = field(repr=False)

    @property
    def is_raw(self) -> bool:
        """True if it is used as it is, without the slow derivation that passphrases need."""
        return len(self.text) == RAW_DIGITS and set(self.text) <= set(string.hexdigits)

    @property
    def value(self) -> str:
        """What SQLCipher is told."""
        return f"x'{self.text}'" if self.is_raw else self.text


def open_store(paths: Paths, config: Config, *, create: bool = True) -> Store:
    """Return the database, open, with its key found where it is encrypted. Raises as `Store`, and WrongKey."""
    from secondme.store.sealing import sweep
    from secondme.store.store import Store

    sweep(paths.database)
    database = paths.database
    try:
        return Store(database, create=create, key=_known.get(database))
    except WrongKey as error:
        # What was known before is wrong now: the file was replaced since.
        if _known.pop(database, None) or not error.needs_key:
            raise
    key = find_key(paths, config)
    store = Store(database, create=create, key=key)
    _known[database] = key
    return store


def unlock(paths: Paths, config: Config) -> None:
    """Find the key and see that it fits, so that threads and processes of ours need not ask. Raises as `open_store`."""
    if paths.database.exists():
        open_store(paths, config, create=False).close()


def is_sealed(path: Path) -> bool:
    """True if the file is there and not a plain database.

    Only for processes that have not opened it yet: closing a file lets go of the locks that SQLite holds on it.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(len(PLAIN))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return False
    return bool(beginning) and beginning != PLAIN


def remember(path: Path, key: Key | None) -> None:
    """Use this key for the database at `path` from now on, or none."""
    _known.pop(path, None)
    if key:
        _known[path] = key


def known() -> list[Key]:
    """Return the keys that this process has opened databases with."""
    return list(_known.values())


def find_key(paths: Paths, config: Config, *, of: Path | None = None) -> Key:
    """Return the key from the first source that is configured, else from the user. Raises WrongKey.

    It is the key `of` another file than the memory, where one is named.
    """
    if config.key.file:
        return read_key(Path(config.key.file).expanduser())
    if config.key.command:
        return run_command(config.key.command)
    note = ""
    if config.key.keyring:
        found, note = from_keyring(paths.database)
        if found:
            return found
    if not can_ask():
        raise WrongKey(
            f"{of or paths.database}: encrypted, and no key was given" + (f"; {note}" if note else ""), hint=WAYS
        )
    return ask(f"{note}\npassphrase: " if note else "passphrase: ")


def read_key(path: Path) -> Key:
    """Return the key in the first line of a file. Raises WrongKey."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise WrongKey(f"{path}: the key file cannot be read: {why.lower()}", hint=WAYS) from None
    return _key_in(content, str(path))


def make_key(path: Path) -> Key:
    """Return a new random key, written to a new file that only the user may read. Raises UsageError."""
    from secondme.store.copies import sync

    key = Key(secrets.token_hex(RAW_DIGITS // 2))
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise UsageError(f"{path}: cannot be made: {(error.strerror or str(error)).lower()}") from error
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.text + "\n")
            file.flush()
            os.fsync(file.fileno())
        # The only key must not be in a file that is gone after a loss of power.
        sync(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UsageError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    return key


def run_command(command: str) -> Key:
    """Return the key in the first line that a command prints; no shell is involved. Raises WrongKey."""
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise WrongKey(f"the key command cannot be run: {type(error).__name__}", hint="see key.command") from None
    if done.returncode:
        raise WrongKey(f"the key command failed (exit code {done.returncode})", hint="run it by itself to see why")
    return _key_in(done.stdout.decode("utf-8", errors="replace"), "the key command")


def from_keyring(path: Path) -> tuple[Key | None, str]:
    """Return what the keyring of the system holds for the database at `path`, or why it gives nothing."""
    try:
        import keyring

        found = keyring.get_password(SERVICE, str(path))
    except ImportError:
        return None, "the keyring needs: pip install 'secondme[keyring]'"
    except Exception as error:  # noqa: BLE001  its backends raise what they like, and none is a reason to stop
        return None, f"the keyring does not answer ({type(error).__name__})"
    return (Key(found), "") if found else (None, "the keyring holds no key for this memory")


def into_keyring(path: Path, key: Key | None) -> str:
    """Store the key of the database at `path` in the keyring, or remove it; return why that failed, "" if not."""
    try:
        import keyring

        if key:
            keyring.set_password(SERVICE, str(path), key.text)
        elif keyring.get_password(SERVICE, str(path)):
            keyring.delete_password(SERVICE, str(path))
    except ImportError:
        return "the keyring needs: pip install 'secondme[keyring]'"
    except Exception as error:  # noqa: BLE001  as above
        return f"the keyring does not answer ({type(error).__name__})"
    return ""


def can_ask() -> bool:
    """True if somebody sits at a terminal and no other thread has it."""
    streams = sys.stdin, sys.stderr
    return threading.current_thread() is threading.main_thread() and all(one and one.isatty() for one in streams)


def ask(prompt: str) -> Key:
    """Return what the user types, unseen. Raises WrongKey."""
    try:
        return _key_in(getpass.getpass(prompt), "the passphrase")
    except EOFError:
        raise WrongKey("no passphrase was given", hint=WAYS) from None


def handed(path: Path | None = None) -> bytes:
    """Return the line in which a process of ours is handed the key that this one knows, by a pipe."""
    key = _known.get(path or find_paths().database)
    return json.dumps({"key": key.text if key else ""}).encode() + b"\n"


def take(file: int = 0) -> None:
    """Read the line that `handed` made from the open file of this number, no byte more of it, and know the key."""
    line = b""
    while (byte := os.read(file, 1)) not in (b"", b"\n"):
        line += byte
    try:
        text = json.loads(line)["key"]
    except (ValueError, KeyError, TypeError):
        return
    if text:
        remember(find_paths().database, Key(text))


def _key_in(content: str, where: str) -> Key:
    line = content.partition("\n")[0].rstrip("\r")
    if not line:
        raise WrongKey(f"{where} is empty", hint="write the key into its first line")
    if any(ord(character) < 32 or ord(character) == 127 for character in line):
        raise WrongKey(f"{where} has characters in it that no key may have", hint="use letters, digits and signs")
    return Key(line)
