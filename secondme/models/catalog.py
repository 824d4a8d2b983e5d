"""The models secondme knows by name: what each is, what it needs and where it comes from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from secondme.errors import NoModel

Role = Literal["language", "embedder"]
Family = Literal["", "chatml", "plain"]


@dataclass(frozen=True, slots=True)
class HubSource:
    """Files of a public model repository."""

    repo: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"the hub ({self.repo})"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Packages of the index pip is set up for, whose data files make up the model in this order."""

    packages: tuple[str, ...]
    """Requirements with their versions, such as `name==1.0`."""
    inside: str
    """The pattern of the data file within each package."""

    def __str__(self) -> str:
        several = f" and {len(self.packages) - 1} more" if len(self.packages) > 1 else ""
        return f"the package index ({self.packages[0]}{several})"


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalog."""

    alias: str
    role: Role
    file: str
    """The name of the file in the models folder."""
    sha256: str
    size: int
    """Bytes."""
    licence: str
    ram_gb: float
    """Memory it takes while it runs."""
    note: str
    sources: tuple[Source, ...]
    """Where it comes from, in the order to try."""
    template: Family = ""
    """How a language model is spoken to."""
    fresh: int | None = None
    """How many of the best passages a language model reads anew behind pages; None where that was not measured."""
    convert: str = ""
    """The conversion that makes the file out of what the sources deliver; none when empty."""


@cache
def load_catalog() -> tuple[Entry, ...]:
    """Return the models of the catalog, in its order."""
    text = Path(__file__).with_name("catalog.toml").read_text(encoding="utf-8")
    return tuple(_parse_entry(table) for table in tomllib.loads(text)["model"])


def find_entry(alias: str) -> Entry | None:
    """Return the model of that name, or None when the catalog has none."""
    return next((entry for entry in load_catalog() if entry.alias == alias), None)


def get_entry(alias: str) -> Entry:
    """Return the model of that name. Raises NoModel."""
    entry = find_entry(alias)
    if entry is None:
        known = ", ".join(entry.alias for entry in load_catalog())
        raise NoModel(f"no model is called {alias!r}", hint=f"known models: {known}")
    return entry


def _parse_entry(table: Mapping[str, Any]) -> Entry:
    return Entry(**{**table, "sources": tuple(_parse_source(source) for source in table["sources"])})


def _parse_source(table: Mapping[str, Any]) -> Source:
    if "hub" in table:
        return HubSource(table["hub"], tuple(table["files"]))
    names = [table["wheels"].format(part=part) for part in range(1, table["parts"] + 1)]
    return WheelSource(tuple(f"{name}=={table['version']}" for name in names), table["inside"])
