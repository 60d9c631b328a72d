"""Asking a web service for JSON over the line, with keys that show up nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from db.errors import BacktestError, UsageError
from db.sources.fetching.source import (
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from db.sources.fetching.line import Line

LARGEST = 64 << 20
"""Bytes of one answer, unpacked; the largest honest ones have some two million."""
_BLOCK = 1 << 16
_SHOWN = 200
_PIECE = 6
"""So many characters of a key in a row are hidden: a server may echo a part of one."""
_TRANSIENT = (408, 425, 429)

Judge = Callable[[int, str], BacktestError | None]
"""What an answer's status and message mean for one service; None where nothing special."""


@dataclass(frozen=True)
class Answer:
    """A whole answer that held JSON; as much of a response as client libraries look at."""

    body: bytes
    data: Any
    status_code: int = 200

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        return self.data

    def raise_for_status(self) -> None:
        """Nothing to raise: failures never become answers."""


class _GarbledError(UnavailableError):
    """It came whole and is no JSON; a second attempt often is."""


class Web:
    """A web service: paced, repeated and translated into this program's errors.

    ``title`` names the service in errors.  ``keys`` are the secrets it is asked with: they go
    into no error, and an answer that says one of them is not read.  ``timeout`` in seconds is for
    each silence; an answer may take ten times as long.  ``judge`` knows what the service's own
    refusals mean.
    """

    def __init__(
        self,
        line: Line,
        *,
        title: str,
        keys: Sequence[str] = (),
        timeout: float = 30.0,
        now: Callable[[], datetime] | None = None,
        judge: Judge | None = None,
    ) -> None:
        import requests

        self._line = line
        self._title = title
        self._keys = [key for key in keys if key]
        self._timeout = timeout
        self._now = now or (lambda: datetime.now(UTC))
        self._judge = judge
        self._session = requests.Session()

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON at an address: what `json.loads` makes of it."""
        return self.request("GET", url, params=params, headers=headers).data

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """One question, asked as often as the line sees fit; ``options`` are those of requests.

        Redirects are never followed: they would carry the keys to another host.
        """
        check_address(url, keyed=bool(self._keys))
        options = {**options, "allow_redirects": False, "stream": True, "timeout": self._timeout}
        garbled = ""
        try:
            return self._line.call(lambda: self._exchange(method, url, options))
        except _GarbledError as error:
            garbled = error.what
        raise UnreadableAnswerError(
            f"{garbled}, however often it was asked",
            where=self._where(url),
            hint="ask again later; a proxy or a login page may stand in between",
        )

    def _exchange(self, method: str, url: str, options: Mapping[str, Any]) -> Answer:
        from requests import exceptions

        failure: BacktestError
        try:
            with self._session.request(method, url, **options) as response:
                body = self._body(response)
                return self._judged(response.status_code, response.headers, body, url)
        except exceptions.Timeout:
            failure = self._unavailable(f"gave no answer within {self._timeout:g} seconds", url)
        except (
            exceptions.ConnectionError,
            exceptions.ChunkedEncodingError,
            exceptions.ContentDecodingError,
        ):
            failure = self._unavailable("could not be reached, or hung up", url)
        except exceptions.RequestException as error:
            # Its text may hold what was sent; its name does not.
            failure = RefusedError(
                f"{self._title} cannot be asked ({type(error).__name__})", where=self._where(url)
            )
        # Outside of the handler, so that the library's error does not hang on to this one.
        raise failure

    def _body(self, response: Any) -> bytes:
        """What came, unpacked, as far as it is bearable."""
        begun, parts, size = self._line.clock(), [], 0
        for part in response.iter_content(_BLOCK):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise UnreadableAnswerError(
                    f"{self._title} sent more than {LARGEST >> 20} MB",
                    where=self._where(response.url),
                )
            if self._line.clock() - begun > 10 * self._timeout:
                raise self._unavailable("sends too slowly", response.url)
        return b"".join(parts)

    def _judged(self, status: int, headers: Mapping[str, str], body: bytes, url: str) -> Answer:
        if status != 200:
            raise self._failure(status, headers, body, url)
        if any(key.encode() in body for key in self._keys):
            raise UnreadableAnswerError(
                f"{self._title} sent a key back, so the answer was not read",
                where=self._where(url),
                hint="something between here and the service repeats what it is sent",
            )
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise _GarbledError(
                f"{self._title} sent {_looks_like(body)} instead of JSON", where=self._where(url)
            ) from None
        return Answer(body, data)

    def _failure(
        self, status: int, headers: Mapping[str, str], body: bytes, url: str
    ) -> BacktestError:
        told = self.told(body)
        special = self._judge(status, told) if self._judge else None
        if special is not None:
            return special
        said, where = f" ({told})" if told else "", self._where(url)
        if status in _TRANSIENT or status >= 500:
            why = "asks for fewer requests" if status == 429 else "cannot answer now"
            return UnavailableError(
                f"{self._title} {why} (status {status})",
                where=where,
                retry_after=wait_asked(headers, self._now()),
            )
        if status in (401, 403):
            return RefusedError(
                f"{self._title} refuses to answer (status {status}){said}",
                where=where,
                hint="check the keys in the environment, and what the account may read",
            )
        if status in (404, 410):
            return UnknownSubjectError(f"{self._title} does not know it{said}", where=where)
        return UnreadableAnswerError(
            f"{self._title} did not understand the question (status {status}){said}", where=where
        )

    def told(self, body: bytes) -> str:
        """The message in the body of a failure, without keys, cut to a line."""
        from db.sources.files.texts import printable

        try:
            data = json.loads(body[:_BLOCK])
        except (ValueError, RecursionError):
            return ""
        message = data.get("message") or data.get("error") if isinstance(data, dict) else None
        if not isinstance(message, str):
            return ""
        text = printable(hide(message, self._keys))
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"

    def _unavailable(self, what: str, url: str) -> UnavailableError:
        return UnavailableError(f"{self._title} {what}", where=self._where(url))

    def _where(self, url: str) -> str:
        parts = urlsplit(url)
        return hide(f"{parts.hostname}{parts.path}", self._keys)


def hide(text: str, keys: Sequence[str]) -> str:
    """A text with every stretch of a key replaced, whole or in part."""
    shown = text.lower()
    hidden = [False] * len(text)
    for key in keys:
        size = min(len(key), _PIECE)
        pieces = {key[at : at + size].lower() for at in range(len(key) - size + 1)} - {""}
        for piece in pieces:
            at = shown.find(piece)
            while at >= 0:
                hidden[at : at + len(piece)] = [True] * len(piece)
                at = shown.find(piece, at + 1)
    parts: list[str] = []
    for at, character in enumerate(text):
        if not hidden[at]:
            parts.append(character)
        elif at == 0 or not hidden[at - 1]:
            parts.append("[key]")
    return "".join(parts)


def wait_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a server asks to wait: Retry-After, or when its rate limit starts anew."""
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    if said:
        try:
            return max((parsedate_to_datetime(said) - now).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return None
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if reset.isascii() and reset.isdigit() and headers.get("X-RateLimit-Remaining") == "0":
        return max(float(reset[:12]) - now.timestamp(), 0.0)
    return None


def check_address(url: str, *, keyed: bool) -> None:
    """UsageError for what is no web address, and for one that would carry keys in the clear."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("this is no address of a web service", hint="https://host")
    if keyed and parts.scheme == "http" and host not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError(
            "keys are not sent in the clear over http", where=host, hint=f"https://{host}"
        )


def _looks_like(body: bytes) -> str:
    start = body[:64].lstrip().lower()
    if not start:
        return "nothing"
    return "a web page" if start.startswith((b"<!doctype", b"<html")) else "something"
