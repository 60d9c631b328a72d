"""Price bars from files: ``backtest ingest prices``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, get_args

import numpy as np
import pyarrow as pa

from db.batches import BAR_SCHEMA, Adjustment, BarBatch, BarChunk
from db.calendar import Calendar
from db.calendar import calendar as calendar_of
from db.errors import UsageError, did_you_mean
from db.intervals import MINUTE, Interval
from db.sources.files import bar_checks
from db.sources.files.arrow import Cells, FloatArray, IntArray
from db.sources.files.columns import PRICE_FIELDS, ColumnMap, find_columns
from db.sources.files.duplicates import SeenBars
from db.sources.files.numeric import to_numbers
from db.sources.files.provenance import Clock, provenance_of, to_us, utc_now
from db.sources.files.reader import RowChunk, Rows, open_rows
from db.sources.files.screen import Screen
from db.sources.files.source import refuse_missing
from db.sources.files.symbols import SymbolColumn, checked_symbol, symbol_of_name
from db.sources.files.times import TimeParser
from db.sources.files.zones import checked_zone

_NUMBERS = (*bar_checks.PRICES, "volume")


def prices(
    files: str | Path | Sequence[str | Path],
    *,
    interval: str | Interval,
    tz: str | None = None,
    symbol: str | None = None,
    symbol_column: str | None = None,
    symbol_from_name: bool = False,
    mapping: Mapping[str, str] | None = None,
    adjusted: Adjustment = "none",
    source: str | None = None,
    exchange: str = "XNYS",
    date_format: str | None = None,
    now: Clock = utc_now,
    stdin: BinaryIO | None = None,
) -> Iterator[BarBatch]:
    """Bars of CSV, Parquet or JSON-lines files, one batch a file, streamed.

    ``tz`` is the zone of times that carry none (a daily bar's date needs none).  Instruments come
    from ``symbol``, from ``symbol_column``, or from the file's name up to its first suffix; with
    none of the three from a column that looks like it.  ``mapping`` names columns by field
    (`columns.PRICE_FIELDS`), the rest is guessed; ``provenance.options["columns"]`` says what was.
    ``adjusted`` states what the prices are adjusted for, ``source`` (default ``"file"``) keeps
    them apart from other sources.  ``date_format`` is a strptime format, ``epoch_s``, ``epoch_ms``
    or ``epoch_us``.

    Bars start at the stamp given, daily bars at their session's open; both in UTC.  Each row is
    in ``bars`` or in ``rejects`` of some chunk.  Call it for one file at a time to go on after a
    file that cannot be read.

    UsageError, at once: options that clash or do not exist, no such file; while iterating:
    columns that cannot be told, dates whose order cannot, times without a zone.  DataError while
    iterating batches or chunks: a file that cannot be read.
    """
    wanted = [str(files)] if isinstance(files, str | Path) else [str(file) for file in files]
    columns = _symbol_mapping(mapping, symbol, symbol_column, symbol_from_name=symbol_from_name)
    options = _Options(
        interval=Interval.parse(interval),
        tz=None if tz is None else checked_zone(tz),
        symbol=None if symbol is None else checked_symbol(symbol),
        symbol_from_name=symbol_from_name,
        mapping=columns,
        adjusted=adjusted,
        source=source,
        exchange=exchange,
        calendar=calendar_of(exchange),
        date_format=date_format,
    )
    _check(options, wanted)
    return (_batch(file, options, now(), stdin) for file in wanted)


@dataclass(frozen=True)
class _Options:
    interval: Interval
    tz: str | None
    symbol: str | None
    symbol_from_name: bool
    mapping: Mapping[str, str]
    adjusted: Adjustment
    source: str | None
    exchange: str
    calendar: Calendar
    date_format: str | None


def _symbol_mapping(
    mapping: Mapping[str, str] | None,
    symbol: str | None,
    symbol_column: str | None,
    *,
    symbol_from_name: bool,
) -> dict[str, str]:
    """The mapping with what the options say of the symbol's column."""
    columns = dict(mapping or {})
    by_option = symbol is not None or symbol_from_name
    ways = [symbol is not None, symbol_from_name, symbol_column is not None, "symbol" in columns]
    if sum(ways) > 1:
        raise UsageError(
            "the symbol is said in two ways", hint="--symbol AMD or --symbol-column ticker"
        )
    if symbol_column is not None or by_option:
        columns["symbol"] = symbol_column or ""
    return columns


def _check(options: _Options, files: Sequence[str]) -> None:
    if not files:
        raise UsageError("no files to read", hint="ingest prices FILE --interval 1d")
    if options.adjusted not in get_args(Adjustment):
        hint = did_you_mean(str(options.adjusted), get_args(Adjustment), kind="adjustment")
        raise UsageError(f"unknown adjustment {options.adjusted!r}", where="--adjusted", hint=hint)
    if options.symbol_from_name and "-" in files:
        raise UsageError("standard input has no name", hint="--symbol or --symbol-column")
    TimeParser(options.date_format, where="--date-format")
    for file in files:  # the last of many should not fail after the others went in
        refuse_missing(file)


def _batch(file: str, options: _Options, now: datetime, stdin: BinaryIO | None) -> BarBatch:
    rows = open_rows(file, stdin=stdin)
    columns = find_columns(rows.names, PRICE_FIELDS, options.mapping, where=file)
    symbol = symbol_of_name(file) if options.symbol_from_name else options.symbol
    if symbol is None and "symbol" not in columns:
        raise UsageError(
            "no column looks like a symbol",
            where=file,
            hint="--symbol AMD, --symbol-column COLUMN or --symbol-from-name",
        )
    said = {
        "kind": "prices",
        "columns": columns.described(),
        "interval": options.interval.value,
        "tz": options.tz,
        "symbol": symbol,
        "adjusted": options.adjusted,
        "exchange": options.exchange,
        "date_format": options.date_format,
    }
    reader = _Bars(rows, columns, options, symbol, now)
    return BarBatch(
        provenance=provenance_of(rows.source, options.source, now, said),
        interval=options.interval,
        adjusted=options.adjusted,
        chunks=reader.chunks(),
        rows_expected=rows.expected,
    )


class _Bars:
    """Checks one file, chunk after chunk."""

    def __init__(
        self,
        rows: Rows,
        columns: ColumnMap,
        options: _Options,
        symbol: str | None,
        now: datetime,
    ) -> None:
        self._rows = rows
        self._columns = columns
        self._options = options
        self._now = to_us(now)
        self._symbols = SymbolColumn(symbol)
        self._times = TimeParser(options.date_format, where=rows.source.origin)

    def chunks(self) -> Iterator[BarChunk]:
        with closing(SeenBars()) as seen:
            for chunk in self._rows.chunks(list(self._columns.fields.values())):
                yield self._checked(chunk, seen)

    def _checked(self, chunk: RowChunk, seen: SeenBars) -> BarChunk:
        screen = Screen(self._rows.source.origin, chunk, self._columns)
        symbol_codes, symbols = self._symbols.read(screen)
        starts, slots = self._starts(screen)
        numbers = {field: to_numbers(screen.cells(field)) for field in _NUMBERS if field in screen}
        values = {field: column.values for field, column in numbers.items()}
        bar_checks.check_numbers(screen, numbers)
        bar_checks.check_order(screen, values)
        values.setdefault("volume", np.full(len(screen), np.nan))
        _check_repeats(screen, seen, symbol_codes, slots, values)
        return BarChunk(_table(screen, symbols, starts, values), screen.rejects())

    def _starts(self, screen: Screen) -> tuple[IntArray, IntArray]:
        """Start of each bar in microseconds and its number among all of its kind."""
        options = self._options
        calendar, interval = options.calendar, options.interval
        clocks = screen.cells("clock") if "clock" in screen else None
        times = self._times.parse(screen.cells("time"), clocks)
        screen.refuse(times.bad, "time", self._times.fault)
        if interval.is_daily:
            slots = bar_checks.sessions_of_days(screen, times, "time", options.tz, calendar)
            starts, ends = calendar.opens[slots], calendar.closes[slots]
        else:
            starts = bar_checks.wall_to_instants(screen, times, "time", options.tz)
            bar_checks.check_hours(screen, starts, calendar, interval)
            ends = calendar.bar_ends(starts, interval)
            slots = np.asarray(starts // MINUTE)
        bar_checks.check_not_yet(screen, starts, ends, self._now, calendar.tz)
        return starts, slots


def _check_repeats(
    screen: Screen,
    seen: SeenBars,
    symbol_codes: IntArray,
    slots: IntArray,
    values: Mapping[str, FloatArray],
) -> None:
    """Refuse all but the first bar of a symbol and start; rows refused already don't count."""
    passed = np.flatnonzero(screen.passed)
    same, different = seen.find(
        symbol_codes[passed], slots[passed], tuple(values[f][passed] for f in _NUMBERS)
    )
    repeated = np.zeros(len(screen), dtype=np.bool_)
    differing = repeated.copy()
    repeated[passed], differing[passed] = same, different
    screen.refuse(
        differing,
        "time",
        "another bar of this symbol and start, with other values, came first and was kept",
    )
    screen.refuse(repeated, "time", "the same bar came before in this file: the first was kept")


def _table(
    screen: Screen, symbols: Cells, starts: IntArray, values: Mapping[str, FloatArray]
) -> pa.Table:
    volume = values["volume"]
    arrays = [
        symbols,
        pa.array(starts).cast(pa.timestamp("us", "UTC")),
        *(pa.array(values[field]) for field in bar_checks.PRICES),
        pa.array(volume, mask=np.isnan(volume)),
    ]
    table = pa.Table.from_arrays(arrays, schema=BAR_SCHEMA)
    passed = screen.passed
    return table if passed.all() else table.filter(pa.array(passed))
