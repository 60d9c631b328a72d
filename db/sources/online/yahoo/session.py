"""The HTTP session that yfinance is given: where Yahoo is, how long to wait, what was answered."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from curl_cffi import requests

from db.sources.fetching.source import RefusedError

_ASIDE = ("/v1/test/getcrumb", "/consent", "/copyConsent", "/v2/collectConsent")
"""Paths of cookies and crumbs: yfinance does without them where they fail."""


class YahooSession(requests.Session[requests.Response]):
    """Sends what is meant for yahoo.com to ``gateway``, where one is given, and nothing elsewhere.

    ``answer`` is the last answer to a question for data, None before one came: yfinance keeps
    statuses and headers to itself.
    """

    def __init__(self, *, gateway: str, timeout: float) -> None:
        super().__init__(impersonate="chrome")
        self.gateway = gateway.rstrip("/")
        self.seconds = timeout
        self.answer: requests.Response | None = None

    def request(self, *given: Any, **more: Any) -> requests.Response:
        """As the base class, whose parameters these are, but for the time-out."""
        method, url = (*given, *(more.pop(name) for name in ("method", "url")[len(given) :]))
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host != "yahoo.com" and not host.endswith(".yahoo.com"):
            raise RefusedError(f"yfinance wanted to ask {host} instead of Yahoo")
        if self.gateway:
            url = self.gateway + urlunsplit(("", "", parts.path or "/", parts.query, ""))
            more["headers"] = {**(more.get("headers") or {}), "X-Forwarded-Host": host}
            more["allow_redirects"] = False  # they would lead past the gateway
        aside = host.startswith(("fc.", "guce.", "consent.")) or parts.path.startswith(_ASIDE)
        if not aside:
            self.answer = None
        more["timeout"] = self.seconds
        answer = super().request(method, url, **more)
        if not aside:
            self.answer = answer
        return answer

    @property
    def status(self) -> int:
        """Of the last answer; 0 where none came."""
        return 0 if self.answer is None else int(self.answer.status_code)

    @property
    def retry_after(self) -> float | None:
        """How long the last answer asks to wait, in seconds."""
        said = "" if self.answer is None else str(self.answer.headers.get("Retry-After") or "")
        return float(said) if said.isdigit() else None

    @property
    def text(self) -> str:
        """The last answer's body; empty where none came."""
        return "" if self.answer is None else str(self.answer.text)

    @property
    def is_page(self) -> bool:
        """Whether the last answer is, or begins as, a page of HTML."""
        return "<html" in self.text[:1000].lower()

    @property
    def is_whole_page(self) -> bool:
        """Whether that page came to its end."""
        return "</html>" in self.text[-1000:].lower()

    def decoded(self) -> Any:
        """The last answer's body as JSON, None where it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None
