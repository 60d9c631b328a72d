"""Which column of a file holds what, guessed from common spellings or said by the user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from db.errors import UsageError, did_you_mean
from db.sources.files.texts import printable


@dataclass(frozen=True)
class Field:
    """Something that an importer wants to know, and how files call it.

    ``spellings`` are compared without case, blanks and punctuation, the likeliest first; one that
    ends in ``*`` matches a beginning.
    """

    name: str
    spellings: tuple[str, ...]
    required: bool = False


def _field(name: str, spellings: str, *, required: bool = False) -> Field:
    return Field(name, tuple(spellings.split()), required)


_SYMBOL = "symbol ticker tickersymbol tic sym instrument code stock"
_INSTANT = "timestamp datetime ts"
_DAYS = "date day tradedate tradingdate tradingday"

# "adjclose" is in no list on purpose: an adjusted close is not the close.
PRICE_FIELDS = (
    _field("symbol", _SYMBOL),
    _field(
        "time",
        f"{_INSTANT} start starttime barstart bartime opentime {_DAYS} dt t time utc",
        required=True,
    ),
    _field("open", "open o openprice openingprice", required=True),
    _field("high", "high h highprice dayhigh", required=True),
    _field("low", "low l lowprice daylow", required=True),
    _field("close", "close c closeprice closingprice last closelast lastprice", required=True),
    _field("volume", "volume vol v sharevolume shares qty"),
    _field("clock", "clock timeofday time"),
)
EVENT_FIELDS = (
    _field("symbol", _SYMBOL, required=True),
    _field(
        "announced",
        "announced announcedate announcementdate announcedat announcement reportdate "
        f"reporteddate earningsdate eventdate releasedate rdq anndats {_INSTANT} {_DAYS} "
        "releasetime announcetime time",
        required=True,
    ),
    _field(
        "session",
        "session releasetime releasesession reporttime announcetime earningstime when timing "
        "hour marketsession beforeafter beforeaftermarket release time",
    ),
    _field("session_inferred", "sessioninferred sessionguessed inferred"),
    _field("clock", "clock timeofday anntims time"),
    _field(
        "fiscal_period",
        "fiscalperiod fiscalquarter qtr quarter period fiscalquarterending fiscaldateending "
        "periodending periodend fpedats",
    ),
    _field(
        "eps_estimate",
        "epsestimate epsest epsestimated estimate estimatedeps epsforecast epsconsensus "
        "consensuseps consensusepsforecast epsmean consensus forecast",
    ),
    _field(
        "eps_actual", "epsactual eps actual actualeps reportedeps epsreported reported earnings"
    ),
    _field(
        "revenue_estimate",
        "revenueestimate revenueestimated revenueest revest estimatedrevenue revenueforecast "
        "revenueconsensus salesestimate",
    ),
    _field("revenue_actual", "revenueactual revenue actualrevenue reportedrevenue sales rev"),
    _field("currency", "currency cur ccy"),
    _field("first_known_at", "firstknownat firstknown knownat knownsince asof asofdate"),
)
ACTION_FIELDS = (
    _field("symbol", _SYMBOL),
    _field(
        "ex_date",
        f"exdate exdividenddate effectivedate splitdate {_DAYS} {_INSTANT}",
        required=True,
    ),
    _field("kind", "kind type actiontype action event"),
    _field("value", "value amount ratio factor"),
    _field("split", "split splits stocksplits stocksplit splitratio splitfactor splitcoefficient"),
    _field(
        "dividend",
        "dividend dividends cashdividend divcash dividendamount cashamount divamount amount",
    ),
)
NEWS_FIELDS = (
    _field(
        "published",
        "published publishedat publishedutc publisheddate publisheddatetime publishtime "
        "publicationdate pubdate publishedlocal* versioncreated createdat created "
        f"{_INSTANT} {_DAYS} time",
        required=True,
    ),
    _field("title", "title headline head subject", required=True),
    _field("url", "url articleurl link canonicalurl permalink guid id"),
    _field("body", "body text content article story summary description teaser"),
    _field("symbols", "symbols symbol tickers ticker relatedtickers stocks stock"),
    _field("language", "language lang"),
    _field("provider", "provider publisher source site"),
    _field("event_at", "eventat eventtime eventdate"),
    _field("sentiment", "sentiment sentimentscore score"),
    _field("clock", "clock timeofday time"),
)

_DATE_SPELLINGS = frozenset(
    f"{_DAYS} announcedate announcementdate reportdate reporteddate earningsdate eventdate "
    "releasedate publicationdate publisheddate anndats".split()
)


@dataclass(frozen=True)
class ColumnMap:
    """Where each field stands: ``fields`` from field name to column index."""

    names: tuple[str, ...]
    fields: Mapping[str, int]

    def __contains__(self, field: str) -> bool:
        return field in self.fields

    def index(self, field: str) -> int:
        return self.fields[field]

    def name(self, field: str) -> str:
        """The column's own name, as rejects show it; empty for a field that no column holds."""
        return printable(self.names[self.fields[field]]) if field in self.fields else ""

    def described(self) -> str:
        """``open=o, high=h``: what was guessed and what was said, for the screen and the record."""
        return ", ".join(f"{field}={self.name(field)}" for field in self.fields)


def parse_mapping(texts: Iterable[str]) -> dict[str, str]:
    """``["open=o,high=h", "close=c"]`` -> fields to columns; an empty column means "there is none".

    A comma separates only where ``name=`` follows, so a column's name may hold one.  UsageError
    where there is no ``=``.
    """
    mapping: dict[str, str] = {}
    for text in texts:
        for part in re.split(r",(?=\s*\w+\s*=)", text):
            field, equals, column = part.partition("=")
            if not equals:
                raise UsageError(
                    f"{part!r} is not FIELD=COLUMN", where="--map", hint="--map open=o,close=c"
                )
            mapping[field.strip()] = column.strip()
    return mapping


def find_columns(
    names: Sequence[str],
    fields: Sequence[Field],
    mapping: Mapping[str, str] | None = None,
    *,
    where: str,
) -> ColumnMap:
    """Fields to columns: those of ``mapping`` first, the rest guessed, each column used once.

    UsageError: an unknown field or column, a column name that occurs twice, a required field
    without a column.
    """
    said = dict(mapping or {})
    known = {field.name: field for field in fields}
    found: dict[str, int] = {}
    for field_name, column in said.items():
        if field_name not in known:
            raise UsageError(
                f"unknown field {field_name!r}",
                where="--map",
                hint=did_you_mean(field_name, known, kind="field"),
            )
        if column:
            found[field_name] = _index_of(column, names, where)
    spelled = [_bare(name) for name in names]
    for field in fields:
        if field.name in said:
            continue
        if field.name == "clock" and not _is_date_column(found, spelled):
            continue
        index = _guessed(field, spelled, taken=set(found.values()), names=names, where=where)
        if index is not None:
            found[field.name] = index
    for field in fields:
        if field.required and field.name not in found:
            raise _missing_column(field.name, names, where)
    ordered = {field.name: found[field.name] for field in fields if field.name in found}
    return ColumnMap(tuple(names), ordered)


def _missing_column(field: str, names: Sequence[str], where: str) -> UsageError:
    """The error for a field that has to be there and that no column seems to hold."""
    listed = ", ".join(repr(name) for name in names[:15]) + (", ..." if len(names) > 15 else "")
    return UsageError(
        f"no column looks like {field!r} (there are {listed})",
        where=where,
        hint=f"--map {field}=COLUMN",
    )


def _index_of(column: str, names: Sequence[str], where: str) -> int:
    places = [index for index, name in enumerate(names) if name == column]
    if not places:
        places = [i for i, name in enumerate(names) if name.strip().lower() == column.lower()]
    if not places:
        raise UsageError(
            f"no column {column!r}", where=where, hint=did_you_mean(column, names, kind="column")
        )
    if len(places) > 1:
        raise UsageError(
            f"column {column!r} occurs {len(places)} times",
            where=where,
            hint="give the columns different names",
        )
    return places[0]


def _bare(name: str) -> str:
    """``<OPEN>``, ``1. open`` and ``Open `` are all ``open``."""
    text = re.sub(r"^\d+\.\s+", "", name.strip())
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def _is_date_column(found: Mapping[str, int], spelled: Sequence[str]) -> bool:
    """A clock of its own makes sense beside a column of dates alone."""
    index = next((found[f] for f in ("time", "announced", "published") if f in found), None)
    return index is not None and spelled[index] in _DATE_SPELLINGS


def _guessed(
    field: Field, spelled: Sequence[str], *, taken: set[int], names: Sequence[str], where: str
) -> int | None:
    for spelling in field.spellings:
        start = spelling.removesuffix("*")
        places = [
            index
            for index, name in enumerate(spelled)
            if index not in taken
            and (name == spelling or (start != spelling and name[: len(start)] == start))
        ]
        if len(places) > 1:
            both = " and ".join(repr(names[index]) for index in places[:2])
            raise UsageError(
                f"both {both} could be {field.name!r}",
                where=where,
                hint=f"--map {field.name}=COLUMN",
            )
        if places:
            return places[0]
    return None
