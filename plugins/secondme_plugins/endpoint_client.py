"""Replies to prompts, by an OpenAI-compatible server on this machine; no other machine is ever spoken to."""

from __future__ import annotations

import http.client
import ipaddress
import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

from secondme.config import ModelsConfig
from secondme.errors import ConfigError, NoModel, UsageError
from secondme.models.protocols import Prompt, Usage
from secondme.models.quoting import without_markup
from secondme_plugins.llama.pieces import cut_at_stops

SILENCE_SECONDS = 600
"""How long the server may say nothing: reading a long prompt on a slow machine takes minutes."""

UNSEEN = -100.0
"""The log-probability of a token that is not among the likeliest ones."""

_BYTES_PER_TOKEN = 4
_SEEN_TOKENS = 20


class EndpointModel:
    """A language model that another program on this machine runs."""

    def __init__(self, config: ModelsConfig) -> None:
        self.name = config.language
        self.context = config.context
        self._address = _parse_address(config.endpoint)

    def count(self, text: str) -> int:
        """Return an estimate of how many tokens `text` is: only the server knows, and asking is too slow."""
        return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)

    def reply(
        self,
        prompt: Prompt,
        *,
        max_tokens: int,
        grammar: str = "",
        stop: Sequence[str] = (),
        usage: Usage | None = None,
    ) -> Generator[str, None, None]:
        """Yield the reply as the server streams it. Raises NoModel, and UsageError when the prompt does not fit."""
        usage = usage if usage is not None else Usage()
        body = self._body(prompt, max_tokens) | {"stream": True, "stream_options": {"include_usage": True}}
        if grammar:
            # What llama.cpp's server calls it; servers without grammars leave it aside.
            body["grammar"] = grammar
        yield from cut_at_stops(self._pieces(body, usage), stop)

    def weigh(
        self, prompts: Sequence[Prompt], options: Sequence[str], *, usage: Usage | None = None
    ) -> list[list[float]]:
        """Return the log-probability of each option after each prompt. Raises NoModel and UsageError as `reply`."""
        usage = usage if usage is not None else Usage()
        weighed = []
        for prompt in prompts:
            body = self._body(prompt, 1) | {"logprobs": True, "top_logprobs": _SEEN_TOKENS}
            with self._post(body) as reply:
                event = json.loads(reply.read())
                likeliest = _read_likeliest(event)
            _read_counts(event, counts := Usage())
            usage.tokens_sent += counts.tokens_sent
            usage.tokens_evaluated += counts.tokens_evaluated
            usage.tokens_written += counts.tokens_written
            weighed.append([likeliest.get(_normalize(option), UNSEEN) for option in options])
        return weighed

    def _body(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        messages = list(_messages(prompt))
        return {"model": self.name, "messages": messages, "max_tokens": max_tokens, "temperature": 0}

    def _pieces(self, body: dict[str, Any], usage: Usage) -> Generator[str, None, None]:
        with self._post(body) as reply:
            for event in _events(reply):
                yield from _read_event(event, usage)

    @contextmanager
    def _post(self, body: dict[str, Any]) -> Iterator[http.client.HTTPResponse]:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        host = self._address.hostname or ""
        try:
            with closing(kind(host, self._address.port, timeout=SILENCE_SECONDS)) as connection:
                path = f"{self._address.path.rstrip('/')}/chat/completions"
                connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
                reply = connection.getresponse()
                if reply.status != http.HTTPStatus.OK:
                    raise _refusal(reply, self._address)
                yield reply
        except ConnectionRefusedError as error:
            hint = "start the server, or set models.endpoint to nothing to use llama.cpp"
            raise NoModel(f"nothing answers at {self._address.geturl()}", hint=hint) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoModel(f"the server at {self._address.geturl()} broke off: {error}") from error


def _parse_address(endpoint: str) -> SplitResult:
    hint = "write it like http://127.0.0.1:8080/v1"
    try:
        address = urlsplit(endpoint)
        is_usable = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError as error:
        raise ConfigError(f"models.endpoint is no address: {endpoint}", hint=hint) from error
    if not is_usable:
        raise ConfigError(f"models.endpoint is no address: {endpoint}", hint=hint)
    if not _is_loopback(address.hostname or ""):
        raise ConfigError(f"models.endpoint is not on this machine: {endpoint}", hint=hint)
    return address


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _messages(prompt: Prompt) -> Iterator[dict[str, str]]:
    if prompt.prefix:
        yield {"role": "system", "content": prompt.prefix}
    # The server may take for markup what is text.
    yield {"role": "user", "content": without_markup(prompt.body)}
    if prompt.lead:
        yield {"role": "assistant", "content": prompt.lead}


def _refusal(reply: http.client.HTTPResponse, address: SplitResult) -> NoModel | UsageError:
    text = " ".join(reply.read(2000).decode("utf-8", "replace").split())
    if reply.status == http.HTTPStatus.BAD_REQUEST and "context" in text:
        return UsageError(f"the prompt does not fit the server at {address.geturl()}: {text}")
    return NoModel(f"the server at {address.geturl()} answers {reply.status}: {text}")


def _events(reply: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a stream of server-sent events."""
    while line := reply.readline():
        name, _, data = line.decode("utf-8", "replace").strip().partition(":")
        if name != "data":
            continue
        if data.strip() == "[DONE]":
            return
        event = json.loads(data)
        if not isinstance(event, dict) or "error" in event:
            raise ValueError(f"it reports {data.strip()}")
        yield event
    raise ValueError("the reply has no end")


def _read_event(event: dict[str, Any], usage: Usage) -> Iterator[str]:
    _read_counts(event, usage)
    for choice in event.get("choices", ()):
        usage.truncated = usage.truncated or choice.get("finish_reason") == "length"
        if text := (choice.get("delta") or {}).get("content"):
            yield text


def _read_counts(event: dict[str, Any], usage: Usage) -> None:
    # Some servers count all there was so far with every event.
    if counts := event.get("usage"):
        usage.tokens_sent = counts.get("prompt_tokens", 0)
        cached = (counts.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        usage.tokens_evaluated = usage.tokens_sent - cached
        usage.tokens_written = counts.get("completion_tokens", 0)


def _read_likeliest(event: Any) -> dict[str, float]:
    """Return the log-probabilities of the likeliest tokens; of spellings that count as one, the likeliest."""
    try:
        (choice,) = event["choices"]
        tokens = choice["logprobs"]["content"][0]["top_logprobs"]
        found = sorted((float(token["logprob"]), _normalize(token["token"])) for token in tokens)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError("it gives no log-probabilities") from error
    return {text: logprob for logprob, text in found}


def _normalize(token: str) -> str:
    return token.lstrip().casefold()
