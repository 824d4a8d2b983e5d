"""Opens the source of a note in the editor the user chose, at its line."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from secondme.clean import clean
from secondme.errors import UsageError
from secondme.places import file_of, place
from secondme.records import Note

AT_PLUS = {"vi", "vim", "nvim", "gvim", "mvim", "view", "nano", "pico", "emacs", "emacsclient", "joe", "kak", "micro"}
AT_COLON = {"hx", "helix", "subl", "zed", "zeditor"}
AT_GOTO = {"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"}
AT_LINE = {"kate", "mate", "idea", "pycharm"}
WAIT = {**dict.fromkeys([*AT_GOTO, "subl", "zed", "zeditor", "mate"], "--wait"), "gvim": "--nofork", "kate": "--block"}
"""What makes an editor with windows of its own stay until the file is closed."""


def open_source(note: Note, *, line: int) -> None:
    """Open the file of `note` at `line`, or a copy to read where it is no file or the file is gone."""
    path, row = file_of(note.uri)
    if path is not None:
        _edit(path, line=row or line, waits=False)
        return
    # mkdtemp makes the folder readable by its owner alone.
    with tempfile.TemporaryDirectory(prefix="secondme-") as folder:
        copy = Path(folder) / f"{note.id}.md"
        copy.write_text(clean(note.text), encoding="utf-8")
        copy.chmod(0o400)
        _edit(copy, line=line, waits=True)


def edit_text(text: str, *, name: str = "secondme") -> str:
    """Let the user edit a text and return what became of it, in a file that nobody else can read. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="secondme-") as folder:
        copy = Path(folder) / f"{name}.md"
        copy.write_text(clean(text), encoding="utf-8")
        copy.chmod(0o600)
        _edit(copy, line=1, waits=True)
        try:
            return clean(copy.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise UsageError("the editor left no file behind", hint="nothing was changed") from error


def command_for(editor: str, path: Path, *, line: int, waits: bool = False) -> list[str]:
    """Return the command that opens `path` at `line`; an unknown editor gets the path alone."""
    command = shlex.split(editor)
    name = os.path.basename(command[0]).removesuffix(".exe") if command else ""
    if waits and name in WAIT and WAIT[name] not in command:
        command.append(WAIT[name])
    if name in AT_PLUS:
        return [*command, f"+{line}", str(path)]
    if name in AT_COLON:
        return [*command, f"{path}:{line}"]
    if name in AT_GOTO:
        return [*command, "--goto", f"{path}:{line}"]
    return [*command, "--line", str(line), str(path)] if name in AT_LINE else [*command, str(path)]


def _edit(path: Path, *, line: int, waits: bool) -> None:
    editor = (os.environ.get("VISUAL") or os.environ.get("EDITOR") or "").strip()
    where = place(str(path), line)
    # A copy is gone by the time its path could be used.
    instead = "secondme show prints the note" if waits else f"the note is at {where}"
    if not editor:
        raise UsageError("neither VISUAL nor EDITOR names an editor", hint=instead)
    try:
        command = command_for(editor, path, line=line, waits=waits)
    except ValueError as error:
        raise UsageError(f"VISUAL or EDITOR cannot be read: {editor}") from error
    if shutil.which(command[0]) is None:
        raise UsageError(f"there is no editor {command[0]}", hint=f"check VISUAL and EDITOR; {instead}")
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise UsageError(f"{command[0]} ended with exit code {done.returncode}; it was to open {where}")
