"""Fetching one page or feed: bounded in bytes, time and redirects, and tried again if it may help.

Whatever a server sends, at most `Limits.size` bytes of it are held, packed and unpacked, and
nothing takes longer than `Limits.seconds` an attempt: a server that sends a byte now and then is
hung up on as well.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError

from db.errors import BacktestError, DataError, UsageError
from db.sources.fetching.line import Line
from db.sources.fetching.source import (
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.sources.fetching.web import wait_asked
from db.sources.files.provenance import Clock, utc_now
from db.sources.files.source import refuse_missing
from db.sources.files.texts import printable
from db.sources.web_opener import Guard, RedirectedError, is_address, opener, request, shown
from db.text.charsets import unpacked

_BLOCK = 1 << 16
_TRANSIENT = (408, 425, 429)


@dataclass(frozen=True)
class Limits:
    """Bounds of one fetch: bytes (packed, and unpacked), seconds an attempt and of silence."""

    size: int = 20 << 20
    seconds: float = 90.0
    silence: float = 20.0
    redirects: int = 10


LIMITS = Limits()


@dataclass(frozen=True)
class Fetched:
    """Bytes and what the server said of them; ``url`` is where they came from in the end."""

    data: bytes
    url: str
    kind: str = ""
    charset: str = ""


def fetch(
    where: str,
    *,
    line: Line | None = None,
    stdin: BinaryIO | None = None,
    limits: Limits = LIMITS,
    now: Clock = utc_now,
) -> Fetched:
    """The bytes of a file, of an address, or of standard input (``-``), out of gzip.

    UsageError: no such file, an address that is none.  DataError: too large, an archive, damaged.
    `UnavailableError`, `RefusedError`, `UnknownSubjectError`, `UnreadableAnswerError`: see there.
    """
    if is_address(where):
        line = line or Line(pace=1.0)
        return line.call(lambda: _attempt(where, limits, now))
    origin = shown(where)
    if where.partition("://")[0].isalnum() and "://" in where:
        raise UsageError("only http and https addresses are read", where=origin)
    if where == "-":
        data = (stdin if stdin is not None else sys.stdin.buffer).read(limits.size + 1)
    else:
        data = _file(where, origin, limits.size + 1)
    if len(data) > limits.size:
        raise _too_large(origin, limits)
    return Fetched(unpacked(data, origin, limits.size), "")


def _file(name: str, origin: str, most: int) -> bytes:
    refuse_missing(name)
    try:
        with Path(name).open("rb") as file:
            return file.read(most)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", where=origin) from error


def _attempt(url: str, limits: Limits, now: Clock) -> Fetched:
    origin = shown(url)
    guard = Guard(limits.seconds)
    asking = opener(guard, limits.redirects)
    failure: BacktestError
    try:
        with guard, asking.open(request(url), timeout=limits.silence) as response:
            data = _body(response, origin, limits)
            kind = response.headers.get_content_type()
            charset = response.headers.get_content_charset() or ""
            final = response.url
    except HTTPError as error:
        with error:
            failure = _refusal(error.code, dict(error.headers.items()), origin, now)
    except UnavailableError as error:
        failure = error
    except (OSError, http.client.HTTPException, ValueError, zlib.error) as error:
        failure = _broken(error, origin)
    else:
        if not guard.expired:
            return Fetched(unpacked(data, origin, limits.size), final, kind, charset)
    if guard.expired:  # an end that was forced looks like many things, even like a whole answer
        failure = UnavailableError("the server gave no whole answer in time", where=origin)
    # Outside of the handlers, so that no library's error with the full address hangs on to it.
    raise failure


def _body(response: Any, origin: str, limits: Limits) -> bytes:
    said = response.headers.get("Content-Length", "")
    stated = int(said[:18]) if said.isascii() and said.isdigit() and not response.chunked else None
    if stated is not None and stated > limits.size:
        raise _too_large(origin, limits)
    packing = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    unpack = _unpacker(packing, origin)
    parts: list[bytes] = []
    packed = size = 0
    while stated is None or packed < stated:
        block = response.read1(_BLOCK if stated is None else min(_BLOCK, stated - packed))
        if not block:
            break
        packed += len(block)
        part = unpack.decompress(block, limits.size + 1 - size) if unpack else block
        parts.append(part)
        size += len(part)
        if max(packed, size) > limits.size or (unpack and unpack.unconsumed_tail):
            raise _too_large(origin, limits)
    if packed < (stated or 0) or (unpack and packed and not unpack.eof):
        raise UnavailableError("the answer was cut short", where=origin)
    return b"".join(parts)


def _unpacker(packing: str, origin: str) -> Any:
    if packing in ("identity", ""):
        return None
    if packing in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS + 32)  # by its own header
    raise UnreadableAnswerError(
        f"the answer is packed in a way nobody asked for ({printable(packing[:40])})", where=origin
    )


def _refusal(status: int, headers: Mapping[str, str], origin: str, now: Clock) -> BacktestError:
    said = f"status {status}"
    if status in _TRANSIENT or status >= 500:
        why = "the server asks for fewer requests" if status == 429 else "the server cannot answer"
        return UnavailableError(
            f"{why} ({said})", where=origin, retry_after=wait_asked(headers, now())
        )
    if status in (404, 410):
        return UnknownSubjectError(f"there is no such page ({said})", where=origin)
    if 300 <= status < 400:
        return UnreadableAnswerError(
            f"the page redirects in a way that cannot be followed ({said})", where=origin
        )
    return RefusedError(
        f"the server refuses to answer ({said})",
        where=origin,
        hint="open it in a browser, save it, and import the file",
    )


def _broken(error: Exception, origin: str) -> BacktestError:
    """What went wrong on the way; nothing of the address's own secrets gets into the text."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return UnavailableError("the server gave no answer in time", where=origin)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return RefusedError(
            f"the server's certificate is not valid ({reason.verify_message})", where=origin
        )
    if isinstance(reason, RedirectedError):
        return UnreadableAnswerError(str(reason), where=origin)
    if isinstance(reason, zlib.error):
        return UnavailableError("the answer's gzip data is damaged", where=origin)
    hung_up = isinstance(reason, ConnectionError) and not isinstance(reason, ConnectionRefusedError)
    if hung_up or isinstance(reason, http.client.HTTPException):
        return UnavailableError("the connection broke off", where=origin)
    if isinstance(reason, OSError):
        said = os.strerror(reason.errno) if reason.errno and reason.errno > 0 else "no connection"
        return UnavailableError(f"the server could not be reached ({said.lower()})", where=origin)
    return UnreadableAnswerError(
        f"the server's answer is no HTTP ({type(reason).__name__})", where=origin
    )


def _too_large(origin: str, limits: Limits) -> DataError:
    return DataError(
        f"it holds more than {limits.size / (1 << 20):g} MB, which no article or feed does",
        where=origin,
    )
