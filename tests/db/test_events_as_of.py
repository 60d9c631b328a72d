"""What was known of an event at a time, for every order in which two statements can come."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import numpy as np
import pytest

from tests.db.build import at, event, records

PRECISIONS = {"date": 0, "session": 1, "exact": 2}
DAYS = [at(f"2020-01-0{day} 12:00") for day in range(1, 6)]


def _interval(precision: str, which: int) -> tuple[str, str]:
    """Intervals of one event, different for each precision and revision."""
    start = f"2020-02-0{1 + which} 1{PRECISIONS[precision]}:00"
    return start, start if precision == "exact" else f"2020-02-0{1 + which} 20:00"


def _cases() -> list[tuple[str, tuple[tuple[datetime, str, float | None], ...]]]:
    """Every order of two knowledge times, all precisions, each value given or not."""
    known = list(product(DAYS[1:4], repeat=2))
    values = list(product((None, 1.0), (None, 2.0)))
    cases = product(known, product(PRECISIONS, repeat=2), values)
    return [
        (f"S{n:04}", tuple(zip(when, precision, eps, strict=True)))
        for n, (when, precision, eps) in enumerate(cases)
    ]


def _expected(statements, as_of: datetime) -> tuple[str, float | None] | None:
    """What was known of an event, in the plainest words."""
    known = [(when, n) for n, (when, _, _) in enumerate(statements) if when <= as_of]
    if not known:
        return None
    newest_last = [n for _, n in sorted(known)]
    best = max(PRECISIONS[statements[n][1]] for n in newest_last)
    chosen = [n for n in newest_last if PRECISIONS[statements[n][1]] == best][-1]
    values = [statements[n][2] for n in newest_last if statements[n][2] is not None]
    return _interval(statements[chosen][1], chosen)[0], values[-1] if values else None


@pytest.mark.parametrize("first_imported", [0, 1])
def test_every_order_of_two_revisions_is_read_as_it_was_known(store, first_imported):
    cases = _cases()
    for which in (first_imported, 1 - first_imported):
        rows = []
        for symbol, statements in cases:
            known_at, precision, eps = statements[which]
            start, end = _interval(precision, which)
            rows.append(
                event(
                    symbol, start, end, precision=precision, fiscal_period="P", eps_actual=eps,
                    first_known_at=known_at,
                )
            )  # fmt: skip
        # Equal knowledge times are ordered by import, which `_expected` does not know of.
        report = store.ingest(records(f"{which}.csv", rows))
        assert report.added + report.revised == len(cases)

    for as_of in (DAYS[0], *DAYS[1:4], DAYS[2] - timedelta(microseconds=1), DAYS[4]):
        found = store.events(as_of=as_of).set_index("symbol")
        for symbol, statements in cases:
            if first_imported and statements[0][0] == statements[1][0]:
                continue
            expected = _expected(statements, as_of)
            if expected is None:
                assert symbol not in found.index
                continue
            row = found.loc[symbol]
            eps = None if np.isnan(row.eps_actual) else row.eps_actual
            assert (row.announced_from, eps) == (at(expected[0]), expected[1]), statements
            assert row.first_known_at <= as_of
