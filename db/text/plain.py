"""Text as it is kept: readable, bounded, and without characters that only a machine obeys."""

from __future__ import annotations

import re

LONGEST_TITLE = 500
LONGEST_TEXT = 1_000_000
"""Characters; far more than an article has, and few enough for every step that reads them."""

# Control characters, the marks that turn the direction of what follows, invisible fillers (a soft
# hyphen splits "Mil-liarden" for every reader after this one) and invisible copies of ASCII.
# The plain marks for right-to-left scripts stay: they belong to the text and turn nothing else.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u202a-\u202e\u2060\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_HALVES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+")
_GAPS = re.compile(r" ?\n ?")
_PARAGRAPHS = re.compile(r"\n{3,}")


def clean_text(text: str) -> str:
    """Paragraphs as they stand, single blanks between words, nothing unseen."""
    text = _UNSEEN.sub("", _BREAKS.sub("\n", text))
    text = _HALVES.sub("\N{REPLACEMENT CHARACTER}", text)
    text = _GAPS.sub("\n", _BLANKS.sub(" ", text))
    return _PARAGRAPHS.sub("\n\n", text).strip()


def clean_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """One line of at most so many characters; an ellipsis where it was cut."""
    # The slice bounds the work on a line of megabytes; blanks in it may be folded afterwards.
    line = " ".join(clean_text(text[: 8 * longest]).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def bounded_text(text: str, longest: int = LONGEST_TEXT) -> tuple[str, str]:
    """The text, cleaned and cut at so many characters, and a note where it was cut."""
    whole = len(text)
    cleaned = clean_text(text[: 2 * longest])
    if len(cleaned) <= longest and whole <= 2 * longest:
        return cleaned, ""
    return cleaned[:longest].rstrip(), f"the text was cut: {longest:,} of {whole:,} characters kept"
