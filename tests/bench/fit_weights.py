"""Fit the weights of secondme.recall.ranking to several kinds of data, and print what each of them is worth.

usage: python fit_weights.py EVAL_FOLDER [--rounds 0] [--sessions 200]
EVAL_FOLDER holds locomo.py, longmemeval_recall.py and data/. With --rounds 0 only the present weights are measured.
The objective is the mean over the kinds of data of (recall@5 + 2 recall@10) / 3, at the level of source items.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from secondme import Assistant, Note
from secondme.clock import now
from secondme.recall.query import Query
from secondme.recall.ranking import WEIGHTS, Field, Weights, rank


@dataclass(frozen=True)
class Case:
    """One question, ready to be ranked again and again."""

    kind: str
    query: Query
    field: Field
    codes: dict[int, bytes]
    items: dict[int, str]
    gold: frozenset[str]


def gather(kind: str, notes: list[Note], questions: Iterable[tuple[str, frozenset[str]]]) -> list[Case]:
    """Add the notes to a fresh memory and prepare its questions."""
    cases = []
    with tempfile.TemporaryDirectory() as home, Assistant.open(home) as me:
        me.add_many(notes)
        uris = dict(me.store.db.conn.execute("select p.id, n.uri from passages p join notes n on n.id = p.note_id"))
        for question, gold in questions:
            found = me.search(question)
            codes = me.store.index.codes(found.field.ids)
            searcher = me.searcher()
            query = searcher._query(question, searcher.layout(), me.embedder())
            items = {id: uris[id] for id in found.field.ids.tolist()}
            cases.append(Case(kind, query, found.field, codes, items, gold))
    return cases


def recall_of(case: Case, weights: Weights) -> tuple[float, float]:
    """Return the fraction of evidence among the first 5 and 10 distinct source items."""
    ranking = rank(case.query, case.field, case.codes, weights)
    first = list(dict.fromkeys(case.items[id] for id in case.field.ids[ranking.rows[:60]].tolist()))
    five, ten = (len(case.gold & set(first[:k])) / len(case.gold) for k in (5, 10))
    return five, ten


def measure(cases: list[Case], weights: Weights) -> dict[str, tuple[float, float]]:
    """Return recall@5 and @10 for each kind of data."""
    found: dict[str, list[tuple[float, float]]] = {}
    for case in cases:
        found.setdefault(case.kind, []).append(recall_of(case, weights))
    return {
        kind: (round(statistics.fmean(a for a, _ in rows), 4), round(statistics.fmean(b for _, b in rows), 4))
        for kind, rows in found.items()
    }


def objective(cases: list[Case], weights: Weights) -> float:
    """Return what the fit maximises."""
    return statistics.fmean((five + 2 * ten) / 3 for five, ten in measure(cases, weights).values())


def ascend(cases: list[Case], weights: Weights, rounds: int) -> Weights:
    """Return weights at a local optimum, one weight changed at a time by factors."""
    best = objective(cases, weights)
    for _ in range(rounds):
        before = weights
        for field in fields(Weights):
            for factor in (0.0, 0.5, 0.75, 1.33, 2.0):
                tried = replace(weights, **{field.name: round(getattr(weights, field.name) * factor, 3)})
                if (value := objective(cases, tried)) > best + 5e-4:
                    best, weights = value, tried
                    print(f"{best:.4f} {field.name} = {getattr(weights, field.name)}", flush=True)
        if weights == before:
            break
    return weights


def load(folder: Path, sessions: int) -> list[Case]:
    """Return the cases of all kinds of data in the folder."""
    sys.path.insert(0, str(folder))
    import locomo  # type: ignore[import-not-found]
    import longmemeval_recall as long  # type: ignore[import-not-found]

    cases: list[Case] = []
    for name in ("open", "validation"):
        for talk in locomo.load(str(folder / "data" / f"locomo_{name}.json")):
            asked = [(q.text, q.evidence) for q in talk.questions if q.category != 5 and q.evidence]
            cases += gather(f"chat {name}", locomo.notes_of(talk), asked)
    notes: list[Note] = []
    asked = []
    for line in (folder / "data" / "longmemeval_sessions_pool.jsonl").read_text().splitlines()[:sessions]:
        session = json.loads(line)
        notes += long.notes_of(session["turns"], session["session_id"], long.moment(session["date"]))
    for line in (folder / "data" / "longmemeval_open50.jsonl").read_text().splitlines():
        question: dict[str, Any] = json.loads(line)
        gold: set[str] = set()
        for number, session in enumerate(question["evidence_sessions"]):
            told = long.notes_of(session["turns"], f"{question['question_id']}/{number}", long.moment(session["date"]))
            notes += told
            gold |= {note.uri for note in told}
        if gold and not question["abstention"]:
            asked.append((question["question"], frozenset(gold)))
    return cases + gather("assistant talk", notes, asked)


def main() -> None:
    """Print the measure of the present weights, then fit if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=200)
    args = parser.parse_args()
    cases = load(args.folder, args.sessions)
    np.seterr(all="raise", under="ignore")
    print("present", measure(cases, WEIGHTS), f"{now():%Y-%m-%d}")
    for field in fields(Weights):
        without = replace(WEIGHTS, **{field.name: 0.0})
        print(f"without {field.name:16}", measure(cases, without), flush=True)
    if args.rounds:
        fitted = ascend(cases, WEIGHTS, args.rounds)
        print("fitted", measure(cases, fitted), asdict(fitted))


if __name__ == "__main__":
    main()
