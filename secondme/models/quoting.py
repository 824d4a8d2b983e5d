"""Makes words of others inert in a prompt: what looks like markup, a speaker or a number of evidence is only text."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    # <|im_start|>, </s>, <<SYS>>, [INST], <start_of_turn>, <think>, and the same in wide letters.
    r"<\|[^<>\n]{0,40}\|?>?|\|>|<\uff5c[^<>\n]{0,40}\uff5c?>?|</?s>|\[/?\s*INST\s*\]|<<\s*/?\s*SYS\s*>>|</?(?:start|end)_of_turn>"
    r"|</?\s*(?:system|user|assistant|human|instructions?|developer|tool|tools|tool_call|function|think|context|evidence)\s*>"
    r"|\[/?\s*(?:system|user|assistant|instructions?)\s*\]",
    re.IGNORECASE,
)
_PLAIN = str.maketrans("<>|[]\uff5c", "‹›¦()¦")
_NUMBER = re.compile(r"\[(\s*\d[\d\s,;]*)\]")
_HEADING = re.compile(r"#{2,}\s*")
_SPEAKER = re.compile(
    r"\b(system|assistant|user|human|developer|question|evidence|instructions?|answer|response|hint)(\s*(?:prompt|message)?\s*):"
    r"(?=\s|$)",
    re.IGNORECASE,
)


def without_markup(text: str) -> str:
    """Return the text with what a chat template may take for its markup written in other signs."""
    return _MARKUP.sub(lambda found: found[0].translate(_PLAIN), text)


def quoted(text: str) -> str:
    """Return words of others as one line without markup, headings, speakers of a prompt and numbers of evidence."""
    line = " ".join(without_markup(text).split())
    line = _SPEAKER.sub(r"\1\2 -", _HEADING.sub("", line))
    return _NUMBER.sub(r"(\1)", line)
