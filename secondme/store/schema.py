"""The tables, as migrations in order. A released migration is never edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Migrations

from secondme.errors import NewerDatabase
from secondme.store.connect import writing

if TYPE_CHECKING:
    from sqlite_utils.db import Database

migrations = Migrations("secondme")


@migrations()
def m001_notes(db: Database) -> None:
    """Create notes, passages and their word indexes."""
    for statement in NOTES:
        db.conn.execute(statement)


NOTES = (
    """
    create table notes (
        id integer primary key autoincrement,
        uri text not null,
        digest text not null,
        title text not null,
        text text not null,
        thread text not null,
        author text not null,
        origin text not null,
        happened_at text not null,
        added_at text not null,
        replaced_at text,
        unique (uri, digest)
    ) strict
    """,
    # One version of a source item is current; earlier ones stay, verbatim, but are no longer found.
    "create unique index notes_current on notes (uri) where replaced_at is null",
    "create index notes_happened on notes (happened_at)",
    # Passages exist for current notes only: every index can ignore history.
    """
    create table passages (
        id integer primary key autoincrement,
        note_id integer not null references notes (id) on delete cascade,
        position integer not null,
        byte_start integer not null,
        byte_end integer not null,
        line_start integer not null,
        line_end integer not null,
        heading text not null,
        label text not null,
        text text not null,
        unique (note_id, position)
    ) strict
    """,
    """
    create virtual table passage_words using fts5 (
        label, text, content = 'passages', content_rowid = 'id', tokenize = "porter unicode61 remove_diacritics 2"
    )
    """,
    "insert into passage_words (passage_words, rank) values ('secure-delete', 1)",
    "create virtual table passage_terms using fts5vocab (passage_words, 'instance')",
    # Chinese, Japanese and Korean have no spaces between words: three characters in a row serve as words.
    "create virtual table passage_trigrams using fts5 (text, tokenize = 'trigram')",
    "insert into passage_trigrams (passage_trigrams, rank) values ('secure-delete', 1)",
    """
    create trigger passages_added after insert on passages begin
        insert into passage_words (rowid, label, text) values (new.id, new.label, new.text);
        insert into passage_trigrams (rowid, text)
            select new.id, new.text where new.text glob '*[぀-ヿ㐀-鿿가-힯]*';
        insert into passages_waiting values (new.id);
    end
    """,
    """
    create trigger passages_removed after delete on passages begin
        insert into passage_words (passage_words, rowid, label, text) values ('delete', old.id, old.label, old.text);
        delete from passage_trigrams where rowid = old.id;
    end
    """,
    """
    create table passage_tokens (
        passage_id integer primary key references passages (id) on delete cascade,
        codes blob not null
    ) strict
    """,
    # Counting what has no vectors by what has them would read all of those, at every search.
    """
    create table passages_waiting (
        passage_id integer primary key references passages (id) on delete cascade
    ) strict
    """,
    "create table meta (key text primary key, value text not null) strict",
)


def migrate(db: Database) -> None:
    """Bring the tables up to date; a file that a newer secondme has written is refused."""
    if _pending(db):
        with writing(db):
            # Another process may have brought them up to date while this one waited for the lock.
            if _pending(db):
                migrations.apply(db)


def _pending(db: Database) -> bool:
    known = {migration.name for migration in migrations._migrations}
    applied = {migration.name for migration in migrations.applied(db)}
    if newer := sorted(applied - known):
        raise NewerDatabase(
            f"this memory was written by a newer secondme (it has {newer[-1]})", hint="pip install --upgrade secondme"
        )
    return applied < known
