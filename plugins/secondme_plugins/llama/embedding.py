"""Token vectors of texts, by an embedding model."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from secondme.errors import NoModel
from secondme.models.catalog import find_entry
from secondme.models.protocols import Matrix
from secondme_plugins.llama.engine import Run, bindings, tokenize

CUT_TOKENS = 512
"""The longest text that is read, with the two special tokens: what MiniLM has positions for."""

_POOLING_NONE = 0
_WORD_START = "\u2581"


class LlamaEmbedder:
    """A model that gives the vectors of all tokens of a text, not only their mean."""

    def __init__(self, alias: str, path: Path) -> None:
        self._run = Run(path, _set_up)
        if self._run.memory:
            raise NoModel(f"{path} is no embedder", hint="set models.embedder to one: secondme model list")
        self.name = _space_name(alias, path)
        self.width = int(bindings().llama_model_n_embd(self._run.model))

    def tokens(self, text: str) -> Matrix:
        """Return the vectors of the tokens of `text`, special tokens left out, each of length 1."""
        ids = self._ids(text)
        if len(ids) <= 2:
            return np.zeros((0, self.width), dtype=np.float32)
        self._run.evaluate(ids)
        found = bindings().llama_get_embeddings(self._run.context)
        vectors = np.ctypeslib.as_array(found, (len(ids), self.width))[1:-1]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # The division makes a copy, and must: the memory behind `vectors` is used again by the next call.
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    def pieces(self, text: str) -> list[str]:
        """Return the piece of text behind each row of `tokens(text)`, lower-case as the model reads it."""
        vocabulary, llama = self._run.vocabulary, bindings()
        found = [llama.llama_vocab_get_text(vocabulary, id).decode("utf-8", "replace") for id in self._ids(text)[1:-1]]
        return [piece.removeprefix(_WORD_START) for piece in found]

    def _ids(self, text: str) -> list[int]:
        ids = tokenize(self._run.vocabulary, text, is_start=True)
        return ids if len(ids) <= CUT_TOKENS else [*ids[: CUT_TOKENS - 1], ids[-1]]


def _set_up(settings: Any) -> None:
    settings.n_ctx = settings.n_batch = settings.n_ubatch = CUT_TOKENS
    settings.embeddings = True
    settings.pooling_type = _POOLING_NONE
    # Several threads wait for each other by spinning: with another process on a core that is ten times slower than one
    # thread, and on idle cores a short text gains little.
    settings.n_threads = settings.n_threads_batch = 1


def _space_name(alias: str, path: Path) -> str:
    """Return a name for the vectors of this file, without reading all of it."""
    if entry := find_entry(alias):
        return f"{alias}-{entry.sha256[:8]}"
    with path.open("rb") as file:
        digest = sha256(file.read(1 << 20))
        file.seek(-min(1 << 20, path.stat().st_size), os.SEEK_END)
        digest.update(file.read())
    return f"{path.stem}-{digest.hexdigest()[:8]}"
