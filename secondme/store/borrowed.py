"""What tells of notes that go, and stands elsewhere: words of facts, drafts, answers and names of conversations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database

AMONG = "(select value from json_each(?1))"
"""Ids as one value: SQLite takes only so many of them."""

RUN = 6
"""So many words in a row are a quotation, and of a shorter note all of its words."""
SHORTEST = 3
"""A note of fewer words is said again by chance."""
_WORD = re.compile(r"[^\W_]+")
_TELLING = 3
"""Shorter words tell nothing."""


def words_of(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    return _WORD.findall(text.casefold())


def facts_worded_by(db: Database, note_ids: Sequence[int]) -> set[int]:
    """Return the facts whose words come from these notes, as far as the notes say."""
    query = f"select distinct memory_id from evidence where is_wording and note_id in {AMONG}"
    return {row[0] for row in db.conn.execute(query, (json.dumps(note_ids),))}


def heirs(db: Database, note_ids: Sequence[int]) -> dict[int, int]:
    """Return by the numbers of facts that rest on these notes another line that says the very same words."""
    rows = db.conn.execute(
        f"""select w.memory_id, e.id, n.author, m.text, m.subject, m.value,
                   substr(cast(n.text as blob), e.byte_start + 1, e.byte_end - e.byte_start)
            from evidence w join evidence e on e.memory_id = w.memory_id and e.quote_hash = w.quote_hash
            join notes n on n.id = e.note_id join memories m on m.id = w.memory_id
            where w.is_wording and w.note_id in {AMONG} and e.note_id not in {AMONG} order by e.id desc""",
        (json.dumps(note_ids),),
    )
    return {fact: evidence for fact, evidence, *said in rows if _says(*said)}


def _says(author: str, text: str, subject: str, value: str, quote: bytes) -> bool:
    """True if a line has all the words of a fact: the sentences around the other one may have given some of them."""
    said = " ".join(quote.decode().split()).casefold()
    return (
        text.rstrip(".").casefold() in said
        and value.casefold() in said
        and (subject in said or subject == author.casefold())
    )


def borrowed_facts(db: Database, note_ids: Sequence[int], gone: set[str]) -> set[int]:
    """Return facts of other notes in the same conversations that have words only these notes gave."""
    rows = db.conn.execute(
        f"""select m.id, m.text || ' ' || m.subject || ' ' || m.value, n.text || ' ' || n.title || ' ' || n.author
            from notes n join evidence e on e.note_id = n.id join memories m on m.id = e.memory_id
            where n.thread in (select thread from notes where id in {AMONG}) and n.id not in {AMONG}""",
        (json.dumps(note_ids),),
    )
    said: dict[int, tuple[set[str], set[str]]] = {}
    for fact, text, source in rows:
        own = said.setdefault(fact, (set(words_of(text)), set()))
        own[1].update(words_of(source))
    return {fact for fact, (words, own) in said.items() if _telling((words - own) & gone)}


def drop_borrowed_drafts(db: Database, note_ids: Sequence[int], gone: set[str]) -> None:
    """Remove lines turned down in words that only these notes gave; their notes are of the same conversations."""
    rows = db.conn.execute(
        f"""select r.id, r.text, n.text || ' ' || n.title || ' ' || n.author
            from notes n join rejections r on r.note_id = n.id
            where r.text <> '' and n.id not in {AMONG}
            and n.thread in (select thread from notes where id in {AMONG})""",
        (json.dumps(note_ids),),
    ).fetchall()
    drop = [(id,) for id, text, source in rows if _telling((set(words_of(text)) - set(words_of(source))) & gone)]
    db.conn.executemany("delete from rejections where id = ?", drop)


def turns_with(db: Database, note_ids: Sequence[int], texts: Iterable[str]) -> list[int]:
    """Return the turns that said these notes, quote them, or whose answer was drawn from them."""
    query = f"""select id from turns where note_id in {AMONG}
                union select turn_id from turn_sources where note_id in {AMONG}"""
    found = {row[0] for row in db.conn.execute(query, (json.dumps(note_ids),))}
    others = db.conn.execute("select id, text || char(10) || answer from turns").fetchall()
    if len(others) > len(found):
        runs = {run for text in texts for run in _runs(words_of(text))}
        lengths = sorted({len(run) for run in runs})
        found.update(
            id
            for id, said in others
            if id not in found and any(run in runs for n in lengths for run in _runs_of(words_of(said), n))
        )
    return sorted(found)


def names_telling(db: Database, gone: set[str]) -> list[int]:
    """Return the conversations whose names have a word that only these notes had: call it when they are gone."""
    named = db.conn.execute("select id, name from chats where name <> ''").fetchall()
    return [id for id, name in named if any(_is_lost(db, word) for word in _telling(set(words_of(name)) & gone))]


def _is_lost(db: Database, word: str) -> bool:
    query = "select 1 from passage_words where passage_words match ? limit 1"
    return db.conn.execute(query, (f'"{word}"',)).fetchone() is None


def _telling(words: set[str]) -> set[str]:
    return {word for word in words if len(word) >= _TELLING or not word.isascii()}


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield what counts as a quotation of a note."""
    if len(words) >= SHORTEST:
        yield from _runs_of(words, min(RUN, len(words)))


def _runs_of(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(length)), strict=False)
