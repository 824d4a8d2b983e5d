from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondme.clean import clean, escaped, one_line

SEQUENCES = [
    "\x1b",
    "[",
    "]",
    "P",
    "_",
    "^",
    "X",
    "k",
    "\\",
    "\x07",
    "\x90",
    "\x98",
    "\x9b",
    "\x9c",
    "\x9d",
    "31m",
    "0;t",
]
SINGLES = [
    "\n",
    "\r",
    "\t",
    " ",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\U000e0041",
    "\ud800",
]
PIECES = [*SEQUENCES, *SINGLES, "a", "é", "漢"]
anything = st.characters(exclude_categories=())
hostile = st.lists(st.one_of(st.sampled_from(PIECES), anything), max_size=60).map("".join)
HIDDEN = "\u200b\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\ud800-\udfff"
FORBIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{HIDDEN}]")


@given(hostile)
def test_nothing_dangerous_is_left_and_cleaning_twice_changes_nothing(text: str) -> None:
    once = clean(text)
    assert not FORBIDDEN.search(once)
    assert clean(once) == once
    once.encode()


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs")) | st.sampled_from("\n\t")))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x9b1;31mred", "ared"),
        ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x1bPq#0\n#1\x1b\\b", "ab"),
        ("a\x1b_Gf=100;AAAA\x1b\\b", "ab"),
        ("a\x1b^pm\x1b\\b\x1bXsos\x1b\\c", "abc"),
        ("a\x1b(Bb\x1bcd\x1b7e", "abde"),
        ("a\x00\x1b[31m\x7f\x9b0mb", "ab"),
        ("a\x1b", "a"),
        ("a\x1b[12", "a"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("a\x00b\x08c\x7fd\x85e", "abcde"),
        ("ab\u202ecd\u2066e\u2069", "abcde"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("a\u200bb\ufeffc\ud800d", "abcd"),
        ("👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"),
        ("[/b] [bold]x[/]\ttab", "[/b] [bold]x[/]\ttab"),
    ],
)
def test_sequences_go_with_their_payload_and_words_stay(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_a_string_sequence_that_never_ends_does_not_swallow_the_words_after_it() -> None:
    assert clean("a\x1b]0;title\nsecond line\n") == "a0;title\nsecond line\n"
    assert clean("quoted â\x80\x9dhere and â\x80\x9cthere") == "quoted âhere and âthere"


@pytest.mark.parametrize("piece", ["\x1b", "\x9d", "\x1b]", "\x1b]a", "\x1b[1", "\x1b ", "\x90a", "\x1b]\n", "\r\x00"])
def test_hostile_repetition_takes_linear_time(piece: str) -> None:
    began = time.perf_counter()
    clean(piece * 300_000)
    assert time.perf_counter() - began < 3


@given(hostile)
def test_json_shows_nothing_dangerous_and_loses_nothing(text: str) -> None:
    shown = escaped(json.dumps({"text": text}, ensure_ascii=False))
    assert not FORBIDDEN.search(shown)
    # Two halves of a character that stand side by side are one in JSON.
    assert json.loads(shown) == {"text": text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")}
    shown.encode()


@given(hostile, st.integers(-2, 30))
def test_one_line_is_one_line_no_wider_than_asked(text: str, width: int) -> None:
    line = one_line(text, width)
    assert "\n" not in line
    assert "\t" not in line
    assert clean(line) == line


@given(st.text(st.characters(codec="ascii"), max_size=60), st.integers(0, 30))
def test_one_line_fits_the_width(text: str, width: int) -> None:
    assert len(one_line(text, width)) <= width


def test_one_line_shows_where_it_cuts_and_counts_columns() -> None:
    assert one_line("short\n note", 20) == "short note"
    assert one_line("exactly ten", 11) == "exactly ten"
    assert one_line("a longer sentence", 9) == "a longer…"
    assert one_line("漢字漢字", 5) == "漢字…"
    assert one_line("漢字", 4) == "漢字"
    assert one_line("x", 0) == ""
