"""`Study`: base rates, placebo nights and abnormal returns of a group of events, as frames."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from backtest.studies.words import study_sentences
from db.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from backtest.evidence.event_study import EventStudy, PhaseStudy
    from backtest.studies.abnormal import Abnormal


@dataclass(frozen=True, eq=False)
class Study:
    """What a study found.  Shares and moves are fractions; intervals are clustered by date.

    Moves are those of the reaction session's close (or of the close ``hold`` sessions later)
    against the reference close, and against the first price at which one could have traded once
    everything that chose the event was known.
    """

    record: dict[str, Any]
    """What would repeat it: strategy, conditions, interval, source, span, gain, hold, settings."""
    events: pd.DataFrame
    """One row a measurable event: ``event_id``, ``symbol``, ``announced_from``, ``session``,
    ``reference_date``, ``reaction_date``, ``known_at`` (NaT: the conditions do not hold),
    ``from_reference``, ``from_first``, ``chosen``, and a column a condition (True, False, or NA
    where it is not known)."""
    rates: pd.DataFrame
    """One row an outcome (``reference``, ``first price``) and group; see `rates.COLUMNS`."""
    conditions: pd.DataFrame
    """One row a condition: ``holds``, ``fails``, ``unknown`` events, and the ``difference`` that it
    makes to the share against the reference close, with Holm's ``p_adjusted``."""
    funnel: pd.DataFrame
    """Where every event ended: ``reason``, ``events``, ``share``, ``left``."""
    splits: pd.DataFrame
    """The rates of the chosen events by year, session, quarter or surprise; empty without."""
    placebo: pd.DataFrame
    """Matched events beside their placebo nights: one row an outcome and measure."""
    balance: pd.DataFrame
    """Means of what was matched by, in both."""
    matches: pd.DataFrame
    """One row a pair: the event, the night, what they were matched by and what followed."""
    unmatched: pd.DataFrame
    """Chosen events without a placebo night: ``event_id``, ``symbol``, ``reason``."""
    abnormal: Abnormal | None
    """CAAR, tests and events dropped; None where no event study was made."""
    notes: tuple[str, ...]
    """What is missing from the study, and why."""

    @property
    def event_study(self) -> EventStudy | PhaseStudy | None:
        """The event study with all its frames (a `PhaseStudy` for intraday bars)."""
        return None if self.abnormal is None else self.abnormal.study

    @property
    def sentences(self) -> list[str]:
        """What it amounts to, in words."""
        return study_sentences(self)

    def plot(
        self, what: Literal["rates", "caar"] = "rates", *, outcome: str = "reference"
    ) -> Figure:
        """The base rates with both their intervals, or the cumulative abnormal return."""
        from backtest.studies.figures import caar, rates

        if what == "rates":
            return rates(self, outcome)
        if what == "caar":
            return caar(self)
        hint = did_you_mean(str(what), ("rates", "caar"), kind="figure")
        raise UsageError(f"no figure {what!r}", hint=hint)

    def __repr__(self) -> str:
        return "\n".join([f"Study ({self.record['command']})"] + [f"  {s}" for s in self.sentences])

    def _repr_html_(self) -> str:
        says = "".join(f"<li>{html.escape(text)}</li>" for text in self.sentences)
        title = html.escape(str(self.record["command"]))
        return f"<h3>{title}</h3><ul>{says}</ul>{self.rates.to_html(escape=True)}"
