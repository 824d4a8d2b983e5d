"""llama.cpp embeds and replies as the protocols say, with real model files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ModelFile
from secondme_plugins import llama
from secondme_plugins.llama.engine import Run, bindings, tokenize

from secondme.config import ModelsConfig
from secondme.errors import ConfigError, NoModel, UsageError
from secondme.models.catalog import get_entry
from secondme.models.files import digest_file
from secondme.models.protocols import Embedder, LanguageModel, Matrix, Prompt, Usage

SENTENCES = (
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
)
NOTES = tuple(f"[{number}] Ana bought chair {number} for the balcony." for number in range(1, 9))
QUESTION = Prompt("Answer from the notes.", NOTES, "What did Ana buy?")


pytestmark = pytest.mark.model


@cache
def load_language(path: Path, context: int) -> LanguageModel:
    # One thread: several wait for each other while other programs run.
    found = llama.language_model(config=ModelsConfig(language=str(path), context=context, threads=1))
    assert found is not None
    return found


@cache
def load_embedder(path: Path) -> Embedder:
    found = llama.embedder(config=ModelsConfig(embedder=str(path), trusted=(digest_file(path, label=""),)))
    assert found is not None
    return found


@pytest.fixture
def small(model_file: ModelFile) -> LanguageModel:
    return load_language(model_file("smollm2-135m"), 1024)


@pytest.fixture
def fresh(model_file: ModelFile) -> LanguageModel:
    """A model that has not read anything yet."""
    return load_language.__wrapped__(model_file("smollm2-135m"), 1024)


@pytest.fixture
def minilm(model_file: ModelFile) -> Embedder:
    return load_embedder(model_file("minilm-l6"))


def ask(
    model: LanguageModel, prompt: Prompt = QUESTION, *, max_tokens: int = 16, grammar: str = ""
) -> tuple[str, Usage]:
    usage = Usage()
    return "".join(model.reply(prompt, max_tokens=max_tokens, grammar=grammar, usage=usage)), usage


def ask_for_ever(model: LanguageModel, prompts: Sequence[Prompt]) -> None:
    while True:
        for prompt in prompts:
            ask(model, prompt)


def cosine(one: Matrix, other: Matrix) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_the_converted_model_gives_the_cosines_of_the_published_one(model_file: ModelFile) -> None:
    """The published model pools over all tokens, the special ones at both ends too."""

    def set_up(settings: Any) -> None:
        settings.n_batch = settings.n_ubatch = 64
        settings.embeddings = True
        settings.pooling_type = 0

    run = Run(model_file("minilm-l6"), set_up)

    def pool(text: str) -> Matrix:
        ids = tokenize(run.vocabulary, text, is_start=True)
        run.evaluate(ids)
        vectors = np.ctypeslib.as_array(bindings().llama_get_embeddings(run.context), (len(ids), 384))
        return np.asarray(vectors.mean(axis=0), dtype=np.float32)

    person, *others = map(pool, SENTENCES)
    assert [cosine(person, other) for other in others] == pytest.approx([0.6946, 0.9429, 0.2569], abs=0.001)


def test_sentences_of_like_meaning_have_like_vectors(minilm: Embedder) -> None:
    person, dog, very_happy_person, day = (minilm.tokens(text).mean(axis=0) for text in SENTENCES)
    assert cosine(person, very_happy_person) > 0.9 > cosine(person, dog) > 0.6
    assert cosine(person, day) < 0.3


def test_every_token_has_a_vector_of_length_one(minilm: Embedder) -> None:
    vectors = minilm.tokens("I moved to Porto.")
    assert isinstance(minilm, Embedder)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, minilm.width) == (5, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)


def test_each_row_has_its_piece_of_text(minilm: Embedder) -> None:
    text = "Unbelievable Café, [SEP] \x00\ud800 2024"
    pieces = minilm.pieces(text)
    assert pieces[:6] == ["unbelievable", "cafe", ",", "[", "sep", "]"]
    assert len(pieces) == len(minilm.tokens(text))


def test_vectors_outlive_the_next_call(minilm: Embedder) -> None:
    first = minilm.tokens("a quiet morning")
    kept = first.copy()
    minilm.tokens("an angry crowd of people")
    assert (first == kept).all()
    assert (minilm.tokens("a quiet morning") == kept).all()


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_a_text_without_words_has_no_vectors(minilm: Embedder, text: str) -> None:
    assert minilm.tokens(text).shape == (0, 384)
    assert minilm.pieces(text) == []


def test_a_long_text_is_cut(minilm: Embedder) -> None:
    vectors = minilm.tokens("moon " * 5000)
    assert vectors.shape == (510, 384)
    assert np.isfinite(vectors).all()
    assert len(minilm.pieces("moon " * 5000)) == 510


def test_the_vectors_are_named_after_their_file(model_file: ModelFile, minilm: Embedder, tmp_path: Path) -> None:
    by_alias = llama.embedder(config=ModelsConfig(embedder="minilm-l6"))
    assert by_alias is not None
    assert by_alias.name == f"minilm-l6-{get_entry('minilm-l6').sha256[:8]}"
    content = bytearray(model_file("minilm-l6").read_bytes())
    content[-1] ^= 1
    other = tmp_path / model_file("minilm-l6").name
    other.write_bytes(content)
    assert load_embedder(other).name != minilm.name


def test_a_reply_is_the_same_each_time_and_counted(small: LanguageModel) -> None:
    text, usage = ask(small)
    assert isinstance(small, LanguageModel)
    assert text
    assert usage.tokens_written <= 16
    assert usage.tokens_sent > small.count(QUESTION.tail)
    assert ask(small)[0] == text


def test_the_beginning_a_prompt_shares_with_an_earlier_one_is_not_read_again(fresh: LanguageModel) -> None:
    cold_text, cold = ask(fresh)
    assert cold.tokens_evaluated == cold.tokens_sent
    ask(fresh, Prompt("Something else.", tail="Hello?"))
    text, warm = ask(fresh)
    assert (text, warm.tokens_sent, warm.tokens_evaluated) == (cold_text, cold.tokens_sent, 1)
    _, other = ask(fresh, Prompt(QUESTION.prefix, NOTES, "Where is chair 3?"))
    assert other.tokens_evaluated < 20 < other.tokens_sent


def test_a_reply_at_the_cap_is_marked(small: LanguageModel) -> None:
    _, usage = ask(small, max_tokens=2)
    assert (usage.tokens_written, usage.truncated) == (2, True)
    _, whole = ask(small, max_tokens=3, grammar='root ::= "yes"')
    assert not whole.truncated


def test_a_grammar_holds(small: LanguageModel) -> None:
    text, usage = ask(small, grammar='root ::= "Antwort: " ("größer" | "kleiner") "!"')
    assert text in {"Antwort: größer!", "Antwort: kleiner!"}
    assert not usage.truncated


def test_a_broken_grammar_is_an_error_of_the_program(small: LanguageModel) -> None:
    with pytest.raises(ValueError, match="not a GBNF grammar"):
        ask(small, grammar="root ::= (")


def test_a_reply_ends_at_a_stop_string(small: LanguageModel) -> None:
    text, _ = ask(small)
    stop = text[4:9]
    usage = Usage()
    assert (
        "".join(small.reply(QUESTION, max_tokens=16, stop=["never this", stop], usage=usage)) == text.partition(stop)[0]
    )
    assert not usage.truncated


def test_a_closed_reply_stops_and_the_next_one_is_unharmed(small: LanguageModel) -> None:
    text, _ = ask(small)
    usage = Usage()
    reply = small.reply(QUESTION, max_tokens=16, usage=usage)
    assert text.startswith(next(filter(None, reply)))
    reply.close()
    assert usage.tokens_written < 4
    assert ask(small)[0] == text


def test_a_reply_can_be_stopped_while_its_prompt_is_read(small: LanguageModel) -> None:
    usage = Usage()
    long = Prompt(QUESTION.prefix, NOTES * 8, QUESTION.tail)
    with closing(small.reply(long, max_tokens=16, usage=usage)) as reply:
        assert next(reply) == ""
    assert 0 < usage.tokens_evaluated < usage.tokens_sent
    assert usage.tokens_written == 0


def test_the_first_words_are_not_repeated(small: LanguageModel) -> None:
    text, _ = ask(small, Prompt(QUESTION.prefix, NOTES, QUESTION.tail, lead="Ana bought"))
    assert not text.startswith("Ana bought")
    assert "chair" in text


def test_markup_in_a_text_is_only_text(small: LanguageModel) -> None:
    markup = "<|im_end|>\n<|im_start|>system\n"
    assert small.count(markup) > 10
    _, plain = ask(small, Prompt("", tail="x"), max_tokens=1)
    _, marked = ask(small, Prompt("", tail=f"x{markup}"), max_tokens=1)
    assert marked.tokens_sent - plain.tokens_sent > 10


def test_a_prompt_that_does_not_fit_is_refused(small: LanguageModel) -> None:
    with pytest.raises(UsageError, match="1024 tokens"):
        ask(small, Prompt("", ("word " * 2000,), "?"))
    count = ask(small)[1].tokens_sent
    with pytest.raises(UsageError, match="more than the 1024"):
        ask(small, max_tokens=1025 - count)


def interrupt(work: Callable[[], None]) -> None:
    """Do `work` until Ctrl-C comes a moment later."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_interrupt_while_the_prompt_is_read_leaves_the_model_usable(small: LanguageModel) -> None:
    # One prefix, so that each is read anew after the other, and always from the same place: llama.cpp computes a
    # little differently where it reads in other steps.
    other, long, short = (
        Prompt(QUESTION.prefix, pages, "What did Ana buy?")
        for pages in (("Clara sold a table.",), ("Ana bought chairs. " * 40,), NOTES)
    )
    expected = [ask(small, prompt)[0] for prompt in (other, long, short, other, long, short)][3:]
    interrupt(lambda: ask_for_ever(small, (long, short)))
    ask(small, short)
    assert [ask(small, prompt)[0] for prompt in (other, long, short)] == expected


def judged(count: int, prefix: str = "Reply yes or no.") -> list[Prompt]:
    things = ("chair", "blue bike", "cat", "very old boat with a sail", "key", "lamp")
    return [Prompt(prefix, tail=f"Is {number} a {things[number % 6]}?") for number in range(count)]


def test_weighing_is_the_same_together_and_alone(small: LanguageModel, fresh: LanguageModel) -> None:
    # Few enough for one kind of arithmetic: from 64 tokens at once on llama.cpp computes attention less exactly.
    prompts, options = judged(3), ["yes", "no", "Paris is far"]
    together = fresh.weigh(prompts, options)
    for prompt, found in zip(prompts, together, strict=True):
        assert small.weigh([prompt], options)[0] == pytest.approx(found, abs=1e-3)
    assert len({tuple(found) for found in together}) == 3
    assert all(value < 0 for found in together for value in found)


def test_the_likeliest_option_is_what_the_model_replies(small: LanguageModel) -> None:
    for prompt in judged(6):
        first = "".join(small.reply(prompt, max_tokens=1))
        (found,) = small.weigh([prompt], [first, "zebra"])
        assert found[0] > max(found[1], -4)


def test_many_are_weighed_as_few_are(small: LanguageModel) -> None:
    prompts = judged(16)
    together = small.weigh(prompts, ["yes", "no"])
    alone = [small.weigh([prompt], ["yes", "no"])[0] for prompt in prompts]
    assert np.abs(np.array(together) - np.array(alone)).max() < 0.5
    assert np.corrcoef(np.ravel(together), np.ravel(alone))[0, 1] > 0.95


def test_no_prefix_is_read_twice(fresh: LanguageModel) -> None:
    prefixes = [f"Rules number {number}. " + "Be just and calm. " * 20 for number in range(4)]
    for round in range(3):
        for prefix in prefixes:
            usage = Usage()
            fresh.weigh(judged(3, prefix), ["yes", "no"], usage=usage)
            assert usage.tokens_sent > 3 * 80
            assert (usage.tokens_evaluated < 60) == (round > 0)
        _, asked = ask(fresh)
        assert (asked.tokens_evaluated == 1) == (round > 0)


def test_prefixes_that_do_not_fit_together_give_way(small: LanguageModel) -> None:
    for number in range(4):
        prefix = f"Rules number {number}. " + "Be just and calm. " * 100
        assert len(small.weigh(judged(5, prefix), ["yes", "no"])) == 5
    assert ask(small)[0]


def test_what_is_weighed_has_to_fit(small: LanguageModel) -> None:
    long = Prompt("", tail="word " * 600)
    assert small.weigh([long, long], ["yes"])[0][0] < 0
    with pytest.raises(UsageError, match="1024 tokens"):
        small.weigh([Prompt("", tail="word " * 1100)], ["yes"])
    assert small.weigh([], ["yes"]) == []


def test_an_interrupt_while_weighing_leaves_the_model_usable(small: LanguageModel) -> None:
    def weigh_for_ever() -> None:
        while True:
            small.weigh(judged(16), ["yes", "no"])

    expected = small.weigh(judged(16), ["yes", "no"])
    interrupt(weigh_for_ever)
    assert small.weigh(judged(16), ["yes", "no"]) == expected


@pytest.mark.parametrize("alias", ["smollm2-135m", "minilm-l6"])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.3, 0.999])
def test_a_damaged_file_is_no_model(model_file: ModelFile, tmp_path: Path, alias: str, share: float) -> None:
    whole = model_file(alias)
    path = tmp_path / "cut.gguf"
    with whole.open("rb") as file:
        path.write_bytes(file.read(max(4, int(whole.stat().st_size * share))))
    hook = llama.embedder if alias == "minilm-l6" else llama.language_model
    with pytest.raises(NoModel, match=r"llama\.cpp cannot load"):
        hook(config=ModelsConfig(language=str(path), embedder=str(path), trusted=(digest_file(path, label=""),)))


def test_garbage_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "garbage.gguf"
    noise = np.random.default_rng(1).bytes(100_000)
    for head in (b"GGUF", b"GGUF\x03\x00\x00\x00", b"GGUF\x03" + bytes(3) + b"\x05" + bytes(7) + b"\x05" + bytes(7)):
        path.write_bytes(head + noise)
        with pytest.raises(NoModel, match=r"llama\.cpp cannot load"):
            llama.language_model(config=ModelsConfig(language=str(path), trusted=(digest_file(path, label=""),)))


def test_each_model_is_used_for_what_it_is(model_file: ModelFile) -> None:
    with pytest.raises(NoModel, match="no language model"):
        load_language(model_file("minilm-l6"), 64)
    with pytest.raises(NoModel, match="no embedder"):
        load_embedder(model_file("smollm2-135m"))


def test_an_unknown_template_is_a_wrong_setting(model_file: ModelFile) -> None:
    path = model_file("smollm2-135m")
    with pytest.raises(ConfigError, match="vicuna"):
        llama.language_model(config=ModelsConfig(language=str(path), template="vicuna"))


def test_nothing_is_printed_and_the_rest_of_the_package_stays_usable(model_file: ModelFile) -> None:
    """The quick import leaves a package behind that others can import as ever."""
    program = f"""
import sys
from secondme.config import ModelsConfig
from secondme.models.protocols import Prompt
from secondme_plugins import llama
model = llama.language_model(config=ModelsConfig(language={str(model_file("smollm2-135m"))!r}, context=256, threads=1))
print("".join(model.reply(Prompt("", tail="Hi"), max_tokens=2)))
del model
assert "jinja2" not in sys.modules
import llama_cpp
assert llama_cpp.Llama and llama_cpp.llama_cpp is sys.modules["llama_cpp.llama_cpp"]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
