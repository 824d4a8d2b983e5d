"""Asks questions of LoCoMo with all evidence read anew, with pages, and with some of both; tells F1 and first words.

usage: python -P tests/bench/first_word.py DATA.json... [--per-category 16] [--fresh all 0 1 2 3 4] [--kv f16]
       [--model ALIAS] [--out FILE.jsonl]
       python -P tests/bench/first_word.py --replay 300 DATA.json... [--fresh 1] [--budget BYTES] [--model ALIAS]
       python -P tests/bench/first_word.py --report FILE.jsonl...

DATA are conversations as LoCoMo publishes them. A replay asks so many questions in a mixed order over one memory of
all, with no pages at first; after each tenth of them passages are read ahead, as the background process does when
nobody asks. It tells hits, first words and memory. Else pages are made before the clock runs. F1 is the benchmark's,
with Porter stems; the paired test is by flipping signs at random. Each answer is one line of --out.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import psutil
from bench.loaded import Loaded

from secondme.assistant import Assistant
from secondme.config import AnswerConfig, Config, ModelsConfig, load_config
from secondme.paths import find_paths
from secondme.plugins import Plugins, load_plugins
from secondme.reading_ahead import read_ahead, read_pages
from secondme.records import Note

BUDGET = 8_000_000_000
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open", 4: "single-hop"}
_ARTICLES = re.compile(r"\b(a|an|the|and)\b")


def main() -> None:
    """Ask, or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*")
    parser.add_argument("--per-category", type=int, default=16, help="questions per file and category")
    parser.add_argument("--fresh", nargs="+", default=["all", "0", "1", "2", "3", "4"])
    parser.add_argument("--kv", default="f16")
    parser.add_argument("--model", default="")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", default="first_word.jsonl")
    parser.add_argument("--replay", type=int, default=0)
    parser.add_argument("--budget", type=int, default=ModelsConfig().page_budget)
    parser.add_argument("--report", nargs="+", metavar="FILE")
    args = parser.parse_args()
    if args.report:
        report([json.loads(line) for name in args.report for line in Path(name).read_text().splitlines()])
        return
    models = load_config(find_paths().config).models
    models = replace(models, kv=args.kv, threads=args.threads, language=args.model or models.language)
    plugins = load_plugins(installed=False)
    plugins.register(Loaded(plugins, models), "loaded")
    if args.replay:
        replay(args, models, plugins)
        return
    with Path(args.out).open("a", encoding="utf-8") as out:
        for name in args.data:
            for row in answers(name, args, models, plugins):
                print(json.dumps(row), file=out, flush=True)


def answers(name: str, args: argparse.Namespace, models: ModelsConfig, plugins: Plugins) -> Iterator[dict[str, Any]]:
    """Yield a row for each answer to the questions of a file."""
    samples = json.loads(Path(name).read_text(encoding="utf-8"))
    for sample in samples:
        with tempfile.TemporaryDirectory() as home:
            with Assistant.open(home, config=Config(models=models), plugins=plugins) as me:
                me.add_many(notes_of(sample))
            if set(args.fresh) - {"all"}:
                make_pages(home, models, plugins)
            for question in chosen(sample, max(1, args.per_category // len(samples))):
                for fresh in args.fresh:
                    config = Config(models=replace(models, fresh=fresh, page_budget=BUDGET))
                    with Assistant.open(home, config=config, plugins=plugins) as me, me.pages() as pages:
                        row = answer(me, question)
                        kept = pages.statistics()
                    named = {"file": Path(name).name, "model": models.language, "kv": models.kv, "fresh": fresh}
                    yield named | row | {"page_bytes": kept.bytes / max(kept.pages, 1)}


def make_pages(home: str, models: ModelsConfig, plugins: Plugins) -> None:
    """Have everything read that the questions may be answered from."""
    config = Config(models=replace(models, fresh="0", page_budget=BUDGET))
    with Assistant.open(home, config=config, plugins=plugins) as me:
        passages = me.store.passages(me.searcher().layout().ids.tolist())
        began = time.perf_counter()
        made = read_pages(me, passages, brief=True)
        took = time.perf_counter() - began
        print(f"{made} pages of {len(passages)} passages, {100 * took / max(made, 1):.0f} s for 100", flush=True)


def replay(args: argparse.Namespace, models: ModelsConfig, plugins: Plugins) -> None:
    """Ask many questions in a row over one memory."""
    samples = [one for name in args.data for one in json.loads(Path(name).read_text(encoding="utf-8"))]
    pool = [one for sample in samples for one in sample["qa"] if one["category"] in CATEGORIES]
    draw = random.Random(1)
    asked = [draw.choice(pool) for _ in range(args.replay)]
    models = replace(models, fresh=args.fresh[0], page_budget=args.budget)
    # What is said is not looked at.
    config = Config(models=models, answer=AnswerConfig(max_tokens=8))
    size, process = max(1, len(asked) // 10), psutil.Process()
    with tempfile.TemporaryDirectory() as home, Assistant.open(home, config=config, plugins=plugins) as me:
        for number, sample in enumerate(samples):
            me.add_many(
                replace(note, uri=f"{number}:{note.uri}", thread=f"{number} {note.thread}") for note in notes_of(sample)
            )
        for start in range(0, len(asked), size):
            part = [answer(me, question, brief=False) for question in asked[start : start + size]]
            shown, loaded, read = (
                sum(row[name] or 0 for row in part) for name in ("shown", "pages_loaded", "tokens_evaluated")
            )
            words = statistics.median(row["seconds_to_first_word"] or 0 for row in part)
            began = time.perf_counter()
            made = read_ahead(me)
            print(
                f"{start + len(part)}: {loaded} of {shown} from pages, {read / len(part):.0f} tokens read, "
                f"first word {words:.2f} s, {process.memory_info().rss / 1e6:,.0f} MB; "
                f"then {made} pages made in {time.perf_counter() - began:.0f} s",
                flush=True,
            )
        print(me.pages().statistics())


def answer(me: Assistant, question: dict[str, Any], *, brief: bool = True) -> dict[str, Any]:
    """Ask once."""
    found = me.ask(question["question"], brief=brief)
    keys = ("seconds_to_evidence", "seconds_to_first_word", "seconds", "tokens_evaluated", "tokens_sent")
    trace = {key: found.trace.get(key) for key in (*keys, "tokens_written", "pages_loaded", "pages_made")}
    trace["shown"] = len(found.trace.get("evidence_shown", ()))
    text = "" if found.abstained else found.text
    gold, category = str(question["answer"]), question["category"]
    named = {"question": question["question"], "category": category, "gold": gold, "said": text}
    return named | {"f1": score(text, gold, category, stems=me.store.index.terms), **trace}


def notes_of(sample: dict[str, Any]) -> Iterator[Note]:
    """Yield the turns of a conversation."""
    talk = sample["conversation"]
    for number in sorted(int(found[1]) for key in talk if (found := re.fullmatch(r"session_(\d+)", key))):
        start = datetime.strptime(talk[f"session_{number}_date_time"].strip(), "%I:%M %p on %d %B, %Y").replace(
            tzinfo=UTC
        )
        for position, turn in enumerate(talk[f"session_{number}"]):
            picture = f" [shares a picture: {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            said_at = start + timedelta(seconds=20 * position)
            yield Note(
                turn["text"] + picture,
                uri=turn["dia_id"],
                thread=f"session {number}",
                author=turn["speaker"],
                happened_at=said_at,
                origin="chat",
            )


def chosen(sample: dict[str, Any], share: int) -> Iterator[dict[str, Any]]:
    """Yield so many questions of each category that the text answers."""
    for category in CATEGORIES:
        pool = [one for one in sample["qa"] if one["category"] == category and one.get("evidence")]
        random.Random(1).shuffle(pool)
        yield from pool[:share]


def score(said: str, gold: str, category: int, *, stems: Callable[[str], list[str]]) -> float:
    """Return F1 as the benchmark counts it."""

    def f1(one: str, other: str) -> float:
        first, second = (stems(_ARTICLES.sub(" ", text.lower())) for text in (one, other))
        same = sum((Counter(first) & Counter(second)).values())
        return 2 * same / (len(first) + len(second)) if same else 0.0

    if category == 1:
        return statistics.fmean(max(f1(one, part) for one in said.split(",")) for part in gold.split(","))
    return f1(said, gold.split(";")[0] if category == 3 else gold)


def report(rows: list[dict[str, Any]]) -> None:
    """Print a line for each model, kind of memory and number read anew."""
    groups: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows:
        groups[row["model"], row["kv"], row["fresh"]][f"{row['file']} {row['question']}"] = row
    print(
        "model kv fresh | n | F1 mean of categories, then each | better, worse, p | first word p50 p95 | read | page KB"
    )
    for (model, kv, fresh), found in groups.items():
        all_read = groups.get((model, "f16", "all"), {})
        by = {c: [row["f1"] for row in found.values() if row["category"] == c] for c in CATEGORIES}
        means = [statistics.fmean(values) for values in by.values() if values]
        pairs = [(row["f1"], all_read[key]["f1"]) for key, row in found.items() if key in all_read]
        words = sorted(row["seconds_to_first_word"] for row in found.values() if row["seconds_to_first_word"])
        better, worse = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
        print(
            f"{model} {kv:5} {fresh:>3} | {len(found)} | {statistics.fmean(means):.3f}  "
            + " ".join(f"{mean:.3f}" for mean in means)
            + f" | +{better} -{worse} p={chance([a - b for a, b in pairs]):.2f}"
            + f" | {words[len(words) // 2]:.2f} {words[int(len(words) * 0.95)]:.2f} s"
            + f" | {statistics.fmean(row['tokens_evaluated'] or 0 for row in found.values()):.0f} tokens"
            + f" | {statistics.fmean(row['page_bytes'] for row in found.values()) / 1000:.0f}"
        )


def chance(differences: list[float]) -> float:
    """Return how often differences at least as low on the whole come by chance: low means worse than reading all."""
    draw, total = random.Random(1), sum(differences)
    trials = 5000
    hits = sum(sum(d * draw.choice((-1, 1)) for d in differences) <= total + 1e-12 for _ in range(trials))
    return hits / trials


if __name__ == "__main__":
    main()
