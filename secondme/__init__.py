"""secondme: a personal memory that lives in the terminal and never leaves the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from secondme.errors import SecondmeError
from secondme.records import Added, Answer, Match, Note

if TYPE_CHECKING:
    from secondme.assistant import Assistant

__all__ = ["Added", "Answer", "Assistant", "Match", "Note", "SecondmeError"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Assistant brings the database along, which `secondme --help` must not pay for.
    if name == "Assistant":
        from secondme.assistant import Assistant

        return Assistant
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
