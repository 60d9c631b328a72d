"""The tables of ``docs/evidence.md``, written between its marks; the words around them stay."""

from __future__ import annotations

import re
from collections.abc import Iterable

from calibration.registry import (
    BAND,
    FOUND,
    GROUPS,
    POWER,
    Expect,
    Group,
    Test,
    entries,
    expectation,
)
from calibration.tally import Count, Results, share_error
from db.errors import DataError

_MARK = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def fill(text: str, results: Results) -> str:
    """``text`` with every table made anew.  DataError for a mark that names none."""
    tables = blocks(results)

    def table(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in tables:
            raise DataError(f"no table {name!r}", hint=f"one of {', '.join(tables)}")
        return f"{found[1]}\n{tables[name]}\n\n{found[3]}"

    return _MARK.sub(table, text)


def blocks(results: Results) -> dict[str, str]:
    """Name of a mark -> the table that stands there."""
    made = {group.name: rates(group, results) for group in GROUPS}
    return made | {
        "sizes": sizes(results),
        "outside": outside(results),
        "pbo": pbo(results),
        "power": power(results),
    }


def rates(group: Group, results: Results) -> str:
    """A row a test: rates at 5 %, with their Monte-Carlo errors."""
    several = len(group.designs) > 1
    headings = ["test", "should hold"]
    for design in group.designs:
        few = "few evenings: " if several and design == "few" else ""
        headings += [few + heading for heading, _ in group.views.values()]
    rows = []
    for test in group.tests:
        cells = [f"`{test.name}`", _should(group, test)]
        for design in group.designs:
            cells += [_cell(results, design, group, view, test) for view in group.views]
        rows.append([*cells, test.why])
    if any(test.why for test in group.tests):
        return _table([*headings, "why not"], rows)
    return _table(headings, [row[:-1] for row in rows])


def outside(results: Results) -> str:
    """Tests that should hold on the large markets and lie outside the band, with the reason."""
    lines = [
        f"- `{key}`: {_percent(found)}. {FOUND.get(key, 'Not explained yet.')}"
        for key, found in tests_outside(results)
    ]
    return "\n".join(lines) if lines else "None."


def tests_outside(results: Results) -> list[tuple[str, Count]]:
    """(key, count) of the tests of large markets that are not where theory wants them."""
    return [
        (key, results.designs[design].tests[key])
        for design in ("full", "search")
        for key, *_ in entries(design)
        if not _inside(expectation(key), results.designs[design].tests[key].rate)
    ]


def sizes(results: Results) -> str:
    """What is in a market of each design, on average."""
    names = {
        "releases": "releases",
        "dates": "reaction sessions",
        "evening_0_trades": "after-hours trades",
        "evening_0_dates": "on sessions",
        "gap_0_trades": "gap trades",
        "gap_0_dates": "on sessions",
    }
    rows = []
    for design, tally in results.designs.items():
        means = tally.means
        cells = [f"{means[name].mean:.0f}" if name in means else "" for name in names]
        rows.append([f"`{design}`", f"{tally.markets:,}", *cells])
    return _table(["design", "markets", *names.values()], rows)


def pbo(results: Results) -> str:
    """The mean of what is no test."""
    found = results.designs["search"].means["pbo"]
    return f"Mean PBO over {found.n:,} markets: {found.mean:.3f} ± {found.error:.3f}."


def power(results: Results) -> str:
    """A row a position of the dial: what a trade earns, and how often each test finds it."""
    rows = []
    for share, tally in results.power.items():
        edge = tally.means["edge"]
        cells = [_share(tally.tests[key].above, tally.tests[key].defined) for key, _ in POWER]
        gain = f"{edge.mean * 100:+.2f} % ± {edge.error * 100:.2f}"
        rows.append([f"{float(share) * 100:.0f} %", gain, *cells])
    headings = ["reversals", "edge per trade", *(f"{what} [%]" for _, what in POWER)]
    return _table(headings, rows)


def _should(group: Group, test: Test) -> str:
    told = [test.expect(view) for view in group.views]
    if len(set(told)) == 1:
        return "at most 5 %" if told[0] is Expect.AT_MOST else str(told[0])
    views = zip(group.views.values(), told, strict=True)
    return "; ".join(heading for (heading, _), one in views if one is Expect.HOLDS)


def _cell(results: Results, design: str, group: Group, view: str, test: Test) -> str:
    found = results.designs[design].tests[f"{group.name}.{view}.{test.name}"]
    text = _share(found.rejected, found.defined)
    if found.defined < results.designs[design].markets:
        text += f" of {found.defined:,}"
    if design != "few" and not _inside(test.expect(view), found.rate):
        return f"**{text}**"
    return text


def _inside(expected: Expect, rate: float) -> bool:
    low, high = BAND
    if expected is Expect.NO:
        return True
    return rate <= high and (expected is Expect.AT_MOST or rate >= low)


def _share(part: int, n: int) -> str:
    if not n:
        return "undefined"
    share = part / n
    return f"{share * 100:.1f} ± {share_error(share, n) * 100:.1f}"


def _percent(found: Count) -> str:
    return f"{_share(found.rejected, found.defined)} %"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headings), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
