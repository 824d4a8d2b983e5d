"""Prompts are put together from pages that were read before, with a real model file."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import ModelFile
from secondme_plugins import llama
from secondme_plugins.llama.language import LlamaModel

from secondme.config import ModelsConfig
from secondme.errors import ConfigError
from secondme.models.protocols import Prompt, ReadsAhead, Usage

pytestmark = pytest.mark.model

NOTES = tuple(f"{number} May 2024, Ana: I bought chair {number} for the balcony." for number in range(1, 9))
QUESTION = Prompt("Answer from the notes.", NOTES, "What did Ana buy?", fence="q7")


class Shelf:
    """Pages in a dictionary."""

    def __init__(self) -> None:
        self.states: dict[str, bytes] = {}
        self.pages: list[int | None] = []

    def load(self, key: str) -> bytes | None:
        return self.states.get(key)

    def has(self, key: str) -> bool:
        return key in self.states

    def takes(self, key: str, page: int) -> bool:
        return key not in self.states

    def keep(self, key: str, page: int | None, state: bytes) -> None:
        self.states[key] = state
        self.pages.append(page)


@cache
def load(path: Path, kv: str = "f16") -> LlamaModel:
    # One thread: several wait for each other while other programs run.
    found = llama.language_model(config=ModelsConfig(language=str(path), context=1024, threads=1, kv=kv))
    assert isinstance(found, LlamaModel)
    return found


@pytest.fixture
def small(model_file: ModelFile) -> LlamaModel:
    return load(model_file("smollm2-135m"))


def reply(model: LlamaModel, prompt: Prompt, *, tokens: int = 12) -> tuple[str, Usage]:
    usage = Usage()
    return "".join(model.reply(prompt, max_tokens=tokens, usage=usage)), usage


def on(shelf: Shelf, pages: Iterable[str] = NOTES, *, fresh: int = 0) -> Prompt:
    return replace(QUESTION, pages=tuple(pages), shelf=shelf, fresh=fresh)


def test_a_page_that_is_the_first_is_as_if_it_had_been_read(small: LlamaModel) -> None:
    plain, _ = reply(small, replace(QUESTION, pages=NOTES[:1]))
    shelf = Shelf()
    assert reply(small, on(shelf, NOTES[:1]))[0] == plain
    text, usage = reply(small, on(shelf, NOTES[:1]))
    assert (text, usage.pages_loaded, usage.pages_made) == (plain, 1, 0)


def test_what_is_on_the_shelf_is_not_read_again(small: LlamaModel) -> None:
    shelf = Shelf()
    first, made = reply(small, on(shelf, fresh=2))
    again, loaded = reply(small, on(shelf, fresh=2))
    assert (made.pages_made, made.pages_loaded, loaded.pages_made, loaded.pages_loaded) == (6, 0, 0, 6)
    assert again == first
    assert loaded.tokens_sent == made.tokens_sent
    assert loaded.tokens_evaluated < made.tokens_evaluated / 2
    assert shelf.pages == [None, *range(6)]
    # In another order, with another page, for another question: each is the same page.
    _, other = reply(small, replace(on(shelf, [NOTES[5], "1 May 2024, Ben: Hi.", NOTES[0]]), tail="Who wrote?"))
    assert (other.pages_loaded, other.pages_made) == (2, 1)


def test_a_new_process_goes_on_from_the_shelf(small: LlamaModel, model_file: ModelFile) -> None:
    shelf = Shelf()
    first, _ = reply(small, on(shelf))
    load.cache_clear()
    text, usage = reply(load(model_file("smollm2-135m")), on(shelf))
    assert (text, usage.pages_loaded) == (first, len(NOTES))
    # Neither the instructions nor the pages: the fence, the question and the markup behind it.
    assert usage.tokens_evaluated < 30


def test_a_state_of_another_kind_is_not_taken(small: LlamaModel, model_file: ModelFile) -> None:
    shelf = Shelf()
    plain, _ = reply(small, on(shelf))
    few = load(model_file("smollm2-135m"), kv="q8_0")
    text, usage = reply(few, on(shelf))
    assert text
    assert usage.pages_loaded == 0
    assert len(shelf.states) == 2 * (1 + len(NOTES))
    # Even under its very key: it is read instead.
    for key in shelf.states:
        shelf.states[key] = b"GGUF" * 100
    assert reply(small, on(shelf))[0] == plain
    with pytest.raises(ConfigError, match="kv"):
        load(model_file("smollm2-135m"), kv="f64")


def test_other_instructions_need_other_pages(small: LlamaModel) -> None:
    shelf = Shelf()
    reply(small, on(shelf))
    _, usage = reply(small, replace(on(shelf), prefix="Answer from the diary."))
    assert usage.pages_loaded == 0
    _, usage = reply(small, replace(on(shelf), fence="q8"))
    assert usage.pages_loaded == 0


def test_stopped_anywhere_the_next_answer_is_unharmed(small: LlamaModel) -> None:
    whole, _ = reply(small, on(Shelf()))
    for steps in range(1, 12):
        with closing(small.reply(on(Shelf()), max_tokens=12)) as pieces:
            for _, _ in zip(range(steps), pieces, strict=False):
                pass
        assert reply(small, on(Shelf()))[0] == whole


def test_reading_in_full_after_pages_is_in_full(small: LlamaModel) -> None:
    plain, _ = reply(small, QUESTION)
    shelf = Shelf()
    reply(small, on(shelf))
    text, usage = reply(small, QUESTION)
    assert text == plain
    assert usage.tokens_evaluated > usage.tokens_sent - 30


def test_pages_can_be_read_ahead(small: LlamaModel) -> None:
    shelf = Shelf()
    assert isinstance(small, ReadsAhead)
    usage = Usage()
    assert [page for page in small.read_ahead(on(shelf), usage=usage) if page] == list(NOTES)
    assert [page for page in small.read_ahead(on(shelf)) if page] == []
    text, found = reply(small, on(shelf))
    assert (usage.pages_made, found.pages_loaded, found.pages_made) == (len(NOTES), len(NOTES), 0)
    assert text == reply(small, on(Shelf()))[0]
    assert list(small.read_ahead(QUESTION)) == []


def test_many_questions_leave_the_memory_as_it_was(small: LlamaModel) -> None:
    shelf = Shelf()
    reply(small, on(shelf))
    first, _ = reply(small, on(shelf, fresh=1))
    for number in range(40):
        order = [NOTES[(number * step) % len(NOTES)] for step in (1, 3, 5)]
        _, usage = reply(small, replace(on(shelf, dict.fromkeys(order)), tail=f"Question {number}?"), tokens=2)
        assert usage.pages_made == 0
    assert reply(small, on(shelf, fresh=1))[0] == first


def test_pages_read_behind_each_other_are_as_if_all_had_been_read(small: LlamaModel) -> None:
    plain, _ = reply(small, QUESTION, tokens=4)
    shelf = Shelf()
    chained = replace(on(shelf), behind=tuple(NOTES[:number] for number in range(len(NOTES))))
    usage = Usage()
    assert small.has_read(chained) == [False] * len(NOTES)
    assert [page for page in small.read_ahead(chained, usage=usage) if page] == list(NOTES)
    assert small.has_read(chained) == [True] * len(NOTES)
    # Each was read once, though all but the first are read behind others.
    assert usage.tokens_evaluated < small.count(QUESTION.prefix + QUESTION.body) + 40
    text, found = reply(small, chained, tokens=4)
    assert (text, found.pages_loaded, found.pages_made) == (plain, len(NOTES), 0)
    # Where they were, what they were read behind is not part of the prompt.
    text, found = reply(small, replace(chained, pages=NOTES[6:], behind=chained.behind[6:]))
    assert (found.pages_loaded, found.pages_made) == (2, 0)
    assert found.tokens_sent < 100


def test_a_page_behind_others_serves_behind_those_alone(small: LlamaModel) -> None:
    shelf = Shelf()
    chained = replace(on(shelf, NOTES[:3]), behind=((), NOTES[:1], NOTES[:2]))
    list(small.read_ahead(chained))
    assert small.has_read(on(shelf, NOTES[:3])) == [True, False, False]
    assert small.has_read(replace(chained, behind=((), NOTES[:1], NOTES[1:2]))) == [True, True, False]
    # Reading what it stands behind would take longer than reading it in its place, as all is read anyway.
    shelf.states.clear()
    text, usage = reply(small, chained, tokens=4)
    assert (usage.pages_made, len(shelf.states)) == (1, 2)
    assert text == reply(small, replace(QUESTION, pages=NOTES[:3]), tokens=4)[0]


def test_pages_read_ahead_in_any_order_are_the_same(small: LlamaModel) -> None:
    behind = tuple(NOTES[max(0, number - 3) : number] for number in range(len(NOTES)))
    shelves = Shelf(), Shelf()
    list(small.read_ahead(replace(on(shelves[0]), behind=behind)))
    list(small.read_ahead(replace(on(shelves[1], NOTES[::-1]), behind=behind[::-1])))
    assert shelves[0].states.keys() == shelves[1].states.keys()
    for key, state in shelves[0].states.items():
        first, second = (np.frombuffer(one, dtype=np.float16) for one in (state, shelves[1].states[key]))
        # Read in steps of another size, it is not the same to the last bit; read behind others, half of it is not near.
        assert np.isclose(first, second, rtol=0.05, atol=0.05, equal_nan=True).mean() > 0.9
