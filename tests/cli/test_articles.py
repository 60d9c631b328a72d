"""``backtest ingest article`` and ``ingest feed``, as a person calls them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Process
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.web import ARTICLE_DE, ARTICLE_EN, Entry, FakeWeb, article, rss

HEAD = '<meta property="article:published_time" content="2026-01-29T21:10:00Z">'
PAGE = article("Meta to spend far more", ARTICLE_EN, head=HEAD)
GERMAN = article("Instagram-Mutter will mehr ausgeben", ARTICLE_DE, head=HEAD, lang="de")


def items(cli: Cli) -> list[dict]:
    return json.loads(cli("news", "--json").out)


def test_an_article_is_read_with_its_companies(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "de.html").write_text(GERMAN)
    outcome = ready("ingest", "article", tmp_path / "de.html", "--json")
    assert outcome.status == 0, outcome.err
    assert json.loads(outcome.out)[0]["added"] == 1
    (item,) = items(ready)
    assert (item["symbol"], item["link_how"], item["language"]) == ("META", "parent", "de")
    assert item["sentiment"] is None, "off unless asked for"


def test_symbols_are_given_and_several_pages_are_read(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "b.html").write_text(GERMAN)
    line = ("ingest", "article", tmp_path / "a.html", tmp_path / "b.html")
    assert ready(*line, "--symbol", "meta", "--symbol", "goog", "--source", "paper").status == 0
    found = items(ready)
    assert {item["symbol"] for item in found} == {"META", "GOOG"}
    assert {item["source"] for item in found} == {"paper"}


def test_a_date_can_be_given_for_one_article_alone(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Meta Platforms to spend far more\n\n" + ARTICLE_EN[0])
    outcome = ready("ingest", "article", tmp_path / "a.txt")
    assert (outcome.status, "--published" in outcome.err) == (1, True)
    line = ("ingest", "article", tmp_path / "a.txt", "--published", "2026-01-29")
    assert ready(*line).status == 0
    assert items(ready)[0]["published_at"] == "2026-01-30T00:00:00-05:00"
    assert ready(*line, tmp_path / "a.txt").status == 2


def test_standard_input_is_a_page(ready: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PAGE.encode())))
    assert ready("ingest", "article", "-").status == 0
    assert items(ready)[0]["title"] == "Meta to spend far more"


def test_a_dry_run_writes_nothing(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    outcome = ready("ingest", "article", tmp_path / "a.html", "--dry-run", "--csv")
    assert "dry run" in outcome.out
    assert items(ready) == []


def test_a_page_that_cannot_be_had_does_not_keep_the_others_out(ready: Cli) -> None:
    with FakeWeb() as web:
        gone, there = f"{web.url}/gone", web.at("/there", PAGE)
        outcome = ready("ingest", "article", gone, there, "--json")
    assert outcome.status == 1
    assert "no such page" in outcome.err
    assert json.loads(outcome.out)[0]["added"] == 1


def test_a_feed_is_read_twice_and_stored_once(ready: Cli) -> None:
    feed = rss(
        [
            Entry("Meta Platforms to spend far more", link="https://x.org/1", id="1"),
            Entry("No date", "", link="https://x.org/2", id="2"),
        ]
    )
    with FakeWeb() as web:
        url = web.at("/feeds/a.rss", feed)
        first = ready("ingest", "feed", url, "--json", "--sentiment", "lexicon")
        again = ready("ingest", "feed", url, "--json", "--sentiment", "lexicon")
    (report,) = json.loads(first.out)
    assert (report["added"], report["rejected"]) == (1, 1)
    assert json.loads(again.out)[0]["note"] == "imported before"
    assert [item["symbol"] for item in items(ready)] == ["META"]
    (reject,) = json.loads(ready("ingest", "rejects", "--json").out)
    assert reject["reason"] == "the date is missing"


def test_notes_are_said(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.rss").write_text(rss([Entry("Meta Platforms to spend")])[:-30])
    outcome = ready("ingest", "feed", tmp_path / "a.rss")
    assert "no well-formed XML" in outcome.err


@pytest.mark.parametrize("mood", ["lexicn", "no_module:judge"])
def test_a_mood_that_is_none_is_wrong_use(mood: str, ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    assert ready("ingest", "article", tmp_path / "a.html", "--sentiment", mood).status == 2
    assert items(ready) == []


def test_hostile_text_moves_nothing_on_screen(ready: Cli, tmp_path: Path) -> None:
    title = "\x1b[31mred \u202eevil \x07 Meta Platforms"
    (tmp_path / "a.html").write_text(article(title, ARTICLE_EN, head=HEAD))
    ready("ingest", "article", tmp_path / "a.html")
    shown = ready("news").out
    assert "evil" in shown
    assert not set("\x1b\x07\u202e") & set(shown)


def test_another_process_reads_an_address(process: Process, tmp_path: Path) -> None:
    """All of it as installed, the paced line and its waits included."""
    with FakeWeb() as web:
        url = web.at("/a", PAGE)
        web.faults.append(Fault("503"))
        process("init", cwd=tmp_path)
        done = process("ingest", "article", url, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        assert b"waiting" in done.stderr
        web.faults.append(Fault("403", times=FOR_GOOD))
        refused = process("ingest", "article", f"{url}?token=hunter2", cwd=tmp_path)
        assert refused.returncode == 1
        assert b"hunter2" not in refused.stderr + refused.stdout
