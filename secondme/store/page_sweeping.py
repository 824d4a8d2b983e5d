"""Removes pages of a memory whose pages are not open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from secondme.store.page_file import no_pages
from secondme.store.pages import PageStore

if TYPE_CHECKING:
    from secondme.store.store import Store


def sweep_pages(store: Store) -> int:
    """Do what `PageStore.sweep` does."""
    with PageStore.of(store) as pages:
        return pages.sweep(store)


def tidy_pages(store: Store, *, budget_bytes: int) -> None:
    """Remove the pages that no longer serve, or all of them where none are wanted. Raises Locked."""
    if budget_bytes:
        with PageStore.of(store, budget_bytes=budget_bytes) as pages:
            pages.sweep(store)
    else:
        with no_pages(store.path):
            pass
