"""Cuts a note into the passages that are indexed and found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from secondme.ingest.blocks import Block, Shape, markdown_blocks, paragraphs
from secondme.records import Span

WHOLE = 900
"""A text of up to so many characters is one passage."""
TARGET = 600
LIMIT = 1000
"""No passage of a longer text has more characters."""
_BLOCK_LIMIT = 850
"""A longer block is cut; the rest up to the limit is room for the heading above it."""
_SMALL = 200
"""A passage below this is joined with the next section."""
_TINY = 100
"""A passage below this is joined with the one before."""

_INK = re.compile(r"\S")
_SENTENCE = re.compile(r"""[.!?…]["'”’»)\]]*\s|[。！？]["'”’」』）]*""")
_RECORD = re.compile(r"\n(?=\||\[?\d{1,4}[-/.:]\d|[-*+]+[ \t])")
"""Before the row of a table, a line with its date in front, an item that is not in a list."""
_LINE = re.compile(r"\n")
_SPACE = re.compile(r"\s")
_OUTER_ITEM = re.compile(r"\n(?=(?:[-*+]|\d{1,9}[.)])[ \t])")
_INNER_ITEM = re.compile(r"\n(?=[ \t]+(?:[-*+]|\d{1,9}[.)])[ \t])")
_BLANK_LINE = re.compile(r"\n(?=[ \t]*\n)")
_BREAKS: dict[Shape, tuple[re.Pattern[str], ...]] = {
    "front matter": (_LINE, _SPACE),
    "heading": (_SPACE,),
    "paragraph": (_RECORD, _SENTENCE, _LINE, _SPACE),
    "list": (_OUTER_ITEM, _INNER_ITEM, _LINE, _SENTENCE, _SPACE),
    "code": (_BLANK_LINE, _LINE, _SPACE),
}
"""Where an overlong block may be cut, best first."""


class _Piece(NamedTuple):
    """Blocks that go into one passage. A tuple, because a text of megabytes has a million of them."""

    start: int
    end: int
    path: tuple[str, ...]
    opens_section: bool = False
    has_body: bool = True
    """False while there are only headings or front matter in it."""


def segment(text: str, *, markdown: bool) -> list[Span]:
    """Return the passages of `text` in order; every character that is not white space is in exactly one of them.

    A short text is one passage, all of it. `markdown` tells whether headings, lists and code are looked for.
    """
    if not _INK.search(text):
        return []
    if len(text) <= WHOLE:
        return list(_measure(text, [_Piece(0, len(text), ())]))
    blocks = markdown_blocks(text) if markdown else paragraphs(text)
    return list(_measure(text, _join(text, _under_headings(_fitting(text, blocks)))))


def _fitting(text: str, blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks, each overlong one in several pieces."""
    for block in blocks:
        if block.end - block.start <= _BLOCK_LIMIT:
            yield block
            continue
        start = _skip_blank(text, block.start, block.end)
        while block.end - start > _BLOCK_LIMIT:
            cut = _best_cut(text, start, _BREAKS[block.shape])
            yield replace(block, start=start, end=cut)
            start = _skip_blank(text, cut, block.end)
        if start < block.end:
            yield replace(block, start=start)


def _skip_blank(text: str, start: int, end: int) -> int:
    """Return where the first line with ink starts, or the ink itself when it is on the line of `start`."""
    ink = _INK.search(text, start, end)
    if not ink:
        return end
    line = text.rfind("\n", max(start - 1, 0, ink.start() - _SMALL), ink.start()) + 1
    return line or ink.start()


def _best_cut(text: str, start: int, breaks: Iterable[re.Pattern[str]]) -> int:
    """Return the place to cut: the best kind of break there is, as close below the target as possible, else above."""
    for pattern in breaks:
        cut = 0
        for found in pattern.finditer(text, start + TARGET // 2, start + _BLOCK_LIMIT):
            if cut and found.end() > start + TARGET:
                break
            cut = found.end()
        if cut:
            return cut
    return start + _BLOCK_LIMIT


def _under_headings(blocks: Iterable[Block]) -> Iterator[_Piece]:
    """Yield the blocks with the headings right above them attached."""
    above: _Piece | None = None
    for block in blocks:
        is_heading = block.shape == "heading"
        piece = _Piece(block.start, block.end, block.path, is_heading, not is_heading and block.shape != "front matter")
        if above and block.end - above.start <= (LIMIT // 2 if is_heading else LIMIT):
            piece = piece._replace(start=above.start, opens_section=True)
        elif above:
            yield above
        above = piece if is_heading else None
        if not is_heading:
            yield piece
    if above:
        yield above


def _join(text: str, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """Yield passages: neighbouring pieces merged up to the target."""
    before: _Piece | None = None
    for piece in _merge(text, pieces):
        if before and _is_remainder(before, piece):
            before = _merged(before, piece)
            continue
        if before:
            yield before
        before = piece
    if before:
        yield before


def _merge(text: str, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    current: _Piece | None = None
    for piece in pieces:
        if current and _belongs(text, current, piece):
            current = _merged(current, piece)
            continue
        if current:
            yield current
        current = piece
    if current:
        yield current


def _belongs(text: str, current: _Piece, piece: _Piece) -> bool:
    size = piece.end - current.start
    is_small = current.end - current.start < _SMALL
    if piece.opens_section:
        return is_small and size <= (TARGET if current.has_body else LIMIT)
    return size <= TARGET or (size <= LIMIT and (is_small or text[current.end - 1] == ":"))


def _is_remainder(before: _Piece, piece: _Piece) -> bool:
    return piece.end - piece.start < _TINY and piece.path == before.path and piece.end - before.start <= LIMIT


def _merged(first: _Piece, second: _Piece) -> _Piece:
    path = second.path
    if first.has_body and first.path != path:
        path = tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first.path, path, strict=False)))
    return _Piece(first.start, second.end, path, first.opens_section, first.has_body or second.has_body)


def _measure(text: str, pieces: Iterable[_Piece]) -> Iterator[Span]:
    """Yield the pieces as spans, counting bytes and lines on the way."""
    position, byte, line = 0, 0, 1
    for piece in pieces:
        end = piece.end if piece.end - piece.start == len(text) else _end_of_ink(text, piece)
        between, words = text[position : piece.start], text[piece.start : end]
        byte += len(between.encode())
        line += between.count("\n")
        size = len(words.encode())
        newlines = words.count("\n")
        line_end = line + newlines - words.endswith("\n")
        yield Span(byte, byte + size, line, line_end, words, " > ".join(piece.path))
        position, byte, line = end, byte + size, line + newlines


def _end_of_ink(text: str, piece: _Piece) -> int:
    return piece.start + len(text[piece.start : piece.end].rstrip())
