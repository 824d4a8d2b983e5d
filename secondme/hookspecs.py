"""The hooks a plugin may implement. pluggy checks the argument names when a plugin is registered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import typer

    from secondme.config import ModelsConfig
    from secondme.models.protocols import Embedder, LanguageModel
    from secondme.records import Note, Skipped

hookspec = pluggy.HookspecMarker("secondme")
hookimpl = pluggy.HookimplMarker("secondme")


@hookspec(firstresult=True)
def read_notes(path: Path, text: str) -> Iterable[Note | Skipped] | None:
    """Return the notes in the file at `path`, whose decoded and cleaned content is `text`, or None if not yours.

    Called with an empty text it says by the name alone whether the file may be yours, as at the look through a folder.
    A part that cannot be read becomes a Skipped. A function with `yield` never returns None: decide before it.
    """


@hookspec(firstresult=True)
def read_document(path: Path) -> Iterator[Note | Skipped] | None:
    """Return an iterator over the notes in the file at `path`, or None if not yours: for what is not plain text.

    It runs in a process of its own, with limits on memory and time. Decide by the name, or a few bytes, and return an
    iterator that does the reading: outside of that process it is never iterated over.
    """


@hookspec(firstresult=True)
def language_model(config: ModelsConfig) -> LanguageModel | None:
    """Return a model for this configuration, or None if its kind is not yours."""


@hookspec(firstresult=True)
def embedder(config: ModelsConfig) -> Embedder | None:
    """Return an embedder for this configuration, or None if its kind is not yours."""


@hookspec
def register_commands(app: typer.Typer) -> None:
    """Add commands to `secondme`."""
