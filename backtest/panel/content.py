"""What a release or the news said, as columns that are empty until it was known.

A value first known at an instant appears in the first column whose bar ends at or after it.
Revisions that became known later replace earlier ones from then on, never before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.panel.arrays import PanelArray, as_panel_array
from backtest.panel.sessions import EventSessions, to_us
from backtest.paths import BoolArray, FloatArray, IntArray

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Facts:
    """Values that became known over time: rows sorted by event, then instant."""

    event: IntArray
    known_at: IntArray
    value: FloatArray

    def as_of(self, ends: IntArray, real: BoolArray) -> PanelArray:
        """Events x bars: the value last known at each bar's end, NaN before the first.

        ``ends`` and ``real`` (which columns hold a bar) are events x bars.
        """
        out = np.full(ends.shape, np.nan)
        for row, at, value in zip(self.event, self.known_at, self.value, strict=True):
            out[row, real[row] & (ends[row] >= at)] = value
        return as_panel_array(out)


def known_from(
    first_known: IntArray, proven: BoolArray, assumed: IntArray, strict: bool
) -> IntArray:
    """The instant from which a fact may be used (us UTC).

    A source that proves when it could have been known is believed.  Otherwise the fetch time is
    all there is: ``strict`` uses it, and without it the ``assumed`` instant stands in.
    """
    return np.where(proven | strict, first_known, assumed)


def surprise_facts(
    revisions: pd.DataFrame, events: pd.DataFrame, sessions: EventSessions, strict: bool
) -> Facts:
    """EPS surprise (actual - estimate) / |estimate| of each event, as it became known.

    An estimate may be used from the interval's start, an actual from its end; a surprise when
    both were known.  An estimate of zero gives none.
    """
    row_of = pd.Series(np.arange(len(events)), index=events["event_id"].to_numpy())
    known = revisions[revisions["event_id"].isin(row_of.index)]
    rows = row_of.loc[known["event_id"]].to_numpy(dtype=np.int64)
    first_known = to_us(known["first_known_at"])
    proven = known["first_known_proven"].to_numpy(dtype=np.bool_)
    at = {
        "eps_estimate": known_from(first_known, proven, sessions.announced_from[rows], strict),
        "eps_actual": known_from(first_known, proven, sessions.announced_to[rows], strict),
    }
    changes = []
    for name, instants in at.items():
        values = known[name].to_numpy(dtype=np.float64)
        given = ~np.isnan(values)
        changes.append(
            pd.DataFrame(
                {"row": rows[given], "at": instants[given], name: values[given]},
            )
        )
    merged = pd.concat(changes).sort_values(["row", "at"], kind="stable")
    merged[list(at)] = merged.groupby("row")[list(at)].ffill()
    estimate = merged["eps_estimate"].to_numpy(dtype=np.float64)
    actual = merged["eps_actual"].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(estimate != 0, (actual - estimate) / np.abs(estimate), np.nan)
    good = ~np.isnan(value)
    return Facts(
        merged["row"].to_numpy(dtype=np.int64)[good],
        merged["at"].to_numpy(dtype=np.int64)[good],
        value[good],
    )


def estimates_in_time(revisions: pd.DataFrame, events: pd.DataFrame, at: IntArray) -> BoolArray:
    """Whether the estimate of each event was known by an instant (N, us UTC): point in time.

    A source proves it, or it was fetched by then.  An estimate that was fetched after the release
    says what it was in the end, not what a reader could have had before.
    """
    row_of = pd.Series(np.arange(len(events)), index=events["event_id"].to_numpy())
    mine = revisions["event_id"].isin(row_of.index) & revisions["eps_estimate"].notna()
    given = revisions[mine]
    rows = row_of.loc[given["event_id"]].to_numpy(dtype=np.int64)
    in_time = np.zeros(len(events), dtype=np.bool_)
    in_time[rows[to_us(given["first_known_at"]) <= at[rows]]] = True
    return in_time


def guidance_facts(
    guidance: pd.DataFrame, metric: str, events: pd.DataFrame, strict: bool
) -> Facts:
    """Guidance midpoint against consensus, as a fraction of |consensus|, as it became known.

    A consensus that another statement on the same period had given by then serves for one
    without.  Guidance read out of a text never replaces what a source of figures had said.
    """
    row_of = pd.Series(np.arange(len(events)), index=events["event_id"].to_numpy())
    mine = guidance[(guidance["metric"] == metric) & guidance["event_id"].isin(row_of.index)]
    low, high = (mine[side].to_numpy(dtype=np.float64) for side in ("low", "high"))
    said = pd.DataFrame(
        {
            "row": row_of.loc[mine["event_id"]].to_numpy(dtype=np.int64),
            "at": known_from(
                to_us(mine["first_known_at"]),
                mine["first_known_proven"].to_numpy(dtype=np.bool_),
                # Its own release, not the event's: an outlook can be given days after.
                to_us(mine["announced_to"]),
                strict,
            ),
            "period": mine["period"].to_numpy(),
            "told": mine["news_id"].notna().to_numpy(),
            "middle": (np.where(np.isnan(low), high, low) + np.where(np.isnan(high), low, high))
            / 2,
            "consensus": mine["consensus"].to_numpy(dtype=np.float64),
        }
    ).sort_values(["row", "at", "told"], ascending=[True, True, False], kind="stable")
    topic = said.groupby(["row", "period"], sort=False)
    said["consensus"] = topic["consensus"].ffill()
    # A row of figures with a consensus alone says nothing of the company's own outlook.
    figures = said["at"].where(~said["told"] & said["middle"].notna())
    figures_since = figures.groupby(said["row"]).transform("min")
    said = said[~said["told"] | ~(figures_since <= said["at"])]
    middle, consensus = (said[name].to_numpy() for name in ("middle", "consensus"))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(consensus != 0, (middle - consensus) / np.abs(consensus), np.nan)
    good = ~np.isnan(value)
    return Facts(said["row"].to_numpy()[good], said["at"].to_numpy()[good], value[good])


@dataclass(frozen=True, eq=False)
class NewsColumns:
    """News of the event's instrument since the reference close, as it was published."""

    count: PanelArray
    """Items so far; 0 before the first."""
    sentiment: PanelArray
    """Mean sentiment so far of the items that carry one; NaN before the first."""


def news_columns(
    news: pd.DataFrame,
    instruments: IntArray,
    sessions: EventSessions,
    ends: IntArray,
    real: BoolArray,
) -> NewsColumns:
    """Count and mean sentiment at each bar's end (events x bars), first publications alone."""
    first_items = news[news["news_id"] == news["cluster_id"]]
    # An item may name one instrument by two symbols, the old one and the new.
    first_items = first_items.drop_duplicates(["news_id", "instrument_id"])
    published = to_us(first_items["published_at"])
    owner = first_items["instrument_id"].to_numpy(dtype=np.int64)
    order = np.lexsort((published, owner))
    published, owner = published[order], owner[order]
    mood = first_items["sentiment"].to_numpy(dtype=np.float64)[order]
    count = np.zeros(ends.shape)
    sentiment = np.full(ends.shape, np.nan)
    begins = np.searchsorted(owner, instruments, side="left")
    ends_at = np.searchsorted(owner, instruments, side="right")
    for row, (begin, stop) in enumerate(zip(begins, ends_at, strict=True)):
        mine = slice(begin, stop)
        times = published[mine]
        # What comes out at the close itself comes after it, as a release would.
        lo = np.searchsorted(times, sessions.reference_close[row], side="left")
        upto = np.searchsorted(times, ends[row], side="right")
        count[row] = np.maximum(upto - lo, 0)
        values = mood[mine]
        total = np.concatenate([[0.0], np.nancumsum(values)])
        number = np.concatenate([[0], np.cumsum(~np.isnan(values))])
        n = number[upto] - number[np.minimum(lo, upto)]
        with np.errstate(invalid="ignore"):
            mean = (total[upto] - total[np.minimum(lo, upto)]) / np.where(n > 0, n, 1)
        sentiment[row] = np.where(n > 0, mean, np.nan)
    count[~real] = np.nan
    sentiment[~real] = np.nan
    return NewsColumns(as_panel_array(count), as_panel_array(sentiment))
