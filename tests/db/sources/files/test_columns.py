"""Columns are found under the names that vendors use, and never guessed where two would do."""

from __future__ import annotations

import pytest

from db.errors import UsageError
from db.sources.files.columns import (
    ACTION_FIELDS,
    EVENT_FIELDS,
    NEWS_FIELDS,
    PRICE_FIELDS,
    Field,
    find_columns,
    parse_mapping,
)


def found(names: str, fields: tuple[Field, ...], **mapping: str) -> str:
    return find_columns(names.split(","), fields, mapping, where="file").described()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "Date,Open,High,Low,Close,Adj Close,Volume",
            "time=Date, open=Open, high=High, low=Low, close=Close, volume=Volume",
        ),
        ("t,o,h,l,c,v", "time=t, open=o, high=h, low=l, close=c, volume=v"),
        (
            "timestamp,1. open,2. high,3. low,4. close,5. volume",
            (
                "time=timestamp, open=1. open, high=2. high, low=3. low, close=4. close, "
                "volume=5. volume"
            ),
        ),
        (
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            (
                "symbol=<TICKER>, time=<DATE>, open=<OPEN>, high=<HIGH>, low=<LOW>, close=<CLOSE>, "
                "volume=<VOL>, clock=<TIME>"
            ),
        ),
        ("time,open,high,low,close", "time=time, open=open, high=high, low=low, close=close"),
        (
            "Date,Close/Last,Volume,Open,High,Low",
            "time=Date, open=Open, high=High, low=Low, close=Close/Last, volume=Volume",
        ),
    ],
)
def test_prices(names: str, expected: str) -> None:
    assert found(names, PRICE_FIELDS) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "symbol,date,qtr,eps_est,eps,release_time,surp",
            (
                "symbol=symbol, announced=date, session=release_time, fiscal_period=qtr, "
                "eps_estimate=eps_est, eps_actual=eps"
            ),
        ),
        (
            "symbol,announce_date,session,session_inferred,eps_est,eps",
            (
                "symbol=symbol, announced=announce_date, session=session, "
                "session_inferred=session_inferred, eps_estimate=eps_est, eps_actual=eps"
            ),
        ),
        (
            "date,epsActual,epsEstimate,hour,quarter,revenueActual,revenueEstimate,symbol,year",
            (
                "symbol=symbol, announced=date, session=hour, fiscal_period=quarter, "
                "eps_estimate=epsEstimate, eps_actual=epsActual, revenue_estimate=revenueEstimate, "
                "revenue_actual=revenueActual"
            ),
        ),
        ("Ticker,Date,Time", "symbol=Ticker, announced=Date, session=Time"),
        ("Ticker,Date,When,Time", "symbol=Ticker, announced=Date, session=When, clock=Time"),
        ("ticker,release_time", "symbol=ticker, announced=release_time"),
    ],
)
def test_events(names: str, expected: str) -> None:
    assert found(names, EVENT_FIELDS) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("published_utc,ticker,title", "published=published_utc, title=title, symbols=ticker"),
        (
            "published_local_berlin,headline,article_url",
            "published=published_local_berlin, title=headline, url=article_url",
        ),
        ("published,title,id", "published=published, title=title, url=id"),
    ],
)
def test_news(names: str, expected: str) -> None:
    assert found(names, NEWS_FIELDS) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("symbol,ex_date,type,amount", "symbol=symbol, ex_date=ex_date, kind=type, value=amount"),
        (
            "Date,Open,Close,Dividends,Stock Splits",
            "ex_date=Date, split=Stock Splits, dividend=Dividends",
        ),
    ],
)
def test_actions(names: str, expected: str) -> None:
    assert found(names, ACTION_FIELDS) == expected


def test_an_adjusted_close_is_not_the_close() -> None:
    with pytest.raises(UsageError, match="no column looks like 'close'") as error:
        found("Date,Open,High,Low,Adj Close", PRICE_FIELDS)
    assert "--map close=COLUMN" in error.value.hint
    said = found("Date,Open,High,Low,Adj Close", PRICE_FIELDS, close="Adj Close")
    assert "close=Adj Close" in said


def test_what_is_said_wins_over_what_would_be_guessed() -> None:
    said = found("date,open,high,low,close,first", PRICE_FIELDS, open="first")
    assert said == "time=date, open=first, high=high, low=low, close=close"


def test_an_empty_column_means_that_there_is_none() -> None:
    said = found("date,open,high,low,close,volume", PRICE_FIELDS, volume="")
    assert "volume" not in said


def test_two_columns_that_would_do_need_a_word() -> None:
    with pytest.raises(UsageError, match="both 'Close' and 'close' could be 'close'") as error:
        found("date,open,high,low,Close,close", PRICE_FIELDS)
    assert error.value.hint == "--map close=COLUMN"
    assert "close=Close" in found("date,open,high,low,Close,close", PRICE_FIELDS, close="Close")


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown field 'opne'") as error:
        found("date,open", PRICE_FIELDS, opne="open")
    assert error.value.hint == "did you mean 'open'?"
    with pytest.raises(UsageError, match="no column 'volumne'") as error:
        found("date,volume", PRICE_FIELDS, volume="volumne")
    assert error.value.hint == "did you mean 'volume'?"


def test_a_name_that_occurs_twice_cannot_be_said() -> None:
    with pytest.raises(UsageError, match="occurs 2 times"):
        found("date,x,x", PRICE_FIELDS, open="x")


def test_a_mapping_as_it_is_typed() -> None:
    assert parse_mapping(["open=o, high=h", "close=Close, adjusted", "volume="]) == {
        "open": "o",
        "high": "h",
        "close": "Close, adjusted",
        "volume": "",
    }
    with pytest.raises(UsageError, match="'open' is not FIELD=COLUMN"):
        parse_mapping(["open"])


def test_a_name_with_control_characters_is_shown_harmlessly() -> None:
    columns = find_columns(["date", "o\x00", "h", "l", "c"], PRICE_FIELDS, where="file")
    assert columns.name("open") == r"o\x00"
    assert columns.described() == r"time=date, open=o\x00, high=h, low=l, close=c"
