"""`secondme secrets`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secondme.clean import clean
from secondme.cli.options import Json, open_memory
from secondme.cli.output import counted, print_json, say
from secondme.errors import IntegrityError

if TYPE_CHECKING:
    from secondme.assistant import Assistant

Mask = Annotated[bool, typer.Option("--mask", help="Mask as well what was stored before it was known to be a secret.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(secrets)


def secrets(context: typer.Context, mask: Mask = False, json: Json = False) -> None:
    """List where secrets were masked, by note, line and kind, and the kinds there are. What they were is not stored."""
    with open_memory(context) as me:
        if mask:
            _mask(me)
        found = _masked(me)
        waiting = _unmasked(me)
    kept = me.config.secrets.keep
    from secondme.secrets import NAMES

    kinds = {name: "kept" if name in kept else "masked" for name in NAMES}
    if json:
        print_json(masked=found, unmasked=waiting, kinds=kinds)
        return
    for one in found:
        version = "" if one["is_current"] else " · earlier version"
        print(f"{one['id']} · line {one['line']} · {one['kind']} · {clean(one['uri'])}{version}")
    say(f"kinds: {', '.join(name + (' (kept)' if name in kept else '') for name in kinds)}")
    if waiting:
        named = " ".join(waiting[:10]) + (" ..." if len(waiting) > 10 else "")
        say(f"{counted(len(waiting), 'note')} stored before with a secret in it: {named}; secondme secrets --mask")


def _masked(me: Assistant) -> list[dict[str, Any]]:
    from secondme.secrets import MASK, masks_in
    from secondme.store.masks import notes_with

    return [
        {**asdict(one), "uri": note.uri, "is_current": is_current}
        for note, is_current in notes_with(me.store, MASK)
        for one in [*masks_in(note.title, note.id), *masks_in(note.text, note.id)]
    ]


def _unmasked(me: Assistant) -> list[str]:
    from secondme.ingest.prepare import kept
    from secondme.store.masks import unmasked

    return unmasked(me.store, lambda text: kept(text, me.config))


def _mask(me: Assistant) -> None:
    from secondme.ingest.prepare import kept
    from secondme.ingest.segment import segment
    from secondme.store.forgetting import finish
    from secondme.store.masks import mask_stored

    changed, left = mask_stored(
        me.store,
        lambda text: kept(text, me.config),
        lambda note: segment(note.text, markdown=note.origin != "chat"),
    )
    why = finish(me.store).left
    say(f"masked what {counted(changed, 'note')} held")
    for one in left:
        say(f"not looked into: {one}")
    if why:
        raise IntegrityError(why, hint="secondme secrets --mask")
