"""The relational half of a store: one typed model a table."""

from __future__ import annotations

from db.models.base import Base, NaiveDatetimeError, UtcDateTime
from db.models.facts import Action, Event, Guidance, News, NewsLink, Revision
from db.models.fetches import Fetch
from db.models.imports import BarSource, Batch, Counter, RejectedRow, StoreInfo
from db.models.instruments import Instrument, SymbolSpan
from db.models.runs import Run, RunFrame, Trial
from db.models.texts import StatedFact, StatedReaction

__all__ = [
    "Action",
    "BarSource",
    "Base",
    "Batch",
    "Counter",
    "Event",
    "Fetch",
    "Guidance",
    "Instrument",
    "NaiveDatetimeError",
    "News",
    "NewsLink",
    "RejectedRow",
    "Revision",
    "Run",
    "RunFrame",
    "StatedFact",
    "StatedReaction",
    "StoreInfo",
    "SymbolSpan",
    "Trial",
    "UtcDateTime",
]
