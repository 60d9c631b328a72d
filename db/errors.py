"""Errors that a person can act on: what happened, where, and what to try."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BacktestError(Exception):
    """Base of every error this program raises on purpose.

    ``what`` is one sentence, ``where`` names the file, row, option or object it is about, and
    ``hint`` says what to try.  The command line prints the three and exits with ``exit_status``.
    """

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(self.__str__())

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  try: {self.hint}" if self.hint else text


class UsageError(BacktestError):
    """The call itself is wrong: an unknown name, a value out of bounds, options that clash."""

    exit_status = 2


class DataError(BacktestError):
    """The input cannot be used at all (a single bad row is a reject, not an error)."""


class StoreError(BacktestError):
    """The store is missing, locked, of another version, or damaged."""


class MissingExtraError(BacktestError):
    """An optional part is not installed."""

    exit_status = 2

    def __init__(self, package: str, *, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the package {package!r}, which is not installed",
            hint=f'pip install "aftershock[{extra}]"',
        )


def did_you_mean(name: str, known: Iterable[str], *, kind: str) -> str:
    """A hint that names the nearest known spelling, or lists what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return f"there is no {kind} yet"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known {kind}s: {shown}"
