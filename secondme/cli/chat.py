"""`secondme chat`, and `secondme` alone: the terminal interface, or its conversation line by line."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from secondme.errors import SecondmeError, UsageError

Plainly = Annotated[bool, typer.Option("--plain", help="Line by line, without a screen: for screen readers and pipes.")]
Conversation = Annotated[int | None, typer.Argument(metavar="[NUMBER]", help="The conversation to go on with.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(chat)


def chat(context: typer.Context, number: Conversation = None, plain: Plainly = False) -> None:
    """Talk with your memory: what you say is kept, what you ask is answered. The other screens are a key away."""
    if plain:
        from secondme.cli.plain import converse

        converse(context, number)
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("chat needs a terminal", hint="secondme chat --plain; or: secondme ask QUESTION")
    else:
        open_screen(context, number)


def open_screen(context: typer.Context, number: int | None = None) -> None:
    """Run the terminal interface until the user leaves it. Raises SecondmeError where it failed, and ConfigError."""
    from secondme.config import load_config
    from secondme.keys import is_sealed, unlock
    from secondme.paths import find_paths

    paths, settings = find_paths(), load_config(find_paths().config)
    config = settings.chat
    if is_sealed(paths.database):
        # Once there is a screen, there is no other place to type the passphrase.
        unlock(paths, settings)
    # What a key gives is shown with the next frame: at 60 a second, waiting for that takes longer than the search.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    # The one place where the core knows of the screen.
    from secondme_tui.app import SecondmeApp
    from secondme_tui.look import keymap, theme_for

    app = SecondmeApp(plugins=context.obj, theme=theme_for(config.theme), keys=keymap(config.keys), chat=number)
    app.run()
    if app.return_code:
        raise SecondmeError("the interface ended with an error", hint="secondme chat --plain")
