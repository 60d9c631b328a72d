"""What a study found, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.studies.chosen import EVERYTHING
from backtest.studies.rates import FIRST, REFERENCE

if TYPE_CHECKING:
    from backtest.studies.result import Study


def percent(value: float, digits: int = 1) -> str:
    """``0.0123`` -> ``1.2 %``; a dash where it is not known."""
    if not np.isfinite(value):
        return "-"
    return f"{round(value * 100, digits) + 0.0:.{digits}f} %"


def points(value: float, digits: int = 1) -> str:
    """``0.0123`` -> ``+1.2``: percentage points, or percent, with a sign."""
    return f"{round(value * 100, digits) + 0.0:+.{digits}f}" if np.isfinite(value) else "-"


def outcome_words(record: dict[str, Any], outcome: str, *, verb: str = "closes") -> str:
    """``closes 10 % or more above the reference close``, as a sentence goes on."""
    way = "above" if record["side"] > 0 else "below"
    hold = record["hold"]
    sessions = f"{hold} session{'s' if hold > 1 else ''}"
    when = f"{verb} {sessions} after the reaction" if hold else verb
    what = "reference close" if outcome == REFERENCE else "first price that could be had"
    return f"{when} {record['gain'] * 100:g} % or more {way} the {what}"


def window_words(start: int, end: int) -> str:
    """``day 0``, ``days 1 to 5``: exchange sessions from day 0."""
    return f"day {start}" if start == end else f"days {start} to {end}"


def p_text(value: float) -> str:
    """``p = 0.031``, ``p < 0.001``."""
    if not np.isfinite(value):
        return "p unknown"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def study_sentences(study: Study) -> list[str]:
    """Of what was chosen, how often, against what, and how sure."""
    record = study.record
    measured = len(study.events)
    chosen = int(study.events["chosen"].sum())
    left_out = int(study.funnel["events"].sum()) - measured
    counted = (
        f"{measured:,} measurable events ({left_out:,} more could not be measured or are of "
        f"another kind). Chosen: {chosen:,}, by {record['chosen']}."
    )
    said = [counted]
    for outcome in (REFERENCE, FIRST):
        said += _rate_sentences(study, outcome)
    said += _placebo_sentences(study)
    if study.abnormal is not None:
        said.append(_abnormal_sentence(study))
    return said + list(study.notes)


def _rate_sentences(study: Study, outcome: str) -> list[str]:
    rows = study.rates[study.rates["outcome"] == outcome].set_index("group")
    everything, chosen = rows.iloc[0], rows.loc[study.record["group"]]
    if not chosen["events"]:
        return [] if outcome == FIRST else ["No event was chosen: there is nothing to compare."]
    happens = outcome_words(study.record, outcome, verb="close")
    text = (
        f"{percent(chosen['share'])} of {int(chosen['events']):,} chosen events {happens} "
        f"({percent(chosen['low'])} to {percent(chosen['high'])}, clustered by date); "
        f"of {_base(str(rows.index[0]))} {percent(everything['share'])}."
    )
    return [text]


def _placebo_sentences(study: Study) -> list[str]:
    if study.placebo.empty:
        if study.unmatched.empty:
            return []
        why = study.unmatched["reason"].value_counts()
        reasons = ", ".join(f"{reason} ({n:,})" for reason, n in why.items())
        return [f"None of the chosen events has a placebo night: {reasons}."]
    matched, nights = study.matches["event_id"].nunique(), len(study.matches)
    different = len(study.matches[["instrument_id", "reference_date"]].drop_duplicates())
    found = (
        f"{matched:,} of {matched + len(study.unmatched):,} chosen events were matched with "
        f"{different:,} placebo nights ({nights:,} pairs)."
    )
    said = [found]
    for outcome in (REFERENCE, FIRST):
        row = _row(study.placebo, outcome=outcome, measure="share")
        if row is None or not row["events"]:
            continue
        said.append(
            f"Of the matched events {percent(row['event_value'])} {_short(outcome)}, of their "
            f"placebo nights {percent(row['night_value'])}: {points(row['difference'])} points "
            f"{_certainty(row)}."
        )
    return said


def _base(group: str) -> str:
    return "all events" if group == EVERYTHING else group


def _certainty(row: pd.Series) -> str:
    if not np.isfinite(row["low"]):
        return "(no interval: they do not vary)"
    return f"({points(row['low'])} to {points(row['high'])}, {_p_values(row)})"


def _short(outcome: str) -> str:
    against = "reference close" if outcome == REFERENCE else "first price"
    return f"gained it on the {against}"


def _p_values(row: pd.Series) -> str:
    text, adjusted = p_text(row["p_value"]), p_text(row["p_adjusted"])
    return f"{text}, {adjusted} by Holm" if np.isfinite(row["p_adjusted"]) else text


def _abnormal_sentence(study: Study) -> str:
    abnormal = study.abnormal
    assert abnormal is not None
    if not abnormal.caar["n"].any():
        why = abnormal.dropped["reason"].value_counts()
        reasons = ", ".join(f"{reason} ({n:,})" for reason, n in why.items())
        return f"Event study ({abnormal.said}): no event can be studied: {reasons}."
    row = abnormal.caar.iloc[-1] if "phase" in abnormal.caar else abnormal.caar.iloc[0]
    part = f"{row['phase']}, " if "phase" in abnormal.caar else ""
    return (
        f"Event study ({abnormal.said}): the mean abnormal return of {part}"
        f"{window_words(int(row['start']), int(row['end']))} is {points(row['caar'], 2)} % "
        f"({points(row['low'], 2)} to {points(row['high'], 2)}, {int(row['n']):,} events, "
        f"{p_text(row['p_value'])}); {len(abnormal.dropped):,} dropped."
    )


def _row(frame: pd.DataFrame, **wanted: str) -> pd.Series | None:
    mask = np.ones(len(frame), dtype=bool)
    for name, value in wanted.items():
        mask &= (frame[name] == value).to_numpy()
    return frame[mask].iloc[0] if mask.any() else None
