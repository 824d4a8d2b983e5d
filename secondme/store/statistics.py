"""What is stored, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from secondme.clock import from_text
from secondme.store.store import Store


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of one memory."""

    notes: int
    earlier_versions: int
    passages: int
    with_vectors: int
    facts: int
    """Those that hold now."""
    retired_facts: int
    bytes: int
    """On disk, the write-ahead log included."""
    embedder: str
    """Name and width of the embedder whose vectors are stored; empty where there are none."""
    by_origin: Mapping[str, int]
    by_month: Mapping[str, int]
    """Notes by the month they happened in (UTC), the oldest first."""
    oldest: datetime | None
    newest: datetime | None

    @property
    def bytes_per_passage(self) -> float:
        """Return what one passage takes on disk, all indexes included; 0 where there are none."""
        return self.bytes / self.passages if self.passages else 0.0


def measure(store: Store) -> Statistics:
    """Return the numbers of a memory, all of the same moment."""
    current = "from notes where replaced_at is null"
    execute = store.db.conn.execute
    with store.reading():
        oldest, newest = execute(f"select min(happened_at), max(happened_at) {current}").fetchone()
        return Statistics(
            **store.counts(),
            embedder=store.index.embedder or "",
            by_origin=dict(execute(f"select origin, count(*) {current} group by 1 order by 2 desc, 1").fetchall()),
            by_month=dict(
                execute(f"select substr(happened_at, 1, 7), count(*) {current} group by 1 order by 1").fetchall()
            ),
            oldest=from_text(oldest) if oldest else None,
            newest=from_text(newest) if newest else None,
        )
