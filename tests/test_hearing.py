"""What a message does: which of it is kept, which is asked, and what a question follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondme.chat.hearing import asks, follows, is_on_the_same, question_in, sentences, tells

TOLD = [
    "I moved to Porto.",
    "i moved to porto",
    "Ana's birthday is on 3 May",
    "My sister Nora keeps bees.",
    "dentist: Dr. Costa, Rua Nova 12",
    "The wifi password of the cabin is tulip-9",
    "12 May: oil change, 210 euros",
    "5",
    "2024-06-01",
    "+351 912 345 678",
    "Tea",
    "日本に行きました。",
    # A question word, and no question.
    "When I was in Lisbon I ate pastéis every day",
    "When I was in Lisbon, I ate pastéis every day.",
    "When Ana arrived we cooked",
    "When visiting Porto I stay at the Grande",
    "Where we met is a bakery now",
    "What I like about Porto is the light",
    "What a day",
    "What a day!",
    "How great that was!",
    "How nice",
    "Who I met: Ana and Ben",
    "Which reminds me, the rent is due",
    "Why I left Acme: the hours",
    # A verb first, as diaries have it.
    "Had a great day with Ana",
    "Had my first class today",
    "Did the laundry",
    "Was there for two hours",
    "Was the best day of the year",
    "Is great",
    "Have the flu",
    "Will call Ana tomorrow",
    "Can't wait for the summer",
    "Does not work any more",
    # Something to do for me, not for the memory.
    "Remind me to buy milk",
    "Do the dishes tonight",
    "Find a plumber",
    "Find out when the library opens",
    "Buy bread and call Ben",
    "List of things to pack: socks, charger",
    "List: milk, eggs",
    # What somebody else asked.
    'Ana asked "are you coming?"',
    'She asked "why?" and I left.',
]
ASKED = [
    "Where do I live?",
    "where do I live",
    "when was I in Lisbon",
    "When did Ana move",
    "when exactly did I move",
    "when in 2023 did I move",
    "Where's my passport",
    "who told me about bees",
    "whose birthday is in May",
    "which restaurant did Ana like",
    "what's the wifi password of the cabin",
    "why did I leave Acme",
    "how long have I lived here",
    "how do I make the bread",
    "What about Ana",
    "How about Porto?",
    "is my dentist in Porto",
    "Is Ana coming tomorrow",
    "Did Ana call",
    "does Ana like tea",
    "have I been to Faro",
    "Isn't my passport expired?",
    "am I allergic to nuts",
    "Tell me about Lisbon",
    "Tell me about Lisbon.",
    "please remind me what Ana said",
    "Show me what I wrote about bees.",
    "find all notes about bees",
    "list my friends",
    "Summarize my week.",
    "I wonder where I put my keys",
    "I'd like to know when I moved.",
    "Porto?",
    "Really?!",
    "The meeting is at five, right?",
    "So where do I live",
    "Can you tell me my address?",
]
BOTH = [
    ("I moved to Porto. Where did I live before?", "Where did I live before?"),
    ("Where did I live before? I live in Porto now.", "Where did I live before?"),
    ("I met Ana today\nwhat is her surname", "what is her surname"),
    ("I met Ana today, what is her surname?", "what is her surname?"),
    ("My sister called. Where does she live? And since when?", "Where does she live? And since when?"),
    ("Hello! I bought a bicycle. Tell me what it cost.", "Tell me what it cost."),
    ('Ana asked "why?" and left. When was that?', "When was that?"),
]
REPLIED = ["hello", "Hi!", "thanks", "Thank you.", "Good morning", "2 + 2", "what is 12 * 3?", "calculate 7/2 + 1"]
"""Nothing to keep, and nothing to look up."""
CHATTER = ["ok", "Yes.", "no", "great!", "bye", "…", "and", "! !"]
"""Nothing to keep, and nothing asked."""


@pytest.mark.parametrize("message", TOLD)
def test_what_tells_something_is_kept_and_asks_nothing(message: str) -> None:
    assert (tells(message), question_in(message)) == (True, "")


@pytest.mark.parametrize("message", ASKED)
def test_what_asks_is_asked_and_not_kept(message: str) -> None:
    assert (tells(message), question_in(message)) == (False, message)


@pytest.mark.parametrize(("message", "question"), BOTH)
def test_a_message_may_do_both(message: str, question: str) -> None:
    assert (tells(message), question_in(message)) == (True, question)


@pytest.mark.parametrize("message", REPLIED)
def test_greetings_and_sums_want_a_reply(message: str) -> None:
    assert (tells(message), question_in(message)) == (False, message)


@pytest.mark.parametrize("message", CHATTER)
def test_chatter_is_neither_kept_nor_asked(message: str) -> None:
    assert (tells(message), question_in(message)) == (False, "")


def test_a_question_behind_what_only_begins_it_is_one_sentence() -> None:
    for message in (
        "If I moved in June, where was I in May?",
        "In Lisbon, who was my dentist?",
        "I wonder, did I move?",
    ):
        assert sentences(message) == [message]
        assert not tells(message)


@pytest.mark.parametrize(
    "question",
    [
        "And in Porto?",
        "What about Ana?",
        "why?",
        "When did she move there?",
        "What does it cost?",
        "which one",
        "How long was I there?",
        "But what was that restaurant called?",
    ],
)
def test_a_question_that_points_back_follows_the_one_before(question: str) -> None:
    assert follows(question)


@pytest.mark.parametrize(
    "question",
    [
        "Where do I live?",
        "What did I do this week?",
        "Is there a dentist in Porto?",
        "Was there anything about bees in May?",
        "Who keeps bees?",
        "What did Ana say about the house with the green door, and has she ever told me what it cost her?",
        "",
    ],
)
def test_a_question_that_stands_alone_follows_nothing(question: str) -> None:
    assert not follows(question)


def test_a_question_with_a_word_of_what_was_said_is_on_the_same() -> None:
    earlier = "Where does my sister live? Your sister moved to Porto."
    assert is_on_the_same("When did Nora move?", earlier)
    assert is_on_the_same("Who else lives in Porto?", earlier)
    assert is_on_the_same("and why?", earlier)
    assert not is_on_the_same("What did the bicycle cost?", earlier)


@given(st.text())
def test_any_text_is_heard(text: str) -> None:
    question = question_in(text)
    assert all(part.strip() and part in text for part in sentences(text))
    assert isinstance(tells(text), bool)
    if question and question != text.strip():
        assert all(asks(one) or one not in question for one in sentences(text))
