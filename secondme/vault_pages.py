"""The pages of an exported folder that are for people: facts by subject, conversations, and one that begins it all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_MARKUP = re.compile(r"([\\`*_\[\]<>#|~$=^!])")
_VARIOUS = "Various"


@dataclass(slots=True)
class Pages:
    """What the pages will hold, gathered as the items of an export go by."""

    _files: dict[tuple[str, str], str] = field(default_factory=dict)
    """The files of notes by uri and digest of their text."""
    _facts: dict[str, list[str]] = field(default_factory=dict)
    _chats: dict[int, list[str]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def note(self, item: Mapping[str, Any], file: str) -> None:
        """Remember which file a note is in."""
        self._files[item["uri"], hashlib.sha256(item["text"].encode()).hexdigest()] = file
        self._count("note")

    def other(self, item: Mapping[str, Any]) -> None:
        """Take what is not a note."""
        self._count(item["type"])
        match item["type"]:
            case "fact":
                self._facts.setdefault(item["subject"] or _VARIOUS, []).append(self._fact(item))
            case "chat":
                title = _plain(item["name"]) or f"Conversation of {item['started_at'][:10]}"
                self._chats[item["id"]] = [f"# {title}\n"]
            case "turn":
                self._chats.setdefault(item["chat"], []).extend(self._turn(item))

    def pages(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each page, without its ending, and its text."""
        names = []
        for subject, lines in sorted(self._facts.items()):
            name = "Facts/" + (re.sub(r"[^\w -]+", " ", subject).strip()[:60] or _VARIOUS)
            names.append(name)
            yield name, f"# {_plain(subject)}\n\n" + "".join(lines)
        for id, lines in self._chats.items():
            names.append(f"Conversations/Conversation {id}")
            yield names[-1], "\n".join(lines) + "\n"
        counts = ", ".join(f"{count:,} {kind}{'s' if count > 1 else ''}" for kind, count in self._counts.items())
        links = "".join(f"- [[{name}]]\n" for name in names)
        yield "Memory", f"# Memory\n\n{counts}\n\n{links}"

    def _count(self, kind: str) -> None:
        if kind in ("note", "fact", "chat"):
            word = "conversation" if kind == "chat" else kind
            self._counts[word] = self._counts.get(word, 0) + 1

    def _fact(self, item: Mapping[str, Any]) -> str:
        since, until = (item["valid_from"] or "")[:10], (item["valid_to"] or "")[:10]
        when = " ".join(part for part in (since and f"since {since}", until and f"until {until}") if part)
        text = _plain(item["text"])
        links = " ".join(self._links(item["evidence"]))
        shown = f"~~{text}~~" if item["retired_at"] else text
        return f"- {shown}{f' *{when}*' if when else ''} {links}".rstrip() + "\n"

    def _turn(self, item: Mapping[str, Any]) -> list[str]:
        lines = [f"**{item['said_at'][:16].replace('T', ' ')}** {_plain(item['text'])}\n"] if item["text"] else []
        if item["answer"]:
            cited = [one for one in item["sources"] if one["is_cited"]]
            lines.append(f"> {_plain(item['answer'])} {' '.join(self._links(cited))}".rstrip() + "\n")
        return lines

    def _links(self, places: list[Mapping[str, Any]]) -> Iterator[str]:
        for place in places:
            file = self._files.get((place["uri"], place["digest"]))
            if file is not None:
                yield f"[[{file.removesuffix('.md')}|source]]"


def _plain(text: str) -> str:
    """Return text as one line without markup: what others wrote makes no links and no headings."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
