"""Puts a prompt together from pages that were read before, each behind the instructions alone, and reads the rest.

A page knows nothing of the pages before it: prompt caching by modules (Gim et al., "Prompt Cache", MLSys 2024). What is
read behind the pages sees all of them; reading the best evidence there makes up for what the pages lack (as CacheBlend,
Yao et al., EuroSys 2025, does by reading a part of the tokens anew).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from secondme.models.protocols import Shelf, Usage
from secondme_plugins.llama.reading import Head, Reading


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a prompt, by part."""

    opening: list[int]
    """The instructions, up to the first page."""
    pages: list[list[int]]
    closing: list[int]

    @property
    def all(self) -> list[int]:
        """The whole prompt."""
        return [id for part in (self.opening, *self.pages, self.closing) for id in part]


class Stitching:
    """Lays prompts of one model."""

    def __init__(self, reading: Reading, identity: str) -> None:
        """`identity` tells states of this model from those of any other."""
        self._reading = reading
        self._identity = identity.encode()

    def lay(
        self, head: Head, tokens: Tokens, names: Sequence[str], shelf: Shelf, usage: Usage
    ) -> Generator[str, None, None]:
        """Have `head` hold the opening and the first pages, as many as there are `names`; yield "" after each step.

        A page that is not on the shelf is read and kept there.
        """
        yield from self._open(head, tokens.opening, shelf, usage)
        for name, ids in zip(names, tokens.pages, strict=False):
            key = self._key(tokens.opening, ids)
            if (state := shelf.load(key)) and self._reading.attach(head, ids, state):
                usage.pages_loaded += 1
                continue
            state = yield from self._reading.read_aside(head, ids, usage)
            shelf.keep(key, name, state)
            usage.pages_made += 1

    def read_ahead(
        self, head: Head, tokens: Tokens, names: Sequence[str], shelf: Shelf, usage: Usage
    ) -> Generator[str, None, None]:
        """Read the pages that the shelf lacks and keep them there; yield each when it is done, and "" on the way."""
        yield from self._open(head, tokens.opening, shelf, usage)
        for name, ids in zip(names, tokens.pages, strict=True):
            if shelf.has(key := self._key(tokens.opening, ids)):
                continue
            state = yield from self._reading.read_aside(head, ids, usage)
            self._reading.cut(head)
            shelf.keep(key, name, state)
            usage.pages_made += 1
            yield name

    def _open(self, head: Head, ids: Sequence[int], shelf: Shelf, usage: Usage) -> Generator[str, None, None]:
        key = self._key(ids, ())
        if not head.tokens and (state := shelf.load(key)) and self._reading.restore(head, ids, state):
            return
        yield from self._reading.steps(head, ids, usage)
        if not shelf.has(key):
            shelf.keep(key, "", self._reading.state(head))

    def _key(self, opening: Sequence[int], ids: Sequence[int]) -> str:
        """Return the key of a page: a state holds for these very tokens of this model, behind this opening, alone."""
        digest = blake2b(self._identity, digest_size=20)
        for part in (opening, ids):
            digest.update(len(part).to_bytes(4, "big") + np.array(part, dtype=np.int32).tobytes())
        return digest.hexdigest()
