"""How a language model is spoken to: our own templates, so that a model file cannot bring instructions along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Part = tuple[str, bool]
"""A stretch of a prompt, and whether it is markup; in a text, markup means nothing."""


@dataclass(frozen=True, slots=True)
class Template:
    """What stands around the question with its evidence."""

    opening: Callable[[str], Iterator[Part]]
    """Takes the instructions."""
    closing: Callable[[str], Iterator[Part]]
    """Takes the first words of the reply."""


def _open_chatml(instructions: str) -> Iterator[Part]:
    if instructions:
        yield "<|im_start|>system\n", True
        yield instructions, False
        yield "<|im_end|>\n", True
    yield "<|im_start|>user\n", True


def _close_chatml(lead: str) -> Iterator[Part]:
    yield "<|im_end|>\n<|im_start|>assistant\n", True
    yield lead, False


def _open_plain(instructions: str) -> Iterator[Part]:
    if instructions:
        yield f"{instructions}\n\n", False


def _close_plain(lead: str) -> Iterator[Part]:
    yield "\n\n", False
    yield lead, False


TEMPLATES = {"chatml": Template(_open_chatml, _close_chatml), "plain": Template(_open_plain, _close_plain)}
"""ChatML for models that were taught its markup; plain for models without any: paragraphs."""
