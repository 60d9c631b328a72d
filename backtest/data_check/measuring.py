"""Which events can be measured with the bars there are?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backtest.data_check.prices import Finding
from backtest.panel.build import build_panel
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store


def event_findings(store: Store, symbols: list[str] | None) -> Iterator[Finding]:
    """Events that no bars can measure, by reason, for each interval and source of bars."""
    events = store.events(symbols=symbols)
    if events.empty:
        return
    sources = store.bar_sources()
    for label, source in zip(sources["interval"], sources["source"], strict=True):
        join = build_panel(store, events, Interval.parse(str(label)), source=str(source))
        for reason, group in join.left_out.groupby("reason"):
            names = list(dict.fromkeys(group["symbol"]))
            shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            yield (
                "events",
                f"{len(names)} symbols" if len(names) > 1 else names[0],
                "",
                (
                    f"{len(group):,} of {len(events):,} events cannot be measured with "
                    f"{label} {source} bars: {reason} ({shown})"
                ),
            )
