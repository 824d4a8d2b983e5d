"""`secondme encrypt`, `decrypt` and `rekey`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secondme.cli.output import counted, say
from secondme.config import load_config, set_value
from secondme.errors import ConfigError, UsageError
from secondme.paths import Paths, find_paths

if TYPE_CHECKING:
    from secondme.config import Config
    from secondme.encryption import Resealed
    from secondme.keys import Key

KeyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The file with the key; where there is none yet, one is made with a random key."),
]
SHORT = 12
"""Characters below which a passphrase is worth a word."""
BEYOND = (
    "what cannot be reached: blocks that an SSD has replaced, snapshots of the disk, copies and exports elsewhere, "
    "the files themselves that were read"
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(encrypt)
    app.command()(decrypt)
    app.command()(rekey)


def encrypt(key_file: KeyFile = None) -> None:
    """Encrypt the memory: whoever takes the disk cannot read it without the key. No key, no memory: keep it safe."""
    from secondme.encryption import change_key
    from secondme.keys import is_sealed, open_store

    paths = find_paths()
    config = load_config(paths.config)
    if is_sealed(paths.database):
        raise UsageError(f"{paths.database} is encrypted already", hint="another key: secondme rekey")
    key_file = key_file or configured(config)
    key = new_key(key_file, config.key.command)
    # Where nothing is stored yet, the first note is encrypted too.
    open_store(paths, config).close()
    done = change_key(paths, None, key)
    _point_to(paths, config, key_file)
    _tell_keyring(paths, config, key)
    say(f"encrypted: {paths.database}")
    _report(done)
    say(BEYOND)
    say("without the key nobody can read it, you included: keep a copy of the key in another place")


def decrypt() -> None:
    """Store the memory without a key again."""
    from secondme.encryption import change_key
    from secondme.keys import into_keyring

    paths = find_paths()
    config = load_config(paths.config)
    old = _current_key(paths, config)
    done = change_key(paths, old, None)
    if config.key.keyring and (why := into_keyring(paths.database, None)):
        say(f"the key may still be in the keyring: {why}")
    say(f"no longer encrypted: {paths.database}")
    _report(done)


def rekey(key_file: KeyFile = None) -> None:
    """Give the encrypted memory another key: the old one opens it no longer, nor its backups."""
    from secondme.encryption import change_key

    paths = find_paths()
    config = load_config(paths.config)
    old = _current_key(paths, config)
    new = new_key(key_file, "")
    if new == old:
        raise UsageError("the new key is the old one", hint="secondme rekey --key-file FILE with a name not used yet")
    done = change_key(paths, old, new)
    _point_to(paths, config, key_file)
    _tell_keyring(paths, config, new)
    say(f"has another key now: {paths.database}")
    _report(done)
    if config.key.command:
        say("key.command has to give the new key from now on")


def configured(config: Config) -> Path | None:
    """Return the file that the settings name for the key."""
    return Path(config.key.file).expanduser() if config.key.file else None


def _current_key(paths: Paths, config: Config) -> Key:
    from secondme.errors import NoDatabase
    from secondme.keys import find_key, is_sealed, open_store, remember

    if not paths.database.exists():
        raise NoDatabase(f"{paths.database}: no memory here yet", hint="secondme encrypt")
    if not is_sealed(paths.database):
        raise UsageError(f"{paths.database} is not encrypted", hint="secondme encrypt")
    key = find_key(paths, config)
    remember(paths.database, key)
    open_store(paths, config).close()
    return key


def new_key(file: Path | None, command: str) -> Key:
    """Return the key of a file, made where it is absent, or of a command, or what the user types twice."""
    from secondme.keys import ask, can_ask, make_key, read_key, run_command

    if file:
        if file.exists():
            return read_key(file)
        key = make_key(file)
        say(f"{file}: made, with a random key. Whoever has this file can read the memory; lose it, and nobody can")
        return key
    if command:
        return run_command(command)
    if not can_ask():
        raise UsageError(
            "there is nobody to ask for a passphrase", hint="--key-file FILE; or set key.file, key.command"
        )
    key = ask("new passphrase: ")
    if key != ask("the same again: "):
        raise UsageError("the two are not the same", hint="nothing was changed")
    if len(key.text) < SHORT:
        say(f"a passphrase of fewer than {SHORT} characters can be guessed: five random words are better")
    return key


def _point_to(paths: Paths, config: Config, file: Path | None) -> None:
    """Have the settings name the file with the key, or none where there is none any more."""
    wanted = str(file.absolute()) if file else ""
    if wanted == config.key.file or (not file and not config.key.file):
        return
    try:
        set_value(paths.config, "key.file", wanted)
    except ConfigError as error:
        say(f"key.file could not be set to {wanted!r}: {error}")
        return
    say(f"key.file = {wanted!r} is set in {paths.config}")
    if "SECONDME_KEY_FILE" in os.environ:
        say("SECONDME_KEY_FILE names another file, and comes first: change it")


def _tell_keyring(paths: Paths, config: Config, key: Key) -> None:
    from secondme.keys import into_keyring

    if not config.key.keyring:
        return
    if why := into_keyring(paths.database, key):
        say(f"the key is not in the keyring: {why}; to be asked for it: secondme config set key.keyring false")
    else:
        say("the key is in the keyring of the system")


def _report(done: Resealed) -> None:
    if done.copies:
        say(f"{counted(len(done.copies), 'automatic backup')} likewise")
    for path in done.unreadable:
        say(f"cannot be read, and stays as it is: {path}; if it is of no use, remove it")
    for path in done.elsewhere:
        say(f"a copy you made stays as it is: {path}")
