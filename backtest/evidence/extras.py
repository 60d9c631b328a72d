"""Packages of the extra ``evidence``, loaded when a statistic first needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from db.errors import MissingExtraError


def evidence_module(name: str, needed_for: str) -> Any:
    """The module ``name`` (of statsmodels or arch), which are not part of the core.

    Raises MissingExtraError, which says what to install, where it is absent.
    """
    package = name.partition(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # A module missing inside the package is a broken installation, not an absent one.
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise MissingExtraError(package, extra="evidence", needed_for=needed_for) from None
