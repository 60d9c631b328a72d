"""The page in a real browser: it draws, opens trades, asks for nothing and runs nothing foreign."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest.report import write_report
from tests.backtest.report.builder import HOSTILE, hostile_data, report_data
from tests.backtest.report.chromium import Chromium, Page, find_chromium

SKIP = "no Chromium or Chrome on this machine to open the report in"
READY = "document.querySelector('.detail-box[data-ready]')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    executable = find_chromium()
    if executable is None:
        pytest.skip(SKIP)
    with Chromium(executable, tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "a report.html"
    return write_report(report_data(60, events=300), path).as_uri()


@pytest.fixture(scope="module")
def shared(browser: Chromium, report: str) -> Iterator[Page]:
    page = browser.open(report)
    yield page
    page.close()


@pytest.fixture(scope="module")
def attacked(browser: Chromium, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The first trade opened in a report full of hostile texts."""
    path = write_report(hostile_data(), tmp_path_factory.mktemp("hostile") / "report.html")
    page = browser.open(f"{path.as_uri()}#trade-1")
    page.wait_for(READY)
    yield page
    page.close()


@pytest.fixture
def page(shared: Page) -> Page:
    """The report as it is when just opened."""
    shared.evaluate("location.hash = '#trades', document.getElementById('filters').reset()")
    shared.wait_for("document.querySelectorAll('#trade-table tr[data-trade]').length === 50")
    return shared


def first_cells(page: Page, column: int, rows: int = 3) -> list[str]:
    script = "[...document.querySelectorAll('#trade-table tr[data-trade]')].slice(0, %d)"
    cells: list[str] = page.evaluate(f"{script % rows}.map((r) => r.cells[{column}].textContent)")
    return cells


def test_every_figure_is_drawn_without_a_request_or_a_complaint(page: Page, report: str) -> None:
    drawn = page.evaluate(
        "[...document.querySelectorAll('[data-figure]')]"
        ".map((p) => [p.dataset.figure, p.querySelectorAll('.main-svg').length > 0])"
    )
    assert dict(drawn) == dict.fromkeys(
        ["funnel", "path", "rates", "exits", "returns", "equity", "seeds"], True
    )
    assert page.requests() == [report]
    assert page.complaints() == []


def test_no_button_of_a_chart_sends_it_away(page: Page) -> None:
    titles = page.evaluate(
        "[...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)"
    )
    assert set(titles) == {"Download plot as a PNG", "Zoom", "Pan", "Reset axes"}
    assert page.evaluate("document.querySelectorAll('a.modebar-btn--logo').length") == 0


def test_a_click_on_a_row_opens_its_chart_and_a_second_one_closes_it(page: Page) -> None:
    page.click("tr[data-trade='2'] td:nth-child(2)")
    page.wait_for(READY)
    assert page.evaluate("location.hash") == "#trade-2"
    assert page.evaluate("document.querySelectorAll('#trade-2 .main-svg').length") > 0
    assert page.evaluate("document.querySelector('#trade-2 h3').textContent") == "UBER 2019Q2 long"
    page.click("tr[data-trade='2'] td:nth-child(2)")
    page.wait_for("!document.querySelector('tr.detail')")
    assert page.complaints() == []


def test_a_trades_address_opens_it_wherever_it_is_in_the_table(
    browser: Chromium, report: str
) -> None:
    page = browser.open(f"{report}#trade-57")
    page.wait_for("document.getElementById('trade-57')")
    text = page.evaluate("document.getElementById('trade-57').textContent")
    assert "carries no chart" in text
    assert "AMD 2025Q1 long" in text
    page.evaluate("location.hash = '#trade-3'")
    page.wait_for(READY)
    assert page.evaluate("document.querySelectorAll('tr.detail').length") == 1
    assert page.complaints() == []
    page.evaluate("location.hash = '#trade-999'")
    page.wait_for("!document.getElementById('problems').hidden")
    assert page.complaints() == ["There is no trade 999 on this page."]
    page.close()


def test_a_trades_address_wins_over_a_filter_that_hides_it(page: Page) -> None:
    page.evaluate("document.querySelector('[name=text]').value = 'TSLA'")
    page.evaluate("document.getElementById('filters').dispatchEvent(new Event('input'))")
    assert set(first_cells(page, 1)) == {"TSLA"}
    page.evaluate("location.hash = '#trade-2'")
    page.wait_for(READY)
    assert page.evaluate("document.querySelector('[name=text]').value") == ""


def test_headings_sort_and_sort_back(page: Page) -> None:
    net = "#trade-table th:nth-child(12) button"
    page.click(net)
    falling = page.evaluate("document.querySelector('th[aria-sort]').ariaSort")
    best = first_cells(page, 11, rows=50)
    page.click(net)
    worst = first_cells(page, 11, rows=50)
    numbers = [[float(t[:-2].replace("−", "-")) for t in column] for column in (best, worst)]
    assert falling == "descending"
    assert numbers[0] == sorted(numbers[0], reverse=True)
    assert numbers[1] == sorted(numbers[1])
    assert numbers[0][0] > 0 > numbers[1][0]
    page.click("#trade-table th:nth-child(1) button")
    assert first_cells(page, 0) == ["1", "2", "3"]


def test_filters_count_what_they_leave_and_pages_turn(page: Page) -> None:
    said = "document.getElementById('trade-count').textContent"
    assert page.evaluate(said).startswith("60 trades, mean return after costs ")
    page.click("#pages button:last-child")
    assert first_cells(page, 0) == ["51", "52", "53"]
    for name, value in (("side", "short"), ("mark", "none")):
        page.evaluate(f"document.querySelector('[name={name}]').value = '{value}'")
    page.evaluate("document.getElementById('filters').dispatchEvent(new Event('input'))")
    assert page.evaluate(said).startswith("4 of 60 trades")
    assert first_cells(page, 0) == ["9", "18", "27"]


def test_a_printed_page_has_charts_as_wide_as_a_sheet(page: Page) -> None:
    width = "document.querySelector('#figure-equity .main-svg').getAttribute('width')"
    before = float(page.evaluate(width))
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert float(page.evaluate(width)) == 680
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for(f"{width} === '{before:g}'")


def test_a_phone_scrolls_charts_and_tables_not_the_page(browser: Chromium, report: str) -> None:
    page = browser.open(f"{report}#trade-1", width=400, height=800, touch=True)
    page.wait_for(READY)
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    assert page.evaluate("document.querySelectorAll('.modebar-btn').length") == 0
    assert page.complaints() == []
    page.close()


def test_hostile_texts_run_nothing_and_become_no_element(attacked: Page) -> None:
    page = attacked
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.querySelectorAll('img, b, i, iframe').length") == 0
    links = page.evaluate("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))")
    assert [link for link in links if not link.startswith("#")] == [
        "https://example.com/?a=1&b=%22"
    ]
    assert page.evaluate("document.querySelector('.news a').rel") == "noopener noreferrer"
    shown = " ".join(HOSTILE.replace("\u202e", "").replace("\x00", "").split())
    titles = page.evaluate("[...document.querySelectorAll('.news li')].map((l) => l.textContent)")
    assert len(titles) == 3
    assert all(shown in " ".join(title.split()) for title in titles)
    assert [address[:8] for address in page.requests()] == ["file:///"]
    assert page.complaints() == []


def test_a_hostile_headline_under_the_mouse_is_plain_text(attacked: Page) -> None:
    # Hover labels are drawn by plotly, which knows a few tags of its own.
    text, marked_up = attacked.evaluate(
        "(() => { const plot = document.querySelector('#trade-1 .js-plotly-plot');"
        " const curve = plot.data.findIndex((t) => t.name === 'news' && t.x[0]);"
        " Plotly.Fx.hover(plot, [{curveNumber: curve, pointNumber: 0}]);"
        " const label = plot.querySelector('.hoverlayer');"
        " return [label.textContent, label.querySelectorAll('a, [style*=bold]').length]; })()"
    )
    assert text.startswith("</script><script>window.pwned=1</script>")
    assert marked_up == 0
    assert attacked.complaints() == []


def test_the_policy_stops_what_would_get_through_and_the_page_says_so(
    browser: Chromium, report: str
) -> None:
    page = browser.open(report)
    image = '<img src="https://example.com/x.png" onerror="window.pwned=1">'
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(image)})")
    page.evaluate("fetch('https://example.com/').catch(() => null)")
    page.evaluate("void setTimeout(() => { throw new Error('something broke'); })")
    said = "document.getElementById('problems').textContent"
    page.wait_for(f"{said}.includes('connect-src') && {said}.includes('something broke')")
    assert page.evaluate("window.pwned") is None
    assert "img-src https://example.com" in page.evaluate(said)
    assert "script-src-attr inline" in page.evaluate(said)
    assert not page.evaluate("document.getElementById('problems').hidden")
    page.close()


def test_a_report_of_nothing_opens_without_a_complaint(browser: Chromium, tmp_path: Path) -> None:
    empty = report_data(0, events=0, details={})
    page = browser.open(write_report(empty, tmp_path / "empty.html").as_uri())
    assert page.evaluate("document.getElementById('trade-count').textContent") == (
        "No event became a trade."
    )
    assert page.evaluate("document.getElementById('trade-table').hidden")
    assert page.complaints() == []
    page.close()
