import json
from pathlib import Path

from db.batches import NewsRecord, TextFact, TextReaction
from db.store import Store
from tests.cli.conftest import Cli, Outcome
from tests.db.build import records
from tests.tiny_store import ny


def test_news_is_listed_by_when_it_was_known(tiny_cli: Cli) -> None:
    out = tiny_cli("news").out
    assert "2019-01-29 16:20-05:00" in out
    assert "AMD guides below" in out


def test_a_headline_is_shown_as_it_is_written(tiny_cli: Cli) -> None:
    assert "[bold]AMD[/bold] turns" in tiny_cli("news").out


def test_days_choose_among_them(tiny_cli: Cli) -> None:
    found = json.loads(tiny_cli("news", "--since", "2019-01-30", "--json").out)
    assert [item["title"] for item in found] == ["[bold]AMD[/bold] turns"]
    assert json.loads(tiny_cli("news", "--symbol", "UBER", "--json").out) == []


def tell(folder: Path) -> None:
    """An article of four days later, and one without figures."""
    fact = TextFact(
        metric="revenue",
        kind="reported",
        low=1.42e9,
        high=1.42e9,
        unit="USD",
        change=0.06,
        period="2018Q4",
        symbol="AMD",
        sentence="Revenue rose 6% to $1.42 billion.",
    )
    outlook = TextFact(
        *("eps", "guidance", 0.05, 0.07, "USD"), symbol="AMD", sentence="EPS of 5 to 7 cents."
    )
    moved = TextReaction("fell", 0.06, "post", "Shares [fell] 6% after hours.")
    items = [
        NewsRecord(
            "AMD in review",
            ny("2019-02-02 12:00:00"),
            symbols=["AMD"],
            facts=[fact, outlook],
            reactions=[moved],
        ),
        NewsRecord("Of Uber", ny("2019-02-02 12:00:00"), symbols=["UBER"]),
    ]
    with Store.open(folder) as store:
        store.ingest(records("told", items, source="feed"))


def titles(outcome: Outcome) -> list[str]:
    return [item["title"] for item in json.loads(outcome.out)]


def test_items_about_an_event_are_found_also_those_of_days_later(
    tiny_cli: Cli, tmp_path: Path
) -> None:
    tell(tmp_path / "store")
    (event,) = json.loads(tiny_cli("events", "--symbol", "AMD", "--json").out)
    number = str(event["event_id"])
    found = tiny_cli("news", "--event", number, "--json")
    assert titles(found) == ["AMD guides below", "[bold]AMD[/bold] turns", "AMD in review"]
    assert {item["event_id"] for item in json.loads(found.out)} == {event["event_id"]}
    none = tiny_cli("news", "--event", "999")
    assert (none.status, none.out) == (0, "")
    assert "no news about event 999" in none.err


def test_figures_are_listed_with_their_sentences(tiny_cli: Cli, tmp_path: Path) -> None:
    tell(tmp_path / "store")
    table = tiny_cli("news", "--facts", "--symbol", "AMD")
    assert table.status == 0
    assert "Moves of the stock, as told" in table.out
    assert "fell" in table.out
    assert "1.42B" in table.out
    assert max(map(len, table.out.splitlines())) <= 80
    facts = json.loads(tiny_cli("news", "--facts", "--json").out)
    assert [(fact["metric"], fact["low"], fact["high"]) for fact in facts] == [
        ("revenue", 1.42e9, 1.42e9),
        ("eps", 0.05, 0.07),
    ]
    assert facts[0]["sentence"] == "Revenue rose 6% to $1.42 billion."
    assert facts[0]["change"] == 0.06
    assert len(tiny_cli("news", "--facts", "--csv").out.splitlines()) == 3


def test_figures_are_those_of_the_chosen_items(tiny_cli: Cli, tmp_path: Path) -> None:
    tell(tmp_path / "store")
    (event,) = json.loads(tiny_cli("events", "--symbol", "AMD", "--json").out)

    def count(*words: str) -> int:
        return len(json.loads(tiny_cli("news", "--facts", *words, "--json").out))

    assert count("--event", str(event["event_id"])) == 2
    assert count("--event", "999") == 0
    assert count("--symbol", "UBER") == 0
    assert count("--until", "2019-02-01") == 0
    assert count("--since", "2019-02-02") == 2
    assert count("--as-of", "2019-02-01") == 0


def test_items_without_figures_are_said_to_have_none(tiny_cli: Cli) -> None:
    outcome = tiny_cli("news", "--facts")
    assert (outcome.status, outcome.out) == (0, "")
    assert "no figures" in outcome.err
