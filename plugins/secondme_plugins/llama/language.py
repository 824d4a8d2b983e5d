"""Replies to prompts, by a language model."""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondme.config import ModelsConfig
from secondme.errors import ConfigError, NoModel, UsageError
from secondme.models.catalog import find_entry
from secondme.models.protocols import Prompt, Usage
from secondme_plugins.llama.engine import Run, bindings, engine_version, read_piece, tokenize
from secondme_plugins.llama.pace import Pace
from secondme_plugins.llama.pieces import cut_at_stops, decode_pieces
from secondme_plugins.llama.reading import READ_TOKENS, Head, Reading, group_tails, make_memory, shared_length
from secondme_plugins.llama.stitching import Stitching, Tokens
from secondme_plugins.llama.templates import TEMPLATES, Part, Template

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class LlamaModel:
    """A language model that keeps what it read for each prefix, so that an unchanged beginning of a prompt is free."""

    def __init__(self, path: Path, config: ModelsConfig, *, digest: str) -> None:
        """Load the file at `path`, whose sha256 is `digest`."""
        self.name = config.language
        self.context = config.context
        self._run = Run(path, lambda settings: make_memory(settings, self.context, kv=config.kv))
        if not self._run.memory:
            raise NoModel(f"{path} is no language model", hint="set models.language to one: secondme model list")
        self._reading = Reading(self._run, self.context, Pace(config.threads or _cores()))
        # Not a method of this: a model that holds itself would be freed late.
        self._page = partial(_page_tokens, self._run.vocabulary)
        self._stitching = Stitching(self._reading, f"{digest} {config.kv} {engine_version()}", self._page)
        self._can_stitch = bool(bindings().llama_memory_can_shift(self._run.memory))
        self._template = _choose_template(config, self._run.vocabulary)

    def count(self, text: str) -> int:
        """Return how many tokens `text` is."""
        return len(tokenize(self._run.vocabulary, text))

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield the most likely reply piece by piece. Raises UsageError when the prompt does not fit, and NoModel."""
        usage = usage if usage is not None else Usage()
        tokens = self._tokens(prompt)
        ids = tokens.all
        usage.tokens_sent = len(ids)
        self._check_size(len(ids), max_tokens)
        chooser = Chooser(self._run, grammar)
        if prompt.shelf and self._can_stitch:
            count = max(0, len(prompt.pages) - prompt.fresh)
            room = len(ids) - len(tokens.opening) + max_tokens
            head = self._reading.prepare(prompt.prefix, tokens.opening, room=room)
            yield from self._stitching.lay(head, tokens, count, prompt.shelf, usage)
        else:
            head = self._reading.prepare(prompt.prefix, ids, room=max_tokens, is_reread=True)
        yield from self._reading.steps(head, ids, usage)
        yield from cut_at_stops(self._texts(head, max_tokens, chooser, usage), stop)

    def has_read(self, prompt: Prompt) -> list[bool]:
        """Return for each page of `prompt` whether its shelf has it."""
        if prompt.shelf is None or not self._can_stitch:
            return [False for _ in prompt.pages]
        return self._stitching.has_read(self._tokens(prompt), prompt.shelf)

    def read_ahead(self, prompt: Prompt, *, usage: Usage | None = None) -> Iterator[str]:
        """Read the pages of `prompt` that its shelf lacks; yield each when it is done. Raises UsageError, NoModel."""
        if prompt.shelf is None or not self._can_stitch:
            return
        usage = usage if usage is not None else Usage()
        tokens = self._tokens(prompt)
        parts = zip(tokens.pages, tokens.behind, strict=True)
        longest = max((len(ids) + len(self._stitching.before(behind)) for ids, behind in parts), default=0)
        self._check_size(len(tokens.opening) + longest, 0)
        head = self._reading.prepare(prompt.prefix, tokens.opening, room=longest)
        yield from self._stitching.read_ahead(head, tokens, prompt.pages, prompt.shelf, usage)

    def weigh(
        self, prompts: Sequence[Prompt], options: Sequence[str], *, usage: Usage | None = None
    ) -> list[list[float]]:
        """Return the log-probability of each option after each prompt. Raises UsageError and NoModel as `reply`."""
        if not prompts:
            return []
        usage = usage if usage is not None else Usage()
        tokens = [tokenize(self._run.vocabulary, option)[0] for option in options]
        texts = [self._tokens(prompt).all for prompt in prompts]
        usage.tokens_sent = sum(map(len, texts))
        self._check_size(max(map(len, texts)), 0)
        # A prompt alone shares the instructions with those to come. The last token is never shared: it is asked about.
        others = [self._tokens(Prompt(prompts[0].prefix)).all] if len(prompts) == 1 else []
        shared = min(shared_length(texts + others), min(map(len, texts)) - 1)
        groups = group_tails((ids[shared:] for ids in texts), most=min(READ_TOKENS, self.context - shared))
        room = max(sum(map(len, group)) for group in groups)
        head = self._reading.keep(prompts[0].prefix, texts[0][:shared], room=room, usage=usage)
        return [
            _log_probabilities(logits, tokens)
            for group in groups
            for logits in self._reading.branch(head, group, usage)
        ]

    def _check_size(self, count: int, max_tokens: int) -> None:
        if count + max_tokens > self.context:
            raise UsageError(
                f"the prompt is {count} tokens long, and with {max_tokens} for the reply that is more than the "
                f"{self.context} tokens of {self.name}",
                hint="ask for less evidence, or raise models.context",
            )

    def _texts(self, head: Head, max_tokens: int, chooser: Chooser, usage: Usage) -> Generator[str, None, None]:
        yield from decode_pieces(self._pieces(head, max_tokens, chooser, usage))

    def _pieces(self, head: Head, max_tokens: int, chooser: Chooser, usage: Usage) -> Generator[bytes, None, None]:
        llama, vocabulary = bindings(), self._run.vocabulary
        while not llama.llama_vocab_is_eog(vocabulary, token := chooser.choose()):
            if usage.tokens_written == max_tokens:
                usage.truncated = True
                return
            usage.tokens_written += 1
            yield read_piece(vocabulary, token)
            self._reading.append(head, [token])

    def _tokens(self, prompt: Prompt) -> Tokens:
        """Return the tokens of a prompt; a page has the same ones wherever it stands."""
        opening = [*self._template.opening(prompt.prefix), (prompt.opening, False)]
        closing = [(prompt.closing, False), *self._template.closing(prompt.lead)]
        return Tokens(
            self._ids(opening, is_start=True),
            [self._page(page) for page in prompt.pages],
            self._ids(closing),
            list(prompt.behind) or [() for _ in prompt.pages],
        )

    def _ids(self, parts: Iterable[Part], *, is_start: bool = False) -> list[int]:
        ids: list[int] = []
        for text, is_markup in parts:
            ids += tokenize(self._run.vocabulary, text, is_start=is_start and not ids, is_markup=is_markup)
        return ids


class Chooser:
    """Picks the most likely next token that the grammar, if there is one, allows."""

    def __init__(self, run: Run, grammar: str) -> None:
        self._run = run
        self._grammar: Any = None
        if grammar:
            llama = bindings()
            self._grammar = llama.llama_sampler_init_grammar(run.vocabulary, grammar.encode(), b"root")
            if not self._grammar:
                raise ValueError(f"not a GBNF grammar: {grammar}")
            weakref.finalize(self, llama.llama_sampler_free, self._grammar)

    def choose(self) -> int:
        """Return the next token."""
        logits = self._run.logits()
        best = int(logits.argmax())
        if not self._grammar:
            return best
        # Asking the grammar about the favourite alone spares asking about all 150,000 in nearly every step.
        if not np.isfinite(self._allowed(np.array([best], dtype=np.int32), logits)[0]):
            allowed = self._allowed(np.arange(len(logits), dtype=np.int32), logits)
            best = int(allowed.argmax())
            if not np.isfinite(allowed[best]):
                raise ValueError("the grammar allows no further token")
        bindings().llama_sampler_accept(self._grammar, best)
        return best

    def _allowed(self, ids: NDArray[np.int32], logits: NDArray[np.float32]) -> NDArray[np.float32]:
        llama = bindings()
        candidates = np.zeros(len(ids), dtype=_CANDIDATE)
        candidates["id"], candidates["logit"] = ids, logits[ids]
        data = candidates.ctypes.data_as(ctypes.POINTER(llama.llama_token_data))
        array = llama.llama_token_data_array(data=data, size=len(ids), selected=-1, sorted=False)
        llama.llama_sampler_apply(self._grammar, ctypes.byref(array))
        found: NDArray[np.float32] = candidates["logit"]
        return found


def _log_probabilities(logits: NDArray[np.float32], tokens: Sequence[int]) -> list[float]:
    highest = logits.max()
    total = np.log(np.exp(logits - highest).sum(dtype=np.float64))
    return [float(logits[token] - highest - total) for token in tokens]


def _page_tokens(vocabulary: Any, page: str) -> list[int]:
    return tokenize(vocabulary, f"{page}\n")


def _choose_template(config: ModelsConfig, vocabulary: Any) -> Template:
    entry = find_entry(config.language)
    family = entry.template if entry else config.template
    if not family:
        is_known = len(tokenize(vocabulary, "<|im_start|>", is_markup=True)) == 1
        family = "chatml" if is_known else "plain"
    if family not in TEMPLATES:
        raise ConfigError(f"models.template is {family!r}", hint=f"known templates: {', '.join(TEMPLATES)}")
    return TEMPLATES[family]


def _cores() -> int:
    import psutil

    return psutil.cpu_count(logical=False) or os.cpu_count() or 1
