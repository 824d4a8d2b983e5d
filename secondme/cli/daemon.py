"""`secondme daemon`: the background process, by hand and as a service of the system."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from secondme.clean import clean
from secondme.cli import running
from secondme.cli.output import say
from secondme.errors import UsageError
from secondme.paths import find_paths

Lines = Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many lines.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written, until Ctrl-C.")]
LOOK = 0.5
"""Seconds between looks at a log that is followed."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Keep watched folders in step and models ready, in the background.")
    running.register(group)
    group.command()(logs)
    group.command()(install)
    group.command()(uninstall)
    app.add_typer(group, name="daemon")


def logs(n: Lines = 50, follow: Follow = False) -> None:
    """Show what the daemon wrote down: events, ids and counts, never any text of yours."""
    from secondme.daemon.logs import last_lines

    paths = find_paths()
    shown = last_lines(paths, n)
    for line in shown:
        print(clean(line))
    if not shown:
        say(f"nothing in {paths.logs}")
    while follow:
        time.sleep(LOOK)
        before, shown = shown, last_lines(paths, 1000)
        new = shown[shown.index(before[-1]) + 1 :] if before and before[-1] in shown else shown
        for line in new:
            print(clean(line), flush=True)


def install() -> None:
    """Have the system start the daemon at each login (systemd or launchd)."""
    from secondme.config import load_config
    from secondme.daemon import units
    from secondme.keys import is_sealed

    paths = find_paths()
    config = load_config(paths.config)
    source = config.key
    if is_sealed(paths.database) and not (source.file or source.command):
        raise UsageError(
            "the memory is encrypted, and a service of the system has nobody to ask for the passphrase",
            hint="secondme config set key.file FILE, or key.command; or by hand at each login: secondme daemon start",
        )
    done = units.install(paths.logs, has_endpoint=bool(config.models.endpoint))
    print(clean(str(done.path)))
    say("the daemon runs, and starts with each login" if done.is_enabled else f"written; {done.what_to_do}")


def uninstall() -> None:
    """Have the system start the daemon no longer."""
    from secondme.daemon import units

    done = units.uninstall()
    print(clean(str(done.path)))
    say("removed, and the daemon has ended" if done.is_enabled else f"removed; {done.what_to_do}")
