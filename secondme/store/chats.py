"""Conversations: what was said and asked, what was answered from which passages, and when nothing was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from secondme.clock import from_text, to_text
from secondme.errors import NotFound
from secondme.records import Regime

if TYPE_CHECKING:
    from sqlite_utils.db import Database

MOST_WORDS = 20
"""So many of the words that are looked for count; with very many of them the database refuses."""

TurnKind = Literal["said", "asked", "off", "on"]
"""What the user said or asked; from "off" to "on" nothing was kept."""


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation."""

    id: int
    name: str
    """What the user called it; the first words said in it where it was not named."""
    started_at: datetime
    last_at: datetime
    turns: int


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage the model was shown for an answer."""

    number: int
    """What its mark in the answer says."""
    id: str
    """`n12.3`."""
    is_cited: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What the user said, and what was answered."""

    id: int
    kind: TurnKind
    text: str
    said_at: datetime
    note: str
    """The note that it became; empty where it only asked."""
    answer: str
    regime: Regime | Literal[""]
    """How the answer was made; empty where nothing was asked or the answer was cut off."""
    is_whole: bool
    """False where the answer was stopped or never came."""
    sources: tuple[Cited, ...]


class Chats:
    """The conversations of one database."""

    def __init__(self, db: Database) -> None:
        """Use the tables of `db`."""
        self.db = db
        # The lower() of SQLite knows the letters of English only.
        db.conn.create_function("folded", 1, str.casefold, deterministic=True)

    def is_there(self, chat: int) -> bool:
        """True if there is such a conversation: one goes with the last thing said in it."""
        return self.db.conn.execute("select 1 from chats where id = ?", (chat,)).fetchone() is not None

    def is_paused(self, chat: int) -> bool:
        """True if the last mark of a conversation says that nothing is kept."""
        query = "select kind from turns where chat_id = ? and kind in ('off', 'on') order by id desc limit 1"
        return bool(self.db.conn.execute(query, (chat,)).fetchone() == ("off",))

    def begin(self, *, now: datetime) -> int:
        """Begin a conversation and return its number. Call it within a transaction."""
        added = self.db.conn.execute("insert into chats (name, started_at) values ('', ?)", (to_text(now),)).lastrowid
        assert added is not None
        return added

    def add(self, chat: int, kind: TurnKind, text: str, *, note: int | None, now: datetime) -> int:
        """Store what was said, before it is answered; return the number of the turn. Call it within a transaction."""
        added = self.db.conn.execute(
            """insert into turns (chat_id, kind, text, said_at, note_id, answer, regime, is_whole)
               values (?, ?, ?, ?, ?, '', '', ?)""",
            (chat, kind, text, to_text(now), note, kind != "asked"),
        ).lastrowid
        assert added is not None
        return added

    def answer(
        self, turn: int, text: str, *, regime: Regime, is_whole: bool, sources: Iterable[tuple[Cited, int]]
    ) -> None:
        """Store what was answered, with the passages that were shown and their notes. Call it within a transaction.

        A turn or note that was forgotten in the meantime stays forgotten, and so does an answer in its words.
        """
        shown = list(sources)
        notes = {note for _, note in shown}
        marks = ", ".join("?" * len(notes))
        (left,) = self.db.conn.execute(f"select count(*) from notes where id in ({marks})", list(notes)).fetchone()
        if left < len(notes) or not self.has(turn):
            return
        self.db.conn.execute(
            "update turns set answer = ?, regime = ?, is_whole = ? where id = ?", (text, regime, is_whole, turn)
        )
        self.db.conn.executemany(
            "insert or replace into turn_sources values (?, ?, ?, ?, ?)",
            [(turn, one.number, note, one.id, one.is_cited) for one, note in shown],
        )

    def has(self, turn: int) -> bool:
        """True if a turn was not forgotten."""
        return self.db.conn.execute("select 1 from turns where id = ?", (turn,)).fetchone() is not None

    def drawn_from(self, turn: int) -> Sequence[str]:
        """Return the passages and the note behind what was said and answered in a turn."""
        rows = self.db.conn.execute(
            """select name from turn_sources where turn_id = ?1
               union select 'n' || note_id from turns where id = ?1 and note_id is not null""",
            (turn,),
        )
        return [row[0] for row in rows]

    def turns(self, chat: int) -> Sequence[Turn]:
        """Return the turns of a conversation, in their order."""
        sources: dict[int, list[Cited]] = {}
        for turn, number, id, is_cited in self.db.conn.execute(
            """select turn_id, number, name, is_cited from turn_sources
               where turn_id in (select id from turns where chat_id = ?) order by turn_id, number""",
            (chat,),
        ):
            sources.setdefault(turn, []).append(Cited(number, id, bool(is_cited)))
        rows = self.db.conn.execute(
            """select id, kind, text, said_at, note_id, answer, regime, is_whole from turns
               where chat_id = ? order by id""",
            (chat,),
        ).fetchall()
        return [_turn(row, sources.get(row[0], ())) for row in rows]

    def said(self, most: int) -> Sequence[str]:
        """Return what was said last in all conversations, each text once, the latest last."""
        rows = self.db.conn.execute(
            "select text from turns where text != '' group by text order by max(id) desc limit ?", (most,)
        )
        return [row[0] for row in rows][::-1]

    def list(self, words: str = "") -> Sequence[Chat]:
        """Return the conversations in which all of these words were said or answered, or all, the latest first."""
        wanted = [*dict.fromkeys(words.casefold().split())][:MOST_WORDS]
        holds = """(instr(folded(c.name), ?) or c.id in
            (select chat_id from turns where instr(folded(text), ?) or instr(folded(answer), ?)))"""
        where = " and ".join([holds] * len(wanted)) or "true"
        return self._select(where, [word for word in wanted for _ in range(3)])

    def get(self, chat: int) -> Chat:
        """Return one conversation. Raises NotFound."""
        if 0 <= chat < 2**63:
            for one in self._select("c.id = ?", [chat]):
                return one
        raise NotFound(f"there is no conversation {chat}", hint="/threads lists them")

    def _select(self, where: str, values: Sequence[object]) -> Sequence[Chat]:
        rows = self.db.conn.execute(
            f"""select c.id, c.name, c.started_at, coalesce(max(t.said_at), c.started_at), count(t.id),
                       coalesce((select substr(f.text, 1, 80) from turns f
                                 where f.chat_id = c.id and f.text != '' order by f.id limit 1), '')
                from chats c left join turns t on t.chat_id = c.id where {where}
                group by c.id order by max(t.id) desc, c.id desc""",
            values,
        ).fetchall()
        return [
            Chat(id, name or " ".join(first.split()), from_text(began), from_text(last), count)
            for id, name, began, last, count, first in rows
        ]

    def rename(self, chat: int, name: str) -> None:
        """Give a conversation a name. Call it within a transaction."""
        self.db.conn.execute("update chats set name = ? where id = ?", (name, chat))

    def delete(self, chat: int) -> None:
        """Remove a conversation with its turns; the notes it left stay. Call it within a transaction."""
        self.db.conn.execute("delete from chats where id = ?", (chat,))


def _turn(row: Sequence[Any], sources: Iterable[Cited]) -> Turn:
    id, kind, text, said_at, note, answer, regime, is_whole = row
    name = f"n{note}" if note else ""
    return Turn(id, kind, text, from_text(said_at), name, answer, regime, bool(is_whole), tuple(sources))
