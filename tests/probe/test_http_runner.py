"""Handlers behind an address: each event becomes the request that it came from."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from threatmodel.probe.protocol import Call, Limits, Reply, Scenario
from threatmodel.probe.runners.over_http import request_of
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.problems import InputError


class Echo(BaseHTTPRequestHandler):
    """Answers with what was asked; some paths misbehave."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/slow":
            time.sleep(2)
        if self.path == "/hang-up":
            self.close_connection = True
            return
        if self.path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
            return
        told = json.dumps([self.command, self.path, self.headers.items(), body.decode("latin-1")]).encode()
        self.send_response(302 if self.path == "/redirect" else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the standard library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        pass


@contextmanager
def listening() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(address: str, *events: Mapping[str, Any], seconds: float = 5.0) -> list[Reply]:
    runner = runner_for(address, limits=Limits(seconds=seconds))
    assert (runner.sees_effects, runner.sets_clock) == (False, False)
    return list(runner.run(Scenario(name="x", calls=tuple(Call(event=event) for event in events))))


REST = {
    "httpMethod": "POST",
    "path": "/prod/other",
    "headers": {
        "X-One": "1",
        "Content-Type": "application/x-www-form-urlencoded",
        "Host": "evil",
        "Content-Length": "1",
    },
    "multiValueHeaders": {"X-Two": ["1", "2"]},
    "multiValueQueryStringParameters": {"a": ["1", "2 3"]},
    "body": "text=h%C3%A9",
}
HTTP_API = {
    "version": "2.0",
    "requestContext": {"http": {"method": "PUT", "path": "/x"}},
    "rawQueryString": "a=1&a=2",
    "headers": {"x-one": "1"},
    "cookies": ["a=1", "b=2"],
    "body": base64.b64encode(b"\xff\x00").decode(),
    "isBase64Encoded": True,
}


def test_rest_event_becomes_its_request() -> None:
    with listening() as address:
        (reply,) = asked(f"{address}/slack", REST)
    method, path, headers, body = json.loads(reply.body)
    assert (method, path, body) == ("POST", "/slack?a=1&a=2+3", "text=h%C3%A9")
    assert [pair for pair in headers if pair[0].startswith("X-")] == [["X-One", "1"], ["X-Two", "1"], ["X-Two", "2"]]
    assert dict(headers)["Host"] == address.removeprefix("http://")
    assert [value for name, value in headers if name == "Content-Length"] == ["12"]
    assert reply.status == 200
    assert reply.seconds > 0


def test_http_api_event_becomes_its_request() -> None:
    with listening() as address:
        (reply,) = asked(address, HTTP_API)
    method, path, headers, body = json.loads(reply.body)
    assert (method, path, body) == ("PUT", "/?a=1&a=2", "\xff\x00")
    assert dict(headers)["Cookie"] == "a=1; b=2"


@pytest.mark.parametrize(
    "event",
    [
        {"headers": None, "body": None},
        {"headers": {"X": "a\r\nY: b", "": "x"}},
        {"multiValueHeaders": None, "requestContext": None},
    ],
)
def test_odd_events_are_sent_without_what_no_client_could_send(event: dict[str, Any]) -> None:
    method, target, headers, body = request_of(event, urlsplit("http://127.0.0.1"))
    assert (method, target, headers, body) == ("POST", "/", [], b"")


def test_redirects_are_the_answer() -> None:
    with listening() as address:
        (reply,) = asked(f"{address}/redirect", REST | {"multiValueQueryStringParameters": None})
    assert (reply.status, reply.headers["Location"]) == (302, "/elsewhere")


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/slow", "/drip"])
def test_whoever_takes_too_long_timed_out(path: str) -> None:
    """Who waited on would have an answer: after two seconds, and after four."""
    with listening() as address:
        first, second = asked(f"{address}{path}", {}, {}, seconds=0.5)
    assert (first.ended, second.ended) == ("timeout", "timeout")


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=f"http://127.0.0.1:{port}/x: cannot-probe: .*nothing listens there"):
        asked(f"http://127.0.0.1:{port}/x", {})


ODD = {
    ("http", b"SSH-2.0\r\n"): ("the response is not HTTP", "name the handler's address"),
    ("http", b""): ("the connection was closed without a response", "see the log of the server"),
    ("https", b"HTTP/1.1 400 No\r\n\r\n"): ("there is no TLS at this port", "use http://"),
}


@pytest.mark.parametrize(("scheme", "answer"), ODD)
def test_what_listens_and_is_no_handler_is_named(scheme: str, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        runner = runner_for(f"{scheme}://127.0.0.1:{server.getsockname()[1]}/slack")
        with pytest.raises(InputError) as raised:
            runner.run(Scenario(name="test", calls=(Call(event={"httpMethod": "GET", "path": "/"}),), secret="x"))
        thread.join()
    (problem,) = raised.value.problems
    message, hint = ODD[scheme, answer]
    assert problem.message == message
    assert hint in problem.hint


def test_hanging_up_later_is_a_crash() -> None:
    with listening() as address:
        runner = runner_for(f"{address}/hang-up")
        with pytest.raises(InputError):
            runner.run(Scenario(name="x", calls=(Call(event={}),)))
        vars(runner)["_address"] = urlsplit(f"{address}/well")
        assert runner.run(Scenario(name="x", calls=(Call(event={}),)))[0].status == 200
        vars(runner)["_address"] = urlsplit(f"{address}/hang-up")
        assert runner.run(Scenario(name="x", calls=(Call(event={}),)))[0].ended == "crash"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "LOCALHOST"])
def test_this_machine_may_be_asked(host: str) -> None:
    assert not runner_for(f"http://{host}:3000/slack").sees_effects


def test_other_machines_only_by_name() -> None:
    for address in ("https://api.example/x", "http://0.0.0.0/", "http://10.0.0.1/"):
        with pytest.raises(InputError, match="is not this machine"):
            runner_for(address, allow_remote=["other.example"])
    assert not runner_for("https://api.example/x", allow_remote=["API.example"]).sees_effects
