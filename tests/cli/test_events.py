import json
from pathlib import Path

from tests.cli.conftest import Cli

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
