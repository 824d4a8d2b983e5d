"""What the rules read in a clause, and what they leave alone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondme.recall.when import annotate
from secondme.sleep.statements import Statement, parse_statement

NOW = datetime(2024, 7, 10, 12, tzinfo=UTC)


def parse(text: str, author: str = "Nora", me: str = "Nora") -> Statement | None:
    return parse_statement(text, author=author, me=me, said_at=NOW)


def triple(text: str, author: str = "Nora", me: str = "Nora") -> tuple[str, str, str]:
    statement = parse(text, author, me)
    assert statement is not None, text
    return statement.subject, statement.attribute, statement.value


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day).astimezone()


@pytest.mark.parametrize(
    ("text", "subject", "attribute", "value"),
    [
        ("I live in Porto.", "nora", "lives in", "Porto"),
        ("I've been living in Porto for years.", "nora", "lives in", "Porto"),
        ("We're based in Oslo.", "nora", "lives in", "Oslo"),
        ("I work for Globex.", "nora", "works at", "Globex"),
        ("I work as a nurse.", "nora", "job", "nurse"),
        ("I got promoted to team lead.", "nora", "job", "team lead"),
        ("I'm married to Tom.", "nora", "is married to", "Tom"),
        ("I am 34 years old.", "nora", "age", "34"),
        ("My name is Jan.", "nora", "name", "Jan"),
        ("My dog is called Rex.", "the dog", "name", "Rex"),
        ("My favorite color is teal.", "nora", "favourite colour", "teal"),
        ("I'm vegan.", "nora", "diet", "vegan"),
        ("I drive a Corolla.", "nora", "drives", "Corolla"),
        ("I weigh 78 kg.", "nora", "weight", "78 kg"),
        ("I take 50 mg of sertraline.", "nora", "dose of sertraline", "50 mg"),
        ("My boss is Karen.", "nora", "boss", "Karen"),
        ("Karen is my boss.", "nora", "boss", "Karen"),
        ("The rent is 900.", "the rent", "amount", "900"),
        ("The landlord put the rent up to 950.", "the rent", "amount", "950"),
        ("The dentist appointment is on 3 May at 10.", "the dentist appointment", "when", "3 May at 10"),
        ("They've moved my dentist appointment to 17 May.", "the dentist appointment", "when", "17 May"),
        ("My flight leaves at 9.", "the flight", "leaves", "9"),
        ("The shop closes at 4 on Sundays.", "the shop", "closes on sundays", "4"),
        ("The staging server runs on port 8080.", "the staging server", "port", "8080"),
        ("We use Jenkins for CI.", "nora", "uses for ci", "Jenkins"),
        ("My sister Ana lives in Madrid.", "nora's sister ana", "lives in", "Madrid"),
        ("Ana's car is a blue Polo.", "ana", "car", "a blue Polo"),
        ("Hana Ito was born in the city of Kobe.", "hana ito", "was born in the city of", "Kobe"),
        ("Larkspur was founded by Dana Whit.", "larkspur", "was founded by", "Dana Whit"),
        ("Dana Whit is a citizen of Chile.", "dana whit", "is a citizen of", "Chile"),
        ("Dana Whit plays the position of goalkeeper.", "dana whit", "plays the position of", "goalkeeper"),
    ],
)
def test_a_clause_is_read_as_subject_attribute_and_one_value(
    text: str, subject: str, attribute: str, value: str
) -> None:
    assert triple(text) == (subject, attribute, value)
    if attribute != "job" or "work as" in text:
        statement = parse(text)
        assert statement is not None
        assert statement.is_single


def test_all_ways_of_naming_a_role_give_the_same_key() -> None:
    wordings = (
        "Lisbon is the capital of Portugal.",
        "The capital of Portugal is Lisbon.",
        "Portugal's capital is Lisbon.",
    )
    assert {triple(wording) for wording in wordings} == {("portugal", "capital", "Lisbon")}


def test_i_is_the_author_and_the_name_in_front_is_who_speaks() -> None:
    assert triple("I live in Porto.", author="Ana")[0] == "ana"
    assert triple("Ana: I live in Porto.")[0] == "ana"
    assert triple("I live in Porto.", author="")[0] == "nora"


def test_the_things_of_another_author_are_not_those_of_the_user() -> None:
    assert triple("My flight leaves at 9.", author="Ana")[0] == "ana's flight"


def test_the_things_of_the_user_are_the_same_by_whichever_name() -> None:
    keys = [
        triple(text)[0] for text in ("My flight leaves at 9.", "The flight leaves at 9.", "Nora's flight leaves at 9.")
    ]
    assert keys == ["the flight"] * 3
    assert triple("Nora's sister lives in Porto.")[0] == triple("My sister lives in Porto.")[0]


@pytest.mark.parametrize("text", ["I like olives.", "I play the trumpet.", "I went to Rome.", "I have a bike."])
def test_what_can_have_many_values_is_not_single(text: str) -> None:
    statement = parse(text)
    assert statement is not None
    assert not statement.is_single


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("I don't like olives.", "likes", "olives"),
        ("I can't stand olives anymore.", "likes", "olives"),
        ("I quit my job at Acme.", "works at", "Acme"),
        ("I no longer work at Acme.", "works at", "Acme"),
        ("I stopped smoking.", "smokes", ""),
        ("I left Acme.", "ended", "Acme"),
    ],
)
def test_an_ending_or_denial_is_negated(text: str, attribute: str, value: str) -> None:
    statement = parse(text)
    assert statement is not None
    assert (statement.attribute, statement.value, statement.is_negated) == (attribute, value, True)


@pytest.mark.parametrize(
    "text",
    [
        "I moved to Porto.",
        "I live in Porto now.",
        "My new boss is Karen.",
        "We switched to Postgres 16.",
        "I turned 35.",
    ],
)
def test_words_of_change_mark_a_change(text: str) -> None:
    statement = parse(text)
    assert statement is not None
    assert statement.is_change


def test_a_plain_statement_is_neither_change_nor_denial() -> None:
    statement = parse("I still live in Porto.")
    assert statement is not None
    assert (statement.value, statement.is_change, statement.is_negated) == ("Porto", False, False)


def test_what_is_named_as_over_in_the_same_breath_is_what_it_replaces() -> None:
    moved = parse("I moved from Lisbon to Porto.")
    changed = parse("Guess what, I finally left Acme and started at Globex last week!")
    assert moved is not None
    assert changed is not None
    assert (moved.replaces, moved.value) == ("Lisbon", "Porto")
    assert (changed.attribute, changed.value, changed.replaces) == ("works at", "Globex", "Acme")


@pytest.mark.parametrize(
    ("text", "valid_from", "valid_to"),
    [
        ("I've lived in Porto since 2019.", day(2019, 1, 1), None),
        ("until last December [December 2023] I lived in Braga", None, day(2024, 1, 1)),
        ("I lived in Oslo from 2015 to 2018.", day(2015, 1, 1), day(2019, 1, 1)),
        ("I moved to Porto in March [March 2024].", day(2024, 3, 1), None),
        ("Starting in May 2024 I work at Globex.", day(2024, 5, 1), None),
        ("The rent went up to 950 in May.", day(2024, 5, 1), None),
        ("I live in Porto.", None, None),
        ("The dentist appointment is on 3 May at 10.", None, None),
        ("I used to live in Hull.", None, NOW),
    ],
)
def test_validity_is_what_the_words_say(text: str, valid_from: datetime | None, valid_to: datetime | None) -> None:
    statement = parse(text)
    assert statement is not None
    assert (statement.valid_from, statement.valid_to) == (valid_from, valid_to)


def test_dates_written_by_annotate_are_read_in_place_of_the_words() -> None:
    statement = parse(annotate("I moved to Porto last month.", said_at=NOW))
    assert statement is not None
    assert (statement.value, statement.valid_from) == ("Porto", day(2024, 6, 1))


@pytest.mark.parametrize(
    "text",
    [
        "Where do I live?",
        "I might move to Berlin.",
        "If I lived in Rome, I would be happy.",
        "I want to live in Rome.",
        "I'd love to work at Globex one day.",
        "Ana said I live in Rome.",
        "I'm in Paris for the weekend.",
        "I'm visiting Rome.",
        "I live for the weekend.",
        "I work from home.",
        "My car is in the garage.",
        "My doctor is great.",
        "My old boss was Karen.",
        "The best part of my day is lunch.",
        "One of my favourite books is Dune.",
        "My wifi password is hunter2.",
        "She works at Acme.",
        "I'll move to Berlin.",
        "Glad you have support!",
        "I'm lucky to have my kids.",
        "I drive the kids to school.",
    ],
)
def test_what_is_not_claimed_for_sure_is_not_read(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ik woon in Utrecht.",
        "Mijn naam is Jan.",
        "Ich wohne in Berlin.",
        "Vivo en Madrid desde 2019.",
        "私は東京に住んでいます。",
    ],
)
def test_other_languages_are_left_alone(text: str) -> None:
    assert parse(text) is None


def test_also_adds_a_value_instead_of_replacing_one() -> None:
    statement = parse("I also work at the bakery.")
    assert statement is not None
    assert (statement.attribute, statement.is_single) == ("works at", False)


@given(st.text(max_size=450), st.text(max_size=20))
def test_no_text_makes_it_raise(text: str, author: str) -> None:
    parse_statement(text, author=author, me="Nora", said_at=NOW)


_WORDS = """
    I my the we not no longer moved to in from is was since until 2019 [ ] Porto Ana's now , . used
    quit and May 's of at 3
"""


@given(st.lists(st.sampled_from(_WORDS.split()), max_size=30))
def test_no_order_of_its_own_words_makes_it_raise(words: list[str]) -> None:
    parse_statement(" ".join(words), author="Ana", me="Nora", said_at=NOW)


def test_garbage_of_ten_kilobytes_costs_no_time() -> None:
    started = time.perf_counter()
    for text in ("is the of " * 1000, "a" * 10_000, "I moved to " * 900, "[" * 10_000):
        assert parse(text) is None
    assert timedelta(seconds=time.perf_counter() - started) < timedelta(seconds=0.2)
