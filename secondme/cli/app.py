"""Puts the commands together and runs one of them."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated

import typer
from typer.main import get_command

from secondme import __version__, network
from secondme.cli.output import say
from secondme.cli.table import COMMANDS
from secondme.config import load_config
from secondme.errors import ConfigError, UsageError
from secondme.paths import find_paths
from secondme.plugins import Plugins, load_plugins
from secondme.privacy import close_to_others

PROGRAM = "secondme"
FETCHING = ("model", "demo")
"""The commands that may use the network."""
EVERY = "every"
"""Stands for all commands where one may be named."""


def run(arguments: list[str]) -> int:
    """Run `secondme` with `arguments` and return its exit code; raises SecondmeError."""
    if _named(arguments) not in FETCHING:
        # Not the kernel's filter: an editor that is opened would be without network too.
        network.keep_to_this_machine()
    loaded = _load_plugins()
    app = build_app(loaded, named=_named(arguments))
    for failed in loaded.failed:
        say(f"{PROGRAM}: plugin {failed.what!r} could not be loaded: {failed.why}")
    if f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        app(prog_name=PROGRAM)
    command = get_command(app)
    _close_to_others()
    try:
        # Not app(): it would turn a closed pipe into an error and print usage errors in another form than ours.
        with command.make_context(PROGRAM, arguments, obj=loaded) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        where = getattr(error, "ctx", None)
        if where and error.format_message() == where.get_help():  # a group of commands without one of them
            print(where.get_help(), file=sys.stderr)
            return 2
        path = where.command_path if where else PROGRAM
        raise UsageError(error.format_message(), hint=f"{path} --help") from error
    return 0


def build_app(loaded: Plugins, *, named: str = EVERY) -> typer.Typer:
    """Return all commands, those of plugins included; of our own, only those beside the one named can be run."""
    app = typer.Typer(
        name=PROGRAM,
        rich_markup_mode=None,  # rich takes longer to import than all of the help to show
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(secondme)
    for module, helps in COMMANDS.items():
        if named == EVERY or named in helps:
            import_module(f"secondme.cli.{module}").register(app)
        else:
            for name, help in helps.items():
                app.command(name, help=help)(_not_loaded)
    loaded.register_commands(app)
    return app


def _named(arguments: list[str]) -> str:
    """Return which of our commands are to be loaded: the one that is called, or every one to complete a line."""
    return EVERY if f"_{PROGRAM.upper()}_COMPLETE" in os.environ else next(iter(arguments), "")


def _not_loaded() -> None:
    """Stand for a command that is not the one called."""
    raise AssertionError("a command was called that was not loaded")


def secondme(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """A personal memory that lives in the terminal and never leaves the machine."""
    if version:
        print(f"{PROGRAM} {__version__}")
    elif context.invoked_subcommand is None:
        if sys.stdin.isatty() and sys.stdout.isatty():
            from secondme.cli.chat import open_screen

            open_screen(context)
            return
        print(context.get_help(), file=sys.stderr)
        raise typer.Exit(2)


def _close_to_others() -> None:
    done = close_to_others(find_paths())
    if done.closed:
        names = ", ".join(map(str, done.closed))
        say(f"{PROGRAM}: others on this machine could look into {names}; now only you can")
    if done.open:
        names = ", ".join(map(str, done.open))
        say(f"{PROGRAM}: others on this machine can look into {names}, and that cannot be changed from here")


def _load_plugins() -> Plugins:
    try:
        return load_plugins(load_config(find_paths().config).plugins.disabled)
    except ConfigError:
        # Help and `config path` work all the same; a command that needs the settings says what is wrong with them.
        return load_plugins(installed=False)
