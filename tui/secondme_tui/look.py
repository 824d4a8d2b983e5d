"""Which theme and which keys the user wants."""

from __future__ import annotations

import os
import re
import select
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules

from textual.theme import BUILTIN_THEMES

from secondme.errors import ConfigError

NAMES = {"dark": "textual-dark", "light": "textual-light", "ansi": "ansi-dark"}
PATIENCE = 0.2
"""Seconds for which a terminal may think about its background; all but a few answer at once."""
_ATTRIBUTES = re.compile(r"\x1b\[\?[0-9;]*c")
_BACKGROUND = re.compile(r"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")


def theme_for(wanted: str) -> str:
    """Return the name of the theme for a setting; "auto" follows the background of the terminal. Raises ConfigError."""
    if wanted == "auto":
        return NAMES["light" if _is_light() else "dark"]
    name = NAMES.get(wanted, wanted)
    if name not in {theme.name for theme in BUILTIN_THEMES.values()}:
        raise ConfigError(
            f"chat.theme: there is no theme {wanted!r}",
            hint=f"auto, dark, light, ansi, {', '.join(sorted(theme for theme in BUILTIN_THEMES))}",
        )
    return name


def keymap(settings: Iterable[str]) -> Mapping[str, str]:
    """Return keys by the id of their action, from lines such as "chat.threads = ctrl+l". Raises ConfigError."""
    lines, found = list(settings), dict[str, str]()
    known = action_ids() if lines else set()
    for line in lines:
        action, sign, keys = (part.strip() for part in line.partition("="))
        if not (sign and action and keys):
            raise ConfigError(f"chat.keys: {line!r} is no key", hint='write it like "chat.threads = ctrl+l"')
        if action not in known:
            near = [one for one in sorted(known) if one.split(".")[0] == action.split(".")[0]]
            raise ConfigError(f"chat.keys: there is no action {action!r}", hint=", ".join(near or sorted(known)))
        found[action] = keys
    return found


def action_ids() -> set[str]:
    """Return the ids of all actions that can have another key."""
    from textual.binding import Binding

    from secondme_tui import app, screens, widgets

    inside = [f"{one.__name__}.{found.name}" for one in (screens, widgets) for found in iter_modules(one.__path__)]
    modules = [app, *map(import_module, inside)]
    owners = [one for module in modules for one in vars(module).values() if hasattr(one, "BINDINGS")]
    bindings = [one for owner in owners for one in owner.BINDINGS]
    return {one.id for one in bindings if isinstance(one, Binding) and one.id}


def _is_light() -> bool:
    reply = _BACKGROUND.search(_asked("\x1b]11;?\x1b\\\x1b[c"))
    if reply:
        red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in reply.groups())
        return bool(0.299 * red + 0.587 * green + 0.114 * blue > 0.5)
    # Some terminals say it in a variable: foreground;background, in the 16 colours of old.
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def _asked(question: str) -> str:
    """Return what the terminal answers, "" where it is none or says nothing.

    The question ends with one that every terminal answers, so that nobody waits for one that does not know the other.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") in ("dumb", "linux"):
        return ""
    import termios
    import tty

    stdin, answer = sys.stdin.fileno(), ""
    before = termios.tcgetattr(stdin)
    try:
        tty.setcbreak(stdin)
        os.write(sys.stdout.fileno(), question.encode())
        # A "c" alone is no end: it is a digit of a colour too.
        while not _ATTRIBUTES.search(answer) and select.select([stdin], [], [], PATIENCE)[0]:
            block = os.read(stdin, 1024)
            if not block:
                break
            answer += block.decode("latin-1")
    finally:
        termios.tcsetattr(stdin, termios.TCSANOW, before)
    return answer
