"""The wire under edgartools: bounded answers, and failures in this program's words.

edgartools repeats requests by itself, paces them by itself and keeps answers in the home folder.
None of that happens over this transport: it raises errors that edgartools does not repeat, and
what has been mounted is asked instead of the library's own chain.  So the line alone decides when
to ask, and each request that it counts is one request on the wire.
"""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from db.errors import BacktestError
from db.sources.fetching.source import RefusedError, UnavailableError, UnreadableAnswerError
from db.sources.fetching.web import wait_asked
from db.sources.online.edgar.answers import GarbledError
from db.sources.online.edgar.client import NotThereError

LARGEST = 32 << 20
"""Bytes of one answer, unpacked.  A press release has some 0.5 million, with pictures 10."""
BLOCKED_FOR = 600.0
"""Seconds for which the SEC shuts out an address that asked too often, as its page says."""

_TRANSIENT = (408, 425, 429)
_RATE = (b"Request Rate Threshold", b"Traffic Limit")
_UNDECLARED = b"Undeclared Automated Tool"
_STORAGE_DENIES = b"<Code>AccessDenied</Code>"
_GZIP = 16 + zlib.MAX_WBITS
_BLOCK = 1 << 16


class Wire(httpx.BaseTransport):
    """Asks over ``direct`` or a proxy that the environment names.

    ``patience`` is how many seconds one answer may take in all, by ``clock``.
    """

    def __init__(
        self,
        *,
        verify: Any,
        patience: float,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._verify = verify
        self._patience = patience
        self._clock = clock
        self._now = now
        self._ways: dict[str, httpx.HTTPTransport] = {}
        weakref.finalize(self, _close, self._ways)  # a source has no end of which it is told

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One whole good answer; every other outcome is one of this program's errors."""
        request.headers["Accept-Encoding"] = "gzip"  # the one packing that is unpacked here
        failure: BacktestError
        try:
            response = self._way(request.url).handle_request(request)
            try:
                body = b"".join(self._body(response, request))
            finally:
                response.close()
        except httpx.TimeoutException:
            failure = _unavailable("gave no answer in time", request)
        except httpx.ConnectError as error:
            failure = _unreachable(error, request)
        except httpx.TransportError:
            failure = _unavailable("could not be reached, or hung up", request)
        else:
            if response.status_code == 200:
                kept = {"Content-Type": response.headers.get("Content-Type", "text/plain")}
                return httpx.Response(200, headers=kept, content=body, request=request)
            failure = self._failure(response, body, request)
        # Outside of the handlers, so that the library's error does not hang on to this one.
        raise failure

    def close(self) -> None:
        """Let go of open connections."""
        _close(self._ways)

    def _way(self, url: httpx.URL) -> httpx.HTTPTransport:
        """Straight, or through the proxy for this host."""
        proxy = "" if proxy_bypass(url.host) else getproxies().get(url.scheme, "")
        if proxy not in self._ways:
            self._ways[proxy] = httpx.HTTPTransport(verify=self._verify, proxy=proxy or None)
        return self._ways[proxy]

    def _body(self, response: httpx.Response, request: httpx.Request) -> Iterator[bytes]:
        """What came, unpacked, as far as it is bearable."""
        begun, size = self._clock(), 0
        packing = response.headers.get("Content-Encoding", "").strip().lower()
        if packing not in ("", "identity", "gzip"):
            raise UnreadableAnswerError(f"EDGAR sent {packing[:20]!r}", where=_where(request))
        stream = response.iter_raw()
        for block in _unpacked(stream, request) if packing == "gzip" else stream:
            size += len(block)
            if size > LARGEST:
                raise UnreadableAnswerError(
                    f"EDGAR sent more than {LARGEST >> 20} MB", where=_where(request)
                )
            if self._clock() - begun > self._patience:
                raise _unavailable("sends too slowly", request)
            yield block

    def _failure(
        self, response: httpx.Response, body: bytes, request: httpx.Request
    ) -> BacktestError:
        status, where = response.status_code, _where(request)
        if status in (403, 429) and any(words in body for words in _RATE):
            return UnavailableError(
                "the SEC has shut out this address for asking too often",
                where=where,
                hint="wait ten minutes; every request before that makes it longer",
                retry_after=wait_asked(response.headers, self._now()) or BLOCKED_FOR,
            )
        if status in (404, 410) or (status == 403 and _STORAGE_DENIES in body):
            return NotThereError(f"EDGAR has nothing there (status {status})", where=where)
        if status in _TRANSIENT or status >= 500:
            why = "asks for fewer requests" if status == 429 else "cannot answer now"
            return UnavailableError(
                f"EDGAR {why} (status {status})",
                where=where,
                retry_after=wait_asked(response.headers, self._now()),
            )
        if status in (401, 403):
            undeclared = " the identity" if _UNDECLARED in body else ""
            return RefusedError(
                f"EDGAR refuses{undeclared or ' to answer'} (status {status})",
                where=where,
                hint='EDGAR_IDENTITY="Your Name you@example.com" has to name you truly',
            )
        return UnreadableAnswerError(f"EDGAR answered with status {status}", where=where)


def _close(ways: dict[str, httpx.HTTPTransport]) -> None:
    for way in ways.values():
        way.close()


def _unpacked(stream: Iterable[bytes], request: httpx.Request) -> Iterator[bytes]:
    """Gzip, a bounded block at a time: a kilobyte can hold a megabyte."""
    unpacking = zlib.decompressobj(_GZIP)
    for packed in stream:
        while packed and not unpacking.eof:
            try:
                yield unpacking.decompress(packed, _BLOCK)
            except zlib.error:
                raise GarbledError("EDGAR sent a broken gzip", where=_where(request)) from None
            packed = unpacking.unconsumed_tail  # noqa: PLW2901 - what did not fit into the block
    if not unpacking.eof:
        raise GarbledError("EDGAR sent half a gzip", where=_where(request))


def _unreachable(error: httpx.ConnectError, request: httpx.Request) -> BacktestError:
    if "certificate" not in str(error).lower():
        return _unavailable("could not be reached", request)
    return RefusedError(
        "EDGAR's certificate cannot be verified, so it was not asked",
        where=_where(request),
        hint="behind a company's proxy: EDGAR_USE_SYSTEM_CERTS=true, or SSL_CERT_FILE",
    )


def _unavailable(what: str, request: httpx.Request) -> UnavailableError:
    return UnavailableError(f"EDGAR {what}", where=_where(request))


def _where(request: httpx.Request) -> str:
    return f"{request.url.host}{request.url.path}"
