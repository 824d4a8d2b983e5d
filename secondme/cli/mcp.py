"""`secondme mcp`."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Annotated

import typer

from secondme.cli.options import open_memory
from secondme.errors import UsageError

AllowWrite = Annotated[
    bool, typer.Option("--allow-write", help="Let programs add notes; nothing is learned from them until you say so.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(mcp)


def mcp(context: typer.Context, allow_write: AllowWrite = False) -> None:
    """Let another program on this machine search and ask, over the Model Context Protocol.

    It reads requests from stdin and answers on stdout, until stdin ends. What matches `trust.private` is never shown.
    """
    if find_spec("mcp") is None:
        raise UsageError("the protocol library is not installed", hint="pip install 'secondme[mcp]'")
    from secondme import network
    from secondme.mcp_server import serve
    from secondme.store.hiding import hide

    with open_memory(context) as me:
        # A key command may have to start programs of the user: by now it has.
        network.give_up_as_set(me.paths.config)
        # A moment for what was added and has no vectors yet: once something is hidden, none are computed.
        me.embed_waiting(seconds=2)
        hide(me.store.db, me.config.trust.private)
        serve(me, writer=partial(open_memory, context) if allow_write else None)
