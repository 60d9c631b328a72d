"""The events that start a window: earnings releases, or news items that name an instrument."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from db.batches import SURE

if TYPE_CHECKING:
    from db.store import Store

_INSTRUMENTS = 1 << 20


def events_of_kind(
    store: Store,
    kind: str,
    *,
    symbols: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pd.DataFrame:
    """Events of one kind, with the columns of `Store.events`.

    A ``news`` event is the first of the items that say the same, for each instrument it names:
    known from its publication (proven), its release the publication itself, or for a bare date
    that whole day.  It has no earnings content; ``news_id`` and ``title`` say which item it is,
    and its ``event_id`` is negative, so that no earnings event shares it.
    """
    if kind != "news":
        return store.events(symbols=symbols, since=since, until=until, kind=kind)
    return _from_news(store, store.news(symbols=symbols, since=since, until=until, sure=SURE))


def _from_news(store: Store, items: pd.DataFrame) -> pd.DataFrame:
    named = items["instrument_id"].notna() | (items["symbol"] != "")
    items = items[named & (items["news_id"] == items["cluster_id"])]
    items = items.drop_duplicates(["news_id", "instrument_id"]).reset_index(drop=True)
    known = store.instruments()
    exchange_of = dict(zip(known["instrument_id"], known["exchange"], strict=True))
    published = items["published_at"]
    # A bare date is known from the day's end on: half a day earlier lies on that day.
    day = (published - pd.Timedelta(hours=12)).dt.tz_convert("America/New_York").dt.normalize()
    by_date = items["published_precision"] == "date"
    since = published.where(~by_date, day.dt.tz_convert("UTC"))
    number = items["instrument_id"].fillna(0).astype("int64")
    texts = dict.fromkeys(("fiscal_period", "session", "currency"), "")
    numbers = ("eps_estimate", "eps_actual", "revenue_estimate", "revenue_actual")
    frame = pd.DataFrame(
        {
            "event_id": -(items["news_id"] * _INSTRUMENTS + number),
            "instrument_id": items["instrument_id"],
            "symbol": items["symbol"],
            "exchange": items["instrument_id"].map(exchange_of).fillna("XNYS").astype("str"),
            "announced_from": since,
            "announced_to": published,
            "precision": np.where(by_date, "date", "exact"),
            **dict.fromkeys(numbers, np.nan),
            "source": items["provider"],
            "first_known_at": published,
            "first_known_proven": True,
            "ingested_at": published,
            "revisions": 1,
            "news_id": items["news_id"],
            "title": items["title"],
        }
    )
    frame = frame.assign(**texts).astype({**dict.fromkeys(texts, "str"), "precision": "str"})
    return frame.sort_values(["announced_from", "event_id"], ignore_index=True)
