"""The statements behind the later migrations: conversations, and what makes a memory trustworthy."""

from __future__ import annotations

CHATS = (
    """
    create table chats (
        id integer primary key autoincrement,
        name text not null,
        started_at text not null
    ) strict
    """,
    # A turn is stored before it is answered; one that has no answer was cut off.
    """
    create table turns (
        id integer primary key autoincrement,
        chat_id integer not null references chats (id) on delete cascade,
        kind text not null,
        text text not null,
        said_at text not null,
        -- What was said, kept as a note: the turn goes with it.
        note_id integer references notes (id) on delete cascade,
        answer text not null,
        regime text not null,
        is_whole integer not null
    ) strict
    """,
    "create index turns_chat on turns (chat_id)",
    "create index turns_note on turns (note_id)",
    # All that the model was shown: an answer may be in the words of what it does not cite.
    """
    create table turn_sources (
        turn_id integer not null references turns (id) on delete cascade,
        number integer not null,
        note_id integer not null,
        name text not null,
        is_cited integer not null,
        primary key (turn_id, number)
    ) strict, without rowid
    """,
    "create index turn_sources_note on turn_sources (note_id)",
    # By uri, so that it holds for each version of an item.
    "create table pinned_notes (uri text primary key) strict, without rowid",
    "create table pinned_facts (memory_id integer primary key references memories (id) on delete cascade) strict",
)

TRUST = (
    # Salted hashes of names and texts that were forgotten: they tell nothing, and keep files from coming back.
    "create table tombstones (fingerprint text primary key, forgotten_at text not null) strict, without rowid",
    "insert into meta values ('salt', lower(hex(randomblob(32))))",
    # Notes whose lines may become facts about the user although of their origin they could not. By id: another version
    # of the text is not what was looked at.
    """
    create table releases (
        note_id integer primary key references notes (id) on delete cascade,
        released_at text not null
    ) strict
    """,
    # Chats of others that were read from files are no conversations with this memory.
    "update notes set origin = 'import' where origin = 'chat' and thread not glob 'chat:[0-9]*'",
    # Evidence stands between two of these in a prompt. It stays, so that what a model has read stays usable.
    "insert into meta values ('fence', 'q' || lower(hex(randomblob(4))))",
    # Copies of the memory that the user had made elsewhere: forgetting looks into them too.
    "create table copies (path text primary key, made_at text not null) strict, without rowid",
    # Each hash is over what a change did and the hash before it.
    """
    create table chain (
        change_id integer primary key references changes (id),
        hash text not null
    ) strict
    """,
)
