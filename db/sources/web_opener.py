"""How a page is asked for: redirects that end, connections that are hung up on in time."""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
import threading
import urllib.request
from functools import partial
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from db.errors import UsageError
from db.sources.files.texts import printable

_SECRET = re.compile(r".*(?:key|token|secret|passw|auth|signature|sig|session).*", re.IGNORECASE)
_AGENT = "aftershock (research backtester)"
_ACCEPTED = "text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5"
_PATH, _QUERY = "/%:@!$&'()*+,;=~", "=&%/:?+,;@!$'()*~"


def is_address(where: str) -> bool:
    """Whether this names a web page rather than a file."""
    return re.match(r"https?://", where, re.IGNORECASE) is not None


def shown(where: str) -> str:
    """A path or address as it may be stored and printed: no password, no key in the query."""
    if not is_address(where):
        return printable(where)
    try:
        parts = urlsplit(where)
        host = parts.netloc.rpartition("@")[2]
        query = urlencode(
            [(k, "..." if _SECRET.fullmatch(k) else v) for k, v in parse_qsl(parts.query)]
        )
    except ValueError:
        return printable(where.partition("?")[0].rpartition("@")[2])
    kept = parts.query if not _SECRET.search(parts.query) else query
    return printable(urlunsplit((parts.scheme, host, parts.path, kept, "")))


def request(url: str) -> urllib.request.Request:
    """The request for a page; UsageError for an address that is none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = f":{parts.port}" if parts.port else ""
    except (ValueError, UnicodeError) as error:
        raise UsageError(f"this is no web address ({error})", where=shown(url)) from error
    if not host:
        raise UsageError("this is no web address", where=shown(url), hint="https://host/path")
    host = f"[{host}]" if ":" in host else host
    path, query = quote(parts.path, safe=_PATH), quote(parts.query, safe=_QUERY)
    made = urllib.request.Request(
        urlunsplit((parts.scheme.lower(), host + port, path, query, "")),
        headers={"User-Agent": _AGENT, "Accept": _ACCEPTED, "Accept-Encoding": "gzip"},
    )
    if parts.username:
        pair = f"{parts.username}:{parts.password or ''}".encode()
        # Not for other hosts that the first one may point to.
        made.add_unredirected_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")
    return made


def opener(guard: Guard, redirects: int) -> urllib.request.OpenerDirector:
    """Speaks http and https, and nothing else that an address might name."""
    made = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.ProxyHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(redirects),
        _Http(guard),
        _Https(guard),
    ]
    for handler in handlers:
        made.add_handler(handler)
    return made


class RedirectedError(ValueError):
    """A redirect that is not followed."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_repeats = 3

    def __init__(self, most: int) -> None:
        self._most = most

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        seen = getattr(req, "redirect_dict", {})
        if len(seen) >= self._most or seen.get(newurl, 0) >= self.max_repeats:
            raise RedirectedError(f"it redirects without end (the last time to {shown(newurl)})")
        if not is_address(newurl):
            raise RedirectedError("it redirects to something that is no web page")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Http(urllib.request.HTTPHandler):
    def __init__(self, guard: Guard) -> None:
        super().__init__()
        self._guard = guard

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, guard=self._guard), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, guard: Guard) -> None:
        super().__init__(context=ssl.create_default_context())
        self._guard = guard

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made: Any = partial(_SecureConnection, guard=self._guard)
        return self.do_open(made, req, context=ssl.create_default_context())


class _Connection(http.client.HTTPConnection):
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def connect(self) -> None:
        super().connect()
        self._guard.watch(self.sock)


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def connect(self) -> None:
        super().connect()
        self._guard.watch(self.sock)


class Guard:
    """Hangs up when the time is over, whatever the connection is doing then."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._sockets: list[socket.socket] = []

    def watch(self, connection: socket.socket) -> None:
        self._sockets.append(connection)

    def _hang_up(self) -> None:
        self.expired = True
        for connection in self._sockets:
            try:
                # The plain socket's: an encrypted one would first wait for the other side.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
