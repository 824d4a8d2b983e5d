"""Measure what of secrets is found, what is taken for one, and how fast: python tests/bench/masking.py [FOLDER ...].

Of the notes in folders every hit is shown without what was found, to be looked at by hand.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from secrets_set import negatives, positives

from secondme.secrets import find, mask

SUFFIXES = (".md", ".org", ".txt")


def main() -> None:
    """Print the table of kinds, the false alarms, and the hits in the folders named."""
    whole, found = Counter[str](), Counter[str]()
    for kind, text, secret in positives():
        whole[kind] += 1
        found[kind] += secret not in mask(text) and any(one.kind == kind for one in find(text))
    for kind, count in sorted(whole.items()):
        print(f"{kind:<18} {found[kind]:>3} of {count:>3}")
    print(f"{'all':<18} {found.total():>3} of {whole.total():>3}: {found.total() / whole.total():.1%}")
    alarms = [text for text in negatives() if find(text)]
    print(f"false alarms: {len(alarms)} of {len(negatives())} {alarms}")
    for folder in sys.argv[1:]:
        _look_into(Path(folder))


def _look_into(folder: Path) -> None:
    texts = {path: path.read_text(errors="replace") for path in folder.rglob("*") if path.suffix in SUFFIXES}
    began = time.perf_counter()
    hits = {path: found for path, text in texts.items() if (found := find(text))}
    seconds = time.perf_counter() - began
    size, count = sum(map(len, texts.values())) / 1e6, sum(map(len, hits.values()))
    print(f"{folder.name}: {count} in {len(hits)} of {len(texts):,} notes, {size:.1f} MB, {size / seconds:.1f} MB/s")
    for path, found in hits.items():
        for one in found:
            line = texts[path].count("\n", 0, one.start) + 1
            print(f"  {path.relative_to(folder)}:{line} {one.kind}, {one.end - one.start} characters")


if __name__ == "__main__":
    main()
