"""What the tests of the conversation share: saying something, and what is told in passing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from threading import Event

from fakes import FakePlugin, ScriptedModel
from screens import Screen

from secondme.assistant import Assistant
from secondme.models.protocols import Prompt, Usage

Memory = Callable[[], Assistant]


async def say(screen: Screen, text: str) -> None:
    """Type a text into the prompt and send it."""
    await screen.type(text)
    await screen.press("enter")


def told(screen: Screen) -> list[str]:
    """The short messages that are told in passing; run_test shows none of them on the screen."""
    return [one.message for one in screen.app._notifications]


async def until_told(screen: Screen, words: str) -> None:
    """Wait for a short message."""
    await screen.until(lambda: any(words in message for message in told(screen)))


class SlowModel(ScriptedModel):
    """A model that waits behind its third word until it is let go on."""

    def __init__(self, replies: Sequence[str] = ()) -> None:
        super().__init__(replies)
        self.waits = Event()
        self.goes_on = Event()

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield the words of the script with a wait among them."""
        words = super().reply(prompt, max_tokens=max_tokens, grammar=grammar, stop=stop, usage=usage)
        for number, word in enumerate(words):
            if number == 3:
                self.waits.set()
                assert self.goes_on.wait(30)
            yield word


class SlowPlugin(FakePlugin):
    """A plugin with a model that waits."""

    def __init__(self, replies: Sequence[str] = ()) -> None:
        super().__init__(replies)
        self.model: SlowModel = SlowModel(replies)
