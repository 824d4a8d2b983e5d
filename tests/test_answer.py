"""Answers: what the model is shown, what counts as an answer, and what an end in the middle leaves."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import FakePlugin, ScriptedModel

from secondme.answer import is_about_nothing_stored
from secondme.assistant import Assistant
from secondme.config import AnswerConfig, Config, ModelsConfig
from secondme.errors import NoModel, UsageError
from secondme.models.prompts import NOT_IN_MEMORY
from secondme.models.protocols import Prompt, Usage
from secondme.plugins import load_plugins
from secondme.records import Filters, Note

TEXTS = (
    "Ana moved to Porto in spring",
    "Ben bought a green bicycle",
    "The bicycle cost 380 euros",
    "Oda reads about tides",
    "It rained on the harbour",
)
QUESTION = "Where did Ana move in spring?"

Open = Callable[..., Assistant]


@pytest.fixture
def open_me(own_home: Path, scripted: FakePlugin) -> Iterator[Open]:
    """Open the memory with these texts, one a day, and the scripted model unless told otherwise."""
    opened: list[Assistant] = []

    def open_assistant(texts: Sequence[str] = TEXTS, plugin: object = scripted, **settings: int) -> Assistant:
        plugins = load_plugins(installed=False)
        plugins.register(plugin, "fake")
        models = ModelsConfig("scripted", "hashing") if plugin is scripted else ModelsConfig("", "")
        me = Assistant.open(own_home, config=Config(models=models, answer=AnswerConfig(**settings)), plugins=plugins)
        opened.append(me)
        moments = [datetime(2024, 3, day, 12, tzinfo=UTC) for day in range(1, len(texts) + 1)]
        me.add_many(
            Note(text, uri=f"note:{at}", happened_at=moment)
            for at, (text, moment) in enumerate(zip(texts, moments, strict=True))
        )
        return me

    yield open_assistant
    for me in opened:
        me.close()


def prompt_of(scripted: FakePlugin) -> Prompt:
    return scripted.model.prompts[-1]


def test_an_answer_cites_the_evidence_it_names(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Ana moved to Porto [1].")
    answer = me.ask(QUESTION)
    assert (answer.text, answer.abstained, answer.regime) == ("Ana moved to Porto [1].", False, "everything")
    assert [match.text for match in answer.citations] == [TEXTS[0]]


def test_the_pieces_together_are_the_answer(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Ana moved to Porto. It rained on the harbour.")
    stream = me.ask_stream(QUESTION)
    pieces = list(stream)
    assert len(pieces) > 5
    assert "".join(pieces) == stream.answer.text == "Ana moved to Porto [1]. It rained on the harbour [5]."
    assert [match.uri for match in stream.answer.citations] == ["note:0", "note:4"]


def test_evidence_is_shown_in_the_order_it_happened_and_numbered_so(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me(texts=[*TEXTS[1:], TEXTS[0]])
    scripted.model.replies.append("Porto [5].")
    stream = me.ask_stream(QUESTION)
    assert stream.evidence[0].text == TEXTS[0]
    list(stream)
    pages = prompt_of(scripted).pages
    assert [page[:7] for page in pages] == ["1 March", "2 March", "3 March", "4 March", "5 March"]
    assert pages[4] == "5 March 2024, me: Ana moved to Porto in spring [spring 2024]"
    assert [match.text for match in stream.answer.citations] == [TEXTS[0]]
    assert stream.answer.trace["evidence_shown"][4] == stream.answer.citations[0].id


def test_a_refusal_of_the_model_is_an_abstention(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("The evidence does not mention Ana [1].")
    answer = me.ask(QUESTION)
    assert (answer.text, answer.citations, answer.abstained, answer.regime) == (NOT_IN_MEMORY, (), True, "abstained")


@pytest.mark.parametrize("reply", ["Zebras sleep standing [2].", "", " \n"])
def test_an_answer_without_a_source_is_none_and_the_stream_says_so(
    open_me: Open, scripted: FakePlugin, reply: str
) -> None:
    me = open_me()
    scripted.model.replies.append(reply)
    stream = me.ask_stream(QUESTION)
    assert "".join(stream).endswith(NOT_IN_MEMORY)
    assert (stream.answer.text, stream.answer.abstained, stream.answer.citations) == (NOT_IN_MEMORY, True, ())


def test_a_bare_no_is_an_answer(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("No.")
    answer = me.ask("Did Ana move to Porto in spring?")
    assert (answer.text, answer.abstained) == ("No [1].", False)
    assert [match.text for match in answer.citations] == [TEXTS[0]]


def test_where_nothing_is_stored_no_model_is_asked(open_me: Open, scripted: FakePlugin) -> None:
    answer = open_me(texts=()).ask(QUESTION)
    assert (answer.abstained, answer.regime) == (True, "abstained")
    assert answer.text == "That is not in memory: nothing is stored yet."
    assert scripted.model.calls == 0


def test_where_hardly_anything_fits_no_model_is_asked(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me(evidence=3)
    assert me.ask("Which zebras juggle telescopes?").abstained
    assert scripted.model.calls == 0
    scripted.model.replies.append("Porto [1].")
    assert not me.ask(QUESTION).abstained


def test_a_memory_that_fits_whole_is_shown_to_the_model_whatever_is_asked(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("It rained on the harbour.")
    answer = me.ask("How is the weather over there?")
    assert (answer.regime, answer.abstained) == ("everything", False)
    assert len(prompt_of(scripted).pages) == len(TEXTS)


def test_of_a_larger_memory_only_the_best_is_shown(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Ana moved to Porto.")
    answer = me.ask(QUESTION, k=2)
    assert answer.regime == "retrieval"
    assert len(prompt_of(scripted).pages) == 2
    scripted.model.replies.append("Ana moved to Porto.")
    me.ask(QUESTION, k=1)
    assert [page.partition(": ")[2] for page in prompt_of(scripted).pages] == [f"{TEXTS[0]} [spring 2024]"]


def test_zero_passages_of_evidence_are_refused(open_me: Open) -> None:
    with pytest.raises(UsageError, match="k must be at least 1"):
        open_me().ask(QUESTION, k=0)


def test_filters_restrict_the_evidence(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Ben bought a bicycle.")
    answer = me.ask("Who bought a bicycle?", filters=Filters(until=datetime(2024, 3, 3, tzinfo=UTC)))
    assert [match.uri for match in answer.citations] == ["note:1"]
    assert len(prompt_of(scripted).pages) == 2


def test_a_budget_drops_the_weakest_evidence(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me(evidence_tokens=25)
    scripted.model.replies.append("Ana moved to Porto.")
    stream = me.ask_stream(QUESTION)
    list(stream)
    shown, budget = prompt_of(scripted).pages, 25
    assert 0 < len(shown) < len(TEXTS)
    assert sum(scripted.model.count(page) for page in shown) <= budget
    best = [match.id for match in stream.evidence[: len(shown)]]
    assert set(stream.answer.trace["evidence_shown"]) == set(best)
    assert stream.answer.regime == "retrieval"


@pytest.mark.parametrize("budget", [12, 20, 60])
def test_a_very_long_passage_is_cut_to_fit(open_me: Open, scripted: FakePlugin, budget: int) -> None:
    me = open_me(
        texts=["Ana moved to Porto in spring " + "and again and once more and then " * 25], evidence_tokens=budget
    )
    scripted.model.replies.append("Ana moved to Porto.")
    answer = me.ask(QUESTION)
    [page] = prompt_of(scripted).pages
    assert "Ana moved to Porto" in page
    assert budget * 0.75 <= scripted.model.count(page) <= budget
    assert not answer.abstained


def test_what_a_cut_passage_no_longer_says_is_no_source(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me(texts=["Ana moved to Porto " + "and again and once more and then " * 25 + "zebra"], evidence_tokens=15)
    scripted.model.replies.append("A zebra.")
    assert me.ask("Where did Ana move to?").abstained


@pytest.mark.parametrize(
    "question", ["2+2", "What is 3 * (4 - 1)?", "calculate 7/2", "Hello!", "thank you", "good evening"]
)
def test_arithmetic_and_greetings_need_nothing_from_memory(open_me: Open, scripted: FakePlugin, question: str) -> None:
    me = open_me()
    scripted.model.replies.append("Here you are.")
    stream = me.ask_stream(question)
    assert stream.evidence == ()
    assert "".join(stream) == "Here you are."
    answer = stream.answer
    assert (answer.text, answer.citations, answer.abstained, answer.regime) == ("Here you are.", (), False, "none")
    assert prompt_of(scripted).pages == ()


@pytest.mark.parametrize(
    "question",
    ["What is it?", "Hello Kitty is whose favourite?", "what is", "?", "Hi, where did I park?", "What is 42nd Street?"],
)
def test_other_questions_are_about_what_is_stored(question: str) -> None:
    assert not is_about_nothing_stored(question)


def test_brief_is_a_phrase_without_marks_that_still_has_sources(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Porto [1].\nShe moved in spring.")
    stream = me.ask_stream(QUESTION, brief=True)
    assert list(stream) == ["Porto"]
    assert stream.answer.text == "Porto"
    assert [match.text for match in stream.answer.citations] == [TEXTS[0]]


def test_brief_needs_no_source(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies += ["Lisbon", "unknown"]
    assert not me.ask(QUESTION, brief=True).abstained
    assert me.ask(QUESTION, brief=True).text == NOT_IN_MEMORY


def test_a_question_about_a_time_is_answered_though_no_word_fits(
    open_me: Open, scripted: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDME_NOW", "2024-03-11T12:00:00Z")
    me = open_me(texts=[*TEXTS, *("Something else",) * 3], evidence=4)
    scripted.model.replies.append("It rained on the harbour.")
    answer = me.ask("What did I write last week?")
    assert not answer.abstained
    assert len(prompt_of(scripted).pages) == 4


def test_what_the_window_of_the_model_cannot_hold_is_left_out_and_said(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me(max_tokens=10)
    scripted.model.replies += ["Porto."] * 3
    whole = me.ask(QUESTION)
    prompt = prompt_of(scripted)
    assert "left_out" not in whole.trace
    scripted.model.context = scripted.model.count(prompt.prefix + prompt.body) + 10 + 64 - 8
    answer = me.ask(QUESTION)
    assert answer.trace["left_out"] == len(TEXTS) - len(prompt_of(scripted).pages) > 0
    # The weakest goes first.
    assert TEXTS[0] in " ".join(prompt_of(scripted).pages)
    scripted.model.context = 20
    assert len(me.ask(QUESTION).trace["evidence_shown"]) == 1


def test_counts_and_times_are_in_the_trace(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me(max_tokens=4)
    scripted.model.replies.append("Ana moved to Porto in spring.")
    answer = me.ask(QUESTION)
    trace = answer.trace
    assert answer.text == "Ana moved to Porto [1]"
    assert (trace["tokens_written"], trace["truncated"]) == (4, True)
    assert trace["tokens_sent"] == scripted.model.tokens_sent > 0
    assert 0 <= trace["seconds_to_evidence"] <= trace["seconds_to_first_word"] <= trace["seconds"]
    assert (trace["passages"], trace["unsupported_sentences"]) == (5, 0)


def test_closing_the_stream_stops_the_model_and_keeps_what_came(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Ana moved to Porto. Ben bought a bicycle. It rained.")
    stream = me.ask_stream(QUESTION)
    came = ""
    for piece in stream:
        came += piece
        if "Ben" in came:
            stream.close()
    assert scripted.model.closed_early == 1
    assert scripted.model.tokens_written < 10
    assert stream.answer.text == came.strip() == "Ana moved to Porto [1]. Ben"
    assert [match.uri for match in stream.answer.citations] == ["note:0"]


@pytest.mark.parametrize("brief", [False, True])
def test_cancelling_from_elsewhere_stops_the_model_and_keeps_what_came(
    open_me: Open, scripted: FakePlugin, brief: bool
) -> None:
    me = open_me()
    scripted.model.replies.append("Ana moved to Porto. Ben bought a bicycle. It rained.")
    stream = me.ask_stream(QUESTION, brief=brief)
    stream.cancel()
    assert "".join(stream) == stream.answer.text or stream.answer.abstained
    assert scripted.model.closed_early == 1
    assert scripted.model.tokens_written <= 1


class Kept(ScriptedModel):
    """A model that holds on to its reply, so that nothing but closing ends it."""

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        self.running = super().reply(prompt, max_tokens=max_tokens, grammar=grammar, stop=stop, usage=usage)
        return self.running


def test_closing_the_stream_closes_the_reply(open_me: Open, scripted: FakePlugin) -> None:
    scripted.model = Kept(["Ana moved to Porto."])
    stream = open_me().ask_stream(QUESTION)
    next(iter(stream))
    stream.close()
    assert scripted.model.closed_early == 1


def test_closing_in_the_first_sentence_keeps_what_came_too(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Ana moved to Porto.")
    stream = me.ask_stream(QUESTION)
    next(iter(stream))
    stream.close()
    assert (stream.answer.text, stream.answer.abstained, stream.answer.citations) == ("Ana", False, ())
    assert stream.answer.trace["tokens_written"] == 1


def test_before_its_end_there_is_no_answer(open_me: Open, scripted: FakePlugin) -> None:
    me = open_me()
    scripted.model.replies.append("Porto.")
    stream = me.ask_stream(QUESTION)
    with pytest.raises(RuntimeError, match="not complete"):
        _ = stream.answer
    assert scripted.model.calls == 0
    list(stream)
    assert not stream.answer.abstained


class Interrupted(ScriptedModel):
    """A model during whose reply somebody presses Ctrl-C."""

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        yield from ("Ana ", "moved ", "to ", "Porto. ", "Ben ")
        raise KeyboardInterrupt


def test_an_interruption_goes_on_up_and_keeps_what_came(open_me: Open, scripted: FakePlugin) -> None:
    scripted.model = Interrupted()
    stream = open_me().ask_stream(QUESTION)
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert stream.answer.text == "Ana moved to Porto [1]. Ben"
    assert not stream.answer.abstained


def test_without_a_model_the_evidence_is_there_before_that_is_said(open_me: Open) -> None:
    stream = open_me(plugin=NoPlugin()).ask_stream(QUESTION)
    assert stream.evidence[0].text == TEXTS[0]
    with pytest.raises(NoModel, match="no language model"):
        next(iter(stream))


def test_without_a_model_what_memory_does_not_hold_is_still_said(open_me: Open) -> None:
    assert open_me(plugin=NoPlugin()).ask("Which zebras juggle telescopes?", k=2).abstained


class NoPlugin:
    """A plugin without a hook."""
