"""What secondme asks of a language model and of an embedder, whatever runs them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


class Shelf(Protocol):
    """Keeps what a model has read of single pieces of evidence, so that it need not be read again."""

    def load(self, key: str) -> bytes | None:
        """Return what was kept under `key`, whole and unchanged, or None."""

    def has(self, key: str) -> bool:
        """True if something is kept under `key`."""

    def takes(self, key: str, page: int) -> bool:
        """True if nothing is kept under `key`, and a page of the prompt would be: it is worth being read."""

    def keep(self, key: str, page: int | None, state: bytes) -> None:
        """Keep the state of a page of the prompt while it is useful; None is what stands before all pages."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in the parts a backend may treat differently; each part is plain text, never template markup."""

    prefix: str
    """The instructions: the same for every call of one purpose, so a backend may keep them evaluated."""
    pages: tuple[str, ...] = ()
    """Evidence, one piece each; pieces may be reused between prompts."""
    tail: str = ""
    """What is asked this time."""
    lead: str = ""
    """The first words of the reply, put into the model's mouth and not repeated in what it returns."""
    fence: str = ""
    """What marks the evidence as quoted: a word that nobody who wrote it knows. Empty where there is none."""
    shelf: Shelf | None = None
    """Where states of pages are kept, for a backend that can put them together; without it all pages are read."""
    fresh: int = 0
    """With a shelf: how many of the pages, the last ones, are read in their place all the same."""
    behind: tuple[tuple[str, ...], ...] = ()
    """With a shelf: for each page, the pages that it is read behind when it is made; they are not part of the prompt.

    What it was said after makes its state better than reading it alone would. Empty where nothing is for any.
    """

    @property
    def opening(self) -> str:
        """What stands before the pages, with the end of its line."""
        return f"{self.fence}\n" if self.fence else ""

    @property
    def closing(self) -> str:
        """What stands behind the pages."""
        return f"{self.opening}{self.tail}"

    @property
    def body(self) -> str:
        """The evidence within its fence, and what is asked."""
        return "".join((self.opening, *(f"{page}\n" for page in self.pages), self.closing))


@dataclass(slots=True)
class Usage:
    """Counts of one call, filled in while it runs."""

    tokens_sent: int = 0
    tokens_evaluated: int = 0
    """Less than sent where the backend had evaluated the beginning before, or kept pages."""
    tokens_written: int = 0
    pages_loaded: int = 0
    """Pages whose state was kept."""
    pages_made: int = 0
    """Pages that were read to be kept."""
    truncated: bool = False
    """True when the reply ended at the output cap."""


@runtime_checkable
class LanguageModel(Protocol):
    """A model that continues text. One call at a time."""

    name: str
    context: int
    """Tokens of prompt and reply together."""

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield the reply piece by piece at temperature 0; closing the iterator stops the work at the next token.

        An empty piece says that the prompt is still being read: whoever listens may want to stop.
        `grammar` is GBNF. Raises NoModel when the backend fails and UsageError when the prompt does not fit.
        """

    def weigh(
        self, prompts: Sequence[Prompt], options: Sequence[str], *, usage: Usage | None = None
    ) -> list[list[float]]:
        """Return, for each prompt, the log-probability of each option coming next.

        All prompts have the same prefix. An option stands for its first token, weighed against the whole vocabulary; a
        backend that sees only the likeliest tokens gives the others -100. Raises NoModel and UsageError as `reply`.
        """

    def count(self, text: str) -> int:
        """Return how many tokens `text` is for this model."""


@runtime_checkable
class ReadsAhead(Protocol):
    """A language model that can read pages while nobody waits."""

    def has_read(self, prompt: Prompt) -> list[bool]:
        """Return for each page of `prompt` whether its shelf has it."""

    def read_ahead(self, prompt: Prompt, *, usage: Usage | None = None) -> Iterator[str]:
        """Read the pages of `prompt` that its shelf lacks and keep them there; yield each when it is done.

        An empty piece says that a page is still being read. Raises NoModel, and UsageError for what does not fit.
        """


@runtime_checkable
class Embedder(Protocol):
    """A model that turns a text into one vector per token."""

    name: str
    """Identifies the vector space; vectors of different names are never compared."""
    width: int

    def tokens(self, text: str) -> Matrix:
        """Return the token vectors of `text`, (tokens, width), each of length 1.

        Long text is cut, empty text has 0 rows. The special tokens at both ends are left out.
        The pooled vector of a text is the mean of its rows.
        """

    def pieces(self, text: str) -> list[str]:
        """Return the piece of text behind each row of `tokens(text)`, lower-case where the model does not see case."""
