"""Measure answers over facts of which later ones overrule earlier ones: exact match with and without a night.

usage: python tests/bench/fact_consolidation.py FACTCONSOLIDATION.json [--no-sleep] [--limit N] [--show]
The facts are added one by one as typed notes, a minute apart in the order of the list; questions are asked briefly.
An answer is right when, without case, articles and punctuation, the expected one is in it.
"""

from __future__ import annotations

import argparse
import json
import re
import string
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from secondme import Assistant, Note


def normal(text: str) -> str:
    """Return a text as answers are compared."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


def main() -> None:
    """Add, sleep, ask, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--no-sleep", action="store_true")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    samples = json.loads(Path(args.data).read_text(encoding="utf-8"))
    sample = next(one for one in samples if "_sh_" in one["source"])
    facts = re.findall(r"^\d+\. (.+)$", sample["context"], re.MULTILINE)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as home, Assistant.open(home) as me:
        me.add_many(Note(fact, happened_at=start + timedelta(minutes=at)) for at, fact in enumerate(facts))
        report = None if args.no_sleep else me.sleep()
        right = contained = 0
        asked = list(zip(sample["questions"], sample["answers"], strict=True))[: args.limit]
        began = time.monotonic()
        for question, accepted in asked:
            expected = [normal(one) for one in ([accepted] if isinstance(accepted, str) else accepted)]
            said = normal(me.ask(question, brief=True).text)
            is_right, is_in = said in expected, any(one in said for one in expected)
            right, contained = right + is_right, contained + is_in
            if args.show and not is_right:
                print(is_in, "|", question, "|", accepted, "|", said, flush=True)
        figures = {
            "facts": len(facts),
            "questions": len(asked),
            "exact": right / len(asked),
            "contained": contained / len(asked),
            "seconds_per_question": round((time.monotonic() - began) / len(asked), 2),
            "sleep": report and {"seconds": report.seconds, "calls": report.calls, "changes": dict(report.changes)},
        }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
