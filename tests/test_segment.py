from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondme.ingest.blocks import opening_heading
from secondme.ingest.segment import LIMIT, WHOLE, segment
from secondme.records import Span

MARKS = [
    "# Title",
    "## Part",
    "### Deeper ###",
    "Under",
    "===",
    "---",
    "- item",
    "  - inner",
    "1. first",
    "```py",
    "```",
    "~~~",
]
WORDS = [
    "words and more words. A second sentence! " * 8,
    "漢字のメモ。" * 80,
    "x" * 1400,
    "naïve: ",
    "- [ ] task [[Link]] " * 30,
]
BLANKS = ["", "", "   ", "\t", " " * 1200]
LINES = st.sampled_from([*MARKS, *WORDS, *BLANKS])
documents = st.lists(st.one_of(LINES, st.text(st.characters(codec="utf-8"), max_size=30)), max_size=60).map("\n".join)


@given(documents, st.booleans())
def test_passages_hold_every_word_once_and_in_order(text: str, markdown: bool) -> None:
    check(text, segment(text, markdown=markdown))


def check(text: str, spans: list[Span]) -> None:
    raw = text.encode()
    position = 0
    for span in spans:
        assert not raw[position : span.start].decode().strip()
        assert raw[span.start : span.end].decode() == span.text
        assert span.text.strip()
        assert span.line_start == 1 + raw[: span.start].count(b"\n")
        assert span.line_end == 1 + raw[: span.end - 1].count(b"\n")
        assert len(span.text) <= LIMIT
        position = span.end
    assert not raw[position:].decode().strip()


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_a_short_text_is_one_passage(text: str) -> None:
    spans = segment(text, markdown=True)
    assert [span.text for span in spans] == ([text] if text.strip() else [])


def test_a_short_note_with_several_parts_stays_whole() -> None:
    text = "# A\n\none\n\n# B\n\ntwo\n"
    assert segment(text, markdown=True) == [Span(0, len(text), 1, 7, text)]


PARAGRAPH = "The boat left Porto before sunrise and we watched the coast turn pink. " * 5


def test_sections_are_kept_apart_and_carry_their_headings() -> None:
    text = f"# Trip\n\n## Day one\n\n{PARAGRAPH}\n\n## Day two\n\n{PARAGRAPH}\n\n### Evening\n\n{PARAGRAPH}\n"
    spans = segment(text, markdown=True)
    assert [span.heading for span in spans] == ["Trip > Day one", "Trip > Day two", "Trip > Day two > Evening"]
    assert spans[0].text.startswith("# Trip")
    assert spans[1].text.startswith("## Day two")
    assert spans[1].line_start == 7


def test_plain_text_knows_no_headings() -> None:
    text = f"# Trip\n\n{PARAGRAPH}\n\n# Other\n\n{PARAGRAPH}\n\n{PARAGRAPH}"
    assert {span.heading for span in segment(text, markdown=False)} == {""}


def test_an_underlined_line_is_a_heading() -> None:
    text = f"Trip\n====\n\n{PARAGRAPH}\n\nDay two\n-------\n\n{PARAGRAPH}\n\n{PARAGRAPH}\n"
    assert [span.heading for span in segment(text, markdown=True)] == ["Trip", "Trip > Day two", "Trip > Day two"]


def test_a_number_sign_inside_code_is_no_heading_and_code_stays_whole() -> None:
    code = "```sh\n# install\n\npip install x\n" + "echo line\n" * 50 + "```"
    text = f"# Notes\n\n{PARAGRAPH}\n\n{code}\n\n{PARAGRAPH}\n"
    spans = segment(text, markdown=True)
    assert any(code in span.text for span in spans)
    assert {span.heading for span in spans} == {"Notes"}


def test_tiny_sections_are_joined_under_the_heading_they_share() -> None:
    text = "# Terms\n\n" + "".join(f"## Term {i}\n\nMeans number {i}.\n\n" for i in range(60))
    spans = segment(text, markdown=True)
    assert len(spans) < 30
    assert {span.heading for span in spans} == {"Terms"}
    assert all(span.text.startswith("#") for span in spans)


def test_a_heading_is_never_the_last_line_of_a_passage() -> None:
    text = "".join(f"## Part {i}\n\n{PARAGRAPH * (i % 4)}\n\nshort\n\n" for i in range(30))
    assert not [span for span in segment(text, markdown=True) if span.text.splitlines()[-1].startswith("#")]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    spans = segment(PARAGRAPH * 20, markdown=True)
    assert len(spans) > 5
    assert all(span.text.endswith("pink.") and span.text.startswith("The boat") for span in spans)


def test_a_log_of_dated_lines_is_cut_between_them() -> None:
    text = "".join(f"2024-06-{day:02} We went out. It rained all day; we came home early. \n" for day in range(1, 29))
    assert all(span.text.startswith("2024-06-") for span in segment(text, markdown=False))


def test_a_long_list_is_cut_between_its_outer_items() -> None:
    text = "".join(f"- item {i} with some words\n  - detail one of it\n  - detail two of it\n" for i in range(60))
    assert all(span.text.startswith("- item") for span in segment(text, markdown=True))


def test_a_long_item_is_cut_between_inner_items_that_keep_their_indentation() -> None:
    text = "- all of it\n" + "".join(f"\t- item {i} with some words\n" for i in range(60))
    spans = segment(text, markdown=True)
    assert len(spans) > 1
    assert all(span.text.startswith("\t- item") for span in spans[1:])


def test_a_line_without_spaces_is_cut_hard() -> None:
    text = "x" * 100_000
    spans = segment(text, markdown=True)
    check(text, spans)
    assert len(spans) < 200


def test_front_matter_is_found_and_is_not_taken_for_a_heading() -> None:
    text = f"---\ntitle: Trip\ntags: [sea]\n---\n# Trip\n\n{PARAGRAPH * 4}\n"
    spans = segment(text, markdown=True)
    assert "tags: [sea]" in spans[0].text
    assert {span.heading for span in spans} == {"Trip"}


def test_white_space_is_no_passage() -> None:
    assert segment(" \n" * 2000, markdown=True) == []
    assert segment("", markdown=False) == []


@pytest.mark.parametrize(
    "piece",
    [
        "a\n\n",
        "word " * 16 + "\n",
        "x",
        " ",
        "- a\n",
        "```\n",
        "# a\n",
        "#",
        "---\n",
        "- ```\n  # a\n",
        "a. ",
        "\t-\n",
        "`",
    ],
)
@pytest.mark.parametrize("markdown", [True, False])
def test_any_repetition_takes_linear_time(piece: str, markdown: bool) -> None:
    text = piece * (400_000 // len(piece)) + "end"
    began = time.perf_counter()
    spans = segment(text, markdown=markdown)
    assert time.perf_counter() - began < 2
    assert len(text) > WHOLE
    assert spans


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("---\ntitle: x\n---\n\n## The *one* ##\n\n# later\n", "The *one*"),
        ("# [Chess](https://example.org) club\n", "Chess club"),
        ("\nUnder\n=====\n", "Under"),
        ("Words first.\n\n# Usage\n", ""),
        ("```\n# no\n```\n", ""),
        ("#hashtag\n", ""),
        ("#\n", ""),
        ("", ""),
    ],
)
def test_a_text_may_open_with_a_heading(text: str, heading: str) -> None:
    assert opening_heading(text) == heading
