"""Ask the questions of demo_questions.toml on the sample vault with the configured model, and print how it does.

usage: python -P demo_answers.py [--only KIND] [--brief] [--ahead] [--show]
One line of JSON for each kind of question and one for all: the share of answers with all expected words (case and
commas in numbers aside), the share whose citations hold a line that proves it, the share that abstained, and the
median seconds to the evidence, to the first word and to the end, and the mean of the tokens that were read.
SECONDME_MODELS_LANGUAGE chooses another model, SECONDME_MODELS_FRESH how much is read anew.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from secondme import Assistant
from secondme.cli.intake import notes_at
from secondme.demo import vault
from secondme.reading_ahead import read_ahead
from secondme.records import Answer, Match

QUESTIONS = Path(__file__).with_name("demo_questions.toml")
UNANSWERABLE = "unanswerable"


@dataclass(frozen=True)
class Result:
    """How one question was answered."""

    kind: str
    question: str
    answer: Answer
    has_words: bool
    has_evidence: bool


def read_questions(path: Path = QUESTIONS) -> list[dict[str, Any]]:
    """Return all questions, those without an answer as a kind of their own."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    without = [{"question": question, "kind": UNANSWERABLE} for question in read["unanswerable"]]
    return [*read["questions"], *without]


def add_vault(me: Assistant) -> None:
    """Add the sample vault with its vectors."""
    me.add_many(notes_at([str(vault())], me))


def proves(match: Match, entry: Mapping[str, Any]) -> bool:
    """True if the passage holds a line that the question names as evidence."""
    return any(_holds_line(match, vault() / source["file"], source["line"]) for source in entry.get("evidence", ()))


def _holds_line(match: Match, path: Path, line: int) -> bool:
    if path.suffix == ".jsonl":
        said = path.read_text(encoding="utf-8").split("\n")[line - 1]
        return bool(match.uri == json.loads(said)["uri"])
    return Path(match.uri) == path and match.line_start <= line <= match.line_end


def ask(me: Assistant, entry: Mapping[str, Any], *, brief: bool) -> Result:
    """Ask one question."""
    answer = me.ask(entry["question"], brief=brief)
    said = _plain(answer.text)
    return Result(
        entry["kind"],
        entry["question"],
        answer,
        has_words=not answer.abstained and all(_plain(word) in said for word in entry.get("expected", ())),
        has_evidence=any(proves(match, entry) for match in answer.citations),
    )


def _plain(text: str) -> str:
    return re.sub(r"(?<=\d),(?=\d)", "", text).casefold()


def figures(kind: str, results: Iterable[Result]) -> dict[str, object]:
    """Return the figures of some questions."""
    some = list(results)
    traces = [result.answer.trace for result in some]
    times = {
        name: [trace[key] for trace in traces if key in trace]
        for name, key in (
            ("evidence", "seconds_to_evidence"),
            ("first_word", "seconds_to_first_word"),
            ("end", "seconds"),
        )
    }
    return {
        "kind": kind,
        "questions": len(some),
        "all_words": round(sum(result.has_words for result in some) / len(some), 3),
        "evidence_cited": round(sum(result.has_evidence for result in some) / len(some), 3),
        "abstained": round(sum(result.answer.abstained for result in some) / len(some), 3),
        **{f"seconds_to_{name}_p50": round(statistics.median(each), 3) for name, each in times.items() if each},
        "tokens_read_mean": round(statistics.fmean(trace.get("tokens_evaluated", 0) for trace in traces)),
    }


def report(results: list[Result]) -> list[dict[str, object]]:
    """Return the figures by kind of question, and of all that have an answer."""
    kinds = dict.fromkeys(result.kind for result in results)
    rows = [figures(kind, [result for result in results if result.kind == kind]) for kind in kinds]
    answerable = [result for result in results if result.kind != UNANSWERABLE]
    return [*rows, figures("all answerable", answerable)] if answerable else rows


def main() -> None:
    """Print one line of JSON a kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="ask the questions of this kind only")
    parser.add_argument("--brief", action="store_true", help="ask for a phrase; its text has no marks")
    parser.add_argument(
        "--ahead", action="store_true", help="have the vault read ahead, as the background process does"
    )
    parser.add_argument("--show", action="store_true", help="print every answer")
    args = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as home, Assistant.open(home) as me:
        add_vault(me)
        if args.ahead:
            print(f"{read_ahead(me)} pages made", flush=True)
        for entry in read_questions():
            if args.only in ("", entry["kind"]):
                results.append(result := ask(me, entry, brief=args.brief))
                if args.show:
                    marks = f"{'words' if result.has_words else '-'} {'evidence' if result.has_evidence else '-'}"
                    print(f"{result.question}\n  [{marks}] {result.answer.text}", flush=True)
    for row in report(results):
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
