"""Which settings of the engine suit a machine and a memory: what was measured, and what is chosen by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from secondme.laying import ALL, AUTO, fresh_count
from secondme.models.catalog import find_entry

if TYPE_CHECKING:
    from secondme.config import ModelsConfig

NOTABLE = 0.05
"""What differs less is no reason to change a setting: the next measurement would undo it."""
READ_TOKENS, WRITTEN_TOKENS = 250, 30
"""Of an answer by which speeds are compared: the question and the best passages, and a sentence or two."""
EXACT = ("f16", "q8_0")
"""Ways to keep what was read that may be proposed. Of others, so little is kept that answers may suffer."""
BUSY = 20.0
"""Percent of the processor used by other programs, above which what was measured at different times is not compared."""
MOST_NUMBERS = 8
"""Up to so many processor cores, each number of threads is tried."""
STEPS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
"""The numbers of threads that are tried where there are more."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a model works, in tokens a second."""

    reading: float
    writing: float

    @property
    def seconds(self) -> float:
        """How long an answer takes of which nothing was read before."""
        return READ_TOKENS / self.reading + WRITTEN_TOKENS / self.writing


@dataclass(frozen=True, slots=True)
class OfThreads:
    """How fast the model is on a number of threads."""

    threads: int
    speed: Speed


@dataclass(frozen=True, slots=True)
class OfKind:
    """How the model does with one way to keep what it has read."""

    kv: str
    speed: Speed
    token_bytes: float = 0.0
    """On disk, for each token of a page; 0 where the model can take no pages."""
    load_seconds: float = 0.0
    """To load a page and put it in its place."""


@dataclass(frozen=True, slots=True)
class FirstWord:
    """When an answer begins, with the pages of its evidence made before."""

    fresh: int | None
    """How many of the best passages are read anew; None stands for all."""
    seconds: float
    tokens: int
    """How many were read meanwhile."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a machine did with a model on a memory, and what is chosen by it."""

    cores: int
    threads: tuple[OfThreads, ...]
    kinds: tuple[OfKind, ...]
    first_words: tuple[FirstWord, ...]
    passages: int
    """Of the evidence that was read."""
    tokens: int
    """Of that evidence."""
    fewest: int | None
    """How many passages have to be read anew at least; None is all."""
    is_small: bool
    """True if the memory holds less than an answer is made of: later there will be more to read."""
    load: float
    """Percent of the processor that other programs used meanwhile."""
    chosen: ModelsConfig


def thread_counts(cores: int, logical: int, in_force: int) -> list[int]:
    """Return the numbers of threads to try on a processor of so many cores that run `logical` threads at once."""
    tried = range(1, cores + 1) if cores <= MOST_NUMBERS else [number for number in STEPS if number < cores]
    return sorted({*tried, cores, logical, in_force})


def choose_threads(rows: Sequence[OfThreads], in_force: int) -> int:
    """Return the number in force unless another is notably faster, and then the least of those as fast as the best."""
    best = min(row.speed.seconds for row in rows) * (1 + NOTABLE)
    good = [row.threads for row in rows if row.speed.seconds <= best]
    return in_force if in_force in good else min(good)


def choose_kind(rows: Sequence[OfKind], in_force: str) -> str:
    """Return the way to keep what was read that is in force, unless another is notably faster and as exact."""
    able = [row for row in rows if row.kv in (in_force, *EXACT)]
    best = min(able, key=lambda row: row.speed.seconds)
    current = next(row for row in rows if row.kv == in_force)
    return in_force if current.speed.seconds <= best.speed.seconds * (1 + NOTABLE) else best.kv


def fewest_fresh(models: ModelsConfig, asked: int | None) -> int | None:
    """Return how many passages have to be read anew at least for answers as good as without pages; None is all.

    Of a model for which it was not measured, only the user can say it: by `asked`, or by a number in the settings.
    """
    entry = find_entry(models.language)
    measured = entry.fresh if entry else None
    if measured is not None:
        return max(measured, asked or 0)
    return int(models.fresh) if asked is None and models.fresh.isdecimal() else asked


def choose_fresh(rows: Sequence[FirstWord], fewest: int | None, target: float) -> int | None:
    """Return the largest number read anew with which an answer begins in `target` seconds; None is all.

    It is never less than `fewest`, which is what is left where the target cannot be met.
    """
    allowed = [row for row in rows if _amount(row.fresh) >= _amount(fewest)]
    in_time = [row.fresh for row in allowed if row.seconds <= target]
    return max(in_time, key=_amount) if in_time else min((row.fresh for row in allowed), key=_amount)


def with_fresh(models: ModelsConfig, fresh: int | None) -> ModelsConfig:
    """Return the settings with so many passages read anew: unchanged where they say so, `auto` where that does."""
    ways = (models.fresh, AUTO, ALL if fresh is None else str(fresh))
    return next(found for way in ways if fresh_count(found := replace(models, fresh=way)) == fresh)


def changes(before: ModelsConfig, after: ModelsConfig) -> dict[str, str]:
    """Return the settings that differ, by their names, as `config set` takes them."""
    names = (field.name for field in fields(after))
    return {
        f"models.{name}": str(getattr(after, name)) for name in names if getattr(before, name) != getattr(after, name)
    }


def _amount(fresh: int | None) -> float:
    return float("inf") if fresh is None else fresh
