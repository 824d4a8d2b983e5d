"""When a fact holds, and what the lines it rests on are worth at another time."""

from __future__ import annotations

from datetime import datetime

import pytest
from nights import day

from secondme.records import Fact, Source
from secondme.validity import has_ended, holds_at, is_outdated, remark, since

LINE = "I live in Lisbon."


def fact(begin: str = "", end: str = "", *, retired: bool = False, by: str = "", quote: str = LINE) -> Fact:
    """A fact that holds from a day to another."""
    source = Source(1, 0, len(quote), 1, 1, quote, "note:1", "notes", "me", day("2024-01-10"), "typed")
    return Fact(
        id="m1",
        kind="semantic",
        stance="evidence",
        text=quote,
        subject="me",
        attribute="lives in",
        value="Lisbon",
        valid_from=day(begin) if begin else None,
        valid_to=day(end) if end else None,
        recorded_at=day("2024-01-11"),
        retired_at=day("2024-06-11") if retired else None,
        superseded_by=by,
        conflicts=(),
        confidence=0.8,
        sources=(source,),
    )


ENDED = fact("2024-01-10", "2024-06-10", retired=True, by="m2")
JANUARY, JUNE, DECEMBER = day("2024-01-10"), day("2024-06-10"), day("2024-12-01")


@pytest.mark.parametrize(
    ("one", "moment", "holds"),
    [
        (fact(), JUNE, True),
        (fact("2024-01-10"), JANUARY, True),
        (fact("2024-06-10"), JANUARY, False),
        (ENDED, day("2024-03-01"), True),
        (ENDED, day("2024-06-09"), True),
        (ENDED, JUNE, False),
        (ENDED, day("2023-01-01"), False),
        (fact(end="2024-01-01"), day("2023-12-31"), True),
        (fact(end="2024-01-01"), JANUARY, False),
        # Merged into another one, which has its time.
        (fact("2024-01-10", retired=True, by="m2"), JUNE, False),
    ],
)
def test_a_fact_holds_from_its_beginning_up_to_its_end(one: Fact, moment: datetime, holds: bool) -> None:
    assert holds_at(one, moment) is holds


def test_what_has_not_begun_has_not_ended() -> None:
    assert not has_ended(fact("2024-06-10"), JANUARY)
    assert not has_ended(ENDED, JANUARY)
    assert has_ended(ENDED, JUNE)


def test_a_line_is_outdated_where_nothing_of_it_holds() -> None:
    assert is_outdated(LINE, [ENDED], DECEMBER)
    assert not is_outdated(LINE, [ENDED], day("2024-03-01"))
    assert not is_outdated(LINE, [ENDED, fact("2024-01-10")], DECEMBER)
    assert not is_outdated(LINE, [], DECEMBER)
    assert not is_outdated(LINE + " The garden is big and the neighbours are kind.", [ENDED], DECEMBER)
    assert not is_outdated("", [ENDED], DECEMBER)


def test_a_remark_says_since_when_which_part_holds_no_longer() -> None:
    assert remark(LINE, [ENDED], DECEMBER) == " (no longer so since 10 June 2024)"
    assert remark(LINE, [ENDED, ENDED], DECEMBER) == " (no longer so since 10 June 2024)"
    assert remark(LINE, [ENDED], day("2024-03-01")) == ""
    assert remark(LINE, [fact(end="2024-01-01")], DECEMBER) == "", "the words say so themselves"
    long = f"{LINE} The garden is big and the neighbours are kind."
    assert remark(long, [ENDED], DECEMBER) == f" (no longer so since 10 June 2024: “{LINE}”)"


def test_the_beginning_is_told_where_it_is_known() -> None:
    assert (since(fact("2024-01-10")), since(fact())) == ("10 January 2024", "")
