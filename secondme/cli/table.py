"""All commands by the module they are in, each with the first sentence of its help, in the order of the help.

Help and mistakes are told from this table: a module is loaded when a command of it is run.
"""

from __future__ import annotations

COMMANDS = {
    "add": {
        "add": "Remember a text, files, or whole folders of notes.",
    },
    "find": {
        "search": "Find what was said or written, by words and by meaning.",
        "ask": "Answer a question from memory, with the sources.",
    },
    "chat": {
        "chat": "Talk with your memory: what you say is kept, what you ask is answered.",
    },
    "sleep": {
        "sleep": "Turn what was added since the last time into facts; `undo` takes it back.",
    },
    "facts": {
        "facts": "List the facts that hold, with what they rest on, the newest first.",
        "history": "Show a fact over time: what was so before and after it, since when, until when, and who said it.",
    },
    "review": {
        "review": "Go through the changes of a night with the lines they rest on: accept, reject, edit.",
    },
    "journal": {
        "log": "List what every sleep has changed, with ids that can be undone, the last first.",
        "undo": "Take back a run of sleep or one change of it, exactly.",
    },
    "quarantine": {
        "quarantine": "List what is held back from your facts because others may have written it, and release it.",
    },
    "notes": {
        "show": "Show notes as they were written, one passage of a note (n12.3), or a fact with its lines (m7).",
        "open": "Open the source of a note, passage or fact in $VISUAL or $EDITOR, at its line.",
        "list": "List notes, the newest first.",
    },
    "forgetting": {
        "forget": "Remove notes for good, here and in all copies, with all that tells of them.",
    },
    "editing": {
        "edit": "Put another text in the place of what you typed, or of a fact; the earlier one is kept.",
        "pin": "Show a note or fact first, and let no night retire it.",
    },
    "exchange": {
        "export": "Write everything you ever stored, as JSON lines or as a folder of Markdown.",
        "import": "Take in what `export` wrote, or what other programs wrote: secondme import mail Archive.mbox.",
    },
    "watch": {
        "watch": "Folders whose notes are kept in step; nothing in them is changed.",
    },
    "secrets": {
        "secrets": "List where secrets were masked, by note, line and kind, and the kinds there are.",
    },
    "mcp": {
        "mcp": "Let another program on this machine search and ask, over the Model Context Protocol.",
    },
    "daemon": {
        "daemon": "Keep watched folders in step and models ready, in the background.",
    },
    "pausing": {
        "pause": "Let the daemon do nothing in the background until `resume`, or for a while.",
        "resume": "Let the daemon work again.",
        "inhibit": "Run a command, and let the daemon do nothing in the background until it ends.",
    },
    "models": {
        "model": "List, fetch, choose and verify models.",
    },
    "tune": {
        "tune": "Measure the language model on this machine and memory, and choose settings by it.",
    },
    "settings": {
        "config": "Show and change settings, and where things are.",
    },
    "encryption": {
        "encrypt": "Encrypt the memory: whoever takes the disk cannot read it without the key.",
        "decrypt": "Store the memory without a key again.",
        "rekey": "Give the encrypted memory another key: the old one opens it no longer, nor its backups.",
    },
    "upkeep": {
        "doctor": "Look whether everything works: database, models, disk, settings.",
        "stats": "Show how much is stored: notes, passages, vectors, facts, pages, bytes, by origin and by month.",
        "reindex": "Rebuild what finds notes, words and vectors, from the notes.",
    },
    "copies": {
        "backup": "Write a copy of the whole memory to a file, checked, while everything else goes on.",
        "restore": "Put a copy in the place of the memory; the present file is kept beside it.",
        "verify": "Look whether the memory is whole, down to each note, line and change.",
    },
    "plugins": {
        "plugins": "List the plugins: name, version, what they do.",
    },
    "demo": {
        "demo": "Try secondme on sample notes: fetch the models, add the notes, ask three questions.",
    },
}
