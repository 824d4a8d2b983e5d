"""llama.cpp itself: its functions, a loaded model, and text to tokens and back. Alone imports llama_cpp."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import weakref
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from secondme.errors import NoModel

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from numpy.typing import NDArray


class Step(NamedTuple):
    """A token to be read."""

    token: int
    position: int
    """Its place in the sequence."""
    sequence: int
    is_asked: bool
    """True where the logits after it are wanted."""


class Run:
    """A loaded model with its context; both are freed when nobody holds this any more."""

    def __init__(self, path: Path, set_up: Callable[[Any], None]) -> None:
        llama = bindings()
        self._path = path
        self.model = llama.llama_model_load_from_file(os.fsencode(path), _loading(llama))
        if not self.model:
            raise NoModel(f"llama.cpp cannot load {path}", hint="the file may be damaged: secondme model verify")
        settings = llama.llama_context_default_params()
        set_up(settings)
        self.context = llama.llama_init_from_model(self.model, settings)
        if not self.context:
            llama.llama_model_free(self.model)
            raise NoModel(
                f"llama.cpp cannot run {path}", hint="is there enough memory? a smaller models.context needs less"
            )
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        self.memory = llama.llama_get_memory(self.context)
        weakref.finalize(self, _free, self.context, self.model)

    def evaluate(self, ids: Sequence[int]) -> None:
        """Read the tokens `ids` with a model without memory. Raises NoModel."""
        llama = bindings()
        # The batch only points to the array, which has to live as long.
        array = (llama.llama_token * len(ids))(*ids)
        self._check(llama.llama_encode(self.context, llama.llama_batch_get_one(array, len(ids))))

    def decode(self, steps: Sequence[Step]) -> None:
        """Read `steps` with a model that remembers what it read. Raises NoModel."""
        llama = bindings()
        batch = llama.llama_batch_init(len(steps), 0, 1)
        try:
            batch.n_tokens = len(steps)
            for at, step in enumerate(steps):
                batch.token[at], batch.pos[at], batch.logits[at] = step.token, step.position, step.is_asked
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, step.sequence
            self._check(llama.llama_decode(self.context, batch))
        finally:
            llama.llama_batch_free(batch)

    def state(self, sequence: int) -> bytes:
        """Return what the model remembers of a sequence, with the positions of its tokens."""
        llama = bindings()
        room = ctypes.create_string_buffer(llama.llama_state_seq_get_size(self.context, sequence))
        count = llama.llama_state_seq_get_data(self.context, _bytes_at(room), len(room), sequence)
        return room.raw[:count]

    def restore(self, sequence: int, state: bytes) -> bool:
        """Have an empty sequence hold what `state` returned; False where there is no place or it is of another kind."""
        room = ctypes.create_string_buffer(state, len(state))
        return bool(bindings().llama_state_seq_set_data(self.context, _bytes_at(room), len(room), sequence))

    def logits(self, at: int = -1) -> NDArray[np.float32]:
        """Return how likely each token is to come after step `at` of the last decoding; valid until the next."""
        llama = bindings()
        size = llama.llama_vocab_n_tokens(self.vocabulary)
        return np.ctypeslib.as_array(llama.llama_get_logits_ith(self.context, at), (size,))

    def _check(self, code: int) -> None:
        if code:
            raise NoModel(f"llama.cpp stopped with code {code} while running {self._path}")


def _bytes_at(room: Any) -> Any:
    return ctypes.cast(room, ctypes.POINTER(ctypes.c_uint8))


@cache
def bindings() -> Any:
    """Return the module of llama_cpp with the functions of llama.cpp, silenced. Raises NoModel without it."""
    hint = "pip install 'secondme[llama]'"
    try:
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None:
            raise NoModel("llama.cpp is not installed", hint=hint)
        llama = sys.modules.get("llama_cpp.llama_cpp") or _import_without_package(spec)
    except (ImportError, OSError, RuntimeError) as error:
        raise NoModel(f"llama.cpp cannot be used: {error}", hint=hint) from error
    llama.llama_log_set(_silence(llama), ctypes.c_void_p(0))
    llama.llama_backend_init()
    return llama


def engine_version() -> str:
    """Return the version of llama.cpp that is installed."""
    return importlib.metadata.version("llama_cpp_python")


def _import_without_package(spec: ModuleSpec) -> Any:
    # The package imports chat handlers, a template engine and a disk cache that are not used here and take longer than
    # the functions themselves, so its own code is left out while they are imported.
    sys.modules["llama_cpp"] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module("llama_cpp.llama_cpp")
    finally:
        del sys.modules["llama_cpp"]


@cache
def _silence(llama: Any) -> Any:
    # Cached so that it lives as long as llama.cpp, which may call it at any time.
    return llama.llama_log_callback(lambda level, text, data: None)


def _loading(llama: Any) -> Any:
    """Return the settings by which a model is loaded."""
    settings = llama.llama_model_default_params()
    if b"AMX_INT8 = 1" in llama.llama_print_system_info():
        # Built by GCC 12, llama.cpp's code for these matrix instructions ends the process (its pull request 26954).
        # Only weights in buffers of its own are read by that code, and the default model is as fast without them.
        settings.use_extra_bufts = False
    return settings


def _free(context: Any, model: Any) -> None:
    llama = bindings()
    llama.llama_free(context)
    llama.llama_model_free(model)


def tokenize(vocabulary: Any, text: str, *, is_start: bool = False, is_markup: bool = False) -> list[int]:
    """Return the tokens of `text`; with `is_start` also those the model wants around a text."""
    llama, content = bindings(), text.encode("utf-8", "replace")
    room = len(content) + 8
    while True:
        found = (llama.llama_token * room)()
        count = llama.llama_tokenize(vocabulary, content, len(content), found, room, is_start, is_markup)
        if count >= 0:
            return list(found[:count])
        room = -count


def read_piece(vocabulary: Any, token: int) -> bytes:
    """Return the bytes of `token`, which may be part of a character; markup has none."""
    llama, room = bindings(), 64
    while True:
        found = ctypes.create_string_buffer(room)
        count = llama.llama_token_to_piece(vocabulary, token, found, room, 0, False)
        if count >= 0:
            return found.raw[:count]
        room = -count
