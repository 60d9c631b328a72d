"""Splits and dividends from files: ``backtest ingest actions``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pyarrow as pa

from db.batches import ActionRecord, RecordBatch
from db.errors import UsageError
from db.intervals import DAY
from db.sources.files.arrow import BoolArray, FloatArray, IntArray
from db.sources.files.columns import ACTION_FIELDS
from db.sources.files.numeric import MISSING, number_fault, to_numbers
from db.sources.files.provenance import Clock, provenance_of, to_us, utc_now
from db.sources.files.record_rows import RecordTable, read_table, too_far_ahead
from db.sources.files.symbols import checked_symbol
from db.sources.files.times import TimeParser

Kind = Literal["split", "dividend"]

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("split", "splits", "stocksplit", "forwardsplit", "reversesplit"), "split"),
    **dict.fromkeys(
        ("dividend", "dividends", "div", "cash", "cashdividend", "specialdividend", "cd", "sc"),
        "dividend",
    ),
}
_RATIO = re.compile(
    r"(\d+(?:\.\d+)?)\s*(?::|/|\s+to\s+|\s*-?\s*for\s*-?\s*)\s*(\d+(?:\.\d+)?)", re.IGNORECASE
)


def actions(
    file: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    symbol: str | None = None,
    date_format: str | None = None,
    source: str | None = None,
    now: Clock = utc_now,
    stdin: BinaryIO | None = None,
) -> RecordBatch[ActionRecord]:
    """Splits and cash dividends of one CSV, Parquet or JSON-lines file.

    Either a ``kind`` (split, dividend) and a ``value`` in each row, or a column for each of the
    two, where empty, zero and a split of 1 mean "none that day".  A split is new shares for one
    old: ``7``, ``7:1``, ``7/1``, ``7-for-1``; ``1:8`` is a reverse split.  A dividend is cash a
    share.  ``symbol`` is for files that don't tell.  A row with both gives two records; one with
    neither is refused.

    UsageError: unknown options or columns, dates whose order cannot be told.  DataError: a file
    that cannot be read.
    """
    fetched_at = now()
    fixed = None if symbol is None else checked_symbol(symbol)
    columns = dict(mapping or {})
    if fixed is not None:
        columns["symbol"] = ""
    table = read_table(file, ACTION_FIELDS, columns, stdin)
    _check_form(table, fixed)
    symbols = table.symbols(fixed)
    days = _ex_days(table, date_format, to_us(fetched_at))
    kinds = _long_form(table) if "kind" in table.screen else _wide_form(table)
    records = [
        ActionRecord(symbol=of, kind=kind, ex_date=on, value=value, raw=raw, row=row)
        for passed, row, of, on, found, raw in zip(
            table.passed(), table.rows(), symbols, days, kinds, table.raw(), strict=True
        )
        if passed
        for kind, value in found
    ]
    said = {
        "kind": "actions",
        "columns": table.screen.columns.described(),
        "symbol": fixed,
        "date_format": date_format,
    }
    return RecordBatch(
        provenance_of(table.source, source, fetched_at, said), records, table.screen.rejects()
    )


def _check_form(table: RecordTable, symbol: str | None) -> None:
    screen, where = table.screen, table.source.origin
    if symbol is None and "symbol" not in screen:
        raise UsageError(
            "no column looks like 'symbol'", where=where, hint="--symbol AMD or --map symbol=COLUMN"
        )
    if "kind" in screen and "value" not in screen:
        raise UsageError("no column looks like 'value'", where=where, hint="--map value=COLUMN")
    if not ("kind" in screen or "split" in screen or "dividend" in screen):
        raise UsageError(
            "no column says whether a row is a split or a dividend",
            where=where,
            hint="--map split=COLUMN, dividend=COLUMN, or kind=COLUMN,value=COLUMN",
        )


def _ex_days(table: RecordTable, date_format: str | None, now: int) -> list[date]:
    """The date as written, whatever the clock and zone beside it: ex-dates are the exchange's."""
    parser = TimeParser(date_format, where=table.source.origin)
    times = parser.parse(table.screen.cells("ex_date"))
    table.screen.refuse(times.bad, "ex_date", parser.fault)
    table.screen.refuse(
        too_far_ahead(times.wall, now), "ex_date", "lies in the future, beyond any schedule"
    )
    days: IntArray = times.wall // DAY
    return [date(1970, 1, 1) + timedelta(days=day) for day in days.tolist()]


def _long_form(table: RecordTable) -> list[list[tuple[Kind, float]]]:
    screen = table.screen
    found = [_KINDS.get(re.sub("[^a-z]", "", text.lower())) for text in table.texts("kind")]
    is_split = np.array([kind == "split" for kind in found], dtype=np.bool_)
    is_dividend = np.array([kind == "dividend" for kind in found], dtype=np.bool_)
    screen.refuse(~is_split & ~is_dividend, "kind", "unknown kind: one of split, dividend")
    values = np.where(is_split, _ratios(table, "value", is_split), np.nan)
    cash = _amounts(table, "value", is_dividend)
    values = np.where(is_dividend, cash, values)
    screen.refuse(np.isnan(values), "value", "the value is missing")
    screen.refuse(is_split & (values == 1), "value", "a split of one for one changes nothing")
    screen.refuse(is_dividend & (values == 0), "value", "a dividend of zero")
    return [
        [(kind, value)] if kind is not None else []
        for kind, value in zip(found, values.tolist(), strict=True)
    ]


def _wide_form(table: RecordTable) -> list[list[tuple[Kind, float]]]:
    screen = table.screen
    every = np.ones(len(screen), dtype=np.bool_)
    splits, cash = _ratios(table, "split", every), _amounts(table, "dividend", every)
    has_split = ~np.isnan(splits) & (splits != 1)
    has_cash = ~np.isnan(cash) & (cash != 0)
    field = "split" if "split" in screen else "dividend"
    screen.refuse(~has_split & ~has_cash, field, "neither a split nor a dividend in this row")
    found: list[list[tuple[Kind, float]]] = [[] for _ in range(len(screen))]
    kinds: tuple[Kind, Kind] = ("split", "dividend")
    for kind, values, present in zip(kinds, (splits, cash), (has_split, has_cash), strict=True):
        for index in np.flatnonzero(present).tolist():
            found[index].append((kind, float(values[index])))
    return found


def _ratios(table: RecordTable, field: str, among: BoolArray) -> FloatArray:
    """New shares for one old; NaN where there is none; zero in a column of splits is none."""
    values = np.full(len(table.screen), np.nan)
    if field not in table.screen:
        return values
    texts = table.texts(field)
    ratios = {text: _ratio(text) for text in set(texts)}
    values = np.array([np.nan if (r := ratios[text]) is None else r for text in texts])
    empty = np.array([text.lower() in MISSING for text in texts], dtype=np.bool_)
    none = values == 0 if field == "split" else np.zeros(len(texts), dtype=np.bool_)
    bad = among & ~empty & ~none & ~(np.isfinite(values) & (values > 0))
    table.screen.refuse(bad, field, _ratio_fault)
    return np.where(none | ~among, np.nan, values)


def _ratio(text: str) -> float | None:
    found = _RATIO.fullmatch(text)
    if found:
        old = float(found.group(2))
        return float(found.group(1)) / old if old else -1.0
    number = to_numbers(pa.array([text])).values[0]
    return None if np.isnan(number) else float(number)


def _ratio_fault(_: int, text: str) -> str:
    if _RATIO.fullmatch(text) or to_numbers(pa.array([text])).bad[0] == np.False_:
        return "a split is a positive number of new shares for one old"
    return f"{number_fault(text)}; a split is written 7, 7:1, 7/1 or 7-for-1"


def _amounts(table: RecordTable, field: str, among: BoolArray) -> FloatArray:
    """Cash a share; NaN where there is none."""
    if field not in table.screen:
        return np.full(len(table.screen), np.nan)
    column = to_numbers(table.screen.cells(field))
    table.screen.refuse(among & column.bad, field, lambda _, text: number_fault(text))
    table.screen.refuse(among & np.isinf(column.values), field, "the number is not finite")
    table.screen.refuse(among & (column.values < 0), field, "a dividend is not negative")
    return np.where(among, column.values, np.nan)
