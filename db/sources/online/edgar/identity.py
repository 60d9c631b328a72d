"""Who asks: the SEC wants a name and a mail address with every request."""

from __future__ import annotations

import re

from db.errors import UsageError

EXAMPLE = 'EDGAR_IDENTITY="Ada Example ada@example.com"'
_IDENTITY = re.compile(r"[\x21-\x7e][\x20-\x7e]* [\x21-\x7e]+@[\x21-\x7e]+\.[\x21-\x7e]+")


def checked_identity(text: str) -> str:
    """The identity as it is sent; UsageError, which does not repeat it, explains what it is."""
    identity = " ".join(text.split())
    if not identity:
        raise UsageError(
            "the SEC asks every program to say who uses it, and answers none that does not: a "
            "name and a mail address, sent with each request and stored nowhere",
            where="--identity",
            hint=f"set {EXAMPLE} in the environment, with your own",
        )
    if len(identity) > 200 or not _IDENTITY.fullmatch(identity):
        raise UsageError(
            "the SEC asks for a name and a mail address, in this order and in plain letters "
            "(ASCII: it travels in a header)",
            where="--identity",
            hint=f"set {EXAMPLE} in the environment, with your own",
        )
    return identity
