"""`secondme plugins`."""

from __future__ import annotations

import typer

from secondme.clean import one_line
from secondme.cli.options import Json
from secondme.cli.output import print_json
from secondme.plugins import Plugins


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plugins")(list_plugins)


def list_plugins(context: typer.Context, json: Json = False) -> None:
    """List the plugins: name, version, what they do."""
    loaded: Plugins = context.obj
    if json:
        plugins = [{"name": item.name, "version": item.version, "hooks": item.hooks} for item in loaded.listing()]
        print_json(plugins=plugins, failed=[{"name": item.what, "why": item.why} for item in loaded.failed])
        return
    rows = [(one_line(item.name, 80), one_line(item.version, 40) or "-", item.hooks) for item in loaded.listing()]
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, version, hooks in rows:
        print(f"{name:<{width}}  {version:<8}  {', '.join(hooks)}")
