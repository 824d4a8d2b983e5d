"""Hides notes from one connection: what it asks for is answered as though they had never been stored."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils.db import Database

KEPT = 20_000
"""Names of which it is kept whether they are hidden: each query asks for all of them."""
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
    # What a hidden fact has taken the place of holds up to the next shown one, as if the hidden one were removed.
    """create temp view passed_over as
        with recursive later (id, retired_at, valid_to, by) as (
            select id, retired_at, valid_to, superseded_by from main.memories
            where superseded_by is not null and superseded_by not in temp.shown_facts
            union all
            select l.id, h.retired_at, coalesce(h.valid_to, l.valid_to), h.superseded_by
            from later l join main.memories h on h.id = l.by where l.by not in temp.shown_facts)
        select id, iif(by is null, null, retired_at) retired_at, by, iif(by is null, (
            select iif(count(*), min(was), (select valid_to from main.memories m where m.id = later.id)) from (
                select json_extract(s.value, '$[1].valid_to[0]') was
                from main.changes c, json_each(c.operations, '$.set') s
                where c.undone_at is null and json_extract(s.value, '$[0]') = later.id
                and json_type(s.value, '$[1].valid_to') is not null order by c.id limit 1)), valid_to) valid_to
        from later where by is null or by in temp.shown_facts""",
    # What says the same as a hidden fact may have taken over its first day: of that, only the day of the note is left.
    """create temp view memories as select m.id, m.kind, m.stance, m.text, m.subject, m.attribute, m.value, m.certainty,
        m.recorded_at,
        iif(exists (select 1 from main.memories h where h.superseded_by = m.id and h.valid_from is m.valid_from
                    and h.id not in temp.shown_facts),
            (select min(n.happened_at) from temp.notes n join main.evidence e on e.note_id = n.id
             where e.memory_id = m.id and e.is_wording), m.valid_from) valid_from,
        iif(p.id is null, m.valid_to, p.valid_to) valid_to, iif(p.id is null, m.retired_at, p.retired_at) retired_at,
        iif(p.id is null, m.superseded_by, p.by) superseded_by
        from main.memories m left join temp.passed_over p on p.id = m.id where m.id in temp.shown_facts""",
    """create temp view conflicts as select * from main.conflicts
        where memory_id in temp.shown_facts and other_id in temp.shown_facts""",
    "create temp view turns as select * from main.turns where 0",
)


def hide(db: Database, patterns: Sequence[str]) -> None:
    """Hide the notes whose uri or thread fits one of these patterns, with all that rests on them.

    A pattern has * and ?, means a folder with all that is in it, may begin with ~ or file://, and means capital and
    small letters alike. What is stored later is hidden as well. Facts whose words come from a hidden note are hidden,
    conversations all are; nothing can be stored through this connection.
    """
    fits = re.compile("|".join(_expression(one) for one in patterns if one) or "(?!)", re.DOTALL)

    @lru_cache(KEPT)
    def is_private(uri: str, thread: str) -> bool:
        # A thread may begin with the folder that "*/private/*" means.
        names = [_folded(_without_scheme(name)) for name in (uri, thread)]
        return any(fits.fullmatch(one) for name in names for one in (name, f"/{name}"))

    db.conn.create_function("is_private", 2, is_private, deterministic=True)
    db.conn.execute("create temp view notes as select n.* from main.notes n where not is_private(n.uri, n.thread)")
    for statement in _VIEWS:
        db.conn.execute(statement)


def hides(db: Database) -> bool:
    """True if something is hidden from this connection."""
    return bool(db.conn.execute("select 1 from temp.sqlite_master where name = 'shown_facts'").fetchone())


def _expression(pattern: str) -> str:
    whole = re.escape(_folded(os.path.expanduser(_without_scheme(pattern)).rstrip("/")))
    return whole.replace(r"\*", ".*").replace(r"\?", ".") + "(?:/.*)?"


def _without_scheme(uri: str) -> str:
    return uri.removeprefix("file://")


def _folded(name: str) -> str:
    """Return a name in which capital letters, and the ways to write an accent, are alike."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
