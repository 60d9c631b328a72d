"""The page as text and as a file: nothing loaded, nothing broken out of, whole or not at all."""

import base64
import hashlib
import json
import re
import resource
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from backtest.report import ReportData, Summary, embed, render, write_report
from db.errors import BacktestError, UsageError
from tests.backtest.report.builder import (
    HOSTILE,
    hostile_data,
    report_data,
    six_bar_detail,
    trades_frame,
)


class Page(HTMLParser):
    """A page taken apart: its elements, their attributes, the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._inside == "style":
            self.styles.append(data)
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def data(self, name: str) -> dict[str, list[object]]:
        found = [text for attributes, text in self.scripts if attributes.get("id") == name]
        value: dict[str, list[object]] = json.loads(found[0])
        return value


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(report_data()))


def test_nothing_on_the_page_loads_anything(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "img", "base", "audio", "video", "source"}
        for name in ("src", "srcset", "action", "formaction", "data", "poster", "ping"):
            assert name not in attributes, (tag, attributes)
        if tag == "link":
            assert attributes["href"] == "data:,"
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\(|@import|expression", "".join(page.styles))


def test_the_policy_names_every_script_by_its_hash_and_allows_no_request(page: Page) -> None:
    policies = [a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a]
    assert len(policies) == 1
    policy = dict(part.split(" ", 1) for part in str(policies[0]).split("; "))
    scripts = [text for attributes, text in page.scripts if "type" not in attributes]
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    }
    assert len(scripts) == 4
    assert set(policy["script-src"].split()) == hashes
    assert policy["default-src"] == "'none'"
    assert "connect-src" not in policy
    assert policy["form-action"] == policy["base-uri"] == "'none'"


def test_plotly_is_there_once(page: Page) -> None:
    assert sum("plotly.js v" in text[:500] for _, text in page.scripts) == 1


def test_the_top_answers_in_one_look(page: Page) -> None:
    text = page.text.replace("\u00a0", " ")
    assert "SIMULATED DATA After-hours reversal 7 symbols, 1-minute bars" in text
    assert "Events → trades 55 → 12 21.8 % of the events were traded" in text
    assert re.search(r"Mean net return a trade \+0\.72 % −1\.61 % to \+3\.06 % \(95 % inter", text)
    assert "holds zero: it may be luck" in text
    assert "Account, whole period +12.3 % SPY, bought and held: +30.1 %" in text
    assert "Break-even cost 21.0 bp" in text
    assert "How far to believe it The interval of the mean holds zero." in text


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (Summary(trades=9, events=9, mean_net_low=0.01, mean_net_high=0.02), "above zero"),
        (Summary(trades=9, events=9, mean_net_low=-0.02, mean_net_high=-0.01), "below zero"),
        (Summary(trades=1, events=9), "too few trades for an interval"),
        (Summary(events=9), "no trades"),
        (Summary(break_even_cost=-0.001), "does not earn the costs assumed"),
        (Summary(), "no event was found"),
        (Summary(), "held against no benchmark"),
    ],
)
def test_the_top_says_what_cannot_be_said(summary: Summary, words: str) -> None:
    assert words in Page(render(ReportData(title="t", summary=summary))).text


def test_the_funnel_and_the_record_are_there_in_words(page: Page) -> None:
    assert "not triggered 30 54.5 % the rule did not ask" in page.text.replace("\u00a0", " ")
    assert "exits.target = 0.1" in page.text
    assert "backtest run after_hours_reversal --interval 1m -p drop=0.05 --seed 1" in page.text


def test_sections_without_content_are_left_out() -> None:
    page = Page(render(report_data(notes=(), other_seeds=np.empty(0))))
    assert "Notes on honesty" not in page.text
    assert "other seeds" not in page.text
    assert not [a for _, a in page.elements if a.get("href") == "#notes"]


def test_statistics_stand_beside_the_benchmarks(page: Page) -> None:
    assert "strategy SPY, bought and held Return [%] 12.30 30.10" in page.text
    assert "Longest drawdown [sessions] 113 98" in page.text
    assert "Fees paid [USD] 1,234.50 –" in page.text


def test_hostile_texts_change_no_element_of_the_page() -> None:
    hostile, harmless = Page(render(hostile_data())), Page(render(hostile_data("a word")))
    assert [(t, set(a)) for t, a in hostile.elements] == [(t, set(a)) for t, a in harmless.elements]
    assert [a for a, _ in hostile.scripts] == [a for a, _ in harmless.scripts]
    assert {text for a, text in hostile.scripts if "type" not in a} == {
        text for a, text in harmless.scripts if "type" not in a
    }


def test_hostile_texts_are_shown_as_they_are() -> None:
    page = Page(render(hostile_data()))
    shown = " ".join(HOSTILE.replace("\u202e", "").replace("\x00", "").split())
    assert page.text.count(shown) > 20
    assert str(page.data("data-trades")["symbol"][0]).startswith("</script><script>")
    assert "49" not in page.text.replace(shown, "")


def test_only_web_addresses_are_kept_as_links() -> None:
    chart = embed._chart(hostile_data().details[1])
    news = chart["news"]
    assert isinstance(news, list)
    assert [item["url"] for item in news] == ["", "", "https://example.com/?a=1&b=%22"]


def test_a_report_of_nothing_is_a_page() -> None:
    page = Page(render(ReportData(title="nothing")))
    assert page.data("data-trades")["trade_id"] == []
    assert "Nothing was recorded." in page.text


def test_charts_are_capped_and_the_page_says_so() -> None:
    data = report_data(40)
    data = replace(data, details=dict.fromkeys(range(1, 41), six_bar_detail()))
    page = Page(render(data, most_charts=6))
    ids = [a["id"] for a, _ in page.scripts if str(a.get("id")).startswith("chart-")]
    assert len(ids) == 6
    assert "6 of 40 trades carry a chart: the largest losses" in page.text


def test_a_report_of_very_many_trades_stays_small_and_says_what_it_leaves_out(
    tmp_path: Path,
) -> None:
    many = 30_000
    frame = trades_frame(700)
    repeated = frame.loc[np.arange(many) % 700].assign(trade_id=np.arange(many))
    data = replace(report_data(), trades=repeated, details={})
    path = write_report(data, tmp_path / "report.html")
    assert path.stat().st_size < 15e6
    text = path.read_text(encoding="utf-8")
    assert "The table lists 20,000 of 30,000 trades" in text


def test_the_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert write_report(ReportData(title="first"), path) == path
    write_report(ReportData(title="second"), str(path))
    assert "<h1>second</h1>" in path.read_text(encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_who_reads_the_old_report_keeps_it_whole(tmp_path: Path) -> None:
    path = write_report(ReportData(title="first"), tmp_path / "report.html")
    with path.open(encoding="utf-8") as reader:
        write_report(ReportData(title="second"), path)
        assert "<h1>first</h1>" in reader.read()


def test_a_link_to_a_report_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    write_report(ReportData(title="new"), tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert "<h1>new</h1>" in (tmp_path / "real.html").read_text(encoding="utf-8")


def test_a_folder_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a folder") as caught:
        write_report(ReportData(title="t"), tmp_path)
    assert "report.html" in caught.value.hint


def test_a_device_is_not_written_over() -> None:
    with pytest.raises(UsageError, match="not a regular file"):
        write_report(ReportData(title="t"), "/dev/null")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BacktestError, match="cannot be written: No such file") as caught:
        write_report(ReportData(title="t"), tmp_path / "no" / "report.html")
    assert caught.value.hint == f"make the folder first: mkdir -p {tmp_path / 'no'}"


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BacktestError, match="cannot be written: Not a directory"):
        write_report(ReportData(title="t"), tmp_path / "file" / "report.html")


@pytest.fixture
def files_end_at_a_megabyte() -> Iterator[None]:
    """Every file of this process is full at a megabyte, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("files_end_at_a_megabyte")
def test_a_report_that_does_not_fit_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old report")
    with pytest.raises(BacktestError, match="cannot be written: File too large"):
        write_report(report_data(), path)
    assert path.read_text() == "the old report"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
