"""Instruments keep their identity through renames and reused symbols."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from db.batches import BarChunk
from db.errors import UsageError
from tests.db.build import action, bar_table, bars, event, news, records

SWITCH = date(2022, 6, 9)
BEFORE, AFTER = "2022-06-08T13:30", "2022-06-09T13:30"


def test_a_new_symbol_becomes_an_instrument_valid_throughout(store):
    store.ingest(bars("a.csv", [("AAA", "2020-01-02", 10)]))

    assert store.instruments().to_dict("records") == [
        {
            "instrument_id": 1, "symbol": "AAA", "name": "", "exchange": "XNYS",
            "currency": "USD", "listed": None, "delisted": None,
            "fiscal_year_end": None,
        }
    ]  # fmt: skip
    assert store.symbols().to_dict("records") == [
        {"instrument_id": 1, "symbol": "AAA", "valid_from": None, "valid_to": None}
    ]


def test_a_rename_keeps_the_identity(store):
    store.ingest(bars("a.csv", [("FB", BEFORE, 196.0)]))
    store.ingest(records("e.csv", [event("FB", "2022-04-27 20:05")]))

    assert store.rename("FB", "META", SWITCH) == 1
    store.ingest(bars("b.csv", [("META", AFTER, 184.0)]))
    store.ingest(records("f.csv", [event("META", "2022-07-27 20:05")]))

    assert store.instruments()["symbol"].tolist() == ["META"]
    assert store.bars("1d").instrument.tolist() == [1, 1]
    assert store.events()["instrument_id"].tolist() == [1, 1]
    assert store.events()["symbol"].tolist() == ["FB", "META"]
    # Either name finds both.
    assert len(store.events(symbols=["META"])) == 2
    assert len(store.events(symbols=["FB"])) == 2
    assert store.symbols()[["symbol", "valid_from", "valid_to"]].values.tolist() == [
        ["FB", None, date(2022, 6, 8)],
        ["META", SWITCH, None],
    ]
    assert store.resolve("FB", date(2022, 6, 8)) == 1
    assert store.resolve("FB", SWITCH) is None
    assert store.resolve("FB") == 1
    eve = date(2022, 6, 8)
    found = store.resolve_many(["FB", "META", "META", "X"], [SWITCH, SWITCH, eve, SWITCH])
    assert found == [None, 1, None, None]


def test_a_symbol_used_by_two_companies_names_two_instruments(store):
    old = store.add_instrument("FB", valid_from=date(1990, 1, 2), valid_to=date(2001, 5, 1))
    new = store.add_instrument("FB", valid_from=date(2012, 5, 18), name="Facebook")

    report = store.ingest(
        bars(
            "a.csv",
            [
                ("FB", "1999-03-01T14:30", 5),
                ("FB", "2012-05-18T13:30", 38),
                ("FB", "2005-01-03T14:30", 7),
            ],
        )
    )
    store.ingest(records("e.csv", [event("FB", "2013-01-30 21:05"), event("FB", "2005-01-03")]))

    assert old != new
    assert (report.added, report.rejected) == (2, 1)
    found = store.bars("1d")
    assert (found.instrument.tolist(), found.close.tolist()) == ([old, new], [5, 38])
    reject = store.rejects().iloc[0]
    assert (reject.column, reject["value"][:13]) == ("symbol", "FB 2005-01-03")
    assert "no instrument on that date" in reject.reason
    # An event is kept: that it has no instrument is for the funnel to tell.
    events = store.events().set_index("announced_from").sort_index()
    assert events["instrument_id"].isna().tolist() == [True, False]
    assert len(store.events(symbols=["FB"])) == 2


def test_the_dates_of_a_symbol_are_the_exchanges(store):
    store.add_instrument("META", valid_from=SWITCH)
    # 19:30 in New York on the eve, but the day itself in UTC
    evening = ("META", "2022-06-09T00:30", 184.0)

    report = store.ingest(bars("a.csv", [evening, ("META", "2022-06-09T04:00", 185.0)]))

    assert (report.added, report.rejected) == (1, 1)


def test_a_rejected_bar_is_named_by_its_row_where_the_importer_says_it(store):
    store.add_instrument("META", valid_from=SWITCH)
    table = bar_table([("META", AFTER, 1), ("META", BEFORE, 2)])
    table = table.append_column("row", [[11, 12]])
    batch = bars("a.csv", [])
    object.__setattr__(batch, "chunks", iter([BarChunk(table)]))

    store.ingest(batch)

    assert store.rejects()["row"].tolist() == [12]


def test_records_of_all_kinds_bring_instruments(store):
    store.ingest(records("e.csv", [event("AAA", "2020-01-02 21:05")]))
    store.ingest(records("a.csv", [action("BBB", "2020-01-02", 0.5)]))
    store.ingest(records("n.csv", [news("Something", "2020-01-02 21:05", "CCC", "AAA")]))

    assert store.instruments()["symbol"].tolist() == ["AAA", "BBB", "CCC"]


@pytest.mark.parametrize(
    ("valid_from", "valid_to"),
    [
        (None, None),
        (None, date(2012, 5, 18)),
        (date(2020, 1, 1), None),
        (date(2013, 1, 1), date(2014, 1, 1)),
    ],
)
def test_a_symbol_cannot_name_two_instruments_on_one_day(store, valid_from, valid_to):
    store.add_instrument("FB", valid_from=date(2012, 5, 18), valid_to=date(2022, 6, 8))

    with pytest.raises(UsageError, match="'FB' already names instrument 1 from 2012-05-18 to 2022"):
        store.add_instrument("FB", valid_from=valid_from, valid_to=valid_to)
    assert store.add_instrument("FB", valid_from=date(2022, 6, 9)) == 2
    assert store.add_instrument("FB", valid_to=date(2012, 5, 17)) == 3


def test_wrong_names_and_dates_are_refused(store):
    with pytest.raises(UsageError, match="before it begins"):
        store.add_instrument("A", valid_from=date(2020, 1, 2), valid_to=date(2020, 1, 1))
    with pytest.raises(UsageError, match="needs a symbol"):
        store.add_instrument("")
    store.add_instrument("META")
    with pytest.raises(UsageError, match="did you mean 'META'"):
        store.rename("METAA", "FB", SWITCH)
    with pytest.raises(UsageError, match="names no instrument"):
        store.rename("META", "META", SWITCH)
    store.add_instrument("TAKEN")
    with pytest.raises(UsageError, match="already names instrument 2"):
        store.rename("META", "TAKEN", SWITCH)
    assert len(store.symbols()) == 2


def test_details_of_an_instrument_are_kept(store):
    store.add_instrument(
        "SAP", exchange="XETR", currency="EUR", name="SAP SE", listed=date(1988, 11, 4),
        delisted=date(2030, 1, 1),
    )  # fmt: skip
    store.ingest(records("e.csv", [event("SAP", "2020-01-02 21:05")]))

    row = store.instruments().iloc[0]
    assert (row.exchange, row.currency, row["name"]) == ("XETR", "EUR", "SAP SE")
    assert (row.listed, row.delisted) == (date(1988, 11, 4), date(2030, 1, 1))
    assert store.events()["exchange"].tolist() == ["XETR"]


def test_a_new_instrument_follows_the_exchange_that_its_batch_was_read_with(store):
    def on_xetra(batch):
        return replace(batch, provenance=replace(batch.provenance, options={"exchange": "XETR"}))

    store.ingest(on_xetra(bars("sap.csv", [("SAP", "2020-01-02", 1.0)])))
    store.ingest(on_xetra(records("bmw.csv", [event("BMW", "2020-01-29 06:00")])))
    store.ingest(bars("amd.csv", [("AMD", "2020-01-02", 1.0)]))

    assert dict(store.instruments()[["symbol", "exchange"]].to_numpy()) == {
        "SAP": "XETR",
        "BMW": "XETR",
        "AMD": "XNYS",
    }
