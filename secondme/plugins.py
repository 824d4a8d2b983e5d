"""Loads plugins, and calls their hooks behind typed functions."""

from __future__ import annotations

import os
import traceback
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pluggy

from secondme import __version__, hookspecs
from secondme.errors import SecondmeError
from secondme.ingest.origins import as_read
from secondme.records import Note, Skipped

if TYPE_CHECKING:
    import typer

    from secondme.config import ModelsConfig
    from secondme.models.protocols import Embedder, LanguageModel

# The last one is asked first: a chat that is a text file before plain text, an endpoint in the configuration before a
# model file.
BUILT_IN = (
    "secondme_plugins.markdown",
    "secondme_plugins.text",
    "secondme_plugins.jsonl",
    "secondme_plugins.org",
    "secondme_plugins.html",
    "secondme_plugins.pdf",
    "secondme_plugins.docx",
    "secondme_plugins.mail",
    "secondme_plugins.ics",
    "secondme_plugins.whatsapp",
    "secondme_plugins.chatgpt",
    "secondme_plugins.claude",
    "secondme_plugins.llama",
    "secondme_plugins.endpoint",
)
GROUP = "secondme"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A loaded plugin."""

    name: str
    version: str
    hooks: tuple[str, ...]


class Plugins:
    """The plugins in force. The one registered last is asked first."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._versions: dict[str, str] = {}
        self._failed: list[Skipped] = []
        self.reader = ""
        """The only one that reads files; empty where all do."""

    @property
    def failed(self) -> tuple[Skipped, ...]:
        """The plugins that could not be loaded or used, each with the reason."""
        return tuple(self._failed)

    def register(self, plugin: object, name: str, *, version: str = "") -> None:
        """Add a module or object with hook implementations. Raises ValueError or pluggy's error when it is unusable."""
        self._manager.register(plugin, name)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            self._manager.unregister(name=name)
            raise
        self._versions[name] = version

    def read_notes(self, path: Path, text: str) -> list[Note | Skipped] | None:
        """Return the notes in the file, or None when no plugin reads such files.

        `text` is the decoded and cleaned content. What a reader stumbles over is in the list, as Skipped.
        """
        try:
            found = self._manager.hook.read_notes(path=path, text=text)
            items = None if found is None else list(found)
        except SecondmeError as error:
            return [Skipped(str(path), str(error))]
        except Exception as error:  # noqa: BLE001  one file that a plugin cannot read must not stop a batch
            return [Skipped(str(path), f"plugin {self._blame(error)!r} failed: {_kind_of(error)}")]
        if items is None or all(isinstance(item, Note | Skipped) for item in items):
            return items and [as_read(item, path) for item in items]
        return [Skipped(str(path), "a plugin returned something that is no note")]

    def reads_document(self, path: Path) -> bool:
        """True if a plugin reads this file in a process of its own."""
        return self._claimed(path)[0] is not None

    def read_document(self, path: Path) -> Iterator[Note | Skipped]:
        """Yield the notes in the file, in the process of its own; what a reader stumbles over comes as Skipped."""
        found, failed = self._claimed(path)
        if found is None and failed:
            yield Skipped(str(path), failed)
        try:
            for item in found or ():
                yield (
                    as_read(item, path)
                    if isinstance(item, Note | Skipped)
                    else Skipped(str(path), "a plugin returned no note")
                )
        except (MemoryError, RecursionError):
            raise  # a limit of the process, which is the caller's
        except SecondmeError as error:
            yield Skipped(str(path), str(error))
        except Exception as error:  # noqa: BLE001  one file that a plugin cannot read must not stop a batch
            yield Skipped(str(path), f"plugin {self._blame(error)!r} failed: {_kind_of(error)}")

    def _claimed(self, path: Path) -> tuple[Iterable[Note | Skipped] | None, str]:
        """Return what reads this file in a process of its own, and why a plugin could not say whether it does.

        A plugin that fails at this is passed over, as if it read files of another kind.
        """
        failing: dict[str, object] = {}
        why = ""
        while True:
            others = self._manager.subset_hook_caller("read_document", failing.values()) if failing else None
            try:
                return (others or self._manager.hook.read_document)(path=path), why
            except (MemoryError, RecursionError):
                raise
            except Exception as error:  # noqa: BLE001  one file that a plugin stumbles over must not stop a batch
                name = self._blame(error)
                why = f"plugin {name!r} failed: {_kind_of(error)}"
                plugin = self._manager.get_plugin(name)
                if plugin is None or name in failing:
                    return None, why
                failing[name] = plugin

    def kinds(self) -> list[str]:
        """Return the names of the plugins that read files."""
        return [info.name for info in self.listing() if {"read_notes", "read_document"} & set(info.hooks)]

    def only(self, name: str) -> Plugins:
        """Return the plugins without all readers but one."""
        chosen = Plugins()
        chosen.reader = name
        for other, plugin in self._manager.list_name_plugin():
            if plugin is not None and (other == name or other not in self.kinds()):
                chosen.register(plugin, other, version=self._versions.get(other, ""))
        return chosen

    def language_model(self, config: ModelsConfig) -> LanguageModel | None:
        """Return the language model for `config`, or None when no plugin runs its kind."""
        return cast("LanguageModel | None", self._manager.hook.language_model(config=config))

    def embedder(self, config: ModelsConfig) -> Embedder | None:
        """Return the embedder for `config`, or None when no plugin runs its kind."""
        return cast("Embedder | None", self._manager.hook.embedder(config=config))

    def register_commands(self, app: typer.Typer) -> None:
        """Let every plugin add its commands to `app`; one that cannot is noted in `failed`."""
        plugins = dict(self._manager.list_name_plugin())
        for name, plugin in plugins.items():
            others = [other for other in plugins.values() if other is not plugin]
            try:
                self._manager.subset_hook_caller("register_commands", others)(app=app)
            except Exception as error:  # noqa: BLE001  a plugin must not take the other commands away
                self._failed.append(Skipped(name, _describe(error)))

    def listing(self) -> list[PluginInfo]:
        """Return the loaded plugins in the order of loading."""
        return [
            PluginInfo(name, self._versions.get(name, ""), tuple(sorted(c.name for c in self._callers(plugin))))
            for name, plugin in self._manager.list_name_plugin()
            if plugin is not None
        ]

    def load(self, entry: metadata.EntryPoint, version: str) -> None:
        """Import and register the plugin behind `entry`, or note in `failed` why that cannot be done."""
        try:
            self.register(entry.load(), entry.name, version=version)
        except (Exception, SystemExit) as error:  # noqa: BLE001  a broken plugin must not keep anyone from their notes
            self._failed.append(Skipped(entry.name, _describe(error)))

    def _callers(self, plugin: object) -> list[pluggy.HookCaller]:
        return self._manager.get_hookcallers(plugin) or []

    def _blame(self, error: Exception) -> str:
        """Return the name of the plugin whose code raised `error`."""
        modules = {getattr(p, "__name__", type(p).__module__): name for name, p in self._manager.list_name_plugin()}
        frames = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
        return next((modules[module] for module in reversed(frames) if module in modules), "unknown")


def load_plugins(disabled: Collection[str] = (), *, installed: bool | None = None) -> Plugins:
    """Return the built-in plugins and, after them, the installed ones; a broken one is noted in `failed`.

    `disabled` names plugins to leave out. `installed=False`, or SECONDME_PLUGINS=off, leaves out all but the built-in.
    """
    plugins = Plugins()
    for module in BUILT_IN:
        name = module.rpartition(".")[2]
        if name not in disabled:
            plugins.load(metadata.EntryPoint(name, module, GROUP), __version__)
    if installed is None:
        installed = os.environ.get("SECONDME_PLUGINS", "").lower() != "off"
    for entry in metadata.entry_points(group=GROUP) if installed else ():
        if entry.name not in disabled:
            plugins.load(entry, entry.dist.version if entry.dist else "")
    return plugins


def _kind_of(error: Exception) -> str:
    """Return what kind of error it is, without its words: they may be those of the file."""
    number = error.errno if isinstance(error, OSError) else None
    return type(error).__name__ + (f": {os.strerror(number).lower()}" if number else "")


def _describe(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
