"""Has the configured models work once, in a process of its own: an engine built for another processor ends it."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from dataclasses import asdict

from secondme.config import Config, ModelsConfig
from secondme.errors import NoModel, SecondmeError
from secondme.models.files import find_model
from secondme.models.protocols import Prompt
from secondme.paths import find_paths
from secondme.plugins import load_plugins

INSTALL = "pip install 'secondme[llama]'"
BUILD_ANEW = "build it on this machine: pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python"
LITTLE_MEMORY = "is there enough memory, and is models.context right? secondme config"


def run_engine(config: Config) -> str:
    """Return the version of llama-cpp-python, once each model that is here has worked with it. Raises NoModel."""
    if importlib.util.find_spec("llama_cpp") is None:
        raise NoModel("llama-cpp-python is not installed", hint=INSTALL)
    version = _run("cannot be loaded", "-c", "import llama_cpp; print(llama_cpp.__version__)", hint=INSTALL)
    settings = {"models": asdict(config.models), "disabled": config.plugins.disabled}
    _run("does not run the models", "-m", "secondme.dry_run", given=json.dumps(settings))
    return version


def _run(failure: str, *arguments: str, given: str = "", hint: str = "") -> str:
    command = [sys.executable, "-P", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        why = signal.strsignal(-done.returncode) or f"signal {-done.returncode}"
        hint = BUILD_ANEW if -done.returncode == signal.SIGILL else LITTLE_MEMORY
        raise NoModel(f"llama-cpp-python {failure}: the system ended it ({why.lower()})", hint=hint)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NoModel(f"llama-cpp-python {failure}: {said[-1] if said else done.returncode}", hint=hint)
    return done.stdout.strip()


def main() -> None:
    """Have the models of the settings on stdin work: `python -m secondme.dry_run`."""
    given = json.load(sys.stdin)
    models, plugins = ModelsConfig(**given["models"]), load_plugins(given["disabled"])
    try:
        if _is_here(models.embedder) and (embedder := plugins.embedder(models)):
            embedder.tokens("word")
        if not models.endpoint and _is_here(models.language) and (model := plugins.language_model(models)):
            for _ in model.reply(Prompt("", (), "Say a word."), max_tokens=1):
                pass
    except SecondmeError as error:
        sys.exit("; ".join(filter(None, (str(error), error.hint))))


def _is_here(name: str) -> bool:
    """True if there is a file of this model; that there is none is no matter of the engine."""
    try:
        return bool(name and find_model(name, find_paths().models))
    except NoModel:
        return False


if __name__ == "__main__":
    main()
