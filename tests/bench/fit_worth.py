"""Fit the weights of secondme/sleep/worth.py, and compare what tells facts from talk.

usage: python tests/bench/fit_worth.py LABELLED.jsonl [--no-model]
A line of the file: {"set": "chat", "author": "Ana", "text": "Ana: I moved to Porto.", "worth": 1, "held": false}.
Prints the area under the ROC curve by length, by wording, by the language model and by all of them, for the lines
fitted to and for those held out, and the weights of all of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondme.config import load_config
from secondme.models.protocols import Usage
from secondme.paths import find_paths
from secondme.plugins import load_plugins
from secondme.sleep.extract import Selector
from secondme.sleep.worth import FEATURES, features

Floats = NDArray[np.float64]
RIDGE = 1.0


def area(scores: Floats, worth: Floats) -> float:
    """Return how often a line worth keeping scores above one that is not."""
    good, bad = scores[worth == 1][:, None], scores[worth == 0]
    return round(float((good > bad).mean() + 0.5 * (good == bad).mean()), 3)


def fit(table: Floats, worth: Floats) -> Floats:
    """Return the weights of a logistic regression with a ridge, the first column being the intercept."""
    mean, spread = table.mean(0), table.std(0) + 1e-9
    mean[0], spread[0] = 0.0, 1.0
    scaled, weights = (table - mean) / spread, np.zeros(table.shape[1])
    ridge = RIDGE * np.eye(len(weights))
    ridge[0, 0] = 0.0
    for _ in range(60):
        chance = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (scaled * (chance * (1 - chance))[:, None]) + ridge
        weights -= np.linalg.solve(slope, scaled.T @ (chance - worth) + ridge @ weights)
    found: Floats = weights / spread
    found[0] -= (weights[1:] * mean[1:] / spread[1:]).sum()
    return found


def ask_model(texts: list[str]) -> list[float]:
    """Return the log-odds of the configured language model for each text."""
    config = load_config(find_paths().config)
    model = load_plugins().language_model(config.models)
    assert model is not None
    selector, usage = Selector(model, me=config.me.name), Usage()
    return [odds for at in range(0, len(texts), 16) for odds in selector.odds(texts[at : at + 16], usage)]


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled")
    parser.add_argument("--no-model", action="store_true")
    args = parser.parse_args()
    lines: list[dict[str, Any]] = [json.loads(line) for line in Path(args.labelled).read_text("utf-8").splitlines()]
    odds = [0.0] * len(lines) if args.no_model else ask_model([line["text"] for line in lines])
    table = np.array(
        [features(line["text"], author=line["author"], model=one) for line, one in zip(lines, odds, strict=True)]
    )
    worth = np.array([float(line["worth"]) for line in lines])
    held = np.array([bool(line["held"]) for line in lines])
    lengths = np.array([float(len(line["text"])) for line in lines])
    wording = table[:, :-1] @ fit(table[~held][:, :-1], worth[~held])
    weights = fit(table[~held], worth[~held])
    for name, scores in (("length", lengths), ("wording", wording), ("model", table[:, -1]), ("all", table @ weights)):
        by_set = {
            one: area(scores[mask], worth[mask])
            for one in sorted({line["set"] for line in lines})
            if 0 < worth[mask := held & np.array([line["set"] == one for line in lines])].sum() < mask.sum()
        }
        fitted, other = area(scores[~held], worth[~held]), area(scores[held], worth[held])
        print(f"{name:8} fitted {fitted} held out {other} {by_set}")
    print({name: round(float(weight), 2) for name, weight in zip(FEATURES, weights, strict=True)})


if __name__ == "__main__":
    main()
