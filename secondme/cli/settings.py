"""`secondme config`."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

import typer

from secondme.clean import clean
from secondme.cli.output import say
from secondme.config import get_value, load_config, set_value
from secondme.paths import find_paths

Key = Annotated[str, typer.Argument(metavar="KEY", help="Table and key, such as models.language.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    config = typer.Typer(no_args_is_help=True, help="Show and change settings, and where things are.")
    config.command("path")(show_paths)
    config.command("get")(get)
    config.command("set")(set_key)
    app.add_typer(config, name="config")


def show_paths() -> None:
    """Print where the settings, the memory, the state and the models are."""
    paths = find_paths()
    places = {"config": paths.config, "data": paths.data, "database": paths.database, "state": paths.state}
    for name, path in {**places, "models": paths.models}.items():
        print(f"{name:<9} {clean(str(path))}")


def get(key: Key = "") -> None:
    """Print a setting, or all of them."""
    config = load_config(find_paths().config)
    if key:
        print(_shown(get_value(config, key)))
        return
    for table in fields(config):
        for item in fields(getattr(config, table.name)):
            name = f"{table.name}.{item.name}"
            print(f"{name} = {_shown(get_value(config, name))}")


def set_key(key: Key, value: Annotated[str, typer.Argument(metavar="VALUE")]) -> None:
    """Write a setting to the configuration file."""
    path = find_paths().config
    set_value(path, key, value)
    say(f"{key} is set in {path}")


def _shown(value: str | int | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(",".join(value) if isinstance(value, tuple) else str(value))
