"""A small invented vault to try secondme on, and what to ask of it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

QUESTIONS: tuple[str, ...] = (
    "How much did the bicycle cost?",
    "What rent do I pay from October 2025?",
    "When did Ines move to Bergen?",
)
"""One plain fact, one thing that changed over time, one date."""


def vault() -> Path:
    """Return the folder of sample notes and the chat; it belongs to the installation and is only read."""
    return Path(str(files(__name__))) / "vault"
