import json
from pathlib import Path

from db.batches import EventRecord
from db.store import Store
from tests.cli.conftest import Cli
from tests.db.build import records
from tests.tiny_store import ny

CORRECTED = """\
symbol,date,session,period,eps_est,eps
AMD,2019-01-29,post,2018Q4,0.09,0.07
"""


def test_events_are_listed_in_exchange_time(tiny_cli: Cli) -> None:
    out = tiny_cli("events").out
    assert "2019-01-29 16:00-05:00" in out
    assert "2018Q4" in out


def test_symbols_and_days_choose_among_them(tiny_cli: Cli) -> None:
    def chosen(*options: str) -> list[str]:
        return [event["symbol"] for event in json.loads(tiny_cli("events", *options, "--json").out)]

    assert chosen() == ["AMD", "UBER", "NONE"] or set(chosen()) == {"AMD", "UBER", "NONE"}
    assert chosen("--symbol", "amd") == ["AMD"]
    assert set(chosen("--symbols", "AMD,UBER")) == {"AMD", "UBER"}
    assert set(chosen("--since", "2019-02-05")) == {"UBER", "NONE"}
    assert chosen("--until", "2019-01-29") == ["AMD"]
    assert chosen("--until", "2019-01-28") == []


def test_every_revision_of_an_event_can_be_seen(tiny_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "corrected.csv").write_text(CORRECTED)
    report = json.loads(tiny_cli("ingest", "events", tmp_path / "corrected.csv", "--json").out)
    assert report[0]["revised"] == 1
    (event,) = json.loads(tiny_cli("events", "--symbol", "AMD", "--json").out)
    assert event["eps_actual"] == 0.07
    explained = json.loads(tiny_cli("events", "--explain", str(event["event_id"]), "--json").out)
    assert [revision["eps_actual"] for revision in explained["revisions"]] == [0.08, 0.07]
    table = tiny_cli("events", "--explain", str(event["event_id"]))
    assert "0.08" in table.out
    assert "0.07" in table.out


def test_what_was_known_earlier_can_be_asked_for(tiny_cli: Cli) -> None:
    """The file proves nothing, so nothing was known before it was imported."""
    assert json.loads(tiny_cli("events", "--as-of", "2019-06-30", "--json").out) == []


def test_an_event_that_is_not_there_is_wrong_use(tiny_cli: Cli) -> None:
    outcome = tiny_cli("events", "--explain", "999")
    assert outcome.status == 2
    assert "999" in outcome.err


def with_filing(tiny_cli: Cli, tmp_path: Path) -> str:
    """AMD's event with a second source that bounds its release; the number of the event."""
    with Store.open(tmp_path / "store") as store:
        told = EventRecord(
            symbol="AMD",
            announced_from=ny("2019-01-29 00:00:00"),
            announced_to=ny("2019-01-29 16:15:10"),
            precision="date",
            session="",
            fiscal_period="2018Q4",
            first_known_at=ny("2019-01-29 16:15:10"),
        )
        store.ingest(records("filing", [told], source="edgar"))
    (event,) = json.loads(tiny_cli("events", "--symbol", "AMD", "--json").out)
    return str(event["event_id"])


def test_the_interval_that_is_used_is_explained_source_by_source(
    tiny_cli: Cli, tmp_path: Path
) -> None:
    number = with_filing(tiny_cli, tmp_path)
    out = tiny_cli("events", "--explain", number).out
    assert (
        "Release time used: 2019-01-29 16:00:00-05:00 to 2019-01-29 16:15:10-05:00 (session, post)"
    ) in " ".join(out.split())
    explained = json.loads(tiny_cli("events", "--explain", number, "--json").out)
    assert explained["announced_from"] == "2019-01-29T21:00:00+00:00"
    assert explained["announced_to"] == "2019-01-29T21:15:10+00:00"
    assert (explained["precision"], explained["session"]) == ("session", "post")
    roles = {role["source"]: role["role"] for role in explained["roles"]}
    assert roles["file"].startswith("chosen: a part of the day")
    assert roles["edgar"] == "bounds it: not later"
    assert len(explained["revisions"]) == 2


def test_an_explanation_fits_the_screen_and_csv_holds_the_revisions(
    tiny_cli: Cli, tmp_path: Path
) -> None:
    number = with_filing(tiny_cli, tmp_path)
    table = tiny_cli("events", "--explain", number)
    assert table.status == 0
    assert max(map(len, table.out.splitlines())) <= 80
    lines = tiny_cli("events", "--explain", number, "--csv").out.splitlines()
    assert len(lines) == 3
    assert "announced_from" in lines[0]


def test_an_instant_is_one_time_not_two(tiny_cli: Cli, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        when = ny("2019-01-29 16:15:10")
        told = EventRecord("AMD", when, when, "exact", "", "2018Q4")
        store.ingest(records("wire", [told], source="wire"))
    out = " ".join(tiny_cli("events", "--explain", "1").out.split())
    assert "Release time used: 2019-01-29 16:15:10-05:00 (exact)" in out
