"""`secondme pause`, `resume` and `inhibit`."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta
from typing import Annotated

import typer

from secondme.cli.options import open_memory
from secondme.cli.output import say
from secondme.errors import NoDaemon
from secondme.paths import find_paths

NOT_FOUND, NOT_STARTED = 127, 126
_DURATION = re.compile(r"(\d+) ?(m|min|minutes?|h|hours?|d|days?)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(pause)
    app.command()(resume)
    app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(inhibit)


def pause(
    context: typer.Context,
    duration: Annotated[
        list[str] | None, typer.Argument(metavar="[DURATION]", help='Such as 2h, 30m, or "until tomorrow".')
    ] = None,
) -> None:
    """Let the daemon do nothing in the background until `resume`, or for a while. Questions are still answered."""
    from secondme.clock import now
    from secondme.daemon import pausing

    until = _end(" ".join(duration)) if duration else None
    with open_memory(context, create=True) as me:
        pausing.pause(me.store, until)
        shown = pausing.paused(me.store, now())
    tell_daemon()
    say(f"paused {shown}" if shown else "that moment is over: nothing is paused")


def resume(context: typer.Context) -> None:
    """Let the daemon work again."""
    from secondme.daemon import pausing

    with open_memory(context, create=True) as me:
        pausing.resume(me.store)
    tell_daemon()
    say("resumed")


def inhibit(command: Annotated[list[str], typer.Argument(metavar="COMMAND...")]) -> None:
    """Run a command, and let the daemon do nothing in the background until it ends."""
    import signal
    import subprocess

    from secondme.locks import inhibiting

    with inhibiting(find_paths()):
        tell_daemon()
        try:
            process = subprocess.Popen(command)
        except FileNotFoundError:
            say(f"secondme: no such command: {command[0]}")
            raise typer.Exit(NOT_FOUND) from None
        except OSError as error:
            say(f"secondme: {command[0]}: {(error.strerror or 'cannot be run').lower()}")
            raise typer.Exit(NOT_STARTED) from None
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: process.send_signal(received))
        # Ctrl-C reaches the command as well, and what it makes of it decides.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = process.wait()
    tell_daemon()
    raise typer.Exit(code if code >= 0 else 128 - code)


def tell_daemon() -> bool:
    """Have a running daemon look at what has changed; return whether there is one."""
    from secondme.daemon.client import call_any

    with contextlib.suppress(NoDaemon):
        call_any(find_paths(), "wake")
        return True
    return False


def _end(words: str) -> datetime:
    from secondme.clock import now, parse_moment

    given = words.strip().removeprefix("until ").removeprefix("for ")
    if found := _DURATION.fullmatch(given.lower()):
        return now() + timedelta(**{_UNITS[found[2][0]]: int(found[1])})
    return parse_moment(given, now=now())
