"""Hides notes from one connection: what it asks for is answered as though they had never been stored."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database

_SHOWN_FACT = """exists (select 1 from main.evidence e where e.memory_id = {id} and e.is_wording)
    and not exists (select 1 from main.evidence e where e.memory_id = {id} and e.is_wording
                    and e.note_id not in (select id from temp.notes))"""

# A temporary view comes before the table of its name: every query of this connection goes through these.
_VIEWS = (
    "create temp view passages as select p.* from main.passages p join temp.notes n on n.id = p.note_id",
    "create temp view evidence as select e.* from main.evidence e join temp.notes n on n.id = e.note_id",
    "create temp view passage_terms as select * from main.passage_terms where doc in (select id from temp.passages)",
    # Nothing waits here: whoever sees all of a memory computes its vectors and cuts its topics.
    "create temp view passages_waiting as select * from main.passages_waiting where 0",
    f"create temp view shown_facts as select m.id from main.memories m where {_SHOWN_FACT.format(id='m.id')}",
    # What a hidden fact has taken the place of holds, as far as is shown.
    """create temp view memories as select m.id, m.kind, m.stance, m.text, m.subject, m.attribute, m.value, m.certainty,
        m.recorded_at, m.valid_from, iif(h.is_hidden, null, m.valid_to) valid_to,
        iif(h.is_hidden, null, m.retired_at) retired_at, iif(h.is_hidden, null, m.superseded_by) superseded_by
        from main.memories m
        join (select id, superseded_by is not null and superseded_by not in temp.shown_facts is_hidden
              from main.memories) h on h.id = m.id
        where m.id in temp.shown_facts""",
    """create temp view conflicts as select * from main.conflicts
        where memory_id in temp.shown_facts and other_id in temp.shown_facts""",
    "create temp view turns as select * from main.turns where 0",
)


def hide(db: Database, patterns: Sequence[str]) -> None:
    """Hide the notes whose uri or thread fits one of these patterns, with all that rests on them.

    A pattern has * and ?, may begin with ~ or file://, and means capital and small letters alike. What is stored later
    is hidden as well. Facts whose words come from a hidden note are hidden, conversations all are; nothing can be
    stored through this connection.
    """
    # A view takes no parameters.
    tests = [
        f"lower(file_path(n.{column})) glob lower({_quoted(_expanded(pattern))})"
        for pattern in patterns
        for column in ("uri", "thread")
    ]
    db.conn.create_function("file_path", 1, _without_scheme, deterministic=True)
    shown = f"not ({' or '.join(tests)})" if tests else "1"
    db.conn.execute(f"create temp view notes as select n.* from main.notes n where {shown}")
    for statement in _VIEWS:
        db.conn.execute(statement)


def _expanded(pattern: str) -> str:
    return os.path.expanduser(_without_scheme(pattern)).replace("[", "[[]")


def _without_scheme(uri: str) -> str:
    return uri.removeprefix("file://")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
