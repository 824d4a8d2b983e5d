"""A server on this machine can run the language model, and no other machine ever can."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from secondme_plugins import endpoint

from secondme.config import ModelsConfig
from secondme.errors import ConfigError, NoModel, UsageError
from secondme.models.protocols import LanguageModel, Prompt, Usage


@dataclass
class Server:
    """A chat server that says what it is told to."""

    address: str = ""
    status: int = 200
    lines: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def say(self, *events: object) -> None:
        """Make `events` and the end mark the next reply."""
        self.lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"]


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.paths.append(self.path)
            state.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(state.status)
            self.end_headers()
            # A reader that has enough hangs up.
            with contextlib.suppress(ConnectionError):
                for line in state.lines:
                    self.wfile.write(line.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.address = f"http://127.0.0.1:{listening.server_port}/v1"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield state
        listening.shutdown()
        thread.join()


def connect(address: str) -> LanguageModel:
    found = endpoint.language_model(config=ModelsConfig(language="some-model", endpoint=address))
    assert found is not None
    return found


def words(*texts: str) -> list[object]:
    return [{"choices": [{"delta": {"content": text}}]} for text in texts]


def test_without_an_endpoint_the_plugin_stands_back() -> None:
    assert endpoint.language_model(config=ModelsConfig()) is None


def test_a_reply_is_streamed_and_counted(server: Server) -> None:
    details = {"prompt_tokens": 12, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 5}}
    server.say(
        {"choices": [{"delta": {"role": "assistant"}}]}, *words("In ", "Pörto"), {"choices": [], "usage": details}
    )
    usage = Usage()
    model = connect(server.address)
    assert isinstance(model, LanguageModel)
    assert list(model.reply(Prompt("Be brief.", ("[1] a", "[2] b"), "Where?"), max_tokens=9, usage=usage)) == [
        "In ",
        "Pörto",
    ]
    assert usage == Usage(tokens_sent=12, tokens_evaluated=7, tokens_written=2, truncated=False)
    assert server.paths == ["/v1/chat/completions"]
    (asked,) = server.asked
    assert asked["model"] == "some-model"
    assert (asked["max_tokens"], asked["temperature"]) == (9, 0)
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "[1] a\n[2] b\nWhere?"},
    ]
    assert "grammar" not in asked


def test_the_grammar_and_the_first_words_are_passed_on(server: Server) -> None:
    server.say(*words("s"))
    model = connect(server.address)
    assert list(model.reply(Prompt("", tail="Is it?", lead="Ye"), max_tokens=1, grammar='root ::= "s"')) == ["s"]
    assert server.asked[0]["messages"][-1] == {"role": "assistant", "content": "Ye"}
    assert server.asked[0]["grammar"] == 'root ::= "s"'


def test_a_stop_string_ends_the_reply_even_when_it_is_split(server: Server) -> None:
    server.say(*words("one E", "N", "D two"))
    assert "".join(connect(server.address).reply(Prompt("", tail="?"), max_tokens=9, stop=["END"])) == "one "


def test_a_reply_at_the_cap_is_marked(server: Server) -> None:
    server.say(*words("and"), {"choices": [{"delta": {}, "finish_reason": "length"}]})
    usage = Usage()
    list(connect(server.address).reply(Prompt("", tail="?"), max_tokens=1, usage=usage))
    assert usage.truncated


def test_closing_a_reply_closes_the_connection(server: Server) -> None:
    server.say(*words("one", "two"))
    reply = connect(server.address).reply(Prompt("", tail="?"), max_tokens=9)
    assert next(reply) == "one"
    reply.close()
    assert list(reply) == []


@pytest.mark.parametrize(
    "address",
    ["http://192.168.1.2:8080/v1", "https://example.org/v1", "http://127.0.0.1.example.org", "http://0.0.0.0:1"],
)
def test_another_machine_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="not on this machine"):
        connect(address)


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="no address"):
        connect(address)


@pytest.mark.parametrize("address", ["http://127.8.9.1:1/v1", "http://[::1]:1/v1", "http://localhost:1/v1"])
def test_every_name_of_this_machine_is_accepted(address: str) -> None:
    assert connect(address).name == "some-model"


def test_a_server_that_is_not_running_is_named(server: Server) -> None:
    with pytest.raises(NoModel, match="nothing answers") as caught:
        list(connect("http://127.0.0.1:9/v1").reply(Prompt("", tail="?"), max_tokens=1))
    assert "models.endpoint" in caught.value.hint


def test_an_error_of_the_server_is_shown(server: Server) -> None:
    server.status, server.lines = 500, ["no\nmemory"]
    with pytest.raises(NoModel, match="answers 500: no memory"):
        list(connect(server.address).reply(Prompt("", tail="?"), max_tokens=1))
    server.status, server.lines = 400, ["exceeds the available context size"]
    with pytest.raises(UsageError, match="does not fit"):
        list(connect(server.address).reply(Prompt("", tail="?"), max_tokens=1))


@pytest.mark.parametrize("line", ["data: {\n", 'data: {"error": "x"}\n', 'data: {"choices": []}\n', ""])
def test_a_reply_without_its_end_is_an_error(server: Server, line: str) -> None:
    server.lines = [line]
    with pytest.raises(NoModel, match="broke off"):
        list(connect(server.address).reply(Prompt("", tail="?"), max_tokens=1))


def test_counting_never_needs_the_server() -> None:
    assert connect("http://127.0.0.1:9/v1").count("12345678 ") == 3


def likeliest(*tokens: tuple[str, float]) -> str:
    top = [{"token": token, "logprob": logprob} for token, logprob in tokens]
    counts = {"prompt_tokens": 12, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 5}}
    return json.dumps({"choices": [{"logprobs": {"content": [{"top_logprobs": top}]}}], "usage": counts})


def test_options_are_weighed_by_the_likeliest_tokens(server: Server) -> None:
    server.lines = [likeliest((" Yes", -0.2), ("YES", -3.0), ("maybe", -4.0))]
    usage = Usage()
    prompts = [Prompt("Judge.", tail="One?"), Prompt("Judge.", tail="Two?", lead="It is")]
    assert connect(server.address).weigh(prompts, ["yes", "no"], usage=usage) == [[-0.2, -100.0]] * 2
    assert usage == Usage(tokens_sent=24, tokens_evaluated=14, tokens_written=2)
    one, two = server.asked
    assert (one["max_tokens"], one["logprobs"], one["top_logprobs"], one["temperature"]) == (1, True, 20, 0)
    assert "stream" not in one
    assert two["messages"][1:] == [{"role": "user", "content": "Two?"}, {"role": "assistant", "content": "It is"}]


@pytest.mark.parametrize("line", ["{}", "[]", "no", '{"choices": [{"logprobs": null}]}', likeliest()[:-1]])
def test_a_server_without_log_probabilities_is_an_error(server: Server, line: str) -> None:
    server.lines = [line]
    with pytest.raises(NoModel, match="broke off"):
        connect(server.address).weigh([Prompt("", tail="?")], ["yes"])
