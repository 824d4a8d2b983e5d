"""How a language model is spoken to: our own templates, so that a model file cannot bring instructions along."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Part = tuple[str, bool]
"""A stretch of a prompt, and whether it is markup; in a text, markup means nothing."""
Template = Callable[[str, str, str], Iterator[Part]]
"""Takes the instructions, the question with its evidence, and the first words of the reply."""


def chatml(instructions: str, body: str, lead: str) -> Iterator[Part]:
    """Yield the parts of a prompt for models that were taught the markup of ChatML."""
    if instructions:
        yield "<|im_start|>system\n", True
        yield instructions, False
        yield "<|im_end|>\n", True
    yield "<|im_start|>user\n", True
    yield body, False
    yield "<|im_end|>\n<|im_start|>assistant\n", True
    yield lead, False


def plain(instructions: str, body: str, lead: str) -> Iterator[Part]:
    """Yield the parts of a prompt for models without any markup: paragraphs."""
    yield from ((f"{text}\n\n", False) for text in (instructions, body) if text)
    yield lead, False


TEMPLATES: dict[str, Template] = {"chatml": chatml, "plain": plain}
