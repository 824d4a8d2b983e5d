"""What a language model has read: one sequence of tokens for each prefix, so that no beginning is read twice."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondme.errors import ConfigError
from secondme.models.protocols import Usage
from secondme_plugins.llama.engine import Run, Step, bindings
from secondme_plugins.llama.pace import Pace

READ_TOKENS = 128
"""How much of a prompt is read at once: an interrupt waits for it, a second or so; bigger steps are hardly faster."""
LAST_TOKENS = READ_TOKENS * 3 // 2
"""How much is read at once where that is all there is left: a small step takes nearly as long as a full one."""
HEADS = 8
"""How many prefixes are remembered."""
BRANCHES = 16
"""How many ends are read at once after one beginning."""
SEQUENCES = HEADS + BRANCHES + 2
SPARE, ASIDE = SEQUENCES - 2, SEQUENCES - 1
"""A sequence for what is moved, and one for a page that is read behind the instructions alone."""


KV_TYPES = {"f16": (1, 1), "q8_0": (8, 8), "q4_0": (8, 2)}
"""Those of keys and values, as ggml numbers them. Keys of four bits make models such as Qwen2.5 write nonsense."""


@dataclass(slots=True)
class Head:
    """A sequence kept for the prompts of one prefix."""

    sequence: int
    tokens: list[int] = field(default_factory=list)
    """The tokens llama.cpp holds the state of. It may hold more after an interrupt, but never less."""
    exact: int = 0
    """How many of them, from the first, were read one after the other; behind them stand pages read elsewhere."""


class Reading:
    """The memory of a context, shared by the sequences in it."""

    def __init__(self, run: Run, size: int, pace: Pace) -> None:
        self._run = run
        self._size = size
        self._pace = pace
        self._heads: dict[str, Head] = {}
        """By prefix, the one used last at the end."""
        self._aside: list[int] = []
        """What was read aside last, and is still held."""

    def keep(self, prefix: str, ids: Sequence[int], *, room: int, usage: Usage) -> Head:
        """Return the head of `prefix` holding just `ids`, with memory for `room` more tokens."""
        head = self.prepare(prefix, ids, room=room)
        for _ in self.steps(head, ids, usage):
            pass
        return head

    def prepare(self, prefix: str, ids: Sequence[int], *, room: int, is_reread: bool = False) -> Head:
        """Return the head of `prefix` holding the beginning of `ids`, with memory for the rest and `room` more tokens.

        With `is_reread` the last token is to be read even if it was before, for the sake of its logits.
        """
        head = self._take(prefix)
        head.exact = min(shared_length((head.tokens[: head.exact], ids)), len(ids) - is_reread)
        del head.tokens[head.exact :]
        self._make_room(head, len(ids) - len(head.tokens) + room)
        return head

    def steps(self, head: Head, ids: Sequence[int], usage: Usage) -> Iterator[str]:
        """Read what is missing of `ids`, and yield "" after each step of READ_TOKENS."""
        while step := next_step(ids, len(head.tokens)):
            self.append(head, step)
            usage.tokens_evaluated += len(step)
            yield ""

    def append(self, head: Head, ids: Sequence[int]) -> None:
        """Read `ids` after what `head` holds."""
        start, last = len(head.tokens), len(ids) - 1
        self._decode([Step(id, start + at, head.sequence, at == last) for at, id in enumerate(ids)])
        if head.exact == start:
            head.exact += len(ids)
        head.tokens += ids

    def state(self, head: Head) -> bytes:
        """Return the state of all that `head` holds."""
        bindings().llama_memory_seq_cp(self._run.memory, head.sequence, SPARE, -1, -1)
        try:
            return self._run.state(SPARE)
        finally:
            self._drop(SPARE)

    def restore(self, head: Head, ids: Sequence[int], state: bytes) -> bool:
        """Have an empty `head` hold `ids`, from their state; False where llama.cpp does not take it."""
        if not self._run.restore(SPARE, state):
            return False
        self._adopt(head, ids, place=0)
        head.exact = len(ids)
        return True

    def attach(self, head: Head, ids: Sequence[int], state: bytes) -> bool:
        """Put `ids` to the end of `head`, from the state that `read_aside` returned; False as `restore`."""
        # What it takes is needed now.
        self._put_aside(0)
        if not self._run.restore(SPARE, state):
            return False
        self._adopt(head, ids, place=bindings().llama_memory_seq_pos_min(self._run.memory, SPARE))
        return True

    def read_aside(
        self, head: Head, before: Sequence[int], ids: Sequence[int], usage: Usage
    ) -> Generator[str, None, bytes]:
        """Read `before` and `ids` right behind what `head` holds exactly, and return the state of `ids`.

        Yields "" after each step. `head` stays as it is. What was read aside just before is not read again.
        """
        llama, memory, place = bindings(), self._run.memory, head.exact
        wanted = [*before, *ids]
        self._put_aside(shared_length((self._aside, before)), place)
        if not self._aside:
            llama.llama_memory_seq_cp(memory, head.sequence, ASIDE, 0, place)
        while step := next_step(wanted, len(self._aside)):
            start = place + len(self._aside)
            self._decode([Step(id, start + at, ASIDE, False) for at, id in enumerate(step)])
            self._aside += step
            usage.tokens_evaluated += len(step)
            yield ""
        llama.llama_memory_seq_cp(memory, ASIDE, SPARE, place + len(before), -1)
        try:
            return self._run.state(SPARE)
        finally:
            self._drop(SPARE)

    def _put_aside(self, length: int, place: int = 0) -> None:
        """Let go of what was read aside, but for its first `length` tokens behind `place`."""
        del self._aside[length:]
        if length:
            bindings().llama_memory_seq_rm(self._run.memory, ASIDE, place + length, -1)
        else:
            self._drop(ASIDE)

    def _adopt(self, head: Head, ids: Sequence[int], *, place: int) -> None:
        """Move `ids` at `place` in SPARE to the end of `head`."""
        llama, memory = bindings(), self._run.memory
        if shift := len(head.tokens) - place:
            llama.llama_memory_seq_add(memory, SPARE, place, -1, shift)
        llama.llama_memory_seq_cp(memory, SPARE, head.sequence, -1, -1)
        self._drop(SPARE)
        head.tokens += ids

    def _drop(self, sequence: int) -> None:
        bindings().llama_memory_seq_rm(self._run.memory, sequence, -1, -1)

    def branch(self, head: Head, tails: Sequence[Sequence[int]], usage: Usage) -> Iterator[NDArray[np.float32]]:
        """Yield the logits after each of `tails`, at most BRANCHES, each read right after `head`, which stays as it is.

        They are valid until the next are asked for.
        """
        llama, memory = bindings(), self._run.memory
        steps: list[Step] = []
        for sequence, tail in enumerate(tails, HEADS):
            llama.llama_memory_seq_cp(memory, head.sequence, sequence, -1, -1)
            places = enumerate(tail, len(head.tokens))
            steps += [Step(id, place, sequence, place == len(head.tokens) + len(tail) - 1) for place, id in places]
        for start in range(0, len(steps), READ_TOKENS):
            part = steps[start : start + READ_TOKENS]
            self._decode(part)
            usage.tokens_evaluated += len(part)
            yield from (self._run.logits(at) for at, step in enumerate(part) if step.is_asked)
        self._tidy()

    def _take(self, prefix: str) -> Head:
        head = self._heads.pop(prefix, None)
        if head is None:
            if len(self._heads) == HEADS:
                del self._heads[next(iter(self._heads))]
            head = Head(min(set(range(HEADS)) - {other.sequence for other in self._heads.values()}))
        self._heads[prefix] = head
        return head

    def _make_room(self, head: Head, needed: int) -> None:
        for prefix, other in list(self._heads.items()):
            if sum(len(kept.tokens) for kept in self._heads.values()) + needed <= self._size:
                break
            if other is not head:
                del self._heads[prefix]
        self._tidy()

    def _tidy(self) -> None:
        """Remove from the memory what no head holds, such as branches and what an interrupt left behind."""
        llama, memory = bindings(), self._run.memory
        heads = {head.sequence: head for head in self._heads.values()}
        self._aside.clear()
        for sequence in range(SEQUENCES):
            head = heads.get(sequence, Head(sequence))
            if not llama.llama_memory_seq_rm(memory, sequence, len(head.tokens), -1):
                # Some kinds of model cannot go back to an earlier state.
                head.tokens.clear()
                llama.llama_memory_seq_rm(memory, sequence, -1, -1)

    def _decode(self, steps: Sequence[Step]) -> None:
        began, processor = time.monotonic(), time.process_time()
        threads = self._pace.threads(began)
        bindings().llama_set_n_threads(self._run.context, threads, threads)
        self._run.decode(steps)
        now = time.monotonic()
        self._pace.record(threads, wall=now - began, processor=time.process_time() - processor, now=now)


def make_memory(settings: Any, size: int, *, kv: str) -> None:
    """Change the settings of a context so that a Reading of `size` tokens works in it, each kept as type `kv`.

    Raises ConfigError.
    """
    if kv not in KV_TYPES:
        raise ConfigError(f"models.kv is {kv!r}", hint=f"known types: {', '.join(KV_TYPES)}")
    settings.n_ctx = size
    settings.type_k, settings.type_v = KV_TYPES[kv]
    if kv != "f16":
        # What is kept in few bits can only be read by it.
        settings.flash_attn_type = 1
    settings.n_batch = settings.n_ubatch = LAST_TOKENS
    settings.n_seq_max = SEQUENCES
    # Sequences with a common beginning share its memory; apart, each would have only its part of the whole.
    settings.kv_unified = True


def next_step(ids: Sequence[int], done: int) -> Sequence[int]:
    """Return what of `ids` is read at once behind the first `done` of them; nothing at their end."""
    return ids[done:] if len(ids) - done <= LAST_TOKENS else ids[done : done + READ_TOKENS]


def shared_length(texts: Iterable[Sequence[int]]) -> int:
    """Return how many tokens all of `texts` have in common at their beginnings."""
    length = 0
    for column in zip(*texts, strict=False):
        if any(id != column[0] for id in column):
            break
        length += 1
    return length


def group_tails(tails: Iterable[Sequence[int]], *, most: int) -> list[list[Sequence[int]]]:
    """Return `tails` in order, in groups to be read at once: together at most `most` tokens, or a long one alone."""
    groups: list[list[Sequence[int]]] = []
    size = 0
    for tail in tails:
        if not groups or len(groups[-1]) == BRANCHES or size + len(tail) > most:
            groups.append([])
            size = 0
        groups[-1].append(tail)
        size += len(tail)
    return groups
