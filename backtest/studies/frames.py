"""The frames of a study, from its measured events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.evidence.paired import Span
from backtest.funnel import ORDER, funnel_frame
from backtest.panel.build import Join
from backtest.panel.sessions import from_us
from backtest.studies.chosen import Choice
from backtest.studies.content import Content
from backtest.studies.outcomes import Ends, from_entry, from_reference
from backtest.studies.placebo import Drawn
from backtest.studies.rates import FIRST, REFERENCE, Group
from backtest.studies.tape import Nights

CHOSEN = "chosen"
_LATEST = 1 << 61


@dataclass(frozen=True, eq=False)
class Measured:
    """The measurable events with their groups and outcomes."""

    nights: Nights
    ends: Ends
    choice: Choice
    labels: np.ndarray
    content: Content

    def group(self, name: str, mask: np.ndarray, entry: np.ndarray) -> Group:
        moves = {
            REFERENCE: from_reference(self.nights, self.ends),
            FIRST: from_entry(self.nights, self.ends, entry),
        }
        whole = Group(name, moves, Span(self.ends.day, self.ends.last_day))
        return whole.take(name, mask)

    def groups(self) -> list[Group]:
        return [self.group(p.name, p.mask, p.known.entry) for p in self.choice.parts]

    @property
    def chosen(self) -> Group:
        part = self.choice.chosen
        return self.group(part.name, part.mask, part.known.entry)


def events_frame(measured: Measured) -> pd.DataFrame:
    """`Study.events`."""
    nights, choice = measured.nights, measured.choice
    panel, m = nights.panel, nights.measures
    mask, known = choice.chosen.mask, choice.chosen.known
    frame = pd.DataFrame(
        {
            "event_id": panel.events["event_id"],
            "symbol": panel.events["symbol"],
            "announced_from": panel.events["announced_from"],
            "session": measured.labels,
            "reference_date": m.dates(panel.sessions.reference),
            "reaction_date": m.dates(panel.sessions.reaction),
            "known_at": from_us(np.where(mask & (known.at < _LATEST), known.at, -1)),
            "from_reference": from_reference(nights, measured.ends),
            "from_first": from_entry(nights, measured.ends, known.entry),
            "chosen": mask,
        }
    )
    frame["from_first"] = frame["from_first"].where(mask)
    for one in choice.judged:
        frame[str(one.condition)] = pd.array(one.holds, dtype="boolean")
        frame.loc[one.unknown, str(one.condition)] = pd.NA
    return frame


def pair_frames(measured: Measured, drawn: Drawn, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`Study.matches` and `Study.unmatched`; ``name`` is the measure of size."""
    nights, frame = measured.nights, drawn.frame
    rows = np.flatnonzero(measured.choice.chosen.mask)
    own = nights.panel.events.iloc[rows].reset_index(drop=True)
    at = drawn.event
    matches = pd.DataFrame(
        {
            "event_id": own["event_id"].to_numpy()[at],
            "symbol": own["symbol"].to_numpy()[at],
            "instrument_id": frame["instrument_id"],
            "reference_date": _local_date(frame["reference_close"].to_numpy()),
            "reaction_date": _local_date(frame["reaction_close"].to_numpy()),
            "event_size": getattr(nights, name)[rows][at],
            "night_size": frame["size"],
            "event_volatility": nights.volatility[rows][at],
            "night_volatility": frame["volatility"],
            "distance": frame["distance"],
            "from_reference": frame["from_reference"],
            "from_first": frame["from_first"],
        }
    )
    without = drawn.reason != ""
    unmatched = own.loc[without, ["event_id", "symbol"]].assign(reason=drawn.reason[without])
    return matches, unmatched.reset_index(drop=True)


def funnel_of(join: Join, others: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """`Study.funnel`."""
    reasons = [
        join.left_out["reason"],
        others["status"] if "status" in others else pd.Series(dtype=object),
        pd.Series(np.where(choice.status == "", CHOSEN, choice.status)),
    ]
    counts = pd.concat(reasons, ignore_index=True).value_counts()
    frame = funnel_frame(counts, outcome=CHOSEN)
    # Conditions strike in the order in which they were given.
    texts = [str(one.condition) for one in choice.judged]
    place = [_place(str(reason), texts) for reason in frame["reason"]]
    frame = frame.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)
    frame["left"] = (
        frame["events"].sum() - frame["events"].where(frame["reason"] != CHOSEN, 0).cumsum()
    )
    return frame


def _place(reason: str, texts: list[str]) -> int:
    if reason == CHOSEN:
        return len(texts) + 2
    if reason in ORDER:
        return -1
    for place, text in enumerate(texts):
        if reason == f"not {text}" or reason.startswith(f"{text} unknown"):
            return place
    return len(texts) + 1


def _local_date(instants: np.ndarray) -> pd.DatetimeIndex:
    """The day of a close, which is the same in New York and on its exchange."""
    stamps = pd.DatetimeIndex(np.asarray(instants, dtype="datetime64[us]"), tz="UTC")
    return stamps.tz_convert("America/New_York").tz_localize(None).normalize()


def coverage(matches: pd.DataFrame, news: pd.DataFrame) -> list[str]:
    """Where no news is known at all, a night without news is only one without a release."""
    if matches.empty:
        return []
    companies = matches["instrument_id"].unique()
    known = set(news["instrument_id"].dropna().astype("int64"))
    silent = sum(int(one) not in known for one in companies)
    if not silent:
        return []
    text = (
        f"The store holds no news of {silent:,} of the {len(companies):,} companies matched: there "
        "a night without news is a night without an earnings release nearby."
    )
    return [text]
