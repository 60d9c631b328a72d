"""The door to edgartools: the only module that imports it, and what of it is used.

Of the library it is the requests (with the identity that the SEC asks for) and the parsers of
companies, lists of filings and headers.  Its cache, its own pace and its own repetitions stay
out, see `db.sources.online.edgar.transport`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from db.errors import MissingExtraError
from db.sources.fetching.source import Setup


@dataclass(frozen=True)
class Library:
    """The parts of edgartools that are used."""

    http: Any
    requests: Any
    data: Any
    headers: Any


@cache
def library() -> Library:
    """edgartools, imported once.

    It makes a folder for its cache as soon as it is imported, by default in the home folder:
    here it gets one that is gone again at once, unless the environment names another.  What else
    uses edgartools in this process asks without a cache then.
    """
    fresh = "edgar" not in sys.modules
    with tempfile.TemporaryDirectory() as folder, _environment("EDGAR_LOCAL_DATA_DIR", folder):
        try:
            from edgar import headers, httpclient, httprequests
            from edgar.entity import data
        except ImportError:
            raise MissingExtraError(
                "edgartools", extra="edgar", needed_for="ingest edgar"
            ) from None
    http: Any = httpclient
    if fresh:
        http.HTTP_MGR = http.get_http_mgr(False, http.get_edgar_rate_limit_per_sec())
    return Library(http, httprequests, data, headers)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """A variable set for a while, unless it is set already."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def manager_for(setup: Setup, identity: str) -> Any:
    """Edgartools' maker of HTTP clients, without its cache and its pace, over our wire."""
    edgar = library()
    from db.sources.online.edgar.transport import Wire

    manager = edgar.http.get_http_mgr(cache_enabled=False)
    manager.rate_limiter_enabled = False
    manager.user_agent_factory = lambda: identity  # its own asks at the terminal
    seconds = edgar.http.get_edgar_http_timeout() or 30.0
    wire = Wire(
        verify=manager.httpx_params["verify"],
        patience=10 * seconds,
        clock=setup.line.clock,
        now=setup.now,
    )
    manager.httpx_params["mounts"] = {"all://": wire}
    return manager


@contextmanager
def instead_of_its_own(edgar: Library, manager: Any) -> Iterator[None]:
    """Our way of asking for one request, so that a notebook's own use of edgartools keeps its."""
    theirs = edgar.http.HTTP_MGR
    edgar.http.HTTP_MGR = manager
    try:
        yield
    finally:
        edgar.http.HTTP_MGR = theirs
