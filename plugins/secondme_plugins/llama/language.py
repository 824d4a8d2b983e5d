"""Replies to prompts, by a language model."""

from __future__ import annotations

import ctypes
import os
import time
import weakref
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondme.config import ModelsConfig
from secondme.errors import ConfigError, NoModel, UsageError
from secondme.models.catalog import find_entry
from secondme.models.protocols import Prompt, Usage
from secondme_plugins.llama.engine import Run, bindings, read_piece, tokenize
from secondme_plugins.llama.pace import Pace
from secondme_plugins.llama.pieces import cut_at_stops, decode_pieces
from secondme_plugins.llama.templates import TEMPLATES, Template

READ_TOKENS = 128
"""How much of a prompt is read at once: an interrupt waits for it, a second or so; bigger steps are hardly faster."""

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class LlamaModel:
    """A language model that keeps what it read last, so that an unchanged beginning of a prompt is free."""

    def __init__(self, path: Path, config: ModelsConfig) -> None:
        self.name = config.language
        self.context = config.context
        self._pace = Pace(config.threads or _cores())

        def set_up(settings: Any) -> None:
            settings.n_ctx = self.context

        self._run = Run(path, set_up)
        if not self._run.memory:
            raise NoModel(f"{path} is no language model", hint="set models.language to one: secondme model list")
        self._read: list[int] = []
        """The tokens llama.cpp holds the state of."""
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
        ids = self._prompt_ids(prompt)
        usage.tokens_sent = len(ids)
        if len(ids) + max_tokens > self.context:
            raise UsageError(
                f"the prompt is {len(ids)} tokens long, and with {max_tokens} for the reply that is more than the "
                f"{self.context} tokens of {self.name}",
                hint="ask for less evidence, or raise models.context",
            )
        yield from cut_at_stops(self._texts(ids, max_tokens, grammar, usage), stop)

    def _texts(self, ids: Sequence[int], max_tokens: int, grammar: str, usage: Usage) -> Generator[str, None, None]:
        yield from decode_pieces(self._pieces(ids, max_tokens, grammar, usage))

    def _pieces(self, ids: Sequence[int], max_tokens: int, grammar: str, usage: Usage) -> Generator[bytes, None, None]:
        llama, vocabulary = bindings(), self._run.vocabulary
        chooser = Chooser(self._run, grammar)
        self._evaluate(ids, usage)
        while not llama.llama_vocab_is_eog(vocabulary, token := chooser.choose()):
            if usage.tokens_written == max_tokens:
                usage.truncated = True
                return
            usage.tokens_written += 1
            yield read_piece(vocabulary, token)
            self._decode([token])

    def _evaluate(self, ids: Sequence[int], usage: Usage) -> None:
        # The last token is always read again: its logits are what the reply starts from.
        same = 0
        while same < min(len(self._read), len(ids) - 1) and self._read[same] == ids[same]:
            same += 1
        llama, memory = bindings(), self._run.memory
        if not llama.llama_memory_seq_rm(memory, 0, same, -1):
            llama.llama_memory_clear(memory, False)
            same = 0
        self._read = list(ids[:same])
        for start in range(same, len(ids), READ_TOKENS):
            step = ids[start : start + READ_TOKENS]
            self._decode(step)
            usage.tokens_evaluated += len(step)

    def _decode(self, ids: Sequence[int]) -> None:
        began, processor = time.monotonic(), time.process_time()
        threads = self._pace.threads(began)
        bindings().llama_set_n_threads(self._run.context, threads, threads)
        self._run.evaluate(ids)
        self._read += ids
        now = time.monotonic()
        self._pace.record(threads, wall=now - began, processor=time.process_time() - processor, now=now)

    def _prompt_ids(self, prompt: Prompt) -> list[int]:
        body = "\n".join((*prompt.pages, prompt.tail))
        ids: list[int] = []
        for text, is_markup in self._template(prompt.prefix, body, prompt.lead):
            ids += tokenize(self._run.vocabulary, text, is_start=not ids, is_markup=is_markup)
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
        logits = self._run.logits
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
