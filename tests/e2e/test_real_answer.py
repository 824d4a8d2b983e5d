"""Answers with real models, small ones: that words stream, end, name sources, and stop when told to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ModelFile

from secondme.assistant import Assistant
from secondme.config import AnswerConfig, Config, ModelsConfig
from secondme.models.prompts import NOT_IN_MEMORY
from secondme.plugins import load_plugins
from secondme.records import Answer, Note

pytestmark = pytest.mark.model

QUESTION = "How much did the bicycle cost?"
TEXTS = (
    "Bought a green bicycle yesterday for 380 euros.",
    "Ana moved to Porto in spring.",
    "The harbour museum has a new clock.",
    "Oda reads about tides and the moon.",
)
LIMIT = 40


@pytest.fixture
def me(own_home: Path, model_file: ModelFile) -> Iterator[Assistant]:
    """Four notes, the smallest language model and the real embedder."""
    # One thread: several wait for each other while other programs run.
    models = ModelsConfig(str(model_file("smollm2-135m")), str(model_file("minilm-l6")), context=1024, threads=1)
    config = Config(models=models, answer=AnswerConfig(max_tokens=LIMIT))
    with Assistant.open(own_home, config=config, plugins=load_plugins(installed=False)) as opened:
        opened.add_many(
            Note(text, uri=f"note:{number}", happened_at=datetime(2024, 3, number, 12, tzinfo=UTC))
            for number, text in enumerate(TEXTS, 1)
        )
        # Else each memory has its own, and the model is so small that other words come out.
        opened.store.set_meta("fence", "q7w3")
        yield opened


def beginning(answer: Answer) -> list[str]:
    """The first words: what is read in other portions is rounded otherwise, and may go on in other ones."""
    return answer.text.split()[:4]


def test_an_answer_streams_ends_and_names_only_evidence_that_was_shown(me: Assistant) -> None:
    stream = me.ask_stream(QUESTION)
    assert stream.evidence[0].text == TEXTS[0]
    pieces = list(stream)
    answer, trace = stream.answer, stream.answer.trace
    assert len(pieces) > 1
    assert answer.text == (NOT_IN_MEMORY if answer.abstained else "".join(pieces).strip())
    marks = dict.fromkeys(int(mark) for mark in re.findall(r"\[(\d+)\]", answer.text))
    assert [match.id for match in answer.citations] == [trace["evidence_shown"][mark - 1] for mark in marks]
    assert 1 <= trace["tokens_written"] <= LIMIT
    assert trace["tokens_sent"] == trace["tokens_evaluated"] > 60
    assert 0 < trace["seconds_to_evidence"] < trace["seconds_to_first_word"] <= trace["seconds"]


def test_the_same_question_again_evaluates_less_and_begins_the_same(me: Assistant) -> None:
    first, again = me.ask(QUESTION), me.ask(QUESTION)
    assert (beginning(again), again.citations[:1]) == (beginning(first), first.citations[:1])
    assert again.trace["tokens_sent"] == first.trace["tokens_sent"]
    assert again.trace["tokens_evaluated"] < first.trace["tokens_evaluated"] / 2


def test_closing_stops_the_model_and_the_next_answer_is_unharmed(me: Assistant) -> None:
    whole = me.ask(QUESTION)
    stream = me.ask_stream(QUESTION)
    first = next(iter(stream))
    stream.close()
    assert stream.answer.text == first.strip()
    assert stream.answer.trace["tokens_written"] < whole.trace["tokens_written"]
    assert not stream.answer.trace["truncated"]
    assert beginning(me.ask(QUESTION)) == beginning(whole)


def test_brief_is_one_line_without_marks(me: Assistant) -> None:
    answer = me.ask(QUESTION, brief=True)
    assert "\n" not in answer.text
    assert not re.search(r"\[\d+\]", answer.text)


def test_arithmetic_is_asked_without_evidence(me: Assistant) -> None:
    answer = me.ask("What is 2 + 2?")
    assert (answer.regime, answer.citations, answer.trace["evidence_shown"]) == ("none", (), [])
    assert answer.text
    assert answer.trace["tokens_sent"] < 60
