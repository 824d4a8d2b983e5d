"""The statements behind the migrations; what a released one runs is never edited."""

from __future__ import annotations

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

FACTS = (
    # The text of a fact never changes; what time and later facts do to it is in the columns below.
    """
    create table memories (
        id integer primary key autoincrement,
        kind text not null,
        stance text not null,
        text text not null,
        subject text not null,
        attribute text not null,
        value text not null,
        certainty real not null,
        recorded_at text not null,
        valid_from text,
        valid_to text,
        retired_at text,
        superseded_by integer references memories (id) on delete set null
    ) strict
    """,
    "create index memories_subject on memories (subject, attribute)",
    "create index memories_superseded on memories (superseded_by)",
    # The journal names lines by their number: one that was removed must never be another.
    """
    create table evidence (
        id integer primary key autoincrement,
        memory_id integer not null references memories (id) on delete cascade,
        note_id integer not null references notes (id) on delete cascade,
        byte_start integer not null,
        byte_end integer not null,
        line_start integer not null,
        line_end integer not null,
        quote_hash text not null,
        -- Whether the text of the fact is in the words of this line; the others say the same in theirs.
        is_wording integer not null,
        unique (memory_id, note_id, byte_start, byte_end)
    ) strict
    """,
    "create index evidence_note on evidence (note_id)",
    "create index evidence_quote on evidence (quote_hash)",
    """
    create table conflicts (
        memory_id integer not null references memories (id) on delete cascade,
        other_id integer not null references memories (id) on delete cascade,
        primary key (memory_id, other_id)
    ) strict
    """,
    "create index conflicts_other on conflicts (other_id)",
    """
    create virtual table memory_words using fts5 (
        text, content = 'memories', content_rowid = 'id', tokenize = "porter unicode61 remove_diacritics 2"
    )
    """,
    "insert into memory_words (memory_words, rank) values ('secure-delete', 1)",
    """
    create trigger memories_added after insert on memories begin
        insert into memory_words (rowid, text) values (new.id, new.text);
    end
    """,
    """
    create trigger memories_removed after delete on memories begin
        insert into memory_words (memory_words, rowid, text) values ('delete', old.id, old.text);
    end
    """,
    """
    create table memory_tokens (
        memory_id integer primary key references memories (id) on delete cascade,
        codes blob not null
    ) strict
    """,
    """
    create table runs (
        id integer primary key autoincrement,
        started_at text not null,
        ended_at text,
        state text not null,
        model text not null,
        report text not null
    ) strict
    """,
    # What a change did is in ids and moments, never in text: forgetting has nothing to look for here.
    """
    create table changes (
        id integer primary key autoincrement,
        run_id integer not null references runs (id),
        verb text not null,
        memory_id integer not null,
        reason text not null,
        operations text not null,
        made_at text not null,
        undone_at text,
        review text not null
    ) strict
    """,
    "create index changes_run on changes (run_id)",
    "create index changes_memory on changes (memory_id)",
    """
    create table rejections (
        id integer primary key,
        note_id integer not null references notes (id) on delete cascade,
        byte_start integer not null,
        byte_end integer not null,
        quote_hash text not null,
        text text not null,
        reason text not null,
        run_id integer references runs (id),
        unique (note_id, byte_start, byte_end, text)
    ) strict
    """,
    "create index rejections_quote on rejections (quote_hash)",
    "create index rejections_run on rejections (run_id)",
    # Passages that are not in here wait for the next night.
    """
    create table digested (
        passage_id integer primary key references passages (id) on delete cascade,
        run_id integer references runs (id)
    ) strict
    """,
    "create index digested_run on digested (run_id)",
    # Each thread is looked up by name when it has grown.
    "create index notes_thread on notes (thread)",
    """
    create table topics (
        passage_id integer primary key references passages (id) on delete cascade,
        topic integer not null
    ) strict
    """,
)

FOLDERS = (
    """
    create table folders (
        id integer primary key autoincrement,
        path text not null unique,
        kind text not null,
        deleted text not null,
        state text not null,
        why text not null,
        added_at text not null,
        scanned_at text
    ) strict
    """,
    """
    create table files (
        id integer primary key,
        folder_id integer not null references folders (id) on delete cascade,
        path text not null unique,
        size integer not null,
        mtime_ns integer not null,
        inode integer not null,
        digest text not null,
        state text not null,
        why text not null,
        missing_since text
    ) strict
    """,
    "create index files_folder on files (folder_id, state)",
    "create index files_digest on files (digest)",
    # What of the memory is in which file: it goes where the file goes.
    """
    create table file_items (
        file_id integer not null references files (id) on delete cascade,
        uri text not null,
        primary key (file_id, uri)
    ) strict, without rowid
    """,
    """
    create table jobs (
        path text primary key,
        folder_id integer not null references folders (id) on delete cascade,
        attempts integer not null,
        not_before text not null,
        lease_until text,
        error text not null
    ) strict
    """,
)
