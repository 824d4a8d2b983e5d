"""Text of the memory as something a terminal can show: cleaned, never markup, bounded."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from secondme.clean import clean, one_line

LONGEST_LINE = 2000
"""Characters of a line that are shown; an editor shows the rest."""
CONTEXT = 200
"""Lines before and after the one asked for that are shown."""


def safe(text: str, style: str = "") -> Content:
    """Return text as content that is not read as markup."""
    return Content.styled(clean(text), style) if style else Content(clean(text))


def line(*parts: tuple[str, str] | str, width: int = 200) -> Content:
    """Return parts, each alone or with a style, as one line joined by dots; empty ones are left out."""
    shown = [(part, "") if isinstance(part, str) else part for part in parts]
    pieces = [Content.styled(one_line(text, width), style) for text, style in shown if text.strip()]
    return Content(" · ").join(pieces)


def window(text: str, first: int, last: int) -> Content:
    """Return the lines around `first` to `last` (from 1) with their numbers, those themselves set off."""
    lines = clean(text).split("\n")
    begin, end = max(first - CONTEXT, 1), min(last + CONTEXT, len(lines))
    width = len(str(end))
    shown: list[Content] = []
    if begin > 1:
        shown.append(Content.styled(f"… {begin - 1:,} lines before", "$text-muted"))
    for number in range(begin, end + 1):
        words = lines[number - 1]
        cut = f" … {len(words) - LONGEST_LINE:,} characters more" if len(words) > LONGEST_LINE else ""
        is_asked = first <= number <= last
        mark = Content.styled(f"{'▌' if is_asked else ' '}{number:>{width}} ", "$accent" if is_asked else "$text-muted")
        shown.append(Content.assemble(mark, (words[:LONGEST_LINE], "$text" if is_asked else "$text-muted"), cut))
    if end < len(lines):
        shown.append(Content.styled(f"… {len(lines) - end:,} lines behind", "$text-muted"))
    return Content("\n").join(shown)


def joined(lines: Iterable[Content]) -> Content:
    """Return lines one below the other."""
    return Content("\n").join(list(lines))
