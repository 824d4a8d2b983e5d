"""The three inks of an answer on the screen: each has a style, and a sign that is there without colours."""

from __future__ import annotations

from collections.abc import Mapping

from markdown_it import MarkdownIt
from textual.content import Content

from secondme.chat.inks import LEGEND, SIGNS, Ink, inked
from secondme.clean import clean

WRAPS: Mapping[Ink, str] = {"evidence": "", "inference": "*", "own": "~~"}
"""The mark of Markdown that gives a sentence its style, as secondme.tcss has it."""


def parser() -> MarkdownIt:
    """Return a parser of what models write: nothing in it can be a link, an image or HTML."""
    return (
        MarkdownIt("commonmark", {"html": False})
        .enable(["strikethrough", "table"])
        .disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    )


def painted(answer: str, evidence: Mapping[int, str]) -> tuple[str, Content]:
    """Return an answer as Markdown in its inks, and what the signs in it mean."""
    text = clean(answer)
    # Within code a sign would be part of it.
    stretches = [] if "```" in text else list(inked(text, evidence))
    parts = []
    for stretch in stretches:
        wrap = WRAPS[stretch.ink] if stretch.ink else ""
        sign = SIGNS[stretch.ink] if stretch.ink else ""
        parts.append(f"{sign}{' ' if sign else ''}{wrap}{stretch.text}{wrap}")
    inks = dict.fromkeys(stretch.ink for stretch in stretches if stretch.ink)
    legend = " · ".join(LEGEND[ink] for ink in inks if LEGEND[ink])
    return "".join(parts) or text, Content.styled(legend, "$text-muted")
