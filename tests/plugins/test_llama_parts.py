"""What the llama plugin does without a model: pieces of text, templates, and standing back."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest
from secondme_plugins import llama
from secondme_plugins.llama.pace import Pace
from secondme_plugins.llama.pieces import cut_at_stops, decode_pieces
from secondme_plugins.llama.reading import BRANCHES, group_tails, make_memory, next_step, shared_length
from secondme_plugins.llama.templates import TEMPLATES, Part

from secondme.config import ModelsConfig
from secondme.errors import NoModel


class Source:
    """Pieces that remember how many were taken and whether they were closed."""

    def __init__(self, *pieces: str) -> None:
        self.taken = 0
        self.closed = False
        self._pieces = pieces

    def __call__(self) -> Generator[str, None, None]:
        try:
            for piece in self._pieces:
                self.taken += 1
                yield piece
        finally:
            self.closed = True


def test_a_character_split_between_tokens_comes_whole() -> None:
    content = "Größe 🙂".encode()
    pieces = [content[at : at + 1] for at in range(len(content))]
    assert list(decode_pieces(pieces)) == list("Größe 🙂")


def test_half_a_character_at_the_end_is_left_out_and_a_wrong_byte_replaced() -> None:
    assert "".join(decode_pieces([b"a\xff", b"b", "🙂".encode()[:2]])) == "a\ufffdb"


@pytest.mark.parametrize("pieces", [("one END two",), ("one ", "E", "N", "D", " two"), ("one E", "ND two", "more")])
def test_a_stop_string_is_left_out_however_it_is_split(pieces: tuple[str, ...]) -> None:
    source = Source(*pieces)
    assert "".join(cut_at_stops(source(), ["STOP", "END"])) == "one "
    assert source.closed


def test_the_first_of_several_stop_strings_wins() -> None:
    assert "".join(cut_at_stops(Source("abcdef")(), ["ef", "cd"])) == "ab"


def test_what_only_looked_like_a_stop_string_is_given_in_the_end() -> None:
    assert list(cut_at_stops(Source("one E", "N", "d")(), ["END"])) == ["one ", "ENd"]
    assert "".join(cut_at_stops(Source("one EN")(), ["END"])) == "one EN"


def test_pieces_pass_at_once_without_stop_strings() -> None:
    source = Source("a", "b", "c")
    found = cut_at_stops(source(), [])
    assert next(found) == "a"
    assert source.taken == 1


def test_all_threads_run_while_nothing_else_does() -> None:
    pace = Pace(4)
    pace.record(4, wall=1.0, processor=3.9, now=10.0)
    assert pace.threads(10.0) == 4


def test_fewer_threads_run_while_other_programs_do_and_all_are_tried_again() -> None:
    pace = Pace(4)
    pace.record(4, wall=1.0, processor=2.2, now=10.0)
    assert pace.threads(10.5) == 2
    assert pace.threads(11.0) == 4


def test_a_busy_machine_is_tried_ever_more_rarely() -> None:
    pace = Pace(2)
    now, tries = 0.0, 0
    while now < 100:
        threads = pace.threads(now)
        assert threads in {1, 2}
        tries += threads == 2
        now += 0.5
        pace.record(threads, wall=0.5, processor=0.5, now=now)
    assert 5 < tries < 10
    pace.record(2, wall=0.5, processor=1.0, now=now)
    pace.record(2, wall=0.5, processor=0.5, now=now)
    assert pace.threads(now + 1.1) == 2


def test_one_thread_is_never_taken_away() -> None:
    pace = Pace(1)
    pace.record(1, wall=1.0, processor=0.1, now=0.0)
    assert pace.threads(0.1) == 1


def written(name: str, instructions: str, lead: str) -> list[Part]:
    template = TEMPLATES[name]
    return [*template.opening(instructions), ("Where?", False), *template.closing(lead)]


def test_chatml_marks_only_its_own_markup() -> None:
    parts = written("chatml", "Be brief.", "In")
    assert "".join(text for text, _ in parts) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nIn"
    )
    assert [text for text, is_markup in parts if not is_markup] == ["Be brief.", "Where?", "In"]
    assert "system" not in "".join(text for text, _ in written("chatml", "", ""))


def test_the_plain_template_has_no_markup() -> None:
    parts = written("plain", "Be brief.", "In")
    assert "".join(text for text, _ in parts) == "Be brief.\n\nWhere?\n\nIn"
    assert not any(is_markup for _, is_markup in parts)


def test_the_plugin_stands_back_when_nothing_is_configured() -> None:
    assert llama.language_model(config=ModelsConfig(language="")) is None
    assert llama.language_model(config=ModelsConfig(endpoint="http://127.0.0.1:8080/v1")) is None
    assert llama.embedder(config=ModelsConfig(embedder="")) is None


def test_a_model_that_is_not_there_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDME_MODELS", str(tmp_path))
    with pytest.raises(NoModel) as caught:
        llama.language_model(config=ModelsConfig())
    assert caught.value.hint == "secondme model pull qwen2.5-coder-1.5b"
    with pytest.raises(NoModel) as caught:
        llama.embedder(config=ModelsConfig())
    assert caught.value.hint == "secondme model pull minilm-l6"


def test_the_shared_beginning_is_that_of_all() -> None:
    assert shared_length([[1, 2, 3], [1, 2, 4], [1, 2]]) == 2
    assert shared_length([[1], [2]]) == 0
    assert shared_length([[1, 2]]) == 2


@pytest.mark.parametrize(
    ("length", "steps"), [(0, []), (1, [1]), (192, [192]), (193, [128, 65]), (320, [128, 192]), (321, [128, 128, 65])]
)
def test_a_small_step_at_the_end_goes_with_the_one_before(length: int, steps: list[int]) -> None:
    ids, read = list(range(length)), list[int]()
    for size in steps:
        step = next_step(ids, len(read))
        assert len(step) == size
        read += step
    assert read == ids
    assert not next_step(ids, length)


def test_tails_are_grouped_in_order_and_a_long_one_stays_alone() -> None:
    tails = [[1] * size for size in (3, 3, 3, 9, 1)]
    assert [[len(tail) for tail in group] for group in group_tails(tails, most=6)] == [[3, 3], [3], [9], [1]]
    assert [len(group) for group in group_tails([[1]] * (BRANCHES + 1), most=100)] == [BRANCHES, 1]


@pytest.mark.parametrize(("kv", "types"), [("f16", (1, 1)), ("q8_0", (8, 8)), ("q4_0", (8, 2))])
def test_no_kind_of_memory_keeps_keys_in_four_bits(kv: str, types: tuple[int, int]) -> None:
    """With such keys both Qwen models write nonsense."""
    settings = SimpleNamespace()
    make_memory(settings, 100, kv=kv)
    assert (settings.type_k, settings.type_v) == types
