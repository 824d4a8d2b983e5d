"""`secondme daemon run`, `start`, `stop` and `status`."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import typer

from secondme.clean import clean
from secondme.cli.options import Json
from secondme.cli.output import counted, duration, print_json, say
from secondme.config import load_config
from secondme.errors import Locked, NoDaemon
from secondme.paths import Paths, find_paths

KeyFromStdin = Annotated[bool, typer.Option("--key-from-stdin", hidden=True, help="What `daemon start` hands over.")]
PATIENCE = 10.0
"""Seconds a daemon has to begin or to end."""


def register(group: typer.Typer) -> None:
    """Add the commands to the group."""
    group.command()(run)
    group.command()(start)
    group.command()(stop)
    group.command()(status)


def run(key_from_stdin: KeyFromStdin = False) -> None:
    """Be the daemon, in the foreground, until Ctrl-C or a signal: for service managers and for a look at it."""
    import asyncio

    from secondme import network
    from secondme.daemon import loop
    from secondme.daemon.logs import set_up_logging
    from secondme.keys import take
    from secondme.locks import daemon_lock

    if key_from_stdin:
        take()
    paths = find_paths()
    config = load_config(paths.config)
    network.give_up(keeps_loopback=bool(config.models.endpoint))
    with daemon_lock(paths):
        set_up_logging(paths)
        if not asyncio.run(loop.run(paths, config)):
            # A thread is in the middle of a large file: what it has not stored is read again by the next daemon.
            os._exit(0)


def start() -> None:
    """Start the daemon in the background."""
    from secondme.daemon.client import start_daemon
    from secondme.keys import unlock

    paths = find_paths()
    config = load_config(paths.config)
    if pid := _running(paths):
        say(f"a daemon runs already (process {pid})")
        return
    unlock(paths, config)
    start_daemon()
    deadline = time.monotonic() + PATIENCE
    while not (pid := _running(paths)):
        if time.monotonic() > deadline:
            raise NoDaemon("the daemon did not start", hint="secondme daemon logs; or see it: secondme daemon run")
        time.sleep(0.05)
    say(f"the daemon runs (process {pid})")


def stop() -> None:
    """End the daemon; what it was at goes on the next time it is started."""
    from secondme.locks import daemon_lock

    paths = find_paths()
    pid = _ask(paths, "stop")["pid"]
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with daemon_lock(paths):
                break
        except Locked:
            if time.monotonic() > deadline:
                raise NoDaemon(f"the daemon (process {pid}) does not end", hint=f"kill {pid}") from None
        time.sleep(0.05)
    say("the daemon has ended")


def status(json: Json = False) -> None:
    """Show what the daemon does, what waits, what failed, and what keeps it from sleeping."""
    found = _ask(find_paths(), "status")
    if json:
        print_json(**{key: value for key, value in found.items() if key not in ("v", "type", "id")})
        return
    for name, value in _rows(found):
        print(f"{name:<10}  {clean(value)}")


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    files, models, memory, sleep = found["files"], found["models"], found["memory"], found["sleep"]
    waiting, paused = files.pop("waiting", 0), found["paused"].items()
    told = ", ".join(f"{count:,} {state}" for state, count in files.items() if count) or "no files"
    loaded = f"{models['model'] or 'none'} {'loaded' if models['loaded'] else 'not loaded'}"
    used = ", ".join(f"{name} {size / 1e6:,.0f} MB" for name, size in memory.items() if size)
    left = f"{duration(sleep['seconds_left'])} and {sleep['tokens_left']:,} tokens left until noon"
    return [
        ("daemon", f"process {found['pid']}, since {found['since']}"),
        ("doing", "; ".join(found["doing"])),
        ("folders", f"{counted(found['folders'], 'folder')} watched: {told}"),
        ("queue", f"{counted(waiting, 'file')} to read, {counted(sleep['waiting'], 'passage')} to sleep over"),
        ("models", loaded),
        ("memory", used),
        ("sleep", left),
        *(("why not", why) for why in sleep["why_not"]),
        *(("paused", f"{root}: {why}; if that is right: secondme watch accept {root}") for root, why in paused),
        *(("polled", f"{root}: {why}") for root, why in found["polled"].items()),
        *(("problem", f"{one['path']}: {one['state']}: {one['why']}") for one in found["problems"]),
        *(("error", error) for error in found["errors"]),
    ]


def _running(paths: Paths) -> int:
    """Return the process id of the daemon of this memory, 0 where none answers."""
    try:
        return int(_ask(paths, "hello")["pid"])
    except NoDaemon:
        return 0


def _ask(paths: Paths, op: str) -> dict[str, Any]:
    from secondme.daemon.client import call_any

    return call_any(paths, op)
