"""`secondme model`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.clean import clean
from secondme.cli.options import Json
from secondme.cli.output import Progress, print_json, say
from secondme.config import get_value, load_config, set_value
from secondme.errors import IntegrityError, NoModel, UsageError
from secondme.paths import Paths, find_paths

if TYPE_CHECKING:
    from secondme.models.files import Progress as ModelProgress

MEGABYTE = 1_000_000

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `secondme model list` shows.")]
Chosen = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A name of the catalog, or the path of a .gguf file.")]
From = Annotated[
    str, typer.Option("--from", metavar="FILE", help="Take a copy of this .gguf file; nothing is fetched.")
]
Trust = Annotated[bool, typer.Option("--trust", help="Take the file even if the catalog does not know it.")]
AsEmbedder = Annotated[bool, typer.Option("--embedder", help="The file is an embedder, not a language model.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    model = typer.Typer(no_args_is_help=True, help="List, fetch, choose and verify models.")
    model.command("list")(list_models)
    model.command("pull")(pull_model)
    model.command("use")(use)
    model.command("verify")(verify_models)
    app.add_typer(model, name="model")


def list_models(json: Json = False) -> None:
    """List the models of the catalog: size, licence, memory needed, which are here, which are in use."""
    from secondme.models.catalog import load_catalog

    models, folder = load_config(find_paths().config).models, find_paths().models
    rows: list[dict[str, Any]] = [
        {
            **{name: getattr(entry, name) for name in ("alias", "role", "size", "licence", "ram_gb", "note")},
            "present": (folder / entry.file).is_file(),
            "in_use": entry.alias in (models.language, models.embedder),
        }
        for entry in load_catalog()
    ]
    if json:
        print_json(models=rows, folder=str(folder))
    for row in () if json else rows:
        state = ("in use" if row["in_use"] else "here") if row["present"] else "not here" + ", chosen" * row["in_use"]
        sizes = f"{row['size'] / MEGABYTE:>7,.0f} MB  {row['ram_gb']:>3} GB RAM"
        print(f"{row['alias']:<19} {row['role']:<8} {sizes}  {row['licence']:<10}  {state:<16}  {row['note']}")


def pull_model(
    name: Annotated[str, typer.Argument(metavar="NAME")] = "", file: From = "", trust: Trust = False
) -> None:
    """Fetch a model, checked and continued where it stopped; or take a file that is at hand."""
    from secondme.models.catalog import get_entry
    from secondme.models.pull import pull, pull_from_file

    if not name and not file:
        raise UsageError("which model?", hint="secondme model list")
    entry = get_entry(name) if name and not (file and trust) else None
    folder = find_paths().models
    with showing_bytes() as progress:
        if file:
            path = pull_from_file(Path(file).expanduser(), folder, entry=entry, trusted=trust, progress=progress)
        else:
            path = pull(get_entry(name), folder, progress=progress)
    if file and trust:
        _trust(path, find_paths())
    print(clean(str(path)))


def use(name: Chosen, embedder: AsEmbedder = False, trust: Trust = False) -> None:
    """Choose the model that answers, or the one that search uses; a file of your own has to be trusted."""
    from secondme.models.catalog import find_entry
    from secondme.models.checks import usable_model
    from secondme.models.files import find_model

    paths, entry = find_paths(), find_entry(name)
    key = f"models.{entry.role if entry else 'embedder' if embedder else 'language'}"
    if trust and not entry:
        _trust(find_model(name, paths.models), paths)
    trusted = load_config(paths.config).models.trusted
    value = name if entry else str(usable_model(name, paths.models, trusted=trusted).absolute())
    set_value(paths.config, key, value)
    say(f"{key} is {value} in {paths.config}")
    if get_value(load_config(paths.config), key) != value:
        say(f"SECONDME_{key.replace('.', '_').upper()} is set to something else and goes before it")
    if entry and not (paths.models / entry.file).is_file():
        say(f"it is not on this machine yet: secondme model pull {name}")
    if key == "models.embedder":
        say("then compute the vectors anew: secondme reindex")


def verify_models(name: Annotated[str, typer.Argument(metavar="NAME")] = "") -> None:
    """Check every byte of a model, or of all models that are here."""
    from secondme.models.catalog import get_entry, load_catalog
    from secondme.models.checks import verify_model

    folder = find_paths().models
    here = [get_entry(name)] if name else [entry for entry in load_catalog() if (folder / entry.file).is_file()]
    if not here:
        raise NoModel(f"there is no model in {folder}", hint="secondme model pull NAME")
    damaged = []
    for entry in here:
        try:
            with showing_bytes() as progress:
                verify_model(entry.alias, folder, progress=progress)
            print(f"{entry.alias}: whole")
        except IntegrityError as error:
            damaged.append(error)
            print(f"{entry.alias}: damaged")
    if damaged:
        raise damaged[0]


def _trust(path: Path, paths: Paths) -> None:
    """Let this very file run: any change of it has to be trusted anew."""
    from secondme.models.checks import checked_digest, is_trusted

    with showing_bytes() as progress:
        digest = checked_digest(path, paths.models, progress=progress)
    trusted = load_config(paths.config, environ={}).models.trusted
    if not is_trusted(digest, trusted):
        set_value(paths.config, "models.trusted", ",".join([*trusted, digest]))
        say(f"trusted is {clean(str(path))} as it is now, sha256 {digest}")


@contextmanager
def showing_bytes() -> Iterator[ModelProgress]:
    """Yield what shows the progress of work on big files, one line for each kind of work."""
    lines: dict[str, Progress] = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in lines:
            for line in lines.values():
                line.close()
            lines.clear()
        line = lines.setdefault(what, Progress(f"{what}, MB"))
        line(done // MEGABYTE, total // MEGABYTE)

    try:
        yield show
    finally:
        for line in lines.values():
            line.close()
