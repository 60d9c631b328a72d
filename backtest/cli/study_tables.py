"""A study on screen, and as JSON."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import typer

from backtest.cli.tables import Column, plain, show
from backtest.cli.words import printable
from backtest.evidence.event_study import CLUSTERED
from backtest.studies.rates import OUTCOMES
from backtest.studies.words import outcome_words, points

if TYPE_CHECKING:
    from backtest.studies.abnormal import Abnormal
    from backtest.studies.result import Study

GROUP = Column("group", wide=True, wrap=True)
RATES = (
    GROUP,
    Column("events", kind="count"),
    Column("dates", kind="count"),
    Column("share", kind="percent"),
    Column("interval", "by date"),
    Column("independent", "as if independent"),
)
MEANS = (
    GROUP,
    Column("reference", "reference", "percent"),
    Column("reference_interval", "by date"),
    Column("first", "first", "percent"),
    Column("first_interval", "by date"),
)
CONDITIONS = (
    Column("condition", wide=True, wrap=True),
    Column("holds", kind="count"),
    Column("fails", kind="count"),
    Column("unknown", kind="count"),
    Column("difference", "share by", "percent"),
    Column("interval", "by date"),
    Column("p"),
    Column("holm", "Holm"),
)
PLACEBO = (
    Column("outcome"),
    Column("measure"),
    Column("event_value", "events", "percent"),
    Column("night_value", "nights", "percent"),
    Column("difference", "diff", "percent"),
    Column("interval", "by date"),
    Column("p"),
    Column("holm", "Holm"),
)
BALANCE = (
    Column("measure", "matched by"),
    Column("events", "mean of events", "percent"),
    Column("nights", "of their nights", "percent"),
    Column("difference", "in standard deviations", "number"),
)
CAAR = (
    Column("phase"),
    Column("window", "sessions"),
    Column("n", "events", "count"),
    Column("caar", "CAAR", "percent"),
    Column("interval", "by date"),
    Column("bhar", "BHAR", "percent"),
    Column("p"),
    Column("holm", "Holm"),
)
TESTS = (
    Column("mark", ""),
    Column("test", wide=True),
    Column("phase"),
    Column("window", "sessions"),
    Column("statistic", kind="number"),
    Column("p"),
    Column("holm", "Holm"),
    Column("df", kind="count"),
    Column("n", kind="count"),
)
REASONS = (Column("reason", wide=True, wrap=True), Column("events", kind="count"))
FUNNEL = (*REASONS, Column("left", "left over", "count"))


def print_study(found: Study, *, all_tests: bool) -> None:
    """The sentences, then the tables that they come from."""
    record, width = found.record, shutil.get_terminal_size().columns
    head = f"{record['title']}, {record['interval']} bars of {record['source']}"
    typer.echo(textwrap.fill(printable(head), width) + "\n")
    for sentence in found.sentences:
        typer.echo(textwrap.fill(printable(sentence), width, subsequent_indent="  "))
    _print_rates(found)
    if len(found.conditions):
        _table("What each condition does to the share", _tested(found.conditions), CONDITIONS)
    if len(found.placebo):
        _table("Beside nights without news", _tested(found.placebo), PLACEBO)
        _table("How alike they are", found.balance, BALANCE)
    if len(found.unmatched):
        _table("Chosen events without a placebo night", _reasons(found.unmatched), REASONS)
    if found.abnormal is not None:
        _print_abnormal(found.abnormal, all_tests=all_tests)
    _table("Where every event ended", found.funnel, FUNNEL)


def _print_rates(found: Study) -> None:
    for outcome in OUTCOMES:
        title = f"Share of events: {outcome_words(found.record, outcome)}"
        _table(title, _with_intervals(found.rates, outcome), RATES)
    _table(
        "Mean move, against the reference close and against the first price",
        _means(found.rates),
        MEANS,
    )
    if len(found.splits):
        for outcome in OUTCOMES:
            title = f"The chosen events, split: {outcome_words(found.record, outcome)}"
            _table(title, _with_intervals(found.splits, outcome), RATES)


def _print_abnormal(abnormal: Abnormal, *, all_tests: bool) -> None:
    if abnormal.caar["n"].any():
        title = f"Mean cumulative abnormal return, {abnormal.said}"
        _table(title, _tested(_windowed(abnormal.caar)), CAAR)
        tests = _tested(_windowed(abnormal.tests))
        tests["mark"] = np.where(tests["test"].isin(CLUSTERED), "*", "")
        if all_tests:
            title = "Tests of it; * may hold where companies report on the same evenings"
            _table(title, tests, TESTS)
        else:
            sound = tests[tests["mark"] != ""]
            title = "Tests of it that know of companies which report on the same evenings"
            _table(title, sound, TESTS[1:])
            left = len(set(tests["test"])) - len(set(sound["test"]))
            typer.echo(f"{left} more of the literature's tests: --all-tests")
    if len(abnormal.dropped):
        _table("Left out of the event study", _reasons(abnormal.dropped), REASONS)


def _table(title: str, frame: pd.DataFrame, columns: tuple[Column, ...]) -> None:
    typer.echo()
    typer.echo(textwrap.fill(printable(title), shutil.get_terminal_size().columns))
    show(frame, columns, limit=0)


def _span(low: float, high: float, *, signed: bool) -> str:
    """``0.4 .. 1.0``, in percent; a dash where there is no interval."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return "-"
    if signed:
        return f"{points(low, 2)} .. {points(high, 2)}"
    return f"{low * 100:.2f} .. {high * 100:.2f}"


def _spans(frame: pd.DataFrame, low: str, high: str, *, signed: bool) -> list[str]:
    return [_span(a, b, signed=signed) for a, b in zip(frame[low], frame[high], strict=True)]


def _with_intervals(rates: pd.DataFrame, outcome: str) -> pd.DataFrame:
    rows = rates[rates["outcome"] == outcome]
    return rows.assign(
        interval=_spans(rows, "low", "high", signed=False),
        independent=_spans(rows, "low_independent", "high_independent", signed=False),
    )


def _means(rates: pd.DataFrame) -> pd.DataFrame:
    """Both outcomes side by side."""
    reference, first = (rates[rates["outcome"] == o].reset_index(drop=True) for o in OUTCOMES)
    return pd.DataFrame(
        {
            "group": reference["group"],
            "reference": reference["mean"],
            "reference_interval": _spans(reference, "mean_low", "mean_high", signed=True),
            "first": first["mean"],
            "first_interval": _spans(first, "mean_low", "mean_high", signed=True),
        }
    )


def _tested(frame: pd.DataFrame) -> pd.DataFrame:
    """With p values as one reads them, and intervals where there are any."""
    out = frame.assign(
        p=[_p(value) for value in frame["p_value"]],
        holm=[_p(value) for value in frame["p_adjusted"]],
    )
    if "low" in frame:
        out["interval"] = _spans(frame, "low", "high", signed=True)
    return out


def _p(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _windowed(frame: pd.DataFrame) -> pd.DataFrame:
    spans = zip(frame["start"], frame["end"], strict=True)
    return frame.assign(window=[f"{a}" if a == b else f"{a} to {b}" for a, b in spans])


def _reasons(frame: pd.DataFrame) -> pd.DataFrame:
    names = ["phase", "reason"] if "phase" in frame else ["reason"]
    counts = frame.groupby(names, sort=False).size().rename("events").reset_index()
    if "phase" in frame:
        counts["reason"] = counts["phase"].fillna("all").astype(str) + ": " + counts["reason"]
    return counts.sort_values("events", ascending=False, kind="stable")


def as_record(found: Study) -> Mapping[str, Any]:
    """The study as JSON's own types; of the events the chosen ones."""
    frames = ("rates", "conditions", "funnel", "splits", "placebo", "balance", "matches")
    abnormal = found.abnormal
    return {
        "record": plain(found.record),
        "sentences": found.sentences,
        **{name: _rows(getattr(found, name)) for name in (*frames, "unmatched")},
        "events": _rows(found.events[found.events["chosen"]]),
        "event_study": None
        if abnormal is None
        else {
            "said": abnormal.said,
            "caar": _rows(abnormal.caar),
            "tests": _rows(abnormal.tests),
            "dropped": _rows(abnormal.dropped),
        },
        "notes": list(found.notes),
    }


def _rows(frame: pd.DataFrame) -> Any:
    return plain(frame.to_dict("records"))
