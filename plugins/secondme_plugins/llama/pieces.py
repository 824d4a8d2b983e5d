"""Text that arrives in pieces: whole characters out of bytes, and an end at the first stop string."""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing


def decode_pieces(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of UTF-8 `pieces`; a character that is split between them comes with its last byte."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text


def cut_at_stops(pieces: Generator[str, None, None], stops: Sequence[str]) -> Iterator[str]:
    """Yield `pieces` up to the first of `stops`, left out even where pieces split it; `pieces` is closed then."""
    held = ""
    with closing(pieces):
        for piece in pieces:
            held += piece
            found = [at for stop in stops if (at := held.find(stop)) >= 0]
            if found:
                if min(found):
                    yield held[: min(found)]
                return
            kept = _begun(held, stops)
            if len(held) > kept:
                yield held[: len(held) - kept]
                held = held[len(held) - kept :]
        if held:
            yield held


def _begun(text: str, stops: Sequence[str]) -> int:
    """Return how many characters at the end of `text` may be the beginning of a stop string."""
    lengths = (size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size]))
    return max(lengths, default=0)
