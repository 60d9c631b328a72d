import json

from tests.cli.conftest import Cli


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
