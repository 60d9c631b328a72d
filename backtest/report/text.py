"""Numbers and foreign text, made fit to be read: one way to write each on the whole page."""

from __future__ import annotations

import math
import re
import textwrap
import unicodedata
from typing import SupportsFloat, TypeGuard
from urllib.parse import urlsplit

DASH = "–"
_MINUS = "\N{MINUS SIGN}"
_NBSP = "\N{NO-BREAK SPACE}"
# Marks that turn the reading direction round would reorder the text beside a headline.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(value: object) -> str:
    """The text without control characters, direction marks and broken surrogates."""
    text = "" if value is None or _is_nan(value) else str(value)
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = _BIDI.sub("", text).replace("\u2028", " ").replace("\u2029", " ")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def chart_text(value: object, *, width: int = 0) -> str:
    """Text for a plotly label, which reads a little markup of its own: none is left.

    ``width`` > 0 cuts what is longer and ends it in an ellipsis.
    """
    text = " ".join(clean(value).split())
    if width and len(text) > width:
        text = text[: width - 1].rstrip() + "…"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wrapped(value: object, width: int = 40) -> str:
    """`chart_text` in lines, since plotly breaks none by itself."""
    return "<br>".join(chart_text(line) for line in textwrap.wrap(clean(value), width))


def safe_url(url: str) -> str:
    """The address if it is plain http or https with a host, else an empty text."""
    text = clean(url).strip()
    if any(c.isspace() for c in text):
        return ""
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return ""
    return text if parts.scheme.lower() in ("http", "https") and host else ""


def percent(value: float, digits: int = 2, *, signed: bool = True) -> str:
    """0.0123 -> ``+1.23 %``; a NaN is a dash."""
    if not _known(value):
        return DASH
    text = f"{value * 100:{'+' if signed else ''},.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("+-")
    return f"{text.replace('-', _MINUS)}{_NBSP}%"


def basis_points(value: float) -> str:
    """0.0021 -> ``21 bp``."""
    return f"{value * 1e4:,.1f} bp".replace("-", _MINUS) if _known(value) else DASH


def count(value: float) -> str:
    """51007 -> ``51,007``."""
    return f"{int(value):,}" if _known(value) else DASH


def numbers(*values: object) -> list[str]:
    """Statistics that stand side by side in one row, with as many decimals each.

    Whole numbers have none, large ones neither; texts pass, what is unknown is a dash.
    """
    known = [float(v) for v in values if _is_number(v)]
    finite = [x for x in known if math.isfinite(x)]
    whole = all(x == int(x) for x in finite) or max(map(abs, finite)) >= 10_000
    return [_number(value, 0 if whole else 2) for value in values]


def _number(value: object, digits: int) -> str:
    if value is None or _is_nan(value):
        return DASH
    if not _is_number(value):
        return clean(value)
    x = float(value)
    text = f"{x:,.{digits}f}" if math.isfinite(x) else "∞" if x > 0 else "-∞"
    return text.replace("-", _MINUS)


def _is_number(value: object) -> TypeGuard[SupportsFloat]:
    return isinstance(value, SupportsFloat) and not isinstance(value, bool | str)


def prose(value: object) -> str:
    """A sentence in which no number is parted from its unit at the end of a line.

    The double backquotes that docstrings put around names are left out.
    """
    return clean(value).replace("``", "").replace(" %", f"{_NBSP}%")


def _known(value: float) -> bool:
    return math.isfinite(value)


def _is_nan(value: object) -> bool:
    # NaN, NaT and their kin are the only values that differ from themselves; pd.NA has no truth.
    try:
        return bool(value != value)  # noqa: PLR0124
    except TypeError:
        return True
