"""The loopback server that all fakes are built on.

A fake subclasses `FakeServer` and answers requests from a small world in memory::

    class FakeThing(FakeServer):
        def answer(self, request: Request, fault: Fault | None) -> Response:
            if request.path == "/v1/bars":
                return Response.json({"bars": []})
            return Response.text("not here", status=404)

    with FakeThing() as fake:
        fake.faults.append(Fault("429", times=2, retry_after=1))
        get(fake.url + "/v1/bars")
        assert fake.requests[-1].query["symbol"] == "META"
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.faults import STATUS, TRANSPORT, Fault, Faults


@dataclass(frozen=True)
class Request:
    """What a client asked; header names are in lower case, the last of equal names counts."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def target(self) -> str:
        """Host, path and query in one line, for faults and for reading a failed test."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.host}{self.path}" + (f"?{query}" if query else "")


@dataclass(frozen=True)
class Response:
    """What the fake answers."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, *, status: int = 200, **headers: str) -> Response:
        body = json.dumps(value).encode()
        return cls(body, status, {"Content-Type": "application/json", **headers})

    @classmethod
    def text(cls, value: str, *, status: int = 200, kind: str = "text/plain") -> Response:
        return cls(value.encode(), status, {"Content-Type": f"{kind}; charset=utf-8"})


class FakeServer(ABC):
    """Listens on 127.0.0.1 while used as a context manager; ``port`` 0 takes a free one.

    ``requests`` holds all that came, in order.  ``tls`` makes it speak https.
    """

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.faults = Faults()
        self.requests: list[Request] = []
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @abstractmethod
    def answer(self, request: Request, fault: Fault | None) -> Response:
        """The answer to one request; ``fault`` is one that the base does not play itself."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()  # lets go of requests that play a time-out
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve_by_hand(self) -> None:
        """Serve until Ctrl-C."""
        with self:
            try:
                self._stopping.wait()
            except KeyboardInterrupt:
                return

    def wait(self, seconds: float) -> None:
        """Play dead for so long, or until the server stops."""
        self._stopping.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    fake: FakeServer

    def handle_error(self, *args: object) -> None:
        """Clients that hang up are part of the tests, not news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        request = self._request()
        self.server.fake.requests.append(request)
        fault = self.server.fake.faults.take(request.target)
        if fault is None or fault.kind not in TRANSPORT:
            self._send(self.server.fake.answer(request, fault))
        else:
            self._fail(request, fault)

    do_GET = do_POST = do_HEAD = do_PUT = _serve  # noqa: N815 - names that http.server calls

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        return Request(
            method=self.command,
            host=self.headers.get("X-Forwarded-Host") or self.headers.get("Host") or "",
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )

    def _fail(self, request: Request, fault: Fault) -> None:
        if fault.kind in STATUS:
            wait = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            self._send(Response(b"fault", STATUS[fault.kind], wait))
        elif fault.kind == "timeout":
            self.server.fake.wait(fault.delay)
            self._hang_up()
        elif fault.kind == "reset":
            self._hang_up()
        else:
            good = self.server.fake.answer(request, None)
            half = good.body[: max(len(good.body) // 2, 1)]
            if fault.kind == "cut":
                self._send(good, body=half)
                self._hang_up()
            elif fault.kind == "malformed":
                self._send(Response(half, good.status, good.headers))
            else:
                self._send(Response(b"", good.status, good.headers))

    def _send(self, response: Response, *, body: bytes | None = None) -> None:
        """``body`` is sent in place of the one whose length is announced."""
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body if body is None else body)
            self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: object) -> None:
        """Nothing on the tests' standard error."""
