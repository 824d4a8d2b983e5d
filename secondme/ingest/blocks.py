"""Finds the blocks of a text by a scan of its lines: headings, paragraphs, lists, code, front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from secondme.ingest.frontmatter import front_matter_end

Shape = Literal["front matter", "heading", "paragraph", "list", "code"]

_INK = re.compile(r"\S")
_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d{1,9}[.)][ \t]+)?(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_CLOSING_MARKS = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_READ = 300
"""How much of a line is looked at: enough for any mark, and a line of megabytes costs no more than another."""
_TITLE = 120


@dataclass(slots=True)
class Block:
    """Characters that belong together. It grows while its lines are read."""

    start: int
    end: int
    shape: Shape
    path: tuple[str, ...]
    """The headings it stands under, outermost first; a heading stands under itself."""
    lines: int = 1


def paragraphs(text: str) -> Iterator[Block]:
    """Yield the paragraphs of plain `text`: what blank lines separate."""
    block: Block | None = None
    for start, end in _lines(text, 0):
        if not _INK.search(text, start, end):
            if block:
                yield block
            block = None
        elif block:
            block.end = end
        else:
            block = Block(start, end, "paragraph", ())
    if block:
        yield block


def markdown_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of Markdown `text` in order."""
    front = front_matter_end(text)
    if front:
        yield Block(0, front, "front matter", ())
    scan = _Scan(text)
    for start, end in _lines(text, front):
        finished = scan.read(start, end)
        if finished:
            yield finished
    if scan.block:
        yield scan.block


def opening_heading(text: str) -> str:
    """Return the heading that Markdown `text` opens with, without its marks, or "" when it opens otherwise."""
    words = (block for block in markdown_blocks(text) if block.shape != "front matter")
    first = next(words, None)
    return first.path[-1] if first and first.shape == "heading" and first.path else ""


def _lines(text: str, start: int) -> Iterator[tuple[int, int]]:
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1


@dataclass(slots=True)
class _Scan:
    """Where the scan of one text stands between two lines."""

    text: str
    block: Block | None = None
    """The block that the next line may still belong to."""
    fence: str = ""
    """The marks that opened the code we are in."""
    after_blank: bool = False
    headings: dict[int, str] = field(default_factory=dict)

    def read(self, start: int, end: int) -> Block | None:
        """Take in one line and return the block that it shows to be finished, if any."""
        line = self.text[start : min(end, start + _READ)]
        if self.fence and self.block:
            return self._read_code(line, end)
        if not _INK.search(self.text, start, end):
            self.after_blank = True
            return None if self.block and self.block.shape == "list" else self._replace(None)
        heading = _HEADING.match(line)
        if heading:
            path = self._enter(len(heading[1]), line.strip().lstrip("#"))
            return self._replace(Block(start, end, "heading", path))
        underline = _UNDERLINE.match(line)
        if underline and self.block and self.block.shape == "paragraph" and self.block.lines == 1:
            self.block.path = self._enter(1 if underline[1][0] == "=" else 2, self._words(self.block))
            self.block.shape, self.block.end = "heading", end
            return None
        return self._read_words(line, start, end)

    def _read_words(self, line: str, start: int, end: int) -> Block | None:
        opening = _FENCE.match(line)
        shape = self._shape(line, is_code=opening is not None)
        self.after_blank = False
        self.fence = opening[1] if opening else ""
        if self.block and self.block.shape == shape and shape != "code":
            self.block.end = end
            self.block.lines += 1
            return None
        return self._replace(Block(start, end, shape, tuple(self.headings.values())))

    def _read_code(self, line: str, end: int) -> Block | None:
        if self.block:
            self.block.end = end
        marks = line.strip(" \t>")
        if len(marks) >= len(self.fence) and not marks.strip(self.fence[0]):
            self.fence = ""
            if self.block and self.block.shape == "code":
                return self._replace(None)
        return None

    def _shape(self, line: str, *, is_code: bool) -> Shape:
        in_list = self.block is not None and self.block.shape == "list"
        if _ITEM.match(line) or (in_list and line[0] in " \t"):
            return "list"
        if is_code:
            return "code"
        return "list" if in_list and not self.after_blank else "paragraph"

    def _replace(self, block: Block | None) -> Block | None:
        finished, self.block = self.block, block
        return finished

    def _enter(self, level: int, title: str) -> tuple[str, ...]:
        self.headings = {depth: name for depth, name in self.headings.items() if depth < level}
        name = _CLOSING_MARKS.sub("", _LINK.sub(r"\1", title)).strip()[:_TITLE]
        if name:
            self.headings[level] = name
        return tuple(self.headings.values())

    def _words(self, block: Block) -> str:
        return self.text[block.start : min(block.end, block.start + _READ)]
