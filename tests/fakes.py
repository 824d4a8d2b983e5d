"""The only fakes: a language model that follows a script and an embedder that hashes words, entering as a plugin."""

from __future__ import annotations

import hashlib
import math
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

import numpy as np

from secondme.config import ModelsConfig
from secondme.hookspecs import hookimpl
from secondme.models.protocols import Embedder, LanguageModel, Matrix, Prompt, Usage


def judge_by_word(prompt: Prompt) -> float:
    """Return 0 for a prompt that asks about chatter or about what is outdated, and 1 for any other."""
    return 0.0 if "chatter" in prompt.tail or "outdated" in prompt.tail else 1.0


class ScriptedModel:
    """A language model that gives the replies it was handed, one per call, and remembers what it was asked."""

    name = "scripted"
    context = 4096

    def __init__(self, replies: Iterable[str] = ()) -> None:
        self.replies = deque(replies)
        """What is still to be said; tests may add to it."""
        self.judge: Callable[[Prompt], float] = judge_by_word
        """Gives the probability of the first option; the last has the rest, those between them next to nothing."""
        self.prompts: list[Prompt] = []
        self.calls = 0
        self.tokens_sent = 0
        self.tokens_written = 0
        self.closed_early = 0
        """How many replies were stopped before their end."""

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield the next reply of the script word by word; an exhausted script is an error of the test."""
        assert self.replies, f"the script has no reply left for: {prompt.tail}"
        usage = usage or Usage()
        self._note(prompt, usage)
        text = self.replies.popleft()
        for mark in stop:
            text = text.partition(mark)[0]
        words = re.findall(r"\s*\S+|\s+$", text)
        try:
            for word in words[:max_tokens]:
                usage.tokens_written += 1
                self.tokens_written += 1
                yield word
        except GeneratorExit:
            self.closed_early += 1
            raise
        usage.truncated = len(words) > max_tokens

    def weigh(
        self, prompts: Sequence[Prompt], options: Sequence[str], *, usage: Usage | None = None
    ) -> list[list[float]]:
        """Return what `judge` says of each prompt; no script is needed."""
        assert len({prompt.prefix for prompt in prompts}) <= 1, "the prompts of one call share their prefix"
        weighed = []
        for prompt in prompts:
            self._note(prompt, usage or Usage())
            first = self.judge(prompt)
            shares = [first, *[0.0] * (len(options) - 2), 1 - first]
            weighed.append([math.log(max(share, 1e-9)) for share in shares[: len(options)]])
        return weighed

    def _note(self, prompt: Prompt, usage: Usage) -> None:
        count = self.count("\n".join((prompt.prefix, *prompt.pages, prompt.tail, prompt.lead)))
        usage.tokens_sent += count
        usage.tokens_evaluated += count
        self.calls += 1
        self.prompts.append(prompt)
        self.tokens_sent += count

    def count(self, text: str) -> int:
        """Return the number of words."""
        return len(text.split())


class PagingModel(ScriptedModel):
    """A scripted model that takes pages from a shelf, and reads those that are missing; a state is the page itself."""

    name = "paging"
    state_bytes = 1000

    def __init__(self, replies: Iterable[str] = ()) -> None:
        super().__init__(replies)
        self.ahead: list[str] = []
        """The pages read before anybody asked, in order."""

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield the next reply of the script, behind the pages."""
        usage = usage or Usage()
        for at, page in enumerate(prompt.pages[: max(0, len(prompt.pages) - prompt.fresh)] if prompt.shelf else ()):
            assert prompt.shelf
            if state := prompt.shelf.load(self._key(prompt, at)):
                assert state == self._state(page)
                usage.pages_loaded += 1
            elif not prompt.behind or not prompt.behind[at]:
                prompt.shelf.keep(self._key(prompt, at), at, self._state(page))
                usage.pages_made += 1
        yield from super().reply(prompt, max_tokens=max_tokens, stop=stop, usage=usage)

    def has_read(self, prompt: Prompt) -> list[bool]:
        """Say which pages the shelf has."""
        assert prompt.shelf
        return [prompt.shelf.has(self._key(prompt, at)) for at, _ in enumerate(prompt.pages)]

    def read_ahead(self, prompt: Prompt, *, usage: Usage | None = None) -> Iterator[str]:
        """Keep the pages that the shelf lacks, and yield each."""
        assert prompt.shelf
        for at, page in enumerate(prompt.pages):
            if prompt.shelf.takes(self._key(prompt, at), at):
                yield ""
                self.ahead.append(page)
                prompt.shelf.keep(self._key(prompt, at), at, self._state(page))
                yield page

    def _key(self, prompt: Prompt, at: int) -> str:
        behind = prompt.behind[at] if prompt.behind else ()
        return f"{self.name} {prompt.prefix} {behind} {prompt.pages[at]}"

    def _state(self, page: str) -> bytes:
        return page.encode().ljust(self.state_bytes)


class HashingEmbedder:
    """An embedder in which equal words have equal vectors and different words nearly orthogonal ones."""

    name = "hashing"
    width = 384

    def __init__(self) -> None:
        self.calls = 0
        self._vectors: dict[str, Matrix] = {}

    def tokens(self, text: str) -> Matrix:
        """Return one unit vector for each lower-cased word, at most 256."""
        self.calls += 1
        words = self.pieces(text)
        if not words:
            return np.zeros((0, self.width), dtype=np.float32)
        return np.stack([self._vector(word) for word in words])

    def pieces(self, text: str) -> list[str]:
        """Return the words behind the rows of `tokens(text)`."""
        return re.findall(r"\w+", text.lower())[:256]

    def _vector(self, word: str) -> Matrix:
        if word not in self._vectors:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            vector = np.random.default_rng(seed).standard_normal(self.width)
            self._vectors[word] = (vector / np.linalg.norm(vector)).astype(np.float32)
        return self._vectors[word]


class FakePlugin:
    """A plugin that answers for every configured model; a configuration of "" still means none."""

    def __init__(self, replies: Iterable[str] = (), *, model: type[ScriptedModel] = ScriptedModel) -> None:
        self.model = model(replies)
        self.hashing = HashingEmbedder()

    @hookimpl
    def language_model(self, config: ModelsConfig) -> LanguageModel | None:
        """Return the scripted model."""
        return self.model if config.language else None

    @hookimpl
    def embedder(self, config: ModelsConfig) -> Embedder | None:
        """Return the hashing embedder."""
        return self.hashing if config.embedder else None
