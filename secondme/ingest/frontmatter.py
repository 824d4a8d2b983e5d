"""The block of properties at the head of a Markdown file, read as strings only and within limits."""

from __future__ import annotations

import re
from typing import Any

MAX_CHARACTERS = 65_536
MAX_DEPTH = 8

_OPENING = re.compile(r"---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)


def front_matter_end(text: str) -> int:
    """Return where the front matter of `text` ends, its closing line included, or 0 when it has none."""
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end(), MAX_CHARACTERS) if opening else None
    return closing.end() if closing else 0


def front_matter(text: str) -> dict[str, Any]:
    """Return the properties of `text`: strings, lists and dicts of strings, nothing else; {} when they cannot be read.

    No value is guessed at (`no` stays `no`), and a block with anchors, aliases or deep nesting is not read at all.
    """
    opening = _OPENING.match(text)
    end = front_matter_end(text)
    if not opening or not end:
        return {}
    import yaml  # costs 15 ms, which a note without front matter need not pay

    block = text[opening.end() : text.rfind("\n", 0, end) + 1]
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        depth = 0
        for event in yaml.parse(block, Loader=loader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                return {}
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                return {}
        values = yaml.load(block, Loader=loader)
    except (yaml.YAMLError, ValueError, OverflowError):
        return {}
    return {key: value for key, value in values.items() if isinstance(key, str)} if isinstance(values, dict) else {}
