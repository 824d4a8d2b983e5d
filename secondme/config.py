"""Settings: flag over SECONDME_* over config.toml over the defaults below. An unknown key is an error."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from secondme.errors import ConfigError
from secondme.privacy import make_folder
from secondme.secrets import NAMES

MAY_BE_ZERO = (
    "models.threads",
    "models.page_budget",
    "daemon.idle_minutes",
    "daemon.keep_alive",
    "daemon.sleep_seconds",
    "daemon.sleep_tokens",
)


@dataclass(frozen=True, slots=True)
class MeConfig:
    """Who is writing."""

    name: str = "me"
    """The author of what you type."""


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """Which models run, and how."""

    language: str = "qwen2.5-coder-1.5b"
    """A catalog name, the path of a .gguf file, or "" for none."""
    embedder: str = "minilm-l6"
    """A catalog name, the path of a .gguf file, or "" for none."""
    template: str = ""
    """The template family of a language model given by path: chatml or plain; the catalog knows its own."""
    endpoint: str = ""
    """An OpenAI-compatible server on this machine to use instead of llama.cpp, such as http://127.0.0.1:8080/v1."""
    context: int = 4096
    """Tokens of prompt and answer together."""
    threads: int = 0
    """Processor cores to use; 0 takes them all."""
    fresh: str = "auto"
    """How many of the best passages the model reads anew; the others come from pages. auto, all, or a number."""
    kv: str = "f16"
    """How exactly the model keeps what it has read: f16, q8_0 (half of that) or q4_0 (two fifths)."""
    first_word_ms: int = 1000
    """Milliseconds in which an answer is to begin; `secondme tune` chooses what is read anew by it."""
    page_budget: int = 524_288_000
    """Bytes on disk for what the model has read of passages, kept so that it need not be read again; 0 keeps none."""
    trusted: tuple[str, ...] = ()
    """The sha256 of model files that are not in the catalog and may run; `model use FILE --trust` adds to it."""


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """How questions are answered."""

    evidence: int = 10
    """How many passages the model is shown."""
    evidence_tokens: int = 800
    """How many tokens of evidence the model is shown at most, beside what comes from pages around it."""
    max_tokens: int = 300
    """The longest answer."""


@dataclass(frozen=True, slots=True)
class SleepConfig:
    """How notes become facts."""

    extractor: str = "select"
    """select: the model chooses among your own clauses; write: it words facts itself, for models of 4B and more."""
    max_share: int = 5
    """Percent of the facts there are that a night may supersede or merge; more needs a yes."""


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """What is taken in from folders."""

    max_file_bytes: int = 5_242_880
    """Larger text files are skipped."""
    max_document_bytes: int = 52_428_800
    """Larger PDF, Word, HTML, mail and calendar files are skipped, unless you import them by name."""
    ignore: tuple[str, ...] = ()
    """More patterns to leave out, as in .gitignore."""


@dataclass(frozen=True, slots=True)
class TrustConfig:
    """What may become facts about you."""

    own: tuple[str, ...] = ()
    """Folders in which you alone write; folders watched `--as own` need not be named here."""
    private: tuple[str, ...] = ("*/private/*",)
    """Patterns of sources or folders, or of threads, that `secondme mcp` never shows."""


@dataclass(frozen=True, slots=True)
class SecretsConfig:
    """What is masked in memory; your files keep it."""

    keep: tuple[str, ...] = ()
    """Kinds of secrets to store as they are; `secondme secrets` lists the kinds."""


@dataclass(frozen=True, slots=True)
class KeyConfig:
    """Where the key of an encrypted memory comes from; without any of these it is asked for."""

    file: str = ""
    """A file that holds it."""
    command: str = ""
    """A command that prints it, such as "pass show secondme"."""
    keyring: bool = False
    """Ask the keyring of the system, which needs pip install 'secondme[keyring]'."""


@dataclass(frozen=True, slots=True)
class DaemonConfig:
    """What the background process may do, and when."""

    autostart: bool = False
    """Start it when you ask or search and it does not run."""
    keep_alive: int = 300
    """Seconds after which models that nobody uses are unloaded."""
    idle_minutes: int = 10
    """It sleeps when nobody has asked for so long; 0: as soon as nobody does."""
    on_battery: bool = False
    """Sleep on battery too, above half of it."""
    max_load: int = 50
    """Percent of the processor that other programs may use while it sleeps."""
    sleep_seconds: int = 3600
    """How long it may sleep from noon to noon; 0 never lets it."""
    sleep_tokens: int = 500_000
    """How many tokens it may read and write in that time; 0 never lets it."""
    rescan_minutes: int = 60
    """How often watched folders are gone through, whatever was noticed."""


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """How the terminal interface looks, and its keys."""

    theme: str = "auto"
    """auto follows the terminal; else dark, light, ansi (the colours of the terminal), or a name of the palette's."""
    keys: tuple[str, ...] = ()
    """Other keys for actions, such as "chat.threads = ctrl+l"; F1 shows the names of the actions."""


@dataclass(frozen=True, slots=True)
class PluginsConfig:
    """Which plugins are loaded."""

    disabled: tuple[str, ...] = ()
    """Names of plugins not to load, as `secondme plugins` lists them."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings; each field is a table of config.toml."""

    me: MeConfig = field(default_factory=MeConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    answer: AnswerConfig = field(default_factory=AnswerConfig)
    sleep: SleepConfig = field(default_factory=SleepConfig)
    ingest: IngestConfig = field(default_factory=IngestConfig)
    trust: TrustConfig = field(default_factory=TrustConfig)
    secrets: SecretsConfig = field(default_factory=SecretsConfig)
    key: KeyConfig = field(default_factory=KeyConfig)
    daemon: DaemonConfig = field(default_factory=DaemonConfig)
    chat: ChatConfig = field(default_factory=ChatConfig)
    plugins: PluginsConfig = field(default_factory=PluginsConfig)


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the settings of the file at `path` (which need not exist) and of SECONDME_<TABLE>_<KEY> variables."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (ValueError, RecursionError, OSError) as error:
        raise ConfigError(f"{path}: {error}", hint="mend the file or move it away") from error
    config = Config()
    for table, values in given.items():
        config = _merge_table(config, table, values, where=str(path))
    tables = {table.name: {key.name for key in fields(getattr(config, table.name))} for table in fields(Config)}
    for name in sorted(environ):
        table, _, key = name.removeprefix("SECONDME_").lower().partition("_")
        # Other programs may have variables of that prefix; one that ends in a key of ours has its table misspelt.
        if name.startswith("SECONDME_") and key and (table in tables or any(key in keys for keys in tables.values())):
            value = parse_value(table, key, environ[name], where=name)
            config = _merge_table(config, table, {key: value}, where=name)
    return config


def get_value(config: Config, key: str) -> str | int | bool | tuple[str, ...]:
    """Return the setting named like `models.language`. Raises ConfigError."""
    table, name = _split_key(key)
    _kind_of(table, name, where=key)
    value: str | int | bool | tuple[str, ...] = getattr(getattr(config, table), name)
    return value


def set_value(path: Path, key: str, text: str) -> None:
    """Write the setting named like `models.language` to the file at `path`, keeping its comments. Raises ConfigError.

    Nothing is written when the value or the rest of the file is unusable.
    """
    import tomlkit

    table, name = _split_key(key)
    value = parse_value(table, name, text, where=str(path))
    _merge_table(Config(), table, {name: value}, where=str(path))
    load_config(path, environ={})
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    document.setdefault(table, tomlkit.table())[name] = value
    try:
        _replace_file(path.resolve(), tomlkit.dumps(document).encode())
    except (OSError, UnicodeEncodeError) as error:
        raise ConfigError(f"{path}: {error}", hint="nothing was changed") from error


def parse_value(table: str, key: str, text: str, *, where: str) -> Any:
    """Return `text` as the type the setting has; lists are separated by commas. Raises ConfigError."""
    kind = _kind_of(table, key, where=where)
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return {"true": True, "false": False}[text.strip().lower()] if kind is bool else kind(text)
    except (ValueError, KeyError) as error:
        name = f"{table}.{key}"
        raise ConfigError(f"{where}: {name} must be {_describe(kind, name)}, not {text!r}") from error


def _split_key(key: str) -> tuple[str, str]:
    table, dot, name = key.partition(".")
    if not dot:
        raise ConfigError(f"{key}: a setting is named by table and key", hint="write it like models.language")
    return table, name


def _kinds_of(table: str, *, where: str) -> dict[str, Any]:
    known = {f.name: type(getattr(Config(), f.name)) for f in fields(Config)}
    if table not in known:
        raise ConfigError(f"{where}: unknown table [{table}]", hint=f"known tables: {', '.join(known)}")
    return get_type_hints(known[table])


def _kind_of(table: str, key: str, *, where: str) -> Any:
    kinds = _kinds_of(table, where=where)
    if key not in kinds:
        raise ConfigError(f"{where}: unknown key {table}.{key}", hint=f"known keys: {', '.join(kinds)}")
    return kinds[key]


def _merge_table(config: Config, table: str, values: Any, *, where: str) -> Config:
    _kinds_of(table, where=where)
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: {table!r} must be a table", hint=f"write [{table}] above its keys")
    checked: dict[str, Any] = {}
    for key, value in values.items():
        kind = _kind_of(table, key, where=where)
        if get_origin(kind) is tuple:
            good = isinstance(value, list) and all(isinstance(item, get_args(kind)[0]) for item in value)
            value = tuple(value) if good else value
        else:
            good = type(value) is kind and not (kind is int and value < (f"{table}.{key}" not in MAY_BE_ZERO))
        if not good:
            raise ConfigError(f"{where}: {table}.{key} must be {_describe(kind, f'{table}.{key}')}, not {value!r}")
        checked[key] = value
    if table == "secrets" and (odd := sorted(set(checked.get("keep", ())) - set(NAMES))):
        raise ConfigError(f"{where}: secrets.keep names no kind {odd[0]!r}", hint=f"known kinds: {', '.join(NAMES)}")
    return replace(config, **{table: replace(getattr(config, table), **checked)})


def _describe(kind: Any, name: str) -> str:
    if kind is int:
        return "a whole number, 0 or more" if name in MAY_BE_ZERO else "a whole number above 0"
    return {bool: "true or false", str: "text"}.get(kind, "a list of texts")


def _replace_file(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    # The temporary file is private from its first byte, and a crash leaves either the old file or the new one.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
