"""Computes what searches compare: vectors of passages and facts, and the topics that the vectors tell apart."""

from __future__ import annotations

import time
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from secondme.errors import NoModel

if TYPE_CHECKING:
    from secondme.assistant import Assistant, Progress
    from secondme.models.protocols import Embedder
    from secondme.store.store import Store

NONE_CONFIGURED = "no embedder is configured (models.embedder)"
"""Why there is no embedder where the user wants none."""
BATCH = 32
"""Texts embedded per transaction: what an interruption loses is computed again."""


def embedder_of(me: Assistant) -> Embedder | None:
    """Return the embedder, loaded at the first call; None where there is none or other vectors are stored."""
    if me.loaded_embedder is None and not me.no_embedder:
        try:
            found = me.plugins.embedder(me.config.models)
        except NoModel as error:
            me.no_embedder = f"{error}; {error.hint}" if error.hint else str(error)
            return None
        if found is None:
            me.no_embedder = NONE_CONFIGURED
        me.loaded_embedder = found
    # Another process may have computed all vectors anew with another one.
    stored, mine = me.store.index.embedder, me.loaded_embedder
    if mine is not None and stored not in (None, f"{mine.name}:{mine.width}"):
        me.no_embedder = f"the stored vectors are of {stored}, not of {mine.name}; run: secondme reindex"
        me.loaded_embedder = None
    return me.loaded_embedder


def codes_of(me: Assistant, text: str) -> bytes | None:
    """Return the token codes of a text, None without an embedder."""
    embedder = me.embedder()
    if embedder is None:
        return None
    from secondme.recall.codes import encode

    return encode(embedder.tokens(text))


def reindex(me: Assistant, *, progress: Progress | None) -> int:
    """Rebuild words and vectors; return how many passages wait for vectors."""
    me.no_embedder, me.loaded_embedder = "", None
    with me.store.writing():
        me.store.index.rebuild_words()
    found = me.plugins.embedder(me.config.models)
    if found is not None and me.store.index.embedder != f"{found.name}:{found.width}":
        with me.store.writing():
            me.store.index.start_vectors(found.name, found.width)
    waiting = me.embed_waiting(progress=progress)
    me.store.checkpoint()
    return waiting


def embed_waiting(me: Assistant, *, seconds: float, progress: Progress | None) -> int:
    """Compute vectors of what has none, for about `seconds`; return how many passages still wait."""
    store, embedder = me.store, me.embedder()
    waiting = store.index.waiting()
    # A search, which gives it a moment only, has nothing to do where no passage waits.
    if embedder is None or (not waiting and seconds != float("inf")):
        return waiting
    from secondme.recall.codes import encode, encode_pooled

    stop, done, total = time.monotonic() + seconds, 0, waiting
    while waiting and time.monotonic() < stop and (batch := store.index.without_vectors(BATCH)):
        vectors = [(id, embedder.tokens(f"{label}: {text}" if label else text)) for id, label, text in batch]
        with store.writing():
            if store.index.embedder is None:
                store.index.start_vectors(embedder.name, embedder.width)
            elif me.embedder() is None:
                break
            store.index.save_vectors((id, encode(rows), encode_pooled(rows)) for id, rows in vectors)
        done += len(batch)
        if progress:
            progress(done, max(total, done))
    _embed_facts(me, embedder, stop)
    if time.monotonic() < stop:
        cut_topics(store)
    return store.index.waiting()


def _embed_facts(me: Assistant, embedder: Embedder, stop: float) -> None:
    """Compute the vectors of facts that were learned or left without any."""
    from secondme.recall.codes import encode

    while time.monotonic() < stop and (batch := me.store.facts.without_codes(BATCH)):
        codes = [(id, encode(embedder.tokens(text))) for id, text in batch]
        with me.store.writing():
            for id, code in codes:
                me.store.facts.save_codes(id, code)


def cut_topics(store: Store) -> None:
    """Cut threads that have grown where they turn to something else; what lies before a pause stays as it is."""
    from secondme.recall.codes import decode
    from secondme.sleep.topics import cut, pauses

    for thread in store.topics.waiting():
        stream = store.topics.stream(thread)
        begins = pauses(stream.moments)
        begin = begins[max(bisect_right(begins, stream.first_new) - 1, 0)]
        ids, moments, sizes = stream.ids[begin:], stream.moments[begin:], stream.sizes[begin:]
        places = cut(decode(store.index.pooled(ids), store.index.width), moments, sizes=sizes)
        topics = [(id, ids[first]) for first, after in pairwise([*places, len(ids)]) for id in ids[first:after]]
        with store.writing():
            store.topics.save(topics)
