"""Looks whether everything that a memory needs is there and works."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from secondme.config import Config, get_value, load_config
from secondme.dry_run import run_engine
from secondme.errors import ConfigError, IntegrityError, NoModel, SecondmeError
from secondme.models.catalog import find_entry
from secondme.models.checks import checked_digest, is_trusted, verify_model
from secondme.models.files import Progress, find_model
from secondme.paths import Paths, find_paths
from secondme.plugins import Plugins, load_plugins
from secondme.privacy import open_to_others
from secondme.records import Note

LITTLE_SPACE, TOO_LITTLE_SPACE = 1_000_000_000, 50_000_000
SHARED_FILESYSTEMS = (
    *("nfs", "cifs", "smb", "afp", "afs", "ceph", "glusterfs", "lustre", "9p", "davfs", "webdav"),
    *("fuse.sshfs", "fuse.rclone", "fuse.davfs", "fuse.gvfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse"),
)
SYNCED_FOLDERS = (
    *("dropbox", "onedrive", "google drive", "googledrive", "icloud", "mobile documents", "cloudstorage"),
    *("nextcloud", "owncloud", "pcloud", "syncthing", "seafile", "megasync"),
)
FEW = 100
"""So many passages without vectors are nothing to mention: the next searches compute them."""
URGENCY = (20, 12, 11, 2, 10, 13)
"""The exit codes of failed checks; of several, the first of these counts."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    exit_code: int = 0
    """What it means for the command line when it is not ok; 0 is a warning."""


@dataclass(frozen=True, slots=True)
class _Patient:
    paths: Paths
    config: Config
    plugins: Plugins
    progress: Progress | None


def check(
    home: str | os.PathLike[str] | None = None, *, plugins: Plugins | None = None, progress: Progress | None = None
) -> list[Check]:
    """Return what was looked at, in order; no detail contains a word of any note."""
    paths = find_paths(home)
    try:
        config, settings = load_config(paths.config), _settings(paths)
    except ConfigError as error:
        config, settings = Config(), [_failed("settings", error)]
    patient = _Patient(paths, config, plugins or load_plugins(config.plugins.disabled), progress)
    looks: tuple[tuple[str, Callable[[_Patient], Iterable[Check]]], ...] = (
        ("driver", _driver),
        ("plugins", _plugins),
        ("language model", lambda patient: _model(patient, "language")),
        ("embedder", lambda patient: _model(patient, "embedder")),
        ("engine", _engine),
        ("network", _network),
        ("disk", _disk),
        ("place", _place),
        ("privacy", _privacy),
        ("encryption", _encryption),
        ("database", _database),
        ("vectors", _vectors),
        ("round trip", _round_trip),
    )
    found = settings
    for name, look in looks:
        some = _guarded(name, look, patient)
        found += some
        if name == "engine" and not all(one.ok for one in some):
            # What ended a process would end this one too.
            without = replace(config.models, language="", embedder="")
            patient = replace(patient, config=replace(config, models=without))
    return found


def exit_code(checks: Iterable[Check]) -> int:
    """Return the exit code that fits the worst of the checks, 0 where all is well."""
    found = {one.exit_code for one in checks if not one.ok}
    return next((code for code in URGENCY if code in found), 0)


def _failed(name: str, error: SecondmeError) -> Check:
    return Check(name, False, str(error), error.hint, error.exit_code)


def _guarded(name: str, look: Callable[[_Patient], Iterable[Check]], patient: _Patient) -> list[Check]:
    try:
        return list(look(patient))
    except SecondmeError as error:
        return [_failed(name, error)]
    except OSError as error:
        detail = f"{error.filename or patient.paths.data}: {(error.strerror or str(error)).lower()}"
        return [Check(name, False, detail, "check the folder, its owner and its disk", IntegrityError.exit_code)]
    except ImportError as error:
        broken = f"a library it needs cannot be loaded: {error}"
        return [Check(name, False, broken, "install secondme again", IntegrityError.exit_code)]


def _settings(paths: Paths) -> list[Check]:
    """Return the settings that are not the default ones, and where each comes from."""
    default, in_file, in_force = Config(), load_config(paths.config, environ={}), load_config(paths.config)
    changed = []
    for table in fields(Config):
        for key in fields(getattr(default, table.name)):
            name = f"{table.name}.{key.name}"
            variable = f"SECONDME_{table.name}_{key.name}".upper()
            value = get_value(in_force, name)
            if value != get_value(default, name):
                source = variable if value != get_value(in_file, name) else str(paths.config)
                changed.append(f"{name} = {value!r} from {source}")
    return [Check("settings", True, "; ".join(changed) or "all settings are the default ones")]


def _driver(patient: _Patient) -> Iterator[Check]:
    from secondme.store.connect import versions

    found = versions()
    yield Check("driver", True, ", ".join(f"{name} {version}" for name, version in found.items()))


def _plugins(patient: _Patient) -> Iterator[Check]:
    for failed in patient.plugins.failed:
        hint = "mend or remove it, or name it in plugins.disabled"
        yield Check("plugins", False, f"{failed.what} could not be loaded: {failed.why}", hint, ConfigError.exit_code)
    yield Check("plugins", True, ", ".join(plugin.name for plugin in patient.plugins.listing()))


def _model(patient: _Patient, role: str) -> Iterator[Check]:
    models = patient.config.models
    name = {"language": "language model"}.get(role, role)
    alias = str(get_value(patient.config, f"models.{role}"))
    if role == "language" and models.endpoint:
        yield Check(name, True, f"served by {models.endpoint}")
    elif not alias:
        yield Check(name, True, "none is configured")
    elif path := verify_model(alias, patient.paths.models, progress=patient.progress):
        yield Check(name, True, f"{alias}: {path}, {path.stat().st_size:,} bytes, checksum right")
    elif _is_file(alias):
        path = find_model(alias, patient.paths.models)
        digest = checked_digest(path, patient.paths.models, progress=patient.progress)
        is_ok, hint = is_trusted(digest, models.trusted), f"secondme model use {path} --trust"
        detail = f"{path}, {path.stat().st_size:,} bytes, {'trusted' if is_ok else 'not trusted'}: sha256 {digest}"
        yield Check(name, is_ok, detail, "" if is_ok else hint, 0 if is_ok else NoModel.exit_code)
    else:
        loaded = patient.plugins.language_model(models) if role == "language" else patient.plugins.embedder(models)
        if loaded is None:
            raise NoModel(f"no plugin knows the {name} {alias!r}", hint="secondme model list")
        yield Check(name, True, f"{alias}, from a plugin")


def _is_file(alias: str) -> bool:
    return alias.endswith(".gguf") or len(Path(alias).parts) > 1


def _engine(patient: _Patient) -> Iterator[Check]:
    models = patient.config.models
    named = (models.embedder, "" if models.endpoint else models.language)
    if not any(find_entry(name) or _is_file(name) for name in named if name):
        yield Check("engine", True, "llama.cpp is not needed")
        return
    yield Check("engine", True, f"llama-cpp-python {run_engine(patient.config)}")


def _network(patient: _Patient) -> Iterator[Check]:
    command = [sys.executable, "-P", "-m", "secondme.network"]
    how = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    if not how:
        hint = "tell us which system this is"
        yield Check("network", False, "the network could not be taken from the background processes", hint, 20)
    elif patient.config.models.endpoint:
        yield Check("network", True, f"reached is {patient.config.models.endpoint} alone, held by the interpreter")
    else:
        yield Check("network", True, f"none for the background, models and readers, refused by the {how}")


def _existing(path: Path) -> Path:
    """Return the nearest folder at or above `path` that is there."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _disk(patient: _Patient) -> Iterator[Check]:
    for what, path in (("memory", patient.paths.data), ("models", patient.paths.models)):
        free = shutil.disk_usage(_existing(path)).free
        # A model is fetched when there is room; a memory has to be able to grow.
        code = IntegrityError.exit_code if what == "memory" and free < TOO_LITTLE_SPACE else 0
        detail = f"{free / 1e9:.1f} GB are free for {what} in {path}"
        hint = "" if free > LITTLE_SPACE else "make room"
        yield Check(f"disk of {what}", free > LITTLE_SPACE, detail, hint, code)


def _place(patient: _Patient) -> Iterator[Check]:
    import psutil

    path = _existing(patient.paths.data).resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    kind = max(mounts, key=lambda part: len(part.mountpoint)).fstype.lower() if mounts else ""
    synced = [part for part in patient.paths.data.resolve().parts if part.lower().startswith(SYNCED_FOLDERS)]
    if kind.startswith(SHARED_FILESYSTEMS) or synced:
        what = f"a folder that is synchronised ({synced[0]})" if synced else f"a network disk ({kind})"
        hint = "two machines writing one database damage it; keep it on a local disk and use export and import"
        yield Check("place", False, f"the memory lies on {what}", hint)
    else:
        yield Check("place", True, f"{patient.paths.data}, on a local disk{f' ({kind})' if kind else ''}")


def _privacy(patient: _Patient) -> Iterator[Check]:
    found = open_to_others(patient.paths)
    if files := [path for path in found if path.is_file()]:
        detail = f"others on this machine can read {', '.join(path.name for path in files)}"
        hint = f"chmod 600 {shlex.join(map(str, files))}"
        yield Check("privacy", False, detail, hint, IntegrityError.exit_code)
    elif found:
        detail = f"others on this machine can look into {', '.join(map(str, found))}, not into the files"
        yield Check("privacy", False, detail, f"chmod 700 {shlex.join(map(str, found))}")
    else:
        yield Check("privacy", True, "nobody else on this machine can read the memory")


def _encryption(patient: _Patient) -> Iterator[Check]:
    from secondme.encryption import look

    yield Check("encryption", *look(patient.paths, patient.config))


def _database(patient: _Patient) -> Iterator[Check]:
    if not patient.paths.database.exists():
        yield Check("database", True, "nothing is stored yet")
        return
    from secondme.keys import open_store

    with open_store(patient.paths, patient.config, create=False) as store:
        store.index.check()
        counts = store.counts()
    yield Check("database", True, ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in counts.items()))


def _vectors(patient: _Patient) -> Iterator[Check]:
    if not patient.paths.database.exists():
        return
    from secondme.keys import open_store

    with open_store(patient.paths, patient.config, create=False) as store:
        stored, waiting = store.index.embedder, store.index.waiting()
    try:
        found = patient.plugins.embedder(patient.config.models)
    except NoModel:
        found = None  # said by the check of the embedder
    reindex = "secondme reindex"
    if found and stored and stored != f"{found.name}:{found.width}":
        detail = f"the stored vectors are of {stored}, the configured embedder is {found.name}:{found.width}"
        yield Check("vectors", False, detail, reindex, IntegrityError.exit_code)
    elif waiting > FEW and found:
        yield Check("vectors", False, f"{waiting:,} passages wait for vectors", f"{reindex}; or search, some follow")
    else:
        yield Check("vectors", True, f"of {stored or 'no embedder'}, {waiting:,} passages without")


def _round_trip(patient: _Patient) -> Iterator[Check]:
    """Write, read and search in a memory of its own on the same disk."""
    from secondme.assistant import Assistant

    above = _existing(patient.paths.data)
    try:
        with (
            tempfile.TemporaryDirectory(dir=above, prefix=".secondme-doctor-") as folder,
            Assistant.open(folder, config=patient.config, plugins=patient.plugins) as me,
        ):
            note = me.add(Note(text="the doctor wrote this line to find it again", thread="doctor"))
            found = me.recall("what did the doctor write")
            by_vectors = me.embedder() is not None
            whole = me.note(note.id)[0].text == note.text and [match.id for match in found] == [note.id]
            me.store.index.check()
    except OSError as error:
        raise IntegrityError(f"{above} cannot be written: {error.strerror}", hint="check folder and disk") from error
    if not whole:
        raise IntegrityError("what was written was not found again", hint="install secondme again")
    by = "words and vectors" if by_vectors else "words"
    yield Check("round trip", True, f"written, read, and found by {by}")
