"""`secondme demo`: the whole product on sample notes, in a home folder of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from secondme.clean import clean
from secondme.cli import answering, intake
from secondme.cli.options import Plain
from secondme.cli.output import BOLD, Progress, paint, say
from secondme.config import load_config
from secondme.errors import IntegrityError, Locked, NoModel, SecondmeError
from secondme.paths import find_paths
from secondme.records import Filters

if TYPE_CHECKING:
    from secondme.assistant import Assistant
    from secondme.config import ModelsConfig
    from secondme.models.catalog import Entry

EVIDENCE = 3
"""How many passages stand in for an answer."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(context: typer.Context, plain: Plain = False) -> None:
    """Try secondme on sample notes: fetch the models, add the notes, ask three questions.

    Your own memory is not touched.
    """
    from secondme.assistant import Assistant

    home, config = demo_home(), load_config(find_paths().config)
    print(paint("1. The models", BOLD, plain=plain))
    missing = _fetch_models(config.models)
    with Assistant.open(home, config=config, plugins=context.obj) as me:
        print(paint("\n2. The sample notes", BOLD, plain=plain))
        _add_vault(me)
        print(paint("\n3. Three questions", BOLD, plain=plain))
        missing = _ask_all(me, plain=plain) or missing
    print(paint("\nWhat to type next", BOLD, plain=plain))
    _print_next(home)
    if missing:
        raise NoModel(f"the demo ran without all of its models: {missing}", hint=missing.hint or "secondme model pull")


def demo_home() -> Path:
    """Return the home folder of the demo, which is never the one of the user."""
    own = find_paths().data
    return own / "demo" if os.environ.get("SECONDME_HOME") else own.with_name("secondme-demo")


def _fetch_models(models: ModelsConfig) -> SecondmeError | None:
    """Fetch the models of the configuration that are not here; return what went wrong."""
    from secondme.models.catalog import find_entry

    wanted = [models.embedder] if models.endpoint else [models.embedder, models.language]
    entries = [entry for entry in map(find_entry, wanted) if entry]
    if entries and find_spec("llama_cpp") is None:
        return _told(NoModel("the engine for models is not installed", hint="pip install 'secondme[llama]'"))
    failed = None
    for entry in entries:
        failed = _fetch(entry, find_paths().models) or failed
    return failed


def _fetch(entry: Entry, folder: Path) -> SecondmeError | None:
    from secondme.models.pull import find_model, pull

    progress = Progress(in_bytes=True)
    try:
        find_model(entry.alias, folder)
        print(f"{entry.alias} is here")
        return None
    except NoModel:
        print(f"fetching {entry.alias}, {entry.size / 1e6:,.0f} MB", flush=True)
    try:
        pull(entry, folder, progress=progress.step)
    except (NoModel, IntegrityError, Locked) as error:
        progress.close()
        return _told(error)
    progress.close()
    return None


def _told(error: SecondmeError) -> SecondmeError:
    say(f"{error}; going on without")
    return error


def _add_vault(me: Assistant) -> None:
    from secondme import quarantine
    from secondme.demo import vault

    done = intake.store(me, intake.notes_at([str(vault())], me))
    # Who tries it out is the person who wrote the sample notes.
    quarantine.release(me, [me.note(id)[0] for id in done.ids])
    print(f"{done.added:,} notes added, {done.known:,} known already, kept in {clean(str(me.paths.data))}")


def _ask_all(me: Assistant, *, plain: bool) -> SecondmeError | None:
    """Ask the questions of the demo; return why there was no answer, where there was none."""
    from secondme.demo import QUESTIONS

    missing: NoModel | None = None
    for question in QUESTIONS:
        print(paint(f"\n> {question}", BOLD, plain=plain), flush=True)
        if missing is None:
            try:
                answering.show_answer(me.ask_stream(question), brief=False, json=False, plain=plain)
                continue
            except NoModel as error:
                missing = error
                say(f"no language model, so here is what memory holds instead of an answer: {error}")
        answering.show_evidence(me, question, k=EVIDENCE, filters=Filters(), json=False, plain=plain)
    return missing


def _print_next(home: Path) -> None:
    program = _program()
    print("Ask the sample notes more:")
    for words in ('ask "Who lent me the long ladder?"', 'search "coffee" --explain', "list"):
        print(f"  SECONDME_HOME={shlex.quote(str(home))} {program} {words}")
    print("Begin a memory of your own; add takes files and whole folders as well:")
    for words in ('add "I moved to Porto today."', 'ask "Where do I live?"', "--help"):
        print(f"  {program} {words}")


def _program() -> str:
    """Return how to run this very secondme from the shell it was started in."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m secondme"
    on_path = shutil.which(started.name)
    if on_path and os.path.exists(started) and os.path.samefile(on_path, started):
        return started.name
    return shlex.quote(str(started))
