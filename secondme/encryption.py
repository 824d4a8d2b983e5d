"""Gives the whole memory another key, or its first, or none: the database and the copies that were made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from secondme.config import Config
from secondme.errors import IntegrityError, Locked, WrongKey
from secondme.keys import Key, from_keyring, is_sealed, read_key, remember, run_command
from secondme.locks import daemon_lock
from secondme.paths import Paths
from secondme.store.copies import backups, noted, unfinished
from secondme.store.page_file import no_pages
from secondme.store.presence import alone
from secondme.store.sealing import FOLDER, erase, fits, reseal
from secondme.store.store import Store


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was given another key."""

    copies: tuple[Path, ...]
    """Automatic copies that got it too."""
    unreadable: tuple[Path, ...]
    """Automatic copies that neither the old nor the new key opens: they stay as they are."""
    elsewhere: tuple[Path, ...]
    """Copies that the user had made elsewhere: they stay as they are."""


def change_key(paths: Paths, old: Key | None, new: Key | None) -> Resealed:
    """Give the memory the key `new`, or none, in place of `old`; raises WrongKey, Locked and IntegrityError.

    The copies come first: as long as the memory itself is as before, all of it can be done again.
    """
    database, folder = paths.database, paths.data / FOLDER
    with _nobody_else(paths):
        with Store(database, create=False, key=old) as store:  # which brings its tables up to date
            others = list(noted(store.db))
        # What `restore` has put aside lies beside the memory, and is looked after with it.
        ours = [*backups(database), *(path for path in others if path.parent == paths.data)]
        # What is made of a plain memory must not lie beside an encrypted one.
        with alone(database), no_pages(database):
            done, unreadable = [], []
            for copy in ours:
                try:
                    if not fits(copy, new):
                        reseal(copy, old, new, folder=folder)
                    done.append(copy)
                except (WrongKey, IntegrityError):
                    unreadable.append(copy)
            for rest in unfinished(database):
                erase(rest)
            reseal(database, old, new, folder=folder)
    remember(database, new)
    return Resealed(tuple(done), tuple(unreadable), tuple(path for path in others if path not in ours))


def look(paths: Paths, config: Config) -> tuple[bool, str, str]:
    """Return whether all is well with the key, what there is to say of it, and what to do; the key is never in it.

    Only for processes that do not have the memory open.
    """
    source = config.key
    named = [name for name in ("file", "command", "keyring") if getattr(source, name)]
    if not is_sealed(paths.database):
        if named and paths.database.exists():
            return False, f"the memory is not encrypted, though key.{named[0]} is set", "secondme encrypt"
        return True, "the memory is not encrypted", ""
    if not named:
        return True, "the memory is encrypted; the passphrase is asked for", ""
    try:
        where = _source(paths, config)
    except WrongKey as error:
        return False, f"the memory is encrypted, and key.{named[0]} gives no key: {error}", error.hint
    if file := Path(source.file).expanduser() if source.file else None:
        if file.stat().st_mode & 0o077:
            return False, f"others on this machine can read the key file {file}", f"chmod 600 {file}"
        if file.resolve().is_relative_to(paths.data.resolve()):
            return False, f"the key file {file} lies beside what it opens", "keep it in another place, and set key.file"
    return True, f"the memory is encrypted; {where}", ""


def _source(paths: Paths, config: Config) -> str:
    """Say where the key comes from; raises WrongKey where it does not."""
    if config.key.file:
        read_key(Path(config.key.file).expanduser())
        return f"the key is in {config.key.file}"
    if config.key.command:
        run_command(config.key.command)
        return "key.command gives the key"
    found, why = from_keyring(paths.database)
    return "the keyring gives the key" if found else f"the passphrase is asked for: {why}"


@contextmanager
def _nobody_else(paths: Paths) -> Iterator[None]:
    try:
        with daemon_lock(paths):
            yield
    except Locked as error:
        if "daemon" not in str(error):
            raise
        raise Locked(str(error), hint="secondme daemon stop, then try again") from error
