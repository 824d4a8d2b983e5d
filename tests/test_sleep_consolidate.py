"""What a new fact does to the earlier ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from secondme.sleep.consolidate import Conflict, Keep, Known, Merge, Repeat, Supersede, decide
from secondme.sleep.statements import parse_statement

JANUARY = datetime(2024, 1, 10, 12, tzinfo=UTC)
MARCH = datetime(2024, 3, 10, 12, tzinfo=UTC)
JUNE = datetime(2024, 6, 10, 12, tzinfo=UTC)
JULY = datetime(2024, 7, 10, 12, tzinfo=UTC)


def known(
    id: int, text: str, said_at: datetime = JANUARY, *, trust: int = 3, valid_to: datetime | None = None
) -> Known:
    statement = parse_statement(text, author="Nora", me="Nora", said_at=said_at)
    return Known(id, text, statement, said_at, trust, None, valid_to, valid_to is None)


def verdict(earlier: str, later: str, at: datetime = JUNE) -> object:
    return decide(known(2, later, at), [known(1, earlier)])


def superseded(earlier: str, later: str) -> bool:
    match verdict(earlier, later):
        case Supersede(olds=(1,)):
            return True
    return False


def test_a_later_value_of_a_single_attribute_supersedes_from_when_it_was_said() -> None:
    assert verdict("I live in Lisbon.", "I live in Porto.") == Supersede((1,), JUNE, JUNE, None, None)


def test_the_old_value_ends_where_the_words_say_the_new_one_began() -> None:
    began = datetime(2024, 4, 1).astimezone()
    assert verdict("I live in Lisbon.", "I moved to Porto in April [April 2024].") == Supersede(
        (1,), began, began, None, None
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I work at Acme.", "I quit my job at Acme."),
        ("I work at Acme.", "I quit my job."),
        ("I work at Acme.", "I left Acme."),
        ("I drink coffee.", "I don't drink coffee anymore."),
        ("We have a car.", "We sold the car."),
        ("I like olives.", "I don't like olives."),
        ("I don't like olives.", "I like olives now."),
        ("We use Postgres 14.", "We switched to Postgres 16."),
        ("We use Jenkins for CI.", "We switched from Jenkins to Drone."),
        ("The rent is 900.", "The rent went up to 950."),
        ("I'm single.", "I'm married to Tom."),
        ("I'm a junior developer.", "I got promoted to team lead."),
        ("I live in Leeds.", "I used to live in Leeds."),
        ("We grow our own beans behind the shed.", "We don't grow our own beans behind the shed anymore."),
    ],
)
def test_an_update_ends_what_held(earlier: str, later: str) -> None:
    assert superseded(earlier, later)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("I live in Leeds.", "My sister lives in Porto."),
        ("My car is a red Fiesta.", "Ana's car is a blue Polo."),
        ("My car is a red Fiesta.", "My second car is a Polo."),
        ("I live in Leeds.", "I'm in Paris for the weekend."),
        ("I live in Leeds.", "I might move to Berlin."),
        ("I live in Leeds.", "I used to live in Hull."),
        ("I live in Leeds.", "Ana said I live in Hull."),
        ("I live in Leeds.", "Do I live in Hull?"),
        ("I work at Acme.", "I also work at the bakery."),
        ("My phone number is 0151 496 0132.", "My work phone number is 0113 496 0555."),
        ("The meeting is in room 4.", "The other meeting is in room 2."),
        ("The library closes at 6.", "The library closes at 4 on Sundays."),
        ("I like olives.", "I don't like capers."),
        ("I play chess.", "I don't play chess with Tom."),
        ("I live in Leeds.", "I live in England."),
        ("I work at Acme.", "I work at a desk."),
        ("The meeting is at 3pm.", "The meeting is on Tuesday."),
        ("The gym opens at 9.", "The gym opens at 11 today."),
        ("My car is a Polo.", "My car is 10 years old."),
        ("I like olives.", "I like capers."),
        ("I went to Rome.", "I went to Oslo."),
        ("I'm married to Tom.", "My husband is Tom."),
        ("I work at Acme.", "I left the house early."),
    ],
)
def test_a_near_miss_leaves_what_held(earlier: str, later: str) -> None:
    assert isinstance(verdict(earlier, later), Keep)


def test_the_same_value_again_is_a_repeat() -> None:
    assert verdict("I live in Leeds.", "I still live in Leeds!") == Repeat(1)


def test_a_value_with_more_to_it_takes_the_place_of_the_shorter_and_not_the_other_way_round() -> None:
    assert verdict("I live in Porto.", "I live in Porto, near the river.") == Merge(1)
    assert verdict("I live in Lisbon, Portugal.", "I live in Lisbon.") == Repeat(1)


def test_a_value_that_only_begins_alike_is_a_change() -> None:
    assert superseded("I live in York.", "I live in York Street.")


def test_two_values_of_one_moment_are_a_conflict_unless_one_says_it_is_newer() -> None:
    assert verdict("I live in Lisbon.", "I live in Porto.", JANUARY) == Conflict((1,))
    assert isinstance(verdict("I live in Lisbon.", "I moved to Porto.", JANUARY), Supersede)
    assert verdict("I moved to Lisbon.", "I live in Porto.", JANUARY) == Supersede((), JANUARY, None, JANUARY, 1)


@pytest.mark.parametrize("days", [0, 30])
def test_less_trust_never_supersedes_more(days: int) -> None:
    new = known(2, "I live in Porto.", JANUARY + timedelta(days=days), trust=1)
    assert decide(new, [known(1, "I live in Lisbon.")]) == Conflict((1,))
    assert decide(known(2, "I don't live in Lisbon.", JUNE, trust=1), [known(1, "I live in Lisbon.")]) == Conflict((1,))


def test_history_told_late_is_inserted_and_changes_nothing_else() -> None:
    lisbon = known(1, "I live in Lisbon.", JANUARY, valid_to=JUNE)
    porto = known(2, "I moved to Porto.", JUNE)
    braga = known(3, "until last December [December 2023] I lived in Braga", JULY)
    assert decide(braga, [lisbon, porto]) == Keep(None, datetime(2024, 1, 1).astimezone())


def test_a_value_said_before_the_current_one_ends_where_that_began_and_ends_its_own_predecessor() -> None:
    lisbon = known(1, "I live in Lisbon.", JANUARY, valid_to=JUNE)
    porto = known(2, "I live in Porto.", JUNE)
    braga = known(3, "I live in Braga.", MARCH)
    assert decide(braga, [lisbon, porto]) == Supersede((1,), MARCH, MARCH, JUNE, 2)


def test_a_value_said_before_all_others_ends_where_the_first_of_them_began() -> None:
    lisbon = known(1, "I live in Lisbon.", MARCH, valid_to=JUNE)
    porto = known(2, "I live in Porto.", JUNE)
    assert decide(known(3, "I live in Braga.", JANUARY), [lisbon, porto]) == Supersede((), JANUARY, JANUARY, MARCH, 1)


def test_moving_back_is_a_change_not_a_repeat() -> None:
    lisbon = known(1, "I live in Lisbon.", JANUARY, valid_to=MARCH)
    porto = known(2, "I live in Porto.", MARCH)
    assert decide(known(3, "I live in Lisbon.", JUNE), [lisbon, porto]) == Supersede((2,), JUNE, JUNE, None, None)


def test_a_denial_that_came_before_the_affirmation_ends_nothing() -> None:
    assert isinstance(decide(known(2, "I don't like olives.", JANUARY), [known(1, "I like olives.", JUNE)]), Keep)


def test_near_identical_wording_without_a_frame_repeats_or_merges() -> None:
    short, long = "Tulip bulbs go in the shed before winter", "Tulip bulbs go in the dry shed before winter"
    assert verdict(short, short.upper()) == Repeat(1)
    assert verdict(short, long) == Merge(1)
    assert verdict(long, short) == Repeat(1)


@pytest.mark.parametrize(
    "other",
    [
        "Tulip bulbs go in the shed before winter if Ana agrees",
        "Tulip bulbs go in the shed before 5 winters",
        "Dahlia bulbs go in the shed before winter",
    ],
)
def test_another_number_name_or_condition_is_another_fact(other: str) -> None:
    assert isinstance(verdict("Tulip bulbs go in the shed before winter", other), Keep)


def test_the_same_event_told_on_two_days_may_be_two_events() -> None:
    assert isinstance(verdict("I went running with the club.", "I went running with the club."), Keep)
