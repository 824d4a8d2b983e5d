"""Puts a prompt together from pages that were read before, and reads the rest.

A page knows nothing of the pages before it: prompt caching by modules (Gim et al., "Prompt Cache", MLSys 2024). It does
know what stood before it where it was said: it is read behind that, which is then cut away, as in late chunking
(Günther et al., 2024). What is read behind the pages sees all of them; reading the best of the evidence there makes up
for what the pages lack (as CacheBlend, Yao et al., EuroSys 2025, does by reading some tokens anew).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
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
    behind: list[tuple[str, ...]]
    """For each page, what it is read behind."""

    @property
    def all(self) -> list[int]:
        """The whole prompt."""
        return [id for part in (self.opening, *self.pages, self.closing) for id in part]


class Stitching:
    """Lays prompts of one model."""

    def __init__(self, reading: Reading, identity: str, tokenize: Callable[[str], list[int]]) -> None:
        """`identity` tells states of this model from those of any other; `tokenize` takes a page."""
        self._reading = reading
        self._identity = identity.encode()
        self._tokenize = tokenize

    def has_read(self, tokens: Tokens, shelf: Shelf) -> list[bool]:
        """Return for each page whether it is on the shelf."""
        return [shelf.has(key) for key in self._keys(tokens)]

    def lay(self, head: Head, tokens: Tokens, count: int, shelf: Shelf, usage: Usage) -> Generator[str, None, None]:
        """Have `head` hold the opening and the first `count` pages; yield "" after each step.

        A page that is not on the shelf is read: aside, to be kept there, if it stands behind nothing; else in its
        place, for what it stands behind would have to be read too.
        """
        yield from self._open(head, tokens.opening, shelf, usage)
        for at, key in enumerate(self._keys(tokens)[:count]):
            ids = tokens.pages[at]
            if (state := shelf.load(key)) and self._reading.attach(head, ids, state):
                usage.pages_loaded += 1
            elif tokens.behind[at]:
                yield from self._reading.steps(head, [*head.tokens, *ids], usage)
            else:
                state = yield from self._reading.read_aside(head, (), ids, usage)
                self._reading.attach(head, ids, state)
                shelf.keep(key, at, state)
                usage.pages_made += 1

    def read_ahead(
        self, head: Head, tokens: Tokens, names: Sequence[str], shelf: Shelf, usage: Usage
    ) -> Generator[str, None, None]:
        """Read the pages that the shelf takes and keep them there; yield each when it is done, and "" on the way."""
        yield from self._open(head, tokens.opening, shelf, usage)
        for at, (name, key) in enumerate(zip(names, self._keys(tokens), strict=True)):
            if not shelf.takes(key, at):
                continue
            before = self.before(tokens.behind[at])
            state = yield from self._reading.read_aside(head, before, tokens.pages[at], usage)
            shelf.keep(key, at, state)
            usage.pages_made += 1
            yield name

    def before(self, behind: Sequence[str]) -> list[int]:
        """Return the tokens of what a page is read behind."""
        return [id for page in behind for id in self._tokenize(page)]

    def _open(self, head: Head, ids: Sequence[int], shelf: Shelf, usage: Usage) -> Generator[str, None, None]:
        key = self._key(ids, (), ())
        if not head.tokens and (state := shelf.load(key)) and self._reading.restore(head, ids, state):
            return
        yield from self._reading.steps(head, ids, usage)
        if not shelf.has(key):
            shelf.keep(key, None, self._reading.state(head))

    def _keys(self, tokens: Tokens) -> list[str]:
        parts = zip(tokens.pages, tokens.behind, strict=True)
        return [self._key(tokens.opening, ids, behind) for ids, behind in parts]

    def _key(self, opening: Sequence[int], ids: Sequence[int], behind: Sequence[str]) -> str:
        """Return the key of a page: its state holds for these tokens of this model, behind this opening and pages."""
        digest = blake2b(self._identity, digest_size=20)
        parts = [np.array(part, dtype=np.int32).tobytes() for part in (opening, ids)]
        for part in (*parts, *(page.encode(errors="replace") for page in behind)):
            digest.update(len(part).to_bytes(4, "big") + part)
        return digest.hexdigest()
