"""Who speaks in a conversation that was pasted into a note."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

_LABEL = re.compile(
    # "**ChatGPT said:**", "Assistant: of course", "> Ana: hello", "## Assistant".
    r"^[ \t>*_#-]*(?P<who>[^\W\d_][\w.'’ -]{0,30}?)(?: said)?[ \t*_]*:(?=[\s*_]|\Z)"
    r"|^#{1,6}[ \t]+(?P<title>[^\W\d_][\w.'’ -]{0,30}?)[ \t]*$|^(?P<heading>#{1,6}[ \t])",
    re.MULTILINE,
)
_ASSISTANT = re.compile(
    r"(?:ai[ -]|my )?assistant|ai|(?:[\w.-]+[ -])?bot|chat-?gpt[\w .-]*|gpt(?:[ -]?\d[\w .-]*)?"
    r"|claude(?: (?:\d|opus|sonnet|haiku|code).*)?|(?:github |microsoft )?copilot|gemini(?: (?:\d|pro|flash|ultra).*)?"
    r"|(?:llama|mistral|qwen)(?:[ -]?\d[\w .:-]*)?|system|secondme|tool",
    re.IGNORECASE,
)
"""Names that nobody is called by; "Claude Dupont" is somebody."""
_PERSON = frozenset(["you", "user", "human", "me", "i", "prompt", "question", "q"])

Turn = tuple[int, int]
"""The first byte of a turn in the UTF-8 text of a note, and the byte after its last."""


def is_assistant(name: str) -> bool:
    """True if an author's name is that of a program that writes."""
    return bool(_ASSISTANT.fullmatch(name.strip()))


def assistant_turns(text: str, *, me: str) -> list[Turn]:
    """Return what assistants say in a text: from their name at the beginning of a line up to the name of somebody else.

    What has a colon behind it or is a heading may belong to what is said, unless it comes again as a name does.
    """
    labels = [(found, (found["who"] or found["title"] or "").lower()) for found in _LABEL.finditer(text)]
    counts = Counter(name for found, name in labels if found["who"])
    people = {name for name, count in counts.items() if count > 1} | _PERSON | {me.lower()}
    is_conversation = any(name in people and not is_assistant(name) for _, name in labels)
    turns: list[Turn] = []
    start = -1
    for found, name in labels:
        if is_assistant(name):
            start = found.start() if start < 0 else start
        elif start >= 0 and (name in people or (not is_conversation and not found["who"])):
            turns.append((start, found.start()))
            start = -1
    if start >= 0:
        turns.append((start, len(text)))
    return _in_bytes(text, turns)


def _in_bytes(text: str, turns: Sequence[Turn]) -> list[Turn]:
    found: list[Turn] = []
    place = byte = 0
    for first, last in turns:
        begin = byte + len(text[place:first].encode())
        place, byte = last, begin + len(text[first:last].encode())
        found.append((begin, byte))
    return found


def is_within(turns: Sequence[Turn], byte: int) -> bool:
    """True if a byte belongs to one of these turns, which are in order."""
    place = bisect_right(turns, byte, key=lambda turn: turn[0])
    return place > 0 and byte < turns[place - 1][1]
