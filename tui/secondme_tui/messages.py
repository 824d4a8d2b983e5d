"""What threads tell the screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.message import Message


class Call(Message):
    """Something is there: `function` is to be called with it on the thread of the screen."""

    def __init__(self, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self.function = function
        self.arguments = arguments
