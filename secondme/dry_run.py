"""Has the configured models work once, in a process of its own: an engine built for another processor ends it."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict

from secondme.config import Config, ModelsConfig
from secondme.errors import ConfigError, NoModel
from secondme.models.protocols import Prompt
from secondme.plugins import load_plugins

INSTALL = "pip install 'secondme[llama]'"
BUILD_ANEW = "build it on this machine: pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python"


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
        raise NoModel(f"llama-cpp-python {failure}: the system ended it ({why.lower()})", hint=BUILD_ANEW)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NoModel(f"llama-cpp-python {failure}: {said[-1] if said else done.returncode}", hint=hint)
    return done.stdout.strip()


def main() -> None:
    """Have the models of the settings on stdin work: `python -m secondme.dry_run`."""
    given = json.load(sys.stdin)
    models, plugins = ModelsConfig(**given["models"]), load_plugins(given["disabled"])
    try:
        # A model that is not here, or not trusted, is no matter of the engine.
        with suppress(NoModel):
            if embedder := plugins.embedder(models):
                embedder.tokens("word")
        with suppress(NoModel):
            if not models.endpoint and (model := plugins.language_model(models)):
                for _ in model.reply(Prompt("", (), "Say a word."), max_tokens=1):
                    pass
    except ConfigError as error:
        sys.exit(f"{error}; {error.hint}")


if __name__ == "__main__":
    main()
