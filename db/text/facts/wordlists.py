"""Words kept in one string, so that a long list reads as a paragraph."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """The words of ``text``, in order."""
    return tuple(text.split())
