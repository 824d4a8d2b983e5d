"""Text of the memory as something a terminal can show: cleaned, never markup, bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from secondme.clean import clean, one_line

LONGEST_LINE = 2000
"""Characters of a line that are shown; an editor shows the rest."""
CONTEXT = 200
"""Lines before and after the one asked for that are shown."""
MOST = 20_000
"""Characters of one text that are shown: laying out more of them takes longer than a key may."""
MOST_LINES = 200


def safe(text: str, style: str = "") -> Content:
    """Return text as content that is not read as markup."""
    return Content.styled(clean(text), style) if style else Content(clean(text))


def line(*parts: tuple[str, str] | str, width: int = 200) -> Content:
    """Return parts, each alone or with a style, as one line joined by dots; empty ones are left out."""
    shown = [(part, "") if isinstance(part, str) else part for part in parts]
    pieces = [Content.styled(one_line(text, width), style) for text, style in shown if text.strip()]
    return Content(" · ").join(pieces)


def beginning(text: str) -> str:
    """Return a text, or the beginning of a long one with how much more there is."""
    lines = text[:MOST].split("\n")[:MOST_LINES]
    shown = "\n".join(lines)
    return shown if len(shown) == len(text) else f"{shown} … {len(text) - len(shown):,} characters more"


def window(text: str, first: int, last: int) -> Content:
    """Return the lines around `first` to `last` (from 1) with their numbers, those themselves set off."""
    lines = text.split("\n")
    begin, end = _around([len(one) for one in lines], first, last)
    width = len(str(end))
    shown: list[Content] = []
    if begin > 1:
        shown.append(Content.styled(f"… {begin - 1:,} lines before", "$text-muted"))
    for number in range(begin, end + 1):
        # Cleaning all of a note of megabytes would be felt.
        words, rest = lines[number - 1][:LONGEST_LINE], len(lines[number - 1]) - LONGEST_LINE
        cut = f" … {rest:,} characters more" if rest > 0 else ""
        is_asked = first <= number <= last
        mark = Content.styled(f"{'▌' if is_asked else ' '}{number:>{width}} ", "$accent" if is_asked else "$text-muted")
        plain = clean(words).strip("\n").replace("\n", " ")
        shown.append(Content.assemble(mark, (plain, "" if is_asked else "$text-muted"), cut))
    if end < len(lines):
        shown.append(Content.styled(f"… {len(lines) - end:,} lines behind", "$text-muted"))
    return Content("\n").join(shown)


def _around(lengths: Sequence[int], first: int, last: int) -> tuple[int, int]:
    """Return the first and last line of as many around those asked for as can be shown without a wait."""
    begin = end = min(max(first, 1), len(lengths))
    left = MOST - min(lengths[begin - 1], LONGEST_LINE)
    goes_down = goes_up = True
    while goes_down or goes_up:
        # What was asked for comes before what is around it.
        if goes_down := end < min(last + CONTEXT, len(lengths)) and left > 0:
            end += 1
            left -= min(lengths[end - 1], LONGEST_LINE)
        if goes_up := end >= min(last, len(lengths)) and begin > max(first - CONTEXT, 1) and left > 0:
            begin -= 1
            left -= min(lengths[begin - 1], LONGEST_LINE)
    return begin, end


def joined(lines: Iterable[Content]) -> Content:
    """Return lines one below the other."""
    return Content("\n").join(list(lines))
