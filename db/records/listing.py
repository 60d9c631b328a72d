"""Plain listings: instruments, symbols, imports and their rejects."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, func, select

from db.models import Batch, Instrument, RejectedRow, SymbolSpan
from db.records.common import frame


def instruments(connection: Connection) -> pd.DataFrame:
    """See `Store.instruments`."""
    table = frame(
        connection,
        select(
            Instrument.id.label("instrument_id"),
            Instrument.name,
            Instrument.exchange,
            Instrument.currency,
            Instrument.listed,
            Instrument.delisted,
            Instrument.fiscal_year_end,
        ).order_by(Instrument.id),
        ids=("fiscal_year_end",),
        texts=("name", "exchange", "currency"),
    )
    latest = symbols(connection)
    # An open span is the latest one; `valid_from` decides between two that have ended.
    latest = latest.assign(open=latest["valid_to"].isna()).sort_values(
        ["open", "valid_to", "valid_from"], na_position="first", kind="stable"
    )
    current = latest.drop_duplicates("instrument_id", keep="last").set_index("instrument_id")
    names = table["instrument_id"].map(current["symbol"]).fillna("").astype("str")
    table.insert(1, "symbol", names)
    return table.astype({"instrument_id": "int64"})


def symbols(connection: Connection) -> pd.DataFrame:
    """See `Store.symbols`."""
    table = frame(
        connection,
        select(
            SymbolSpan.instrument_id,
            SymbolSpan.symbol,
            SymbolSpan.valid_from,
            SymbolSpan.valid_to,
        ).order_by(SymbolSpan.instrument_id, SymbolSpan.valid_from.nulls_first(), SymbolSpan.id),
        texts=("symbol",),
    )
    return table.astype({"instrument_id": "int64"})


def batches(connection: Connection) -> pd.DataFrame:
    """See `Store.batches`."""
    table = frame(
        connection,
        select(
            Batch.id.label("batch_id"),
            Batch.kind,
            Batch.source,
            Batch.origin,
            Batch.bar_interval.label("interval"),
            Batch.adjusted,
            Batch.added,
            Batch.revised,
            Batch.unchanged,
            Batch.rejected,
            Batch.fetched_at,
            Batch.ingested_at,
            Batch.content_hash,
            Batch.options,
            Batch.table_version,
        )
        .where(Batch.status == "done")
        .order_by(Batch.id),
        instants=("fetched_at", "ingested_at"),
        ids=("table_version",),
        texts=("kind", "source", "origin", "interval", "adjusted", "content_hash"),
    )
    counts = ("batch_id", "added", "revised", "unchanged", "rejected")
    return table.astype(dict.fromkeys(counts, "int64"))


def rejects(connection: Connection, batch_id: int | None, limit: int | None) -> pd.DataFrame:
    """See `Store.rejects`."""
    query = (
        select(
            RejectedRow.batch_id,
            RejectedRow.origin,
            RejectedRow.row,
            RejectedRow.column,
            RejectedRow.value,
            RejectedRow.reason,
        )
        .join(Batch, Batch.id == RejectedRow.batch_id)
        .where(Batch.status == "done")
        .order_by(RejectedRow.id)
    )
    if batch_id is not None:
        query = query.where(RejectedRow.batch_id == int(batch_id))
    if limit is not None:
        query = query.limit(int(limit))
    table = frame(connection, query, texts=("origin", "column", "value", "reason"))
    return table.astype({"batch_id": "int64", "row": "int64"})


def reject_counts(connection: Connection) -> pd.DataFrame:
    """See `Store.reject_counts`."""
    groups = (
        RejectedRow.batch_id,
        RejectedRow.origin,
        RejectedRow.column,
        RejectedRow.reason,
    )
    query = (
        select(*groups, func.count().label("rows"))
        .join(Batch, Batch.id == RejectedRow.batch_id)
        .where(Batch.status == "done")
        .group_by(*groups)
        .order_by(*groups)
    )
    table = frame(connection, query, texts=("origin", "column", "reason"))
    return table.astype({"batch_id": "int64", "rows": "int64"})
